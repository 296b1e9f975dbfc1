"""Scaling, missing values and categories as numbers, against plain references."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sksoftmax.data.blocks import Codes, Flags, OneHot, Pairs, smooth_clip
from sksoftmax.data.columns import UNKNOWN
from sksoftmax.data.preprocessing import FLOAT32_ROWS, MAX_BINNED_COLUMNS, network_dtype_for
from sksoftmax.data.statistics import allocate_bins, quartiles
from support.networks import fitted_preprocessor, of_kind

RNG = np.random.default_rng(0)
X = RNG.normal(size=(41, 3)) * [1, 100, 1e-3] + [0, 5, -2]
WEIGHTS = RNG.integers(0, 4, len(X)).astype(float)
REPEATED = np.repeat(X, WEIGHTS.astype(int), axis=0)
KEPT = WEIGHTS > 0
SCALINGS = ["robust", "standard"]


def fitted_and_transformed(X, *args, **kwargs):
    """X as a preprocessor that was fitted on it makes it."""
    return fitted_preprocessor(X, *args, **kwargs).transform(X, np.float64)


def with_missing(X):
    """X with NaN in the first and the last column."""
    X = X.copy()
    X[::5, 0] = np.nan
    X[3:9, -1] = np.nan
    return X


# Robust and standard scaling


def test_robust_scaling_is_the_distance_from_the_median_in_quartile_ranges_clipped_smoothly():
    low, median, high = np.quantile(X, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf")
    z = (X - median) / (high - low)
    assert_allclose(fitted_and_transformed(X), z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-12)


def test_standard_scaling_is_scikit_learns():
    assert_allclose(fitted_and_transformed(X, "standard"), StandardScaler().fit_transform(X), rtol=1e-10, atol=1e-12)


def test_weighted_standard_scaling_is_scikit_learns():
    expected = StandardScaler().fit(X, sample_weight=WEIGHTS).transform(X[KEPT])
    preprocessor = fitted_preprocessor(X[KEPT], "standard", weights=WEIGHTS[KEPT])
    assert_allclose(preprocessor.transform(X[KEPT], np.float64), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("n", range(1, 14))
@pytest.mark.parametrize("weighted", [False, True])
def test_quartiles_of_robust_scaling_are_numpys_for_every_number_of_rows(n, weighted):
    rows = X[:n]
    weights = WEIGHTS[KEPT][:n] if weighted else None
    repeated = rows if weights is None else np.repeat(rows, weights.astype(int), axis=0)
    expected = np.quantile(repeated, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf")
    assert_array_equal(quartiles(rows, weights), expected)
    assert_array_equal(quartiles(rows, np.ones(n)), quartiles(rows, None))


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("scaling", SCALINGS)
def test_scaling_treats_an_integer_sample_weight_as_repeated_rows(scaling, missing):
    rows = with_missing(X) if missing else X
    weighted = fitted_preprocessor(rows[KEPT], scaling, weights=WEIGHTS[KEPT])
    repeated = fitted_preprocessor(np.repeat(rows, WEIGHTS.astype(int), axis=0), scaling)
    exact = 0 if scaling == "robust" else 1e-13
    assert_allclose(weighted.numbers.center, repeated.numbers.center, rtol=exact)
    assert_allclose(weighted.numbers.scale, repeated.numbers.scale, rtol=exact)
    assert_array_equal(*([block.source for block in of_kind(p, Flags)] for p in (weighted, repeated)))


@pytest.mark.parametrize("factor", [0.125, 1024.0])
@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_common_factor_of_sample_weight_does_not_change_scaling(scaling, factor):
    one, other = (fitted_preprocessor(X[KEPT], scaling, weights=WEIGHTS[KEPT] * scale) for scale in (1.0, factor))
    assert_array_equal(one.numbers.center, other.numbers.center)
    assert_array_equal(one.numbers.scale, other.numbers.scale)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_statistics_are_of_float64_whatever_the_weights_are(scaling):
    weights = np.full(2**15, 0.1, dtype=np.float32)
    rows = np.random.default_rng(1).normal(size=(len(weights), 1)) + 1000
    one, other = (
        fitted_preprocessor(rows, scaling, weights=weights),
        fitted_preprocessor(rows, scaling, weights=weights.astype(np.float64)),
    )
    assert_allclose(one.numbers.center, other.numbers.center, rtol=1e-14)
    assert_allclose(one.numbers.scale, other.numbers.scale, rtol=1e-12)


def test_robust_scaling_uses_half_the_range_if_the_quartiles_coincide():
    column = np.array([0, 0, 0, 0, 0, 0, 0, 0, 5, -3.0])[:, None]
    assert_allclose(fitted_and_transformed(column), smooth_clip(column / 4), rtol=1e-15)


@pytest.mark.parametrize("value", [0.0, 7.5, -1e300, 1e-320])
@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("other", [0.0, 1e308, -1e308, 8.0])
def test_a_constant_column_is_0_whatever_comes_later(scaling, value, other):
    constant = fitted_preprocessor(np.full((5, 1), value), scaling)
    assert_array_equal(constant.transform(np.array([[value], [other]]), np.float64), [[0], [0]])


@pytest.mark.parametrize("value", [0.1, 1e8 + 0.1, -1e15 / 3])
def test_the_mean_of_a_constant_column_may_be_rounded(value):
    assert_array_equal(fitted_and_transformed(np.full((7, 1), value), "standard"), np.zeros((7, 1)))


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("outlier", [1e300, -1.7e308])
def test_outliers_leave_the_other_rows_alone(scaling, outlier):
    rows = np.vstack([X, np.full((1, 3), outlier)])
    result = fitted_and_transformed(rows, scaling)
    assert np.isfinite(result).all()
    if scaling == "robust":
        assert np.ptp(result[:-1], axis=0).min() > 2
        assert_allclose(abs(result[-1]), smooth_clip(np.array([1e15])).repeat(3), rtol=1e-12)


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "column",
    [[-1.7e308, 1.7e308, 1e308, -1e308], [5e-324, 0, 1e-323, 2e-320], [1e-300, -1e-300, 3e-301, 0], [1e308, 1, -1, 1e-308]],
    ids=["huge", "denormal", "small", "mixed"],
)
def test_extreme_numbers_give_moderate_ones(scaling, dtype, column):
    rows = np.array(column)[:, None]
    later = np.array([[1.7e308], [-1.7e308], [0], [5e-324]])
    preprocessor = fitted_preprocessor(rows, scaling)
    for part in (rows, later):
        result = preprocessor.transform(part, dtype)
        assert result.dtype == dtype
        assert np.isfinite(result).all()
        assert abs(result).max() <= (6 if scaling == "robust" else 1e15)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_column_that_varies_less_than_can_be_inverted_is_constant(scaling):
    column = np.array([[5e-324], [0], [1e-320], [2e-310]])
    assert_array_equal(fitted_and_transformed(column, scaling), np.zeros((4, 1)))
    assert not fitted_and_transformed(csr_matrix(column), scaling).toarray().any()


@pytest.mark.parametrize("scaling", SCALINGS)
def test_numbers_at_the_end_of_float32_are_scaled_without_overflow(scaling):
    column = np.array([[-3e38], [3e38], [1e38], [0]], dtype=np.float32)
    assert_allclose(
        fitted_and_transformed(column, scaling), fitted_and_transformed(column.astype(np.float64), scaling), rtol=1e-12
    )
    assert np.ptp(fitted_and_transformed(column, scaling)) > 1


def test_the_smooth_clip_leaves_small_numbers_and_bounds_large_ones():
    z = np.array([0.0, 1e-3, -1e-3, 1.0, 1e7, -1e15])
    result = smooth_clip(z)
    assert_allclose(result[:3], z[:3], rtol=1e-6)
    assert_allclose(result[3], 1 / np.sqrt(1 + 1 / 9))
    assert abs(result[:-1]).max() < 4 and abs(result).max() < 6
    assert (np.diff(smooth_clip(np.linspace(-50, 50, 1001))) > 0).all()


def test_robust_scaling_keeps_the_order_and_stays_within_3_up_to_1000_quartile_ranges():
    result, z = fitted_and_transformed(X**9), fitted_preprocessor(X**9).numbers
    assert_array_equal(np.argsort(result, axis=0), np.argsort(X**9, axis=0))
    near = abs((X**9 - z.center) * z.scale) <= 1000
    assert abs(result[near]).max() < 3 < abs(result).max() < 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scaling", [*SCALINGS, None])
@pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
def test_X_is_never_written_to(scaling, kind, dtype):
    rows = X.astype(dtype)
    given = kind(rows)
    (given.data if kind is csr_matrix else given).flags.writeable = False
    fitted_preprocessor(given, scaling).transform(given, dtype)
    fitted_preprocessor(given, scaling).transform(given, np.float32)
    assert_array_equal(given.toarray() if kind is csr_matrix else given, rows)


def test_nothing_is_copied_if_nothing_changes():
    assert fitted_preprocessor(X, None).transform(X, np.float64) is X


# Missing numbers


@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_missing_number_is_the_center_and_flagged(scaling):
    rows = with_missing(X)
    result = fitted_and_transformed(rows, scaling)
    assert result.shape == (len(X), 5)
    assert_array_equal(result[:, 3:], np.isnan(rows[:, [0, 2]]))
    assert (result[:, :3][np.isnan(rows)] == 0).all()


@pytest.mark.parametrize("scaling", SCALINGS)
def test_statistics_are_of_the_numbers_that_are_there(scaling):
    rows = with_missing(X)
    for column, values in enumerate(rows.T):
        alone = fitted_preprocessor(values[~np.isnan(values)][:, None], scaling)
        assert_allclose(fitted_preprocessor(rows, scaling).numbers.center[column], alone.numbers.center[0], rtol=1e-14)
        assert_allclose(fitted_preprocessor(rows, scaling).numbers.scale[column], alone.numbers.scale[0], rtol=1e-14)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_only_columns_in_which_fit_saw_missing_numbers_are_flagged(scaling):
    preprocessor = fitted_preprocessor(with_missing(X), scaling)
    later = np.full((2, 3), np.nan)
    later[1] = preprocessor.numbers.center
    assert_allclose(preprocessor.transform(later, np.float64), [[0, 0, 0, 1, 1], [0, 0, 0, 0, 0]], atol=1e-15)


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("weights", [None, WEIGHTS + 1])
def test_a_column_without_any_number_is_0_and_has_no_flag(scaling, weights):
    rows = X.copy()
    rows[:, 1] = np.nan
    preprocessor = fitted_preprocessor(rows, scaling, weights=weights)
    result = preprocessor.transform(rows, np.float64)
    assert result.shape == X.shape
    assert_array_equal(result[:, 1], np.zeros(len(X)))
    assert_array_equal(preprocessor.transform(X, np.float64)[:, 1], np.zeros(len(X)))
    assert_allclose(
        result[:, [0, 2]], fitted_preprocessor(X[:, [0, 2]], scaling, weights=weights).transform(X[:, [0, 2]], np.float64)
    )


# Sparse X


SPARSE = np.where(RNG.random((41, 4)) < [0.6, 0.6, 0.6, 0.2], 0, X[:, [0, 1, 2, 0]])
SPARSE[:, 1] *= -1
SPARSE[:, 3] += 1000 * (SPARSE[:, 3] != 0)


@pytest.mark.parametrize("scaling", [*SCALINGS, None])
@pytest.mark.parametrize(("fit_on", "asked"), [(np.asarray, csr_matrix), (csr_matrix, np.asarray)])
def test_scaling_is_the_same_for_sparse_and_dense_rows_whichever_was_fitted(scaling, fit_on, asked):
    preprocessor = fitted_preprocessor(fit_on(SPARSE), scaling)
    one = preprocessor.transform(fit_on(SPARSE), np.float64)
    other = preprocessor.transform(asked(SPARSE), np.float64)
    one, other = (part.toarray() if hasattr(part, "toarray") else part for part in (one, other))
    assert_allclose(one, other, rtol=1e-14)


def test_a_sparse_column_of_zeros_gives_no_input_whatever_comes_later():
    preprocessor = fitted_preprocessor(csr_matrix((4, 2)))
    assert preprocessor.transform(csr_matrix(np.full((1, 2), 1e308)), np.float64).shape == (1, 0)


# Categories


@pytest.mark.parametrize("order", [range(9), [3, 4, 8, 0, 1, 2, 7, 5, 6]])
def test_blocks_of_one_column_that_are_written_at_once_are_as_they_are_alone(order):
    rng, values = np.random.default_rng(0), list("abc")
    kinds = [(1, False), (2, False), (2, False), (3, False), (2, True), (1, False), (2, False), (2, False), (1, False)]
    blocks = [OneHot(i, np.arange(float(n)), values[:n], has_flag) for i, (n, has_flag) in enumerate(kinds)]
    blocks = [blocks[i] for i in order]
    X, width = rng.integers(-1, 3, (50, 9)).astype(float), sum(len(block.source) for block in blocks)
    found = []
    for written in (blocks, Pairs.grouped(blocks)):
        out, start = np.full((50, width), 9.0, np.float32), 0
        for block in written:
            block.write(X, None, out[:, start : start + len(block.source)])
            start += len(block.source)
        found.append(out)
    assert_array_equal(*found)
    assert any(isinstance(block, Pairs) for block in written)


@pytest.mark.parametrize("n_categories", [1, 3, 4])
def test_categories_are_one_hot_as_scikit_learns(n_categories):
    column = (np.arange(12.0) % n_categories)[:, None]
    values = [f"c{i}" for i in range(n_categories)]
    expected = OneHotEncoder(sparse_output=False).fit_transform(column)
    assert_array_equal(fitted_and_transformed(column, None, {0: values}), expected)


def test_two_categories_are_one_column_of_minus_1_and_1():
    assert_array_equal(fitted_and_transformed(np.array([[0.0], [1], [1]]), None, {0: ["a", "b"]}), [[-1], [1], [1]])


@pytest.mark.parametrize("n_categories", [1, 2, 3])
def test_a_value_that_is_not_a_category_is_encoded_as_zeros(n_categories):
    column = (np.arange(6.0) % n_categories)[:, None]
    preprocessor = fitted_preprocessor(column, None, {0: list("abc"[:n_categories])})
    assert not preprocessor.transform(np.array([[UNKNOWN]]), np.float64).any()


def test_only_categories_of_the_fitted_rows_have_columns():
    preprocessor = fitted_preprocessor(np.array([[2.0], [0], [UNKNOWN], [4]]), None, {0: list("abcde")})
    assert_array_equal(preprocessor.transform(np.array([[0.0], [1], [2], [3], [4]]), np.float64).argmax(axis=1), [0, 0, 1, 0, 2])
    assert_array_equal(preprocessor.transform(np.array([[1.0], [3]]), np.float64), np.zeros((2, 3)))


def test_a_column_without_any_category_becomes_no_column():
    assert fitted_and_transformed(np.full((4, 1), UNKNOWN), None, {0: []}).shape == (4, 0)


# Names


def test_names_are_those_of_numbers_flags_and_categories_in_the_order_of_the_columns():
    rows = np.column_stack([X[:, 0], np.arange(41) % 3, with_missing(X)[:, 0], np.arange(41) % 2, np.zeros(41)])
    preprocessor = fitted_preprocessor(rows, "robust", {1: ["a", "b", "c"], 3: [False, True], 4: [7]})
    names = preprocessor.get_feature_names_out(["x", "kind", "y", "flag", "one"], 8)
    assert names.tolist() == ["x", "y", "missingindicator_y", "kind_a", "kind_b", "kind_c", "flag_True", "one_7"]
    encoded = preprocessor.transform(rows, np.float64)
    assert_array_equal(encoded[:, 3:6], rows[:, 1:2] == [0, 1, 2])
    assert_array_equal(encoded[:, 6], 2 * rows[:, 3] - 1)
    assert_array_equal(encoded[:, 2], np.isnan(rows[:, 2]))


# The format


@pytest.mark.parametrize(
    ("dtype", "given", "scaling", "n_rows", "expected"),
    [
        ("auto", "float64", None, 5000, "float64"),
        ("auto", "float32", None, 5, "float32"),
        ("auto", "float64", "robust", FLOAT32_ROWS - 1, "float64"),
        ("auto", "float64", "robust", FLOAT32_ROWS, "float32"),
        ("auto", "float64", "standard", FLOAT32_ROWS, "float32"),
        ("auto", "float32", "robust", 5, "float32"),
        ("float32", "float64", None, 5, "float32"),
        ("float64", "float32", "robust", 5000, "float64"),
    ],
)
def test_dtype_is_the_one_asked_for_or_float32_for_many_scaled_rows(dtype, given, scaling, n_rows, expected):
    assert network_dtype_for(dtype, np.zeros((n_rows, 1), given), scaling) == expected


@pytest.mark.parametrize(
    "n_columns, n_bins", [(1, 64), (4, 64), (5, 51), (32, 8), (MAX_BINNED_COLUMNS, 4), (MAX_BINNED_COLUMNS + 1, 0)]
)
def test_n_bins_of_a_column_fall_with_the_number_of_columns(n_columns, n_bins):
    X = np.random.default_rng(0).normal(size=(300, n_columns))
    assert fitted_preprocessor(X, n_bins=64).layout.n_bins == n_bins * n_columns


@pytest.mark.parametrize(
    "relevance, n_bins",
    [([1, 1, 1, 1], [64] * 4), ([4, 2, 2, 0], [100, 64, 64, 4]), ([0, 0, 0, 0], [4] * 4), ([1, 1, 2, 4], [32, 32, 64, 100])],
)
def test_n_bins_are_shared_out_by_relevance_within_limits(relevance, n_bins):
    assert allocate_bins(256, np.array(relevance, float), 4, 100).tolist() == n_bins
    assert allocate_bins(256, np.array(relevance, float), 4, 2).tolist() == [2] * 4


@pytest.mark.parametrize(
    "n_categories, n_embedded",
    [([255], 0), ([256], 1), ([64, 192], 0), ([64, 193], 2), ([63, 194], 1), ([63] * 5, 0), ([255, 256], 1), ([100, 255, 2], 2)],
)
def test_columns_of_more_than_255_categories_are_embedded_or_of_more_than_63_if_one_hot_columns_are_more_than_256(
    n_categories, n_embedded
):
    rows = np.column_stack([np.arange(600.0) % n for n in n_categories])
    preprocessor = fitted_preprocessor(rows, None, {i: list(range(n)) for i, n in enumerate(n_categories)})
    assert len(of_kind(preprocessor, Codes)) == n_embedded
