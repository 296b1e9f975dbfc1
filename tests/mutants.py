"""Mutation testing: change the code in one place at a time and see whether the tests notice.

    python tests/mutants.py loss tests/nn/test_loss.py
    python tests/mutants.py training/run --sample 150 tests/training/test_run.py tests/contracts/test_trajectory.py

runs the given tests, up to the first failure, on each mutant of sksoftmax/MODULE.py. Each mutant runs in a fork of a process that
has imported NumPy, scikit-learn and pytest. No file is written: the fork compiles the mutant in place of the module. --only 3,14
repeats mutants 3 and 14, --list shows all; other options for pytest are written with an equals sign, as in --deselect=TEST.
Docstrings, annotations, decorators, imports, f-strings and the texts of errors and warnings are not mutated. Windows has no fork.
"""

import argparse
import ast
import os
import random
import sys
import time
from copy import copy
from importlib.machinery import SourceFileLoader
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOT_VISITED = {"annotation", "returns", "decorator_list"}
MESSAGES = {"warnings.warn", "diverged_message", "self.report.message"}
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.FloorDiv: ast.Div}
COMPARISONS = {
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}


def changed(node, **fields):
    """A shallow copy with other fields."""
    new = copy(node)
    vars(new).update(fields)
    return new


def without(items, i):
    return [*items[:i], *items[i + 1 :]]


def variants(node, in_message):
    """What may stand in this node's place."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in OPERATORS:
        yield changed(node, op=OPERATORS[type(node.op)]())
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for other in COMPARISONS[type(op)]:
                yield changed(node, ops=[*node.ops[:i], other(), *node.ops[i + 1 :]])
    if isinstance(node, ast.BoolOp):
        yield changed(node, op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand
    if isinstance(node, ast.If | ast.IfExp | ast.While) and not isinstance(node.test, ast.Compare):
        yield changed(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.comprehension):
        yield from (changed(node, ifs=without(node.ifs, i)) for i in range(len(node.ifs)))
    if isinstance(node, ast.Constant) and not in_message:
        yield from (ast.Constant(value) for value in other_values(node.value))
    if isinstance(node, ast.Return) and node.value is not None and not is_none(node.value):
        yield ast.Return(ast.Constant(None))
    if isinstance(node, ast.Lambda):
        yield changed(node, body=ast.Constant(None))
    if isinstance(node, ast.Call) and not in_message:
        yield from (changed(node, keywords=without(node.keywords, i)) for i in range(len(node.keywords)))
        if len(node.args) > 1:
            yield from (changed(node, args=without(node.args, i)) for i in range(len(node.args)))
    if is_statement_with_effect(node):
        yield ast.Pass()
    if isinstance(node, ast.Break | ast.Continue):
        yield ast.Continue() if isinstance(node, ast.Break) else ast.Break()


def other_values(value):
    """Another constant of the same type; none for None and the Ellipsis."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1]
    if isinstance(value, float):
        return [2 * value or 1.0]
    return ["XX" + value] if isinstance(value, str) else []


def is_none(node):
    return isinstance(node, ast.Constant) and node.value is None


def is_statement_with_effect(node):
    """A call, an augmented assignment, a raise, or an assignment to an attribute or an item."""
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], ast.Attribute | ast.Subscript)
    return isinstance(node, ast.AugAssign | ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))


def mutants(node, in_message=False):
    """(container, key, old, new) for each mutant below this node; container[key] = new makes it."""
    if isinstance(node, ast.JoinedStr):
        return
    for field, value in ast.iter_fields(node):
        container, keys = (value, range(len(value))) if isinstance(value, list) else (vars(node), [field])
        for key in [] if field in NOT_VISITED else keys:
            child = container[key]
            if not isinstance(child, ast.AST) or isinstance(child, ast.Import | ast.ImportFrom) or is_docstring(child):
                continue
            message = in_message or is_message(child)
            yield from ((container, key, child, new) for new in variants(child, message))
            yield from mutants(child, message)


def is_message(node):
    return isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and ast.unparse(node.func) in MESSAGES)


def is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def survives(tree, path, tests, limit):
    """Whether the tests pass with this tree in place of the module's; a time limit counts as a failure."""
    code = None if tree is None else compile(ast.fix_missing_locations(tree), path, "exec")
    pid = os.fork()
    if pid == 0:
        os._exit(run_tests(code, str(path), tests))
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.02)
    os.killpg(pid, 9)
    os.waitpid(pid, 0)
    return False


def run_tests(code, path, tests):
    """In the fork: pytest's exit code with this code for the module at this path, silently."""
    import pytest

    os.setsid()
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    get_code = SourceFileLoader.get_code
    SourceFileLoader.get_code = lambda self, name: code if code and self.path == path else get_code(self, name)
    try:
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        return int(pytest.main([*options, *tests]))
    except BaseException:
        return 3


def import_what_tests_need():
    """All but the package itself, so that a fork need not."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    import hypothesis  # noqa: F401
    import pandas  # noqa: F401
    import scipy.stats  # noqa: F401
    import sklearn.utils.estimator_checks  # noqa: F401


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module")
    parser.add_argument("tests", nargs="*")
    parser.add_argument("--sample", type=int, help="number of mutants to draw, with a fixed seed")
    parser.add_argument("--only", help="numbers of mutants, with commas")
    parser.add_argument("--limit", type=float, default=30, help="seconds for the tests of a mutant")
    parser.add_argument("--list", action="store_true")
    args, options = parser.parse_known_args()
    args.tests += options
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    path = ROOT / "sksoftmax" / f"{args.module}.py"
    tree = ast.parse(path.read_text("utf-8"))
    found = list(mutants(tree))
    chosen = range(len(found))
    if args.sample and args.sample < len(found):
        chosen = sorted(random.Random(0).sample(chosen, args.sample))
    if args.only:
        chosen = [int(number) for number in args.only.split(",")]
    import_what_tests_need()
    if not args.list and not survives(None, path, args.tests, 600):
        sys.exit("The tests fail on the unchanged module.")
    survivors = 0
    for number in chosen:
        container, key, old, new = found[number]
        line = f"{number} line {old.lineno if hasattr(old, 'lineno') else '?'}: {ast.unparse(old)}  ->  {ast.unparse(new)}"
        container[key] = new
        survived = not args.list and survives(tree, path, args.tests, args.limit)
        container[key] = old
        survivors += survived
        if args.list or survived:
            print(line.replace("\n", " ")[:200], flush=True)
    if not args.list:
        print(f"{args.module}: {len(chosen)} of {len(found)} mutants, {len(chosen) - survivors} killed, {survivors} survived")


if __name__ == "__main__":
    main()
