"""The state of a classifier: what is saved, what is checked when it is loaded, and what comes back after an error."""

import warnings
from functools import wraps
from numbers import Integral
from typing import cast

from sksoftmax.data.heads import OUT_ACTIVATIONS
from sksoftmax.hints import Method
from sksoftmax.nn.optimizers import OPTIMIZERS
from sksoftmax.version import __version__

REQUIRED_STATE = ("_model", "_training", "n_features_in_")  # every saved state of a fitted estimator has these
WEIGHTS = ("coefs_", "intercepts_", "embeddings_")  # views of the network's parameters, which are saved once, as a flat vector
TYPES = (  # the names of the types of a saved model; registries add theirs
    "sksoftmax.classifier.SoftmaxMLPClassifier",
    "sksoftmax.boosted.BoostedTrees",
    "sksoftmax.data.blocks.Bins",
    "sksoftmax.data.blocks.Codes",
    "sksoftmax.data.blocks.Flags",
    "sksoftmax.data.blocks.Numbers",
    "sksoftmax.data.blocks.OneHot",
    "sksoftmax.data.blocks.Sentinels",
    "sksoftmax.data.columns.Categories",
    "sksoftmax.data.dates.Dates",
    "sksoftmax.data.dates.Quantities",
    "sksoftmax.data.heads.BinaryHead",
    "sksoftmax.data.heads.MultilabelHead",
    "sksoftmax.data.preprocessing.Preprocessor",
    "sksoftmax.data.targets.Targets",
    "sksoftmax.layout.Layout",
    "sksoftmax.model.Model",
    "sksoftmax.nn.ensemble_weights.EnsembleWeights",
    "sksoftmax.nn.network.Architecture",
    "sksoftmax.nn.network.Network",
    "sksoftmax.nn.optimizers.WeightAverage",
    "sksoftmax.radial.RadialNetwork",
    "sksoftmax.training.progress.Progress",
    "sksoftmax.training.state.TrainingState",
)
REGISTERED = (*OUT_ACTIVATIONS.values(), *OPTIMIZERS.values())
TRUSTED_TYPES = sorted({*TYPES, *(f"{kind.__module__}.{kind.__name__}" for kind in REGISTERED)})  # for skops and MLflow


def state_to_save(estimator, attributes):
    """Return these attributes of an estimator, without the views of its network, with the version of this package."""
    state = dict(attributes) | {"_sksoftmax_version": __version__}
    if estimator.__sklearn_is_fitted__():
        state["_model"] = estimator._fitted_model()
        for name in WEIGHTS:
            del state[name]
    return state


def checked_state(state, name):
    """Return a copy of a saved state of a classifier of this name; raise ValueError or TypeError if it is damaged.

    Warn if another version of this package saved it.
    """
    if not isinstance(state, dict):
        raise TypeError(f"The saved state of {name} must be a dict; got {state!r:.80}.")
    if "_model" in state:
        if missing := [key for key in REQUIRED_STATE if key not in state]:
            raise ValueError(f"The saved state of {name} is damaged: it lacks {', '.join(missing)}.")
        try:
            state["_model"].check()
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"The saved state of {name} is damaged: {error}.") from error
    state = dict(state)
    version = state.pop("_sksoftmax_version", "unknown")
    if version != __version__:
        warnings.warn(
            f"{name} was saved by sksoftmax {version} and is loaded by {__version__}; compare predictions, or fit it again.",
            UserWarning,
        )
    return state


def restore_weights(estimator):
    """Give a loaded estimator, if it is fitted, the views of its network."""
    if estimator.__sklearn_is_fitted__():
        public = estimator._model.public()
        vars(estimator).update({name: public[name] for name in WEIGHTS})


def unchanged_on_error(method: Method) -> Method:
    """Decorate a training method: if the method raises an error, the estimator stays as before the call.

    Training works on new objects or on copies of earlier ones. So only attributes need to be restored, and the state of a random
    generator that the estimator made from a seed.
    """

    @wraps(method)
    def wrapper(self, *args, **kwargs):
        before = dict(vars(self))
        rng = self._training.rng if isinstance(self.random_state, Integral) and self.__sklearn_is_fitted__() else None
        rng_state = rng and rng.get_state(legacy=False)
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            if rng:
                rng.set_state(rng_state)
            raise

    return cast(Method, wrapper)
