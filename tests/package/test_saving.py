"""Saved states, and what comes back after an error."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from sksoftmax.saving import TRUSTED_TYPES, WEIGHTS, checked_state, restore_weights, state_to_save, unchanged_on_error
from sksoftmax.version import __version__
from support.networks import fitted_model, training_state
from support.repository import TREES


class Fitted:
    """An estimator with views of a network, whose model says whether its parts fit together."""

    def __init__(self, fault=None, random_state=0):
        self.random_state = random_state
        self.n_features_in_ = 2
        model = SimpleNamespace(check=self.check, public=lambda: dict.fromkeys(WEIGHTS, "views"))
        vars(self).update(_model=model, _training=SimpleNamespace(rng=np.random.RandomState(0)))
        self.fault = fault
        restore_weights(self)

    def check(self):
        if self.fault:
            raise self.fault

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_model")

    def _fitted_model(self):
        return fitted_model(self)

    @unchanged_on_error
    def train(self, error=None):
        self.coefs_, self.more_ = "others", 1
        training_state(self).rng.random_sample()
        if error:
            raise error
        return self


def test_a_state_has_the_version_and_no_views_of_the_network_which_come_back_when_it_is_loaded():
    fitted = Fitted()
    state = state_to_save(fitted, vars(fitted))
    assert set(state) == set(vars(fitted)) - set(WEIGHTS) | {"_sksoftmax_version"}
    loaded = Fitted.__new__(Fitted)
    vars(loaded).update(checked_state(state, "Fitted"))
    assert state["_sksoftmax_version"] == __version__  # the caller's dict stays
    restore_weights(loaded)
    assert vars(loaded).keys() == vars(fitted).keys() and loaded.coefs_ == "views"


@pytest.mark.parametrize("state", [None, [], "text", 3])
def test_a_state_that_is_not_a_dict_is_refused(state):
    with pytest.raises(TypeError, match="saved state of Fitted must be a dict; got"):
        checked_state(state, "Fitted")


@pytest.mark.parametrize("name", ["_training", "n_features_in_"])
def test_a_fitted_state_that_lacks_a_part_names_it_and_a_state_without_a_model_is_that_of_an_unfitted_estimator(name):
    state = state_to_save(Fitted(), vars(Fitted()))
    del state[name]
    with pytest.raises(ValueError, match=f"state of Fitted is damaged: it lacks {name}"):
        checked_state(state, "Fitted")
    del state["_model"]
    assert "_sksoftmax_version" not in checked_state(state, "Fitted")


@pytest.mark.parametrize("fault", [ValueError("the network has 3"), TypeError("of None"), AttributeError("no attribute")])
def test_a_model_whose_parts_do_not_fit_together_is_damaged(fault):
    fitted = Fitted(fault)
    with pytest.raises(ValueError, match=f"state of Fitted is damaged: {fault}"):
        checked_state(state_to_save(fitted, vars(fitted)), "Fitted")


@pytest.mark.parametrize("version", ["0.0.7", None])
def test_a_state_of_another_version_or_of_none_warns(version):
    state = state_to_save(Fitted(), vars(Fitted())) | {"_sksoftmax_version": version}
    if version is None:
        del state["_sksoftmax_version"]
    expected = f"Fitted was saved by sksoftmax {version or 'unknown'} and is loaded by {__version__};"
    with pytest.warns(UserWarning, match=re.escape(expected)):
        checked_state(state, "Fitted")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("seeded", [True, False])
def test_after_an_error_attributes_and_the_generator_made_from_a_seed_are_as_before_the_call(seeded, error):
    fitted = Fitted(random_state=0 if seeded else np.random.RandomState(0))
    with pytest.raises(error):
        fitted.train(error=error())
    assert fitted.coefs_ == "views" and not hasattr(fitted, "more_")
    drawn = np.random.RandomState(0).random_sample(2)
    assert training_state(fitted).rng.random_sample() == drawn[0 if seeded else 1]  # the user's own generator goes on
    assert fitted.train().more_ == 1


def test_every_trusted_type_exists():
    for name in TRUSTED_TYPES:
        module, _, kind = name.removeprefix("sksoftmax.").rpartition(".")
        assert kind in {getattr(node, "name", None) for node in TREES[module].body}
