"""The architecture: which folder and which file may import which, and how long and wide functions are; also in the tests."""

import ast
import re
from collections import Counter
from graphlib import TopologicalSorter
from statistics import median

import pytest

from support.repository import TESTS, TREES

FOLDERS = {  # a folder, or a file outside the folders → the folders and files it may import
    "hints": set(),
    "version": set(),
    "layout": set(),
    "loss": set(),
    "sklearn_private": set(),
    "suggestions": {"hints"},
    "summary": set(),
    "nn": {"layout"},
    "data": {"layout", "loss", "sklearn_private"},
    "engines": {"data", "layout", "nn"},
    "model": {"boosted", "data", "engines", "nn", "radial"},
    "boosted": {"engines"},
    "radial": {"engines"},
    "parameters": {"data", "nn", "sklearn_private", "suggestions"},
    "training": {"boosted", "data", "engines", "hints", "layout", "model", "nn", "parameters", "radial", "sklearn_private"},
    "conversion": {"data", "layout", "model", "nn", "parameters", "training"},
    "saving": {"data", "hints", "nn", "version"},
    "classifier": {"conversion", "data", "hints", "parameters", "saving", "suggestions", "summary", "training"},
    "dask": {"classifier", "data", "engines", "nn", "parameters", "saving", "suggestions", "training"},
    "display": {"hints"},
    "environment": {"engines", "nn", "version"},
    "onnx": {"boosted", "classifier", "data", "layout", "nn", "radial"},
    "__init__": {"classifier", "display", "environment", "saving", "version"},
}
ORCHESTRATING = {"training.fitting.fit"}  # numbered stages, which read from top to bottom
FILES = {  # inside a folder: a file → the files beside it that it may import
    "engines": {
        "compiled_engine": set(),
        "numpy_engine": set(),
    },
    "nn": {
        "layers": set(),
        "ensemble_weights": set(),
        "network": {"layers"},
        "optimizers": set(),
        "schedules": set(),
        "threads": set(),
    },
    "data": {
        "blocks": set(),
        "class_weight": {"heads"},
        "column_descriptions": set(),
        "column_warnings": {"columns", "dates", "rows"},
        "columns": {"dates", "frames"},
        "dates": set(),
        "copies": {"rows", "statistics"},
        "frames": set(),
        "groups": {"columns"},
        "heads": set(),
        "inputs": {"columns", "dates", "frames", "groups"},
        "preprocessing": {"blocks", "relevance", "rows", "sparse_columns", "statistics"},
        "relevance": {"groups", "rows"},
        "rows": set(),
        "sparse_columns": {"blocks", "groups", "relevance", "rows", "statistics"},
        "statistics": {"rows"},
        "targets": {"heads"},
    },
    "dask": {
        "classifier": {"cluster", "partitions", "start"},
        "cluster": {"engine", "worker"},
        "engine": set(),
        "partitions": set(),
        "start": {"cluster", "partitions"},
        "worker": set(),
    },
    "display": {
        "loss_curve": {"shared"},
        "members": {"shared"},
        "relevance": {"shared"},
        "shared": set(),
    },
    "onnx": {
        "columns": {"graph"},
        "graph": set(),
        "network": set(),
        "companion": {"network"},
    },
    "training": {
        "callbacks": set(),
        "calibration": set(),
        "ensemble": {"calibration"},
        "divergence": set(),
        "attributes": set(),
        "continued": {"config", "ensemble", "fresh", "state"},
        "fitting": {"attributes", "callbacks", "config", "lbfgs", "progress", "run", "scoring", "steps"},
        "fresh": {"companion", "config", "ensemble", "progress", "state"},
        "lbfgs": {"divergence", "run"},
        "progress": set(),
        "boosted_fit": {"radial_fit"},
        "companion": {"boosted_fit", "radial_fit"},
        "radial_fit": set(),
        "config": {"ensemble"},
        "run": {"callbacks", "config", "ensemble", "progress", "stopping"},
        "scoring": set(),
        "steps": {"callbacks", "divergence", "run"},
        "state": {"progress"},
        "stopping": set(),
    },
}
WIDE = {"classifier.SoftmaxMLPClassifier.__init__"}  # may take more than eight arguments, and assigns each of them in a line


def imports_of(tree):
    """The modules of this package that a module imports, anywhere in it, as "nn.layers"; the package itself is "__init__"."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = ".".join(filter(None, ["sksoftmax" if node.level else "", node.module]))
            names |= {f"{module}.{alias.name}" for alias in node.names} | {module}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    found = {name.removeprefix("sksoftmax").removeprefix(".") for name in names if name.split(".")[0] == "sksoftmax"}
    modules = {name for name in found if name in TREES}
    return modules or ({"__init__"} if found else set())


def folder_of(module):
    return module.split(".")[0]


def functions(tree, prefix=""):
    """Every function with its qualified name, methods and nested functions included."""
    for node in ast.iter_child_nodes(tree):
        name = f"{prefix}{getattr(node, 'name', '')}"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield name, node
        yield from functions(node, f"{name}." if hasattr(node, "name") else prefix)


def body_length(function):
    """Lines from the first statement after the docstring to the last."""
    body = function.body[ast.get_docstring(function) is not None :]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def n_arguments(function):
    """Arguments, without self or cls."""
    arguments = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    return sum(argument.arg not in ("self", "cls") for argument in arguments)


FUNCTIONS = {f"{module}.{name}": node for module, tree in TREES.items() for name, node in functions(tree)}


def test_the_tables_have_every_folder_and_file_and_no_other():
    assert {folder_of(module) for module in TREES} == set(FOLDERS)
    inside = {module for module in TREES if "." in module and not module.endswith("__init__")}
    assert inside == {f"{folder}.{file}" for folder, files in FILES.items() for file in files}


@pytest.mark.parametrize("module", sorted(TREES))
def test_a_module_imports_only_what_its_folder_may(module):
    folder = folder_of(module)
    assert {folder_of(name) for name in imports_of(TREES[module])} - {folder} <= FOLDERS[folder]


def test_private_modules_of_scikit_learn_are_imported_in_one_module():
    private = {module for module, tree in TREES.items() if re.search(r"from sklearn[.\w]*(\._| import _)", ast.unparse(tree))}
    assert private == {"sklearn_private"}


@pytest.mark.parametrize("folder", FILES)
def test_a_file_imports_only_the_files_beside_it_that_it_may(folder):
    for file, allowed in FILES[folder].items():
        beside = {name.split(".")[1] for name in imports_of(TREES[f"{folder}.{file}"]) if folder_of(name) == folder}
        assert beside <= allowed, file


def test_no_modules_import_each_other_in_a_circle():
    TopologicalSorter({module: imports_of(tree) for module, tree in TREES.items()}).prepare()  # raises CycleError


def test_functions_are_short():
    lengths = {name: body_length(node) for name, node in FUNCTIONS.items()}
    assert median(lengths.values()) <= 8
    assert {name: n for name, n in lengths.items() if n > (80 if name in ORCHESTRATING else 40) and name not in WIDE} == {}


def test_n_members_is_never_None():
    conditions = ("n_members is None", "n_members is not None", "n_members or 1")
    assert [module for module, tree in TREES.items() if any(c in ast.unparse(tree) for c in conditions)] == []


def test_only_the_estimators_constructor_takes_more_than_eight_arguments():
    assert {name for name, node in FUNCTIONS.items() if n_arguments(node) > 8} <= WIDE


# The tests

TEST_MODULES = {path.stem: path.read_text("utf-8") for path in sorted(TESTS.rglob("test_*.py"))}


@pytest.mark.parametrize("module", TEST_MODULES)
def test_a_test_module_imports_no_other_test_module(module):
    """This includes code in strings that it runs in another process; helpers belong to `tests/support`."""
    imports = re.findall(r"^ *(?:from|import) (.*)$", TEST_MODULES[module], re.MULTILINE)
    assert {name for line in imports for name in re.findall(r"\w+", line) if name in TEST_MODULES} == set()


def test_no_helper_is_defined_in_two_test_modules():
    """Equal helpers belong to `tests/support`; different ones get different names."""
    helpers = Counter(
        node.name
        for source in TEST_MODULES.values()
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("test_")
    )
    assert [name for name, n_modules in helpers.items() if n_modules > 1] == []


def test_the_map_names_every_test_module_and_no_other():
    named = re.findall(r"`(?:\w+/)?(test_\w+)\.py`", TESTS.joinpath("README.md").read_text("utf-8"))
    assert set(named) == set(TEST_MODULES)
