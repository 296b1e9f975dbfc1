"""A wrong X gets an error that names it, and the column or row."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.exceptions import NotFittedError

from support.data import FEW_FRAME as FRAME
from support.data import FEW_X as X
from support.data import FEW_y as y
from support.estimators import planned

METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function"]


def with_value(value, row=7, column=2):
    """X with this value in one place."""
    changed = X.copy()
    changed[row, column] = value
    return changed


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
def test_a_number_that_is_not_finite_is_named_in_predictions_too(kind, method):
    clf = planned().fit(X, y)
    with pytest.raises(ValueError, match=r"Input X contains NaN in column 2 \(first in row 7\)"):
        getattr(clf, method)(kind(with_value(np.nan)))


def test_the_column_of_a_sparse_matrix_is_found_among_zeros():
    thin = csr_matrix((30, 4))
    with pytest.warns(Warning, match="sparsity"):
        thin[29, 1] = np.nan
    with pytest.raises(ValueError, match=r"column 1 \(first in row 29\)"):
        planned().fit(thin, y)


@pytest.mark.parametrize("method", ["fit", "predict"])
def test_the_column_of_a_data_frame_is_named_by_its_name(method):
    clf = planned().fit(FRAME, y)
    frame = FRAME.assign(height=with_value(np.nan)[:, 2])
    with pytest.raises(ValueError, match=r"Input X contains NaN in column 'height' \(first in row 7\).*SimpleImputer"):
        getattr(clf, method)(*((frame, y) if method == "fit" else (frame,)))


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
    clf = planned().fit(FRAME, y)
    frame = FRAME.assign(width=column)
    with pytest.raises((ValueError, TypeError), match=r"these columns are not: \['width'\]"):
        getattr(clf, method)(*((frame, y) if method == "fit" else (frame,)))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (FRAME.assign(width=pd.array([1, None] * 15, dtype="Int64")), r"NaN in column 'width' \(first in row 1\)"),
        (FRAME.assign(length="1.5", width="red", mass="blue"), r"columns are not: \['width', 'mass'\].*OneHotEncoder"),
        (
            np.arange(30)[:, None].astype("M8[D]"),
            r"X must be a matrix .*shape \(30, 1\): dates, durations and complex numbers",
        ),
        ([[1, 10**400]] * 30, r"these columns are not: \[1\].*int too large"),
        (FRAME[[]], r"Found array with 0 feature\(s\) \(shape=\(30, 0\)\)"),
        (
            pd.DataFrame({"x": pd.arrays.SparseArray(X[:, 0], fill_value=np.nan)}),
            r"X must be a matrix of numbers, or a frame; got shape .*: fill value",
        ),
        (X * 1j, r"^X must not be complex; got complex128\. Complex data not supported\.$"),
        (csr_matrix(X * 1j), r"^X must not be complex; got complex128\. Complex data not supported\.$"),
    ],
    ids=["NA", "text", "dates", "huge integers", "no columns", "fill value", "complex", "sparse complex"],
)
def test_an_X_that_is_not_of_finite_numbers_is_refused_with_what_is_wrong(wrong, message):
    with pytest.raises((ValueError, TypeError), match=message):
        planned().fit(wrong, y)


@pytest.mark.parametrize("form", [np.asarray, lambda rows: np.asarray(rows, dtype=object), list], ids=["str", "objects", "list"])
def test_columns_of_text_in_an_array_are_named_by_position(form):
    rows = [["1.5", "red", "2", "blue"]] * 30
    with pytest.raises(ValueError, match=r"these columns are not: \[1, 3\]\. Name them in categorical_features.*'red'"):
        planned().fit(form(rows), y)
    assert len(planned(categorical_features=[1, 3]).fit(form(rows), y).encoded_feature_names_) == 4


def test_predict_on_columns_that_held_numbers_in_fit_does_not_advise_to_encode_them():
    clf = planned().fit(FRAME, y)
    with pytest.raises(ValueError, match=r"these columns are not: \['width'\]\. They held numbers in fit\. \(could not convert"):
        clf.predict(FRAME.assign(width="red"))


@pytest.mark.parametrize("form", [np.asarray, csr_matrix, pd.DataFrame])
def test_an_empty_X_is_refused_before_an_empty_y(form):
    with pytest.raises(ValueError, match=r"X must have rows and columns.*0 sample\(s\) \(shape=\(0, 4\)\)"):
        planned().fit(form(X[:0]), y[:0])


@pytest.mark.parametrize("method", ["fit", "predict"])
@pytest.mark.parametrize("categorical_features", [None, [0]])
def test_rows_of_different_lengths_are_refused_as_X(method, categorical_features):
    ragged, clf = [[1.0] * (1 + i % 4) for i in range(30)], planned(categorical_features=categorical_features)
    with pytest.raises(ValueError, match=r"X must be a matrix of numbers, or a frame; got a list: .*inhomogeneous"):
        clf.fit(ragged, y) if method == "fit" else clf.fit(X, y).predict(ragged)


@pytest.mark.parametrize("method", ["fit", "predict"])
@pytest.mark.parametrize(
    ("given", "got"),
    [(None, "None"), (FRAME.to_dict("records"), r"dicts\. Pass pandas.DataFrame\(X\)"), (FRAME.to_dict("list"), "dicts")],
    ids=["None", "rows", "columns"],
)
def test_None_and_dicts_are_answered_with_what_X_must_be(given, got, method):
    clf = planned().fit(FRAME, y)
    with pytest.raises(ValueError, match=rf"X must be an array, .* shape \(n_samples, n_features\); got {got}"):
        getattr(clf, method)(*((given, y) if method == "fit" else (given,)))


@pytest.mark.parametrize("method", [*METHODS, "partial_fit", "score"])
def test_another_number_of_columns_is_refused(method):
    clf = planned().fit(X, y)
    with pytest.raises(ValueError, match="X has 3 features, but SoftmaxMLPClassifier is expecting 4 features"):
        getattr(clf, method)(X[:, :3], *([y] if method in ("partial_fit", "score") else []))


@pytest.mark.parametrize(
    ("wrong", "message"), [(X[0], "Expected 2D array, got 1D"), (X[:0], "0 sample"), (X[:, :0], "0 feature"), (X[None], "dim 3")]
)
def test_wrong_shapes_of_X_are_refused(wrong, message):
    clf = planned().fit(X, y)
    with pytest.raises(ValueError, match=message):
        clf.predict(wrong)
    with pytest.raises(ValueError, match=message):
        clf.fit(wrong, y[: len(wrong)])


@pytest.mark.parametrize("method", [*METHODS, "score"])
def test_an_unfitted_estimator_raises_not_fitted_error(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(planned(), method)(X, *([y] if method == "score" else []))
