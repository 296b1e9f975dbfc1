"""The checks of X, y and sample_weight, and the validation split."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csc_matrix, csr_matrix
from sklearn.exceptions import DataConversionWarning

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data.columns import Categories
from sksoftmax.data.inputs import check_sample_weight, check_X_y, naming_columns, split_by_class, split_like_mlp, weights_in
from sksoftmax.data.rows import Samples
from sksoftmax.data.targets import Targets
from support.data import FEW_FRAME as FRAME
from support.data import FEW_X as X
from support.data import FEW_y as y

NO_CATEGORIES = Categories({})


def checked(X, y=y, categories=NO_CATEGORIES, accepts_missing=False, estimator=None, reset=True):
    """X and y as the check of fit returns them; of later calls, with an estimator that has seen X."""
    return check_X_y(estimator or SoftmaxMLPClassifier(), X, y, categories, accepts_missing, reset)


@pytest.mark.parametrize(
    "dtype, expected", [("float32", "float32"), ("float64", "float64"), ("int8", "float64"), (bool, "float64")]
)
def test_X_keeps_a_float_dtype_and_other_numbers_become_float64(dtype, expected):
    assert checked(X.astype(dtype))[0].dtype == expected


def test_a_sparse_X_becomes_csr_with_each_entry_once_and_the_users_matrix_stays():
    twice = csr_matrix((np.ones(60), np.zeros(60, dtype=int), np.arange(0, 61, 2)), shape=(30, 2))
    for given in (twice, csc_matrix((np.ones(60), np.repeat(np.arange(30), 2), [0, 60, 60]), shape=(30, 2))):
        found = checked(given)[0]
        assert found.format == "csr" and found.nnz == 30 and given.nnz == 60
        assert_array_equal(found.toarray(), given.toarray())


def test_categories_become_codes_and_missing_numbers_pass_only_where_they_are_accepted():
    frame = FRAME.assign(width=["red", "blue", None] * 10, mass=[1.0, np.nan, 2.0] * 10)
    categories = Categories.from_X(frame, "from_dtype")
    found = checked(frame, categories=categories, accepts_missing=True)[0]
    assert_array_equal(found[:3, [1, 3]], [[1, 1], [0, np.nan], [-1, 2]])
    with pytest.raises(ValueError, match=r"contains NaN in column 'mass' \(first in row 1\).*SimpleImputer.*scaling='robust'"):
        checked(frame, categories=categories)


@pytest.mark.parametrize("value, name", [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
@pytest.mark.parametrize("form", [np.asarray, csr_matrix, csc_matrix, np.float32])
@pytest.mark.parametrize("accepts_missing", [False, True])
def test_a_number_that_is_not_finite_is_named_with_its_column_and_row_unless_it_is_missing_in_an_array(
    accepts_missing, form, value, name
):
    bad = X.copy()
    bad[7, 2] = value
    if accepts_missing and name == "NaN" and form in (np.asarray, np.float32):
        assert np.isnan(checked(form(bad), accepts_missing=True)[0][7, 2])
        return
    with pytest.raises(ValueError, match=rf"Input X contains {name} in column 2 \(first in row 7\)"):
        checked(form(bad), accepts_missing=accepts_missing)


@pytest.mark.parametrize("column", [y[:, None], csr_matrix(y[:, None])], ids=["dense", "sparse"])
def test_a_y_of_one_column_becomes_labels_with_scikit_learns_warning(column):
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        assert_array_equal(checked(X, column)[1], y)


def test_later_calls_must_bring_the_columns_of_the_first():
    for form in (FRAME, FRAME.assign(width="red")):  # a frame that scikit-learn reads itself, and one that it does not
        estimator, categories = SoftmaxMLPClassifier(), Categories.from_X(form, "from_dtype")
        checked(form, categories=categories, estimator=estimator)
        with pytest.raises(ValueError, match="Feature names unseen at fit time:\n- wide"):
            checked(form.rename(columns={"height": "wide"}), categories=categories, estimator=estimator, reset=False)


@pytest.mark.parametrize("block", [1, 4, 12, 2**20])
def test_the_first_bad_row_is_found_in_whichever_block_of_rows_it_is(block, limits):
    limits(BLOCK=block)
    bad = X.copy()
    bad[2:] = np.finfo(np.float64).max  # their sum is infinite, they are not
    assert_array_equal(checked(bad)[0], bad)
    bad[[17, 29], [3, 0]] = np.inf
    with pytest.raises(ValueError, match=r"infinity in column 3 \(first in row 17\)"):
        checked(bad)


@pytest.mark.parametrize(
    "X, error, kind, message",
    [
        (
            FRAME.assign(width="red", mass="b"),
            ValueError,
            ValueError,
            r"these columns are not: \['width', 'mass'\]\. Do\.",
        ),
        (FRAME.assign(width="red").to_numpy(), TypeError, TypeError, r"these columns are not: \[1\]\. Do\. \(why\)"),
        (FRAME.assign(width="red"), TypeError, ValueError, r"these columns are not: \['width'\]"),
        (X, OverflowError, ValueError, r"X must be a matrix of numbers, or a frame; got shape \(30, 4\): why"),
        (X.tolist(), TypeError, TypeError, r"X must be a matrix of numbers, or a frame; got a list: why"),
    ],
    ids=["frame", "objects", "TypeError in a frame", "numbers", "lists"],
)
def test_an_error_in_reading_X_names_the_columns_that_are_not_numeric_or_else_X(X, error, kind, message):
    with pytest.raises(kind, match=message), naming_columns(SoftmaxMLPClassifier(), X, Categories({}), "Do."):
        raise error("why")


@pytest.mark.parametrize(
    "column, named, advice",
    [
        (pd.date_range("2020-01-01", periods=30), None, r"Turn the dates and durations in \['width'\] into numbers first"),
        ("red", None, "To find columns of text by their type, use categorical_features='from_dtype'"),
        ("red", ["mass"], r"use categorical_features=\['from_dtype', 'mass'\]"),
        ([{}] * 30, None, r"not: \['width'\]\. Name them in categorical_features"),
    ],
    ids=["dates", "text", "text beside a named column", "objects"],
)
def test_fit_advises_what_to_do_with_columns_that_are_not_numeric(column, named, advice):
    estimator, frame = SoftmaxMLPClassifier(categorical_features=named), FRAME.assign(width=column)
    with pytest.raises(ValueError, match=advice), naming_columns(estimator, frame, Categories({})):
        raise ValueError("why")


# sample_weight


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.ones(5), r"sample_weight must have shape \(3,\).*got \(5,\)"),
        (np.ones((3, 1)), r"sample_weight must have shape \(3,\).*got \(3, 1\)"),
        ([1, np.nan, 1], "sample_weight contains NaN"),
        ([1, np.inf, 1], "sample_weight contains infinity"),
        ([1, 1, -0.5], "sample_weight must be non-negative; got -0.5 in row 2"),
        (np.zeros(3), "all of sample_weight are zero"),
        (0, "all of sample_weight are zero"),
        (["heavy"] * 3, "sample_weight must be an array of finite numbers"),
    ],
    ids=["short", "2-D", "nan", "inf", "negative", "zeros", "zero", "text"],
)
def test_a_wrong_sample_weight_is_refused_by_name(wrong, message):
    with pytest.raises(ValueError, match=message):
        check_sample_weight(wrong, 3)


def test_sample_weight_is_read_as_float64_one_number_counts_for_all_rows_and_none_stays_none():
    assert check_sample_weight([1, 0, 2], 3).dtype == np.float64
    assert_array_equal(check_sample_weight(2, 3), [2, 2, 2])
    assert check_sample_weight(None, 3) is weights_in("float32", None) is None


@pytest.mark.parametrize("weight, dtype, total", [(1e300, "float32", "inf"), (1e-300, "float32", "0"), (1e308, "float64", "inf")])
def test_a_sample_weight_whose_sum_the_dtype_does_not_hold_is_refused_without_a_warning(weight, dtype, total):
    with pytest.raises(ValueError, match=rf"sample_weight must have a sum that {dtype} holds; got {total}"):
        weights_in(dtype, np.full(30, weight))
    assert weights_in(dtype, np.full(30, 0.5)).dtype == dtype


# The validation split


def split(labels, fraction=0.1, kind="labels", groups=None, seed=0):
    """The rows of the training and of the validation part."""
    labels = np.asarray(labels)
    samples = Samples(labels[:, None], labels, rows=np.arange(len(labels)), strata=labels, groups=groups)
    training, validation = split_by_class(samples, fraction, kind, np.random.RandomState(seed))
    assert sorted([*training.rows, *validation.rows]) == list(range(len(labels)))
    return training.rows, validation.rows


@pytest.mark.parametrize("fraction, n_rows, counts", [(0.25, [40, 8, 2, 1], [10, 2, 1, 0]), (0.9, [10, 3], [9, 2])])
def test_each_class_of_two_rows_or_more_is_on_both_sides_and_the_only_row_of_a_class_is_trained_on(fraction, n_rows, counts):
    labels = np.repeat(np.arange(len(n_rows)), n_rows)
    found = [np.bincount(labels[split(labels, fraction, seed=seed)[1]], minlength=len(n_rows)) for seed in range(5)]
    assert_array_equal(found, [counts] * 5)


@pytest.mark.parametrize("n_rows", [3, 12])
def test_classes_do_not_count_if_fewer_than_two_rows_would_be_scored(n_rows):
    assert len(split(np.arange(n_rows))[1]) == 2


def test_classes_count_only_in_labels():
    labels = np.repeat([0, 1], [98, 2])
    assert {int((split(labels, kind="multilabel", seed=seed)[1] >= 98).sum()) for seed in range(30)} == {0, 1}


def test_whole_groups_are_set_aside_and_rows_of_each_class_stay():
    groups = np.arange(160) % 16
    rare = ((groups < 2) & (np.arange(160) < 16)).astype(int)  # a class of two rows, in two groups of another class
    for labels, fraction in ((np.arange(160) % 8, 0.3), (rare, 0.9)):
        for seed in range(20):
            training, validation = split(labels, fraction, groups=groups, seed=seed)
            assert set(labels[training]) == set(labels) and len(validation) > 0
            assert not set(groups[training]) & set(groups[validation])
    labels = np.arange(160) % 8
    with pytest.raises(ValueError, match="sets whole groups aside, but groups has none that can be"):
        split(labels, groups=labels)


def test_the_split_of_mlp_classifier_is_stratified_for_two_classes_alone():
    labels = np.repeat([0, 1], [20, 10])
    samples = Samples(X, labels, rows=np.arange(30), strata=labels)
    for classes, counts in ((2, {(2, 1)}), (3, {(3, 0), (2, 1), (1, 2)})):
        targets = Targets("labels", np.arange(classes), "auto")
        drawn = [split_like_mlp(samples, 0.1, targets, np.random.RandomState(seed))[1].rows for seed in range(20)]
        assert {tuple(np.bincount(labels[rows], minlength=2)) for rows in drawn} == counts
