"""Kinds of X: dtypes, frames and sparse matrices."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix

from support.data import ARRAYS, MULTICLASS, MULTILABEL, X
from support.estimators import converged, planned
from support.marks import SOLVERS
from support.weights import assert_same_weights


@SOLVERS
@pytest.mark.parametrize("target", ARRAYS)
def test_dtype_auto_keeps_float32(solver, target):
    X32 = X.astype(np.float32)
    clf = converged(solver=solver, max_iter=3 if solver != "lbfgs" else 200).fit(X32, ARRAYS[target])
    assert {W.dtype for W in clf.coefs_ + clf.intercepts_} == {np.dtype(np.float32)}
    for method in (clf.predict_proba, clf.predict_log_proba, clf.decision_function):
        assert method(X32).dtype == method(X).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, bool, np.float16, object])
def test_dtype_auto_turns_other_numbers_into_float64(dtype):
    numbers = np.abs(X * 3).astype(dtype)
    clf = planned().fit(numbers, MULTICLASS)
    assert clf.coefs_[0].dtype == clf.predict_proba(numbers).dtype == np.float64
    assert_same_weights(clf, planned().fit(numbers.astype(np.float64), MULTICLASS))


def test_a_data_frame_trains_like_its_array_and_its_column_names_are_kept():
    frame = pd.DataFrame(X, columns=["length", "width", "height", "mass"])
    clf = planned().fit(frame, MULTICLASS)
    assert clf.feature_names_in_.tolist() == list(frame.columns)
    assert_same_weights(clf, planned().fit(X, MULTICLASS))
    assert_array_equal(clf.predict_proba(frame), planned().fit(X, MULTICLASS).predict_proba(X))


def test_partial_fit_checks_column_names():
    clf = planned().partial_fit(pd.DataFrame(X, columns=list("abcd")), MULTICLASS, classes=range(3))
    with pytest.raises(ValueError, match="Feature names unseen at fit time:\n- e"):
        clf.partial_fit(pd.DataFrame(X, columns=list("abce")), MULTICLASS)


def test_sparse_multilabel_targets_equal_dense_ones():
    assert_same_weights(planned().fit(X, csr_matrix(MULTILABEL)), planned().fit(X, MULTILABEL))


def test_one_row_is_enough_to_fit():
    assert planned().fit(X[:1], MULTICLASS[:1]).predict(X[:1]) == MULTICLASS[:1]
