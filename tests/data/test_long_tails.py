"""Numeric columns whose numbers span many orders of magnitude, and counts with a huge number."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data.blocks import BOUND, FAR, LIMIT, smooth_clip
from sksoftmax.data.statistics import HUGE
from support.networks import fitted_preprocessor


def test_the_smooth_clip_is_bounded_by_3_up_to_1000_and_grows_like_a_logarithm_beyond():
    z = np.array([-FAR, 2.5, FAR])
    assert_array_equal(smooth_clip(z), z / np.sqrt(1 + (z / BOUND) ** 2))
    decades = smooth_clip(10.0 ** np.arange(4, 16))
    assert_allclose(np.diff(decades), 0.1 * np.log(10), rtol=1e-4)
    assert_allclose(smooth_clip(np.array([FAR, np.nextafter(FAR, np.inf)])), BOUND, rtol=1e-5)  # without a jump
    assert_array_equal(smooth_clip(np.array([1e15, 1e300, -1e300])), smooth_clip(np.array([LIMIT, LIMIT, -LIMIT])))
    assert smooth_clip(np.array([1e300]))[0] < 6


def test_the_smooth_clip_tells_numbers_far_out_apart_in_float32():
    z = np.logspace(-2, 15, 1000)
    assert (np.diff(smooth_clip(np.concatenate([-z[::-1], z])).astype(np.float32)) > 0).all()


def test_a_row_is_clipped_alike_whatever_the_other_rows_are():
    z = np.array([[0.1, -7.0], [1e9, 999.0]])
    assert_array_equal(smooth_clip(z), [smooth_clip(row) for row in z])


def test_the_smooth_clip_of_a_sparse_X_is_that_of_a_dense_one():
    preprocessor = fitted_preprocessor(csr_matrix([[1.0], [0.0]]))
    later = np.array([[5.0], [1e5], [-1e300]])
    assert_allclose(preprocessor.transform(csr_matrix(later), np.float64).toarray(), preprocessor.transform(later, np.float64))


def bytes_sent(n, rng, dtype):
    """Small numbers for four fifths, and from 10⁴ to 10⁹ for a fifth, of which the larger half is the second class."""
    x = 50 + rng.normal(size=n)
    is_large = rng.random(n) < 0.2
    x[is_large] = 10 ** rng.uniform(4, 9, is_large.sum())
    return np.column_stack([x, rng.normal(size=n)]).astype(dtype), (x > 10**6.5).astype(int), is_large


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_bins", ["auto", 0])
def test_a_threshold_in_a_long_tail_is_found_with_and_without_n_bins(n_bins, dtype):
    rng = np.random.default_rng(0)
    X, y, _ = bytes_sent(1000, rng, dtype)
    X_test, y_test, is_large = bytes_sent(2000, rng, dtype)
    params = {"n_members": 4, "hidden_layer_sizes": (32,), "random_state": 0, **({} if n_bins == "auto" else {"n_bins": n_bins})}
    clf = SoftmaxMLPClassifier(**params).fit(X, y)
    assert clf.coefs_[0].dtype == np.float32
    assert (clf.predict(X_test) == y_test)[is_large].mean() >= (0.97 if n_bins == "auto" else 0.9)


def test_predictions_far_outside_the_training_range_are_finite_and_saturate():
    rng = np.random.default_rng(0)
    X, y, _ = bytes_sent(500, rng, np.float64)
    clf = SoftmaxMLPClassifier((8,), n_members=1, max_iter=3, random_state=0).fit(X, y)
    far = np.zeros((4, 2))
    far[:, 0] = [1e20, 1e300, 1.7e308, -1.7e308]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p = clf.predict_proba(far)
    assert np.isfinite(p).all()
    assert_array_equal(p[0], p[1])
    assert_array_equal(p[0], p[2])


# Counts


COUNTS = np.array([0.0] * 80 + [1, 2, 3, 4, 5] * 4)[:, None]


def test_a_huge_count_does_not_set_the_scale():
    """The scale is twice 3, the typical distance from 0."""
    column = np.vstack([COUNTS, [[1e9]]])
    assert_allclose(fitted_preprocessor(column).numbers.scale, [1 / 6])


def test_half_the_range_is_the_scale_of_equal_quartiles_if_no_number_is_huge():
    for largest in (5.0, 2 * HUGE * 3):
        column = np.vstack([COUNTS, [[largest]]])
        assert_allclose(fitted_preprocessor(column).numbers.scale, [2 / largest])


@pytest.mark.parametrize("largest", [50.0, 1e9])
def test_the_scale_of_counts_treats_an_integer_sample_weight_as_repeated_rows(largest):
    column = np.vstack([COUNTS, [[largest]]])
    weights = np.random.default_rng(0).integers(1, 4, len(column)).astype(float)
    scales = [
        fitted_preprocessor(column, weights=weights).numbers.scale,
        fitted_preprocessor(np.repeat(column, weights.astype(int), axis=0)).numbers.scale,
    ]
    assert_array_equal(*scales)


def test_counts_with_a_huge_number_are_learned_as_well_as_without():
    rng = np.random.default_rng(1)
    X = np.where(rng.random((1500, 10)) < 0.8, 0, 1.0 + rng.poisson(3, (1500, 10)))
    clean, X[0, 0] = X[:500].copy(), 1e9
    y = (X.sum(axis=1) > 8).astype(int)
    clf = SoftmaxMLPClassifier((32,), n_members=4, relevance=None, random_state=0)
    accuracies = [clf.fit(rows, y[:500]).score(X[500:], y[500:]) for rows in (X[:500], clean)]
    assert accuracies[0] >= accuracies[1] - 0.005
