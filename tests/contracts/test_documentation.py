"""The docstrings: complete for numpydoc, with every default, their examples run, and their tables agree with the code."""

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import sksoftmax
from sksoftmax import SoftmaxMLPClassifier, parameters
from sksoftmax.training import config

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


def table_after(text):
    """The rows of the first table after this text in the class docstring, as lists of cells; a row without label continues."""
    lines = inspect.getdoc(SoftmaxMLPClassifier).partition(text)[2].splitlines()
    rules = [i for i, line in enumerate(lines) if line and set(line) <= {"=", " "}]
    starts = [match.start() for match in re.finditer("=+", lines[rules[0]])]
    end = next(i for i in rules if not lines[i + 1].strip() and i > rules[0])
    rows = []
    for line in lines[rules[0] + 1 : end]:
        cells = [line[start:stop].strip() for start, stop in zip(starts, [*starts[1:], None])]
        if cells[0]:
            rows.append(cells)
        elif set(line) - {"=", " "}:
            rows[-1] = [f"{cell} {more}".strip() for cell, more in zip(rows[-1], cells)]
    return [row for row in rows if set(row[0]) != {"="}]


GROUPS = {label: names.split(", ") for label, names in table_after("in the order in which most users need them")}


def test_every_parameter_is_in_one_of_seven_groups():
    listed = [name for names in GROUPS.values() for name in names]
    assert len(GROUPS) == 7
    assert sorted(listed) == sorted(SoftmaxMLPClassifier().get_params())
    assert len(listed) == len(set(listed))


def test_the_groups_are_those_of_the_constraints():
    """`sksoftmax/parameters.py` has the same groups in the same order, each under a comment."""
    source = inspect.getsource(parameters).partition("PARAMETER_CONSTRAINTS = {")[2].partition("\n}")[0]
    groups = {}
    for heading, name in re.findall(r"^    (?:# (.+)|\"(\w+)\": .*)$", source, re.MULTILINE):
        if heading:
            groups[heading] = []
        else:
            list(groups.values())[-1].append(name)
    assert list(groups.items()) == [(label.lower(), names) for label, names in GROUPS.items()]
    assert [name for names in groups.values() for name in names] == list(parameters.PARAMETER_CONSTRAINTS)


AUTO = {label: cells for label, *cells in table_after("What 'auto' means")}


def resolved_config(n_rows, **params):
    """What training on this many rows uses."""
    return config.TrainingConfig.resolve({**SoftmaxMLPClassifier(**params).get_params(), **params}, n_rows)


def numbers(*cells):
    """The numbers in each of these cells, in their order."""
    return [[float(number) for number in re.findall(r"\d+(?:\.\d+)?", cell)] for cell in cells]


ONE = {"n_members": 1}
MEMBERS = [resolved_config(n_rows).n_members for n_rows in (config.NO_DROPOUT_BELOW_ROWS, config.EIGHT_MEMBERS_BELOW_ROWS)]
SMALLEST_BATCH = resolved_config(10**6, parametrization="standard").batch_size
LBFGS = resolved_config(config.FULL_STRENGTH_UP_TO_ROWS, solver="lbfgs")
BATCHES = [config.BATCH_SIZE, 2 * config.BATCH_SIZE, config.DOUBLE_BATCH_FROM_ROWS]
DROPOUT, WEIGHT_DECAY = config.DROPOUT, config.WEIGHT_DECAY
IN_THE_CODE = {  # by row of the table: the numbers for an ensemble, and those for one network
    "n_members": ([MEMBERS[0], config.NO_DROPOUT_BELOW_ROWS, config.EIGHT_MEMBERS_BELOW_ROWS, MEMBERS[1]], [1]),
    "n_members, sparse X": ([config.MAX_SPARSE_WEIGHTS], []),
    "batch_size": (BATCHES, BATCHES),
    f"batch_size, n < {config.NO_DROPOUT_BELOW_ROWS}": ([SMALLEST_BATCH], [SMALLEST_BATCH]),
    "max_iter": ([config.EPOCHS], [config.EPOCHS_OF_ONE, LBFGS.max_iter]),
    "batch_size, small classes": ([config.BATCH_SIZE_OF_SMALL],) * 2,
    "max_iter, small classes": ([config.EPOCHS_OF_SMALL],) * 2,
    "steps in all": ([config.MIN_STEPS, config.MAX_STEPS],) * 2,
    "dropout": (
        [DROPOUT["light"], DROPOUT["strong"], DROPOUT["strong_binned"]],
        [config.DROPOUT_OF_ONE, LBFGS.dropout.max()],
    ),
    f"dropout, n < {config.NO_DROPOUT_BELOW_ROWS}": (
        [resolved_config(config.NO_DROPOUT_BELOW_ROWS - 1).dropout.max()],
        [resolved_config(config.NO_DROPOUT_BELOW_ROWS - 1, **ONE).dropout.max()],
    ),
    "weight_decay": (
        [WEIGHT_DECAY["light"], WEIGHT_DECAY["strong"]],
        [config.WEIGHT_DECAY_OF_ONE, LBFGS.weight_decay.max()],
    ),
    f"factor if n > {config.FULL_STRENGTH_UP_TO_ROWS}": ([config.FULL_STRENGTH_UP_TO_ROWS],) * 2,
    f"fold phase, n ≥ {config.ALL_FOLD_EPOCHS_BELOW_ROWS}": ([config.FOLD_SHARE],) * 2,
    f"fold phase, n ≥ {config.DOUBLE_BATCH_FROM_ROWS}": ([config.FOLD_SHARE_OF_LARGE],) * 2,
}


def test_the_table_of_auto_has_a_row_for_each_parameter_that_may_be_auto():
    """'auto' of `early_stopping`, `dtype`, `out_activation`, `relevance` and `target_type` is described with these parameters."""
    chosen = {
        name for name, default in SoftmaxMLPClassifier().get_params().items() if isinstance(default, str) and default == "auto"
    }
    elsewhere = {"dtype", "out_activation", "relevance", "target_type"}
    assert chosen - elsewhere == {label for label in AUTO if label in chosen}


@pytest.mark.parametrize("label", IN_THE_CODE)
def test_the_table_of_auto_agrees_with_the_recipe(label):
    assert numbers(*AUTO[label]) == [list(map(float, cell)) for cell in IN_THE_CODE[label]]


def test_the_table_of_auto_has_no_row_that_is_not_compared():
    assert set(AUTO) - {"Parameter"} == set(IN_THE_CODE)


@pytest.mark.parametrize(
    "n_rows",
    [
        config.NO_DROPOUT_BELOW_ROWS - 1,
        config.NO_DROPOUT_BELOW_ROWS,
        config.EIGHT_MEMBERS_BELOW_ROWS - 1,
        config.EIGHT_MEMBERS_BELOW_ROWS,
        config.DOUBLE_BATCH_FROM_ROWS - 1,
        config.DOUBLE_BATCH_FROM_ROWS,
    ],
)
def test_the_recipe_follows_the_bounds_of_the_table_of_auto(n_rows):
    chosen = resolved_config(n_rows)
    assert chosen.n_members == (8 if 50 <= n_rows < 1500 else 4)
    assert chosen.batch_size == (min(200, n_rows) if n_rows < 100 else 128 if n_rows >= 10_000 else 64)
