"""Wrong parameters, X, y and sample_weight: each gets an error that names it, and the column or row."""

import re

import numpy as np
import pandas as pd
import pytest
from neutral import plain
from scipy.sparse import csc_matrix, csr_matrix
from sklearn.exceptions import DataConversionWarning, NotFittedError

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data import inputs

X = np.random.default_rng(0).normal(size=(30, 4))
y = np.arange(30) % 3
FRAME = pd.DataFrame(X, columns=["length", "width", "height", "mass"])
SOFT = np.full((30, 3), [0.5, 0.3, 0.2])
METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function"]

WRONG = {  # wrong types, and values out of range
    "hidden_layer_sizes": [None, "100x3", "10--3", "-3", 0, (10, 0), (10, -1), (2.5,), (True,), [[3, 3]], [(1, 2), 3]],
    "activation": [None, "Relu", "swish2", ["relu", "tanh"], ["Relu"]],
    "solver": [None, "rmsprop"],
    "alpha": ["0.1", None, -1e-9, np.nan, np.inf],
    "batch_size": [None, "all", 0, 2.5],
    "learning_rate": [0.1, None, "linear"],
    "learning_rate_init": ["0.1", None, 0.0, -0.1, np.nan, np.inf],
    "power_t": ["0.5", None, -0.5],
    "max_iter": [10.0, None, 0, -1],
    "shuffle": ["yes", None],
    "random_state": ["seed", 1.5, -1, np.random.default_rng(0)],
    "tol": ["small", None, -1e-4, np.nan],
    "verbose": ["yes", None, -1],
    "warm_start": ["yes", None],
    "momentum": ["0.9", None, -0.1, 1.1],
    "nesterovs_momentum": ["yes", None],
    "early_stopping": ["maybe", None],
    "validation_fraction": ["0.1", None, 1.0, -0.1],
    "beta_1": ["0.9", None, 1.0, -0.1],
    "beta_2": ["0.9", None, 1.0, -0.1],
    "epsilon": ["tiny", None, 0.0, -1.0],
    "n_iter_no_change": ["few", None, 0, 2.5, -np.inf],
    "max_fun": [10.5, None, 0],
    "out_activation": [None, "sigmoid", "identity"],
    "weight_decay": ["0.1", None, -0.1, np.nan],
    "class_weight": ["even", 2.0, {3: 1.0}, {0: -1.0}, {0: "heavy"}, {0: np.nan}, [{0: 1.0, 1: 2.0}]],
    "scoring": [None, "precise", 1],
    "restore_best": ["yes", None],
    "dropout": ["0.1", None, 1.0, -0.1, [0.1, 0.2], [1.0], ["0.1"]],
    "label_smoothing": ["0.1", None, 1.0, -0.1],
    "clip_norm": ["1", 0.0, -1.0],
    "ema_decay": ["0.9", None, 1.0, -0.1],
    "warmup": ["0.1", None, 1.0, -0.1],
    "scaling": ["minmax", True],
    "categorical_features": ["all", 3, [9], ["length"], [True, False]],
    "dtype": [None, "float16", np.float32],
    "parametrization": [None, "mup"],
    "n_members": [None, 0, 2, 5, 1.5],
    "n_bins": [None, -1, 2.5],
    "relevance": ["forest", 1.0, [1.0]],
}


def small(**params):
    """Two epochs on a planned schedule, which ends without a warning."""
    return plain(**{"hidden_layer_sizes": (3,), "learning_rate": "cosine", "max_iter": 2, **params})


def with_value(value, row=7, column=2):
    """X with this value in one place."""
    changed = X.copy()
    changed[row, column] = value
    return changed


def test_every_parameter_is_tried_with_wrong_values():
    assert set(WRONG) == set(SoftmaxMLPClassifier().get_params())


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_parameter_is_named(name, value, method):
    clf = plain(**{"max_iter": 2, name: value})
    with pytest.raises((ValueError, TypeError), match=name):
        getattr(clf, method)(X, y, **({} if method == "fit" else {"classes": [0, 1, 2]}))


@pytest.mark.parametrize(("name", "allowed"), [("activation", "mish"), ("solver", "lbfgs"), ("learning_rate", "coslog4")])
def test_the_error_lists_what_is_allowed(name, allowed):
    with pytest.raises(ValueError, match=f"'{allowed}'"):
        small(**{name: "wrong"}).fit(X, y)


def test_a_validation_fraction_of_0_is_refused_where_it_would_be_used():
    with pytest.raises(ValueError, match="validation_fraction"):
        small(early_stopping=True, validation_fraction=0.0).fit(X, y)


def test_an_unknown_parameter_is_refused():
    with pytest.raises(ValueError, match="Invalid parameter 'dropuot'"):
        small().set_params(dropuot=0.1)


# X


@pytest.mark.parametrize("block", [1, 4, 12, 2**20])
def test_the_first_bad_row_is_found_in_whichever_block_of_rows_it_is(block, monkeypatch):
    monkeypatch.setattr(inputs, "BLOCK", block)
    bad = X.copy()
    bad[2:] = np.finfo(np.float64).max  # their sum is infinite, they are not
    SoftmaxMLPClassifier(max_iter=1, n_members=1).fit(bad, y)
    bad[[17, 29], [3, 0]] = np.inf
    with pytest.raises(ValueError, match=r"infinity in column 3 \(first in row 17\)"):
        SoftmaxMLPClassifier().fit(bad, y)


@pytest.mark.parametrize(("value", "name"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
@pytest.mark.parametrize("kind", [np.asarray, csr_matrix, csc_matrix, lambda X: X.astype(np.float32)])
def test_a_number_that_is_not_finite_is_named_with_its_column_and_row(kind, value, name):
    with pytest.raises(ValueError, match=rf"Input X contains {name} in column 2 \(first in row 7\)"):
        small().fit(kind(with_value(value)), y)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
def test_a_number_that_is_not_finite_is_named_in_predictions_too(kind, method):
    clf = small().fit(X, y)
    with pytest.raises(ValueError, match=r"Input X contains NaN in column 2 \(first in row 7\)"):
        getattr(clf, method)(kind(with_value(np.nan)))


def test_the_column_of_a_sparse_matrix_is_found_among_zeros():
    thin = csr_matrix((30, 4))
    with pytest.warns(Warning, match="sparsity"):
        thin[29, 1] = np.nan
    with pytest.raises(ValueError, match=r"column 1 \(first in row 29\)"):
        small().fit(thin, y)


@pytest.mark.parametrize("method", ["fit", "predict"])
def test_the_column_of_a_data_frame_is_named_by_its_name(method):
    clf = small().fit(FRAME, y)
    frame = FRAME.assign(height=with_value(np.nan)[:, 2])
    with pytest.raises(ValueError, match=r"Input X contains NaN in column 'height' \(first in row 7\).*SimpleImputer"):
        getattr(clf, method)(*((frame, y) if method == "fit" else (frame,)))


def test_a_missing_value_of_pandas_is_a_nan():
    frame = FRAME.assign(width=pd.array([1, None] * 15, dtype="Int64"))
    with pytest.raises(ValueError, match=r"NaN in column 'width' \(first in row 1\)"):
        small().fit(frame, y)


@pytest.mark.parametrize(
    "column",
    [
        ["red", "green", "blue"] * 10,
        pd.Categorical(["red", "green", "blue"] * 10),
        pd.date_range("2020-01-01", periods=30),
        [pd.Timedelta(1, "D")] * 30,
        [{}] * 30,
    ],
    ids=["strings", "categories", "dates", "durations", "objects"],
)
@pytest.mark.parametrize("method", ["fit", "predict"])
def test_columns_that_are_not_numeric_are_named(method, column):
    clf = small().fit(FRAME, y)
    frame = FRAME.assign(width=column)
    with pytest.raises((ValueError, TypeError), match=r"these columns are not: \['width'\]"):
        getattr(clf, method)(*((frame, y) if method == "fit" else (frame,)))


def test_only_the_columns_that_are_not_numeric_are_named():
    frame = FRAME.assign(length="1.5", width="red", mass="blue")
    with pytest.raises(ValueError, match=r"these columns are not: \['width', 'mass'\].*OneHotEncoder"):
        small().fit(frame, y)


@pytest.mark.parametrize("form", [np.asarray, lambda rows: np.asarray(rows, dtype=object), list], ids=["str", "objects", "list"])
def test_columns_of_text_in_an_array_are_told_by_position(form):
    rows = [["1.5", "red", "2", "blue"]] * 30
    with pytest.raises(ValueError, match=r"these columns are not: \[1, 3\]\. Name them in categorical_features.*'red'"):
        small().fit(form(rows), y)
    assert len(small(categorical_features=[1, 3]).fit(form(rows), y).encoded_feature_names_) == 4


def test_a_prediction_from_other_types_than_in_fit_does_not_advise_to_encode_them():
    clf = small().fit(FRAME, y)
    with pytest.raises(ValueError, match=r"these columns are not: \['width'\]\. They held numbers in fit\. \(could not convert"):
        clf.predict(FRAME.assign(width="red"))


def test_dates_in_an_array_are_refused_as_in_a_frame():
    with pytest.raises(TypeError, match=r"X must be a matrix .*got shape \(30, 1\): dates, durations and complex numbers"):
        small().fit(np.arange(30)[:, None].astype("M8[D]"), y)


def test_integers_beyond_floats_are_refused_by_column():
    with pytest.raises(ValueError, match=r"these columns are not: \[1\].*int too large"):
        small().fit([[1, 10**400]] * 30, y)


def test_a_frame_without_columns_is_refused_with_its_shape():
    with pytest.raises(ValueError, match=r"X must be a matrix of numbers, or a frame; got shape \(30, 0\)"):
        small().fit(FRAME[[]], y)


def test_text_in_an_array_is_refused():
    with pytest.raises(ValueError, match=r"could not convert string to float.*'red'"):
        small().fit(np.full((30, 2), "red"), y)


@pytest.mark.parametrize("method", ["fit", "predict"])
@pytest.mark.parametrize("categorical_features", [None, [0]])
def test_rows_of_different_lengths_are_refused_as_such_an_X(method, categorical_features):
    ragged, clf = [[1.0] * (1 + i % 4) for i in range(30)], small(categorical_features=categorical_features)
    with pytest.raises(ValueError, match=r"X must be a matrix of numbers, or a frame; got a list: .*inhomogeneous"):
        clf.fit(ragged, y) if method == "fit" else clf.fit(X, y).predict(ragged)


def test_a_sparse_frame_that_is_filled_with_something_else_than_0_is_refused_as_X():
    with pytest.raises(ValueError, match=r"X must be a matrix of numbers, or a frame; got shape .*: fill value"):
        small().fit(pd.DataFrame({"x": pd.arrays.SparseArray(X[:, 0], fill_value=np.nan)}), y)


def test_complex_numbers_are_refused():
    with pytest.raises(ValueError, match="Complex data not supported"):
        small().fit(X * 1j, y)


@pytest.mark.parametrize("method", [*METHODS, "partial_fit", "score"])
def test_another_number_of_columns_is_refused(method):
    clf = small().fit(X, y)
    with pytest.raises(ValueError, match="X has 3 features, but SoftmaxMLPClassifier is expecting 4 features"):
        getattr(clf, method)(X[:, :3], *([y] if method in ("partial_fit", "score") else []))


@pytest.mark.parametrize(
    ("wrong", "message"), [(X[0], "Expected 2D array, got 1D"), (X[:0], "0 sample"), (X[:, :0], "0 feature"), (X[None], "dim 3")]
)
def test_wrong_shapes_of_X_are_refused(wrong, message):
    clf = small().fit(X, y)
    with pytest.raises(ValueError, match=message):
        clf.predict(wrong)
    with pytest.raises(ValueError, match=message):
        clf.fit(wrong, y[: len(wrong)])


@pytest.mark.parametrize("method", [*METHODS, "score"])
def test_a_model_that_is_not_fitted_says_so(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(small(), method)(X, *([y] if method == "score" else []))


def test_an_output_that_overflows_names_the_row_and_what_to_do():
    clf = small(activation="identity", hidden_layer_sizes=(), random_state=0).fit(X, y)
    clf.coefs_[0] *= 1e10
    with pytest.raises(ValueError, match=r"overflows in row 7 of X, whose largest value is 1e\+300.*Scale X"):
        clf.predict(with_value(1e300))


# y


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (None, "requires y to be passed"),
        (X[:, 0], "Unknown label type: continuous"),
        (np.where(y == 0, np.nan, y), "Input y contains NaN"),
        (np.where(y == 0, np.inf, y), "Input y contains infinity"),
        (np.column_stack([y, y + 1]), "y has 2 columns of labels.*MultiOutputClassifier"),
        (np.column_stack([y, y + 1]).astype(str), "y has 2 columns of labels.*MultiOutputClassifier"),
        (y[:5], r"inconsistent numbers of samples: \[30, 5\]"),
        (SOFT[:5], r"inconsistent numbers of samples: \[30, 5\]"),
        (np.zeros((30, 2, 2)), "y must be .*dim 3"),
        (SOFT * 2, "each row must sum to 1; row 0 sums to 2"),
        (np.where(np.arange(30)[:, None] == 4, 0.3, SOFT), "row 4 sums to 0.9"),
        (SOFT + np.array([0.5, 0, -0.5]), r"class probabilities.*row 0 has a negative one: \[ 1.   0.3 -0.3\]"),
        (np.where(np.arange(30)[:, None] == 4, np.nan, SOFT), "Input y contains NaN"),
        ([[1] * (1 + i % 2) for i in range(30)], "y must be one label a row, or a matrix.*inhomogeneous"),
        (y * 1j, "y must be one label a row, or a matrix.*Complex data"),
    ],
    ids=[
        "none",
        "continuous",
        "nan",
        "inf",
        "columns",
        "text columns",
        "short",
        "short rows",
        "3-D",
        "sum",
        "a sum",
        "negative",
        "nan row",
        "ragged",
        "complex",
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_wrong_y_is_refused(wrong, message, method):
    with pytest.raises(ValueError, match=message):
        getattr(small(), method)(X, wrong, **({} if method == "fit" else {"classes": [0, 1, 2]}))


def test_probabilities_may_miss_1_by_rounding():
    assert small().fit(X, SOFT.astype(np.float16)).n_outputs_ == 3


@pytest.mark.parametrize("classes", [3, [], [np.nan, 1.0], [0, "a"], [[0], [0, 1]]], ids=str)
def test_wrong_classes_are_refused_by_name(classes):
    with pytest.raises(ValueError, match=r"classes must .*; got"):
        small().partial_fit(X, y, classes=classes)
    with pytest.raises(ValueError, match=r"classes must .*; got"):
        small().fit(X, y).partial_fit(X, y, classes=classes)


def test_later_probabilities_are_checked_as_the_first():
    clf = small().partial_fit(X, SOFT)
    with pytest.raises(ValueError, match="row 0 sums to 2"):
        clf.partial_fit(X, SOFT * 2)
    with pytest.raises(ValueError, match=r"y must have shape \(n_samples, 3\) as before; got \(30, 2\)"):
        clf.partial_fit(X, np.full((30, 2), 0.5))


def test_later_indicators_are_checked_as_the_first():
    clf = small().partial_fit(X, (X > 0).astype(int))
    with pytest.raises(ValueError, match="y must be a 0/1 indicator matrix as before"):
        clf.partial_fit(X, np.column_stack([SOFT, 1 - SOFT.sum(axis=1)]))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_y_as_a_column_is_taken_with_a_warning(method):
    clf = small(random_state=0)
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        getattr(clf, method)(X, y[:, None], **({} if method == "fit" else {"classes": [0, 1, 2]}))
    assert clf.predict(X).shape == (30,)


# sample_weight


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.ones(5), r"sample_weight must have shape \(30,\).*got \(5,\)"),
        (np.ones((30, 1)), r"sample_weight must have shape \(30,\).*got \(30, 1\)"),
        (np.where(np.arange(30) == 3, np.nan, 1.0), "sample_weight contains NaN"),
        (np.where(np.arange(30) == 3, np.inf, 1.0), "sample_weight contains infinity"),
        (np.where(np.arange(30) == 3, -0.5, 1.0), "sample_weight must be non-negative; got -0.5 in row 3"),
        (np.zeros(30), "all of sample_weight are zero"),
        (0, "all of sample_weight are zero"),
        (["heavy"] * 30, "sample_weight"),
    ],
    ids=["short", "2-D", "nan", "inf", "negative", "zeros", "zero", "text"],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_wrong_sample_weight_is_refused(wrong, message, method):
    with pytest.raises(ValueError, match=message):
        getattr(small(), method)(X, y, sample_weight=wrong, **({} if method == "fit" else {"classes": [0, 1, 2]}))


def test_weights_too_large_for_the_network_s_format_are_refused_without_a_warning():
    with pytest.raises(ValueError, match="sample_weight contains infinity"):
        small(dtype="float32").fit(X, y, sample_weight=np.full(30, 1e300))


def test_weights_that_the_networks_format_rounds_to_zero_are_refused_with_its_name():
    with pytest.raises(ValueError, match="all of sample_weight are zero as float32"):
        small(dtype="float32").fit(X, y, sample_weight=np.full(30, 1e-300))


def test_one_number_weighs_all_rows_alike():
    one, ones = small(random_state=0).fit(X, y, sample_weight=2), small(random_state=0).fit(X, y, sample_weight=np.full(30, 2.0))
    np.testing.assert_array_equal(one.coefs_[0], ones.coefs_[0])


@pytest.mark.parametrize("weight", [1e308, 1e-320])
def test_weights_that_overflow_or_underflow_are_named(weight):
    with pytest.raises(ValueError, match="sample_weight"):
        small().fit(X, y, sample_weight=np.full(30, weight))


# The validation split


@pytest.mark.parametrize("rows", [1, 2])
def test_too_few_rows_for_a_validation_split_are_refused(rows):
    with pytest.raises(ValueError, match=rf"validation set is too small.*at least 2 rows.*n_samples = {rows}"):
        small(early_stopping=True).fit(X[:rows], y[:rows])


def test_a_validation_fraction_that_leaves_no_row_to_train_on_is_refused():
    with pytest.raises(ValueError, match=r"validation_fraction.*n_samples = 30"):
        small(early_stopping=True, validation_fraction=0.99).fit(X, y)


def test_rows_of_weight_0_are_not_counted_for_the_validation_split():
    with pytest.raises(ValueError, match="n_samples = 2"):
        small(early_stopping=True).fit(X, y, sample_weight=(np.arange(30) < 2).astype(float))


def test_a_class_with_one_row_cannot_be_stratified_and_the_error_names_it():
    with pytest.raises(ValueError, match=re.escape("too few members are: [1]") + "|only 1 member"):
        small(early_stopping=True).fit(X, (np.arange(30) == 3).astype(int))


def test_the_smallest_data_that_can_be_split_is_fitted():
    assert len(small(early_stopping=True).fit(X[:3], y[:3]).validation_scores_) == 2


def test_one_row_is_enough_to_fit():
    assert small().fit(X[:1], y[:1]).predict(X[:1]) == y[:1]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", 1, "b", 2], "y must have labels of one type: '<' not supported.*Allowed are one label a row"),
        ([1, 2, 3, 4], r"Unknown label type: unknown.*Allowed are one label a row.*y\.astype\(int\)"),
    ],
    ids=["mixed", "int in objects"],
)
def test_labels_of_several_types_are_refused_with_what_is_allowed(labels, message):
    with pytest.raises(ValueError, match=message):
        plain().fit(np.eye(4), np.array(labels, dtype=object))


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["a", None, "b"] * 10, dtype=object),
        np.array(["a", np.nan, "b"] * 10, dtype=object),
        pd.Series(["a", None, "b"] * 10, dtype="string"),
        pd.Series(["a", None, "b"] * 10, dtype="category"),
        pd.Series([1, pd.NA, 2] * 10, dtype=object),
        pd.DataFrame({"kind": ["a", None, "b"] * 10}),
    ],
    ids=["None", "NaN", "string", "category", "NA", "a frame"],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_missing_labels_are_refused_as_those_of_y(method, labels):
    with pytest.raises(ValueError, match=r"^Input y contains missing labels, first in row 1: leave such rows out"):
        getattr(small(), method)(X, labels)


@pytest.mark.parametrize(
    ("labels", "dtype", "predicted"),
    [
        (2**60 + y, "Int64", np.int64),  # as floats they would be one class
        (y, "UInt8", np.uint8),
        (y > 0, "boolean", np.bool_),
        (y, "Float64", np.float64),
    ],
    ids=["Int64", "UInt8", "boolean", "Float64"],
)
def test_labels_in_nullable_types_keep_their_kind(labels, dtype, predicted):
    series = pd.Series(labels, dtype=dtype)
    clf = small(random_state=0).fit(X, series)
    assert clf.classes_.tolist() == np.unique(labels).tolist()
    assert clf.predict(X).dtype == predicted
    assert clf.score(X, clf.predict(X)) == 1


def test_a_class_that_cannot_be_split_is_laid_to_early_stopping():
    with pytest.raises(ValueError, match="early_stopping cannot set validation rows of each class aside: The least populated"):
        small(early_stopping=True).fit(X[:4], [0, 0, 0, 1])


def test_later_labels_that_cannot_be_compared_are_named():
    clf = plain().partial_fit(np.eye(2), [0, 1], classes=[0, 1])
    with pytest.raises(ValueError, match="y has labels that cannot be compared"):
        clf.partial_fit(np.eye(2), np.array([{}, {}]))
