"""A large X: encoded as it is read, never copied, and the same model as from an encoded copy."""

import gc
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.nn.network import Network, Workspace
from sksoftmax.training.run import Run
from support.estimators import plain
from support.processes import is_read_in_random_order, peak_of
from support.weights import assert_same_weights

RNG = np.random.default_rng(0)
N = 240
NUMBERS = RNG.normal(size=(N, 4)).astype(np.float32)
y = (NUMBERS[:, 0] + NUMBERS[:, 1] ** 2 > 0.5).astype(int) + (NUMBERS[:, 2] > 1)
THIN = np.where(NUMBERS > 0.5, NUMBERS, 0)
GAPS = np.where(RNG.random(NUMBERS.shape) < 0.1, np.nan, NUMBERS)
FRAME = pd.DataFrame(GAPS, columns=list("abcd")).assign(color=RNG.choice(["red", "blue", "green"], N), sign=NUMBERS[:, 3] > 0)
ZERO_WEIGHTS = RNG.integers(0, 3, N).astype(float)
QUICK = {"hidden_layer_sizes": (6, 5), "max_iter": 3, "n_bins": 8, "random_state": 0}
ALONE = {**QUICK, "n_members": 1}
LBFGS = {**ALONE, "solver": "lbfgs", "max_iter": 8}


def quick_default(**params):
    return SoftmaxMLPClassifier(**{**QUICK, **params})


def assert_same_bits(one, other, X):
    assert_same_weights(one, other)
    assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    assert one.loss_curve_ == other.loss_curve_
    assert one.validation_scores_ == other.validation_scores_


# Fits


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize(
    ("params", "X", "given"),
    [
        (QUICK, NUMBERS, {}),
        (QUICK, GAPS, {}),
        (QUICK, FRAME, {}),
        (QUICK, np.asfortranarray(NUMBERS), {"sample_weight": ZERO_WEIGHTS}),
        ({**QUICK, "early_stopping": True}, FRAME, {"sample_weight": ZERO_WEIGHTS}),
        ({**QUICK, "early_stopping": True, "scoring": "balanced_accuracy"}, NUMBERS, {}),
        ({**QUICK, "early_stopping": True}, NUMBERS, {"X_val": NUMBERS[::3], "y_val": y[::3]}),
        ({**QUICK, "class_weight": {0: 0.0, 2: 3.0}}, NUMBERS, {}),
        (ALONE, GAPS, {}),
        ({**ALONE, "solver": "sgd", "scaling": "standard", "class_weight": "balanced"}, NUMBERS, {}),
        ({**ALONE, "scaling": None}, NUMBERS, {}),
        ({**ALONE, "scaling": None, "dtype": "float64", "shuffle": False}, NUMBERS, {}),
        (LBFGS, FRAME, {"sample_weight": ZERO_WEIGHTS}),
        ({**LBFGS, "early_stopping": True}, NUMBERS, {}),
        (QUICK, csr_array(THIN), {}),
        ({**QUICK, "early_stopping": True}, csr_array(THIN), {"sample_weight": ZERO_WEIGHTS}),
    ],
)
def test_rows_encoded_as_they_are_read_give_the_same_model_as_a_copy(params, X, given, limits):
    copied = SoftmaxMLPClassifier(**params).fit(X, y, **given)
    limits(COPY_BYTES=0)
    assert_same_bits(SoftmaxMLPClassifier(**params).fit(X, y, **given), copied, X)


@pytest.mark.parametrize("kind", [np.asarray, csr_array])
def test_partial_fit_encodes_its_rows_as_they_are_read(kind, limits):
    def after_two_calls():
        clf = quick_default(early_stopping="auto").partial_fit(NUMBERS[:100], y[:100], classes=[0, 1, 2])
        return clf.partial_fit(kind(NUMBERS[100:]), y[100:], X_val=kind(NUMBERS[:30]), y_val=y[:30])

    copied = after_two_calls()
    limits(COPY_BYTES=0)
    assert_same_bits(after_two_calls(), copied, NUMBERS)


def test_a_plain_model_does_not_depend_on_where_its_rows_are(limits):
    limits(COPY_BYTES=0)
    clf = plain(max_iter=3, random_state=0, n_iter_no_change=3)
    with pytest.warns(match="hasn't converged"):
        clf.fit(NUMBERS, y)
    limits(COPY_BYTES=2**28)
    with pytest.warns(match="hasn't converged"):
        assert_same_bits(clf, plain(max_iter=3, random_state=0, n_iter_no_change=3).fit(NUMBERS, y), NUMBERS)


@pytest.mark.parametrize("weights", [None, ZERO_WEIGHTS])
def test_lbfgs_adds_up_the_gradient_of_one_part_after_the_other(weights, limits):
    limits(COPY_BYTES=0)

    def fit():
        return SoftmaxMLPClassifier(**{**LBFGS, "dtype": "float64", "alpha": 0.1}).fit(NUMBERS, y, weights)

    with pytest.warns(match="lbfgs failed to converge"):
        whole = fit()
        limits(PART_NUMBERS=1000, GRADIENT_ROWS=100)
        in_parts = fit()
    assert_allclose(in_parts.loss_curve_, whole.loss_curve_, rtol=1e-9)
    assert_allclose(in_parts.predict_proba(NUMBERS), whole.predict_proba(NUMBERS), rtol=1e-6)


# Memory


@pytest.fixture
def in_a_file(tmp_path, limits):
    """8 MB of float32 in a file, with all limits as much smaller as the file is."""
    limits(COPY_BYTES=2**18, BLOCK=2**15, COLUMN_NUMBERS=2**19, SAMPLE_ROWS=100, MAX_FOREST_ROWS=100, MOST_NEAR=100)
    limits(PART_NUMBERS=2**18, READ_NUMBERS=2**16, GRADIENT_ROWS=256, CHUNK_NUMBERS=2**18, MAX_CALIBRATION_ROWS=500)
    limits(MAX_NUMBERS=2**14)
    X = np.memmap(tmp_path / "X", dtype=np.float32, mode="w+", shape=(10_000, 200))
    X[...] = np.random.default_rng(0).standard_normal(X.shape, dtype=np.float32)
    X[-1, 7] = np.nan
    return X


MEMORY_CASES = {
    "ensemble": {},
    "one network": {"n_members": 1},
    "lbfgs": {"n_members": 1, "solver": "lbfgs", "max_iter": 1, "batch_size": "auto"},
    "early stopping": {"n_members": 1, "early_stopping": True},
    "zero weights": {"n_members": 1, "class_weight": {0: 0.0}},
    "without scaling": {"n_members": 1, "scaling": None, "dtype": "float64"},
}
SMALL_BATCHES = {"batch_size": 50, "n_bins": 2, "random_state": 0}


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("name", MEMORY_CASES)
def test_fit_on_a_file_takes_a_fraction_of_its_size_in_memory(in_a_file, name):
    X, weights = in_a_file, None
    if name == "without scaling":
        X[-1, 7] = 0
    if name == "zero weights":
        weights = np.arange(len(X)) % 5
    labels = np.arange(len(X)) % 3
    clf = SoftmaxMLPClassifier((4,), **{**SMALL_BATCHES, "max_iter": 1, **MEMORY_CASES[name]})
    assert peak_of(lambda: clf.fit(X, labels, weights)) < X.nbytes / 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("shuffle", [True, False])
def test_fit_tells_the_system_in_which_order_it_reads_a_file(in_a_file, shuffle):
    told = []

    def rate(progress):
        if len(told) < 3:
            told.append(is_read_in_random_order(in_a_file))
        return 1.0

    clf = SoftmaxMLPClassifier((4,), **SMALL_BATCHES, n_members=1, max_iter=1, shuffle=shuffle, learning_rate=rate)
    clf.fit(in_a_file, np.arange(len(in_a_file)) % 3)
    assert told and all(answer == shuffle for answer in told)
    assert not is_read_in_random_order(in_a_file)


def test_partial_fit_and_predict_on_a_file_take_a_fraction_of_its_size_in_memory(in_a_file):
    labels = np.arange(len(in_a_file)) % 3
    clf = SoftmaxMLPClassifier((4,), **SMALL_BATCHES)
    assert peak_of(lambda: clf.partial_fit(in_a_file, labels, classes=[0, 1, 2])) < in_a_file.nbytes / 2
    assert peak_of(lambda: clf.predict(in_a_file)) < in_a_file.nbytes / 2


@pytest.fixture
def no_tidying_up():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("scoring", ["accuracy", "balanced_accuracy"])
def test_training_leaves_nothing_behind_that_only_the_garbage_collector_would_find(no_tidying_up, scoring):
    def alive(kind):
        return sum(isinstance(thing, kind) for thing in gc.get_objects())

    before = {kind: alive(kind) for kind in (Run, Workspace, Network)}
    clf = quick_default(early_stopping=True, scoring=scoring).fit(NUMBERS, y)
    for _ in range(2):
        clf.partial_fit(NUMBERS, y, X_val=NUMBERS, y_val=y)
    assert {kind: alive(kind) for kind in before} == {**before, Network: before[Network] + 1}


# Statistics of a sample


def test_the_mixture_is_fitted_on_a_sample_of_many_rows(limits):
    whole = quick_default().fit(NUMBERS, y)
    limits(MAX_CALIBRATION_ROWS=N // 2)
    some = quick_default().fit(NUMBERS, y)
    assert_same_weights(some, whole)
    assert not np.array_equal(some.member_weights_, whole.member_weights_)
    assert some.member_weights_.sum() == pytest.approx(1)
    assert_allclose(some.predict_proba(NUMBERS), whole.predict_proba(NUMBERS), atol=0.15)
