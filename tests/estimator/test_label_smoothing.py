"""The parameter `label_smoothing`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from support.data import ARRAYS, MULTICLASS, MULTILABEL, X
from support.estimators import converged, planned
from support.marks import SOLVERS, STEPWISE, UNCONVERGED
from support.weights import assert_same_weights


def smoothed_targets(y, smoothing, n_classes, weights=None):
    """Targets moved towards 99 % of their mean and 1 % of equal frequencies."""
    rows = y if y.ndim == 2 else np.eye(n_classes)[y]
    return (1 - smoothing) * rows + smoothing * (0.99 * np.average(rows, axis=0, weights=weights) + 0.01 / n_classes)


@pytest.mark.filterwarnings(UNCONVERGED)
@SOLVERS
@pytest.mark.parametrize("target", ["multiclass", "binary", "soft", "soft pair"])
@pytest.mark.parametrize("out_activation", ["auto", "softmax"])
def test_label_smoothing_trains_as_on_smoothed_soft_labels(target, solver, out_activation):
    params = {"solver": solver, "out_activation": out_activation, "batch_size": 13, "max_iter": 6}
    y, weights = ARRAYS[target], np.linspace(0.5, 2, 60)
    soft = smoothed_targets(y, 0.3, 2 if target in ("binary", "soft pair") else 3, weights)
    one = planned(label_smoothing=0.3, **params).fit(X, y, weights)
    assert_same_weights(one, planned(**params).fit(X, soft, weights), rtol=1e-6)
    assert one.loss_curve_ == pytest.approx(planned(**params).fit(X, soft, weights).loss_curve_, rel=1e-9)


@pytest.mark.filterwarnings(UNCONVERGED)
def test_label_smoothing_of_a_multilabel_target_trains_as_on_each_row_with_the_labels_of_all():
    """The loss is linear in the targets, and their smoothed ones are a mean of y, all rows' labels, all ones and all zeros."""
    n = len(X)
    labels = [MULTILABEL, *([row] * n for row in MULTILABEL), np.ones_like(MULTILABEL), np.zeros_like(MULTILABEL)]
    shares = np.repeat([0.7, *[0.3 * 0.99 / n] * n, 0.3 * 0.005, 0.3 * 0.005], n)
    rows, labels = np.tile(X, (len(labels), 1)), np.vstack(labels)
    one = planned(solver="lbfgs", max_iter=10, label_smoothing=0.3).fit(X, MULTILABEL)
    other = planned(solver="lbfgs", max_iter=10).fit(rows, labels, shares)
    assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-6)
    assert one.loss_curve_ == pytest.approx(other.loss_curve_, rel=1e-9)


@pytest.mark.parametrize(("target", "n_classes"), [("multiclass", 3), ("binary", 2), ("multilabel", 2)])
def test_label_smoothing_keeps_probabilities_from_certainty(target, n_classes):
    clf = converged(hidden_layer_sizes=(20,), alpha=0.0, label_smoothing=0.3, tol=1e-4).fit(X, ARRAYS[target])
    y = np.eye(2)[ARRAYS[target]] if target == "binary" else ARRAYS[target]
    assert clf.score(X, ARRAYS[target]) == 1
    assert_allclose(clf.predict_proba(X), smoothed_targets(y, 0.3, n_classes), atol=0.05)
    clf.set_params(label_smoothing=0.0).fit(X, ARRAYS[target])
    assert clf.predict_proba(X).max() > 0.99


@STEPWISE
@pytest.mark.parametrize("weights", [np.ones(60), np.linspace(0.5, 2, 60)], ids=["unweighted", "weighted"])
def test_label_smoothing_in_partial_fit_moves_labels_towards_the_mean_of_all_rows_seen_so_far(weights, solver):
    """Each call brings another class: the mean changes from call to call."""
    params, order, rows = {"solver": solver, "shuffle": False}, np.argsort(MULTICLASS, kind="stable"), np.eye(3)[MULTICLASS]
    one, other = planned(label_smoothing=0.3, **params), planned(**params)
    for start in (0, 20, 40):
        new, seen = order[start : start + 20], order[: start + 20]
        mean = 0.99 * np.average(rows[seen], axis=0, weights=weights[seen]) + 0.01 / 3
        one.partial_fit(X[new], MULTICLASS[new], weights[new], classes=range(3))
        other.partial_fit(X[new], 0.7 * rows[new] + 0.3 * mean, weights[new])
        assert_same_weights(one, other, rtol=1e-6)
