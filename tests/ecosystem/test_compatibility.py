"""Models saved by every released version load, predict as recorded, and continue training."""

import json
import pickle
from contextlib import nullcontext
from io import BytesIO

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksoftmax import __version__
from support.repository import FOLDER, make

SAVED = sorted(path.relative_to(FOLDER) for kind in ("pickle", "skops") for path in FOLDER.glob(f"*/*.{kind}"))
MODULES = {
    "numpy",
    "numpy._core.multiarray",
    "numpy.random._mt19937",
    "numpy.random._pickle",
}  # the modules that NumPy's own pickles name


def load_skops(data):
    sio = pytest.importorskip("skops.io")
    types = sio.get_untrusted_types(data=data)
    assert all(name.startswith("sksoftmax.") for name in types)
    return sio.loads(data, trusted=types)


def load(path):
    """The model, and a warning if and only if another version has saved it."""
    version, data = path.parent.name, path.read_bytes()
    expected = nullcontext() if version == __version__ else pytest.warns(UserWarning, match=f"saved by sksoftmax {version} and")
    with expected:
        return pickle.loads(data) if path.suffix == ".pickle" else load_skops(data)


def assert_as_recorded(clf, path):
    expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
    X = make.frame(expected["X"])
    close = {"rtol": 1e-5, "atol": 1e-6}  # another BLAS rounds otherwise
    assert_allclose(clf.predict_proba(X), expected["probabilities"], **close)
    if "after" in expected:
        assert_allclose(clf.partial_fit(X, np.array(expected["y"])).predict_proba(X), expected["after"], **close)


@pytest.mark.parametrize("path", SAVED, ids=str)
def test_a_saved_model_predicts_and_continues_training_as_recorded(path):
    assert_as_recorded(load(FOLDER / path), FOLDER / path)


def test_this_version_has_its_fixtures():
    assert {path.stem for path in SAVED if path.parent.name == __version__} == set(make.MODELS)


def test_the_script_writes_what_loads(tmp_path):
    pytest.importorskip("skops.io")
    folder = tmp_path / __version__
    make.write(folder)
    for path in [*folder.glob("*.pickle"), *folder.glob("*.skops")]:
        assert_as_recorded(load(path), path)


@pytest.mark.parametrize("name", make.MODELS)
def test_a_pickle_names_only_our_classes_and_those_of_numpys_arrays(name):
    found = set()

    class Recorder(pickle.Unpickler):
        def find_class(self, module, name):
            found.add((module, name))
            return super().find_class(module, name)

    data = pickle.dumps(make.MODELS[name]()[0], make.PROTOCOL)
    Recorder(BytesIO(data)).load()
    others = {(module, name) for module, name in found if not module.startswith("sksoftmax.")} - {("builtins", "slice")}
    assert {module for module, _ in others} <= MODULES
