"""What the README shows is true: its Python runs, and its commands are the ones that are meant."""

import re

import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier

from support.readme import COMMANDS, PYTHON


def test_the_ten_lines_run_and_print_what_they_say(capsys):
    exec(PYTHON[0], {})
    said = float(re.search(r"# (0\.\d+)", PYTHON[0]).group(1))
    assert float(capsys.readouterr().out.split()[0]) == pytest.approx(said, abs=0.01)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_migration_runs():
    X, y = load_iris(return_X_y=True)
    names = {"mlp": MLPClassifier(max_iter=5, random_state=0).fit(X, y)}
    exec(PYTHON[1], names)
    assert (names["clf"].predict(X) == names["mlp"].predict(X)).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_curves_are_drawn_and_the_export_and_the_safe_loading_predict_the_same(capsys):
    pytest.importorskip("matplotlib")
    pytest.importorskip("onnxruntime")
    pytest.importorskip("skops")
    names = {}
    exec(PYTHON[0], names)
    names["mlp"] = MLPClassifier(max_iter=5).fit(names["X_train"], names["y_train"])
    exec(PYTHON[2], names)
    exec(PYTHON[3], names)
    expected = names["clf"].predict_proba(names["X_test"])
    assert_allclose(names["probabilities"], expected, atol=1e-5)
    assert_array_equal(names["same"].predict_proba(names["X_test"]), expected)


def test_the_two_commands_set_up_a_virtual_environment_and_run_the_example_and_the_tests():
    assert "examples/quickstart.py" in COMMANDS[0]
    assert COMMANDS[1].strip().endswith("pytest -n auto")
    assert all("python3 -m venv .venv" in command for command in COMMANDS[:2])
