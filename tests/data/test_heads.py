"""Heads: strata, by which splits are stratified."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksoftmax.data.heads import BinaryHead, MultilabelHead, SoftmaxHead


@pytest.mark.parametrize(
    "head, targets, strata",
    [
        (SoftmaxHead(np.arange(3)), np.array([2, 0, 1]), [2, 0, 1]),
        (SoftmaxHead(np.arange(3)), np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]]), [2, 0]),
        (BinaryHead(np.arange(2)), np.array([[0.0], [1.0], [0.6], [0.4]]), [0, 1, 1, 0]),
        (MultilabelHead(np.arange(3)), np.array([[1.0, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]]), [0, 1, 2, 3]),
    ],
    ids=["labels", "soft labels", "two classes", "multilabel"],
)
def test_strata_are_classes_or_the_most_probable_class_or_the_rarest_label(head, targets, strata):
    assert_array_equal(head.strata(targets), strata)
