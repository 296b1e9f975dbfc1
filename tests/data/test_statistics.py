"""What is learned from the columns: statistics of a sample of the rows, and known categories."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

from sksoftmax.data.blocks import HALF_KNOWN, Flags, OneHot
from sksoftmax.data.columns import UNKNOWN
from sksoftmax.data.rows import Samples, spread
from sksoftmax.data.statistics import edges_at_splits, known_codes, sample
from sksoftmax.layout import EMBEDDING_UNITS, Layout
from support.networks import fitted_preprocessor, of_kind

RNG = np.random.default_rng(0)
N = 240
NUMBERS = RNG.normal(size=(N, 4)).astype(np.float32)


# Statistics of a sample


@pytest.mark.parametrize("scaling", ["robust", "standard"])
def test_statistics_of_many_rows_are_those_of_the_sample_with_its_weights(scaling, limits):
    weights = RNG.random(N)
    limits(SAMPLE_ROWS=100)
    sampled, chosen = fitted_preprocessor(NUMBERS, scaling, weights=weights, n_bins=8), spread(N, 100)
    alone = fitted_preprocessor(NUMBERS[chosen], scaling, weights=weights[chosen], n_bins=8)
    assert_array_equal(sampled.transform(NUMBERS, np.float64), alone.transform(NUMBERS, np.float64))


def test_the_sample_is_smaller_if_there_are_many_columns_but_never_tiny(limits):
    limits(SAMPLE_NUMBERS=5000)
    assert len(sample(np.zeros((3000, 4)), None)[0]) == 1250
    assert len(sample(np.zeros((3000, 100)), None)[0]) == 1000
    assert len(sample(np.zeros((800, 100)), None)[0]) == 800


def test_missing_values_ranges_and_categories_are_computed_from_all_rows(limits):
    limits(SAMPLE_ROWS=20)
    outside = np.setdiff1d(np.arange(N), spread(N, 20))[:3]
    X = np.zeros((N, 3))
    X[outside] = [[4, np.nan, 2], [0, 0, 2], [0, 0, 1]]
    preprocessor = fitted_preprocessor(X, categories={2: ["a", "b", "c"]})
    assert_array_equal(of_kind(preprocessor, Flags)[0].source, [1])
    assert_array_equal(preprocessor.numbers.scale, [1 / 2, 0])
    assert_array_equal(of_kind(preprocessor, OneHot)[0].codes, [0, 1, 2])


def test_statistics_computed_in_blocks_are_the_same(limits):
    whole = fitted_preprocessor(NUMBERS, n_bins=8).transform(NUMBERS, np.float32)
    limits(BLOCK=1, COLUMN_NUMBERS=1)
    assert_array_equal(fitted_preprocessor(NUMBERS, n_bins=8).transform(NUMBERS, np.float32), whole)


# Edges of bins


def test_half_of_the_edges_become_quantiles_of_the_thresholds_weighted_by_gain():
    edges = np.arange(9.0)
    found = edges_at_splits([edges], [8], [(np.array([0.5, 3.25, 7.5]), np.array([0.1, 1.0, 0.1]))])[0]
    assert_array_equal(found, [0, 2, 3.25, 4, 6, 8])  # four quantiles of the thresholds coincide
    found = edges_at_splits([edges], [8], [(np.array([0.5, 3.25, 7.5]), np.ones(3))])[0]
    assert_array_equal(found, [0, 0.5, 2, 3.25, 4, 6, 7.5, 8])


def test_thresholds_beyond_the_outer_edges_move_to_them():
    assert_array_equal(edges_at_splits([np.arange(5.0)], [4], [(np.array([-3.0, 9.0]), np.ones(2))])[0], [0, 2, 4])


@pytest.mark.parametrize("edges, thresholds", [([0.0, 1.0], [0.5]), (np.arange(9.0), [])], ids=["few values", "no split"])
def test_edges_stay_where_they_are_without_a_split_or_where_all_values_are_edges(edges, thresholds):
    assert_array_equal(edges_at_splits([np.array(edges)], [8], [(np.array(thresholds), np.ones(len(thresholds)))])[0], edges)


# Known categories


@pytest.fixture
def at_most_two_all_known(limits):
    """Of more than two categories, those of a single row are unknown."""
    limits(MAX_ALL_KNOWN=2)


def codes_of(column, weights=None):
    known = known_codes(np.array(column, dtype=float), None if weights is None else np.array(weights, dtype=float))
    return known.codes.tolist(), known.n_rows.tolist()


def test_few_categories_are_all_known(at_most_two_all_known):
    assert codes_of([0, 1, UNKNOWN, 0]) == ([0, 1], [1, 2, 1])


def test_categories_of_a_single_row_are_unknown_if_there_are_many(at_most_two_all_known):
    assert codes_of([5, 3, 1, 1, 5, 4, UNKNOWN, 1]) == ([1, 5], [3, 3, 2])


@pytest.mark.parametrize("weights", [[1, 1, 2, 1, 3], [10, 1, 20, 1, 3]])
def test_known_codes_treat_an_integer_sample_weight_as_repeated_rows(weights, at_most_two_all_known):
    column = [0, 1, 2, 3, 4]
    assert codes_of(column, weights) == codes_of(np.repeat(column, weights))


@pytest.mark.parametrize("factor", [1 / 8, 0.3, 1e-30])
def test_known_codes_count_a_row_of_fractional_sample_weight_once(factor, at_most_two_all_known):
    column, weights = [0, 1, 2, 2, 3, 3], np.full(6, factor)
    assert codes_of(column, weights) == codes_of(column)


def test_only_the_most_frequent_categories_are_known_if_there_are_too_many(at_most_two_all_known, limits):
    limits(MAX_EMBEDDED=2)
    assert codes_of([0, 0, 1, 1, 1, 2, 2, 2, 3, 3]) == ([1, 2], [4, 3, 3])


def test_embedded_columns_come_last_as_codes_from_1_with_0_for_unknown(limits):
    limits(MAX_ALL_KNOWN=2, MAX_ONE_HOT=2)
    column = np.array([4, 0, 2, 4, 0, 2, 1, UNKNOWN])
    X = np.column_stack([column, np.arange(8.0), np.arange(8) % 2])
    preprocessor = fitted_preprocessor(X, None, {0: list("abcde"), 2: ["p", "q"]})
    assert_array_equal(preprocessor.transform(X, np.float32)[:, 2], [3, 1, 2, 3, 1, 2, 0, 0])
    assert_array_equal(preprocessor.transform(X, np.float32)[:, :2], np.column_stack([X[:, 1], 2 * X[:, 2] - 1]))
    names = ["size", "kind_q", *(f"city_embedding{i}" for i in range(EMBEDDING_UNITS))]
    assert preprocessor.get_feature_names_out(["city", "size", "kind"], EMBEDDING_UNITS).tolist() == names
    assert preprocessor.layout.n_columns == 3
    assert_allclose(preprocessor.rates_of_codes[0], 2 / (2 + HALF_KNOWN))


# Columns that are constant at first


def row_by_row(X, scaling, weights=None):
    """The preprocessor of the first row of X, after each of the others."""
    weights = np.ones(len(X)) if weights is None else weights
    preprocessor = fitted_preprocessor(X[:1], scaling, weights=weights[:1])
    for row in range(1, X.shape[0]):
        preprocessor = preprocessor.after(Samples(X[[row]], None, weights[[row]]))
    return preprocessor


@pytest.mark.parametrize("scaling", ["robust", "standard"])
def test_a_column_that_was_constant_gets_the_center_and_the_scale_of_all_rows_once_it_varies(scaling):
    X, weights = np.full((30, 4), [5.0, -2.0, 1e9, 0.0]), RNG.random(30) + 0.5
    X[-1] = [7.0, -2.0, 1e9 + 2, 1e-3]
    at_once, by_rows = (f(X, scaling, weights=weights).numbers for f in (fitted_preprocessor, row_by_row))
    assert_allclose(by_rows.center, at_once.center, rtol=1e-12, atol=1e-12)
    assert_allclose(by_rows.scale, at_once.scale, rtol=1e-7)
    assert by_rows.scale[1] == 0 < by_rows.scale[0]


@pytest.mark.parametrize("scaling", ["robust", "standard"])
def test_missing_numbers_count_neither_as_a_value_nor_as_rows(scaling):
    first = np.array([[np.nan, 3.0], [np.nan, np.nan], [np.nan, 3.0]])
    second = np.array([[10.0, 4.0], [10.0, np.nan], [12.0, 3.0], [11.0, 3.0]])
    by_blocks = fitted_preprocessor(first, scaling).after(Samples(second, None)).numbers
    at_once = fitted_preprocessor(np.vstack([first, second]), scaling).numbers
    assert_allclose(by_blocks.center, at_once.center, rtol=1e-12)
    assert_allclose(by_blocks.scale, at_once.scale, rtol=1e-7)


def test_a_column_that_has_varied_keeps_its_scale_and_nothing_is_changed_in_place():
    first = np.column_stack([np.arange(9.0), np.full(9, 2.0)])
    preprocessor = fitted_preprocessor(first, n_bins=4)
    numbers = preprocessor.numbers
    center, scale, seen = (part.copy() for part in (numbers.center, numbers.scale, numbers.seen))
    later = preprocessor.after(Samples(100 * first + np.arange(9)[:, None], None))
    assert (later.numbers.center[0], later.numbers.scale[0]) == (center[0], scale[0])
    assert later.numbers.scale[1] > 0 and later.layout == preprocessor.layout
    assert_array_equal(numbers.center, center)
    assert_array_equal(numbers.scale, scale)
    assert_array_equal(numbers.seen, seen)
    assert later.after(Samples(first, None)) is later


@pytest.mark.parametrize("form", [csr_matrix, np.asarray])
def test_a_full_column_of_a_sparse_X_gets_a_scale_once_it_varies(form):
    first, second = np.zeros((4, 9)), np.zeros((40, 9))
    first[:, 0], second[:, 0] = 7, np.arange(40)
    fitted = fitted_preprocessor(csr_matrix(first), keeps_unseen=True)
    assert fitted.numbers.scale[0] == 0 and (fitted.numbers.scale[1:] > 0).all()
    later = fitted.after(Samples(form(second), None))
    assert later.numbers.scale[0] > 0
    assert later.layout == fitted.layout == Layout(9)


def test_sparse_rows_after_dense_ones_count_too():
    first, second = np.array([[1.0, 5.0]]), np.array([[5.0, 0.0], [0.0, 2.0]])
    found = [fitted_preprocessor(first).after(Samples(form(second), None)).numbers for form in (csr_matrix, np.asarray)]
    assert_array_equal(found[0].scale, found[1].scale)
    assert (found[0].scale > 0).all()


def test_a_sample_of_many_rows_weighs_as_much_as_these_rows(limits):
    limits(SAMPLE_ROWS=50)
    second = np.repeat([[0.0], [1.0]], 300, axis=0)
    numbers = fitted_preprocessor(np.zeros((400, 1)), "standard").after(Samples(second, None)).numbers
    assert_allclose(numbers.center, 0.3, atol=0.02)
