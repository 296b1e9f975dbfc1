"""The fit of the ensemble: sharpness, weights and bias, on rows that members have not seen, in bounded memory."""

import tracemalloc
from dataclasses import astuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksoftmax.data.rows import Samples, spread
from sksoftmax.nn.ensemble_weights import EnsembleWeights
from sksoftmax.training.calibration import (
    MAX_LOG_INVERSE_TEMPERATURE,
    MAX_LOG_WEIGHT,
    fit_bias,
    fit_calibration,
    fit_ensemble_weights,
    fit_inverse_temperature,
    fit_log_weights,
    out_of_fold,
)
from sksoftmax.training.ensemble import Roles, stratified_folds
from support.data import ENSEMBLE_X as X
from support.data import N
from support.estimators import small
from support.networks import HEADS, ensemble_network, logits_of_member, random_logits, random_targets


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("factor", [0.8, 1.0, 3.0])
def test_sharpness_undoes_what_logits_were_multiplied_by(name, factor):
    head, logits = HEADS[name], random_logits(HEADS[name], n_rows=20000, size=1.5)
    uniform = np.random.RandomState(1).uniform(size=len(logits))
    p = head.probabilities(logits)
    targets = (uniform[:, None] > p.cumsum(axis=1)).sum(axis=1) if name == "softmax" else None
    if targets is None:
        yes = p if name == "multilabel" else p[:, 1:]
        targets = (np.random.RandomState(1).uniform(size=yes.shape) < yes).astype(float)
    given = factor * logits
    answers = [(given, np.arange(0, 12000)), (given, np.arange(12000, len(given)))]
    assert fit_inverse_temperature(answers, Samples(logits, targets), head) == pytest.approx(1 / factor, rel=0.05)
    assert_array_equal(given, factor * logits)


def rows_of_weight(weights, groups=None):
    return Samples(np.zeros((len(weights), 1)), np.zeros(len(weights)), weights, groups=groups)


def test_the_kind_with_better_answers_gets_more_weight():
    likelihood, kinds = np.log(np.array([[0.9] * 50, [0.3] * 50])), np.repeat([[0], [3]], 50, axis=1)
    log_weights = fit_log_weights(likelihood, kinds, rows_of_weight(np.ones(50)))
    assert log_weights[0] > log_weights[3] + 1
    assert np.exp(log_weights).sum() == pytest.approx(1)


@pytest.mark.parametrize("name", HEADS)
def test_losses_of_members_are_those_of_their_left_out_folds(name):
    head = HEADS[name]
    network, folds = unlike_members(head)
    samples, weights = Samples(X, random_targets(name, N)), np.random.RandomState(0).uniform(0.5, 2, N)
    ensemble_weights = fit_ensemble_weights(network, Roles.of(8), folds, Samples(X, samples.targets, weights), head)
    for member in (0, 5):
        rows = np.flatnonzero(folds == Roles.of(8).fold[member])
        logits = ensemble_weights.inverse_temperatures[member] * logits_of_member(network, member, X[rows])
        expected = -np.average(head.log_likelihood(logits, samples.targets[rows]), weights=weights[rows])
        assert ensemble_weights.losses[member] == pytest.approx(expected)


def test_kinds_with_equal_answers_get_equal_weights():
    kinds = np.where(np.arange(60) % 2, [[0], [3]], [[1], [2]])
    assert_allclose(np.exp(fit_log_weights(np.full((2, 60), np.log(0.5)), kinds, rows_of_weight(np.ones(60)))), 0.25)


def test_no_kind_is_silenced_or_followed_alone():
    kinds = np.repeat([[0], [3]], 50, axis=1)
    log_weights = fit_log_weights(np.array([[0.0] * 50, [-1e4] * 50]), kinds, rows_of_weight(np.ones(50)))
    assert np.isfinite(log_weights).all()
    assert np.ptp(log_weights) <= 2 * MAX_LOG_WEIGHT


def test_an_integer_sample_weight_equals_repeated_rows_in_the_weights_of_kinds():
    rng = np.random.RandomState(0)
    likelihood, kinds = np.log(rng.uniform(0.05, 1, (2, 400))), np.where(np.arange(400) % 2, [[0], [3]], [[1], [2]])
    repeats = rng.randint(1, 4, 400)
    rows = np.repeat(np.arange(400), repeats)
    weighted, unweighted = (fit_log_weights(likelihood, kinds, rows_of_weight(w)) for w in (repeats, np.ones(400)))
    repeated = fit_log_weights(likelihood[:, rows], kinds[:, rows], rows_of_weight(np.ones(len(rows)), groups=rows))
    assert_allclose(weighted, repeated, atol=1e-3)
    assert not np.allclose(weighted, unweighted, atol=1e-2)


def unlike_members(head, seed=0, factor=4.0):
    """An ensemble that is far too sure of itself, with its rows and folds."""
    network = ensemble_network(8, n_outputs=head.n_outputs, seed=seed)
    network.parameters *= factor
    return network, stratified_folds(np.zeros(N), 4, np.random.RandomState(0))


def out_of_fold_loss(network, folds, samples, head, ensemble_weights):
    """The mean loss of each row under the members that have not seen it, weighted and sharpened as in the ensemble."""
    roles = Roles.of(network.architecture.n_members)
    log_p = []
    for fold in range(roles.fold.max() + 1):
        members, rows = np.flatnonzero(roles.fold == fold), np.flatnonzero(folds == fold)
        weights = ensemble_weights.weights[members] / ensemble_weights.weights[members].sum()
        part = EnsembleWeights(
            weights, ensemble_weights.inverse_temperatures[members], ensemble_weights.inverse_temperature, ensemble_weights.bias
        )
        logits = part.logits(np.stack([logits_of_member(network, k, samples.X[rows]) for k in members]), head)
        log_p.append(head.log_likelihood(logits, samples.targets[rows]))
    return -np.mean(np.concatenate(log_p))


@pytest.mark.parametrize("name", HEADS)
def test_calibration_lowers_the_loss_on_rows_that_members_have_not_seen(name):
    head = HEADS[name]
    network, folds = unlike_members(head)
    samples = Samples(X, random_targets(name, N))
    fitted = fit_ensemble_weights(network, Roles.of(8), folds, samples, head)
    before, after = (out_of_fold_loss(network, folds, samples, head, m) for m in (EnsembleWeights.equal(8), fitted))
    assert after < 0.8 * before
    assert fitted.weights.sum() == pytest.approx(1)
    assert len(set(fitted.weights.round(12))) <= 4
    assert (fitted.inverse_temperatures < 1).all()


@pytest.mark.parametrize("name", HEADS)
def test_out_of_fold_each_row_is_answered_by_the_two_members_that_have_not_seen_it(name):
    head = HEADS[name]
    network, folds = unlike_members(head)
    roles = Roles.of(8)
    logits, kinds = out_of_fold(network, roles, folds, Samples(X, None))
    for row in (0, 17, N - 1):
        first, second = np.flatnonzero(roles.fold == folds[row])
        for answer, member in zip(logits[:, row], (first, second)):
            assert_allclose(answer, logits_of_member(network, member, X[[row]])[0], rtol=1e-12)
        assert_array_equal(kinds[:, row], roles.kind[[first, second]])


@pytest.mark.parametrize("name", HEADS)
def test_an_integer_sample_weight_equals_repeated_rows_given_the_same_folds(name):
    head = HEADS[name]
    network, folds = unlike_members(head, factor=1.0)
    roles, repeats = Roles.of(8), np.random.RandomState(3).randint(1, 4, N)
    teacher = out_of_fold(network, roles, folds, Samples(X, None))[0].mean(axis=0)
    targets = teacher.argmax(axis=1) if name == "softmax" else (teacher > 0).astype(float)
    noise = np.arange(N) % 3 == 0
    targets[noise] = random_targets(name, N)[noise]
    rows = np.repeat(np.arange(N), repeats)
    weighted = fit_ensemble_weights(network, Roles.of(8), folds, Samples(X, targets, repeats.astype(float)), head)
    repeated = fit_ensemble_weights(network, Roles.of(8), folds[rows], Samples(X[rows], targets[rows], groups=rows), head)
    unweighted = fit_ensemble_weights(network, Roles.of(8), folds, Samples(X, targets), head)
    got, expected, other = (
        np.array([*m.weights, *m.inverse_temperatures, m.inverse_temperature, *m.bias]) for m in (weighted, repeated, unweighted)
    )
    assert_allclose(got, expected, rtol=2e-3)
    assert np.abs(got / other - 1).max() > 0.02


@pytest.mark.parametrize("total", [1.0, 100.0])
def test_weights_that_are_normalized_to_a_small_sum_count_as_rows_for_the_bias(total):
    head, ensemble_weights, targets = (
        HEADS["softmax"],
        random_logits(HEADS["softmax"], n_rows=2000, size=0.5),
        np.zeros(2000, int),
    )
    weights = [np.full(2000, sum_ / 2000) for sum_ in (2000.0, total)]
    one, other = (fit_bias(ensemble_weights, 1.0, Samples(ensemble_weights, targets, w), head) for w in weights)
    assert np.abs(one).max() > 1
    assert_allclose(other, one, rtol=1e-3)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", HEADS)
def test_the_bias_makes_mean_probabilities_meet_the_frequencies(name, weighted):
    head, ensemble_weights = HEADS[name], random_logits(HEADS[name], n_rows=2000, size=0.5)
    targets = random_targets(name, 2000)
    targets[:1500] = 0
    weights = np.random.RandomState(2).uniform(0.5, 2, 2000) if weighted else None
    bias = fit_bias(ensemble_weights, 1.5, Samples(ensemble_weights, targets, weights), head)
    p = head.probabilities(1.5 * ensemble_weights + bias)
    found = np.average(p[:, -head.n_outputs :], axis=0, weights=weights)
    assert_allclose(found, head.frequencies(targets, weights), atol=2e-3)
    n = 2000 if weights is None else weights.sum() ** 2 / (weights @ weights)
    assert_allclose(found + bias / n, head.frequencies(targets, weights), atol=2e-5)  # where the penalized loss is flat


@pytest.mark.parametrize("name", HEADS)
def test_the_mixture_is_fitted_on_a_sample_of_at_most_the_asked_number_of_rows(name):
    head = HEADS[name]
    network, folds = unlike_members(head)
    samples, rows = Samples(X, random_targets(name, N)), spread(N, 50)
    some = fit_ensemble_weights(network, Roles.of(8), folds, samples, head, 50)
    expected = fit_ensemble_weights(network, Roles.of(8), folds[rows], samples[rows], head)
    every = fit_ensemble_weights(network, Roles.of(8), folds, samples, head)
    for found, other, of_all in zip(astuple(some), astuple(expected), astuple(every), strict=True):
        assert_array_equal(found, other)
        assert np.not_equal(found, of_all).any()


@pytest.mark.parametrize("name", HEADS)
def test_one_network_is_calibrated_on_the_rows_that_it_has_left_out(name, limits):
    head, left_out = HEADS[name], np.arange(0, N, 2)
    network = ensemble_network(n_members=1, n_outputs=head.n_outputs)
    network.parameters *= 4
    samples = Samples(X, random_targets(name, N))
    logits, targets = logits_of_member(network, 0, X[left_out]), samples.targets[left_out]
    fitted = fit_calibration(network, left_out, samples, head)
    before, after = (-head.log_likelihood(z, targets).mean() for z in (logits, fitted.inverse_temperature * logits + fitted.bias))
    assert after < 0.8 * before
    limits(MAX_CALIBRATION_ROWS=40)
    of_some = fit_calibration(network, left_out, samples, head)
    assert (
        of_some.inverse_temperature
        == fit_calibration(network, left_out[spread(len(left_out), 40)], samples, head).inverse_temperature
        != fitted.inverse_temperature
    )


@pytest.mark.parametrize("name", HEADS)
def test_easy_left_out_rows_sharpen_by_a_bounded_factor_and_few_of_them_by_less(name):
    """Rows that are answered without a mistake, as copies of training rows are, are no proof that new rows will be."""
    head = HEADS[name]
    logits = random_logits(head, n_rows=2000, size=1.0)
    easy = logits.argmax(axis=1) if name == "softmax" else (logits > 0).astype(float)
    of_many, of_few = (
        fit_inverse_temperature([(logits[:n], np.arange(n))], Samples(logits[:n], easy[:n]), head) for n in (2000, 3)
    )
    assert of_many == pytest.approx(np.exp(MAX_LOG_INVERSE_TEMPERATURE), rel=1e-3)
    assert 1 < of_few < of_many - 0.1
    in_groups = Samples(logits, easy, groups=np.arange(2000) // 700)
    assert fit_inverse_temperature([(logits, np.arange(2000))], in_groups, head) < of_many - 0.1


def test_the_mixture_of_n_members_on_many_classes_takes_bounded_memory():
    n_rows, n_classes = 4_000, 400
    X = np.random.default_rng(0).normal(size=(n_rows, 4))
    tracemalloc.start()
    try:
        params = {"n_members": 4, "max_iter": 1, "relevance": None, "n_bins": 0}
        clf = small(**params).fit(X, np.arange(n_rows) % n_classes)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 60e6
    assert_allclose(clf.predict_proba(X[:5]).sum(axis=1), 1, rtol=1e-5)
