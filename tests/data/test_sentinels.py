"""Sentinels: numbers, such as −999, that many rows hold and that lie far outside the others of their column."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data.blocks import Bins, Flags, Sentinels
from sksoftmax.data.relevance import scaled_columns
from sksoftmax.data.statistics import SENTINEL_ROWS, SENTINEL_SHARE, find_sentinels
from support.networks import fitted_preprocessor, of_kind

RNG = np.random.default_rng(0)
N = 400
NUMBERS = RNG.normal(size=N)
SCALINGS = ["robust", "standard"]


def holding(values, numbers=NUMBERS, every=4):
    """A column of numbers in which every fourth row holds one of these values in turn."""
    column = numbers.copy()
    column[::every] = np.resize(values, len(column[::every]))
    return column


def found(column, weights=None):
    """The sentinels of a column."""
    with np.errstate(over="ignore"):
        return [value for _, value, _ in find_sentinels(column[:, None], weights)]


@pytest.mark.parametrize("value", [-999.0, -1.0e9, 999.0, 0.1 + 50, 1e300])
def test_a_number_that_many_rows_hold_far_outside_the_others_is_a_sentinel(value):
    assert found(holding([value])) == [value]


@pytest.mark.parametrize("values", [[998, 999], [-999, 999], [-999, -998, 9999], [-99, -999, -9999], [0, 1e9]])
def test_a_column_may_have_up_to_three_sentinels_at_either_end(values):
    numbers = NUMBERS + 100 if 0 in values else NUMBERS
    assert found(holding(values, numbers)) == sorted(values)


@pytest.mark.parametrize("others", [[0, 1], [0, 0, 0, 0, 1], [1, 2, 3, 4, 5]])
def test_a_sentinel_among_few_distinct_numbers_is_found(others):
    assert found(holding([-999], np.resize(np.array(others, float), N), every=3)) == [-999]


@pytest.mark.parametrize(
    "column",
    [
        np.resize([0.0, 1.0], N),
        np.resize([0.0, 999.0], N),  # two values are a matter of scale
        np.full(N, 7.0),
        np.full(N, np.nan),
        NUMBERS,
        np.clip(NUMBERS, -1, 1),  # capped: no gap
        np.maximum(NUMBERS, 0),
        RNG.integers(0, 6, N).astype(float),
        RNG.poisson(0.3, N).astype(float),
        np.where(RNG.random(N) < 0.8, 0, RNG.lognormal(0, 2, N)),
        np.where(RNG.random(N) < 0.5, 0, RNG.uniform(0.5, 2, N)),
        holding([-1], RNG.random(N)),  # near: bins and scale cope
        np.append(NUMBERS[1:], 1e9),
        np.where(np.arange(N) < 5, -999, NUMBERS),  # five rows are outliers
        10.0 ** RNG.uniform(0, 9, N),
        RNG.standard_cauchy(N),
        holding([-1.7e308], RNG.choice([-1e308, 1e308, 1.7e308], N)),
    ],
    ids=lambda column: None,
)
def test_ordinary_columns_have_no_sentinels(column):
    assert found(column) == []


def test_a_sentinel_holds_two_hundredths_of_the_rows_and_ten_rows():
    for n, least in ((300, SENTINEL_ROWS), (1000, 1000 * SENTINEL_SHARE)):
        for n_held in (int(least) - 1, int(least)):
            column = np.random.default_rng(1).normal(size=n)
            column[:n_held] = -999
            assert found(column) == [-999] * (n_held >= least)


def test_an_outlier_of_the_others_does_not_hide_a_sentinel():
    column = holding([-999])
    column[1] = 1e12
    assert found(column) == [-999]


def test_sentinels_treat_an_integer_sample_weight_as_repeated_rows():
    column = np.random.default_rng(1).normal(size=100)
    column[:4] = -999
    weights = np.ones(100)
    assert found(column, weights) == found(column) == []
    weights[:4] = 3
    assert found(column, weights) == found(np.repeat(column, weights.astype(int))) == [-999]
    weighted, repeated = (
        fitted_preprocessor(column[:, None], weights=weights),
        fitted_preprocessor(np.repeat(column, weights.astype(int))[:, None]),
    )
    assert_array_equal(weighted.numbers.center, repeated.numbers.center)
    assert_array_equal(weighted.numbers.scale, repeated.numbers.scale)


@pytest.mark.parametrize("others", [NUMBERS, np.resize([0.0, 0, 0, 0, 1], N)])
@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_sentinel_sets_no_center_and_no_scale_and_becomes_the_center_with_a_flag(scaling, others):
    X = np.column_stack([NUMBERS, holding([-999], others, every=3)])
    missing = np.where(X == -999, np.nan, X)
    preprocessor, expected = fitted_preprocessor(X, scaling), fitted_preprocessor(missing, scaling)
    assert_array_equal(preprocessor.numbers.center, expected.numbers.center)
    assert_array_equal(preprocessor.numbers.scale, expected.numbers.scale)
    assert_array_equal(preprocessor.transform(X, np.float64), expected.transform(missing, np.float64))
    names = preprocessor.get_feature_names_out(["height", "age"], 8)
    assert names.tolist() == ["height", "age", "indicator_age_-999"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_several_sentinels_and_missing_values_have_a_flag_each(dtype):
    column = holding([998, -999])
    column[1::7] = np.nan
    X = np.column_stack([column, NUMBERS]).astype(dtype)
    preprocessor = fitted_preprocessor(X, n_bins=4)
    encoded = preprocessor.transform(X, np.float64)
    flags = np.column_stack([np.isnan(X[:, 0]), X[:, 0] == -999, X[:, 0] == 998])
    assert_array_equal(encoded[:, -3:], flags)
    assert (encoded[flags.any(axis=1), preprocessor.layout.n_bins] == 0).all()
    assert [type(block) for block in preprocessor.blocks[-2:]] == [Flags, Sentinels]
    assert np.abs(of_kind(preprocessor, Bins)[0].edges[0]).max() < 3


def test_a_sentinel_is_found_in_X_of_another_precision_and_its_neighbor_is_not():
    X = holding([-999.9, -999.8])[:, None]
    for fitted, later in ((np.float64, np.float32), (np.float32, np.float64)):
        preprocessor = fitted_preprocessor(X.astype(fitted))
        assert_array_equal(preprocessor.transform(X.astype(later), np.float64)[:, 1:], X == [-999.9, -999.8])
        assert_array_equal(preprocessor.transform(np.array([[-999.0]]), np.float64)[:, 1:], [[0, 0]])


def test_a_sentinel_close_to_others_is_told_apart_by_all_digits():
    """In float32 1e12 and 1e12 + 100 are the same number."""
    X = holding([1e12 + 1000], 1e12 + NUMBERS)[:, None]
    preprocessor = fitted_preprocessor(X)
    assert_array_equal(preprocessor.transform(X, np.float64)[:, 1], X[:, 0] == 1e12 + 1000)


def test_the_forest_of_relevance_sees_a_sentinel_as_missing():
    X = np.column_stack([holding([-999]), NUMBERS])
    seen = scaled_columns(X, fitted_preprocessor(X).numbers)
    assert_array_equal(np.isnan(seen), X == -999)


def informative(n, d, rng):
    """Rows with −999 in a third of the numbers of every second column, and their classes, which depend on the numbers."""
    X = rng.normal(size=(n, d))
    y = (X[:, : d // 2].sum(axis=1) > 0).astype(int)
    X[:, ::2][rng.random((n, (d + 1) // 2)) < 0.3] = -999
    return X, y


@pytest.mark.parametrize("d", [6, 129])
def test_a_model_of_sentinels_is_the_model_of_missing_values(d):
    X, y = informative(300, d, np.random.default_rng(0))
    missing = np.where(X == -999, np.nan, X)
    clf = SoftmaxMLPClassifier((8,), n_members=4, max_iter=2, random_state=0)
    assert_array_equal(clf.fit(X, y).predict_proba(X), clf.fit(missing, y).predict_proba(missing))


def test_sentinels_in_half_of_129_columns_cost_little_accuracy():
    X, y = informative(2000, 129, np.random.default_rng(0))
    clf = SoftmaxMLPClassifier((16,), n_members=4, max_iter=10, random_state=0).fit(X[:800], y[:800])
    assert clf.score(X[800:], y[800:]) >= 0.75


def test_partial_fit_keeps_the_sentinels_of_its_first_call():
    X, y = informative(200, 4, np.random.default_rng(0))
    clf = SoftmaxMLPClassifier((4,), n_members=1, random_state=0).partial_fit(X, y, classes=[0, 1])
    names = clf.encoded_feature_names_
    clf.partial_fit(np.where(X == -999, 777, X), y)
    assert_array_equal(clf.encoded_feature_names_, names)
    assert [name for name in names if "indicator" in name] == ["indicator_x0_-999", "indicator_x2_-999"]


def test_a_memory_mapped_X_has_the_same_sentinels(tmp_path):
    X, _ = informative(200, 4, np.random.default_rng(0))
    mapped = np.memmap(tmp_path / "X", dtype=X.dtype, mode="w+", shape=X.shape)
    mapped[:] = X
    assert_array_equal(fitted_preprocessor(mapped).transform(mapped, np.float64), fitted_preprocessor(X).transform(X, np.float64))


def test_sentinels_are_pickled():
    X, y = informative(200, 4, np.random.default_rng(0))
    clf = SoftmaxMLPClassifier((4,), n_members=1, max_iter=1, random_state=0).fit(X, y)
    assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), clf.predict_proba(X))


def test_a_column_with_a_sentinel_is_used():
    X, y = informative(200, 4, np.random.default_rng(0))
    assert SoftmaxMLPClassifier((4,), n_members=1, max_iter=1, random_state=0).fit(X, y).unused_columns_ == {}
    assert_allclose(X, informative(200, 4, np.random.default_rng(0))[0])  # fit writes nothing to X
