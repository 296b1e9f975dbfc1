"""The state that a call of fit or partial_fit leaves for the next one."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sksoftmax.nn.optimizers import Optimizer, WeightAverage
from sksoftmax.parameters import layer_sizes
from sksoftmax.training.progress import Progress

FIXED = ("scaling", "categorical_features", "n_bins", "relevance", "parametrization", "hidden_layer_sizes", "dtype")


@dataclass
class TrainingState:
    """The state of training, from which the next call continues; predictions do not need it.

    `fixed` are the parameters that later calls may not change. `target_sums` has, for label smoothing, the sums of all targets,
    and of their weights as last entry. `optimizer`, `average` (of the weights, None without `ema_decay`) and `rng` are left out
    of a pickle unless the state `may_be_continued`: after `partial_fit`, and with `warm_start`. `resolved` has the estimator's
    attributes that say what "auto" became. `engine` names the engine that trained, and says why if it was NumPy's.
    """

    progress: Progress = field(default_factory=Progress)
    optimizer: Optimizer | None = None
    average: WeightAverage | None = None
    rng: np.random.RandomState | None = None
    fixed: dict[str, Any] = field(default_factory=dict)
    target_sums: np.ndarray | None = None
    may_be_continued: bool = False
    resolved: dict[str, Any] = field(default_factory=dict)
    engine: str = ""

    def copy(self):
        """A state with curves of its own, and without what a fitted estimator that is only scored does not need."""
        return TrainingState(self.progress.copy(), fixed=self.fixed, resolved=self.resolved, engine=self.engine)

    def __getstate__(self):
        dropped = {} if self.may_be_continued else {"optimizer": None, "average": None, "rng": None}
        return {**vars(self), **dropped}


def fixed_parameters(params, dtype):
    """The parameters that later calls may not change, by name; `dtype` is that of the network, an array is a list."""
    values = {name: params[name] for name in FIXED}
    for name in ("categorical_features", "relevance"):
        if not isinstance(values[name], str | None):
            values[name] = np.asarray(values[name], dtype=object).ravel().tolist()
    return values | {"dtype": dtype, "hidden_layer_sizes": layer_sizes(params["hidden_layer_sizes"])}
