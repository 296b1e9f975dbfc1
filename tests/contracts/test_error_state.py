"""NumPy's error state changes no fit and no prediction."""

import numpy as np
import pytest

from support.estimators import small


def with_errors(call, state="raise"):
    with np.errstate(all=state):
        return call()


TRAININGS = {
    "adam": {"beta_1": 0.1, "beta_2": 0.1, "max_iter": 40},
    "sgd": {"solver": "sgd", "momentum": 0.1, "max_iter": 40},
    "adam, four members": {"n_members": 4, "beta_1": 0.1, "beta_2": 0.1, "max_iter": 40},
    "ema": {"ema_decay": 0.1, "beta_1": 0.1, "beta_2": 0.1, "max_iter": 40},
}


@pytest.mark.parametrize("training", TRAININGS)
def test_numpys_error_state_changes_no_fit(training):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 4)), rng.integers(0, 2, 120)
    X = np.column_stack([X, np.arange(120) == 7, np.full(120, 1e-310) * X[:, 0], X[:, 1] * 1e300])
    X[:, 5] = np.where(np.arange(120) % 2, 1e-310, 0)
    clf = small(**TRAININGS[training])
    p = clf.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(with_errors(lambda: clf.fit(X, y)).predict_proba(X), p)


def test_numpys_error_state_ends_no_partial_fit():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 3)), rng.integers(0, 2, 120)
    X = np.column_stack([X, np.arange(120) == 7])
    clf = small(beta_1=0.01, beta_2=0.01, batch_size=10)
    with_errors(lambda: [clf.partial_fit(X, y, classes=[0, 1]) for _ in range(10)])


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "decision_function"])
@pytest.mark.parametrize("n_members", [1, 4])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_numpys_error_state_changes_no_prediction(iris, method, n_members, n_classes):
    X, y = iris
    X, y = X[y < n_classes], y[y < n_classes]
    clf = small(n_members=n_members).fit(X, y)
    clf.coefs_ = [W * 200 for W in clf.coefs_]  # far apart: exponentials underflow
    expected = getattr(clf, method)(X)
    np.testing.assert_array_equal(with_errors(lambda: getattr(clf, method)(X)), expected)
    with_errors(lambda: clf.predict_proba(X))
