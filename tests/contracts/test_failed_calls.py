"""A call that fails changes nothing."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from sksoftmax.nn.optimizers import Adam
from support.data import MULTICLASS, X
from support.estimators import planned
from support.networks import training_state
from support.processes import interrupt


def state(clf):
    optimizer = training_state(clf).optimizer
    return [*(array.copy() for array in clf.coefs_), len(clf.loss_curve_), clf.t_, optimizer.t, optimizer.m.copy()]


def assert_same_state(one, other):
    for mine, theirs in zip(one, other):
        assert_array_equal(mine, theirs)


def test_a_refused_partial_fit_changes_nothing_even_if_a_parameter_was_changed():
    clf = planned().fit(X, MULTICLASS)
    before, predicted = state(clf), clf.predict_proba(X)
    with pytest.raises(ValueError, match="negative"):
        clf.set_params(activation="tanh").partial_fit(X, MULTICLASS, sample_weight=-np.ones(60))
    assert_same_state(state(clf), before)
    assert_array_equal(clf.predict_proba(X), predicted)


def test_an_interrupt_in_partial_fit_is_raised_and_changes_nothing(numpy_steps, monkeypatch):
    clf = planned(batch_size=10).partial_fit(X, MULTICLASS, classes=range(3))
    before = state(clf)
    interrupt(monkeypatch, Adam, "step", at_call=3)
    with pytest.raises(KeyboardInterrupt):
        clf.partial_fit(X, MULTICLASS)
    assert_same_state(state(clf), before)


def test_a_warm_start_whose_warning_is_an_error_changes_nothing():
    clf = planned(learning_rate="constant", warm_start=True)
    with pytest.warns(ConvergenceWarning):
        clf.fit(X, MULTICLASS)
    before = state(clf)
    with pytest.raises(ConvergenceWarning):
        clf.fit(X, MULTICLASS)
    assert_same_state(state(clf), before)


def test_partial_fit_of_a_shallow_copy_leaves_the_original_unchanged():
    clf = planned().fit(X, MULTICLASS)
    before = state(clf)
    copy.copy(clf).partial_fit(X, MULTICLASS)
    assert_same_state(state(clf), before)
