"""Weights of classes as factors of the weights of rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksoftmax.data.class_weight import class_factors, weighted
from sksoftmax.data.rows import Samples
from sksoftmax.data.targets import Targets

X = np.arange(6.0)[:, None]
LABELS = np.array(["b", "a", "c", "a", "a", "b"])
INDICATORS = np.array([[1, 0], [0, 0], [1, 0], [0, 0], [1, 1], [1, 0]])
SOFT = np.array([[2.0, 5, 3], [1, 1, 8], [4, 4, 2], [1, 9, 0], [3, 3, 4], [5, 4, 1]]) / 10
TO_PAIR = np.array([[1, 0], [0, 1], [0, 1]])
WEIGHTS = np.array([3.0, 1, 2, 0, 1, 1])


def targets_and_samples(y, weights=None):
    targets = Targets.from_y(y, "auto")
    return targets, Samples(X, targets.encode(y, np.float64), weights, rows=np.arange(6))


@pytest.mark.parametrize(
    "y, members",
    [
        (LABELS, [label == LABELS for label in "abc"]),
        (LABELS == "a", [LABELS != "a", LABELS == "a"]),
        (SOFT, SOFT.T),
        (SOFT @ TO_PAIR, (SOFT @ TO_PAIR).T),
        (INDICATORS, [[1 - column, column] for column in INDICATORS.T]),
    ],
    ids=["classes", "two classes", "soft", "soft pair", "multilabel"],
)
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_balanced_factors_are_n_by_k_n_k_of_the_weights_of_all_rows(y, members, weights):
    w = np.ones(6) if weights is None else weights
    totals = np.asarray(members, dtype=float) @ w
    assert_allclose(class_factors("balanced", *targets_and_samples(y, weights)), w.sum() / (totals.shape[-1] * totals))


def test_a_balanced_class_without_weight_has_the_factor_0():
    found = class_factors("balanced", *targets_and_samples(LABELS, (LABELS != "c").astype(float)))
    assert_allclose(found, [5 / 9, 5 / 6, 0])


@pytest.mark.parametrize(
    "y, class_weight, factors",
    [
        (LABELS, {"c": 0.25, "a": 2}, [2, 1, 0.25]),
        (LABELS, {"a": 2, "b": 3, "c": 4, "d": 9}, [2, 3, 4]),  # as in a fold without d
        (INDICATORS, [{1: 3.0}, {}], [[1, 3], [1, 1]]),
        (LABELS, None, None),
    ],
    ids=["some classes", "more classes", "multilabel", "None"],
)
def test_a_dict_gives_each_class_its_weight_and_1_to_a_class_that_it_lacks(y, class_weight, factors):
    assert_array_equal(class_factors(class_weight, *targets_and_samples(y)), factors)


@pytest.mark.parametrize(
    ("y", "class_weight", "message"),
    [
        (LABELS, {"a": 1, "z": 2, "y": 3}, r"class_weight has classes that are not in y, \['z', 'y'\], and lacks .*\['b', 'c'\]"),
        (LABELS, {"b": -1}, "class_weight must be finite and non-negative; got -1 for class 'b'"),
        (LABELS == "a", {False: 1, True: 1, 5: -1}, "class_weight must be finite and non-negative; got -1 for class 5"),
        (LABELS, {"b": np.nan}, "class_weight must be finite and non-negative; got nan for class 'b'"),
        (LABELS, {"b": np.inf}, "class_weight must be finite and non-negative; got inf for class 'b'"),
        (LABELS, {"b": "much"}, "class_weight must be finite and non-negative; got 'much' for class 'b'"),
        (LABELS, [{0: 1}], "class_weight must be a dict {class: weight} or 'balanced' for classes that exclude each other"),
        (INDICATORS, {0: 1}, "a list with a dict .* for each label or 'balanced' for multilabel targets; got {0: 1}"),
        (INDICATORS, [{0: 1}], "class_weight must have a dict for each of the 2 labels; got 1"),
        (INDICATORS, [{0: 1}, {2: 1}], r"class_weight has classes that are not in y, \[2\], and lacks .* y, \[0, 1\]"),
        (INDICATORS, [{0: 1}, 3], "class_weight must have dicts {class: weight}; got 3"),
    ],
)
def test_a_wrong_class_weight_is_refused_by_name(y, class_weight, message):
    with pytest.raises(ValueError, match=message):
        class_factors(class_weight, *targets_and_samples(y))


def test_the_factors_multiply_the_weights_of_rows_and_rows_of_a_class_of_weight_0_are_left_out():
    targets, samples = targets_and_samples(LABELS, WEIGHTS)
    found = weighted(samples, np.array([2.0, 0.0, 0.25]), targets.head, np.float32)
    assert_array_equal(found.rows, [1, 2, 4])  # the fourth has the weight 0
    assert_array_equal(found.weights, [2, 0.5, 2])
    with pytest.raises(ValueError, match="class_weight gives every row the weight 0"):
        weighted(samples, np.zeros(3), targets.head, np.float32)
    alone = weighted(targets_and_samples(LABELS)[1], np.array([2.0, 0.5, 0.25]), targets.head, np.float32)
    assert alone.weights.dtype == np.float32
