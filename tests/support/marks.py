"""Marks and parametrizations that many test modules use."""

import pytest

try:
    from sklearn.callback import ScoringMonitor
except ImportError:
    ScoringMonitor = None

SOLVERS = pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
STEPWISE = pytest.mark.parametrize("solver", ["adam", "sgd"])
UNCONVERGED = "ignore::sklearn.exceptions.ConvergenceWarning"
CONVERGING = "ignore:lbfgs failed to converge"
has_callbacks = pytest.mark.skipif(ScoringMonitor is None, reason="callbacks came with scikit-learn 1.9")
