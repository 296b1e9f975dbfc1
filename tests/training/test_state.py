"""The state that a call of fit or partial_fit leaves for the next one."""

import pickle

import numpy as np
import pytest

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.training.progress import Progress
from sksoftmax.training.state import FIXED, TrainingState, fixed_parameters

PARAMS = SoftmaxMLPClassifier().get_params()


def state_after_training(**params):
    return TrainingState(Progress([0.5]), "optimizer", "average", np.random.RandomState(0), {"n_bins": 3}, **params)


@pytest.mark.parametrize("may_be_continued", [False, True])
def test_what_only_more_training_needs_is_pickled_if_training_may_continue(may_be_continued):
    state = state_after_training(may_be_continued=may_be_continued, target_sums=np.ones(3))
    loaded = pickle.loads(pickle.dumps(state))
    assert [part is not None for part in (loaded.optimizer, loaded.average, loaded.rng)] == [may_be_continued] * 3
    assert (loaded.progress, loaded.fixed, loaded.target_sums.tolist()) == (state.progress, state.fixed, [1, 1, 1])
    assert state.optimizer == "optimizer"  # pickling changes nothing


def test_a_copy_for_scoring_has_curves_of_its_own_and_nothing_that_training_needs():
    state = state_after_training(resolved={"batch_size_": 32})
    copy = state.copy()
    state.progress.loss_curve.append(0.4)
    assert copy.progress.loss_curve == [0.5]
    assert (copy.optimizer, copy.average, copy.rng) == (None, None, None)
    assert (copy.fixed, copy.resolved) == ({"n_bins": 3}, {"batch_size_": 32})


@pytest.mark.parametrize("given, kept", [(None, None), ("auto", "auto"), (np.array([1.0, 2.0]), [1.0, 2.0]), ((0, 2), [0, 2])])
@pytest.mark.parametrize("name", ["categorical_features", "relevance"])
def test_fixed_parameters_hold_arrays_as_lists_and_the_dtype_and_sizes_as_the_network_has_them(name, given, kept):
    fixed = fixed_parameters({**PARAMS, name: given, "hidden_layer_sizes": "8-4"}, "float32")
    assert set(fixed) == set(FIXED)
    assert (fixed[name], fixed["dtype"], fixed["hidden_layer_sizes"]) == (kept, "float32", [8, 4])
