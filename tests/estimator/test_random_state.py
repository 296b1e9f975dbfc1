"""The parameter `random_state`."""

import numpy as np
import pytest

from support.data import BINARY, MULTICLASS, X
from support.estimators import converged, planned
from support.marks import SOLVERS
from support.weights import assert_same_weights


@pytest.mark.parametrize("early_stopping", [False, True])
@SOLVERS
def test_the_same_random_state_gives_the_same_model(solver, early_stopping):
    params = {"solver": solver, "early_stopping": early_stopping, "batch_size": 9}
    assert_same_weights(converged(**params).fit(X, BINARY), converged(**params).fit(X, BINARY))


@pytest.mark.parametrize("seed", [1, None])
def test_another_random_state_or_none_gives_a_different_model(seed):
    one, other = planned(random_state=seed).fit(X, BINARY), planned(random_state=0 if seed else None).fit(X, BINARY)
    assert not np.allclose(one.coefs_[0], other.coefs_[0])


def test_a_random_state_instance_is_advanced_by_fit():
    rng = np.random.RandomState(0)
    first, second = planned(random_state=rng).fit(X, BINARY), planned(random_state=rng).fit(X, BINARY)
    assert_same_weights(first, planned(random_state=0).fit(X, BINARY))
    assert not np.allclose(first.coefs_[0], second.coefs_[0])


def test_a_second_fit_without_warm_start_starts_from_new_weights():
    clf = planned().fit(X, MULTICLASS).partial_fit(X, MULTICLASS)
    assert_same_weights(clf.fit(X[:, :2], BINARY), planned().fit(X[:, :2], BINARY))
    assert len(clf.loss_curve_) == 3
