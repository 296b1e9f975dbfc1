"""The fit of an ensemble's weights, or the calibration of one network, on rows that they have not seen.

The kinds of members are calibrated and weighted by their likelihood, and then the ensemble is calibrated. The logits of two
members for each row are kept, in the network's dtype; all else is computed block by block, so that memory stays bounded.
"""

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import logsumexp

from sksoftmax.data.groups import independent_rows
from sksoftmax.data.rows import fetched, spread
from sksoftmax.model import in_chunks, member_logits
from sksoftmax.nn.ensemble_weights import EnsembleWeights, mixed

MIN_LOG_INVERSE_TEMPERATURE = -1.5  # logits are multiplied by at least e^-1.5
MAX_LOG_INVERSE_TEMPERATURE = 0.7  # and by at most e^0.7: to sharpen them is a risk
MAX_LOG_WEIGHT = 3.0  # the kinds' weights differ by a factor of at most e^6
MAX_BIAS = 3.0  # log-odds change by at most this
PRIOR_TEMPERATURE, PRIOR_WEIGHTS, PRIOR_BIAS = 4.0, 1.0, 1.0  # rows to which priors amount: prior · x² / 2n is added to the loss
MAX_CALIBRATION_ROWS = 50_000  # at most this many rows,
MAX_CALIBRATION_LOGITS = 10**7  # and this many logits in all of a member for each row
COMPANION = 4  # the kind of a companion, beside kinds 0 … 3 of `ensemble.Roles`
BLOCK = 2**17  # logits read at once in float64


def fit_ensemble_weights(network, roles, folds, samples, head, n_rows=None):
    """The `EnsembleWeights` with the highest out-of-fold likelihood, on a sample of at most `n_rows` rows.

    `roles` are the members' roles, `folds` has the fold of each row of the samples. A companion, whose logits the samples
    have, is one more member, of a kind of its own.
    """
    size = sample_size(network, n_rows)
    if len(samples) > size:
        rows = spread(len(samples), size)
        folds, samples = folds[rows], samples[rows]
    samples = fetched(samples)
    logits, kinds = out_of_fold(network, roles, folds, samples)
    inverse_temperatures = np.ones(COMPANION + 1)
    for kind in np.unique(kinds):
        answered = [(i, np.flatnonzero(of_rows == kind)) for i, of_rows in enumerate(kinds)]
        inverse_temperatures[kind] = fit_inverse_temperature(
            [(logits[i], rows) for i, rows in answered if len(rows)], samples, head
        )
    likelihoods = log_likelihoods(logits, inverse_temperatures[kinds], samples, head)
    log_weights = fit_log_weights(likelihoods, kinds, samples)
    mixed_logits = mix_in_place(logits, inverse_temperatures[kinds], log_weights[kinds], head)
    inverse_temperature = fit_inverse_temperature([(mixed_logits, np.arange(len(samples)))], samples, head)
    bias = fit_bias(mixed_logits, inverse_temperature, samples, head)
    losses = losses_of_members(likelihoods, roles, folds, samples.weights)
    kind = np.append(roles.kind, np.full(len(likelihoods) - roles.n_halves, COMPANION))
    weights = np.exp(log_weights)[kind]
    weights[len(roles.kind) :] *= len(roles.kind) / roles.n_halves  # of a row, beside one member of each half; now beside all
    return EnsembleWeights(weights / weights.sum(), inverse_temperatures[kind], inverse_temperature, bias, losses)


def fit_calibration(network, left_out, samples, head):
    """The `EnsembleWeights` of one network: the factor and the bias with the highest likelihood of the left-out rows."""
    size = sample_size(network)
    samples = fetched(samples[left_out if len(left_out) <= size else left_out[spread(len(left_out), size)]])
    logits, rows = np.empty((len(samples), network.architecture.n_outputs), network.dtype), np.arange(len(samples))
    keep_logits(network, samples.X, logits, rows)
    inverse_temperature = fit_inverse_temperature([(logits, rows)], samples, head)
    bias = fit_bias(logits, inverse_temperature, samples, head)
    loss = -np.average(head.log_likelihood(inverse_temperature * logits + bias, samples.targets), weights=samples.weights)
    return replace(EnsembleWeights.equal(1), inverse_temperature=inverse_temperature, bias=bias, losses=np.array([loss]))


def sample_size(network, n_rows=None):
    """The largest number of rows whose logits are kept, at most `n_rows`."""
    return min(n_rows or MAX_CALIBRATION_ROWS, max(MAX_CALIBRATION_LOGITS // network.architecture.n_outputs, 1))


def out_of_fold(network, roles, folds, samples):
    """The logits, (2, n, n_outputs), of the two members that have not seen each row, and the kinds, (2, n), of these members.

    With a companion they are (3, n, n_outputs) and (3, n): it answers each row with the row's group left out.
    """
    n_answers = roles.n_halves + (samples.companion is not None)
    logits = np.empty((n_answers, len(samples), network.architecture.n_outputs), network.dtype)
    kinds = np.full((n_answers, len(samples)), COMPANION)
    for index, (binned, fold, kind) in enumerate(zip(roles.binned.astype(int), roles.fold, roles.kind)):
        rows = np.flatnonzero(folds == fold)
        if not len(rows):
            continue
        keep_logits(network.member(index), samples[rows].X, logits[binned], rows)
        kinds[binned, rows] = kind
    if samples.companion is not None:
        logits[-1] = samples.companion
    return logits, kinds


def keep_logits(network, X, logits, rows):
    """Write the logits of one network for X into these rows of `logits`."""

    def keep(part, workspace):
        logits[rows[part]] = member_logits(network, X[part], workspace)[0]

    in_chunks(network, X, keep)


def blocks(rows, n_outputs):
    """The row numbers in parts whose logits fit a block."""
    step = max(BLOCK // n_outputs, 1)
    return (rows[start : start + step] for start in range(0, len(rows), step))


def fit_inverse_temperature(answers, samples, head):
    """The factor of the logits, an inverse temperature, that minimizes the loss (Guo et al., arXiv:1706.04599), with a prior.

    `answers` are pairs of logits, (n, n_outputs), and of the numbers of the rows that count. A row may occur in two pairs.
    """
    rows = np.concatenate([rows for _, rows in answers])
    prior = PRIOR_TEMPERATURE / (2 * evidence(samples, np.unique(rows)))
    weights = None if samples.weights is None else samples.weights[rows]

    def loss(log_factor):
        parts = [
            head.log_likelihood(logits[part] * np.float64(np.exp(log_factor)), samples.targets[part])
            for logits, rows in answers
            for part in blocks(rows, logits.shape[1])
        ]
        return prior * log_factor**2 - np.average(np.concatenate(parts), weights=weights)

    bounds = (MIN_LOG_INVERSE_TEMPERATURE, MAX_LOG_INVERSE_TEMPERATURE)
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def evidence(samples, rows=slice(None)):
    """The number of independent rows, or groups, of equal weight that tell as much as these rows of the samples."""
    weights, groups = (None if part is None else part[rows] for part in (samples.weights, samples.groups))
    return independent_rows(weights, groups, len(samples) if isinstance(rows, slice) else len(rows))


def log_likelihoods(logits, inverse_temperatures, samples, head):
    """The log-likelihood of each row's target under each of its sharpened answers, (n_answers, n)."""
    result = np.empty(logits.shape[:2])
    for i, answers in enumerate(logits):
        for part in blocks(np.arange(len(samples)), logits.shape[2]):
            result[i, part] = head.log_likelihood(answers[part] * inverse_temperatures[i, part, None], samples.targets[part])
    return result


def losses_of_members(log_likelihood, roles, folds, weights):
    """Each member's mean loss on its left-out rows, once it is sharpened; NaN if there is no row.

    That of a companion, which leaves out each row, comes last.
    """
    weights = np.ones(len(folds)) if weights is None else weights
    parts = [(int(half), np.flatnonzero(folds == fold)) for half, fold in zip(roles.binned, roles.fold)]
    parts += [(-1, np.arange(len(folds)))] * (len(log_likelihood) > roles.n_halves)
    return np.array([-np.average(log_likelihood[half, r], weights=weights[r]) if len(r) else np.nan for half, r in parts])


def fit_log_weights(log_likelihood, kinds, samples):
    """The logarithms of the kinds' weights, (n_kinds,), that maximize Σ_rows log(Σ weight · likelihood / Σ weight), with a prior.

    The inner sums are over the members that have not seen the row.
    """
    prior = PRIOR_WEIGHTS / (2 * evidence(samples))

    def loss(log_weights):
        of_rows = log_weights[kinds]
        rows = logsumexp(of_rows + log_likelihood, axis=0) - logsumexp(of_rows, axis=0)
        return prior * log_weights @ log_weights - np.average(rows, weights=samples.weights)

    n_kinds = COMPANION + (samples.companion is not None)
    found = minimize(loss, np.zeros(n_kinds), method="L-BFGS-B", bounds=[(-MAX_LOG_WEIGHT, MAX_LOG_WEIGHT)] * n_kinds).x
    return found - logsumexp(found)


def mix_in_place(logits, inverse_temperatures, log_weights, head):
    """The ensemble's logits, (n, n_outputs), written over the first of the answers."""
    log_weights = log_weights - logsumexp(log_weights, axis=0)
    for part in blocks(np.arange(logits.shape[1]), logits.shape[2]):
        logits[0, part] = mixed(logits[:, part] * inverse_temperatures[:, part, None], log_weights[:, part], head)
    return logits[0]


def fit_bias(logits, inverse_temperature, samples, head):
    """The bias b of each output, (n_outputs,), that minimizes the loss plus |b|² / 2n: mean probabilities meet the frequencies.

    n is the number of independent rows (`evidence`). `inverse_temperature` has not yet multiplied the logits.
    """
    n_rows, n_outputs = logits.shape
    weights = np.ones(n_rows) if samples.weights is None else samples.weights.astype(np.float64)
    total, n = weights.sum(), evidence(samples) / PRIOR_BIAS

    def loss_and_gradient(bias):
        loss, gradient = bias @ bias / (2 * n), bias / n
        for part in blocks(np.arange(n_rows), n_outputs):
            z = np.asfortranarray(logits[part] * np.float64(inverse_temperature) + bias)
            share = weights[part].sum() / total
            loss_of_part, d_z = head.loss(z, samples.targets[part], weights[part])
            loss, gradient = loss + share * loss_of_part, gradient + share * d_z.sum(axis=0)
        return loss, gradient

    bounds = [(-MAX_BIAS, MAX_BIAS)] * n_outputs
    return minimize(loss_and_gradient, np.zeros(n_outputs), jac=True, method="L-BFGS-B", bounds=bounds).x
