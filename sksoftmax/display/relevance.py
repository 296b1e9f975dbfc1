"""`RelevanceDisplay` draws the relevance of each column of X."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sksoftmax.display.shared import draw_bars, fitted_with, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure, SubFigure

HEIGHT, LEAST_HEIGHT = 0.25, 2.5  # inches of a bar, and of the figure at least


class RelevanceDisplay:
    """Bars of the relevance of the columns of X, the most relevant first.

    Relevance is the factor by which the inputs of a column are multiplied when training begins. It does not measure how much
    the fitted network uses the column; for that see `sklearn.inspection.permutation_importance`. A dashed line marks 1, the
    relevance of every column without a prior.

    Parameters
    ----------
    relevance : array-like of shape (n_columns,)
        The relevance of each column.

    feature_names : sequence of str of length n_columns, default=None
        The names of the columns. None names them x0, x1, ….

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the picture.

    figure_ : matplotlib Figure
        The figure of the picture.

    bars_ : matplotlib BarContainer
        The bars, from top to bottom.

    See Also
    --------
    RelevanceDisplay.from_estimator : Draw the relevance of a fitted classifier.
    MembersDisplay : Draw the members of an ensemble.
    """

    ax_: "Axes"
    figure_: "Figure | SubFigure"
    bars_: "BarContainer"

    def __init__(self, relevance: ArrayLike, *, feature_names: Sequence[str] | None = None) -> None:
        self.relevance = relevance
        self.feature_names = feature_names

    def plot(self, ax: "Axes | None" = None, *, max_features: int | None = 20, **kwargs: Any) -> Self:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a figure with new ones.

        max_features : int, default=20
            Largest number of bars; the most relevant columns are drawn. None draws all columns.

        **kwargs : dict
            Keyword arguments of matplotlib's `barh`.

        Returns
        -------
        RelevanceDisplay
            This object, with the axes and bars in its attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `relevance` is empty or not one number for each name, or `max_features` is below 1.
        """
        relevance = np.asarray(self.relevance, dtype=np.float64)
        names = [f"x{i}" for i in range(relevance.size)] if self.feature_names is None else list(self.feature_names)
        if relevance.ndim != 1 or len(names) != len(relevance) or not names:
            raise ValueError(f"relevance must have one number for each of {len(names)} names; got shape {relevance.shape}.")
        if max_features is not None and max_features < 1:
            raise ValueError(f"max_features must be at least 1, or None for all columns; got {max_features!r}.")
        order = np.argsort(-relevance, kind="stable")[:max_features]
        axes: Any = new_axes(figsize=(6.4, max(LEAST_HEIGHT, 1 + HEIGHT * len(order)))) if ax is None else ax
        self.ax_, self.figure_ = axes, axes.figure
        label = "Relevance" if len(order) == len(names) else f"Relevance ({len(order)} of {len(names)} columns)"
        self.bars_ = draw_bars(axes, [names[i] for i in order], relevance[order], label, kwargs)
        axes.axvline(1, linestyle="--", linewidth=1, color="gray")
        return self

    @classmethod
    def from_estimator(
        cls, estimator: BaseEstimator, *, ax: "Axes | None" = None, max_features: int | None = 20, **kwargs: Any
    ) -> Self:
        """Draw the `relevance_` of a fitted classifier.

        Parameters
        ----------
        estimator : SoftmaxMLPClassifier, Pipeline or search
            A fitted classifier. For a Pipeline the last step is used, for a search such as GridSearchCV its `best_estimator_`.

        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a figure with new ones.

        max_features : int, default=20
            Largest number of bars; the most relevant columns are drawn. None draws all columns.

        **kwargs : dict
            Keyword arguments of matplotlib's `barh`.

        Returns
        -------
        RelevanceDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator has no `relevance_`, or if it is a search that did not refit its best estimator.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sksoftmax import RelevanceDisplay, SoftmaxMLPClassifier
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> display = RelevanceDisplay.from_estimator(SoftmaxMLPClassifier(max_iter=20, random_state=0).fit(X, y))
        >>> display.ax_.get_yticklabels()[0].get_text().startswith("petal")
        True
        """
        fitted: Any = fitted_with(estimator, "relevance_")
        names = getattr(fitted, "feature_names_in_", None)
        return cls(fitted.relevance_, feature_names=names).plot(ax, max_features=max_features, **kwargs)
