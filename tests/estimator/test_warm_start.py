"""The parameter `warm_start`: what continues from the last fit, and what is refused."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose

from support.data import BINARY, MULTICLASS, SOFT, X
from support.estimators import converged, planned
from support.marks import SOLVERS, UNCONVERGED
from support.networks import training_state
from support.weights import assert_same_weights


@pytest.mark.filterwarnings(UNCONVERGED)
@SOLVERS
def test_warm_start_continues_training_and_a_cold_start_does_not(solver):
    warm, cold = (planned(solver=solver, warm_start=warm).fit(X, MULTICLASS) for warm in (True, False))
    after_first = warm.loss_
    assert warm.fit(X, MULTICLASS).loss_ < after_first == cold.fit(X, MULTICLASS).loss_
    assert (len(warm.loss_curve_), len(cold.loss_curve_)) == (6, 3)


@SOLVERS
def test_warm_start_with_other_classes_is_refused(solver):
    clf = converged(solver=solver, warm_start=True).fit(X, MULTICLASS)
    with pytest.raises(ValueError, match=r"warm_start.*same classes.*\[0 1 2\].*\[0 1\]"):
        clf.fit(X, BINARY)


def test_warm_start_with_another_kind_of_target_is_refused_by_its_kind():
    clf = planned(warm_start=True).fit(X, SOFT)
    with pytest.raises(ValueError, match="it held probabilities, now labels"):
        clf.fit(X, MULTICLASS)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_warm_start_and_partial_fit_accept_soft_labels_that_are_all_certain(method):
    clf = planned(warm_start=True).fit(X, SOFT)
    assert getattr(clf, method)(X, np.eye(3)[MULTICLASS]).classes_.tolist() == [0, 1, 2]


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("name", "value", "began"),
    [
        ("hidden_layer_sizes", (9,), r"\[5\]"),
        ("hidden_layer_sizes", (), r"\[5\]"),
        ("out_activation", "softmax", "1 output unit"),
        ("scaling", "robust", "None"),
        ("n_bins", 8, "0"),
        ("relevance", "auto", "None"),
        ("categorical_features", [0], "None"),
        ("parametrization", "ntk", "'standard'"),
        ("dtype", "float32", "'float64'"),
    ],
)
def test_warm_start_and_partial_fit_refuse_a_changed_parameter_that_the_first_call_fixed(method, name, value, began):
    clf = planned(warm_start=True).fit(X, BINARY).set_params(**{name: value})
    with pytest.raises(ValueError, match=rf"cannot continue with {name}={re.escape(repr(value))}: it began with {began}.*Undo"):
        getattr(clf, method)(X, BINARY)
    again = {"warm_start": False} | ({"categorical_features": None} if name == "categorical_features" else {})
    assert len(clf.set_params(**again).fit(X, BINARY).loss_curve_) == 3


@pytest.mark.parametrize(
    ("params", "then"),
    [
        ({"categorical_features": [3]}, {"categorical_features": np.array([3])}),
        ({"dtype": "float32"}, {"dtype": "auto"}),
        ({"dtype": "auto"}, {"dtype": "float64"}),
        ({"out_activation": "auto"}, {"out_activation": "softmax"}),  # of three classes
    ],
)
def test_warm_start_accepts_an_equal_parameter_in_another_form(params, then):
    clf = planned(warm_start=True, **params).fit(X.round(), MULTICLASS).set_params(**then)
    assert len(clf.fit(X.round(), MULTICLASS).partial_fit(X.round(), MULTICLASS).loss_curve_) == 7


@pytest.mark.parametrize(("solver", "then"), [("adam", "sgd"), ("sgd", "adam"), ("adam", "lbfgs"), ("lbfgs", "adam")])
@pytest.mark.filterwarnings(UNCONVERGED)
def test_warm_start_with_another_solver_keeps_the_weights_and_drops_the_moments(solver, then):
    clf = planned(solver=solver, warm_start=True).fit(X, MULTICLASS)
    fresh = planned(solver=then, warm_start=True).fit(X, MULTICLASS)
    fresh.coefs_, fresh.intercepts_ = ([array.copy() for array in arrays] for arrays in (clf.coefs_, clf.intercepts_))
    training_state(fresh).optimizer = None
    assert_same_weights(clf.set_params(solver=then).fit(X, MULTICLASS), fresh.fit(X, MULTICLASS))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_another_activation_takes_effect_in_warm_start_and_partial_fit(method):
    """As in MLPClassifier, whose weights do not depend on it either."""
    clf = planned(warm_start=True).fit(X, MULTICLASS).set_params(activation="identity")
    getattr(clf, method)(X, MULTICLASS)
    (V, W), (a, b) = clf.coefs_, clf.intercepts_
    assert_allclose(clf.decision_function(X), (X @ V + a) @ W + b, rtol=1e-9)


def test_warm_start_of_lbfgs_without_an_iteration_gives_no_warning():
    clf = planned(solver="lbfgs", early_stopping=True, warm_start=True, n_iter_no_change=1, tol=10.0)
    for _ in range(6):
        assert clf.fit(X, MULTICLASS).n_iter_ >= 1


def test_warm_start_without_early_stopping_drops_earlier_validation_scores():
    clf = planned(early_stopping=True, warm_start=True).fit(X, MULTICLASS)
    assert clf.validation_scores_ and clf.best_loss_ is None
    clf.set_params(early_stopping=False).fit(X, MULTICLASS)
    assert clf.validation_scores_ is clf.best_validation_score_ is None
    assert clf.best_loss_ == min(clf.loss_curve_)
