"""`MembersDisplay` draws the weight, temperature and loss of each member of an ensemble."""

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

LABELS = ("Weight in the ensemble", "Temperature", "Log loss on left-out rows")


class MembersDisplay:
    """Bars of the weight, the temperature and the out-of-fold loss of each member of an ensemble and of its companion.

    Parameters
    ----------
    weights : array-like of shape (n_members,)
        The members' weights in the ensemble.

    temperatures : array-like of shape (n_members,)
        The numbers by which the members' logits are divided.

    losses : array-like of shape (n_members,)
        The members' log losses on the rows that they left out; NaN if they left out none.

    roles : sequence of str of length n_members, default=None
        The members' names. None numbers them.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes of shape (3,)
        The axes of the weights, temperatures and losses.

    figure_ : matplotlib Figure
        The figure of the picture.

    bars_ : list of matplotlib BarContainer
        The bars of each of the axes, one for each member, from top to bottom.

    See Also
    --------
    MembersDisplay.from_estimator : Draw the members of a fitted classifier.
    RelevanceDisplay : Draw the relevance of the columns of X.
    """

    axes_: "np.ndarray"
    figure_: "Figure | SubFigure"
    bars_: "list[BarContainer]"

    def __init__(
        self, weights: ArrayLike, temperatures: ArrayLike, losses: ArrayLike, *, roles: Sequence[str] | None = None
    ) -> None:
        self.weights = weights
        self.temperatures = temperatures
        self.losses = losses
        self.roles = roles

    def plot(self, axes: "Sequence[Axes] | None" = None, **kwargs: Any) -> Self:
        """Draw the bars.

        Parameters
        ----------
        axes : sequence of three matplotlib Axes, default=None
            Axes to draw the weights, temperatures and losses on. None makes a figure with new ones.

        **kwargs : dict
            Keyword arguments of matplotlib's `barh`.

        Returns
        -------
        MembersDisplay
            This object, with the axes and bars in its attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the lengths differ, or `axes` are not three.
        """
        parts = [np.asarray(part, dtype=np.float64) for part in (self.weights, self.temperatures, self.losses)]
        roles = [str(i) for i in range(len(parts[0]))] if self.roles is None else list(self.roles)
        shapes = [part.shape for part in parts]
        if set(shapes) != {(len(roles),)}:
            raise ValueError(
                f"weights, temperatures and losses must have one number for each of {len(roles)} roles; got {shapes}."
            )
        drawn: Any = new_axes(3, figsize=(9.6, 1.4 + 0.3 * len(roles))) if axes is None else axes
        if len(drawn) != 3:
            raise ValueError(f"axes must be three: for weights, temperatures and losses; got {len(drawn)}.")
        self.axes_, self.figure_ = np.asarray(drawn, dtype=object), drawn[0].figure
        self.bars_ = [draw_bars(ax, roles, part, label, kwargs) for ax, part, label in zip(drawn, parts, LABELS)]
        return self

    @classmethod
    def from_estimator(cls, estimator: BaseEstimator, *, axes: "Sequence[Axes] | None" = None, **kwargs: Any) -> Self:
        """Draw the members of a fitted classifier.

        Parameters
        ----------
        estimator : SoftmaxMLPClassifier, Pipeline or search
            A fitted classifier. For a Pipeline the last step is used, for a search such as GridSearchCV its `best_estimator_`.

        axes : sequence of three matplotlib Axes, default=None
            Axes to draw the weights, temperatures and losses on. None makes a figure with new ones.

        **kwargs : dict
            Keyword arguments of matplotlib's `barh`.

        Returns
        -------
        MembersDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator has no `member_losses_`, or if it is a search that did not refit its best estimator.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sksoftmax import MembersDisplay, SoftmaxMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> display = MembersDisplay.from_estimator(SoftmaxMLPClassifier(max_iter=20, random_state=0).fit(X, y))
        >>> len(display.bars_[0])  # eight networks and a radial network
        9
        """
        fitted: Any = fitted_with(estimator, "member_losses_")
        parts = fitted.member_weights_, fitted.member_temperatures_, fitted.member_losses_
        return cls(*parts, roles=fitted.member_roles_).plot(axes, **kwargs)
