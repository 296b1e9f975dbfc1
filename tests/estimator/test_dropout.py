"""The parameter `dropout`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_matrix

from sksoftmax.loss import cross_entropy
from sksoftmax.nn.layers import Dropout, bit_generators
from sksoftmax.nn.network import Network
from support.data import ARRAYS, MULTICLASS, X
from support.estimators import planned
from support.marks import STEPWISE
from support.networks import form_of, forward
from support.weights import assert_same_weights


@STEPWISE
def test_dropout_is_repeatable_by_random_state_and_changes_the_model(solver):
    one, other = (planned(solver=solver, dropout=0.5).fit(X, MULTICLASS) for _ in range(2))
    assert_same_weights(one, other)
    assert not np.allclose(one.coefs_[0], planned(solver=solver).fit(X, MULTICLASS).coefs_[0])


@pytest.mark.parametrize("target", ARRAYS)
def test_dropout_is_off_in_predictions_and_validation_losses(target):
    y = ARRAYS[target]
    clf = planned(dropout=0.9, early_stopping=True, restore_best=False).fit(X, y, X_val=X, y_val=y)
    (V, W), (a, b) = clf.coefs_, clf.intercepts_
    logits = np.maximum(X @ V + a, 0) @ W + b
    assert_allclose(clf.decision_function(X).ravel(), logits.ravel(), rtol=1e-12, atol=1e-14)
    p, shares = clf.predict_proba(X), y if y.ndim == 2 else np.eye(y.max() + 1)[y]
    others = (1 - y) * np.log1p(-p) if target == "multilabel" else 0
    assert clf.validation_loss_curve_[-1] == pytest.approx(-(shares * np.log(p) + others).sum() / len(X), rel=1e-9)


def test_a_list_of_dropout_rates_sets_the_rate_of_each_layer():
    def fitted(dropout):
        return planned(hidden_layer_sizes=(6, 5), dropout=dropout).fit(X, MULTICLASS)

    assert_same_weights(fitted([0.4, 0.4]), fitted(0.4))
    assert_same_weights(fitted((0.0, 0.0)), fitted(0.0))
    first, second = fitted([0.4, 0.0]), fitted(np.array([0.0, 0.4]))
    assert not np.allclose(first.coefs_[0], second.coefs_[0])


def test_the_training_loss_is_computed_under_dropout():
    """One step on all rows: its loss is that of the initial weights under the masks that the generator's next draw seeds."""
    clf = planned(dropout=0.5, max_iter=1, alpha=0.0, shuffle=False).fit(X, MULTICLASS)
    rng = np.random.RandomState(0)
    network = Network.zeros(form_of(4, (5,), 3, "relu"), np.float64)
    network.initialize(rng, ("relu", "relu"))
    dropout = Dropout(np.full((1, 1), 0.5), bit_generators(rng.randint(2**31), 1))
    logits, _ = forward(network, X, dropout=dropout)
    assert clf.loss_ == pytest.approx(cross_entropy(logits[0], MULTICLASS)[0], rel=1e-12)


@pytest.mark.parametrize("form", [csr_matrix, lambda X: X.astype(np.float32)], ids=["sparse", "float32"])
def test_dropout_masks_are_the_same_for_sparse_and_float32_rows(form):
    one, other = (planned(dropout=0.5, max_iter=2).fit(rows, MULTICLASS) for rows in (form(X), X))
    assert_allclose(one.predict_proba(X), other.predict_proba(X), atol=1e-4)


def test_dropout_has_no_effect_without_hidden_layers():
    params = {"hidden_layer_sizes": (), "shuffle": False}
    one, other = (planned(**params, dropout=dropout).fit(X, MULTICLASS) for dropout in (0.5, 0.0))
    assert_same_weights(one, other)


def test_a_dropout_changed_between_calls_of_partial_fit_takes_effect():
    clf, other = (planned(shuffle=False).partial_fit(X, MULTICLASS, classes=range(3)) for _ in range(2))
    clf.set_params(dropout=0.5).partial_fit(X, MULTICLASS), other.partial_fit(X, MULTICLASS)
    assert not np.allclose(clf.coefs_[0], other.coefs_[0])
