"""The parameter `label_smoothing`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from support.estimators import converged, planned
from support.marks import SOLVERS, STEPWISE, UNCONVERGED
from support.targets import ARRAYS, MULTICLASS, MULTILABEL, X
from support.weights import assert_same_weights


def smoothed_targets(y, smoothing, n_classes):
    rows = y if y.ndim == 2 else np.eye(n_classes)[y]
    return (1 - smoothing) * rows + smoothing / n_classes


@pytest.mark.filterwarnings(UNCONVERGED)
@SOLVERS
@pytest.mark.parametrize("target", ["multiclass", "binary", "soft", "soft pair"])
@pytest.mark.parametrize("out_activation", ["auto", "softmax"])
def test_label_smoothing_trains_as_on_smoothed_soft_labels(target, solver, out_activation):
    params = {"solver": solver, "out_activation": out_activation, "batch_size": 13, "max_iter": 6}
    y, weights = ARRAYS[target], np.linspace(0.5, 2, 60)
    soft = smoothed_targets(y, 0.3, 2 if target in ("binary", "soft pair") else 3)
    one = planned(label_smoothing=0.3, **params).fit(X, y, weights)
    assert_same_weights(one, planned(**params).fit(X, soft, weights), rtol=1e-6)
    assert one.loss_curve_ == pytest.approx(planned(**params).fit(X, soft, weights).loss_curve_, rel=1e-9)


@pytest.mark.filterwarnings(UNCONVERGED)
def test_label_smoothing_of_a_multilabel_target_trains_as_on_rows_with_all_and_with_no_labels():
    """(1 − ε) y + ε / 2 is a mean of y, all ones and all zeros, and the loss is linear in the targets."""
    shares = np.repeat([0.7, 0.15, 0.15], 60)
    rows, labels = np.tile(X, (3, 1)), np.vstack([MULTILABEL, np.ones_like(MULTILABEL), np.zeros_like(MULTILABEL)])
    one = planned(solver="lbfgs", max_iter=10, label_smoothing=0.3).fit(X, MULTILABEL)
    other = planned(solver="lbfgs", max_iter=10).fit(rows, labels, shares)
    assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-6)
    assert one.loss_curve_ == pytest.approx(other.loss_curve_, rel=1e-9)


@pytest.mark.parametrize(("target", "certainty"), [("multiclass", 0.8), ("binary", 0.85), ("multilabel", 0.85)])
def test_label_smoothing_keeps_probabilities_from_certainty(target, certainty):
    clf = converged(hidden_layer_sizes=(20,), alpha=0.0, label_smoothing=0.3, tol=1e-3).fit(X, ARRAYS[target])
    assert clf.score(X, ARRAYS[target]) == 1
    assert clf.predict_proba(X).max() == pytest.approx(certainty, abs=0.05)
    clf.set_params(label_smoothing=0.0).fit(X, ARRAYS[target])
    assert clf.predict_proba(X).max() > 0.99


@STEPWISE
def test_label_smoothing_acts_in_partial_fit(solver):
    params = {"solver": solver, "shuffle": False}
    one, other = planned(label_smoothing=0.3, **params), planned(**params)
    for _ in range(3):
        one.partial_fit(X, MULTICLASS, classes=range(3)), other.partial_fit(X, smoothed_targets(MULTICLASS, 0.3, 3))
    assert_same_weights(one, other, rtol=1e-6)
