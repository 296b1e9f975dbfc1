"""`dtype`: of the network and of what it predicts."""

import json

import numpy as np
import pandas as pd
import pytest

from sksoftmax import SoftmaxMLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 120
rng = np.random.default_rng(0)
X, y = rng.normal(size=(N, 3)), np.arange(N) % 2
FRAME = pd.DataFrame({"length": X[:, 0], "color": rng.choice(["red", "green", "blue"], N)})
TARGETS = {"binary": y, "multiclass": np.arange(N) % 3, "multilabel": np.column_stack([y, 1 - y, y])}


def six_units(**params):
    return SoftmaxMLPClassifier(**{"hidden_layer_sizes": (6,), "n_members": 1, "max_iter": 3, "random_state": 0, **params})


def predictions(clf, X):
    return [getattr(clf, method)(X) for method in ("predict_proba", "predict_log_proba", "decision_function")]


@pytest.mark.parametrize("n_rows", [99, 100, 119])
@pytest.mark.parametrize(
    "params", [{}, {"n_members": 4}, {"solver": "lbfgs", "max_iter": 20}, {"scaling": None}, {"dtype": "float64"}], ids=str
)
def test_dtype_auto_gives_float64_predictions_for_any_number_of_rows(n_rows, params):
    clf = six_units(**params).fit(X[:n_rows], y[:n_rows])
    for result in predictions(clf, X) + predictions(clf, X.astype(np.float32)):
        assert result.dtype == np.float64
    assert json.dumps(list(clf.predict_proba(X)[0]))


@pytest.mark.parametrize("target", TARGETS)
def test_dtype_auto_gives_float64_for_a_frame_and_any_target(target):
    assert six_units().fit(FRAME, TARGETS[target]).predict_proba(FRAME).dtype == np.float64


@pytest.mark.parametrize(("dtype", "given"), [("float32", np.float64), ("float32", np.float32), ("auto", np.float32)])
@pytest.mark.parametrize("n_rows", [50, 120])
@pytest.mark.parametrize("n_members", [1, 4])
def test_dtype_float32_or_a_float32_X_gives_float32_predictions(dtype, given, n_rows, n_members):
    clf = six_units(dtype=dtype, n_members=n_members).fit(X[:n_rows].astype(given), y[:n_rows])
    assert {result.dtype.name for result in predictions(clf, X)} == {"float32"}


def test_the_dtype_of_predictions_is_that_of_the_first_call():
    clf = six_units().partial_fit(X, y, classes=[0, 1]).partial_fit(X.astype(np.float32), y)
    assert clf.predict_proba(X.astype(np.float32)).dtype == np.float64
    clf = six_units(warm_start=True).fit(X.astype(np.float32), y).fit(X, y)
    assert clf.predict_proba(X).dtype == np.float32


def test_probabilities_that_dtype_float32_would_round_are_as_exact_as_the_logits():
    """Two probabilities near 1 that are equal in float32 differ: the float32 logits are turned into float64 first."""
    clf = six_units(hidden_layer_sizes=(), dtype="auto").fit(X, X[:, 0] > 0)
    clf.coefs_ = [40 * W for W in clf.coefs_]
    z = clf.decision_function(X)
    np.testing.assert_allclose(clf.predict_proba(X)[:, 0], 1 / (1 + np.exp(z)), rtol=1e-12)
