"""An ensemble: networks trained side by side, each without one fold of the rows.

The first half of the members sees the scaled columns, the second half their bins too (`data.blocks.Bins`). The first half does
better on small, noisy data, the second where class boundaries are aligned with single columns. In a half each fold is left out
by one member (of an odd number of members, the second half leaves one fold in), and about half of the members are regularized
lightly, half strongly, so that there are four kinds of members.

The left-out rows calibrate and weight the kinds (`calibration`). This costs no training rows: afterwards all members continue on
all rows. If one regularization strength did clearly better, the whole half switches to it.

One network leaves out one fold, which calibrates it, or weighs it beside its companion. Without a companion, the factor and the
bias that this yields are applied when training ends.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from sksoftmax.data.groups import dealt, never_left_out, renumbered, strata_of_groups
from sksoftmax.data.rows import row_numbers
from sksoftmax.training.calibration import fit_calibration, fit_ensemble_weights

FOLD_ROWS = 50  # below this many rows there are no folds: an ensemble trains on all rows
FOLD_ROWS_OF_ONE = 100  # the same for one network, and if there are more columns than rows: then relevance has seen all labels
FOLDS_OF_FEW = 5  # one network, or two, leave out one of these folds
NO_GROUP = (
    "No group can be left out, so probabilities are not calibrated: groups has one label, or each group has a class that no "
    "other has, or most of the rows."
)
MIN_WEIGHT_RATIO = 1.5  # if one strength has at least this many times the other's weight, the half switches to it


@dataclass(frozen=True)
class Roles:
    """The differences between members: arrays of shape (n_members,)."""

    binned: np.ndarray
    strong: np.ndarray
    fold: np.ndarray

    @classmethod
    def of(cls, n_members):
        """The roles in an ensemble of this many members; of an odd number, the second half has one fewer."""
        if n_members == 1:
            return cls(np.zeros(1, bool), np.zeros(1, bool), np.zeros(1, np.intp))
        half = (n_members + 1) // 2
        member = np.arange(n_members)
        binned, fold = member >= half, member % half
        return cls(binned, (fold >= (half + 1) // 2) ^ binned, fold)  # crossed: each row is out of fold for light and strong

    @property
    def n_halves(self):
        """Two halves, or one of one network: as many members have left out a row."""
        return min(len(self.fold), 2)

    @property
    def kind(self):
        """The number of each member's kind, 0 … 3."""
        return 2 * self.binned + self.strong

    @property
    def names(self):
        """A description of each member, in words."""
        if len(self.fold) == 1:
            return ["one network"]
        strengths = np.where(self.strong, "strong", "light")
        return [f"{i}: {strength}{', bins' if bins else ''}" for i, (strength, bins) in enumerate(zip(strengths, self.binned))]

    def values(self, light, strong, strong_binned=None):
        """Each member's value, (n_members,), given the values of the kinds."""
        strong_binned = strong if strong_binned is None else strong_binned
        return np.where(self.strong, np.where(self.binned, strong_binned, strong), light)


def folds_of(samples, n_folds, rng):
    """The fold of each row, stratified; no group is divided. None, with a warning, if no group can be left out.

    Rows of a group that must stay in training (`never_left_out`) have the fold −1, which no member leaves out.
    """
    if samples.groups is None:
        return stratified_folds(samples.strata, n_folds, rng)
    groups, n_groups = renumbered(samples.groups)
    free = np.flatnonzero(~never_left_out(samples.strata, groups))
    if not len(free):
        warnings.warn(NO_GROUP)
        return None
    folds = np.full(n_groups, -1)
    folds[free] = stratified_folds(strata_of_groups(samples.strata, groups)[free], n_folds, rng)
    return folds[groups]


def stratified_folds(strata, n_folds, rng):
    """The fold of each row; each label of `strata` is spread evenly over the folds, however rare it is.

    Folds take turns in an order in which members of different kinds leave them out, so that two rows of a label judge all kinds.
    """
    turns = np.argsort(np.arange(n_folds) % ((n_folds + 1) // 2), kind="stable")
    return turns[dealt(strata, n_folds, rng)]


def rows_of_members(folds, n_members, n_rows, rng=None):
    """The rows that each member trains on, (n_members, m): all rows, or all outside its fold, equally many for each."""
    if folds is None:
        return np.tile(row_numbers(n_rows), (n_members, 1))
    m = n_rows - np.bincount(folds[folds >= 0]).max()
    everyone, fold_of_member = row_numbers(n_rows), Roles.of(n_members).fold
    return np.stack([rng.permutation(everyone[folds != fold])[:m] for fold in fold_of_member])


@dataclass
class EnsemblePlan:
    """The rows that each member trains on, and the strength of its regularization; both change when the fold phase ends.

    `folds` has the fold of each row, None if there are none, or once the fold phase is over. `order` holds, for each member,
    the numbers of its training rows: all rows, or, in the fold phase, all rows outside its fold. `dropout` has the rates,
    (n_hidden, n_members), and `weight_decay` the strengths, (n_members,).
    """

    folds: np.ndarray | None
    order: np.ndarray
    dropout: np.ndarray
    weight_decay: np.ndarray

    @classmethod
    def of(cls, config, training, rng, with_folds=True):
        """The plan with which training on these rows begins."""
        folds, n_members = None, config.n_members
        if with_folds and len(training) >= config.fewest_fold_rows and training.n_distinct >= FOLD_ROWS:
            n_folds = FOLDS_OF_FEW if n_members < 3 else (n_members + 1) // 2
            folds = folds_of(training, n_folds, rng)
        order = rows_of_members(folds, n_members, len(training), rng)
        return cls(folds, order, config.dropout, config.weight_decay)

    def end_fold_phase(self, model, training):
        """Fit the model's ensemble weights on the left-out rows; from now on all members train on all rows."""
        self.calibrate(model, training)
        self.folds, self.order = None, rows_of_members(None, len(self.weight_decay), len(training))

    def calibrate(self, model, training, n_rows=None):
        """Fit the model's ensemble weights on at most `n_rows` of the rows that a member of each half has left out, or on all."""
        roles = Roles.of(len(self.weight_decay))
        left_out = [np.isin(self.folds, roles.fold[roles.binned == half]) for half in np.unique(roles.binned)]
        rows = np.flatnonzero(np.logical_and.reduce(left_out))
        if len(roles.fold) == 1 and training.companion is None:
            model.ensemble_weights = fit_calibration(model.network, rows, training, model.head)
            return
        folds, training = (self.folds, training) if len(rows) == len(training) else (self.folds[rows], training[rows])
        model.ensemble_weights = fit_ensemble_weights(model.network, roles, folds, training, model.head, n_rows)

    def adopt_strengths(self, model):
        """Let the members of a half switch to the dropout and the weight decay that did better on left-out rows."""
        better = better_strengths(Roles.of(len(self.weight_decay)), model.ensemble_weights)
        model.ensemble_weights = model.ensemble_weights.with_members_like(better)
        better = better[: len(self.weight_decay)]  # without a companion
        self.dropout, self.weight_decay = self.dropout[:, better], self.weight_decay[better]


def better_strengths(roles, ensemble_weights):
    """For each member, the index of the member whose dropout and weight decay it uses from now on.

    It is itself, or a member of the heavier kind of its half.
    """
    better = np.arange(len(ensemble_weights.weights))
    for binned in (False, True):
        half = np.flatnonzero(roles.binned == binned)
        order = half[np.argsort(ensemble_weights.weights[half], kind="stable")]
        if ensemble_weights.weights[order[-1]] >= MIN_WEIGHT_RATIO * ensemble_weights.weights[order[0]]:
            better[half] = order[-1]
    return better
