"""Settings of all tests: threads, no screen, hypothesis' profiles.

Each test process has one thread, as several share the processors.

`pytest --hypothesis-profile night tests/contracts/test_properties.py` draws 5,000 new cases for each property;
"ci" takes the same 150 each time.
"""

import os
from functools import partial

import pytest
from hypothesis import HealthCheck, settings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

pytest.register_assert_rewrite("support")  # a failed assertion there shows its values, too

settings.register_profile("both", deadline=None, database=None, suppress_health_check=list(HealthCheck))
settings.register_profile("ci", settings.get_profile("both"), max_examples=150, derandomize=True)
settings.register_profile("night", settings.get_profile("both"), max_examples=5000, print_blob=True)
settings.load_profile("ci")


@pytest.fixture
def limits(monkeypatch):
    """A function that makes limits of the package small, as in limits(COPY_BYTES=0); see `support.limits`."""
    from support.limits import set_limits

    return partial(set_limits, monkeypatch)


@pytest.fixture
def numpy_steps(monkeypatch):
    """Train by NumPy's steps, which a test can watch."""
    monkeypatch.setenv("SKSOFTMAX_ENGINE", "numpy")


@pytest.fixture(scope="session")
def iris():
    """The rows and labels of the iris data."""
    from sklearn.datasets import load_iris

    return load_iris(return_X_y=True)


@pytest.fixture
def trees_on_few_rows(monkeypatch):
    """Let boosted trees, not a radial network, be the companion of ensembles on few rows."""
    from sksoftmax.training import boosted_fit, radial_fit

    monkeypatch.setattr(radial_fit, "MAX_ROWS", 0)
    monkeypatch.setattr(boosted_fit, "MIN_ROWS", 0)
