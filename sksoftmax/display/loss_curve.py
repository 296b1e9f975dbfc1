"""`LossCurveDisplay` draws the losses of training.

Epochs are numbered from 1. A validation curve ends with its training curve and may begin later, if a warm start brought the
validation rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sksoftmax.display.shared import last_step, new_axes
from sksoftmax.hints import Losses

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D


class LossCurveDisplay:
    """Plot of the loss of each epoch of one or several estimators.

    The training curve is solid, the validation curve dashed, and a dot marks the best epoch. Validation scores are dotted, with
    an axis of their own on the right. A vertical line marks the end of an ensemble's fold phase, from which its members train on
    all rows: the loss jumps there, and a planned learning rate starts again. Make a display with :meth:`from_estimator` or
    :meth:`from_estimators`. All parameters are stored as attributes. For several estimators, each
    parameter except `iteration_name` is a list with an entry for each estimator.

    Parameters
    ----------
    loss_curve : list of float, or list of these
        Training loss of each epoch.

    validation_loss_curve : list of float or None, or list of these, default=None
        Validation loss of each epoch, or of the last epochs if it is shorter than `loss_curve`. None draws no curve.

    best_iter : int or None, or list of these, default=None
        Number of the epoch whose weights were kept, counted from 1. None draws no dot.

    name : str or None, or list of these, default=None
        Name of the estimator in the legend. None shows no name.

    iteration_name : str, default='Epoch'
        Unit that the curves are counted in; the label of the x axis.

    validation_scores : list of float or None, or list of these, default=None
        Validation score of each epoch, or of the last epochs if it is shorter than `loss_curve`. None draws no curve.

    fold_epochs : int or None, or list of these, default=None
        Number of epochs of the fold phase. None draws no vertical line.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.

    figure_ : matplotlib Figure
        Figure with these axes.

    lines_ : list of matplotlib Line2D
        Training curve of each estimator.

    validation_lines_ : list of (matplotlib Line2D or None)
        Validation curve of each estimator; None if it has no validation losses.

    best_points_ : list of (matplotlib Line2D or None)
        Dot of each estimator; None if its best epoch is not known.

    score_lines_ : list of (matplotlib Line2D or None)
        Validation scores of each estimator; None if it has none.

    fold_lines_ : list of (matplotlib Line2D or None)
        Vertical line of each estimator; None if it had no fold phase, or only a fold phase.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Plot scores over the number of training rows.

    Notes
    -----
    Drawing needs matplotlib: ``pip install "sksoftmax[plot]"``.

    Examples
    --------
    >>> from sksoftmax import LossCurveDisplay
    >>> display = LossCurveDisplay(loss_curve=[1.1, 0.5, 0.3], validation_loss_curve=[1.2, 0.6, 0.7], best_iter=2)
    >>> display = display.plot(linewidth=2)
    >>> display.validation_lines_[0].get_linestyle()
    '--'
    """

    ax_: "Axes"
    figure_: "Figure | SubFigure"
    lines_: "list[Line2D]"
    validation_lines_: "list[Line2D | None]"
    best_points_: "list[Line2D | None]"
    score_lines_: "list[Line2D | None]"
    fold_lines_: "list[Line2D | None]"

    def __init__(
        self,
        *,
        loss_curve: Losses | Sequence[Losses],
        validation_loss_curve: Losses | Sequence[Losses | None] | None = None,
        best_iter: int | Sequence[int | None] | None = None,
        name: str | Sequence[str] | None = None,
        iteration_name: str = "Epoch",
        validation_scores: Losses | Sequence[Losses | None] | None = None,
        fold_epochs: int | Sequence[int | None] | None = None,
    ) -> None:
        self.loss_curve = loss_curve
        self.validation_loss_curve = validation_loss_curve
        self.best_iter = best_iter
        self.name = name
        self.iteration_name = iteration_name
        self.validation_scores = validation_scores
        self.fold_epochs = fold_epochs

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        name: str | Sequence[str] | None = None,
        validation_kw: dict[str, Any] | None = None,
        best_kw: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a figure with new ones.

        name : str or list of str, default=None
            Names for the legend. None uses those given before.

        validation_kw : dict, default=None
            Keyword arguments for the curves of validation losses only; they override `kwargs`.

        best_kw : dict, default=None
            Keyword arguments for the dots.

        **kwargs : dict
            Keyword arguments of matplotlib's `plot` for all losses; a validation curve stays dashed.

        Returns
        -------
        LossCurveDisplay
            This object, with the axes, lines and dots in its attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If a curve is empty, a validation curve is longer than its training curve, or `best_iter` or `fold_epochs` is not an
            epoch of it.
        """
        parts = {key: getattr(self, key) for key in ("validation_loss_curve", "best_iter", "validation_scores", "fold_epochs")}
        curves = as_curves(self.loss_curve, name=self.name if name is None else name, **parts)
        axes: Any = new_axes() if ax is None else ax
        self.ax_, self.figure_ = axes, axes.figure
        labels = [labels_of(curve, self.iteration_name, alone=len(curves) == 1) for curve in curves]
        self.lines_, self.validation_lines_, self.best_points_, self.score_lines_, self.fold_lines_ = [], [], [], [], []
        score_axes = axes_behind(axes) if any(curve.validation_scores is not None for curve in curves) else None
        for curve, label, color in zip(curves, labels, colors(len(curves))):
            line = draw_training(self.ax_, curve, {"label": label[0], "color": color}, kwargs)
            style = {"label": label[1], "color": line.get_color()}
            self.lines_.append(line)
            self.validation_lines_.append(draw_validation(self.ax_, curve, style, kwargs, validation_kw or {}))
            self.best_points_.append(draw_best(self.ax_, curve, {**style, "label": label[2]}, best_kw or {}))
            self.score_lines_.append(draw_scores(score_axes, curve, {**style, "label": label[3]}))
            self.fold_lines_.append(draw_end_of_folds(self.ax_, curve, line.get_color()))
        self._annotate(own_figure=ax is None)
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        *,
        ax: "Axes | None" = None,
        name: str | None = None,
        validation_kw: dict[str, Any] | None = None,
        best_kw: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the curves of one fitted estimator.

        Parameters
        ----------
        estimator : estimator, Pipeline or search
            A fitted estimator with a `loss_curve_`: SoftmaxMLPClassifier, or scikit-learn's MLPClassifier or MLPRegressor. For
            a Pipeline, the last step is used, for a search, as GridSearchCV, its `best_estimator_`. `validation_loss_curve_`,
            `best_iter_` and `validation_scores_` are drawn if the estimator has them.

        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a figure with new ones.

        name : str, default=None
            Name for the legend. None uses the name of the class.

        validation_kw : dict, default=None
            Keyword arguments for the validation curve only; they override `kwargs`.

        best_kw : dict, default=None
            Keyword arguments for the dot.

        **kwargs : dict
            Keyword arguments of matplotlib's `plot` for both curves; the validation curve stays dashed.

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

        See Also
        --------
        LossCurveDisplay.from_estimators : Draw several estimators in one picture.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sksoftmax import LossCurveDisplay, SoftmaxMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = SoftmaxMLPClassifier(learning_rate="cosine", max_iter=20, random_state=0).fit(X, y)
        >>> display = LossCurveDisplay.from_estimator(clf)
        >>> len(display.lines_[0].get_ydata())
        20
        """
        if isinstance(estimator, Mapping | list | tuple):
            raise TypeError(f"estimator must be one estimator; got a {type(estimator).__name__}. Use from_estimators.")
        parts = training_record(estimator)
        parts["name"] = type(last_step(estimator)).__name__ if name is None else name
        return cls(**parts).plot(ax, validation_kw=validation_kw, best_kw=best_kw, **kwargs)

    @classmethod
    def from_estimators(
        cls,
        estimators: Mapping[str, BaseEstimator] | Sequence[BaseEstimator],
        *,
        ax: "Axes | None" = None,
        validation_kw: dict[str, Any] | None = None,
        best_kw: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the curves of several fitted estimators, each in a color of its own.

        Parameters
        ----------
        estimators : dict of str to estimator, or list of estimators
            Fitted estimators by their names for the legend; those of a list are named after their classes and numbered.
            `from_estimator` describes what each must be.

        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a figure with new ones.

        validation_kw : dict, default=None
            Keyword arguments for the validation curves only; they override `kwargs`.

        best_kw : dict, default=None
            Keyword arguments for the dots.

        **kwargs : dict
            Keyword arguments of matplotlib's `plot` for all curves; validation curves stay dashed.

        Returns
        -------
        LossCurveDisplay
            The display, drawn, with a list entry for each estimator.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If an estimator is not fitted.
        TypeError
            If `estimators` is neither a dict nor a list, or an estimator has no `loss_curve_`.
        ValueError
            If `estimators` is empty.

        See Also
        --------
        LossCurveDisplay.from_estimator : Draw one estimator.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sksoftmax import LossCurveDisplay, SoftmaxMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> planned = {"learning_rate": "cosine", "max_iter": 20, "random_state": 0}
        >>> small, large = (SoftmaxMLPClassifier((size,), **planned).fit(X, y) for size in (10, 100))
        >>> display = LossCurveDisplay.from_estimators({"10 units": small, "100 units": large})
        >>> len(display.lines_)
        2
        """
        if isinstance(estimators, list | tuple):
            estimators = {f"{type(last_step(clf)).__name__} {i}": clf for i, clf in enumerate(estimators, start=1)}
        if not isinstance(estimators, Mapping):
            raise TypeError(
                f"estimators must be a dict of fitted estimators by name, or a list of them; got {type(estimators).__name__}."
            )
        if not estimators:
            raise ValueError("estimators must have at least one fitted estimator; got none.")
        records = [training_record(estimator) for estimator in estimators.values()]
        parts = {key: [record[key] for record in records] for key in records[0]}
        units = sorted(set(parts.pop("iteration_name")))
        display = cls(**parts, name=list(estimators), iteration_name=" or ".join(units).capitalize())
        return display.plot(ax, validation_kw=validation_kw, best_kw=best_kw, **kwargs)

    def _annotate(self, own_figure):
        """Add axis labels and the legend; several curves share one key to their line styles."""
        from matplotlib.ticker import MaxNLocator

        if self.ax_.get_xscale() == "linear":
            self.ax_.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
        self.ax_.set(xlabel=self.iteration_name, ylabel="Loss")
        handles = self.ax_.get_legend_handles_labels()[0]
        if len(self.lines_) > 1:
            handles += style_key(self.lines_, self.validation_lines_, self.best_points_, self.score_lines_)
        else:
            handles += [line for line in self.score_lines_ if line is not None]
        self.ax_.legend(handles=handles, **legend_place(len(handles), own_figure))


@dataclass(frozen=True)
class Curve:
    """The curves of one estimator; raise ValueError if the parts do not fit each other."""

    losses: Sequence
    validation_losses: Sequence | None
    best_iter: int | None
    name: str | None
    validation_scores: Sequence | None = None
    fold_epochs: int | None = None

    def __post_init__(self):
        n_epochs = len(self.losses)
        if n_epochs == 0:
            raise ValueError("loss_curve must hold the loss of at least one epoch; got an empty one.")
        if self.validation_losses is not None and len(self.validation_losses) > n_epochs:
            raise ValueError(
                f"validation_loss_curve must be no longer than loss_curve, {n_epochs}; got {len(self.validation_losses)} losses."
            )
        if self.validation_scores is not None and len(self.validation_scores) > n_epochs:
            raise ValueError(
                f"validation_scores must be no longer than loss_curve, {n_epochs}; got {len(self.validation_scores)} scores."
            )
        if self.fold_epochs is not None and not 0 <= self.fold_epochs <= n_epochs:
            raise ValueError(f"fold_epochs must be in 0 … {n_epochs}, an epoch of loss_curve; got {self.fold_epochs!r}.")
        if self.best_iter is not None and not 1 <= self.best_iter <= n_epochs:
            raise ValueError(f"best_iter must be in 1 … {n_epochs}, an epoch of loss_curve; got {self.best_iter!r}.")

    @property
    def validation_start(self):
        """The number of the first epoch that has a validation loss."""
        return len(self.losses) - len(self.validation_losses) + 1

    @property
    def best_loss(self):
        """The loss at the dot: on the validation curve if it has the best epoch, otherwise on the training curve."""
        if self.validation_losses is not None and self.best_iter >= self.validation_start:
            return self.validation_losses[self.best_iter - self.validation_start]
        return self.losses[self.best_iter - 1]


def as_curves(loss_curve, validation_loss_curve, best_iter, name, validation_scores=None, fold_epochs=None):
    """A `Curve` for each estimator, from the display's parameters."""
    if len(loss_curve) == 0 or isinstance(loss_curve[0], Real):
        return [Curve(loss_curve, validation_loss_curve, best_iter, name, validation_scores, fold_epochs)]
    n_curves = len(loss_curve)
    columns = {"validation_loss_curve": validation_loss_curve, "best_iter": best_iter, "name": name}
    columns |= {"validation_scores": validation_scores, "fold_epochs": fold_epochs}
    columns = {key: [None] * n_curves if column is None else column for key, column in columns.items()}
    for key, column in columns.items():
        if not isinstance(column, Sequence | np.ndarray) or isinstance(column, str) or len(column) != n_curves:
            raise ValueError(f"{key} must be a list with one entry for each of the {n_curves} loss curves; got {column!r}.")
    return [Curve(*row) for row in zip(loss_curve, *columns.values())]


def training_record(estimator):
    """The display's parameters, from the attributes of a fitted estimator."""
    estimator = last_step(estimator)
    check_is_fitted(estimator)
    if not hasattr(estimator, "loss_curve_"):
        raise TypeError(
            "estimator must have a loss_curve_ once fitted, as SoftmaxMLPClassifier has, and MLPClassifier with solver='sgd' or "
            f"'adam'; got {estimator!r}."
        )
    return {
        "loss_curve": estimator.loss_curve_,
        "validation_loss_curve": getattr(estimator, "validation_loss_curve_", None) or None,
        "best_iter": getattr(estimator, "best_iter_", None) or None,
        "validation_scores": getattr(estimator, "validation_scores_", None) or None,
        "fold_epochs": getattr(estimator, "n_fold_epochs_", None) or None,
        "iteration_name": "Iteration" if getattr(estimator, "solver", None) == "lbfgs" else "Epoch",
    }


def axes_behind(axes):
    """Axes with the same x axis and a y axis on the right, behind the given axes, whose legend they do not cross."""
    behind = axes.twinx()
    behind.set_zorder(axes.get_zorder() - 1)
    behind.set_facecolor(axes.get_facecolor())
    behind.patch.set_visible(axes.patch.get_visible())
    axes.patch.set_visible(False)
    return behind


def colors(n_curves):
    """A color for each curve: None, for the next of matplotlib's cycle, if the cycle is long enough; else from a color map."""
    from matplotlib import colormaps, rcParams

    if n_curves <= len(rcParams["axes.prop_cycle"]):
        return [None] * n_curves
    return colormaps["turbo"](np.linspace(0.05, 0.95, n_curves))


def labels_of(curve, iteration_name, alone):
    """Legend entries of the training curve, the validation curve, the dot and the scores; with several curves only the first."""
    if not alone:
        return curve.name, "_validation", "_best", "_score"
    labels = "training", "validation", f"best {iteration_name.lower()} ({curve.best_iter})", "validation score"
    return [label.capitalize() if curve.name is None else f"{curve.name}: {label}" for label in labels]


def styled(kwargs, **defaults):
    """Matplotlib's keyword arguments, under any of their aliases, merged over these defaults."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    return {**defaults, **normalize_kwargs(kwargs, Line2D)}


def draw_training(ax, curve, style, kwargs):
    """Draw the solid line, or a square if there is only one epoch."""
    marker = "s" if len(curve.losses) == 1 else None
    epochs = range(1, len(curve.losses) + 1)
    return ax.plot(epochs, curve.losses, **styled(kwargs, marker=marker, **style))[0]


def draw_validation(ax, curve, style, kwargs, validation_kw):
    """Draw the dashed line, or a diamond if there is only one epoch; return None without validation losses."""
    if curve.validation_losses is None:
        return None
    marker = "D" if len(curve.validation_losses) == 1 else None
    shared = styled(kwargs, marker=marker, alpha=0.7) | style | {"linestyle": "--"}
    epochs = range(curve.validation_start, len(curve.losses) + 1)
    return ax.plot(epochs, curve.validation_losses, **styled(validation_kw, **shared))[0]


def draw_best(ax, curve, style, best_kw):
    """Draw the dot, with an edge in the background color; return None if no best epoch is known."""
    if curve.best_iter is None:
        return None
    dot = {"marker": "o", "markersize": 8, "markeredgecolor": ax.get_facecolor(), "linestyle": "none", "zorder": 3}
    return ax.plot([curve.best_iter], [curve.best_loss], **styled(best_kw, **dot, **style))[0]


def draw_scores(ax, curve, style):
    """Draw the dotted line of the validation scores on these axes; return None without scores."""
    if curve.validation_scores is None:
        return None
    ax.set_ylabel("Validation score")
    epochs = range(len(curve.losses) - len(curve.validation_scores) + 1, len(curve.losses) + 1)
    marker = "x" if len(curve.validation_scores) == 1 else None
    return ax.plot(epochs, curve.validation_scores, linestyle=":", marker=marker, alpha=0.7, **style)[0]


def draw_end_of_folds(ax, curve, color):
    """Draw a vertical line, with words, between the fold phase and the epochs on all rows; return None if there is none."""
    if not curve.fold_epochs or curve.fold_epochs == len(curve.losses):
        return None
    x = curve.fold_epochs + 0.5
    place = {"transform": ax.get_xaxis_transform(), "rotation": 90, "ha": "right", "va": "top", "fontsize": "small"}
    ax.text(x, 0.98, "from here: all rows", **place, color=color)
    return ax.axvline(x, linestyle="-.", linewidth=1, alpha=0.5, color=color, label="_folds")


def legend_place(n_entries, own_figure):
    """The legend's position: inside the axes, or, if it is long and the figure is our own, beside the axes, to hide no curve."""
    if n_entries <= 8:
        return {"loc": "best"}
    if own_figure:
        return {"loc": "upper left", "bbox_to_anchor": (1, 1), "ncols": ceil(n_entries / 18)}
    return {"loc": "best", "ncols": 2, "fontsize": "small"}


def style_key(*columns):
    """Legend entries, in the text color, for the kinds of line that were drawn."""
    from matplotlib import rcParams
    from matplotlib.lines import Line2D

    kinds = [next((line for line in column if line is not None), None) for column in columns]
    return [
        Line2D([], [], color=rcParams["text.color"], linestyle=line.get_linestyle(), marker=line.get_marker(), label=label)
        for line, label in zip(kinds, ("training", "validation", "best", "validation score"))
        if line is not None and any(kinds[1:])
    ]
