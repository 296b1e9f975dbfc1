"""The parameter `ema_decay`: the average of the weights over the steps."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from sksoftmax.nn.optimizers import OPTIMIZERS, Adam
from support.data import MULTICLASS, X
from support.estimators import planned
from support.marks import STEPWISE, UNCONVERGED
from support.networks import training_state
from support.processes import interrupt, watch
from support.weights import assert_same_weights, by_hand, flat, flat_vector

pytestmark = pytest.mark.usefixtures("numpy_steps")


def averaged(points, decay):
    """The bias-corrected exponential average of a sequence."""
    total = 0.0
    for point in points:
        total = decay * total + (1 - decay) * point
    return total / (1 - decay ** len(points))


def points_of(solver, n, monkeypatch, **params):
    """The parameters after each step of a training without averaging."""
    points = []
    with monkeypatch.context() as patch:
        watch(patch, OPTIMIZERS[solver], "step", lambda self, w, g, rate: points.append(w.copy()))
        clf = planned(solver=solver, max_iter=n, **params).fit(X, MULTICLASS)
    return [*points[1:], flat_vector(clf)]


@STEPWISE
@pytest.mark.parametrize("decay", [0.5, 0.95])
def test_ema_decay_gives_the_average_of_the_weights_over_the_steps(solver, decay, monkeypatch):
    points = points_of(solver, 5, monkeypatch, batch_size=20)
    clf = planned(solver=solver, max_iter=5, batch_size=20, ema_decay=decay).fit(X, MULTICLASS)
    assert len(points) == 15
    assert_allclose(flat_vector(clf), averaged(points, decay), rtol=1e-9, atol=1e-13)


@STEPWISE
def test_early_stopping_scores_the_ema_decay_average_of_each_epoch(solver, monkeypatch):
    points, seen = points_of(solver, 4, monkeypatch, batch_size=20), []

    def remember(estimator, X, y):
        seen.append(flat_vector(estimator).copy())
        return float(len(seen))

    clf = planned(solver=solver, max_iter=4, batch_size=20, ema_decay=0.9, early_stopping=True, scoring=remember)
    clf.fit(X, MULTICLASS, X_val=X, y_val=MULTICLASS)
    for epoch, parameters in enumerate(seen, start=1):
        assert_allclose(parameters, averaged(points[: 3 * epoch], 0.9), rtol=1e-9, atol=1e-13)
    assert_array_equal(flat_vector(clf), seen[-1])


@STEPWISE
@pytest.mark.filterwarnings(UNCONVERGED)
def test_warm_start_with_ema_decay_continues_from_the_weights_that_are_not_averaged(solver):
    params = {"solver": solver, "learning_rate": "constant", "shuffle": False, "ema_decay": 0.9}
    warm, cold = planned(warm_start=True, **params), planned(max_iter=6, **params)
    assert_same_weights(warm.fit(X, MULTICLASS).fit(X, MULTICLASS), cold.fit(X, MULTICLASS))


@STEPWISE
@pytest.mark.filterwarnings(UNCONVERGED)
def test_restore_best_restores_the_best_ema_decay_average_and_warm_start_continues_from_it(solver):
    params = {"solver": solver, "ema_decay": 0.7, "early_stopping": True, "scoring": "loss", "momentum": 0.0}
    rate = 0.5 if solver == "adam" else 10.0
    clf = planned(**params, learning_rate_init=rate, max_iter=15, warm_start=True, hidden_layer_sizes=(20,))
    given = {"X_val": X[40:], "y_val": MULTICLASS[40:]}
    clf.fit(X[:40], MULTICLASS[:40], **given)
    assert clf.best_iter_ < clf.n_iter_
    assert log_loss(MULTICLASS[40:], clf.predict_proba(X[40:])) == pytest.approx(min(clf.validation_loss_curve_), rel=1e-9)
    restored = flat(clf)
    clf.set_params(learning_rate_init=1e-12, max_iter=1, restore_best=False).fit(X[:40], MULTICLASS[:40], **given)
    assert_allclose(flat(clf), restored, atol=1e-10)


@by_hand
@STEPWISE
def test_partial_fit_with_ema_decay_continues_from_weights_set_by_hand(set_weights, solver):
    clf = planned(solver=solver, ema_decay=0.5, momentum=0.0).partial_fit(X, MULTICLASS, classes=range(3))
    clf.set_params(learning_rate_init=1e-9)
    set_weights(clf)
    clf.partial_fit(X, MULTICLASS)
    assert_allclose(clf.predict_proba(X), np.tile([0.7, 0.2, 0.1], (60, 1)), rtol=1e-6)


@STEPWISE
@pytest.mark.parametrize("at_call", [2, 5, 8])
def test_an_interrupt_keeps_the_ema_decay_average_of_the_steps_so_far(solver, at_call, monkeypatch):
    points = points_of(solver, 4, monkeypatch, batch_size=20)[: at_call - 1]
    interrupt(monkeypatch, OPTIMIZERS[solver], "step", at_call)
    clf = planned(solver=solver, max_iter=4, batch_size=20, ema_decay=0.6, warm_start=True)
    with pytest.warns(UserWarning, match="interrupted by user"):
        clf.fit(X, MULTICLASS)
    assert_allclose(flat_vector(clf), averaged(points, 0.6), rtol=1e-9, atol=1e-13)
    monkeypatch.undo()
    clf.set_params(learning_rate_init=1e-12, ema_decay=0.999999, momentum=0.0).partial_fit(X, MULTICLASS)
    assert_allclose(training_state(clf).average.inactive_weights, points[-1], rtol=1e-6, atol=1e-8)


def test_an_interrupt_in_the_first_step_with_ema_decay_keeps_the_initial_weights(monkeypatch):
    initial = planned(learning_rate_init=1e-300, max_iter=1).fit(X, MULTICLASS)
    interrupt(monkeypatch, Adam, "step", at_call=1)
    clf = planned(ema_decay=0.5)
    with pytest.warns(UserWarning, match="interrupted by user"):
        clf.fit(X, MULTICLASS)
    assert_same_weights(clf, initial)


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
def test_divergence_restores_the_last_good_ema_decay_average_and_warm_start_continues():
    clf = planned(solver="sgd", batch_size=10, warm_start=True, ema_decay=0.9).fit(X, MULTICLASS)
    learned = copy.deepcopy(clf)
    with pytest.warns(ConvergenceWarning, match="diverged.*last good weights"):
        clf.set_params(learning_rate_init=1e80).fit(X, MULTICLASS)
    assert_same_weights(clf, learned)
    clf.set_params(learning_rate_init=0.02).fit(X, MULTICLASS)
    assert clf.loss_curve_[-1] < learned.loss_curve_[-1]
