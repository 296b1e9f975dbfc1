"""Targets of each kind: shapes of the predictions, types of labels, soft labels, one class."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.exceptions import DataConversionWarning

from support.data import ARRAYS, BINARY, MULTICLASS, MULTILABEL, SOFT, X
from support.estimators import converged, planned
from support.marks import SOLVERS
from support.weights import assert_same_weights

SHAPES = {  # shape of predict, predict_proba and decision_function beyond the rows
    "multiclass": ((), (3,), (3,)),
    "binary": ((), (2,), ()),
    "multilabel": ((3,), (3,), (3,)),
    "soft": ((), (3,), (3,)),
    "soft pair": ((), (2,), ()),
}


def hard(y):
    """The labels of y; for probabilities, the most probable label of each row."""
    return y.argmax(axis=1) if y.dtype.kind == "f" else y


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("target", ARRAYS)
def test_predictions_have_scikit_learns_shapes_after_fit_and_partial_fit(target, method):
    labels, probabilities, decision = SHAPES[target]
    clf = getattr(planned(), method)(X, ARRAYS[target], **({} if method == "fit" else {"classes": np.arange(probabilities[0])}))
    assert clf.predict(X).shape == (60, *labels)
    assert clf.predict_proba(X).shape == clf.predict_log_proba(X).shape == (60, *probabilities)
    assert clf.decision_function(X).shape == (60, *decision)


@pytest.mark.parametrize("target", ARRAYS)
def test_score_is_the_accuracy(target):
    y = hard(ARRAYS[target])
    clf = converged().fit(X, ARRAYS[target])
    hits = clf.predict(X) == y
    assert clf.score(X, y) == (hits.all(axis=1) if hits.ndim == 2 else hits).mean() > 0.8


def test_one_class_gives_one_column_of_probability_1():
    clf = planned().fit(X, np.full(60, "only"))
    assert (clf.predict(X) == "only").all()
    assert_array_equal(clf.predict_proba(X), np.ones((60, 1)))
    assert_array_equal(clf.predict_log_proba(X), np.zeros((60, 1)))
    assert clf.score(X, np.full(60, "only")) == 1


@pytest.mark.parametrize("early_stopping", [False, True])
@SOLVERS
def test_the_loss_of_one_class_is_0(solver, early_stopping):
    clf = planned(solver=solver, alpha=0.0, early_stopping=early_stopping).fit(X, np.zeros(60))
    assert clf.loss_ == 0


@pytest.mark.parametrize(
    "names",
    [
        np.array(["b", "a", "c"]),
        np.array(["b", "a", "c"], dtype=object),
        np.array([7, -3, 12]),
        np.array([2.0, 1.0, 5.0]),
        np.array([True, False]),
        np.array([4, 3], dtype=np.uint8),
    ],
    ids=["str", "object", "int", "float", "bool", "uint8"],
)
def test_labels_of_any_type_are_predicted_in_their_type(names):
    codes = MULTICLASS if len(names) == 3 else BINARY
    clf = converged().fit(X, names[codes])
    assert_array_equal(clf.classes_, np.sort(names))
    assert clf.classes_.dtype == clf.predict(X).dtype
    assert clf.classes_.dtype.kind == names.dtype.kind.replace("O", "U")  # as MLPClassifier's
    assert clf.score(X, names[codes]) > 0.8


def test_labels_may_be_a_list_or_a_series():
    names = ["no" if code else "yes" for code in BINARY]
    assert_same_weights(planned().fit(X.tolist(), names), planned().fit(X, pd.Series(names)))


def test_a_multilabel_prediction_is_a_matrix_of_zeros_and_ones():
    prediction = planned().fit(X, MULTILABEL).predict(X)
    assert prediction.dtype.kind == "i"
    assert set(np.unique(prediction)) == {0, 1}


def test_soft_labels_that_are_certain_train_like_labels():
    certain = np.where(np.eye(3)[MULTICLASS] == 1, 1 - 2e-12, 1e-12)
    clf = planned().fit(X, certain)
    assert_allclose(clf.coefs_[0], planned().fit(X, MULTICLASS).coefs_[0], rtol=1e-6)
    assert_array_equal(clf.classes_, np.arange(3))


def test_predicted_probabilities_match_soft_labels():
    p = converged(hidden_layer_sizes=(), alpha=0.0, tol=1e-8).fit(X, SOFT).predict_proba(X)
    assert_allclose(p, SOFT, atol=1e-3)


def test_a_sparse_column_of_labels_is_one_label_per_row():
    with pytest.warns(DataConversionWarning):
        clf = planned().fit(X, csr_matrix(BINARY[:, None]))
    assert clf.classes_.tolist() == [0, 1]
