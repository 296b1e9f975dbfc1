"""Which engine trains: the environment's choice, the length of training, and what happens where Numba cannot be used."""

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.nn import engine
from sksoftmax.nn.engine import LONG, VARIABLE, describe_engine, trainer_for
from support.paths import ROOT

F32 = np.dtype(np.float32)
WORKS = SimpleNamespace(trainer=lambda dtype: f"kernel of {dtype}")


def fails(error):
    """An import of the kernels that fails."""

    def import_kernels():
        raise error

    return import_kernels


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """Nothing is remembered from other tests, and the environment asks for nothing."""
    monkeypatch.delenv(VARIABLE, raising=False)
    load = engine.load
    load.cache_clear()
    yield
    load.cache_clear()


@pytest.fixture
def numba_works(monkeypatch):
    monkeypatch.setattr(engine, "import_kernels", lambda: WORKS)


@pytest.mark.parametrize(("n_steps", "compiled"), [(LONG - 1, False), (LONG, True)])
def test_only_long_training_repays_loading_numba(n_steps, compiled, numba_works):
    assert (trainer_for(F32, n_steps) is not None) == compiled


@pytest.mark.parametrize(("clf", "compiled"), [(SoftmaxMLPClassifier(), False), (SoftmaxMLPClassifier(max_iter=600), True)])
def test_a_default_fit_of_150_rows_does_not_load_numba_and_a_long_one_does(clf, compiled, iris, monkeypatch):
    asked = []
    monkeypatch.setattr(engine, "load", lambda dtype: asked.append(dtype) or (None, None))
    clf.fit(*iris)
    assert bool(asked) == compiled


@pytest.mark.parametrize("n_steps", [1, 10**6])
def test_the_environment_can_ask_for_either_engine(n_steps, numba_works, monkeypatch):
    monkeypatch.setenv(VARIABLE, "numpy")
    assert trainer_for(F32, n_steps) is None
    monkeypatch.setenv(VARIABLE, "numba")
    assert trainer_for(F32, n_steps) == "kernel of float32"
    assert trainer_for(np.dtype(float), n_steps) == "kernel of float64"


def test_an_engine_that_does_not_exist_is_named_with_those_that_do(monkeypatch):
    monkeypatch.setenv(VARIABLE, "torch")
    with pytest.raises(ValueError, match="SKSOFTMAX_ENGINE must be one of auto, numpy, numba; got 'torch'"):
        trainer_for(F32, 1)


def test_where_numba_is_not_installed_numpy_trains_without_a_word(monkeypatch):
    monkeypatch.setattr(engine, "import_kernels", fails(ModuleNotFoundError("No module named 'numba'")))
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    assert trainer_for(F32, 10**6) is None
    assert describe_engine() == "NumPy (Numba is not installed)"


@pytest.mark.parametrize("error", [ImportError("Numba needs NumPy 2.3 or less"), OSError("no LLVM"), RuntimeError("compiler")])
def test_where_numba_is_broken_numpy_trains_with_one_warning(error, monkeypatch):
    monkeypatch.setattr(engine, "import_kernels", fails(error))
    monkeypatch.setattr(engine, "find_spec", lambda name: object())
    with pytest.warns(RuntimeWarning, match="Numba cannot be used, so NumPy trains.*" + str(error)) as caught:
        assert trainer_for(F32, 10**6) is None
        assert trainer_for(F32, 10**6) is None
    assert len(caught) == 1
    assert str(error) in describe_engine()


def test_asking_for_a_numba_that_cannot_be_used_is_an_error_with_its_cause(monkeypatch):
    monkeypatch.setenv(VARIABLE, "numba")
    monkeypatch.setattr(engine, "import_kernels", fails(ModuleNotFoundError("No module named 'numba'")))
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"SKSOFTMAX_ENGINE asks for Numba.*No module named 'numba'"):
        trainer_for(F32, 1)


def test_the_engine_is_described_in_words(numba_works, monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda name: object())
    assert describe_engine() == "Numba"
    monkeypatch.setenv(VARIABLE, "numpy")
    assert describe_engine() == "NumPy, as SKSOFTMAX_ENGINE asks"


# Real processes

FIT = """
import numpy as np
from sksoftmax import SoftmaxMLPClassifier
X = np.random.default_rng(0).normal(size=(60, 3))
print(SoftmaxMLPClassifier(max_iter=2, n_members=1).fit(X, X[:, 0] > 0).n_iter_)
"""


def start(**environment):
    """A process that fits with Numba."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), VARIABLE: "numba", **environment}
    return subprocess.Popen([sys.executable, "-c", FIT], env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("error", [RuntimeError("cannot cache function 'train': no locator available"), OSError("disk full")])
def test_without_a_folder_for_its_cache_the_kernels_are_compiled_and_not_kept(error, monkeypatch):
    """As in a read-only installation whose user has no home."""
    pytest.importorskip("numba")
    from sksoftmax.nn import kernels

    calls = []

    def njit(signature, cache=False, **options):
        calls.append(cache)
        if cache:
            raise error
        return lambda function: function

    monkeypatch.setattr(kernels, "njit", njit)
    assert kernels.trainer.__wrapped__("float32") is kernels.train
    assert calls == [True, False]


def test_several_processes_may_compile_at_once(tmp_path):
    pytest.importorskip("numba")
    processes = [start(NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2)]
    assert [process.communicate(timeout=300)[0] for process in processes] == ["2\n", "2\n"]
    assert list(tmp_path.rglob("*.nbi"))
