"""The docstrings: complete for numpydoc, with every default, their examples run, and their tables agree with the code."""

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import sksoftmax
from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.parameters import PARAMETER_GROUPS
from sksoftmax.training import config
from support.repository import ROOT, loaded

PUBLIC_METHODS = [name for name in vars(SoftmaxMLPClassifier) if not name.startswith("_") and name != "loss"]


@pytest.mark.parametrize("method", [None, *PUBLIC_METHODS])
def test_docstrings_pass_numpydoc(method):
    validate = pytest.importorskip("numpydoc.validate", reason="numpydoc is not installed").validate
    name = "sksoftmax.SoftmaxMLPClassifier" + (f".{method}" if method else "")
    ignored = {"RT02", "GL01", "GL02"} | ({"EX01", "SA01", "ES01"} if method else set())
    assert [error for error in validate(name)["errors"] if error[0] not in ignored] == []


PUBLIC_FUNCTIONS = ["softmax", "log_softmax", "softmax_jacobian", "cross_entropy"]
PUBLIC_FUNCTIONS += ["sigmoid", "log_sigmoid", "binary_cross_entropy"]


@pytest.mark.parametrize("function", PUBLIC_FUNCTIONS)
def test_docstrings_of_the_mathematics_pass_numpydoc(function):
    validate = pytest.importorskip("numpydoc.validate", reason="numpydoc is not installed").validate
    errors = validate(f"sksoftmax.loss.{function}")["errors"]
    assert [error for error in errors if error[0] not in {"RT02", "GL01", "GL02"}] == []


DISPLAYS = {name: getattr(sksoftmax, name) for name in sksoftmax.__all__ if name.endswith("Display")}


@pytest.mark.parametrize("name", [f"{display}{method}" for display in DISPLAYS for method in ("", ".plot", ".from_estimator")])
def test_docstrings_of_the_displays_pass_numpydoc(name):
    validate = pytest.importorskip("numpydoc.validate", reason="numpydoc is not installed").validate
    ignored = {"RT02", "GL01", "GL02", "EX01", "SA01", "ES01"}
    assert [error for error in validate(f"sksoftmax.{name}")["errors"] if error[0] not in ignored] == []


def test_every_parameter_is_documented_with_its_default():
    doc = inspect.getdoc(SoftmaxMLPClassifier)  # Python 3.13 takes the indentation away by itself
    for name, default in SoftmaxMLPClassifier().get_params().items():
        assert re.search(rf"^{name} : (.|\\\n)*, default={re.escape(repr(default))}$", doc, re.M) or (
            isinstance(default, float) and re.search(rf"^{name} : float.*, default=", doc, re.M)
        ), name


MODULES = ["sksoftmax", *(module.name for module in pkgutil.walk_packages(sksoftmax.__path__, "sksoftmax."))]


@pytest.mark.parametrize("module", MODULES)
def test_doctests_pass(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def test_modules_of_every_folder_are_read():
    assert {"sksoftmax.loss", "sksoftmax.nn.layers", "sksoftmax.data.rows", "sksoftmax.training.steps"} <= set(MODULES)


# Tables of the class docstring


@pytest.mark.parametrize("table", ["auto_table", "group_table"])
def test_a_table_of_the_class_docstring_is_the_one_made_from_the_code(table):
    """If this fails, print the table and put it into the docstring: `docs/docstring_tables.py` makes it."""
    module = loaded(ROOT / "docs" / "docstring_tables.py")
    assert getattr(module, table)() in inspect.getdoc(SoftmaxMLPClassifier)


def test_every_parameter_is_in_one_group():
    listed = [name for group in PARAMETER_GROUPS.values() for name in group]
    assert sorted(listed) == sorted(SoftmaxMLPClassifier().get_params())


def test_the_table_of_auto_has_a_row_for_each_parameter_that_may_be_auto():
    """Others are described with them: `early_stopping`, `dtype`, `out_activation`, `companion`, `relevance`, `target_type`."""
    labels = [label for label, *_ in loaded(ROOT / "docs" / "docstring_tables.py").auto_rows()]
    chosen = {name for name, default in SoftmaxMLPClassifier().get_params().items() if str(default) == "auto"}
    assert chosen - {"dtype", "out_activation", "companion", "relevance", "target_type"} == chosen.intersection(labels)


def resolved_config(n_rows, **params):
    """The configuration of training on this many rows."""
    return config.TrainingConfig.resolve(SoftmaxMLPClassifier(**params).get_params(), n_rows)


@pytest.mark.parametrize("n_rows", [49, 50, 1499, 1500, 9999, 10_000])
def test_the_configuration_follows_the_bounds_of_the_table_of_auto(n_rows):
    chosen = resolved_config(n_rows)
    assert chosen.n_members == (8 if 50 <= n_rows < 1500 else 4)
    assert chosen.batch_size == (n_rows if n_rows < 64 else 128 if n_rows >= 10_000 else 64)
    assert (chosen.dropout.max() == 0) == (n_rows < 50)


def test_the_configuration_has_the_numbers_that_the_table_of_auto_gives_without_a_constant():
    lbfgs = resolved_config(2000, solver="lbfgs")
    assert (lbfgs.n_members, lbfgs.max_iter, lbfgs.dropout.max(), lbfgs.weight_decay.max()) == (1, 200, 0, 0)
    assert resolved_config(10**6, parametrization="standard").batch_size == 200
