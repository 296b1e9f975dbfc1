"""`LossCurveDisplay`: the losses of training as a picture, in scikit-learn's Display convention.

Epochs are numbered from 1. A validation curve ends with its training curve and may begin later: a warm start may have brought
the validation rows. Matplotlib is imported where something is drawn, not before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sksoftmax.hints import Losses

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D


class LossCurveDisplay:
    """Loss of each epoch of one or several estimators: training solid, validation dashed, the best epoch a dot.

    Make one with :meth:`from_estimator` or :meth:`from_estimators`. All parameters are stored as attributes. For several
    estimators each of them but `iteration_name` is a list with one entry for each.

    Parameters
    ----------
    loss_curve : list of float, or list of these
        Training loss of each epoch.

    validation_loss_curve : list of float or None, or list of these, default=None
        Validation loss of each epoch; where it is shorter than `loss_curve`, of the last ones. None draws none.

    best_iter : int or None, or list of these, default=None
        Number of the epoch whose weights were kept; the first is 1. None marks none.

    name : str or None, or list of these, default=None
        Name of the estimator in the legend. None shows none.

    iteration_name : str, default='Epoch'
        What the curves are counted in; the label of the x axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.

    figure_ : matplotlib Figure
        Figure with these axes.

    lines_ : list of matplotlib Line2D
        Training curve of each estimator.

    validation_lines_ : list of (matplotlib Line2D or None)
        Validation curve of each estimator; None where it has none.

    best_points_ : list of (matplotlib Line2D or None)
        Dot of each estimator; None where no best epoch is known.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Score over the number of training rows.

    Notes
    -----
    Needs matplotlib: ``pip install "sksoftmax[plot]"``.

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

    def __init__(
        self,
        *,
        loss_curve: Losses | Sequence[Losses],
        validation_loss_curve: Losses | Sequence[Losses | None] | None = None,
        best_iter: int | Sequence[int | None] | None = None,
        name: str | Sequence[str] | None = None,
        iteration_name: str = "Epoch",
    ) -> None:
        self.loss_curve = loss_curve
        self.validation_loss_curve = validation_loss_curve
        self.best_iter = best_iter
        self.name = name
        self.iteration_name = iteration_name

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
            Names for the legend in place of those given before. None keeps them.

        validation_kw : dict, default=None
            Keyword arguments for the validation curves alone, over `kwargs`.

        best_kw : dict, default=None
            Keyword arguments for the dots.

        **kwargs : dict
            Keyword arguments of matplotlib's `plot` for all curves; a validation curve stays dashed.

        Returns
        -------
        LossCurveDisplay
            This object, with what was drawn in its attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If a curve is empty, a validation curve longer than its training curve, or `best_iter` no epoch of it.
        """
        curves = as_curves(self.loss_curve, self.validation_loss_curve, self.best_iter, self.name if name is None else name)
        axes: Any = new_axes() if ax is None else ax
        self.ax_, self.figure_ = axes, axes.figure
        labels = [labels_of(curve, self.iteration_name, alone=len(curves) == 1) for curve in curves]
        self.lines_, self.validation_lines_, self.best_points_ = [], [], []
        for curve, label, colour in zip(curves, labels, colours(len(curves))):
            line = draw_training(self.ax_, curve, {"label": label[0], "color": colour}, kwargs)
            style = {"label": label[1], "color": line.get_color()}
            self.lines_.append(line)
            self.validation_lines_.append(draw_validation(self.ax_, curve, style, kwargs, validation_kw or {}))
            self.best_points_.append(draw_best(self.ax_, curve, {**style, "label": label[2]}, best_kw or {}))
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
        estimator : estimator or Pipeline
            Fitted, with a `loss_curve_`: SoftmaxMLPClassifier, or scikit-learn's MLPClassifier or MLPRegressor. Of a
            Pipeline the last step. `validation_loss_curve_` and `best_iter_` are drawn where it has them.

        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a figure with new ones.

        name : str, default=None
            Name for the legend. None takes the name of the class.

        validation_kw : dict, default=None
            Keyword arguments for the validation curve alone, over `kwargs`.

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
            If it has no `loss_curve_`.

        See Also
        --------
        LossCurveDisplay.from_estimators : Several in one picture.

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
        parts = training_record(estimator)
        parts["name"] = type(last_step(estimator)).__name__ if name is None else name
        return cls(**parts).plot(ax, validation_kw=validation_kw, best_kw=best_kw, **kwargs)

    @classmethod
    def from_estimators(
        cls,
        estimators: Mapping[str, BaseEstimator],
        *,
        ax: "Axes | None" = None,
        validation_kw: dict[str, Any] | None = None,
        best_kw: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the curves of several fitted estimators, each in a colour of its own.

        Parameters
        ----------
        estimators : dict of str to estimator or Pipeline
            Fitted estimators by the name for the legend, each as `from_estimator` takes it.

        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a figure with new ones.

        validation_kw : dict, default=None
            Keyword arguments for the validation curves alone, over `kwargs`.

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
            If `estimators` is not a dict, or one of them has no `loss_curve_`.
        ValueError
            If `estimators` is empty.

        See Also
        --------
        LossCurveDisplay.from_estimator : One alone.

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
        if not isinstance(estimators, Mapping):
            raise TypeError(f"estimators must be a dict of fitted estimators by name; got {type(estimators).__name__}.")
        if not estimators:
            raise ValueError("estimators must have at least one fitted estimator; got an empty dict.")
        records = [training_record(estimator) for estimator in estimators.values()]
        parts = {key: [record[key] for record in records] for key in records[0]}
        units = sorted(set(parts.pop("iteration_name")))
        display = cls(**parts, name=list(estimators), iteration_name=" or ".join(units).capitalize())
        return display.plot(ax, validation_kw=validation_kw, best_kw=best_kw, **kwargs)

    def _annotate(self, own_figure):
        """Axis labels and the legend; several curves share one key to their line styles."""
        from matplotlib.ticker import MaxNLocator

        if self.ax_.get_xscale() == "linear":
            self.ax_.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
        self.ax_.set(xlabel=self.iteration_name, ylabel="Loss")
        handles = self.ax_.get_legend_handles_labels()[0]
        if len(self.lines_) > 1:
            handles += style_key(self.lines_, self.validation_lines_, self.best_points_)
        self.ax_.legend(handles=handles, **legend_place(len(handles), own_figure))


@dataclass(frozen=True)
class Curve:
    """What is drawn of one estimator; ValueError where the parts do not fit each other."""

    losses: Sequence
    validation_losses: Sequence | None
    best_iter: int | None
    name: str | None

    def __post_init__(self):
        n_epochs = len(self.losses)
        if n_epochs == 0:
            raise ValueError("loss_curve must hold the loss of at least one epoch; got an empty one.")
        if self.validation_losses is not None and len(self.validation_losses) > n_epochs:
            raise ValueError(
                f"validation_loss_curve must be no longer than loss_curve, {n_epochs}; got {len(self.validation_losses)} losses."
            )
        if self.best_iter is not None and not 1 <= self.best_iter <= n_epochs:
            raise ValueError(f"best_iter must be in 1 … {n_epochs}, an epoch of loss_curve; got {self.best_iter!r}.")

    @property
    def validation_start(self):
        """The number of the first epoch that has a validation loss."""
        return len(self.losses) - len(self.validation_losses) + 1

    @property
    def best_loss(self):
        """The height of the dot: on the validation curve where that has the epoch, on the training curve otherwise."""
        if self.validation_losses is not None and self.best_iter >= self.validation_start:
            return self.validation_losses[self.best_iter - self.validation_start]
        return self.losses[self.best_iter - 1]


def as_curves(loss_curve, validation_loss_curve, best_iter, name):
    """The display's parameters as one Curve for each estimator."""
    if len(loss_curve) == 0 or isinstance(loss_curve[0], Real):
        return [Curve(loss_curve, validation_loss_curve, best_iter, name)]
    n_curves = len(loss_curve)
    columns = {"validation_loss_curve": validation_loss_curve, "best_iter": best_iter, "name": name}
    columns = {key: [None] * n_curves if column is None else column for key, column in columns.items()}
    for key, column in columns.items():
        if not isinstance(column, Sequence | np.ndarray) or isinstance(column, str) or len(column) != n_curves:
            raise ValueError(f"{key} must be a list with one entry for each of the {n_curves} loss curves; got {column!r}.")
    return [Curve(*row) for row in zip(loss_curve, *columns.values())]


def last_step(estimator):
    """The estimator itself, or the last step of a pipeline."""
    while isinstance(estimator, Pipeline):
        estimator = estimator[-1]
    return estimator


def training_record(estimator):
    """What a fitted estimator says of its training, as the display's parameters."""
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
        "iteration_name": "Iteration" if getattr(estimator, "solver", None) == "lbfgs" else "Epoch",
    }


def new_axes():
    """Axes in a figure of their own; ImportError that says what to install where matplotlib is missing."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError('LossCurveDisplay needs matplotlib to draw: pip install "sksoftmax[plot]"') from error
    return pyplot.subplots(layout="constrained")[1]


def colours(n_curves):
    """One for each curve: the next of matplotlib's cycle (None) while that suffices, otherwise from a colour map."""
    from matplotlib import colormaps, rcParams

    if n_curves <= len(rcParams["axes.prop_cycle"]):
        return [None] * n_curves
    return colormaps["turbo"](np.linspace(0.05, 0.95, n_curves))


def labels_of(curve, iteration_name, alone):
    """Legend entries of the training curve, the validation curve and the dot; among several only the first is shown."""
    if not alone:
        return curve.name, "_validation", "_best"
    labels = "training", "validation", f"best {iteration_name.lower()} ({curve.best_iter})"
    return [label.capitalize() if curve.name is None else f"{curve.name}: {label}" for label in labels]


def styled(kwargs, **defaults):
    """Matplotlib's keyword arguments over defaults, whichever of their aliases is used."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    return {**defaults, **normalize_kwargs(kwargs, Line2D)}


def draw_training(ax, curve, style, kwargs):
    """The solid line; a square where there is but one epoch."""
    marker = "s" if len(curve.losses) == 1 else None
    epochs = range(1, len(curve.losses) + 1)
    return ax.plot(epochs, curve.losses, **styled(kwargs, marker=marker, **style))[0]


def draw_validation(ax, curve, style, kwargs, validation_kw):
    """The dashed line, a diamond where there is but one epoch, or None where there are no validation losses."""
    if curve.validation_losses is None:
        return None
    marker = "D" if len(curve.validation_losses) == 1 else None
    shared = styled(kwargs, marker=marker, alpha=0.7) | style | {"linestyle": "--"}
    epochs = range(curve.validation_start, len(curve.losses) + 1)
    return ax.plot(epochs, curve.validation_losses, **styled(validation_kw, **shared))[0]


def draw_best(ax, curve, style, best_kw):
    """The dot, with a rim in the colour of the ground, or None where no epoch is known to be the best."""
    if curve.best_iter is None:
        return None
    dot = {"marker": "o", "markersize": 8, "markeredgecolor": ax.get_facecolor(), "linestyle": "none", "zorder": 3}
    return ax.plot([curve.best_iter], [curve.best_loss], **styled(best_kw, **dot, **style))[0]


def legend_place(n_entries, own_figure):
    """Where the legend stands: a long one hides curves, so beside the axes where the figure is ours to lay out."""
    if n_entries <= 8:
        return {"loc": "best"}
    if own_figure:
        return {"loc": "upper left", "bbox_to_anchor": (1, 1), "ncols": ceil(n_entries / 18)}
    return {"loc": "best", "ncols": 2, "fontsize": "small"}


def style_key(*columns):
    """Colourless legend entries for the kinds of line that are there."""
    from matplotlib import rcParams
    from matplotlib.lines import Line2D

    kinds = [next((line for line in column if line is not None), None) for column in columns]
    return [
        Line2D([], [], color=rcParams["text.color"], linestyle=line.get_linestyle(), marker=line.get_marker(), label=label)
        for line, label in zip(kinds, ("training", "validation", "best"))
        if line is not None and any(kinds[1:])
    ]
