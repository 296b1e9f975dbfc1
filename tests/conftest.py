"""Settings of all tests: threads, a cache of compiled kernels that notices every change, no screen, hypothesis' profiles.

Each test process has one thread, as several share the processors. SKSOFTMAX_ENGINE=numba runs all tests with compiled steps;
tests of the NumPy steps themselves have the fixture `numpy_engine`.

`pytest --hypothesis-profile night tests/contracts/test_properties.py` draws 5,000 new cases for each property;
"ci" takes the same 150 each time.
"""

import os
import tempfile
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("MPLBACKEND", "Agg")
KERNELS = sorted(Path(__file__).parents[1].glob("sksoftmax/nn/*.py"))
VERSION = crc32(b"".join(path.read_bytes() for path in KERNELS))  # Numba itself looks at the date of one of these files
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"sksoftmax-kernels-{VERSION:08x}"))

pytest.register_assert_rewrite("support")  # a failed assertion there shows its values, too

settings.register_profile("both", deadline=None, database=None, suppress_health_check=list(HealthCheck))
settings.register_profile("ci", settings.get_profile("both"), max_examples=150, derandomize=True)
settings.register_profile("night", settings.get_profile("both"), max_examples=5000, print_blob=True)
settings.load_profile("ci")


@pytest.fixture
def numpy_engine():
    """Train with NumPy, whatever the environment asks for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKSOFTMAX_ENGINE", "numpy")
        yield


@pytest.fixture(scope="session")
def iris():
    """The rows and labels of the iris data."""
    from sklearn.datasets import load_iris

    return load_iris(return_X_y=True)
