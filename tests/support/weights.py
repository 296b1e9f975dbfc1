"""The weights of fitted estimators: comparing them and setting them by hand."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose


def assert_same_weights(one, other, rtol=0):
    """Both estimators have equal weights and biases."""
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        assert_allclose(a, b, rtol=rtol)


def flat(clf):
    """A copy of all weights and biases as one vector."""
    return np.concatenate([array.ravel() for array in clf.coefs_ + clf.intercepts_])


def flat_vector(clf):
    """The array that all of the model's weights are views of."""
    (base,) = {id(array.base): array.base for array in clf.coefs_ + clf.intercepts_}.values()
    return base


def pickled(clf):
    """The estimator after a round trip through pickle."""
    return pickle.loads(pickle.dumps(clf))


def set_items(clf):
    clf.coefs_[1] = np.zeros((5, 3))
    clf.intercepts_[1] = np.log([0.7, 0.2, 0.1])


def set_lists(clf):
    clf.coefs_ = [clf.coefs_[0].copy(), np.zeros((5, 3))]
    clf.intercepts_ = [clf.intercepts_[0].copy(), np.log([0.7, 0.2, 0.1])]


def set_in_place(clf):
    clf.coefs_[1][...] = 0
    clf.intercepts_[1][:] = np.log([0.7, 0.2, 0.1])


# each makes a network of five hidden units predict 0.7, 0.2 and 0.1 in every row
by_hand = pytest.mark.parametrize("set_weights", [set_items, set_lists, set_in_place])
