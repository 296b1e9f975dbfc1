"""`out_activation`, and the values of predict_proba, predict_log_proba and decision_function."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, log_softmax, logit, softmax

from support.data import ARRAYS, BINARY, MULTICLASS, MULTILABEL, X
from support.estimators import converged, planned


def saturated(y, size=1e4):
    """A softmax regression whose logits are ± size."""
    clf = planned(hidden_layer_sizes=()).fit(X, y)
    clf.coefs_ = [np.zeros_like(clf.coefs_[0])]
    clf.intercepts_ = [size * np.where(np.arange(len(clf.intercepts_[0])) % 2, -1.0, 1.0)]
    return clf


@pytest.mark.parametrize(
    ("target", "out_activation", "expected", "n_outputs"),
    [
        ("multiclass", "auto", "softmax", 3),
        ("binary", "auto", "logistic", 1),
        ("multilabel", "auto", "logistic", 3),
        ("soft", "auto", "softmax", 3),
        ("soft pair", "auto", "logistic", 1),
        ("multiclass", "softmax", "softmax", 3),
        ("binary", "softmax", "softmax", 2),
        ("multilabel", "softmax", "logistic", 3),
        ("soft pair", "softmax", "softmax", 2),
    ],
)
def test_out_activation_auto_follows_the_target_and_softmax_is_used_if_asked_for(target, out_activation, expected, n_outputs):
    clf = planned(out_activation=out_activation).fit(X, ARRAYS[target])
    assert (clf.out_activation_, clf.n_outputs_, clf.coefs_[-1].shape[1]) == (expected, n_outputs, n_outputs)


@pytest.mark.parametrize("target", ["binary", "soft pair"])
@pytest.mark.parametrize("out_activation", ["auto", "softmax"])
def test_the_decision_for_two_classes_is_the_log_odds_of_the_second(target, out_activation):
    clf = planned(out_activation=out_activation).fit(X, ARRAYS[target])
    assert_allclose(clf.decision_function(X), logit(clf.predict_proba(X)[:, 1]), rtol=1e-10, atol=1e-13)
    assert_array_equal(clf.decision_function(X) > 0, clf.predict(X) == 1)


def test_out_activation_softmax_with_twice_the_alpha_reaches_the_optimum_of_one_logistic_unit():
    """The penalty on two columns ±w/2 is half that on one column w; therefore twice the alpha gives the same model."""
    one = converged(hidden_layer_sizes=(), tol=1e-8).fit(X, BINARY)
    two = converged(hidden_layer_sizes=(), tol=1e-8, out_activation="softmax", alpha=2.0).fit(X, BINARY)
    assert_allclose(two.predict_proba(X), one.predict_proba(X), atol=1e-4)


@pytest.mark.parametrize("target", ["multiclass", "soft"])
def test_the_decision_for_many_classes_is_the_logits(target):
    clf = planned().fit(X, ARRAYS[target])
    assert_allclose(softmax(clf.decision_function(X), axis=1), clf.predict_proba(X), rtol=1e-12)
    assert_allclose(clf.predict_log_proba(X), log_softmax(clf.decision_function(X), axis=1), rtol=1e-12)
    assert_array_equal(clf.predict(X), clf.decision_function(X).argmax(axis=1))


def test_the_decision_for_many_labels_is_their_log_odds():
    clf = planned().fit(X, MULTILABEL)
    assert_allclose(clf.predict_proba(X), expit(clf.decision_function(X)), rtol=1e-12)
    assert_allclose(clf.predict_log_proba(X), np.log(clf.predict_proba(X)), rtol=1e-12)
    assert_array_equal(clf.predict(X), clf.decision_function(X) > 0)


def test_saturated_log_probabilities_are_exact():
    clf = saturated(MULTICLASS)
    assert_array_equal(clf.decision_function(X), np.tile([1e4, -1e4, 1e4], (60, 1)))
    assert_allclose(clf.predict_log_proba(X), log_softmax(clf.decision_function(X), axis=1), rtol=1e-15)
    assert clf.predict_log_proba(X).min() == pytest.approx(-2e4, rel=1e-4)


def test_saturated_multilabel_probabilities_stay_inside_0_and_1():
    clf = saturated(MULTILABEL)
    p = clf.predict_proba(X)
    assert 0 < p.min() < p.max() < 1
    assert_allclose(clf.predict_log_proba(X)[0], [0, -1e4, 0], atol=1e-15)


def test_predictions_of_many_rows_equal_those_of_few():
    rows = np.tile(X, (3000, 1))
    clf = planned().fit(X, MULTICLASS)
    assert_allclose(clf.predict_proba(rows)[-60:], clf.predict_proba(X), rtol=1e-12)


def test_probabilities_of_dtype_float32_stay_above_zero():
    clf = planned(hidden_layer_sizes=()).fit(X.astype(np.float32), MULTICLASS)
    assert clf.predict_proba((X * 1e9).astype(np.float32)).min() > 0
