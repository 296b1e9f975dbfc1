"""scikit-learn's own tests of MLPClassifier, read from the installed wheel at run time and run on our class."""

import ast
from pathlib import Path

import pytest
import sklearn.neural_network
from sklearn.neural_network import MLPRegressor
from sklearn.utils.fixes import parse_version

SKLEARN = parse_version(sklearn.__version__)
SOURCE = Path(sklearn.neural_network.__file__).parent / "tests" / "test_mlp.py"
THEIR_IMPORT = "from sklearn.neural_network import MLPClassifier, MLPRegressor"
OUR_IMPORT = "from sklearn.neural_network import MLPRegressor; from support.estimators import plain as MLPClassifier"
EXCEPTIONS = {
    "test_gradient": "calls MLPClassifier's private method _loss_grad_lbfgs; ours are checked in tests/nn/test_network.py",
    "test_mlp_partial_fit_after_fit": "demands that partial_fit refuse early_stopping=True",
    "test_early_stopping_stratified": "since 1.8 demands that the label be printed as the boolean it was encoded as",
}
pytestmark = pytest.mark.filterwarnings("ignore")


def involves_the_classifier(node, source):
    if not (isinstance(node, ast.FunctionDef) and node.name.startswith("test_")):
        return True
    return any("MLPClassifier" in ast.get_source_segment(source, part) for part in [node, *node.decorator_list])


def load_tests():
    source = SOURCE.read_text()
    assert source.count(THEIR_IMPORT) == 1
    source = source.replace(THEIR_IMPORT, OUR_IMPORT)
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if involves_the_classifier(node, source)]
    namespace = {"__name__": __name__}
    exec(compile(tree, str(SOURCE), "exec"), namespace)
    return {name: value for name, value in namespace.items() if name.startswith("test_")}


def without_regressors(test):
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "parametrize" and MLPRegressor in mark.args[1]:
            mark.args[1].remove(MLPRegressor)
    return test


def with_exception(name, test):
    if name not in EXCEPTIONS or (name == "test_early_stopping_stratified" and parse_version("1.8") > SKLEARN):
        return test
    return pytest.mark.xfail(reason=EXCEPTIONS[name], strict=True)(test)


@pytest.fixture
def global_random_seed():
    return 42


TESTS = load_tests()
globals().update({name: with_exception(name, without_regressors(test)) for name, test in TESTS.items()})


def test_all_tests_of_the_classifier_are_here():
    assert len(TESTS) >= 28
    assert set(EXCEPTIONS) <= set(TESTS)
