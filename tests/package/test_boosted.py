"""`BoostedTrees`: what trees in arrays answer, with and without the compiled extension."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import HistGradientBoostingClassifier

from sksoftmax import boosted
from sksoftmax.data.heads import BinaryHead, SoftmaxHead
from sksoftmax.engines import compiled_engine
from sksoftmax.training.boosted_fit import mean_of, trees_of

rng = np.random.RandomState(0)
X = rng.normal(size=(300, 6)).astype(np.float32)
y = (X[:, 2] > 0).astype(int) + (X[:, 4] > 1)
HEADS = {
    "three classes": SoftmaxHead(np.arange(3)),
    "two classes": BinaryHead(np.arange(2)),
    "softmax": SoftmaxHead(np.arange(2)),
}


def model_and_trees(head, seed=0, dtype=np.float32):
    """scikit-learn's model on the columns from 1 on, and its trees as arrays."""
    labels = np.minimum(y, len(head.classes) - 1)
    model = HistGradientBoostingClassifier(max_iter=5, max_features=0.5, random_state=seed).fit(X[:, 1:], labels)
    return model, trees_of(model, 1, head, np.dtype(dtype))


@pytest.fixture(params=["compiled", "numpy"])
def compiled_or_numpy(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(compiled_engine, "_kernels", None)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", HEADS)
def test_trees_answer_as_scikit_learns_model_does(compiled_or_numpy, name, dtype):
    head = HEADS[name]
    model, trees = model_and_trees(head, dtype=dtype)
    logits = trees.logits(X.astype(dtype), head)
    assert logits.dtype == dtype
    assert_allclose(head.probabilities(logits), model.predict_proba(X[:, 1:]), rtol=2e-5 if dtype == np.float32 else 1e-12)


def test_rows_on_a_threshold_go_where_scikit_learn_sends_them(compiled_or_numpy):
    """A threshold between two numbers that are neighbors in float32 must not be rounded to the larger one."""
    low = np.float32(1)
    column = np.where(np.arange(100) % 2, low, np.nextafter(low, np.float32(2)))[:, None]
    model = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=5).fit(column, np.arange(100) % 2)
    trees = trees_of(model, 0, BinaryHead(np.arange(2)), np.dtype(np.float32))
    found = trees.logits(column, BinaryHead(np.arange(2)))[:, 0]
    assert_allclose(found, model.decision_function(column), rtol=1e-5)


def test_many_rows_are_answered_as_few(compiled_or_numpy, monkeypatch):
    head = HEADS["three classes"]
    _, trees = model_and_trees(head)
    at_once = trees.logits(X, head)
    monkeypatch.setattr(boosted, "ROWS", 7)
    assert_array_equal(trees.logits(X, head), at_once)
    assert_array_equal(trees.logits(X[5:6], head)[0], at_once[5])


@pytest.mark.parametrize("name", HEADS)
def test_the_mean_of_trees_answers_with_the_mean(name):
    head = HEADS[name]
    parts = [model_and_trees(head, seed)[1] for seed in (0, 1)]
    expected = np.mean([part.logits(X, head) for part in parts], axis=0)
    assert_allclose(mean_of(parts).logits(X, head), expected, atol=1e-5)


def with_wrong_number(trees, name, value):
    """The trees with a wrong number in this part."""
    trees = copy.deepcopy(trees)
    part = trees.nodes.get(name, getattr(trees, name, None))
    part[0] = value
    return trees


@pytest.mark.parametrize(
    "name, value", [("feature", 5), ("left", 0), ("right", 10**6), ("roots", -1), ("outputs", 3), ("outputs", -1)]
)
def test_damaged_trees_are_refused(name, value):
    trees = model_and_trees(HEADS["three classes"])[1]
    trees.check(6, 3)
    with pytest.raises(ValueError, match="boosted trees do not fit"):
        with_wrong_number(trees, name, value).check(6, 3)


@pytest.mark.parametrize("n_columns, n_outputs", [(5, 3), (6, 2), (6, 4)])
def test_trees_of_other_columns_or_outputs_are_refused(n_columns, n_outputs):
    trees = model_and_trees(HEADS["three classes"])[1]
    with pytest.raises(ValueError, match="boosted trees do not fit"):
        trees.check(n_columns, n_outputs)
