"""A committee: members trained side by side, each on other folds of the rows, and how their answers become one.

The first half of the members sees the scaled columns, the second half their bins too (`Preprocessor`): the one wins on small
noisy data, the other where the classes' borders follow the columns. In both halves each fold of the rows is left out by one
member, and half of the members are regularised lightly, half strongly, so that there are four kinds. Out of fold, where nobody
has seen the answers, the kinds are calibrated, weighted by their likelihood, and the mixture is calibrated again: no row is
spent on it, as all members go on with all rows after that, those of a half with the strength that suits the data if one does.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import logsumexp

from sksoftmax.data.rows import row_numbers, spread

FOLD_ROWS = 100  # below this many rows folds make no sense: all members see all rows
LOG_SHARPNESS = 2.0  # logits are multiplied by e^-2 … e^2
LOG_WEIGHT = 6.0
PREFERENCE = 1.5  # times the weight of the other strength, and a half goes on with one
MIXTURE_ROWS = 50_000  # of more rows so many weigh and calibrate the members: a handful of numbers


@dataclass(frozen=True)
class Roles:
    """What sets the members apart: arrays of shape (n_members,)."""

    binned: np.ndarray
    strong: np.ndarray
    fold: np.ndarray

    @classmethod
    def of(cls, n_members):
        """The roles in a committee of an even number of members, four or more."""
        half = n_members // 2
        member = np.arange(n_members)
        binned, fold = member >= half, member % half
        return cls(binned, (fold >= (half + 1) // 2) ^ binned, fold)  # crossed: each row is out of fold for light and strong

    @property
    def kind(self):
        """The number of each member's kind, 0 … 3."""
        return 2 * self.binned + self.strong

    def values(self, light, strong, strong_binned=None):
        """An array with each member's value, given those of the kinds."""
        strong_binned = strong if strong_binned is None else strong_binned
        return np.where(self.strong, np.where(self.binned, strong_binned, strong), light)


def stratified_folds(strata, n_folds, rng):
    """The fold of each row, in which each label of `strata` is spread evenly, however rare."""
    fold, order = np.empty(len(strata), dtype=np.intp), rng.permutation(len(strata))
    fold[order[np.argsort(strata[order], kind="stable")]] = np.arange(len(strata)) % n_folds
    return fold


def member_folds(network, encoder, targets, rng):
    """The number of each row's fold, which one member in each half leaves out; None for one network or too few rows."""
    if network.n_members is None or len(targets) < FOLD_ROWS:
        return None
    strata = targets if encoder.kind == "labels" else np.zeros(len(targets))
    return stratified_folds(strata.ravel(), network.n_members // 2, rng)


def rows_of_members(folds, network, n_samples, rng=None):
    """The rows each member trains on, (n_members, m): all; or all but its fold, as many as the largest fold leaves."""
    if folds is None:
        return np.tile(row_numbers(n_samples), (network.n_members or 1, 1))
    n_rows = n_samples - np.bincount(folds).max()
    everyone, fold_of_member = row_numbers(n_samples), Roles.of(network.n_members).fold
    return np.stack([rng.permutation(everyone[folds != fold])[:n_rows] for fold in fold_of_member])


@dataclass(frozen=True)
class Mixture:
    """How the members' logits become one: softmax of `final` · log Σ weight · softmax(sharpness · logits)."""

    weights: np.ndarray
    sharpness: np.ndarray
    final: float = 1.0

    @classmethod
    def equal(cls, n_members):
        """All members alike."""
        return cls(np.full(n_members, 1 / n_members), np.ones(n_members))

    def adopting(self, model):
        """The mixture once each member is like another, `model`: those of one model share their weights."""
        weights = np.array([self.weights[model == of_member].mean() for of_member in model])
        return Mixture(weights, self.sharpness[model], self.final)

    def logits(self, member_logits, head):
        """One set of logits, (n, n_outputs), of those of the members, (n_members, n, n_outputs)."""
        sharpened = member_logits * self.sharpness.astype(member_logits.dtype)[:, None, None]
        return (self.final * mixed(sharpened, np.log(self.weights)[:, None], head)).astype(member_logits.dtype)


def mixed(logits, log_weights, head):
    """The logits of the mixture Σ weight · p, by log-sum-exp; `log_weights` broadcasts to (n_members, n)."""
    log_p = head.log_p(logits)
    log_p = log_p + np.expand_dims(log_weights, tuple(range(2, log_p.ndim)))
    return head.logits_of_log_p(logsumexp(log_p, axis=0))


def fit_mixture(network, folds, samples, head):
    """The `Mixture` whose out-of-fold likelihood, on `MIXTURE_ROWS` of the rows where there are more, is highest."""
    if len(samples) > MIXTURE_ROWS:
        rows = spread(len(samples), MIXTURE_ROWS)
        folds, samples = folds[rows], samples[rows]
    roles = Roles.of(network.n_members)
    logits, kinds = out_of_fold(network, roles, folds, samples)
    sharpness = np.ones(4)
    for kind in np.unique(kinds):
        here = kinds == kind
        rows = np.flatnonzero(here.any(axis=0))
        sharpness[kind] = fit_sharpness(logits[here], samples[rows] if len(rows) < len(samples) else samples, head)
    logits = logits * sharpness[kinds][:, :, None]
    log_weights = fit_log_weights(np.stack([head.log_likelihood(z, samples.targets) for z in logits]), kinds, samples.weights)
    of_rows = log_weights[kinds]
    mixture = mixed(logits, of_rows - logsumexp(of_rows, axis=0), head)
    weights = np.exp(log_weights)[roles.kind]
    return Mixture(weights / weights.sum(), sharpness[roles.kind], fit_sharpness(mixture, samples, head))


def better_strengths(roles, mixture):
    """The member whose strength each one takes on, (n_members,): its own, or that of its half's kind which is weighted more."""
    model = np.arange(len(mixture.weights))
    for binned in (False, True):
        half = np.flatnonzero(roles.binned == binned)
        order = half[np.argsort(mixture.weights[half], kind="stable")]
        if mixture.weights[order[-1]] >= PREFERENCE * mixture.weights[order[0]]:
            model[half] = order[-1]
    return model


def out_of_fold(network, roles, folds, samples):
    """The logits, (2, n, n_outputs), of the two members that have not seen each row, and the kinds, (2, n), of these."""
    logits = np.empty((2, len(samples), network.layer_units[-1]))
    kinds = np.empty((2, len(samples)), dtype=np.intp)
    for index, (binned, fold, kind) in enumerate(zip(roles.binned.astype(int), roles.fold, roles.kind)):
        rows = np.flatnonzero(folds == fold)
        logits[binned, rows] = network.member(index).logits(samples[rows].X)
        kinds[binned, rows] = kind
    return logits, kinds


def fit_sharpness(logits, samples, head):
    """The factor of the logits, an inverse temperature, that minimises the loss (Guo et al., arXiv:1706.04599)."""

    def loss(log_factor):
        return head.loss(np.asfortranarray(logits * np.exp(log_factor)), samples.targets, samples.weights)[0]

    return float(np.exp(minimize_scalar(loss, bounds=(-LOG_SHARPNESS, LOG_SHARPNESS), method="bounded").x))


def fit_log_weights(log_likelihood, kinds, weights):
    """The logarithms of the kinds' weights that maximise Σ_rows log(Σ weight · likelihood / Σ weight) over who answered, (4,)."""

    def loss(log_weights):
        of_rows = log_weights[kinds]
        rows = logsumexp(of_rows + log_likelihood, axis=0) - logsumexp(of_rows, axis=0)
        return -np.average(rows, weights=weights)

    found = minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[(-LOG_WEIGHT, LOG_WEIGHT)] * 4).x
    return found - logsumexp(found)
