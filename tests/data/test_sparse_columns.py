"""Columns of a sparse X: full ones are scaled as in a dense X, thin ones share a scale; the relevance of both."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import coo_array, csc_array, csr_array, csr_matrix

from sksoftmax.data.blocks import smooth_clip
from sksoftmax.data.rows import Samples
from sksoftmax.data.sparse_columns import FURTHEST, WIDEST, find_sparse_relevance, fit_sparse_numbers, scaled_entries
from support.networks import fitted_preprocessor

RNG = np.random.default_rng(0)
N = 400
WORDS = RNG.poisson(0.15, (N, 30)) * 1.0
NUMBERS = np.column_stack([RNG.normal(2000, 10, N), RNG.normal(290, 10, N)])
MIXED = np.column_stack([WORDS, NUMBERS])
SCALINGS = ["robust", "standard"]


def scaled_columns_of(X, scaling="robust", weights=None):
    """The scaled columns of a dense matrix, read as a sparse one, as a dense one."""
    return scaled_entries(csr_matrix(X), fit_sparse_numbers(csr_matrix(X), weights, scaling)).toarray()


def relevance_of_columns(X, y, asked="auto"):
    """The relevance of the columns of a dense matrix, read as a sparse one."""
    X, rng = csr_matrix(X), np.random.RandomState(0)
    samples = Samples(X, np.asarray(y), strata=np.asarray(y))
    return find_sparse_relevance(asked, samples, fit_sparse_numbers(X, None, "robust"), "labels", rng)


# Scales


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("weights", [None, RNG.integers(1, 4, N) * 1.0], ids=["", "weighted"])
def test_columns_with_entries_in_half_of_the_rows_are_scaled_as_in_a_dense_X(scaling, weights):
    half = np.where(np.arange(N) < N // 2, NUMBERS[:, 0] - 2000, 0) if weights is None else NUMBERS[:, 0]
    rows = np.column_stack([half, NUMBERS[:, 1]])
    dense = fitted_preprocessor(rows, scaling, weights=weights).transform(rows, np.float64)
    assert_allclose(scaled_columns_of(np.column_stack([WORDS, rows]), scaling, weights)[:, -2:], dense, rtol=1e-12)


def test_thin_columns_share_one_scale_and_their_zeros_stay_0():
    z = scaled_columns_of(3 * WORDS)
    assert_allclose(z, smooth_clip(WORDS), rtol=1e-14)


def test_a_thin_column_of_other_units_is_limited_by_its_own_size():
    rows = WORDS * np.where(np.arange(30) == 0, 1e9, np.where(np.arange(30) == 1, 1e-9, 1))
    z = scaled_columns_of(rows, "standard")
    sizes = [np.sqrt(np.mean(column[column != 0] ** 2)) for column in z.T]
    assert sizes[0] == pytest.approx(FURTHEST)
    assert sizes[1] == pytest.approx(1 / FURTHEST)
    assert_allclose(z[:, 2:], WORDS[:, 2:])


@pytest.mark.parametrize("scaling", SCALINGS)
def test_integer_weights_count_as_repeated_rows_in_the_scales_of_sparse_columns(scaling):
    weights = RNG.integers(1, 4, N)
    rows = np.column_stack([MIXED, RNG.poisson(0.5, N) * RNG.normal(size=N)])
    one = fit_sparse_numbers(csr_matrix(rows), weights * 1.0, scaling)
    other = fit_sparse_numbers(csr_matrix(np.repeat(rows, weights, axis=0)), None, scaling)
    assert_allclose(one.center, other.center)
    assert_allclose(one.scale, other.scale)


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_entries_of_any_size_are_scaled_without_overflow(size):
    assert_allclose(scaled_columns_of(WORDS * size), smooth_clip(WORDS), rtol=1e-12)


def test_columns_without_entries_or_of_one_value_are_left_out():
    rows = csr_matrix(np.column_stack([np.zeros(N), np.ones(N), WORDS]))
    assert_array_equal(fit_sparse_numbers(rows, None, "robust").source, np.arange(2, 32))


def test_columns_without_entries_are_kept_on_request_with_the_scale_that_thin_ones_share():
    rows = csr_matrix(np.column_stack([np.zeros(N), 5 * WORDS]))
    numbers = fit_sparse_numbers(rows, None, "robust", keeps_unseen=True)
    assert_array_equal(numbers.source, np.arange(31))
    assert_array_equal(numbers.scale[:2], 1 / 5)


def test_stored_zeros_count_as_zeros():
    rows = csr_matrix(WORDS)
    stored = csr_matrix(
        (np.append(rows.data, 0), np.append(rows.indices, 3), np.append(rows.indptr[:-1], rows.nnz + 1)), rows.shape
    )
    one, other = (fit_sparse_numbers(X, None, "robust") for X in (rows, stored))
    assert_array_equal(one.scale, other.scale)


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("kind", [csr_array, csc_array, coo_array, np.asarray])
def test_sparse_and_dense_rows_of_any_number_are_scaled_alike(scaling, kind):
    preprocessor = fitted_preprocessor(csr_matrix(MIXED), scaling)
    all_rows = preprocessor.transform(csr_matrix(MIXED), np.float64).toarray()
    one = kind(MIXED[:1]) if kind is np.asarray else kind(MIXED[:1]).tocsr()
    one = preprocessor.transform(one, np.float64)
    assert_allclose(one if kind is np.asarray else one.toarray(), all_rows[:1], rtol=1e-12)


# Relevance


def test_numbers_that_decide_count_more_than_words_of_noise():
    relevance = relevance_of_columns(MIXED, NUMBERS[:, 0] > 2000)
    assert relevance[30] > relevance[31]
    assert relevance[30] / relevance[0] > 20


def test_words_that_decide_together_count_more_than_numbers_of_noise():
    """Each word says little, and a forest of the numbers finds splits by chance; rows that it has not seen show this."""
    words = RNG.poisson(0.1, (N, 200)) * 1.0
    y = words @ RNG.choice([-1, 1], 200) > 0
    relevance = relevance_of_columns(np.column_stack([words, NUMBERS]), y)
    assert relevance[0] > 3 * relevance[-2:].max()


def test_frequent_words_that_decide_in_combination_are_not_dimmed_by_a_weak_number():
    words = RNG.random((2 * N, 4)) < 0.49
    weak = RNG.normal(50, 1, 2 * N)
    y = np.where(words[:, 0], words[:, 1], words[:, 2])
    weak += 0.5 * y
    assert relevance_of_columns(np.column_stack([words, weak]), y)[0] > 1


@pytest.mark.parametrize("y", [NUMBERS[:, 0] > 2000, WORDS[:, 0] > 0, RNG.integers(3, size=N)], ids=["numbers", "words", "noise"])
def test_the_relevance_of_words_is_bounded(y):
    relevance = relevance_of_columns(MIXED, y)
    assert 1 / WIDEST <= relevance[0] <= WIDEST
    assert_array_equal(relevance[:30], relevance[0])


def test_noise_leaves_words_and_numbers_nearly_alike():
    ratios = [relevance_of_columns(MIXED, np.random.default_rng(seed).integers(2, size=N))[0] for seed in range(5)]
    assert 1 / 4 < np.median(ratios) < 4


def test_words_alone_have_equal_relevance_and_draw_nothing_from_the_generator():
    rng = np.random.RandomState(0)
    X = csr_matrix(WORDS)
    numbers = fit_sparse_numbers(X, None, "robust")
    found = find_sparse_relevance("auto", Samples(X, None, strata=np.arange(N) % 2), numbers, "labels", rng)
    assert_array_equal(found, np.ones(30))
    assert rng.randint(2**31) == np.random.RandomState(0).randint(2**31)


@pytest.mark.parametrize(
    ("kind", "targets"),
    [
        ("labels", np.arange(N) % 30),
        ("labels", np.zeros(N)),
        ("multilabel", RNG.integers(0, 2, (N, 3))),
        ("multilabel", RNG.integers(0, 2, (N, 1))),
        ("probabilities", np.tile([0.2, 0.8], (N, 1))),
    ],
    ids=["30 labels", "one label", "multilabel", "one output", "constant"],
)
def test_the_relevance_of_sparse_columns_is_found_for_all_kinds_of_targets(kind, targets):
    X = csr_matrix(MIXED)
    samples = Samples(X, targets.astype(np.float64), RNG.random(N), strata=targets)
    found = find_sparse_relevance("auto", samples, fit_sparse_numbers(X, None, "robust"), kind, np.random.RandomState(0))
    assert np.isfinite(found).all() and (found > 0).all()
