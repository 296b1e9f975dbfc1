"""The method `partial_fit`: classes, targets, and what it keeps from call to call."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix

from sksoftmax import SoftmaxMLPClassifier
from support.data import BINARY, MULTICLASS, MULTILABEL, SOFT, X
from support.estimators import planned
from support.marks import STEPWISE, UNCONVERGED
from support.weights import assert_same_weights, pickled


def test_partial_fit_needs_classes_on_the_first_call_if_y_has_labels():
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        planned().partial_fit(X, MULTICLASS)


def test_partial_fit_refuses_other_classes_later():
    clf = planned().partial_fit(X, MULTICLASS, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"classes=\[0, 1\].*is not the same as on last call to partial_fit"):
        clf.partial_fit(X, BINARY, classes=[0, 1])


@pytest.mark.parametrize("first", [True, False])
def test_partial_fit_names_an_unseen_label(first):
    clf = planned() if first else planned().partial_fit(X, BINARY, classes=[0, 1])
    with pytest.raises(ValueError, match=r"`y` has classes not in `self.classes_`: \[2\]"):
        clf.partial_fit(X, MULTICLASS, classes=[0, 1])


def test_partial_fit_refuses_another_kind_of_target():
    with pytest.raises(ValueError, match=r"shape \(n_samples, 3\) as before"):
        planned().partial_fit(X, SOFT).partial_fit(X, MULTICLASS)
    with pytest.raises(ValueError, match="one label a row as before"):
        planned().partial_fit(X, MULTICLASS, classes=range(3)).partial_fit(X, MULTILABEL)


def test_partial_fit_after_fit_needs_no_classes_and_lowers_the_loss():
    clf = planned(max_iter=1).fit(X, MULTICLASS)
    for _ in range(20):
        clf.partial_fit(X, MULTICLASS)
    assert clf.loss_curve_[-1] < clf.loss_curve_[0]
    assert (len(clf.loss_curve_), clf.t_) == (21, 21 * 60)


def test_lbfgs_has_no_partial_fit():
    assert not hasattr(planned(solver="lbfgs"), "partial_fit")
    assert hasattr(planned(solver="sgd"), "partial_fit")


def test_partial_fit_trains_one_epoch_whatever_max_iter_is():
    assert planned(max_iter=50).partial_fit(X, BINARY, classes=[0, 1]).n_iter_ == 1


EVERYTHING = {
    "dropout": 0.3,
    "label_smoothing": 0.1,
    "clip_norm": 0.5,
    "ema_decay": 0.8,
    "weight_decay": 0.01,
    "class_weight": {0: 2.0, 2: 0.5},
}


@STEPWISE
@pytest.mark.filterwarnings(UNCONVERGED)
@pytest.mark.parametrize("extra", [{}, {"ema_decay": 0.8}, EVERYTHING], ids=["plain", "averaged", "everything"])
def test_calls_of_partial_fit_equal_the_epochs_of_fit(solver, extra):
    """Without dropout, as each call starts new masks."""
    extra = {**extra, "dropout": 0.0}
    params = {"solver": solver, "learning_rate": "constant", "shuffle": False, "batch_size": 20, **extra}
    fitted, parts = planned(max_iter=5, **params).fit(X, MULTICLASS), planned(**params)
    for _ in range(5):
        parts.partial_fit(X, MULTICLASS, classes=range(3))
    assert_same_weights(parts, fitted, rtol=1e-12)
    assert parts.loss_curve_ == pytest.approx(fitted.loss_curve_, rel=1e-12)


@STEPWISE
@pytest.mark.parametrize("extra", [{"ema_decay": 0.8}, EVERYTHING], ids=["averaged", "everything"])
def test_a_pickle_between_calls_of_partial_fit_changes_nothing(solver, extra):
    one, other = (planned(solver=solver, **extra).partial_fit(X, MULTICLASS, classes=range(3)) for _ in range(2))
    for _ in range(3):
        one.partial_fit(X, MULTICLASS)
        other = pickled(other).partial_fit(X, MULTICLASS)
    assert_same_weights(one, other)


# Rows one by one


def separable(n, seed=0):
    """Rows of three columns, of very different sizes, and their two classes."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) * [1.0, 100.0, 1e-3] + [0.0, 1e4, 5.0]
    return X, (X[:, 0] + (X[:, 1] - 1e4) / 100 > 0).astype(int)


@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
@pytest.mark.parametrize("scaling", ["robust", "standard"])
def test_partial_fit_learns_from_rows_that_come_one_by_one(scaling, form):
    X, y = separable(110)
    clf = SoftmaxMLPClassifier(hidden_layer_sizes=(20,), n_members=1, scaling=scaling, random_state=0)
    for row in range(60):
        clf.partial_fit(form(X[[row]]), y[[row]], classes=[0, 1])
    assert clf.unused_columns_ == {}
    assert len(np.unique(clf.predict_proba(form(X)))) > 60
    if form is np.asarray:  # sparse columns are not centred, so the second one says little
        assert clf.score(X[60:], y[60:]) > 0.7


def test_a_column_that_is_constant_in_the_first_blocks_is_used_once_it_varies():
    X, y = separable(60)
    constant = X[:20] * [1, 0, 1]
    clf = planned(scaling="robust").partial_fit(constant, y[:20], classes=[0, 1])
    assert list(clf.unused_columns_) == ["x1"]
    before = clf.predict_proba(constant)
    clf = pickle.loads(pickle.dumps(clf)).set_params(learning_rate_init=1e-12).partial_fit(X[20:], y[20:])
    assert clf.unused_columns_ == {}
    assert not np.allclose(clf.predict_proba(X[20:]), clf.predict_proba(X[20:] * [1, 0, 1]))
    assert before.shape == clf.predict_proba(constant).shape


@pytest.mark.parametrize("method", ["partial_fit", "fit"])
def test_a_call_that_fails_leaves_the_scales_of_constant_columns_alone(method):
    X, y = separable(60)
    clf = planned(scaling="robust", warm_start=True, max_iter=2).fit(X * [1, 0, 1], y)
    before = clf.predict_proba(X), clf.unused_columns_
    with pytest.raises(ValueError, match="y_val"):
        getattr(clf, method)(X, y, X_val=X)
    with pytest.raises(ZeroDivisionError):
        clf.set_params(scoring=lambda *_: 1 / 0, early_stopping=True)
        getattr(clf, method)(X, y, X_val=X, y_val=y)
    assert_array_equal(clf.predict_proba(X), before[0])
    assert list(clf.unused_columns_) == list(before[1]) == ["x1"]


def test_a_warm_start_uses_a_column_that_was_constant_in_the_first_fit():
    X, y = separable(60)
    clf = planned(scaling="robust", warm_start=True, max_iter=2).fit(X * [1, 0, 1], y).fit(X, y)
    assert clf.unused_columns_ == {}
