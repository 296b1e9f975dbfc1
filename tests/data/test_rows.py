"""Samples, and lazy rows of a large X."""

import mmap
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, csr_matrix

from sksoftmax.data.rows import LazyRows, Samples, column_of, is_large, read, row_numbers, rows_in_random_order, spread
from sksoftmax.layout import Layout
from sksoftmax.nn.network import Architecture, Workspace
from support.networks import fitted_preprocessor
from support.processes import is_read_in_random_order, peak_of

RNG = np.random.default_rng(0)
N = 240
NUMBERS = RNG.normal(size=(N, 4)).astype(np.float32)
X = np.random.default_rng(0).normal(size=(30, 4))
y = X[:, :3].argmax(axis=1)
WEIGHTS = np.random.default_rng(1).uniform(0.1, 2, len(X))
ROWS = np.array([[7, 2, 19], [0, 2, 29]])


# Samples


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_a_batch_has_the_inputs_targets_and_weights_of_each_members_rows(form, weights):
    memory = Workspace(Architecture(Layout(4), (), 3, (), n_members=2), np.float64)
    inputs, targets, of_rows, totals = Samples(form(X), y, weights).batch(ROWS, memory)
    for member, rows in enumerate(ROWS):
        got = inputs[member].toarray() if form is csr_matrix else inputs[member, :, :-1]
        assert_array_equal(got, X[rows])
    assert_array_equal(targets, y[ROWS.ravel()])
    of_members = np.ones(ROWS.shape) if weights is None else weights[ROWS]
    assert_allclose(totals, of_members.sum(axis=1))
    assert of_rows is None if weights is None else np.allclose(of_rows.reshape(ROWS.shape), of_members / totals[:, None])


@pytest.mark.parametrize("weights, n_left", [(np.arange(3.0), 2), (np.array([0.0, 1, 1]), 2), (np.ones(3), 3), (None, 3)])
def test_rows_of_weight_0_are_left_out_and_weights_of_1_are_not_kept(weights, n_left):
    samples = Samples(X[:3], y[:3], weights).without_zero_weights()
    assert len(samples) == n_left
    assert (samples.weights is None) == (weights is None or weights.max() == 1)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_a_part_of_the_samples_has_its_own_rows_and_weights(weights):
    samples = Samples(X, y, weights, np.arange(100, 130))
    part = samples[10:15]
    assert (len(samples), len(part)) == (30, 5)
    for ours, theirs in ((part.X, X), (part.targets, y), (part.rows, samples.rows)):
        assert_array_equal(ours, theirs[10:15])
    assert part.total_weight == pytest.approx(5 if weights is None else weights[10:15].sum())


# Rows


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
    preprocessor = fitted_preprocessor(NUMBERS, n_bins=8)
    taken = NUMBERS if numbers is None else NUMBERS[numbers]
    part = LazyRows(kind(NUMBERS), numbers).encoded(preprocessor, np.float32)[index]
    expected = preprocessor.transform(taken[index], np.float32)
    assert (part.shape, part.dtype) == (expected.shape, np.float32)
    assert_array_equal(read(part), expected)
    written = np.full(expected.shape, -7, dtype=np.float32)
    part.write(written, n_without_bins=1)
    assert_array_equal(written[1:], expected[1:])
    assert_array_equal(written[:1, preprocessor.layout.n_bins :], expected[:1, preprocessor.layout.n_bins :])
    assert (written[:1, : preprocessor.layout.n_bins] == -7).all()


def test_rows_without_a_preprocessor_are_those_of_X():
    assert_array_equal(read(LazyRows(NUMBERS)[3:5]), NUMBERS[3:5])
    assert_array_equal(column_of(LazyRows(NUMBERS, np.array([4, 1])), 2), NUMBERS[[4, 1], 2])
    assert_array_equal(column_of(LazyRows(NUMBERS), 2), NUMBERS[:, 2])
    assert LazyRows(NUMBERS).read() is NUMBERS
    assert read(NUMBERS) is NUMBERS


def test_row_numbers_take_four_bytes():
    assert row_numbers(5).dtype == np.int32
    assert_array_equal(row_numbers(5), np.arange(5))


def test_an_array_is_large_by_its_bytes():
    assert is_large((2**26 + 1, 1), np.float32)
    assert not is_large((2**26, 1), np.float32)
    assert is_large((2**25 + 1, 1), np.float64)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_system_is_told_while_rows_of_a_file_are_read_in_random_order(tmp_path):
    in_file = np.memmap(tmp_path / "X", dtype=float, mode="w+", shape=(2000, 5))
    lazy = LazyRows.of(np.asarray(in_file)[10:])
    with pytest.raises(KeyboardInterrupt), rows_in_random_order(lazy[np.arange(7)]):
        assert is_read_in_random_order(in_file)
        raise KeyboardInterrupt
    assert not is_read_in_random_order(in_file)


def test_advice_that_the_system_refuses_is_not_missed(tmp_path):
    class Refusing(mmap.mmap):
        def madvise(self, *args):
            raise OSError(38, "not implemented")

    with open(tmp_path / "X", "w+b") as file:
        file.truncate(80)
        X = np.frombuffer(Refusing(file.fileno(), 0)).reshape(5, 2)
    with rows_in_random_order(LazyRows.of(X)):
        assert_array_equal(X, 0)


def test_rows_of_a_view_are_read_without_a_copy_of_the_file(tmp_path):
    in_file = np.memmap(tmp_path / "X", dtype=float, mode="w+", shape=(20_000, 50))
    in_file[...] = np.arange(20_000)[:, None]
    lazy = LazyRows.of(in_file[:, 1:])[np.array([7, 3])]
    read = []
    assert peak_of(lambda: read.append(lazy.read())) < in_file.nbytes / 50
    assert_array_equal(read[0][:, 0], [7, 3])


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_column_major_X_is_copied_to_row_major_unless_it_is_memory_mapped(tmp_path, order):
    X = np.asarray(np.random.default_rng(0).normal(size=(6, 3)), order=order)
    in_file = np.memmap(tmp_path / "X", dtype=float, mode="w+", shape=X.shape, order=order)
    in_file[...] = X
    assert LazyRows.of(X).X.flags.c_contiguous and np.shares_memory(LazyRows.of(X).X, X) == (order == "C")
    assert np.shares_memory(LazyRows.of(np.asarray(in_file)).X, in_file)
    assert_array_equal(LazyRows.of(in_file)[[2, 0]].read(), X[[2, 0]])
