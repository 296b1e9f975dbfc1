"""Large X: encoded as it is read, never copied, and the same model as from an encoded copy."""

import gc
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from neutral import plain
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data import preprocessing, relevance, rows
from sksoftmax.data.columns import Categories
from sksoftmax.data.preprocessing import Preprocessor
from sksoftmax.data.rows import Rows, is_large, read, row_numbers, spread
from sksoftmax.nn.network import Memory, Network
from sksoftmax.training import committee, run

RNG = np.random.default_rng(0)
N = 240
NUMBERS = RNG.normal(size=(N, 4)).astype(np.float32)
y = (NUMBERS[:, 0] + NUMBERS[:, 1] ** 2 > 0.5).astype(int) + (NUMBERS[:, 2] > 1)
GAPS = np.where(RNG.random(NUMBERS.shape) < 0.1, np.nan, NUMBERS)
FRAME = pd.DataFrame(GAPS, columns=list("abcd")).assign(colour=RNG.choice(["red", "blue", "green"], N), sign=NUMBERS[:, 3] > 0)
ZERO_WEIGHTS = RNG.integers(0, 3, N).astype(float)
QUICK = {"hidden_layer_sizes": (6, 5), "max_iter": 3, "n_bins": 8, "random_state": 0}
ALONE = {**QUICK, "n_members": 1}
LBFGS = {**ALONE, "solver": "lbfgs", "max_iter": 8}


@pytest.fixture
def nothing_is_copied(monkeypatch):
    monkeypatch.setattr(rows, "COPY_BYTES", 0)


def quick(**params):
    return SoftmaxMLPClassifier(**{**QUICK, **params})


def assert_same_model(one, other, X):
    assert_array_equal(one._network.parameters, other._network.parameters)
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
        (QUICK, csr_array(NUMBERS), {}),
        ({**QUICK, "early_stopping": True}, csr_array(NUMBERS), {"sample_weight": ZERO_WEIGHTS}),
    ],
)
def test_rows_encoded_as_they_are_read_give_the_same_model_as_a_copy(params, X, given, monkeypatch):
    copied = SoftmaxMLPClassifier(**params).fit(X, y, **given)
    monkeypatch.setattr(rows, "COPY_BYTES", 0)
    assert_same_model(SoftmaxMLPClassifier(**params).fit(X, y, **given), copied, X)


@pytest.mark.parametrize("kind", [np.asarray, csr_array])
def test_partial_fit_encodes_its_rows_as_they_are_read(kind, monkeypatch):
    models = []
    for copy_bytes in (rows.COPY_BYTES, 0):
        monkeypatch.setattr(rows, "COPY_BYTES", copy_bytes)
        clf = quick(early_stopping="auto").partial_fit(NUMBERS[:100], y[:100], classes=[0, 1, 2])
        models.append(clf.partial_fit(kind(NUMBERS[100:]), y[100:], X_val=kind(NUMBERS[:30]), y_val=y[:30]))
    assert_same_model(*models, NUMBERS)


def test_mlpclassifiers_model_does_not_depend_on_where_its_rows_are(nothing_is_copied):
    clf = plain(max_iter=3, random_state=0, n_iter_no_change=3)
    with pytest.warns(match="hasn't converged"):
        clf.fit(NUMBERS, y)
    rows.COPY_BYTES = 2**28
    with pytest.warns(match="hasn't converged"):
        assert_same_model(clf, plain(max_iter=3, random_state=0, n_iter_no_change=3).fit(NUMBERS, y), NUMBERS)


@pytest.mark.parametrize("weights", [None, ZERO_WEIGHTS])
def test_lbfgs_adds_up_the_gradient_of_one_part_after_the_other(nothing_is_copied, weights, monkeypatch):
    def fit():
        return SoftmaxMLPClassifier(**{**LBFGS, "dtype": "float64", "alpha": 0.1}).fit(NUMBERS, y, weights)

    with pytest.warns(match="lbfgs failed to converge"):
        whole = fit()
        monkeypatch.setattr(run, "PART_NUMBERS", 1000)
        in_parts = fit()
    assert_allclose(in_parts.loss_curve_, whole.loss_curve_, rtol=1e-9)
    assert_allclose(in_parts.predict_proba(NUMBERS), whole.predict_proba(NUMBERS), rtol=1e-6)


# Memory


@pytest.fixture
def in_a_file(tmp_path, monkeypatch):
    """8 MB of float32 in a file, with all limits as much smaller as the file is."""
    for module, name, value in [
        (rows, "COPY_BYTES", 2**18),
        (preprocessing, "BLOCK", 2**15),
        (preprocessing, "SAMPLE_ROWS", 100),
        (relevance, "MOST_ROWS", 100),
        (run, "PART_NUMBERS", 2**18),
        (committee, "MIXTURE_ROWS", 500),
    ]:
        monkeypatch.setattr(module, name, value)
    X = np.memmap(tmp_path / "X", dtype=np.float32, mode="w+", shape=(10_000, 200))
    X[...] = np.random.default_rng(0).standard_normal(X.shape, dtype=np.float32)
    X[-1, 7] = np.nan
    return X


MEMORY_CASES = {
    "committee": {},
    "one network": {"n_members": 1},
    "lbfgs": {"n_members": 1, "solver": "lbfgs", "max_iter": 1, "batch_size": "auto"},
    "early stopping": {"n_members": 1, "early_stopping": True},
    "zero weights": {"n_members": 1, "class_weight": {0: 0.0}},
    "without scaling": {"n_members": 1, "scaling": None, "dtype": "float64"},
}


SMALL_BATCHES = {"batch_size": 50, "n_bins": 2, "random_state": 0}


def peak_of(function):
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


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

    before = {kind: alive(kind) for kind in (run.Run, Memory, Network)}
    clf = quick(early_stopping=True, scoring=scoring).fit(NUMBERS, y)
    for _ in range(2):
        clf.partial_fit(NUMBERS, y, X_val=NUMBERS, y_val=y)
    assert {kind: alive(kind) for kind in before} == {**before, Network: before[Network] + 1}


# Statistics of a sample


def preprocessor_of(X, weights=None, **params):
    return Preprocessor(**{"scaling": "robust", "categories": Categories({}), "n_bins": 8, **params}).fit(X, weights)


@pytest.mark.parametrize("scaling", ["robust", "standard"])
def test_statistics_of_many_rows_are_those_of_the_sample_with_its_weights(scaling, monkeypatch):
    weights = RNG.random(N)
    monkeypatch.setattr(preprocessing, "SAMPLE_ROWS", 100)
    sampled, chosen = preprocessor_of(NUMBERS, weights, scaling=scaling), spread(N, 100)
    alone = preprocessor_of(NUMBERS[chosen], weights[chosen], scaling=scaling)
    assert_array_equal(sampled.transform(NUMBERS, np.float64), alone.transform(NUMBERS, np.float64))


def test_the_sample_is_smaller_where_there_are_many_columns_but_never_tiny(monkeypatch):
    monkeypatch.setattr(preprocessing, "SAMPLE_NUMBERS", 5000)
    assert len(preprocessing.sample(np.zeros((3000, 4)), None)[0]) == 1250
    assert len(preprocessing.sample(np.zeros((3000, 100)), None)[0]) == 1000
    assert len(preprocessing.sample(np.zeros((800, 100)), None)[0]) == 800


def test_missing_values_ranges_and_categories_outside_the_sample_count(monkeypatch):
    monkeypatch.setattr(preprocessing, "SAMPLE_ROWS", 20)
    outside = np.setdiff1d(np.arange(N), spread(N, 20))[:3]
    X = np.zeros((N, 3))
    X[outside] = [[4, np.nan, 2], [0, 0, 2], [0, 0, 1]]
    preprocessor = preprocessor_of(X, categories=Categories({2: ["a", "b", "c"]}), n_bins=0)
    assert_array_equal(preprocessor.flagged, [1])
    assert_array_equal(preprocessor.scale, [1 / 2, 0])
    assert_array_equal(preprocessor.levels[2], [0, 1, 2])


def test_columns_taken_in_blocks_have_the_same_statistics(monkeypatch):
    whole = preprocessor_of(NUMBERS).transform(NUMBERS, np.float32)
    monkeypatch.setattr(preprocessing, "BLOCK", 1)
    assert_array_equal(preprocessor_of(NUMBERS).transform(NUMBERS, np.float32), whole)


def test_a_mixture_is_fitted_on_some_of_many_rows(monkeypatch):
    whole = quick().fit(NUMBERS, y)
    monkeypatch.setattr(committee, "MIXTURE_ROWS", N // 2)
    some = quick().fit(NUMBERS, y)
    assert_array_equal(some._network.parameters, whole._network.parameters)
    assert not np.array_equal(some._mixture.weights, whole._mixture.weights)
    assert some._mixture.weights.sum() == pytest.approx(1)
    assert_allclose(some.predict_proba(NUMBERS), whole.predict_proba(NUMBERS), atol=0.15)


# Parts


def test_a_spread_has_one_row_of_each_stretch_and_is_always_the_same():
    chosen = spread(1003, 100)
    bounds = np.linspace(0, 1003, 101).astype(int)
    assert ((bounds[:-1] <= chosen) & (chosen < bounds[1:])).all()
    assert_array_equal(chosen, spread(1003, 100))
    assert len(set(np.diff(chosen))) > 5  # no period that rows may have too


def test_a_spread_of_all_rows_is_all_rows():
    assert_array_equal(spread(7, 7), np.arange(7))


@pytest.mark.parametrize("index", [slice(5, 40), slice(None, 7), np.array([9, 2, 2]), np.array([], dtype=int)])
@pytest.mark.parametrize("numbers", [None, np.arange(0, N, 2)[::-1]])
@pytest.mark.parametrize("kind", [np.asarray, csr_array])
def test_rows_of_rows_are_those_of_the_array(kind, numbers, index):
    preprocessor = preprocessor_of(NUMBERS)
    taken = NUMBERS if numbers is None else NUMBERS[numbers]
    part = Rows(kind(NUMBERS), numbers).encoded(preprocessor, np.float32)[index]
    expected = preprocessor.transform(taken[index], np.float32)
    assert (part.shape, part.dtype) == (expected.shape, np.float32)
    assert_array_equal(read(part), expected)
    written = np.full(expected.shape, -7, dtype=np.float32)
    part.write(written, n_without_bins=1)
    assert_array_equal(written[1:], expected[1:])
    assert_array_equal(written[:1, preprocessor.n_bin_columns :], expected[:1, preprocessor.n_bin_columns :])
    assert (written[:1, : preprocessor.n_bin_columns] == -7).all()


def test_rows_without_a_preprocessor_are_those_of_X():
    assert_array_equal(read(Rows(NUMBERS)[3:5]), NUMBERS[3:5])
    assert_array_equal(Rows(NUMBERS, np.array([4, 1])).column(2), NUMBERS[[4, 1], 2])
    assert_array_equal(Rows(NUMBERS).column(2), NUMBERS[:, 2])
    assert Rows(NUMBERS).read() is NUMBERS
    assert read(NUMBERS) is NUMBERS


def test_row_numbers_take_four_bytes():
    assert row_numbers(5).dtype == np.int32
    assert_array_equal(row_numbers(5), np.arange(5))


def test_an_array_is_large_by_its_bytes():
    assert is_large((2**26 + 1, 1), np.float32)
    assert not is_large((2**26, 1), np.float32)
    assert is_large((2**25 + 1, 1), np.float64)


@pytest.mark.parametrize("order", ["C", "F"])
def test_columns_one_behind_the_other_are_copied_to_be_read_by_rows_unless_they_stand_in_a_file(tmp_path, order):
    X = np.asarray(np.random.default_rng(0).normal(size=(6, 3)), order=order)
    in_file = np.memmap(tmp_path / "X", dtype=float, mode="w+", shape=X.shape, order=order)
    in_file[...] = X
    assert Rows.of(X).X.flags.c_contiguous and np.shares_memory(Rows.of(X).X, X) == (order == "C")
    assert np.shares_memory(Rows.of(np.asarray(in_file)).X, in_file)
    assert_array_equal(Rows.of(in_file)[[2, 0]].read(), X[[2, 0]])
