"""The forms of `hidden_layer_sizes` and `activation`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksoftmax import SoftmaxMLPClassifier
from support.data import MULTICLASS, X
from support.estimators import planned
from support.marks import SOLVERS, UNCONVERGED
from support.weights import pickled


def test_hidden_layer_sizes_may_be_an_integer_an_empty_list_or_an_array():
    for sizes, shapes in [(5, [(4, 5), (5, 3)]), ([], [(4, 3)]), (np.array([3, 2]), [(4, 3), (3, 2), (2, 3)])]:
        assert [W.shape for W in planned(hidden_layer_sizes=sizes).fit(X, MULTICLASS).coefs_] == shapes


@pytest.mark.filterwarnings(UNCONVERGED)
@SOLVERS
@pytest.mark.parametrize("form", [list, tuple, np.array])
def test_a_list_of_activations_sets_the_activation_of_each_layer(solver, form):
    clf = planned(hidden_layer_sizes=(6, 5), activation=form(["tanh", "relu"]), solver=solver).fit(X, MULTICLASS)
    (A, B, C), (a, b, c) = clf.coefs_, clf.intercepts_
    logits = np.maximum(np.tanh(X @ A + a) @ B + b, 0) @ C + c
    assert_allclose(clf.decision_function(X), logits, rtol=1e-10)
    assert_allclose(pickled(clf).decision_function(X), logits, rtol=1e-10)


@pytest.mark.parametrize("sizes", [10**12, (10**9, 10**9), 10**30, "1000000000000", (5,) * 2 + (10**14,)], ids=str)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_hidden_layer_sizes_beyond_memory_are_named(method, sizes):
    clf = SoftmaxMLPClassifier(sizes, n_members=1)
    with pytest.raises(ValueError, match=r"hidden_layer_sizes=.* does not fit in memory"):
        getattr(clf, method)(X, MULTICLASS, **({"classes": [0, 1, 2]} if method == "partial_fit" else {}))
