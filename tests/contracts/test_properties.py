"""Any input gives probabilities, or an error that names the cause, and is never changed.

The profile "ci", which is the default, takes the same cases each time; with `--hypothesis-profile night` new ones are drawn, many
more. Both are registered in `conftest.py`.
"""

import pickle
import re
import warnings
from inspect import signature

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, UndefinedMetricWarning

from sksoftmax import SoftmaxMLPClassifier
from support import strategies as ours

HAS_CALLBACKS = hasattr(SoftmaxMLPClassifier(), "_init_callback_context")  # scikit-learn ≥ 1.9
CALLABLE_ARGUMENTS = ["X", "y", "sample_weight", "Sample weights", "X_val", "y_val", "sample_weight_val", "classes", "classes_"]
OF_SCIKIT_LEARN = ["Unknown label type", "feature names", "column names", "numbers of samples", "Found array with"]
OF_SCIKIT_LEARN += ["Expected 2D array", "2-dimensional container"]  # its words, known to its users, for y and X
NAMED = "|".join([*signature(SoftmaxMLPClassifier).parameters, *CALLABLE_ARGUMENTS, *OF_SCIKIT_LEARN])
RAW = (  # how NumPy and Python put it
    "could not be broadcast|out of bounds|has no attribute|truth value|subscriptable|zero-size|unhashable|ufunc|cannot reshape"
    "|unexpected keyword"
)
WARNINGS = {  # the allowed warnings, and how their messages begin
    ConvergenceWarning: "Stochastic Optimizer: Maximum iterations|lbfgs failed to converge|Training diverged",
    DataConversionWarning: "A column-vector y was passed",
    UndefinedMetricWarning: "",
    FutureWarning: "Support for labels represented as bytes",  # scikit-learn < 1.7
    UserWarning: "early_stopping=True has no effect in partial_fit|Validation score did not improve"
    "|The number of unique classes is greater than 50%|X does not have valid feature names|X has feature names"
    "|pandas.DataFrame with sparse columns found|Column .* of X (holds|gives the network no input)|y is a one-hot matrix"
    r"|\d+% of the rows of X_val are equal to rows of X|Only \d+ of the \d+ rows of X|The \d+ rows of X form",
}
REFUSALS = (  # of data that are well-formed
    r"validation set is too small|least populated class|Training diverged|class_weight gives every row|holds class probabilities"
    r"|must give a finite number|scoring='\w+' failed on|X has no column that gives the network an input"
)
PARTS = ["numbers", "numbers unscaled", "form", "cells", "y", "weight", "classes", "class_weight", "all"]


class StopOrLook:
    """A callback of scikit-learn's that asks to stop after the first epoch, or that looks at the model."""

    def __init__(self, looks):
        self.looks = looks

    def setup(self, estimator, context):
        """Begin nothing."""

    def teardown(self, estimator, context):
        """End nothing."""

    def on_fit_task_begin(self, estimator, context):
        """Begin nothing."""

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None):
        if context.task_name == "epoch" and self.looks:
            assert np.isfinite(fitted_estimator.predict_proba(X)).all()
        return context.task_name == "epoch" and not self.looks


def frozen(data):
    """A value that changes if the data are written to."""
    if issparse(data) and data.format == "dok":
        return repr(sorted(data.items()))
    if issparse(data):
        parts = [getattr(data, name, None) for name in ("data", "indices", "indptr", "row", "col", "rows", "offsets")]
        return [frozen(np.asarray(part)) for part in parts if part is not None]
    if isinstance(data, np.ndarray) and data.dtype != object:
        return data.tobytes()
    if isinstance(data, pd.DataFrame | pd.Series):
        return repr(data.to_numpy(dtype=object).tolist()), str(data.dtypes), data.index.tolist()
    if isinstance(data, pl.DataFrame | pl.Series):
        return repr(data.rows() if isinstance(data, pl.DataFrame) else data.to_list()), str(getattr(data, "schema", None))
    return repr(data.tolist() if isinstance(data, np.ndarray) else data)


def attempt(estimator, method, *args, **kwargs):
    """What the method returns, or its error if it is one that names the cause; the arguments must be left as they were."""
    before, state = [frozen(value) for value in (*args, *kwargs.values())], dict(vars(estimator))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = getattr(estimator, method)(*args, **kwargs)
        except (ValueError, TypeError) as error:
            result = error
            assert re.search(rf"\b({NAMED})\b", str(error)), f"names no cause: {error!r}"
            assert not re.search(RAW, str(error).partition(": ")[0]), f"not in the user's words: {error!r}"
            assert all(vars(estimator)[name] is value for name, value in state.items())
            assert vars(estimator).keys() == state.keys()
    for warning in caught:
        assert warning.category in WARNINGS, warning
        assert re.match(WARNINGS[warning.category], str(warning.message)), warning
    assert [frozen(value) for value in (*args, *kwargs.values())] == before, "an argument was written to"
    return result


def check_answers(clf, X):
    """Answers of a fitted classifier for rows that it was fitted on, or others."""
    probabilities = attempt(clf, "predict_proba", X)
    if isinstance(probabilities, Exception):
        return probabilities
    labels, logs, decision = (attempt(clf, name, X) for name in ("predict", "predict_log_proba", "decision_function"))
    n_rows = len(probabilities)
    assert probabilities.shape == logs.shape == (n_rows, len(clf.classes_))
    assert probabilities.min() > 0 and probabilities.max() <= 1 + 1e-6
    assert np.isfinite(logs).all() and np.isfinite(decision).all() and len(decision) == n_rows
    if labels.ndim == 2:  # multilabel
        assert np.isin(labels, (0, 1)).all() and labels.shape == probabilities.shape
    else:
        assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
        assert np.isin(labels, clf.classes_).all() and labels.shape == (n_rows,)
    assert_array_equal(attempt(pickle.loads(pickle.dumps(clf)), "predict_proba", X), probabilities)
    return probabilities


def check_fitted(clf, n_iter):
    """What else holds after training."""
    assert np.isfinite(clf.loss_curve_).all() and np.isfinite(clf.loss_) == bool(clf.loss_curve_)
    assert clf.n_iter_ <= n_iter
    assert all(np.isfinite(array).all() for array in clf.coefs_ + clf.intercepts_)
    assert not hasattr(clone(clf), "coefs_")


@st.composite
def inputs(draw, n, columns, forms, cells):
    """X with n rows: numbers in some form, or a frame of several types."""
    if draw(st.integers(0, 2)) == 0:
        return draw(ours.frames(n, cells))
    return forms[draw(st.sampled_from(sorted(forms)))](draw(ours.matrices(n, columns)))


@given(st.data())
def test_well_formed_data_are_learned(data):
    n = data.draw(ours.ROWS)
    X = data.draw(inputs(n, ours.FINITE, ours.FORMS, ours.CELLS))
    y = data.draw(ours.targets(n))
    params = data.draw(ours.parameters(scaling="robust", categorical_features="from_dtype"))
    clf, weight = SoftmaxMLPClassifier(**params), data.draw(ours.weights(n))
    result = attempt(clf, "fit", X, y, weight)
    if isinstance(result, Exception):
        assert re.search(REFUSALS, str(result)), repr(result)
        return
    check_fitted(clf, params["max_iter"])
    probabilities = check_answers(clf, X)
    assert isinstance(probabilities, np.ndarray)
    if isinstance(params["random_state"], int) and data.draw(st.booleans()):
        again = clone(clf)
        attempt(again, "fit", X, y, weight)
        assert_array_equal(attempt(again, "predict_proba", X), probabilities)


@given(st.data())
def test_anything_is_learnt_or_refused_by_name(data):
    """One part, or each, may be of a kind that is unusual or wrong."""
    n, part = data.draw(ours.ROWS), data.draw(st.sampled_from(PARTS))

    def kinds(of, usual, others):
        return usual | others if part.startswith(of) or part == "all" else usual

    numbers, cells = kinds("numbers", ours.FINITE, ours.ANYTHING), kinds("cells", ours.CELLS, ours.ODD_CELLS)
    X = data.draw(inputs(n, numbers, kinds("form", ours.FORMS, ours.ODD_FORMS), cells))
    labels, matrices = kinds("y", ours.LABELS, ours.WRONG_LABELS), kinds("y", ours.MATRICES, ours.WRONG_MATRICES)
    y = data.draw(ours.targets(n, labels, matrices))
    weight = data.draw(ours.weights(n, kinds("weight", ours.WEIGHTS, ours.ODD_WEIGHTS)))
    class_weights = ours.CLASS_WEIGHTS if part in ("class_weight", "all") else [None]
    fixed = {"scaling": None} if part == "numbers unscaled" else {}
    clf = SoftmaxMLPClassifier(**data.draw(ours.parameters(class_weight=data.draw(st.sampled_from(class_weights)), **fixed)))
    scored = {}
    if data.draw(st.integers(0, 3)) == 0:
        m = data.draw(st.integers(1, 30))
        scored["X_val"] = data.draw(st.one_of(st.just(X), inputs(m, numbers, ours.FORMS, cells)))
        scored["y_val"] = data.draw(st.one_of(st.just(y), ours.targets(m, labels, matrices)))
        scored["sample_weight_val"] = data.draw(st.one_of(st.just(weight), ours.weights(m)))
        clf.set_params(early_stopping=True)
    if data.draw(st.booleans()) or clf.solver == "lbfgs":
        result = attempt(clf, "fit", X, y, weight, **scored)
    else:
        classes = data.draw(st.sampled_from(ours.CLASSES_GIVEN)) if part in ("y", "classes", "all") else classes_in(y)
        result = attempt(clf, "partial_fit", X, y, weight, classes=classes, **scored)
    if not isinstance(result, Exception):
        check_fitted(clf, clf.max_iter)
        check_answers(clf, X)


def classes_in(y):
    """The argument `classes` for partial_fit; None for matrices and for a y without labels."""
    labels = y if isinstance(y, list) else y.to_list() if hasattr(y, "to_list") else np.asarray(y).ravel().tolist()
    return None if np.ndim(y) == 2 and np.shape(y)[1] > 1 else sorted(set(labels))


@given(st.data())
def test_wrong_parameters_are_refused_by_name(data):
    n = data.draw(ours.ROWS)
    X, y = data.draw(ours.matrices(n, ours.FINITE)), data.draw(ours.targets(n))
    clf = SoftmaxMLPClassifier(**data.draw(ours.wrong_parameters()))
    if not isinstance(attempt(clf, "fit", X, y), Exception):  # a value that this call does not look at
        assert isinstance(check_answers(clf, X), np.ndarray)


@given(st.data())
def test_training_continues_over_calls_or_is_refused_without_a_change(data):
    params = data.draw(ours.parameters())
    clf, d, k = SoftmaxMLPClassifier(**params), data.draw(st.integers(1, 4)), data.draw(st.integers(2, 4))
    rng = data.draw(ours.generators())
    if HAS_CALLBACKS and data.draw(st.integers(0, 3)) == 0:
        clf.set_callbacks(StopOrLook(looks=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 4))):
        n = data.draw(ours.ROWS)
        X = ours.FORMS[data.draw(st.sampled_from(["C", "C", "float32", "csr_matrix", "frame", "list"]))](rng.normal(size=(n, d)))
        y = np.resize(rng.permutation(k), n)
        given_rows = data.draw(st.sampled_from([{}, {}, {"X_val": X, "y_val": y}, {"X_val": X}]))
        weight = ours.WEIGHTS[data.draw(st.sampled_from(["none", "some zero", "random", "a number"]))](rng, n)
        if given_rows and data.draw(st.integers(0, 3)):
            clf.set_params(early_stopping=True)
        method = data.draw(st.sampled_from(["fit"] if clf.solver == "lbfgs" else ["fit", "partial_fit"]))
        classes = {"classes": np.arange(k)} if method == "partial_fit" and data.draw(st.booleans()) else {}
        result = attempt(clf, method, X, y, weight, **given_rows, **classes)
        if not isinstance(result, Exception):
            check_fitted(clf, clf.max_iter)
            assert isinstance(check_answers(clf, X), np.ndarray)
        if data.draw(st.booleans()):
            clf = pickle.loads(pickle.dumps(clf))
        changed = data.draw(ours.parameters())
        name = data.draw(st.sampled_from(sorted(changed)))
        if data.draw(st.integers(0, 2)) == 0:
            clf.set_params(**{name: changed[name]})


@given(st.data())
def test_other_rows_are_answered_or_refused_by_name(data):
    n, rng = data.draw(st.integers(5, 40)), data.draw(ours.generators())
    cells = data.draw(st.sampled_from([ours.CELLS, {"float": ours.CELLS["float"]}]))
    X = data.draw(st.one_of(ours.frames(n, cells), ours.matrices(n, ours.FINITE)))
    params = data.draw(ours.parameters(scaling=data.draw(st.sampled_from(["robust", "standard", None]))))
    clf = SoftmaxMLPClassifier(**params)
    if isinstance(attempt(clf, "fit", X, rng.integers(0, 3, n)), Exception):
        return
    for _ in range(3):
        m = data.draw(st.integers(0, 70))
        other = data.draw(st.sampled_from(["same columns", "new values", "anything"]))
        if other == "anything" or m == 0:
            asked = data.draw(inputs(max(m, 1), ours.ANYTHING, ours.FORMS | ours.ODD_FORMS, ours.CELLS | ours.ODD_CELLS))
            asked = asked[:0] if m == 0 and isinstance(asked, np.ndarray | pd.DataFrame | list) else asked
        else:
            rows = rng.integers(0, n, m)
            asked = X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]
            if other == "new values" and isinstance(asked, pd.DataFrame):
                asked = asked.astype(object).where(rng.random(asked.shape) < 0.8, None)
            elif other == "new values" and isinstance(asked, np.ndarray):
                asked = np.clip(asked, -1e8, 1e8) * 10.0 ** data.draw(st.integers(-320, 300))
        answers = check_answers(clf, asked)
        if other == "same columns" and m:
            assert len(answers) == m
