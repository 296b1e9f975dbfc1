"""`coefs_` and `intercepts_` as views of one vector, copied, and set by hand."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from support.data import ARRAYS, MULTICLASS, X
from support.estimators import planned
from support.weights import by_hand, flat_vector, pickled


@pytest.mark.parametrize("copied", [lambda clf: clf, pickled, copy.deepcopy], ids=["fitted", "pickled", "deep-copied"])
def test_weights_are_views_of_one_flat_vector(copied):
    clf = copied(planned().fit(X, MULTICLASS))
    flat_vector(clf)[...] = 0
    assert_allclose(clf.predict_proba(X), 1 / 3)


@pytest.mark.parametrize("copied", [pickled, copy.deepcopy])
@pytest.mark.parametrize("target", ARRAYS)
def test_a_copy_predicts_the_same_and_is_independent(target, copied):
    clf = planned().fit(X, ARRAYS[target])
    probabilities = clf.predict_proba(X)
    other = copied(clf)
    assert_array_equal(other.predict_proba(X), probabilities)
    other.partial_fit(X, ARRAYS[target])
    assert_array_equal(clf.predict_proba(X), probabilities)


@by_hand
def test_weights_set_by_hand_predict(set_weights):
    clf = planned().fit(X, MULTICLASS)
    set_weights(clf)
    assert_allclose(clf.predict_proba(X), np.tile([0.7, 0.2, 0.1], (60, 1)))


@by_hand
def test_weights_set_by_hand_survive_a_pickle(set_weights):
    clf = planned().fit(X, MULTICLASS)
    set_weights(clf)
    assert_allclose(pickled(clf).predict_proba(X), np.tile([0.7, 0.2, 0.1], (60, 1)))


@by_hand
def test_partial_fit_continues_from_weights_set_by_hand(set_weights):
    clf = planned(learning_rate_init=1e-9).partial_fit(X, MULTICLASS, classes=range(3))
    set_weights(clf)
    clf.partial_fit(X, MULTICLASS)
    assert_allclose(clf.predict_proba(X), np.tile([0.7, 0.2, 0.1], (60, 1)), rtol=1e-6)
    assert not np.array_equal(clf.coefs_[1], np.zeros((5, 3)))


def test_weights_set_by_hand_do_not_change_under_training():
    mine = np.zeros((5, 3))
    clf = planned().fit(X, MULTICLASS)
    clf.coefs_[1] = mine
    clf.partial_fit(X, MULTICLASS)
    assert not mine.any()


def test_a_wider_layer_set_by_hand_predicts_and_trains():
    clf = planned().fit(X, MULTICLASS)
    clf.coefs_, clf.intercepts_ = [np.ones((4, 8)), np.ones((8, 3))], [np.zeros(8), np.zeros(3)]
    assert_allclose(clf.predict_proba(X), 1 / 3)
    assert clf.set_params(hidden_layer_sizes=(8,)).partial_fit(X, MULTICLASS).coefs_[0].shape == (4, 8)


MISFITS = {  # of four inputs, five hidden units and three outputs
    "bias": {"intercepts_": [np.zeros(7), np.zeros(3)]},
    "hidden layer": {"coefs_": [np.zeros((4, 7)), np.zeros((5, 3))]},
    "vector": {"coefs_": [np.zeros(5), np.zeros((5, 3))]},
    "inputs": {"coefs_": [np.zeros((9, 5)), np.zeros((5, 3))]},
    "outputs": {"coefs_": [np.zeros((4, 5)), np.zeros((5, 9))], "intercepts_": [np.zeros(5), np.zeros(9)]},
    "too few": {"intercepts_": [np.zeros(5)]},
    "none": {"coefs_": []},
}


@pytest.mark.parametrize("method", ["predict", "predict_proba", "partial_fit"])
@pytest.mark.parametrize("misfit", MISFITS.values(), ids=MISFITS)
def test_weights_set_by_hand_of_a_wrong_shape_are_refused_by_name(misfit, method):
    clf = planned().fit(X, MULTICLASS)
    vars(clf).update(misfit)
    with pytest.raises(ValueError, match=r"coefs_|intercepts_|units"):
        getattr(clf, method)(*((X, MULTICLASS) if method == "partial_fit" else (X,)))
