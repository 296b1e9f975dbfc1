"""Training that diverges, and numbers that are too large or too small to train on."""

import copy

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from support.data import MULTICLASS, X
from support.estimators import planned
from support.marks import STEPWISE, UNCONVERGED
from support.weights import assert_same_weights


@pytest.mark.parametrize("early_stopping", [False, True])
def test_divergence_stops_with_a_warning_and_the_last_good_weights(early_stopping):
    clf = planned(solver="sgd", batch_size=10, warm_start=True, early_stopping=early_stopping).fit(X, MULTICLASS)
    learned = copy.deepcopy(clf)
    with pytest.warns(ConvergenceWarning, match=r"diverged.*in epoch \d.*last good weights.*learning_rate_init=1e\+80"):
        clf.set_params(learning_rate_init=1e80, max_iter=100).fit(X, MULTICLASS)
    assert len(clf.loss_curve_) == 3
    assert_same_weights(clf, learned)


def test_divergence_in_the_first_epoch_restores_the_initial_weights_and_says_so():
    params = {"solver": "sgd", "batch_size": 10, "max_iter": 50}
    initial = planned(**params, learning_rate_init=1e-300).fit(X, MULTICLASS)
    with pytest.warns(
        ConvergenceWarning, match=r"epoch 1\. The initial weights, which have learned nothing, were restored; the loss"
    ):
        clf = planned(**params, learning_rate_init=1e80).fit(X, MULTICLASS)
    assert clf.n_iter_ == 0
    assert_same_weights(clf, initial)


def test_divergence_says_what_the_loss_of_the_restored_weights_was():
    params = {"activation": "identity", "solver": "sgd", "hidden_layer_sizes": (20, 20), "batch_size": 20, "max_iter": 50}
    with pytest.warns(ConvergenceWarning, match="The last good weights were restored; the loss from there was"):
        clf = planned(**params, learning_rate="constant", learning_rate_init=30.0).fit(X, MULTICLASS)
    assert np.isfinite(clf.predict_log_proba(X)).all()


@pytest.mark.filterwarnings(UNCONVERGED)
@STEPWISE
def test_partial_fit_recovers_from_a_batch_of_too_large_numbers(solver):
    clf = planned(solver=solver, batch_size=20, activation="identity").partial_fit(X, MULTICLASS, classes=range(3))
    before = log_loss(MULTICLASS, clf.predict_proba(X))
    stuck = clf.partial_fit(X * 1e160, MULTICLASS).coefs_[0].copy()
    for _ in range(20):
        clf.partial_fit(X, MULTICLASS)
    assert log_loss(MULTICLASS, clf.predict_proba(X)) < before
    assert (clf.coefs_[0] != stuck).all()


def test_numbers_too_large_to_square_are_an_error():
    with pytest.raises(ValueError, match="Scale the columns of X"):
        planned().fit(X * 1e200, MULTICLASS)


def test_a_sample_weight_so_small_that_the_alpha_penalty_overflows_is_named():
    weights = np.full(60, 1e-300)
    with pytest.raises(ValueError, match=r"alpha=1.0 is divided by the sum of sample_weight: multiply small weights"):
        planned(alpha=1.0).fit(X, MULTICLASS, sample_weight=weights)
    assert np.isfinite(planned(alpha=0.0).fit(X, MULTICLASS, sample_weight=weights).loss_)


@pytest.mark.parametrize("scaling", ["standard", None])
def test_divergence_advises_to_scale_X_only_without_scaling(scaling):
    with pytest.warns(ConvergenceWarning, match="ower learning_rate_init=") as caught:
        planned(solver="sgd", batch_size=10, scaling=scaling, learning_rate_init=1e80, max_iter=50).fit(X, MULTICLASS)
    assert ("StandardScaler" in str(caught[0].message)) == (scaling is None)
