"""Missing values of categorical columns, and columns that were empty in fit."""

import numpy as np
import onnxruntime
import pandas as pd
import polars as pl
import pytest

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.onnx import to_onnx
from support.estimators import small


@pytest.mark.parametrize("kind", ["text", "category", "nullable bool", "polars"])
def test_missing_values_of_a_column_of_two_categories_are_seen_without_hidden_layer(kind):
    rng = np.random.default_rng(0)
    values = rng.choice(np.array(["a", "b", None] if kind != "nullable bool" else [True, False, None], dtype=object), 400)
    y = pd.isna(values).astype(int)
    X = pd.DataFrame({"s": values, "z": rng.normal(size=400)})
    if kind == "polars":
        X = pl.DataFrame({"s": values.tolist(), "z": X["z"].to_numpy()})
    elif kind != "text":
        X = X.astype({"s": "category" if kind == "category" else "boolean"})
    clf = SoftmaxMLPClassifier(hidden_layer_sizes=(), random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.99


def test_missing_values_of_a_column_of_two_categories_are_seen_in_onnx():
    rng = np.random.default_rng(0)
    values = rng.choice(np.array(["a", "b", None], dtype=object), 400)
    X, y = pd.DataFrame({"s": values, "z": rng.normal(size=400)}), pd.isna(values).astype(int)
    clf = SoftmaxMLPClassifier(hidden_layer_sizes=(), random_state=0).fit(X, y)
    session = onnxruntime.InferenceSession(to_onnx(clf, X[:1].fillna("")).SerializeToString())
    inputs = {"s": X[["s"]].fillna("").to_numpy(dtype=object), "z": X[["z"]].to_numpy()}
    label, p = session.run(None, inputs)
    np.testing.assert_allclose(p, clf.predict_proba(X), rtol=1e-4, atol=1e-6)
    assert (label == y).mean() > 0.99


EMPTY = {"None": None, "nan": np.nan, "NA": pd.NA, "floats": "floats"}


def with_column(value, n=40):
    column = pd.Series([np.nan] * n) if value is EMPTY["floats"] else pd.Series([value] * n, dtype=object)
    return pd.DataFrame({"a": np.arange(float(n)), "c": column})


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize("method", ["predict", "partial_fit", "X_val"])
def test_a_column_that_was_empty_in_fit_takes_text_later(empty, method):
    X, later, y = with_column("floats" if empty == "floats" else EMPTY[empty]), with_column("x"), np.arange(40) % 2
    if method == "X_val":
        small(early_stopping=True).fit(X, y, X_val=later, y_val=y)
    elif method == "partial_fit":
        small().partial_fit(X, y, classes=[0, 1]).partial_fit(later, y)
    else:
        clf = small().fit(X, y)
        np.testing.assert_array_equal(clf.predict_proba(later), clf.predict_proba(X))


def test_a_polars_column_that_was_empty_in_fit_takes_text_later():
    X, y = pl.DataFrame({"a": np.arange(40.0), "c": [None] * 40}), np.arange(40) % 2
    clf = small().fit(X, y)
    later = X.with_columns(c=pl.lit("x"))
    np.testing.assert_array_equal(clf.predict_proba(later), clf.predict_proba(X))
