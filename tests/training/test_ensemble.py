"""Ensembles from the inside: roles, folds, weights, calibration, and the switch to the better strength."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data.heads import MultilabelHead
from sksoftmax.data.rows import Samples
from sksoftmax.nn.ensemble_weights import EnsembleWeights
from sksoftmax.training import config, ensemble, steps
from sksoftmax.training.config import TrainingConfig
from sksoftmax.training.ensemble import (
    FOLD_ROWS,
    FOLD_ROWS_OF_ONE,
    FOLDS_OF_FEW,
    EnsemblePlan,
    Roles,
    better_strengths,
    folds_of,
    rows_of_members,
    stratified_folds,
)
from sksoftmax.training.progress import Progress
from sksoftmax.training.run import Run
from support.data import ENSEMBLE_X as X
from support.data import KINDS, MANY_X, MANY_y
from support.estimators import quick_ensemble
from support.networks import fitted_model, training_state
from support.processes import watch

SIZES = [4, 6, 8, 10, 16]


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


@pytest.mark.parametrize("n_members", [2, 3, 5, 7])
def test_of_an_odd_number_of_members_one_more_sees_no_bins_and_each_half_leaves_out_folds_of_its_own(n_members):
    roles = Roles.of(n_members)
    assert_array_equal(roles.binned, np.arange(n_members) >= (n_members + 1) // 2)
    for half in (roles.fold[roles.binned], roles.fold[~roles.binned]):
        assert_array_equal(half, np.arange(len(half)))


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


@pytest.mark.parametrize("n_members", [4, 8, 12, 16])
@pytest.mark.parametrize("n_others", [98, 99, 100, 101, 105])
def test_two_rows_of_a_rare_class_judge_all_four_kinds(n_members, n_others):
    fold = stratified_folds(np.repeat([0, 1], [n_others, 2]), n_members // 2, np.random.RandomState(0))
    roles = Roles.of(n_members)
    assert set(roles.kind[np.isin(roles.fold, fold[-2:])]) == {0, 1, 2, 3}


def test_folds_follow_the_generator():
    strata = np.arange(60) % 3
    one, same, other = (stratified_folds(strata, 4, np.random.RandomState(seed)) for seed in (0, 0, 1))
    assert_array_equal(one, same)
    assert (one != other).any()


def plan(strata, n_members=4):
    params = SoftmaxMLPClassifier((6,), n_members=n_members).get_params(deep=False)
    samples = Samples(np.empty((len(strata), 1)), None, strata=strata)
    return EnsemblePlan.of(TrainingConfig.resolve(params, len(strata)), samples, np.random.RandomState(0))


@pytest.mark.parametrize("n_members, least, n_folds", [(4, FOLD_ROWS, 2), (1, FOLD_ROWS_OF_ONE, FOLDS_OF_FEW)])
def test_only_enough_rows_are_dealt_into_folds(n_members, least, n_folds):
    assert plan(np.arange(least - 1) % 3, n_members=n_members).folds is None
    assert set(plan(np.arange(least) % 3, n_members=n_members).folds) == set(range(n_folds))


def test_one_network_leaves_out_one_fold():
    planned = plan(np.arange(FOLD_ROWS_OF_ONE) % 3, n_members=1)
    assert_array_equal(np.sort(planned.order), [np.flatnonzero(planned.folds != 0)])


def samples_in_groups(groups, labels=None):
    groups = np.asarray(groups)
    return Samples(np.empty((len(groups), 1)), None, strata=groups % 2 if labels is None else labels, groups=groups)


def test_no_group_is_divided_between_folds_and_groups_of_each_class_are_spread_evenly():
    groups = np.repeat(np.arange(40), np.arange(40) % 7 + 1)
    folds = folds_of(samples_in_groups(groups), 4, np.random.RandomState(0))
    of_group = [set(folds[groups == group]) for group in range(40)]
    assert {len(found) for found in of_group} == {1}
    for label in (0, 1):
        assert_array_equal(np.bincount([fold for group, (fold,) in enumerate(of_group) if group % 2 == label]), [5] * 4)


def test_a_class_that_one_group_alone_has_is_never_left_out():
    groups, labels = np.arange(120) % 6, np.where(np.arange(120) % 6 == 5, 1, 0)
    folds = folds_of(samples_in_groups(groups, labels), 4, np.random.RandomState(0))
    assert set(folds[groups == 5]) == {-1}
    assert set(folds[groups != 5]) == {0, 1, 2, 3}
    order = rows_of_members(folds, 8, 120, np.random.RandomState(0))
    assert all(np.isin(np.flatnonzero(groups == 5), rows).sum() > 10 for rows in order)


def test_a_group_with_most_rows_is_never_left_out():
    groups = np.r_[np.zeros(290, int), np.arange(1, 11)]
    folds = folds_of(samples_in_groups(groups, np.arange(300) % 2), 4, np.random.RandomState(0))
    assert set(folds[:290]) == {-1}
    assert rows_of_members(folds, 8, 300, np.random.RandomState(0)).shape[1] > 290


def test_fewer_groups_than_folds_leave_folds_empty_but_some_rows_are_left_out():
    folds = folds_of(samples_in_groups(np.arange(60) % 3, np.arange(60) // 30), 4, np.random.RandomState(0))
    assert len(set(folds)) == 3
    assert (rows_of_members(folds, 8, 60, np.random.RandomState(0)).shape) == (8, 40)


@pytest.mark.parametrize("groups", [np.zeros(60, int), np.arange(60) % 2], ids=["one group", "one for each class"])
def test_groups_that_cannot_be_left_out_are_warned_of(groups):
    with pytest.warns(UserWarning, match="No group can be left out, so probabilities are not calibrated"):
        assert folds_of(samples_in_groups(groups, np.arange(60) % 2), 4, np.random.RandomState(0)) is None


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
    watch(monkeypatch, ensemble, "stratified_folds", keep=taken.append)
    monkeypatch.setattr(MultilabelHead, "strata", lambda self, targets: np.zeros(len(targets)))
    first = quick_ensemble(n_members=8, shuffle=False, label_smoothing=0.0, relevance=None).fit(X, KINDS["multilabel"])
    changed = np.where((taken[0] == 1)[:, None], 1 - KINDS["multilabel"], KINDS["multilabel"])
    second = quick_ensemble(n_members=8, shuffle=False, label_smoothing=0.0, relevance=None).fit(X, changed)
    assert_array_equal(*taken)
    differs = np.array([(A != B).any(axis=(1, 2)) for A, B in zip(first.coefs_, second.coefs_)]).any(axis=0)
    assert_array_equal(differs, Roles.of(8).fold != 1)


# The phase on all rows


def test_members_leave_out_folds_for_half_of_the_epochs_and_then_see_all_rows(monkeypatch):
    seen = []
    watch(monkeypatch, steps, "cut", lambda order, size: seen.append(order.copy()))
    clf = quick_ensemble(n_members=8, max_iter=5).fit(MANY_X, MANY_y)
    everyone = np.arange(len(MANY_X))
    of_all = [all(np.array_equal(np.sort(rows), everyone) for rows in order) for order in seen]
    assert of_all == [False, False, True, True, True]
    assert len(clf.loss_curve_) == 5


def test_members_leave_out_their_folds_to_the_end_with_early_stopping(monkeypatch):
    seen = []
    watch(monkeypatch, steps, "cut", lambda order, size: seen.append(order.shape))
    clf = quick_ensemble(n_members=8, max_iter=5, n_iter_no_change=10, early_stopping=True).fit(MANY_X, MANY_y)
    assert len(seen) == 5 and len(set(seen)) == 1
    assert seen[0][1] < len(MANY_X) * (1 - clf.validation_fraction)
    assert np.ptp(clf.member_weights_) > 0


def test_the_mixture_is_fitted_on_out_of_fold_predictions(monkeypatch):
    """Members that have seen a row do not judge it: the ensemble is fitted once, before they do."""
    events = []
    watch(monkeypatch, Run, "record", lambda *args: events.append("epoch"))
    watch(monkeypatch, ensemble, "fit_ensemble_weights", lambda *args: events.append("ensemble"))
    quick_ensemble(n_members=8, max_iter=5).fit(MANY_X, MANY_y)
    assert events == ["epoch"] * 2 + ["ensemble"] + ["epoch"] * 3


def test_with_early_stopping_the_mixture_is_fitted_before_each_epoch_is_scored_and_at_no_other_time(monkeypatch, limits):
    """On a sample of the rows that is smaller than that of the ensemble which is fitted once."""
    events = []
    watch(monkeypatch, Progress, "record_scored", lambda *args: events.append("score"))
    watch(monkeypatch, ensemble, "fit_ensemble_weights", lambda *args: events.append(args[-1]))
    limits(MAX_CALIBRATION_ROWS_OF_EPOCH=300)
    quick_ensemble(n_members=8, max_iter=3, n_iter_no_change=10, early_stopping=True).fit(MANY_X, MANY_y)
    assert events == [300, "score"] * 3


# The switch to the better strength


def ensemble_of(light, strong, light_binned, strong_binned, n_members=8):
    """A ensemble with these weights of the kinds (not yet normalized), and a different sharpness for each kind."""
    roles = Roles.of(n_members)
    weights = np.array([light, strong, light_binned, strong_binned])[roles.kind]
    return EnsembleWeights(weights / weights.sum(), np.array([1.0, 2.0, 3.0, 4.0])[roles.kind], 1.1, np.array([0.1, 0.0, -0.1]))


def test_a_half_switches_to_the_strength_that_is_clearly_better_and_otherwise_keeps_both():
    roles = Roles.of(8)
    model = better_strengths(roles, ensemble_of(3, 1, 1, 1.4))
    assert set(roles.kind[model[~roles.binned]]) == {0}
    assert_array_equal(model[roles.binned], np.flatnonzero(roles.binned))
    assert set(roles.kind[better_strengths(roles, ensemble_of(1, 1, 1, 1.6))[roles.binned]]) == {3}


def test_members_of_one_model_share_their_weights_and_its_sharpness():
    ensemble_weights, roles = ensemble_of(3, 1, 1, 1.4), Roles.of(8)
    alike = ensemble_weights.with_members_like(better_strengths(roles, ensemble_weights))
    for half in (roles.binned, ~roles.binned):
        assert_allclose(alike.weights[half].sum(), ensemble_weights.weights[half].sum())
    assert np.ptp(alike.weights[~roles.binned]) == 0 and set(alike.inverse_temperatures[~roles.binned]) == {1.0}
    assert_array_equal(alike.weights[roles.binned], ensemble_weights.weights[roles.binned])
    assert alike.inverse_temperature == ensemble_weights.inverse_temperature and alike.bias is ensemble_weights.bias


@pytest.fixture
def strong_is_better(monkeypatch):
    """The weights that every fit of an ensemble finds, by which the strong members without bins are clearly better."""
    found = ensemble_of(1, 3, 2, 1)
    monkeypatch.setattr(ensemble, "fit_ensemble_weights", lambda *args: found)
    return found


@pytest.mark.parametrize("ema_decay", [0.0, 0.5])
def test_members_switch_to_the_dropout_and_weight_decay_that_did_better_out_of_fold(strong_is_better, monkeypatch, ema_decay):
    planned = []
    watch(monkeypatch, EnsemblePlan, "of", keep=planned.append)
    clf = quick_ensemble(n_members=8, warm_start=True, ema_decay=ema_decay).fit(MANY_X, MANY_y)
    strong, light = config.DROPOUT["strong"], config.DROPOUT["light"]
    assert_array_equal(planned[0].dropout, np.tile(np.repeat([strong, light], 4), (2, 1)))
    decays = np.repeat([config.WEIGHT_DECAY["strong"], config.WEIGHT_DECAY["light"]], 4)
    assert training_state(clf).optimizer.weight_decay == fitted_model(clf).network.decays(decays)
    assert set(clf.member_temperatures_) == {1 / 2, 1 / 3}


def test_members_with_equal_dropout_and_weight_decay_do_not_switch(strong_is_better):
    clf = quick_ensemble(n_members=8, dropout=0.2, weight_decay=0.1).fit(MANY_X, MANY_y)
    assert_array_equal(clf.member_weights_, strong_is_better.weights)
    assert_array_equal(clf.member_temperatures_, 1 / strong_is_better.inverse_temperatures)
