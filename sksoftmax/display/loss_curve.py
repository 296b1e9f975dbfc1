"""`LossCurveDisplay` draws the losses of training.

Epochs are numbered from 1. Validation curves end at the same epoch as the training curve. They begin later if validation rows
were first passed in a warm start.
"""

from typing import TYPE_CHECKING, Any, Self

from sklearn.base import BaseEstimator

from sksoftmax.display.shared import fitted_with, new_axes
from sksoftmax.hints import Losses

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D

SCORE_LABEL = "Validation score"


class LossCurveDisplay:
    """Plot of the loss of each epoch of one estimator.

    The training curve is solid, the validation curve is dashed, and a dot marks the best epoch. Validation scores are dotted,
    with their own axis on the right. A vertical line marks the end of an ensemble's fold phase. After it the members train on
    all rows, so the loss jumps there, and a planned learning rate starts again. To compare estimators, draw them on the same
    axes: pass `ax`. All parameters are stored as attributes.

    Parameters
    ----------
    loss_curve : list of float
        Training loss of each epoch.

    validation_loss_curve : list of float, default=None
        Validation loss of each epoch, or of the last epochs if it is shorter than `loss_curve`. None draws no curve.

    best_iter : int, default=None
        Number of the epoch whose weights were kept, counted from 1. None draws no dot.

    name : str, default=None
        Name of the estimator in the legend. None shows no name.

    iteration_name : str, default='Epoch'
        Name of one step of the curve; the label of the x axis.

    validation_scores : list of float, default=None
        Validation score of each epoch, or of the last epochs if it is shorter than `loss_curve`. None draws no curve.

    fold_epochs : int, default=None
        Number of epochs of the fold phase. None draws no vertical line.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.

    figure_ : matplotlib Figure
        Figure with these axes.

    line_ : matplotlib Line2D
        Training curve.

    validation_line_ : matplotlib Line2D or None
        Validation curve; None without validation losses.

    best_point_ : matplotlib Line2D or None
        Dot; None if the best epoch is not known.

    score_line_ : matplotlib Line2D or None
        Validation scores; None without scores.

    fold_line_ : matplotlib Line2D or None
        Vertical line; None if there was no fold phase, or only a fold phase.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Plot scores over the number of training rows.

    Examples
    --------
    >>> from sksoftmax import LossCurveDisplay
    >>> display = LossCurveDisplay(loss_curve=[1.1, 0.5, 0.3], validation_loss_curve=[1.2, 0.6, 0.7], best_iter=2)
    >>> display = display.plot(linewidth=2)
    >>> display.validation_line_.get_linestyle()
    '--'
    """

    ax_: "Axes"
    figure_: "Figure | SubFigure"
    line_: "Line2D"
    validation_line_: "Line2D | None"
    best_point_: "Line2D | None"
    score_line_: "Line2D | None"
    fold_line_: "Line2D | None"

    def __init__(
        self,
        *,
        loss_curve: Losses,
        validation_loss_curve: Losses | None = None,
        best_iter: int | None = None,
        name: str | None = None,
        iteration_name: str = "Epoch",
        validation_scores: Losses | None = None,
        fold_epochs: int | None = None,
    ) -> None:
        self.loss_curve = loss_curve
        self.validation_loss_curve = validation_loss_curve
        self.best_iter = best_iter
        self.name = name
        self.iteration_name = iteration_name
        self.validation_scores = validation_scores
        self.fold_epochs = fold_epochs

    def plot(self, ax: "Axes | None" = None, *, name: str | None = None, **kwargs: Any) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a figure with new ones.

        name : str, default=None
            Name for the legend. None uses the attribute `name`.

        **kwargs : dict
            Keyword arguments of matplotlib's `plot` for both loss curves; the validation curve stays dashed.

        Returns
        -------
        LossCurveDisplay
            This object, with the axes and lines in its attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `loss_curve` is empty, another curve is longer, or `best_iter` or `fold_epochs` is not an epoch of it.
        """
        self._check()
        axes: Any = new_axes() if ax is None else ax
        self.ax_, self.figure_ = axes, axes.figure
        prefix = self.name if name is None else name
        style = {"label": label_of("training", prefix), **full_names(kwargs)}
        line: Any = self._draw(axes, self.loss_curve, "s", style)
        style |= {"color": line.get_color(), "linestyle": "--", "label": label_of("validation", prefix)}
        self.line_ = line
        self.validation_line_ = self._draw(axes, self.validation_loss_curve, "D", {"alpha": 0.7, **style})
        self.best_point_ = self._draw_best(axes, prefix, line.get_color())
        self.fold_line_ = self._draw_end_of_folds(axes, line.get_color())
        style = {"color": line.get_color(), "linestyle": ":", "label": label_of("validation score", prefix), "alpha": 0.7}
        score_axes = axes if self.validation_scores is None else axes_of_scores(axes)
        self.score_line_ = self._draw(score_axes, self.validation_scores, "x", style)
        self._annotate(axes, score_axes)
        return self

    @classmethod
    def from_estimator(
        cls, estimator: BaseEstimator, *, ax: "Axes | None" = None, name: str | None = None, **kwargs: Any
    ) -> Self:
        """Draw the curves of a fitted estimator.

        Parameters
        ----------
        estimator : estimator, Pipeline or search
            A fitted estimator with a `loss_curve_`: SoftmaxMLPClassifier, or scikit-learn's MLPClassifier or MLPRegressor. For
            a Pipeline the last step is used, for a search such as GridSearchCV its `best_estimator_`. `validation_loss_curve_`,
            `best_iter_` and `validation_scores_` are drawn if the estimator has them.

        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a figure with new ones.

        name : str, default=None
            Name for the legend. None uses the name of the class.

        **kwargs : dict
            Keyword arguments of matplotlib's `plot` for both loss curves; the validation curve stays dashed.

        Returns
        -------
        LossCurveDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator has no `loss_curve_`, or if it is a search that did not refit its best estimator.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sksoftmax import LossCurveDisplay, SoftmaxMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> planned = {"learning_rate": "cosine", "max_iter": 20, "random_state": 0}
        >>> small, large = (SoftmaxMLPClassifier((size,), **planned).fit(X, y) for size in (10, 100))
        >>> display = LossCurveDisplay.from_estimator(small, name="10 units")
        >>> display = LossCurveDisplay.from_estimator(large, name="100 units", ax=display.ax_)
        >>> len(display.line_.get_ydata())
        20
        """
        fitted: Any = fitted_with(estimator, "loss_curve_")
        display = cls(
            loss_curve=fitted.loss_curve_,
            validation_loss_curve=getattr(fitted, "validation_loss_curve_", None) or None,
            best_iter=getattr(fitted, "best_iter_", None) or None,
            name=type(fitted).__name__ if name is None else name,
            iteration_name="Iteration" if getattr(fitted, "solver", None) == "lbfgs" else "Epoch",
            validation_scores=getattr(fitted, "validation_scores_", None) or None,
            fold_epochs=getattr(fitted, "n_fold_epochs_", None) or None,
        )
        return display.plot(ax, **kwargs)

    def _check(self):
        """Raise ValueError if the parts do not fit each other."""
        n_epochs = len(self.loss_curve)
        if n_epochs == 0:
            raise ValueError("loss_curve must hold the loss of at least one epoch; got an empty one.")
        for name in ("validation_loss_curve", "validation_scores"):
            curve = getattr(self, name)
            if curve is not None and len(curve) > n_epochs:
                raise ValueError(f"{name} must be no longer than loss_curve, {n_epochs}; got {len(curve)} numbers.")
        for name in ("best_iter", "fold_epochs"):
            epoch = getattr(self, name)
            if epoch is not None and not 1 <= epoch <= n_epochs:
                raise ValueError(f"{name} must be in 1 … {n_epochs}, an epoch of loss_curve; got {epoch!r}.")

    def _best_loss(self):
        """Return the loss at the dot: on the validation curve if it has the best epoch, otherwise on the training curve."""
        from_end = self.best_iter - len(self.loss_curve) - 1
        validated = self.validation_loss_curve is not None and -from_end <= len(self.validation_loss_curve)
        return (self.validation_loss_curve if validated else self.loss_curve)[from_end]

    def _draw(self, ax, curve, marker, style):
        """Draw a curve that ends with the training curve, or a marker if it has one epoch; return None without a curve."""
        if curve is None:
            return None
        n_epochs = len(self.loss_curve)
        epochs = range(n_epochs - len(curve) + 1, n_epochs + 1)
        return ax.plot(epochs, curve, **{"marker": marker if len(curve) == 1 else None, **style})[0]

    def _draw_best(self, ax, name, color):
        """Draw the dot, with an edge in the background color; return None if no best epoch is known."""
        if self.best_iter is None:
            return None
        style = {"marker": "o", "markersize": 8, "markeredgecolor": ax.get_facecolor(), "linestyle": "none", "zorder": 3}
        label = label_of(f"best {self.iteration_name.lower()} ({self.best_iter})", name)
        return ax.plot([self.best_iter], [self._best_loss()], color=color, label=label, **style)[0]

    def _draw_end_of_folds(self, ax, color):
        """Draw a vertical line, with words, between the fold phase and the epochs on all rows; return None if there is none."""
        if self.fold_epochs in (None, len(self.loss_curve)):
            return None
        x = self.fold_epochs + 0.5
        place = {"transform": ax.get_xaxis_transform(), "rotation": 90, "ha": "right", "va": "top", "fontsize": "small"}
        ax.text(x, 0.98, "from here: all rows", **place, color=color)
        return ax.axvline(x, linestyle="-.", linewidth=1, alpha=0.5, color=color, label="_folds")

    def _annotate(self, ax, score_axes):
        """Add labels of the axes, ticks at whole epochs and the legend of everything on these axes."""
        from matplotlib.ticker import MaxNLocator

        if ax.get_xscale() == "linear":
            ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
        ax.set(xlabel=self.iteration_name, ylabel="Loss")
        handles = [handle for part in {ax: 0, score_axes: 0} for handle in part.get_legend_handles_labels()[0]]
        ax.legend(handles=handles)


def label_of(curve, name):
    """Return the legend entry of a curve of the estimator of this name, or of an estimator without a name."""
    return curve.capitalize() if name is None else f"{name}: {curve}"


def full_names(kwargs):
    """Return keyword arguments of matplotlib's `plot` with aliases, such as `c`, replaced by the full names."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    return normalize_kwargs(kwargs, Line2D)


def axes_of_scores(ax):
    """Return the axes of validation scores that share the place and the x axis of `ax`; make them behind `ax` if missing."""
    for other in ax.figure.axes:
        if other.get_ylabel() == SCORE_LABEL and other.get_position().bounds == ax.get_position().bounds:
            return other
    behind = ax.twinx()
    behind.set(ylabel=SCORE_LABEL, zorder=ax.get_zorder() - 1, facecolor=ax.get_facecolor())
    behind.patch.set_visible(ax.patch.get_visible())
    ax.patch.set_visible(False)
    return behind
