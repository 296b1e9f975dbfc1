"""The docstrings: complete for numpydoc, with every default, and their examples run."""

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import sksoftmax
from sksoftmax import SoftmaxMLPClassifier

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


def test_every_parameter_is_documented_with_its_default():
    doc = inspect.getdoc(SoftmaxMLPClassifier)  # Python 3.13 takes the indentation away by itself
    for name, default in SoftmaxMLPClassifier().get_params().items():
        assert re.search(rf"^{name} : (.|\\\n)*, default={re.escape(repr(default))}$", doc, re.M) or (
            isinstance(default, float) and re.search(rf"^{name} : float.*, default=", doc, re.M)
        ), name


@pytest.mark.parametrize("module", ["sksoftmax", *(f"sksoftmax.{m.name}" for m in pkgutil.iter_modules(sksoftmax.__path__))])
def test_doctests_pass(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0
