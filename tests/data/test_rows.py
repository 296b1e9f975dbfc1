"""Lazy rows of a large X, and statistics computed from a sample of them."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from sksoftmax.data import preprocessing
from sksoftmax.data.columns import Categories
from sksoftmax.data.preprocessing import Preprocessor
from sksoftmax.data.rows import Rows, is_large, read, row_numbers, spread

RNG = np.random.default_rng(0)
N = 240
NUMBERS = RNG.normal(size=(N, 4)).astype(np.float32)


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


def test_the_sample_is_smaller_if_there_are_many_columns_but_never_tiny(monkeypatch):
    monkeypatch.setattr(preprocessing, "SAMPLE_NUMBERS", 5000)
    assert len(preprocessing.sample(np.zeros((3000, 4)), None)[0]) == 1250
    assert len(preprocessing.sample(np.zeros((3000, 100)), None)[0]) == 1000
    assert len(preprocessing.sample(np.zeros((800, 100)), None)[0]) == 800


def test_missing_values_ranges_and_categories_are_computed_from_all_rows(monkeypatch):
    monkeypatch.setattr(preprocessing, "SAMPLE_ROWS", 20)
    outside = np.setdiff1d(np.arange(N), spread(N, 20))[:3]
    X = np.zeros((N, 3))
    X[outside] = [[4, np.nan, 2], [0, 0, 2], [0, 0, 1]]
    preprocessor = preprocessor_of(X, categories=Categories({2: ["a", "b", "c"]}), n_bins=0)
    assert_array_equal(preprocessor.flagged, [1])
    assert_array_equal(preprocessor.scale, [1 / 2, 0])
    assert_array_equal(preprocessor.levels[2], [0, 1, 2])


def test_statistics_computed_in_blocks_are_the_same(monkeypatch):
    whole = preprocessor_of(NUMBERS).transform(NUMBERS, np.float32)
    monkeypatch.setattr(preprocessing, "BLOCK", 1)
    assert_array_equal(preprocessor_of(NUMBERS).transform(NUMBERS, np.float32), whole)


# Parts


def test_a_spread_has_one_row_of_each_equal_range_and_is_always_the_same():
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
def test_a_column_major_X_is_copied_to_row_major_unless_it_is_memory_mapped(tmp_path, order):
    X = np.asarray(np.random.default_rng(0).normal(size=(6, 3)), order=order)
    in_file = np.memmap(tmp_path / "X", dtype=float, mode="w+", shape=X.shape, order=order)
    in_file[...] = X
    assert Rows.of(X).X.flags.c_contiguous and np.shares_memory(Rows.of(X).X, X) == (order == "C")
    assert np.shares_memory(Rows.of(np.asarray(in_file)).X, in_file)
    assert_array_equal(Rows.of(in_file)[[2, 0]].read(), X[[2, 0]])
