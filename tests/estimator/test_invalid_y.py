"""A wrong y, or wrong classes, get an error that names them, and the row."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import DataConversionWarning

from support.data import FEW_SOFT as SOFT
from support.data import FEW_X as X
from support.data import FEW_y as y
from support.estimators import plain, planned
from support.marks import ScoringMonitor


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
        ([[1] * (1 + i % 2) for i in range(30)], "y must be one label a row, or a matrix.*MultiLabelBinarizer"),
        ([("a", "b")[: 1 + i % 2] for i in range(30)], "y must be one label a row, or a matrix.*MultiLabelBinarizer"),
        ([{"a", "b"}] * 30, "y must be one label a row, or a matrix.*MultiLabelBinarizer"),
        ([["a", "b"]] * 30, "y has 2 columns of labels.*MultiLabelBinarizer"),
        (pd.Series([["a"], ["a", "b"]] * 15), "y must be one label a row, or a matrix.*MultiLabelBinarizer"),
        (y * 1j, "y must not be complex; got complex128"),
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
        "tuples of text",
        "sets",
        "lists of text",
        "series of lists",
        "complex",
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_wrong_y_is_refused(wrong, message, method):
    with pytest.raises(ValueError, match=message):
        getattr(planned(), method)(X, wrong, **({} if method == "fit" else {"classes": [0, 1, 2]}))


def test_probabilities_may_miss_1_by_rounding():
    assert planned().fit(X, SOFT.astype(np.float16)).n_outputs_ == 3


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_y_as_a_column_is_accepted_with_a_warning(method):
    clf = planned(random_state=0)
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        getattr(clf, method)(X, y[:, None], **({} if method == "fit" else {"classes": [0, 1, 2]}))
    assert clf.predict(X).shape == (30,)


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
def test_missing_labels_are_refused_as_part_of_y(method, labels):
    with pytest.raises(ValueError, match=r"^Input y contains missing labels, first in row 1: leave such rows out"):
        getattr(planned(), method)(X, labels)


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
    clf = planned(random_state=0).fit(X, series)
    assert clf.classes_.tolist() == np.unique(labels).tolist()
    assert clf.predict(X).dtype == predicted
    assert clf.score(X, clf.predict(X)) == 1


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(y.astype(str), marks=pytest.mark.skipif(ScoringMonitor is None, reason="compared with numbers before 1.9")),
        SOFT,
        np.eye(3, dtype=int)[y],
        y[:5],
        None,
    ],
    ids=["text", "soft", "indicators", "short", "None"],
)
def test_score_names_the_classes_if_y_does_not_fit_them(target):
    clf = planned().fit(X, y)
    with pytest.raises(ValueError, match=r"^y does not fit the predictions, whose `classes_` are \[0 1 2\]: "):
        clf.score(X, target)
    with pytest.raises(ValueError, match=r"^y or sample_weight does not fit"):
        clf.score(X, y, sample_weight=np.ones(5))
