"""The cut of the package: which module may import which, and how long and wide its functions are."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

import sksoftmax

MAY_IMPORT = {
    "hints": set(),
    "loss": set(),
    "layers": set(),
    "optimizers": set(),
    "schedules": set(),
    "inputs": {"columns"},
    "callbacks": {"hints"},
    "columns": set(),
    "preprocessing": {"layers", "rows"},
    "progress": set(),
    "relevance": {"rows"},
    "rows": set(),
    "scoring": set(),
    "threads": set(),
    "network": {"layers", "rows"},
    "heads": {"loss"},
    "targets": {"heads"},
    "class_weight": {"heads"},
    "committee": {"rows"},
    "recipe": {"committee", "network", "parameters"},
    "training": {"committee", "network", "optimizers", "progress", "rows", "schedules", "threads"},
    "parameters": {"layers", "schedules"},
    "prediction": {"hints", "inputs", "network", "version"},
    "conversion": {"heads", "network", "optimizers", "parameters", "progress", "targets"},
    "fitting": {"callbacks", "class_weight", "columns", "committee", "inputs", "optimizers", "parameters", "preprocessing"}
    | {"progress", "recipe", "relevance", "rows", "scoring", "targets", "training"},
    "classifier": {"callbacks", "columns", "committee", "conversion", "fitting", "hints", "inputs", "parameters"}
    | {"prediction", "preprocessing", "recipe", "targets"},
    "onnx": {"classifier", "heads", "layers", "preprocessing"},
    "display": {"hints"},
    "version": set(),
    "__init__": {"classifier", "display", "version"},
}
WIDE = {"SoftmaxMLPClassifier.__init__"}  # may take more than eight arguments

TREES = {path.stem: ast.parse(path.read_text("utf-8")) for path in Path(sksoftmax.__file__).parent.glob("*.py")}


def imports_of(tree):
    """The modules of this package that a module imports, anywhere in it; the package itself counts as __init__."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = "sksoftmax" + (f".{node.module}" if node.module else "") if node.level else node.module
            names |= {f"{module}.{alias.name}" for alias in node.names} if module == "sksoftmax" else {module}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    parts = [name.split(".") for name in names]
    ours = {part[1] if len(part) > 1 else "__init__" for part in parts if part[0] == "sksoftmax"}
    return {name if name in TREES else "__init__" for name in ours}


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


def test_the_table_has_every_module_and_no_other():
    assert set(TREES) == set(MAY_IMPORT)


@pytest.mark.parametrize("module", sorted(TREES))
def test_a_module_imports_only_what_the_table_allows(module):
    assert imports_of(TREES[module]) <= MAY_IMPORT.get(module, set())


def test_no_modules_import_each_other_in_a_circle():
    TopologicalSorter({module: imports_of(tree) for module, tree in TREES.items()}).prepare()  # raises CycleError


def test_the_import_of_a_module_is_found_in_each_of_its_spellings():
    for source in ("from sksoftmax.loss import x", "from sksoftmax import loss", "import sksoftmax.loss", "from .loss import x"):
        assert imports_of(ast.parse(source)) == {"loss"}
    assert imports_of(ast.parse("from sksoftmax import __version__")) == {"__init__"}
    assert imports_of(ast.parse("import sksoftmax")) == {"__init__"}


def test_functions_are_short():
    lengths = {name: body_length(node) for name, node in FUNCTIONS.items()}
    assert median(lengths.values()) <= 8
    assert {name: length for name, length in lengths.items() if length > 50} == {}


def test_only_the_estimators_constructor_takes_more_than_eight_arguments():
    wide = {name.partition(".")[2]: n_arguments(node) for name, node in FUNCTIONS.items() if n_arguments(node) > 8}
    assert set(wide) <= WIDE, wide
