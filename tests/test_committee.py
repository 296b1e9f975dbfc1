"""Committees: who sees which rows, how members' answers become one, and whole models made of them."""

import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, csr_matrix
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.model_selection import GridSearchCV, cross_val_score

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data.heads import BinaryHead, MultilabelHead, SoftmaxHead
from sksoftmax.nn.network import Network
from sksoftmax.training import fitting, recipe, run
from sksoftmax.training.committee import (
    FOLD_ROWS,
    Mixture,
    Roles,
    better_strengths,
    fit_log_weights,
    fit_mixture,
    fit_sharpness,
    member_folds,
    mixed,
    out_of_fold,
    rows_of_members,
    stratified_folds,
)
from sksoftmax.training.run import Run, Samples, minibatches

SIZES = [4, 6, 8, 10, 16]
HEADS = {"softmax": SoftmaxHead(np.arange(3)), "binary": BinaryHead(np.arange(2)), "multilabel": MultilabelHead(np.arange(3))}
N, N_INPUTS = 240, 5
X, y = make_classification(N, N_INPUTS, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
KINDS = {
    "classes": y,
    "two classes": y > 0,
    "strings": np.array(["low", "middle", "high"])[y],
    "one class": np.zeros(N, dtype=int),
    "soft": softmax(np.eye(3)[y] * 2, axis=1),
    "soft, two classes": softmax(X[:, :2], axis=1),
    "multilabel": np.column_stack([y == 0, y < 2, X[:, 0] > 0]).astype(int),
}


def quick(**params):
    """A default committee, but with few units and epochs."""
    return SoftmaxMLPClassifier(**{"hidden_layer_sizes": (8, 6), "max_iter": 3, "n_bins": 8, "random_state": 0, **params})


def random_logits(head, n_rows=20, n_members=None, seed=0, size=3.0):
    shape = (n_rows, head.n_outputs) if n_members is None else (n_members, n_rows, head.n_outputs)
    return np.random.RandomState(seed).normal(0, size, shape)


def random_targets(name, n_rows=20, seed=1):
    rng = np.random.RandomState(seed)
    if name == "softmax":
        return rng.randint(3, size=n_rows)
    return rng.randint(2, size=(n_rows, HEADS[name].n_outputs)).astype(float)


# Roles


@pytest.mark.parametrize("n_members", SIZES)
def test_each_fold_is_left_out_by_exactly_one_member_of_each_half(n_members):
    roles = Roles.of(n_members)
    for half in (False, True):
        assert sorted(roles.fold[roles.binned == half]) == list(range(n_members // 2))


@pytest.mark.parametrize("n_members", SIZES)
def test_of_the_two_members_that_leave_a_fold_out_one_is_light_and_one_strong(n_members):
    roles = Roles.of(n_members)
    for fold in range(n_members // 2):
        assert sorted(roles.strong[roles.fold == fold]) == [False, True]


@pytest.mark.parametrize("n_members", SIZES)
def test_the_members_without_bins_come_first_and_all_four_kinds_occur(n_members):
    roles = Roles.of(n_members)
    assert_array_equal(np.sort(roles.binned), roles.binned)
    assert roles.binned.sum() == roles.strong.sum() == n_members // 2
    assert set(roles.kind) == {0, 1, 2, 3}


def test_each_kind_has_the_value_that_is_meant_for_it():
    roles = Roles.of(8)
    assert_array_equal(roles.values(1, 2, 3)[np.argsort(roles.kind)], [1, 1, 2, 2, 1, 1, 3, 3])
    assert_array_equal(roles.values(1, 2)[np.argsort(roles.kind)], [1, 1, 2, 2, 1, 1, 2, 2])


# Folds and the rows of members


@pytest.mark.parametrize("counts", [(100, 100), (150, 43, 7), (200, 3, 1, 1), (40,) * 6])
@pytest.mark.parametrize("n_folds", [2, 4, 8])
def test_every_class_however_rare_is_spread_evenly_over_the_folds(counts, n_folds):
    strata = np.random.RandomState(0).permutation(np.repeat(np.arange(len(counts)), counts))
    fold = stratified_folds(strata, n_folds, np.random.RandomState(1))
    for label in range(len(counts)):
        in_folds = np.bincount(fold[strata == label], minlength=n_folds)
        assert in_folds.max() - in_folds.min() <= 1
    sizes = np.bincount(fold, minlength=n_folds)
    assert sizes.max() - sizes.min() <= 1


def test_folds_follow_the_generator():
    strata = np.arange(60) % 3
    one, same, other = (stratified_folds(strata, 4, np.random.RandomState(seed)) for seed in (0, 0, 1))
    assert_array_equal(one, same)
    assert (one != other).any()


def committee_network(n_members=4, n_inputs=N_INPUTS, n_outputs=3, hidden=(6,), n_skipped=(0, 0), seed=0):
    network = Network((n_inputs, *hidden, n_outputs), "tanh", np.float64, n_members=n_members, n_skipped=n_skipped)
    network.initialize(np.random.RandomState(seed))
    return network


@pytest.mark.parametrize("n_rows", [FOLD_ROWS - 1, FOLD_ROWS])
@pytest.mark.parametrize("n_members", [None, 4])
def test_only_a_committee_of_enough_rows_has_folds(n_members, n_rows):
    folds = member_folds(
        committee_network(n_members), SimpleNamespace(kind="labels"), np.arange(n_rows) % 3, np.random.RandomState(0)
    )
    assert (folds is None) == (n_members is None or n_rows < FOLD_ROWS)


@pytest.mark.parametrize("kind", ["multilabel", "probabilities"])
def test_targets_without_labels_have_folds_of_equal_size(kind):
    targets = np.random.RandomState(0).dirichlet(np.ones(3), FOLD_ROWS)
    folds = member_folds(committee_network(), SimpleNamespace(kind=kind), targets, np.random.RandomState(0))
    assert_array_equal(np.bincount(folds), [FOLD_ROWS // 2] * 2)


@pytest.mark.parametrize("n_members", SIZES)
@pytest.mark.parametrize("n_rows", [200, 203, 251])
def test_a_member_sees_every_row_but_its_fold_up_to_what_the_largest_fold_leaves(n_members, n_rows):
    rng = np.random.RandomState(0)
    folds = stratified_folds(np.zeros(n_rows), n_members // 2, rng)
    order = rows_of_members(folds, committee_network(n_members), n_rows, rng)
    n_seen = n_rows - np.bincount(folds).max()
    assert order.shape == (n_members, n_seen)
    for fold, rows in zip(Roles.of(n_members).fold, order):
        seen = set(rows)
        assert len(seen) == n_seen
        assert not seen & set(np.flatnonzero(folds == fold))
        assert len(set(np.flatnonzero(folds != fold)) - seen) <= 1


@pytest.mark.parametrize("n_members", [None, 4])
def test_without_folds_all_members_see_all_rows(n_members):
    order = rows_of_members(None, committee_network(n_members), 7, np.random.RandomState(0))
    assert_array_equal(order, [range(7)] * (n_members or 1))


@pytest.mark.parametrize("n_rows, batch_size", [(10, 4), (7, 7), (7, 100), (100, 64), (95, 64), (200, 1), (13, 3)])
@pytest.mark.parametrize("n_members", [2, 5])
def test_batches_of_members_are_equal_and_stack_rows_of_each_member_s_own(n_members, n_rows, batch_size):
    order = np.arange(n_members * n_rows).reshape(n_members, n_rows)
    batches = minibatches(order, batch_size)
    assert len({len(batch) for batch in batches}) == 1
    n_batches = max(1, round(n_rows / batch_size))
    assert len(batches) == n_batches
    for member, rows in enumerate(order):
        seen = np.concatenate([batch.reshape(n_members, -1)[member] for batch in batches])
        assert_array_equal(seen, rows[: len(seen)])
        assert n_rows - n_batches < len(seen) <= n_rows


def test_a_member_learns_nothing_from_the_fold_that_it_leaves_out(monkeypatch):
    """Other targets there change every member but the two that leave the fold out, where rows are so few that none sees all.

    All rows have a say in the relevance of the columns.
    """
    taken = []

    def folds(*args):
        taken.append(member_folds(*args))
        return taken[-1]

    monkeypatch.setattr(fitting, "member_folds", folds)
    first = quick(n_members=8, shuffle=False, label_smoothing=0.0, relevance=None).fit(X, KINDS["multilabel"])
    changed = np.where((taken[0] == 1)[:, None], 1 - KINDS["multilabel"], KINDS["multilabel"])
    second = quick(n_members=8, shuffle=False, label_smoothing=0.0, relevance=None).fit(X, changed)
    assert_array_equal(*taken)
    differs = np.array([(A != B).any(axis=(1, 2)) for A, B in zip(first.coefs_, second.coefs_)]).any(axis=0)
    assert_array_equal(differs, Roles.of(8).fold != 1)


# The mixture


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("n_members", [1, 4, 16])
def test_the_equal_mixture_of_identical_members_is_the_member(name, n_members):
    head, one = HEADS[name], random_logits(HEADS[name])
    logits = Mixture.equal(n_members).logits(np.stack([one] * n_members), head)
    assert_allclose(head.probabilities(logits), head.probabilities(one), rtol=1e-13)


@pytest.mark.parametrize("name", HEADS)
def test_the_mixture_s_probabilities_are_the_weighted_mean_of_the_sharpened_members(name):
    head, logits = HEADS[name], random_logits(HEADS[name], n_members=4)
    weights, sharpness = np.array([0.4, 0.3, 0.2, 0.1]), np.array([1.0, 0.5, 2.0, 3.0])
    answer = Mixture(weights, sharpness).logits(logits, head)
    expected = sum(w * head.probabilities(s * z) for w, s, z in zip(weights, sharpness, logits))
    assert_allclose(head.probabilities(answer), expected, rtol=1e-12)


@pytest.mark.parametrize("name", HEADS)
def test_the_final_sharpness_multiplies_the_mixture_s_logits(name):
    head, logits = HEADS[name], random_logits(HEADS[name], n_members=2)
    soft, sharp = (Mixture(np.array([0.7, 0.3]), np.ones(2), final).logits(logits, head) for final in (1.0, 2.5))
    assert_allclose(sharp, 2.5 * soft, rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", HEADS)
def test_logits_far_from_zero_stay_finite_and_keep_their_dtype(name, dtype):
    head = HEADS[name]
    logits = np.full((4, 6, head.n_outputs), 1e4, dtype)
    logits[::2, ::2] *= -1
    logits[1:, :, :1] *= -1
    answer = Mixture(np.array([0.7, 0.1, 0.1, 0.1]), np.full(4, 2.0), 1.5).logits(logits, head)
    assert answer.dtype == dtype
    assert np.isfinite(answer).all()
    assert np.isfinite(head.log_probabilities(answer)).all()


def test_one_logistic_unit_is_mixed_as_two_softmax_units_are():
    head, pair = BinaryHead(np.arange(2)), SoftmaxHead(np.arange(2))
    z = random_logits(head, n_members=4)
    mixture = Mixture(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.5, 1.0, 1.5, 2.0]), 0.8)
    one, two = mixture.logits(z, head), mixture.logits(np.concatenate([np.zeros_like(z), z], axis=2), pair)
    assert_allclose(head.probabilities(one), pair.probabilities(two), rtol=1e-12)


@pytest.mark.parametrize("name", HEADS)
def test_mixing_weights_may_differ_from_row_to_row(name):
    head, logits = HEADS[name], random_logits(HEADS[name], n_rows=2, n_members=2)
    answer = mixed(logits, np.log([[1.0, 1e-300], [1e-300, 1.0]]), head)
    expected = np.stack([logits[0, 0], logits[1, 1]])
    assert_allclose(head.probabilities(answer), head.probabilities(expected), rtol=1e-12)


# Calibration and weights


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_sharpness_undoes_what_logits_were_multiplied_by(name, factor):
    head, logits = HEADS[name], random_logits(HEADS[name], n_rows=20000, size=1.5)
    uniform = np.random.RandomState(1).uniform(size=len(logits))
    p = head.probabilities(logits)
    targets = (uniform[:, None] > p.cumsum(axis=1)).sum(axis=1) if name == "softmax" else None
    if targets is None:
        yes = p if name == "multilabel" else p[:, 1:]
        targets = (np.random.RandomState(1).uniform(size=yes.shape) < yes).astype(float)
    before = (factor * logits).copy()
    assert fit_sharpness(factor * logits, Samples(logits, targets), head) == pytest.approx(1 / factor, rel=0.05)
    assert_array_equal(factor * logits, before)


def test_the_kind_that_answers_better_gets_more_weight():
    likelihood, kinds = np.log(np.array([[0.9] * 50, [0.3] * 50])), np.repeat([[0], [3]], 50, axis=1)
    log_weights = fit_log_weights(likelihood, kinds, None)
    assert log_weights[0] > log_weights[3] + 1
    assert np.exp(log_weights).sum() == pytest.approx(1)


def test_kinds_that_answer_alike_get_equal_weights():
    kinds = np.where(np.arange(60) % 2, [[0], [3]], [[1], [2]])
    assert_allclose(np.exp(fit_log_weights(np.full((2, 60), np.log(0.5)), kinds, None)), 0.25)


def test_no_kind_is_silenced_or_followed_alone():
    kinds = np.repeat([[0], [3]], 50, axis=1)
    log_weights = fit_log_weights(np.array([[0.0] * 50, [-1e4] * 50]), kinds, np.ones(50))
    assert np.isfinite(log_weights).all()
    assert log_weights[3] > -13


def test_integer_weights_of_rows_are_repetitions_in_the_weights_of_kinds():
    rng = np.random.RandomState(0)
    likelihood, kinds = np.log(rng.uniform(0.05, 1, (2, 400))), np.where(np.arange(400) % 2, [[0], [3]], [[1], [2]])
    repeats = rng.randint(1, 4, 400)
    rows = np.repeat(np.arange(400), repeats)
    weighted, unweighted = (fit_log_weights(likelihood, kinds, weights) for weights in (repeats, None))
    assert_allclose(weighted, fit_log_weights(likelihood[:, rows], kinds[:, rows], None), atol=1e-3)
    assert not np.allclose(weighted, unweighted, atol=1e-2)


def unlike_members(head, seed=0, factor=4.0):
    """A committee that is far too sure of itself, with its rows and folds."""
    network = committee_network(8, n_outputs=head.n_outputs, seed=seed)
    network.parameters *= factor
    return network, stratified_folds(np.zeros(N), 4, np.random.RandomState(0))


def out_of_fold_loss(network, folds, samples, head, mixture):
    """The mean loss of each row under the members that have not seen it, weighted and sharpened as in the mixture."""
    roles = Roles.of(network.n_members)
    log_p = []
    for fold in range(roles.fold.max() + 1):
        members, rows = np.flatnonzero(roles.fold == fold), np.flatnonzero(folds == fold)
        part = Mixture(mixture.weights[members] / mixture.weights[members].sum(), mixture.sharpness[members], mixture.final)
        logits = part.logits(np.stack([network.member(k).logits(samples.X[rows]) for k in members]), head)
        log_p.append(head.log_likelihood(logits, samples.targets[rows]))
    return -np.mean(np.concatenate(log_p))


@pytest.mark.parametrize("name", HEADS)
def test_calibration_lowers_the_loss_on_rows_that_members_have_not_seen(name):
    head = HEADS[name]
    network, folds = unlike_members(head)
    samples = Samples(X, random_targets(name, N))
    fitted = fit_mixture(network, folds, samples, head)
    before, after = (out_of_fold_loss(network, folds, samples, head, m) for m in (Mixture.equal(8), fitted))
    assert after < 0.8 * before
    assert fitted.weights.sum() == pytest.approx(1)
    assert len(set(fitted.weights.round(12))) <= 4
    assert (fitted.sharpness < 1).all()


@pytest.mark.parametrize("name", HEADS)
def test_out_of_fold_each_row_is_answered_by_the_two_members_that_have_not_seen_it(name):
    head = HEADS[name]
    network, folds = unlike_members(head)
    roles = Roles.of(8)
    logits, kinds = out_of_fold(network, roles, folds, Samples(X, None))
    for row in (0, 17, N - 1):
        first, second = np.flatnonzero(roles.fold == folds[row])
        for answer, member in zip(logits[:, row], (first, second)):
            assert_allclose(answer, network.member(member).logits(X[[row]])[0], rtol=1e-12)
        assert_array_equal(kinds[:, row], roles.kind[[first, second]])


@pytest.mark.parametrize("name", HEADS)
def test_integer_weights_are_repeated_rows_given_the_same_folds(name):
    head = HEADS[name]
    network, folds = unlike_members(head, factor=1.0)
    roles, repeats = Roles.of(8), np.random.RandomState(3).randint(1, 4, N)
    teacher = out_of_fold(network, roles, folds, Samples(X, None))[0].mean(axis=0)
    targets = teacher.argmax(axis=1) if name == "softmax" else (teacher > 0).astype(float)
    noise = np.arange(N) % 3 == 0
    targets[noise] = random_targets(name, N)[noise]
    rows = np.repeat(np.arange(N), repeats)
    weighted = fit_mixture(network, folds, Samples(X, targets, repeats.astype(float)), head)
    repeated = fit_mixture(network, folds[rows], Samples(X[rows], targets[rows]), head)
    unweighted = fit_mixture(network, folds, Samples(X, targets), head)
    got, expected, other = (np.array([*m.weights, *m.sharpness, m.final]) for m in (weighted, repeated, unweighted))
    assert_allclose(got, expected, rtol=2e-3)
    assert np.abs(got / other - 1).max() > 0.02


def test_members_that_see_through_the_bins_get_the_weight_where_only_bins_help():
    rng = np.random.RandomState(0)
    steps = rng.uniform(-3, 3, (600, 1))
    stripes = (np.floor(steps[:, 0] * 3) % 2).astype(int)
    mixture = SoftmaxMLPClassifier((8,), n_members=4, max_iter=40, random_state=0).fit(steps, stripes)._mixture
    assert mixture.weights[2:].min() > mixture.weights[:2].max()


# Whole models


@pytest.mark.parametrize("kind", KINDS)
def test_a_committee_learns_every_kind_of_target(kind):
    clf = quick().fit(X, KINDS[kind])
    p = clf.predict_proba(X)
    assert clf._network.n_members == 8
    assert np.isfinite(p).all()
    assert_allclose(np.exp(clf.predict_log_proba(X)), p, rtol=1e-5)
    if kind != "multilabel":
        assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    assert clf.predict(X).shape == (KINDS[kind].shape if kind == "multilabel" else (N,))


def test_a_class_of_one_row_is_no_obstacle():
    rare = y.copy()
    rare[[5, 9]] = 3, 4
    clf = quick().fit(X, rare)
    assert_array_equal(clf.classes_, range(5))
    assert clf.predict_proba(X).shape == (N, 5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_committee_stops_early_on_a_part_of_the_rows(kind):
    clf = quick(early_stopping=True, validation_fraction=0.1, max_iter=4).fit(X, KINDS[kind])
    assert len(clf.validation_scores_) == clf.n_iter_


def test_the_validation_score_is_that_of_the_members_together():
    clf = quick(early_stopping=True, max_iter=1, n_members=4).fit(X, y, X_val=X[:50], y_val=y[:50])
    together = clone(clf).fit(X, y, X_val=X[:50], y_val=y[:50])
    together._mixture = Mixture.equal(4)
    assert clf.validation_scores_ == [together.score(X[:50], y[:50])]


@pytest.mark.parametrize("scoring", ["accuracy", "loss", "neg_log_loss", "f1_macro"])
def test_a_committee_is_scored_by_any_scorer(scoring):
    clf = quick(early_stopping=True, scoring=scoring).fit(X, y, X_val=X[:60], y_val=y[:60])
    assert len(clf.validation_scores_) == clf.n_iter_ == len(clf.validation_loss_curve_)


def test_a_committee_is_scored_on_the_very_rows_by_the_user_s_scorer():
    def first_probability(estimator, X, y):
        return estimator.predict_proba(X)[0, 0]

    clf = quick(early_stopping=True, scoring=first_probability, max_iter=2).fit(X, y, X_val=X[:60], y_val=y[:60])
    assert all(0 < score < 1 for score in clf.validation_scores_)


def test_class_weights_count_as_sample_weights_do():
    weights = np.where(y == 1, 3.0, 1.0)
    clf = quick(scaling=None)  # which sample weights would count in
    by_class, by_row = clone(clf).set_params(class_weight={1: 3.0}).fit(X, y), clf.fit(X, y, sample_weight=weights)
    assert_allclose(by_class.predict_proba(X), by_row.predict_proba(X), rtol=1e-7)
    assert quick(class_weight="balanced").fit(X, y).score(X, y) > 0.4


def test_sample_weights_reach_training_and_the_mixture():
    weights = np.where(X[:, 0] > 0, 5.0, 0.5)
    plain, weighted = quick().fit(X, y), quick().fit(X, y, sample_weight=weights)
    assert not np.allclose(plain._mixture.sharpness, weighted._mixture.sharpness)
    assert not np.allclose(plain.coefs_[-1], weighted.coefs_[-1])


@pytest.mark.parametrize("n_rows", [FOLD_ROWS + 50, FOLD_ROWS + 130])
def test_rows_of_weight_zero_are_absent(n_rows):
    """Also where only they make the rows many enough for folds and float32."""
    rng = np.random.RandomState(0)
    rows = rng.normal(size=(n_rows, 3))
    labels, weights = (rows[:, 0] > 0).astype(int), (np.arange(n_rows) >= 100).astype(float)
    with_them = quick(max_iter=2).fit(rows, labels, sample_weight=weights)
    without = quick(max_iter=2).fit(rows[100:], labels[100:])
    assert_array_equal(with_them.predict_proba(rows), without.predict_proba(rows))


@pytest.mark.parametrize("kind", ["classes", "two classes", "soft", "multilabel"])
@pytest.mark.parametrize("params", [{}, {"n_members": 1}, {"n_members": 8}, {"solver": "sgd"}], ids=str)
def test_where_rows_are_too_few_for_folds_integer_weights_are_exactly_repeated_rows(params, kind):
    repeats = np.random.RandomState(0).permutation(np.arange(60) % 4)
    rows, targets = X[:60], KINDS[kind][:60]
    clf = SoftmaxMLPClassifier((16, 16), n_bins=8, random_state=0, **params)
    weighted = clone(clf).fit(rows, targets, sample_weight=repeats)
    repeated = clone(clf).fit(np.repeat(rows, repeats, axis=0), np.repeat(targets, repeats, axis=0))
    assert repeats.sum() == 90 < FOLD_ROWS
    assert weighted.n_iter_ == repeated.n_iter_
    assert_allclose(weighted.predict_proba(rows), repeated.predict_proba(rows), rtol=1e-7)


def test_where_rows_are_too_few_for_folds_members_are_mixed_as_equals():
    mixture = quick().fit(X[: FOLD_ROWS - 1], y[: FOLD_ROWS - 1])._mixture
    assert_array_equal(mixture.weights, [0.25] * 4)
    assert_array_equal(mixture.sharpness, [1] * 4)
    assert mixture.final == 1


def test_the_same_seed_gives_the_same_committee_and_another_seed_another():
    one, same, other = (quick(random_state=seed).fit(X, y).predict_proba(X) for seed in (0, 0, 1))
    assert_array_equal(one, same)
    assert (one != other).any()


def test_members_differ():
    clf = quick().fit(X, y)
    answers = np.stack([clf._network.member(k).logits(clf._preprocessor.transform(X, np.float32)) for k in range(8)])
    assert len(np.unique(answers[:, 0, 0])) == 8


def test_the_mixture_of_the_members_is_what_predicts():
    clf = quick(n_members=4).fit(X, y)
    inputs = clf._preprocessor.transform(X, np.float32)
    p = [softmax(s * clf._network.member(k).logits(inputs), axis=1) for k, s in enumerate(clf._mixture.sharpness)]
    mixture = np.log(np.average(p, axis=0, weights=clf._mixture.weights)) * clf._mixture.final
    assert_allclose(clf.predict_log_proba(X), log_softmax(mixture, axis=1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n_rows", [30, N])
def test_a_pickled_committee_predicts_the_same_and_goes_on(n_rows):
    clf = quick().partial_fit(X[:n_rows], y[:n_rows], classes=[0, 1, 2])
    restored = pickle.loads(pickle.dumps(clf))
    assert_array_equal(restored.predict_proba(X), clf.predict_proba(X))
    for estimator in (clf, restored):
        estimator.partial_fit(X, y)
    assert_array_equal(restored.predict_proba(X), clf.predict_proba(X))


def test_a_fitted_committee_is_pickled_with_its_mixture():
    clf = quick().fit(X, y)
    assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), clf.predict_proba(X))


def test_a_clone_is_unfitted_and_trains_to_the_same_committee():
    clf = quick(n_members=4).fit(X, y)
    copy = clone(clf)
    assert not hasattr(copy, "coefs_")
    assert_array_equal(copy.fit(X, y).predict_proba(X), clf.predict_proba(X))


def test_committees_are_searched_over():
    search = GridSearchCV(quick(max_iter=2), {"n_members": [1, 4, "auto"]}, cv=2).fit(X, y)
    assert search.best_estimator_.score(X, y) > 0.4
    assert len(cross_val_score(quick(), X, y, cv=2)) == 2


@pytest.mark.parametrize("sizes", [(30, 150, N), (N, 30, N), (N, N)])
def test_partial_fit_goes_on_whatever_the_number_of_rows(sizes):
    """'auto' keeps the members that training began with."""
    clf = quick()
    for n_rows in sizes:
        clf.partial_fit(X[:n_rows], y[:n_rows], classes=[0, 1, 2])
        assert clf._network.n_members == (4 if sizes[0] < FOLD_ROWS else 8)
    assert len(clf.loss_curve_) == len(sizes)
    assert clf.loss_curve_[-1] < clf.loss_curve_[0]


def test_partial_fit_goes_on_from_fit_and_keeps_the_mixture():
    clf = quick().fit(X, y)
    mixture, coef = clf._mixture, clf.coefs_[0].copy()
    clf.partial_fit(X[:50], y[:50])
    assert clf._mixture is mixture
    assert (clf.coefs_[0] != coef).any()


def test_a_warm_start_goes_on_whatever_the_number_of_rows():
    clf = quick(warm_start=True).fit(X[:90], y[:90])
    loss = clf.loss_
    clf.fit(X, y)
    assert clf._network.n_members == 4
    assert len(clf.loss_curve_) == 6
    assert clf.loss_ < loss


def test_one_network_goes_on_as_one():
    clf = quick(n_members=1, warm_start=True).fit(X, y)
    clf.set_params(n_members="auto").fit(X, y)
    assert clf._network.n_members is None


@pytest.mark.parametrize("then", [1, 6])
def test_a_warm_start_refuses_another_number_of_members(then):
    clf = quick(n_members=4, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=f"cannot go on with n_members={then}: it began with 4"):
        clf.set_params(n_members=then).fit(X, y)
    assert clf._network.n_members == 4


def test_a_committee_does_not_go_on_with_lbfgs():
    clf = quick(warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="n_members='auto': it began with 8, and solver='lbfgs' trains 1"):
        clf.set_params(solver="lbfgs").fit(X, y)


@pytest.mark.parametrize("n_members", [2, 3, 5, 7])
def test_a_committee_has_an_even_number_of_members_and_four_at_least(n_members):
    with pytest.raises(ValueError, match=rf"n_members must be 1, or an even number of 4 or more; got {n_members}\."):
        quick(n_members=n_members).fit(X, y)


@pytest.mark.parametrize("n_members", [0, -4, 1.5, None, "many"])
def test_n_members_is_a_positive_integer_or_auto(n_members):
    with pytest.raises(ValueError, match="'n_members' parameter"):
        quick(n_members=n_members).fit(X, y)


def test_lbfgs_trains_one_network_only():
    with pytest.raises(ValueError, match="n_members=4 acts on the steps of solver 'adam' or 'sgd'"):
        quick(n_members=4, solver="lbfgs", max_iter=200).fit(X, y)


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "sgd", "n_members": 4},
        {"hidden_layer_sizes": (), "n_members": 4},
        {"activation": ["tanh", "gelu"]},
        {"dropout": [0.3, 0.1]},
        {"dropout": [0.3, 0.1, 0.2, 0.1], "hidden_layer_sizes": (4, 4, 4, 4), "n_members": 4},
        {"ema_decay": 0.9, "clip_norm": 1.0, "alpha": 0.1, "warmup": 0.2},
        {"parametrization": "standard", "learning_rate_init": 1e-2},
        {"scaling": None, "n_bins": 0},
        {"n_bins": 0},
        {"out_activation": "softmax"},
        {"batch_size": 1, "n_members": 4, "max_iter": 1},
        {"batch_size": 10_000},
        {"n_members": 2 * N + 4, "hidden_layer_sizes": (2,), "max_iter": 1},
        {"learning_rate": "one_cycle", "shuffle": False},
    ],
    ids=lambda params: " ".join(params),
)
def test_members_go_with_the_other_parameters(params):
    clf = quick(**params).fit(X, y > 0)
    assert np.isfinite(clf.predict_log_proba(X)).all()
    assert np.isfinite(clf.loss_)


def test_a_rate_of_dropout_for_each_layer_is_not_taken_for_one_for_each_member():
    """Only the first of four layers drops: without it, the four are the same network."""
    layers = {"hidden_layer_sizes": (4,) * 4, "n_members": 4}
    with_it, without = (quick(dropout=[rate, 0, 0, 0], **layers).fit(X, y) for rate in (0.9, 0.0))
    assert all((A != B).any() for A, B in zip(with_it.coefs_[-1], without.coefs_[-1]))


def test_weights_of_members_put_there_by_hand_are_used():
    clf = quick(n_members=4).fit(X, y)
    expected, copies = clf.predict_proba(X), [W.copy() for W in clf.coefs_]
    assert copies[0].shape == (4, clf._network.layer_units[0], 8)
    clf.coefs_ = copies
    assert_allclose(clf.predict_proba(X), expected, rtol=1e-5)
    copies[-1][...] = 0
    clf.intercepts_[-1][...] = 0
    assert_allclose(clf.predict_proba(X), 1 / 3, rtol=1e-6)
    assert_allclose(pickle.loads(pickle.dumps(clf)).predict_proba(X), 1 / 3, rtol=1e-6)
    clf.partial_fit(X, y)


def test_weights_put_on_bins_by_hand_are_used_where_members_saw_none():
    clf = quick(n_members=4).fit(X, y)
    before = clf.predict_proba(X)
    clf.coefs_ = [W.copy() for W in clf.coefs_]
    clf.coefs_[0][0, 0] = 10.0
    assert (clf.predict_proba(X) != before).any(axis=1).mean() > 0.5


def test_units_that_saturate_on_huge_unscaled_numbers_are_mixed_without_a_warning():
    huge = X.astype(np.float32)
    huge[:, 0] *= np.finfo(np.float32).max / np.abs(huge[:, 0]).max()
    clf = SoftmaxMLPClassifier((8,), "logistic", scaling=None, max_iter=2, random_state=0).fit(huge, y)
    assert np.isfinite(clf.predict_proba(huge)).all()


def test_weights_of_one_network_are_refused_by_a_committee():
    clf = quick(n_members=4).fit(X, y)
    clf.coefs_ = [W[0] for W in clf.coefs_]
    with pytest.raises(ValueError, match=r"coefs_\[0\] must have shape \(4, \d+, 8\)"):
        clf.predict(X)


def test_a_committee_has_no_counterpart_in_scikit_learn():
    clf = SoftmaxMLPClassifier(learning_rate="constant", n_members=4)
    with pytest.raises(ValueError, match="cannot be expressed by MLPClassifier"):
        clf.to_sklearn()


def test_the_defaults_take_a_raw_frame_of_strings_numbers_and_missing_values():
    rng = np.random.RandomState(0)
    frame = pd.DataFrame({"income": rng.lognormal(10, 2, N), "town": rng.choice(["A", "B", None], N), "member": y > 1})
    frame["grade"] = pd.Categorical(rng.choice(["low", "high"], N), ["low", "high", "unused"])
    frame.loc[::5, "income"] = np.nan
    labels = np.where((frame["town"] == "A") ^ (frame["income"] > 2e4), "yes", "no")
    clf = SoftmaxMLPClassifier(max_iter=20, random_state=0).fit(frame, labels)
    assert clf.score(frame, labels) > 0.9
    unseen = frame.assign(town="Z", income=np.nan, grade=pd.Categorical([None] * N, ["low", "high"]))
    assert set(clf.predict(unseen)) <= {"yes", "no"}
    assert clf._network.coefs[0].shape[1] == len(clf.encoded_feature_names_)


def test_the_defaults_learn_iris():
    rows, labels = load_iris(return_X_y=True)
    clf = SoftmaxMLPClassifier(random_state=0).fit(rows[::2], labels[::2])
    assert clf.score(rows[1::2], labels[1::2]) > 0.9


def test_threads_may_predict_at_once():
    clf = quick().fit(X, y)
    rows = np.tile(X, (30, 1))
    expected = clf.predict_proba(rows)
    with ThreadPoolExecutor(4) as pool:
        for answer in pool.map(clf.predict_proba, [rows] * 8):
            assert_array_equal(answer, expected)


def test_predicting_needs_little_memory_beyond_the_answer():
    clf = SoftmaxMLPClassifier(max_iter=1, random_state=0).fit(X, y)
    rows = np.tile(X, (100, 1))
    clf.predict(rows[:1000])
    tracemalloc.start()
    answer = clf.predict_proba(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6 + 4 * answer.nbytes + 2 * rows.nbytes  # all activations at once would take 400 MB


def test_chunks_of_rows_do_not_change_an_answer():
    clf = quick().fit(X, y)
    rows = np.tile(X, (30, 1))
    assert_allclose(clf.decision_function(rows)[-N:], clf.decision_function(X), rtol=1e-4, atol=1e-5)
    assert_allclose(clf.predict_proba(X[:1]), clf.predict_proba(X)[:1], rtol=1e-4)


def test_sparse_rows_are_taken_by_all_members():
    for as_sparse in (csr_matrix, csr_array):
        rows = as_sparse(np.where(X > 0, X, 0))
        clf = quick(n_members=4).fit(rows, y)
        assert clf.n_features_in_ == clf.coefs_[0].shape[1] == N_INPUTS
        assert_allclose(clf.predict_proba(rows), clf.predict_proba(rows.toarray()), rtol=1e-4)
        assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(rows), clf.predict_proba(rows))


def test_callbacks_see_a_committee_that_predicts_and_may_stop_it():
    pytest.importorskip("sklearn.callback")
    from test_callbacks import Recorder

    recorder = Recorder(stop_at=1)
    clf = quick().set_callbacks(recorder).fit(X, y)
    assert clf.n_iter_ == len(recorder.models) == 2
    assert all(p.shape == (N, 3) for _, p in recorder.models)
    assert isinstance(clf._mixture, Mixture)
    assert clf._mixture.final != 1


# All rows at last


@pytest.fixture
def open_folds(monkeypatch):
    """Rows enough for members to see all of them in the end."""
    monkeypatch.setattr(recipe, "OPEN_ROWS", N // 2)


def test_members_leave_out_folds_for_two_fifths_of_the_epochs_and_then_see_all_rows(open_folds, monkeypatch):
    seen = []
    monkeypatch.setattr(run, "minibatches", lambda order, size: seen.append(order.copy()) or minibatches(order, size))
    clf = quick(n_members=8, max_iter=5).fit(X, y)
    everyone = np.arange(len(X))
    of_all = [all(np.array_equal(np.sort(rows), everyone) for rows in order) for order in seen]
    assert of_all == [False, False, True, True, True]
    assert len(clf.loss_curve_) == 5


def test_members_leave_out_their_folds_to_the_end_where_validation_rows_may_end_training_at_any_epoch(open_folds, monkeypatch):
    seen = []
    monkeypatch.setattr(run, "minibatches", lambda order, size: seen.append(order.shape) or minibatches(order, size))
    clf = quick(n_members=8, max_iter=5, n_iter_no_change=10, early_stopping=True).fit(X, y)
    assert len(seen) == 5 and len(set(seen)) == 1
    assert seen[0][1] < len(X) * (1 - clf.validation_fraction)
    assert np.ptp(clf._mixture.weights) > 0


def test_the_mixture_is_that_of_predictions_out_of_fold(open_folds, monkeypatch):
    """Members that have seen a row do not judge it: the mixture is fitted once, before they do."""
    events, end_epoch = [], Run.end_epoch
    monkeypatch.setattr(Run, "end_epoch", lambda *args: events.append("epoch") or end_epoch(*args))
    monkeypatch.setattr(run, "fit_mixture", lambda *args: events.append("mixture") or fit_mixture(*args))
    quick(n_members=8, max_iter=5).fit(X, y)
    assert events == ["epoch"] * 2 + ["mixture"] + ["epoch"] * 3


# The strength that did better


def mixture_of(light, strong, light_binned, strong_binned, n_members=8):
    """A mixture with these weights of the kinds, before they are made to sum to 1, and sharpnesses by which to tell them."""
    roles = Roles.of(n_members)
    weights = np.array([light, strong, light_binned, strong_binned])[roles.kind]
    return Mixture(weights / weights.sum(), np.array([1.0, 2.0, 3.0, 4.0])[roles.kind], 1.1)


def test_a_half_takes_on_the_strength_that_is_clearly_better_and_else_keeps_both():
    roles = Roles.of(8)
    model = better_strengths(roles, mixture_of(3, 1, 1, 1.4))
    assert set(roles.kind[model[~roles.binned]]) == {0}
    assert_array_equal(model[roles.binned], np.flatnonzero(roles.binned))
    assert set(roles.kind[better_strengths(roles, mixture_of(1, 1, 1, 1.6))[roles.binned]]) == {3}


def test_members_of_one_model_share_their_weights_and_its_sharpness():
    mixture, roles = mixture_of(3, 1, 1, 1.4), Roles.of(8)
    alike = mixture.adopting(better_strengths(roles, mixture))
    for half in (roles.binned, ~roles.binned):
        assert_allclose(alike.weights[half].sum(), mixture.weights[half].sum())
    assert np.ptp(alike.weights[~roles.binned]) == 0 and set(alike.sharpness[~roles.binned]) == {1.0}
    assert_array_equal(alike.weights[roles.binned], mixture.weights[roles.binned])
    assert alike.final == mixture.final


@pytest.mark.parametrize("ema_decay", [0.0, 0.5])
def test_members_go_on_with_the_strength_that_did_better_out_of_fold(open_folds, monkeypatch, ema_decay):
    monkeypatch.setattr(run, "fit_mixture", lambda *args: mixture_of(1, 3, 2, 1))
    clf = quick(n_members=8, warm_start=True, ema_decay=ema_decay).fit(X, y)
    strong, light = recipe.DROPOUT["strong"], recipe.DROPOUT["light"]
    assert_array_equal(clf._network.dropout, np.repeat([strong, light], 4))
    decays = np.repeat([recipe.WEIGHT_DECAY["strong"], recipe.WEIGHT_DECAY["light"]], 4)
    assert clf._optimizer.weight_decay == clf._network.weight_parts(decays)
    assert set(clf._mixture.sharpness) == {2.0, 3.0}


def test_members_of_one_strength_stay_as_they_are(open_folds, monkeypatch):
    mixture = mixture_of(1, 3, 2, 1)
    monkeypatch.setattr(run, "fit_mixture", lambda *args: mixture)
    assert quick(n_members=8, dropout=0.2, weight_decay=0.1).fit(X, y)._mixture is mixture
