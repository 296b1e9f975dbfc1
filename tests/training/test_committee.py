"""Committees from the inside: roles, folds, the mixture, its calibration, and the switch to the better strength."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data.heads import BinaryHead, MultilabelHead, SoftmaxHead
from sksoftmax.data.rows import Samples
from sksoftmax.model import member_logits
from sksoftmax.nn.mixture import Mixture, mixed
from sksoftmax.training import committee, recipe, steps
from sksoftmax.training.committee import (
    FOLD_ROWS,
    Committee,
    Roles,
    better_strengths,
    fit_log_weights,
    fit_mixture,
    fit_sharpness,
    out_of_fold,
    rows_of_members,
    stratified_folds,
)
from sksoftmax.training.recipe import Recipe
from sksoftmax.training.run import Run
from sksoftmax.training.steps import cut
from support.committees import KINDS, MANY_X, N_INPUTS, MANY_y, N, X, quick_committee
from support.networks import form_of, initialized

SIZES = [4, 6, 8, 10, 16]
HEADS = {"softmax": SoftmaxHead(np.arange(3)), "binary": BinaryHead(np.arange(2)), "multilabel": MultilabelHead(np.arange(3))}


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


def committee_network(n_members=4, n_outputs=3, seed=0):
    return initialized(form_of(N_INPUTS, (6,), n_outputs, n_members=n_members), seed=seed)


def plan(targets, kind="labels", n_members=4):
    params = SoftmaxMLPClassifier((6,), n_members=n_members).get_params(deep=False)
    samples = Samples(np.empty((len(targets), 1)), targets)
    return Committee.plan(Recipe.resolve(params, len(targets)), SimpleNamespace(kind=kind), samples, np.random.RandomState(0))


def logits_of_member(network, member, X):
    return np.concatenate([logits[0].copy() for _, logits in member_logits(network.member(member), X)])


@pytest.mark.parametrize("n_rows", [FOLD_ROWS - 1, FOLD_ROWS])
@pytest.mark.parametrize("n_members", [1, 4])
def test_only_a_committee_of_enough_rows_has_folds(n_members, n_rows):
    folds = plan(np.arange(n_rows) % 3, n_members=n_members).folds
    assert (folds is None) == (n_members == 1 or n_rows < FOLD_ROWS)


@pytest.mark.parametrize("kind", ["multilabel", "probabilities"])
def test_targets_without_labels_have_folds_of_equal_size(kind):
    targets = np.random.RandomState(0).dirichlet(np.ones(3), FOLD_ROWS)
    folds = plan(targets, kind).folds
    assert_array_equal(np.bincount(folds), [FOLD_ROWS // 2] * 2)


@pytest.mark.parametrize("n_members", SIZES)
@pytest.mark.parametrize("n_rows", [200, 203, 251])
def test_a_member_sees_every_row_outside_its_fold_as_many_as_the_largest_fold_leaves(n_members, n_rows):
    rng = np.random.RandomState(0)
    folds = stratified_folds(np.zeros(n_rows), n_members // 2, rng)
    order = rows_of_members(folds, n_members, n_rows, rng)
    n_seen = n_rows - np.bincount(folds).max()
    assert order.shape == (n_members, n_seen)
    for fold, rows in zip(Roles.of(n_members).fold, order):
        seen = set(rows)
        assert len(seen) == n_seen
        assert not seen & set(np.flatnonzero(folds == fold))
        assert len(set(np.flatnonzero(folds != fold)) - seen) <= 1


@pytest.mark.parametrize("n_members", [1, 4])
def test_without_folds_all_members_see_all_rows(n_members):
    order = rows_of_members(None, n_members, 7, np.random.RandomState(0))
    assert_array_equal(order, [range(7)] * n_members)


def test_a_member_learns_nothing_from_the_fold_that_it_leaves_out(monkeypatch):
    """Other targets in a fold change every member except the two that leave it out. The rows are too few for a phase on all rows.

    Relevance is off, as it is computed from all rows.
    """
    taken = []

    def folds(*args):
        taken.append(stratified_folds(*args))
        return taken[-1]

    monkeypatch.setattr(committee, "stratified_folds", folds)
    first = quick_committee(n_members=8, shuffle=False, label_smoothing=0.0, relevance=None).fit(X, KINDS["multilabel"])
    changed = np.where((taken[0] == 1)[:, None], 1 - KINDS["multilabel"], KINDS["multilabel"])
    second = quick_committee(n_members=8, shuffle=False, label_smoothing=0.0, relevance=None).fit(X, changed)
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


def test_the_kind_with_better_answers_gets_more_weight():
    likelihood, kinds = np.log(np.array([[0.9] * 50, [0.3] * 50])), np.repeat([[0], [3]], 50, axis=1)
    log_weights = fit_log_weights(likelihood, kinds, None)
    assert log_weights[0] > log_weights[3] + 1
    assert np.exp(log_weights).sum() == pytest.approx(1)


def test_kinds_with_equal_answers_get_equal_weights():
    kinds = np.where(np.arange(60) % 2, [[0], [3]], [[1], [2]])
    assert_allclose(np.exp(fit_log_weights(np.full((2, 60), np.log(0.5)), kinds, None)), 0.25)


def test_no_kind_is_silenced_or_followed_alone():
    kinds = np.repeat([[0], [3]], 50, axis=1)
    log_weights = fit_log_weights(np.array([[0.0] * 50, [-1e4] * 50]), kinds, np.ones(50))
    assert np.isfinite(log_weights).all()
    assert log_weights[3] > -13


def test_an_integer_sample_weight_equals_repeated_rows_in_the_weights_of_kinds():
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
    roles = Roles.of(network.form.n_members)
    log_p = []
    for fold in range(roles.fold.max() + 1):
        members, rows = np.flatnonzero(roles.fold == fold), np.flatnonzero(folds == fold)
        part = Mixture(mixture.weights[members] / mixture.weights[members].sum(), mixture.sharpness[members], mixture.final)
        logits = part.logits(np.stack([logits_of_member(network, k, samples.X[rows]) for k in members]), head)
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
    weighted = fit_mixture(network, folds, Samples(X, targets, repeats.astype(float)), head)
    repeated = fit_mixture(network, folds[rows], Samples(X[rows], targets[rows]), head)
    unweighted = fit_mixture(network, folds, Samples(X, targets), head)
    got, expected, other = (np.array([*m.weights, *m.sharpness, m.final]) for m in (weighted, repeated, unweighted))
    assert_allclose(got, expected, rtol=2e-3)
    assert np.abs(got / other - 1).max() > 0.02


# The phase on all rows


def test_members_leave_out_folds_for_two_fifths_of_the_epochs_and_then_see_all_rows(monkeypatch):
    seen = []
    monkeypatch.setattr(steps, "cut", lambda order, size: seen.append(order.copy()) or cut(order, size))
    clf = quick_committee(n_members=8, max_iter=5).fit(MANY_X, MANY_y)
    everyone = np.arange(len(MANY_X))
    of_all = [all(np.array_equal(np.sort(rows), everyone) for rows in order) for order in seen]
    assert of_all == [False, False, True, True, True]
    assert len(clf.loss_curve_) == 5


def test_members_leave_out_their_folds_to_the_end_with_early_stopping(monkeypatch):
    seen = []
    monkeypatch.setattr(steps, "cut", lambda order, size: seen.append(order.shape) or cut(order, size))
    clf = quick_committee(n_members=8, max_iter=5, n_iter_no_change=10, early_stopping=True).fit(MANY_X, MANY_y)
    assert len(seen) == 5 and len(set(seen)) == 1
    assert seen[0][1] < len(MANY_X) * (1 - clf.validation_fraction)
    assert np.ptp(clf._model.mixture.weights) > 0


def test_the_mixture_is_fitted_on_out_of_fold_predictions(monkeypatch):
    """Members that have seen a row do not judge it: the mixture is fitted once, before they do."""
    events, record = [], Run.record
    monkeypatch.setattr(Run, "record", lambda *args: events.append("epoch") or record(*args))
    monkeypatch.setattr(committee, "fit_mixture", lambda *args: events.append("mixture") or fit_mixture(*args))
    quick_committee(n_members=8, max_iter=5).fit(MANY_X, MANY_y)
    assert events == ["epoch"] * 2 + ["mixture"] + ["epoch"] * 3


# The switch to the better strength


def mixture_of(light, strong, light_binned, strong_binned, n_members=8):
    """A mixture with these weights of the kinds (not yet normalised), and a different sharpness for each kind."""
    roles = Roles.of(n_members)
    weights = np.array([light, strong, light_binned, strong_binned])[roles.kind]
    return Mixture(weights / weights.sum(), np.array([1.0, 2.0, 3.0, 4.0])[roles.kind], 1.1)


def test_a_half_switches_to_the_strength_that_is_clearly_better_and_otherwise_keeps_both():
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
def test_members_switch_to_the_dropout_and_weight_decay_that_did_better_out_of_fold(monkeypatch, ema_decay):
    monkeypatch.setattr(committee, "fit_mixture", lambda *args: mixture_of(1, 3, 2, 1))
    planned, plan = [], Committee.plan
    monkeypatch.setattr(Committee, "plan", lambda *args, **kwargs: planned.append(plan(*args, **kwargs)) or planned[-1])
    clf = quick_committee(n_members=8, warm_start=True, ema_decay=ema_decay).fit(MANY_X, MANY_y)
    strong, light = recipe.DROPOUT["strong"], recipe.DROPOUT["light"]
    assert_array_equal(planned[0].dropout, np.tile(np.repeat([strong, light], 4), (2, 1)))
    decays = np.repeat([recipe.WEIGHT_DECAY["strong"], recipe.WEIGHT_DECAY["light"]], 4)
    assert clf._optimizer.weight_decay == clf._model.network.decays(decays)
    assert set(clf._model.mixture.sharpness) == {2.0, 3.0}


def test_members_with_equal_dropout_and_weight_decay_do_not_switch(monkeypatch):
    mixture = mixture_of(1, 3, 2, 1)
    monkeypatch.setattr(committee, "fit_mixture", lambda *args: mixture)
    assert quick_committee(n_members=8, dropout=0.2, weight_decay=0.1).fit(MANY_X, MANY_y)._model.mixture is mixture
