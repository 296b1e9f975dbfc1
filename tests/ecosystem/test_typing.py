"""The public functions have types, the types match the accepted values, and a type checker agrees."""

import inspect
import os
import re
import subprocess
import sys
from importlib.resources import files
from types import NoneType
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

import sksoftmax
from sksoftmax import LossCurveDisplay, SoftmaxMLPClassifier, loss
from sksoftmax.onnx import to_onnx
from sksoftmax.parameters import PARAMETER_CONSTRAINTS
from sksoftmax.sklearn_private import StrOptions
from support.repository import ROOT

TYPES = get_type_hints(SoftmaxMLPClassifier.__init__)
MATHEMATICS = ("softmax", "log_softmax", "softmax_jacobian", "cross_entropy", "sigmoid", "log_sigmoid", "binary_cross_entropy")
PUBLIC = {f"loss.{name}": getattr(loss, name) for name in MATHEMATICS} | {"onnx.to_onnx": to_onnx}


for example in (LossCurveDisplay(loss_curve=[1.0]), SoftmaxMLPClassifier()):
    methods = inspect.getmembers(example, inspect.ismethod)
    ours = {name: method for name, method in methods if method.__module__.startswith("sksoftmax")}
    PUBLIC |= {f"{type(example).__name__}.{name}": ours[name] for name in ours if name == "__init__" or name[0] != "_"}


def mypy(*arguments):
    """What mypy says of files of this repository; it must find nothing."""
    pytest.importorskip("mypy", reason="mypy is not installed")
    cache = ".mypy_cache/strict" if "--strict" in arguments else ".mypy_cache/default"
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", cache, *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "MYPYPATH"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", timeout=600)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_mypy_agrees_with_the_package():
    mypy("--ignore-missing-imports", "sksoftmax")


def test_mypy_in_strict_mode_accepts_what_users_write_and_refuses_what_is_wrong():
    mypy("--strict", "--follow-imports=silent", "tests/ecosystem/typing_client.py")


def test_the_package_says_that_it_is_typed():
    assert files(sksoftmax).joinpath("py.typed").is_file()


def test_all_public_methods_are_looked_at():
    assert {
        f"SoftmaxMLPClassifier.{name}" for name in ("__init__", "fit", "partial_fit", "predict_proba", "from_sklearn")
    } <= set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_parameter_and_result_of_a_public_function_has_a_type(name):
    signature = inspect.signature(PUBLIC[name])
    types = {parameter.name: parameter.annotation for parameter in signature.parameters.values()}
    types["return"] = signature.return_annotation
    assert [name for name, annotation in types.items() if annotation is inspect.Signature.empty] == []


def names_in(annotation):
    """The strings of the literals in a type, however deep."""
    parts = get_args(annotation)
    strings = {part for part in parts if isinstance(part, str)}
    return strings if get_origin(annotation) is Literal else set().union(*map(names_in, parts))


@pytest.mark.parametrize("parameter", sorted(set(PARAMETER_CONSTRAINTS) - {"scoring"}))  # any scorer's name is a str
def test_a_literal_has_the_names_that_are_accepted(parameter):
    accepted = [constraint.options for constraint in PARAMETER_CONSTRAINTS[parameter] if isinstance(constraint, StrOptions)]
    assert names_in(TYPES[parameter]) == set().union(*accepted)


def test_a_type_includes_none_if_none_is_accepted():
    accepted = {name for name, kinds in PARAMETER_CONSTRAINTS.items() if any(kind in (None, "random_state") for kind in kinds)}
    assert {name for name in PARAMETER_CONSTRAINTS if NoneType in get_args(TYPES[name])} == accepted


@pytest.mark.parametrize("kind", [LossCurveDisplay, SoftmaxMLPClassifier])
def test_every_documented_attribute_has_a_type_and_every_typed_one_is_documented(kind):
    section = re.search(r"Attributes\n-+\n(.*?)\nSee Also\n", inspect.getdoc(kind), re.DOTALL)[1]
    assert set(re.findall(r"^(\w+_) : ", section, re.MULTILINE)) == set(kind.__annotations__)


def test_the_types_of_the_constructor_can_be_read_at_run_time():
    assert TYPES["max_fun"] is int
    assert set(TYPES) == {*PARAMETER_CONSTRAINTS, "return"}
