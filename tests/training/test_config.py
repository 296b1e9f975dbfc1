"""The values that "auto" stands for with each solver and number of rows, and the network made from them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_classification

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data.preprocessing import FLOAT32_ROWS
from sksoftmax.layout import Layout
from sksoftmax.nn.network import Architecture, Network
from sksoftmax.training.config import (
    ALL_FOLD_EPOCHS_BELOW_ROWS,
    BATCH_SIZE,
    BATCH_SIZE_OF_SMALL,
    DOUBLE_BATCH_FROM_ROWS,
    DROPOUT,
    DROPOUT_OF_ONE,
    EIGHT_MEMBERS_BELOW_ROWS,
    EPOCHS,
    EPOCHS_OF_ONE,
    EPOCHS_OF_SMALL,
    FULL_STRENGTH_UP_TO_ROWS,
    LARGEST_BATCH,
    MAX_STEPS,
    MIN_STEPS,
    MIN_STEPS_OF_WIDE,
    NO_DROPOUT_BELOW_ROWS,
    ROWS_OF_WIDE,
    WEIGHT_DECAY,
    WEIGHT_DECAY_OF_ONE,
    WIDE_FROM_COLUMNS,
    TrainingConfig,
    new_network,
    planned_fold_epochs,
)
from sksoftmax.training.ensemble import Roles
from support.marks import SOLVERS, STEPWISE
from support.networks import fitted_preprocessor

SIZES = [
    1,
    10,
    NO_DROPOUT_BELOW_ROWS - 1,
    NO_DROPOUT_BELOW_ROWS,
    200,
    1499,
    1500,
    DOUBLE_BATCH_FROM_ROWS - 1,
    DOUBLE_BATCH_FROM_ROWS,
    1_000_000,
]


def options_of(n_samples=1000, network=None, **params):
    return TrainingConfig.resolve(SoftmaxMLPClassifier(**params).get_params(deep=False), n_samples, network)


# Members


@pytest.mark.parametrize(
    "n_samples, n_members",
    [
        (1, 4),
        (NO_DROPOUT_BELOW_ROWS - 1, 4),
        (NO_DROPOUT_BELOW_ROWS, 8),
        (EIGHT_MEMBERS_BELOW_ROWS - 1, 8),
        (EIGHT_MEMBERS_BELOW_ROWS, 4),
        (10**6, 4),
    ],
)
def test_n_members_auto_is_largest_for_hundreds_of_rows(n_samples, n_members):
    assert options_of(n_samples).n_members == n_members


@pytest.mark.parametrize("n_samples", SIZES)
@pytest.mark.parametrize("params", [{"solver": "sgd"}, {"solver": "lbfgs"}, {"hidden_layer_sizes": ()}], ids=str)
def test_n_members_auto_is_1_for_other_solvers_and_softmax_regression(params, n_samples):
    assert options_of(n_samples, **params).n_members == 1


@STEPWISE
@pytest.mark.parametrize("n_members", [1, 4, 32])
def test_n_members_given_as_a_number_is_used(solver, n_members):
    assert options_of(solver=solver, n_members=n_members).n_members == n_members


@pytest.mark.parametrize("n_members", [1, 4, 16])
@pytest.mark.parametrize("n_samples", SIZES)
def test_warm_start_and_partial_fit_keep_n_members_and_their_roles(n_samples, n_members):
    network = Network.zeros(Architecture(Layout(3), (128, 128), 2, ("relu", "relu"), n_members), np.float64)
    options = options_of(n_samples, network)
    assert options.n_members == n_members
    assert options.weight_decay.shape == (n_members,)
    assert options.dropout.shape == (2, n_members)


# Steps


@pytest.mark.parametrize("n_samples", SIZES)
def test_batch_size_is_never_larger_than_the_number_of_rows(n_samples):
    assert options_of(n_samples, parametrization="standard").batch_size == min(200, n_samples)
    assert options_of(n_samples, batch_size=50).batch_size == min(50, n_samples)


@pytest.mark.parametrize(
    "n_samples, batch_size",
    [
        (NO_DROPOUT_BELOW_ROWS - 1, NO_DROPOUT_BELOW_ROWS - 1),
        (NO_DROPOUT_BELOW_ROWS, NO_DROPOUT_BELOW_ROWS),
        (2 * BATCH_SIZE, BATCH_SIZE),
        (DOUBLE_BATCH_FROM_ROWS - 1, BATCH_SIZE),
        (DOUBLE_BATCH_FROM_ROWS, 2 * BATCH_SIZE),
        (35_000, 250),  # 50 epochs in 7,000 steps
        (10**6, LARGEST_BATCH),  # 3 epochs
        (10**8, 10**8 // MAX_STEPS),  # one epoch
    ],
)
def test_batch_size_auto_is_all_of_few_rows_and_larger_for_many(n_samples, batch_size):
    assert options_of(n_samples).batch_size == batch_size


@pytest.mark.parametrize(("params", "is_partial"), [({"max_iter": 5}, False), ({}, True)], ids=["max_iter", "partial_fit"])
def test_batches_do_not_grow_beside_a_given_number_of_epochs(params, is_partial):
    given = SoftmaxMLPClassifier(**params).get_params(deep=False)
    assert TrainingConfig.resolve(given, 10**6, is_partial=is_partial).batch_size == 2 * BATCH_SIZE


@STEPWISE
@pytest.mark.parametrize("n_samples", SIZES)
@pytest.mark.parametrize("batch_size", ["auto", 1, 500])
def test_max_iter_auto_is_constant_unless_its_steps_are_too_few_or_too_many(solver, n_samples, batch_size):
    options = options_of(n_samples, solver=solver, batch_size=batch_size)
    n_batches = max(1, round(n_samples / options.batch_size))
    assert isinstance(options.max_iter, int)
    assert options.max_iter >= 1
    assert options.max_iter * n_batches >= MIN_STEPS or options.max_iter * n_batches > MAX_STEPS - n_batches
    assert options.max_iter * n_batches <= MAX_STEPS or options.max_iter in (1, -(-MIN_STEPS // n_batches))
    epochs = EPOCHS_OF_ONE if options.n_members == 1 else EPOCHS
    if MIN_STEPS <= epochs * n_batches <= MAX_STEPS:
        assert options.max_iter == epochs


@pytest.mark.parametrize("n_members", [1, 8])
def test_many_small_classes_have_larger_batches_and_more_epochs(n_members):
    params = SoftmaxMLPClassifier(n_members=n_members).get_params(deep=False)
    options = TrainingConfig.resolve(params, 1000, small_classes=True)
    assert (options.batch_size, options.max_iter) == (BATCH_SIZE_OF_SMALL, EPOCHS_OF_SMALL)
    assert TrainingConfig.resolve(params, 10**6, small_classes=True).max_iter == 1  # the limit on steps holds
    given = SoftmaxMLPClassifier(n_members=n_members, batch_size=32, max_iter=7).get_params(deep=False)
    assert vars(TrainingConfig.resolve(given, 1000, small_classes=True))["batch_size"] == 32
    assert TrainingConfig.resolve(given, 1000, small_classes=True).max_iter == 7


@pytest.mark.parametrize(
    "n_samples, n_columns, is_wide",
    [(60, WIDE_FROM_COLUMNS + 1, True), (60, WIDE_FROM_COLUMNS, False), (ROWS_OF_WIDE, WIDE_FROM_COLUMNS + 1, False)],
)
def test_few_rows_of_very_many_columns_train_one_network_for_fewer_steps(n_samples, n_columns, is_wide):
    params = SoftmaxMLPClassifier().get_params(deep=False)
    options = TrainingConfig.resolve(params, n_samples, n_columns=n_columns)
    assert (options.n_members == 1) == is_wide
    assert (options.max_iter == MIN_STEPS_OF_WIDE) == is_wide
    network = Network.zeros(Architecture(Layout(3), (128, 128), 2, ("relu", "relu"), 4), np.float64)
    assert TrainingConfig.resolve(params, n_samples, network, n_columns=n_columns).n_members == 4


@pytest.mark.parametrize("max_iter, on_folds", [(1, 1), (2, 1), (5, 2), (50, 25)])
@pytest.mark.parametrize("n_members", [1, 4])
def test_half_of_max_iter_or_three_tenths_on_large_data_leaves_out_folds_unless_validation_ends_training(
    n_members, max_iter, on_folds
):
    config, folds = options_of(n_members=n_members, max_iter=max_iter), np.zeros(1)
    assert planned_fold_epochs(config, folds, None, ALL_FOLD_EPOCHS_BELOW_ROWS) == on_folds
    assert planned_fold_epochs(config, folds, None, DOUBLE_BATCH_FROM_ROWS) == max(1, round(0.3 * max_iter))
    assert planned_fold_epochs(config, folds, "rows", ALL_FOLD_EPOCHS_BELOW_ROWS) == max_iter
    assert planned_fold_epochs(config, folds, None, ALL_FOLD_EPOCHS_BELOW_ROWS - 1) == (on_folds if n_members == 1 else max_iter)
    assert planned_fold_epochs(config, None, None, ALL_FOLD_EPOCHS_BELOW_ROWS) == 0


@pytest.mark.parametrize("n_distinct", [60, 300, 2000, 20_000])
@pytest.mark.parametrize("n_members", [1, "auto"])
def test_copies_of_rows_change_neither_max_iter_in_steps_nor_any_other_auto(n_distinct, n_members):
    params = SoftmaxMLPClassifier(n_members=n_members).get_params(deep=False)
    once, copied = (
        TrainingConfig.resolve(params, n_distinct),
        TrainingConfig.resolve(params, 10 * n_distinct, n_distinct=n_distinct),
    )
    for name in ("n_members", "batch_size"):
        assert getattr(once, name) == getattr(copied, name)
    assert_array_equal(once.dropout, copied.dropout)
    assert_array_equal(once.weight_decay, copied.weight_decay)
    steps = [r.max_iter * max(1, round(n / r.batch_size)) for r, n in ((once, n_distinct), (copied, 10 * n_distinct))]
    assert steps[1] == pytest.approx(steps[0], rel=0.12)


@pytest.mark.parametrize(
    "params, expected",
    [
        ({}, True),
        ({"solver": "sgd"}, True),
        ({"max_iter": 30}, True),
        ({"learning_rate": "constant"}, True),
        ({"learning_rate": "constant", "max_iter": 30}, False),
        ({"max_iter": 1}, False),
        ({"ema_decay": 0.9}, False),
        ({"solver": "lbfgs"}, False),
    ],
    ids=str,
)
def test_one_network_has_folds_only_if_the_end_of_its_training_is_planned(params, expected):
    resolved = options_of(n_members=1, **params)
    assert resolved.has_folds(validation=None) is expected
    assert not resolved.has_folds(validation="rows")
    assert options_of(n_members=4, **({} if "solver" in params else params)).has_folds(validation="rows")


@pytest.mark.parametrize("n_samples", SIZES)
def test_max_iter_auto_of_lbfgs_is_200(n_samples):
    assert options_of(n_samples, solver="lbfgs").max_iter == 200


@SOLVERS
def test_max_iter_given_as_a_number_is_used(solver):
    assert options_of(10**6, solver=solver, max_iter=7).max_iter == 7


# Regularization


def test_each_kind_of_member_has_its_dropout_and_weight_decay():
    roles = Roles.of(8)
    options = options_of(200)
    for dropout in options.dropout:
        assert_array_equal(dropout[~roles.strong], DROPOUT["light"])
        assert_array_equal(dropout[roles.strong & ~roles.binned], DROPOUT["strong"])
        assert_array_equal(dropout[roles.strong & roles.binned], DROPOUT["strong_binned"])
    assert_array_equal(options.weight_decay, np.where(roles.strong, WEIGHT_DECAY["strong"], WEIGHT_DECAY["light"]))


@pytest.mark.parametrize("params", [{}, {"n_members": 1}, {"solver": "sgd"}], ids=str)
@pytest.mark.parametrize("times", [1, 4, 25])
def test_dropout_and_weight_decay_auto_weaken_with_the_root_of_the_number_of_rows(params, times):
    few, many = (options_of(n_samples, **params) for n_samples in (FULL_STRENGTH_UP_TO_ROWS, times * FULL_STRENGTH_UP_TO_ROWS))
    for name in ("dropout", "weight_decay"):
        assert_allclose(getattr(many, name), np.divide(getattr(few, name), times**0.5))


@pytest.mark.parametrize("params", [{}, {"n_members": 1}, {"n_members": 8}, {"solver": "sgd"}], ids=str)
def test_dropout_auto_is_0_on_few_rows(params):
    assert not options_of(NO_DROPOUT_BELOW_ROWS - 1, **params).dropout.any()
    assert np.all(options_of(NO_DROPOUT_BELOW_ROWS, **params).dropout)


@pytest.mark.parametrize("params", [{"n_members": 1}, {"solver": "sgd"}, {"hidden_layer_sizes": ()}], ids=str)
def test_one_network_has_its_own_dropout_and_weight_decay(params):
    options = options_of(**params)
    assert set(options.dropout.ravel()) == {DROPOUT_OF_ONE}
    assert set(options.weight_decay) == {0.0 if params.get("solver") == "sgd" else WEIGHT_DECAY_OF_ONE}


@pytest.mark.parametrize("n_samples", SIZES)
def test_lbfgs_has_neither_dropout_nor_weight_decay(n_samples):
    options = options_of(n_samples, solver="lbfgs")
    assert not options.dropout.any() and not options.weight_decay.any()


@pytest.mark.parametrize("n_members", ["auto", 1, 4])
def test_a_given_dropout_and_weight_decay_hold_for_all_members(n_members):
    options = options_of(n_members=n_members, dropout=0.4, weight_decay=0.01)
    assert (set(options.dropout.ravel()), set(options.weight_decay)) == ({0.4}, {0.01})
    assert not options.members_differ
    for of_layer, rate in zip(options_of(n_members=n_members, dropout=[0.4, 0.1]).dropout, (0.4, 0.1)):
        assert set(of_layer) == {rate}


def test_parameters_that_are_not_auto_are_unchanged():
    params = SoftmaxMLPClassifier().get_params(deep=False)
    config = vars(TrainingConfig.resolve(params, 1000))
    autos = {name for name, value in params.items() if isinstance(value, str) and value == "auto"}
    changed = {name for name in set(params) & set(config) if config[name] is not params[name]}
    assert changed == autos - {"early_stopping", "dtype", "out_activation", "companion", "relevance", "target_type"}
    assert set(config) - set(params) == {
        "hidden",
        "activations",
        "activation_of_output",
        "fewest_fold_rows",
        "has_planned_length",
    }


def test_fit_does_not_change_parameters_that_are_auto():
    X, y = make_classification(60, 4, random_state=0)
    clf = SoftmaxMLPClassifier(max_iter=1)
    before = clf.get_params()
    assert clf.fit(X, y).get_params() == before


@pytest.mark.parametrize(
    "n_rows, n_members", [(NO_DROPOUT_BELOW_ROWS - 1, 4), (NO_DROPOUT_BELOW_ROWS, 8), (EIGHT_MEMBERS_BELOW_ROWS, 4)]
)
def test_fit_trains_what_the_recipe_says(n_rows, n_members):
    X, y = make_classification(n_rows, 4, random_state=0)
    clf = SoftmaxMLPClassifier((4,), random_state=0).fit(X, y)
    assert clf.coefs_[0].shape[0] == n_members
    assert clf.n_iter_ == options_of(n_rows).max_iter
    assert clf.coefs_[0].dtype == (np.float64 if n_rows < FLOAT32_ROWS else np.float32)


# The network


def network_of(n_bins=4, n_members=4, parametrization="ntk", scaling="robust", seed=0):
    X = np.random.RandomState(0).normal(size=(50, 3))
    preprocessor = fitted_preprocessor(X, scaling, n_bins=n_bins)
    config = options_of(n_members=n_members, hidden_layer_sizes=(6,), parametrization=parametrization)
    return new_network(config, preprocessor, 3, np.float32, np.random.RandomState(seed)), preprocessor


@pytest.mark.parametrize("parametrization", ["ntk", "standard"])
def test_the_first_half_of_n_members_skips_the_bins(parametrization):
    network, preprocessor = network_of(parametrization=parametrization)
    assert network.architecture.layer_sizes == (preprocessor.layout.n_bins + 3, 6, 3)
    assert network.architecture.n_without_bins == 2
    first = network.coefs[0]
    assert not first[:2, : preprocessor.layout.n_bins].any()
    assert first[:2, preprocessor.layout.n_bins :].all()
    assert first[2:].all()


@pytest.mark.parametrize("params", [{"n_bins": 0}, {"n_members": 1}, {"scaling": None}], ids=str)
def test_nothing_is_skipped_without_n_bins_or_n_members(params):
    network, _ = network_of(**params)
    assert network.architecture.n_without_bins == 0


@pytest.mark.parametrize("n_members", [1, 4])
def test_parametrization_ntk_gives_equal_probabilities_before_training(n_members):
    network, _ = network_of(n_members=n_members)
    assert not network.coefs[-1].any()
    assert not network.intercepts[-1].any()
    assert network.intercepts[0].all()


def test_initial_weights_follow_random_state_and_differ_between_members():
    one, same, other = (network_of(seed=seed)[0].parameters for seed in (0, 0, 1))
    assert_array_equal(one, same)
    assert (one != other).any()
    first = network_of()[0].coefs[0][:, -1]
    assert len(np.unique(first)) == first.size


def few_rows_of_many_classes(n_classes):
    """Five rows to train on, and five others, of each class: centers with normal noise, in 64 columns."""
    rng = np.random.RandomState(0)
    centers, y = rng.standard_normal((n_classes, 64)), np.repeat(np.arange(n_classes), 5)
    train, test = (centers[y] + 1.2 * rng.standard_normal((len(y), 64)) for _ in range(2))
    return train, test, y


def test_one_network_learns_many_classes_of_few_rows():
    train, test, y = few_rows_of_many_classes(200)
    assert SoftmaxMLPClassifier(n_members=1, random_state=0).fit(train, y).score(test, y) > 0.8  # MLPClassifier: .84


@pytest.mark.nightly
def test_the_default_learns_many_classes_of_few_rows():
    train, test, y = few_rows_of_many_classes(200)
    assert SoftmaxMLPClassifier(random_state=0).fit(train, y).score(test, y) > 0.94


def test_partial_fit_of_few_rows_keeps_the_batch_size():
    train, _, y = few_rows_of_many_classes(30)
    clf = SoftmaxMLPClassifier((8,), n_members=1, random_state=0)
    assert clf.partial_fit(train, y, classes=np.unique(y)).batch_size_ == BATCH_SIZE
    assert clf.fit(train, y).batch_size_ == len(train)
