"""What the package never does, on its own account or led by a damaged model."""

import ast
import os
import subprocess
import sys
from copy import copy
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import sksoftmax
from support.repository import TREES, make

FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "open", "breakpoint", "input"}
FORBIDDEN_MODULES = {
    "ctypes",
    "dill",
    "ftplib",
    "http",
    "importlib",
    "joblib",
    "marshal",
    "multiprocessing",
    "os",
    "pickle",
    "pty",
}
HARMLESS = {
    "os.environ",
    "os.register_at_fork",
    "joblib.cpu_count",
    "importlib.util.find_spec",
    "importlib.metadata.version",
}  # names of such modules
HARMLESS |= {"importlib.metadata.PackageNotFoundError"}
HARMLESS |= {"tempfile.TemporaryFile"}  # a worker's rows that do not fit in memory
FORBIDDEN_MODULES |= {"requests", "runpy", "shelve", "shutil", "smtplib", "socket", "subprocess", "tempfile", "urllib", "xmlrpc"}


def names_of(tree):
    """The names that are called, and the modules that are imported, anywhere in a module."""
    calls, modules = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            calls.add(node.id)
        elif isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and {f"{node.module}.{alias.name}" for alias in node.names} - HARMLESS:
            modules.add((node.module or "").partition(".")[0])
    return calls, modules


@pytest.mark.parametrize("module", sorted(TREES))
def test_a_module_runs_no_text_loads_no_pickle_and_reaches_neither_system_nor_network(module):
    calls, modules = names_of(TREES[module])
    assert calls & FORBIDDEN_CALLS == set()
    assert modules & FORBIDDEN_MODULES == set()


WATCH = """
import os, sys, warnings
import numpy as np
import pandas, scipy.optimize, scipy.sparse, sklearn.base, sklearn.metrics, sklearn.model_selection, sklearn.neural_network
import sklearn.pipeline, sklearn.preprocessing, sklearn.utils.validation, threadpoolctl

TOUCHING = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.truncate")
TOUCHING += ("os.chmod", "os.link", "os.symlink", "os.putenv", "pickle.find_class", "shutil.", "socket.", "subprocess.")
TOUCHING += ("tempfile.", "urllib.")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
found = []

def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if flags & WRITING or set(str(mode or "")) & set("wax+"):
            found.append((event, str(path)))
    elif event.startswith(TOUCHING):
        found.append((event, str(arguments)))

sys.addaudithook(watch)
from sksoftmax import SoftmaxMLPClassifier

warnings.simplefilter("ignore")
X = pandas.DataFrame(np.random.default_rng(0).normal(size=(120, 2)), columns=["a", "b"]).assign(c=["p", "q", "r"] * 40)
y = (X["a"] > 0).to_numpy()
for params in ({}, {"solver": "lbfgs", "n_members": 1}, {"early_stopping": True, "scoring": "f1", "verbose": 1}):
    clf = SoftmaxMLPClassifier((4,), max_iter=2, random_state=0, **params).fit(X, y)
    clf.predict(X), clf.predict_proba(X), clf.predict_log_proba(X), clf.decision_function(X), clf.score(X, y), repr(clf)
clf = SoftmaxMLPClassifier((4,), random_state=0).partial_fit(X, y, classes=[False, True]).partial_fit(X, y)
SoftmaxMLPClassifier.from_sklearn(sklearn.neural_network.MLPClassifier((3,), max_iter=2).fit(X[["a"]], y)).to_sklearn()
sys.stderr.write(repr(found))
"""


def test_importing_training_and_predicting_write_no_file_and_open_no_connection(tmp_path):
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(Path(sksoftmax.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", WATCH], cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "[]"
    assert list(tmp_path.iterdir()) == []


# Damaged files and states. What skops raises for a damaged file is its own, of any kind; ours are ValueError and TypeError. Of a
# file that still loads, in which other numbers or positions may stand, all that can be asked is that no answer is nonsense.

clf, FRAME = make.ensemble()
STATE, ROWS = clf.__getstate__(), FRAME[:8]


def assert_sensible(loaded):
    """It predicts probabilities or says why not; IndexError: a position of a column that is not there."""
    try:
        probabilities = loaded.predict_proba(ROWS)
    except (ValueError, TypeError, AttributeError, IndexError):
        return
    assert probabilities.shape == (8, 3)
    assert np.isfinite(probabilities).all()
    assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-4)


@cache
def saved():
    """The members of a skops file by name, and the types it needs."""
    sio = pytest.importorskip("skops.io")
    data = sio.dumps(clf)
    with ZipFile(BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}, sio.get_untrusted_types(data=data)


def zipped(members):
    buffer = BytesIO()
    with ZipFile(buffer, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return buffer.getvalue()


def load_if_possible(data):
    import skops.io

    try:
        loaded = skops.io.loads(data, trusted=saved()[1])
    except Exception:
        return
    if isinstance(loaded, type(clf)):
        assert_sensible(loaded)


positions = st.floats(0, 1, exclude_max=True)
flips = st.lists(st.tuples(positions, st.sampled_from(b"0123456789") | st.integers(0, 255)), min_size=1, max_size=8)


def damaged(data, flips, kept):
    """These bytes with some replaced, and only this part of them."""
    data = bytearray(data)
    for position, byte in flips:
        data[int(position * len(data))] = byte
    return bytes(data[: int(kept * len(data))])


@pytest.mark.filterwarnings("ignore")  # of overflows, of a version that was flipped
@given(st.one_of(st.just("schema.json"), st.integers(0, 100)), flips, st.just(1.0) | positions)
def test_a_skops_file_with_a_damaged_member_is_refused_or_answers_sensibly(chosen, flips, kept):
    members, _ = saved()
    name = chosen if isinstance(chosen, str) else sorted(members)[chosen % len(members)]
    load_if_possible(zipped({**members, name: damaged(members[name], flips, kept)}))


@pytest.mark.filterwarnings("ignore")
@given(flips, st.just(1.0) | positions)
def test_a_damaged_skops_file_is_refused_or_answers_sensibly(flips, kept):
    load_if_possible(damaged(zipped(saved()[0]), flips, kept))


ODD = (None, 7, "text", {}, [], np.full(3, np.nan), object())


@pytest.mark.filterwarnings("ignore:.*saved by sksoftmax:UserWarning", "ignore:X has feature names:UserWarning")
@pytest.mark.parametrize("name", STATE)
def test_a_state_with_something_odd_in_it_is_refused_or_answers_sensibly(name):
    for odd in ODD:
        loaded = type(clf)()
        try:
            loaded.__setstate__({**STATE, name: odd})
        except (ValueError, TypeError):
            continue
        assert_sensible(loaded)


@pytest.mark.filterwarnings("ignore:.*saved by sksoftmax:UserWarning", "ignore:X has feature names:UserWarning")
@pytest.mark.parametrize(("name", "part"), [(name, part) for name in ("_model", "_training") for part in vars(STATE[name])])
def test_a_state_with_something_odd_in_its_model_or_its_training_is_refused_or_answers_sensibly(name, part):
    for odd in ODD:
        loaded = type(clf)()
        try:
            loaded.__setstate__({**STATE, name: replace(STATE[name], **{part: odd})})
        except (ValueError, TypeError):
            continue
        assert_sensible(loaded)


@pytest.mark.parametrize("part", vars(STATE["_model"]))
def test_a_state_whose_model_lacks_a_part_names_it(part):
    model = copy(STATE["_model"])
    delattr(model, part)
    with pytest.raises(ValueError, match=f"state of SoftmaxMLPClassifier is damaged: .*has no attribute '{part}'"):
        type(clf)().__setstate__({**STATE, "_model": model})
