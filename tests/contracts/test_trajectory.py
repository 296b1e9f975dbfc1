"""From the same random_state, training follows MLPClassifier's to the digit: initial weights, curves, stopping, weights."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from sksoftmax import SoftmaxMLPClassifier
from support.marks import SOLVERS, STEPWISE

X, digit = load_digits(return_X_y=True)
X, digit = X[:400] / 16, digit[:400]
TARGETS = {
    "multiclass": digit,
    "binary": np.where(digit > 4, 7, 3),
    "multilabel": np.column_stack([digit > 4, digit % 2 == 0, digit % 3 == 0]).astype(int),
}
WEIGHTS = np.random.default_rng(0).uniform(0.1, 2, len(X))
CONFIGURATIONS = [
    {"solver": "adam"},
    {"solver": "adam", "activation": "tanh", "batch_size": 50},
    {"solver": "adam", "activation": "logistic", "alpha": 0.1},
    {"solver": "adam", "activation": "identity", "shuffle": False, "batch_size": 64},
    {"solver": "adam", "early_stopping": True, "learning_rate_init": 0.01},
    {"solver": "adam", "early_stopping": True, "validation_fraction": 0.3, "hidden_layer_sizes": (20, 10)},
    {"solver": "adam", "hidden_layer_sizes": (), "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-4},
    {"solver": "adam", "tol": 0.05, "n_iter_no_change": 3},
    {"solver": "adam", "learning_rate": "invscaling"},
    {"solver": "sgd"},
    {"solver": "sgd", "nesterovs_momentum": False, "batch_size": 30},
    {"solver": "sgd", "momentum": 0.0, "activation": "tanh", "learning_rate_init": 0.1},
    {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.5, "power_t": 0.3},
    {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.05, "n_iter_no_change": 1, "activation": "logistic"},
    {"solver": "sgd", "learning_rate": "adaptive", "early_stopping": True, "n_iter_no_change": 2, "learning_rate_init": 0.2},
    {"solver": "sgd", "early_stopping": True, "activation": "identity", "nesterovs_momentum": False},
    {"solver": "sgd", "hidden_layer_sizes": (20, 15, 10), "alpha": 1.0},
    {"solver": "sgd", "batch_size": 17, "alpha": 0.0, "activation": "tanh"},
    {"solver": "sgd", "learning_rate": "invscaling", "early_stopping": True, "hidden_layer_sizes": (12, 8)},
    {"solver": "adam", "early_stopping": True, "activation": "logistic", "batch_size": 32, "learning_rate_init": 0.02},
    {"solver": "lbfgs"},
    {"solver": "lbfgs", "activation": "tanh", "alpha": 0.1, "hidden_layer_sizes": (15, 10)},
    {"solver": "lbfgs", "activation": "logistic"},
    {"solver": "lbfgs", "activation": "identity", "alpha": 1.0},
    {"solver": "lbfgs", "hidden_layer_sizes": (), "max_fun": 12},
]


def both(**params):
    """MLPClassifier and ours made from it."""
    mlp = MLPClassifier(**{"random_state": 3, "hidden_layer_sizes": (30,), "max_iter": 25, **params})
    return mlp, SoftmaxMLPClassifier.from_sklearn(mlp)


def quietly(method, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return method(*args, **kwargs)


def assert_same_trajectory(theirs, ours, curve=True):
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.t_ == theirs.t_
    for mine, other in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_):
        assert_allclose(mine, other, rtol=1e-6, atol=1e-9)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-6, atol=1e-12)
    if theirs.solver == "lbfgs":
        assert_allclose(ours.loss_, theirs.loss_, rtol=1e-6)
        return
    if curve:
        assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-6)
        if theirs.best_loss_ is not None:
            assert_allclose(ours.best_loss_, theirs.best_loss_, rtol=1e-6)
    assert (ours.validation_scores_ is None) == (theirs.validation_scores_ is None)
    if theirs.validation_scores_ is not None:
        assert_allclose(ours.validation_scores_, theirs.validation_scores_, rtol=1e-12)
        assert_allclose(ours.best_validation_score_, theirs.best_validation_score_, rtol=1e-12)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("params", CONFIGURATIONS, ids=lambda p: ",".join(f"{k}={v}" for k, v in p.items()))
def test_fit_follows_mlpclassifier(params, target):
    theirs, ours = both(**params)
    quietly(theirs.fit, X, TARGETS[target])
    quietly(ours.fit, X, TARGETS[target])
    assert_same_trajectory(theirs, ours)


@pytest.mark.parametrize("activation", ["relu", "logistic"])
def test_initial_weights_are_mlpclassifiers(activation):
    theirs, ours = both(solver="sgd", learning_rate_init=1e-300, max_iter=1, activation=activation, hidden_layer_sizes=(7, 5))
    quietly(theirs.fit, X, digit)
    quietly(ours.fit, X, digit)
    for mine, other in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_):
        np.testing.assert_array_equal(mine, other)


@SOLVERS
def test_sparse_input_follows_mlpclassifier(solver):
    theirs, ours = both(solver=solver)
    sparse = csr_matrix(np.where(X > 0.6, X, 0))
    quietly(theirs.fit, sparse, digit)
    quietly(ours.fit, sparse, digit)
    assert_same_trajectory(theirs, ours)


@pytest.mark.skipif(not hasattr(MLPClassifier().fit, "__wrapped__"), reason="needs the decorated fit")
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("params", [{"solver": "adam"}, {"solver": "sgd", "early_stopping": True}, {"solver": "lbfgs"}], ids=str)
def test_sample_weight_follows_mlpclassifier_except_in_the_reported_loss(params, target):
    """MLPClassifier's loss_curve_ averages batches by their row counts; ours by their weights."""
    if "sample_weight" not in MLPClassifier.fit.__wrapped__.__code__.co_varnames:
        pytest.skip("MLPClassifier takes sample_weight since scikit-learn 1.7")
    theirs, ours = both(**params)
    quietly(theirs.fit, X, TARGETS[target], sample_weight=WEIGHTS)
    quietly(ours.fit, X, TARGETS[target], sample_weight=WEIGHTS)
    assert_same_trajectory(theirs, ours, curve=False)


@STEPWISE
def test_partial_fit_follows_mlpclassifier(solver):
    """Without shuffling: MLPClassifier replays one permutation in every call, ours draws a new one."""
    theirs, ours = both(solver=solver, shuffle=False)
    for start in (0, 150, 300, 0):
        rows = slice(start, start + 150)
        theirs.partial_fit(X[rows], digit[rows], classes=np.arange(10))
        ours.partial_fit(X[rows], digit[rows], classes=np.arange(10))
    assert_same_trajectory(theirs, ours)


@STEPWISE
def test_partial_fit_after_fit_follows_mlpclassifier(solver):
    theirs, ours = both(solver=solver)
    for model in (theirs, ours):
        quietly(model.fit, X, digit)
        model.set_params(shuffle=False)
        model.partial_fit(X, digit)
    assert_same_trajectory(theirs, ours)


@pytest.mark.parametrize("params", [{"solver": "lbfgs"}, {"solver": "sgd", "momentum": 0.0}], ids=str)
def test_warm_start_follows_mlpclassifier(params):
    """Where the optimizer has no moments: MLPClassifier throws them away between the calls, ours keeps them."""
    theirs, ours = both(warm_start=True, max_iter=5, **params)
    for _ in range(3):
        quietly(theirs.fit, X, digit)
        quietly(ours.fit, X, digit)
    assert_same_trajectory(theirs, ours)


def test_float32_follows_mlpclassifier_to_its_rounding():
    theirs, ours = both()
    quietly(theirs.fit, X.astype(np.float32), digit)
    quietly(ours.fit, X.astype(np.float32), digit)
    assert ours.coefs_[0].dtype == theirs.coefs_[0].dtype == np.float32
    assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-3)
