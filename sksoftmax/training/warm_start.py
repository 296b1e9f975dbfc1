"""What a call of fit or partial_fit leaves for the next one: what the first call fixed, and what training continues from."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sksoftmax.data.targets import classes_of, make_head, target_kind
from sksoftmax.model import Model
from sksoftmax.nn.optimizers import Optimizer, WeightAverage
from sksoftmax.parameters import layer_sizes
from sksoftmax.training.progress import Progress

FIXED = ("scaling", "categorical_features", "n_bins", "relevance", "parametrization", "hidden_layer_sizes", "dtype")


@dataclass
class TrainingState:
    """What only training needs; the next call continues from it.

    `fixed` are the parameters that later calls may not change. `seen` has, for label smoothing, the sums of all targets, and of
    their weights as last entry. `optimizer`, `average` (of the weights, None without `ema_decay`)
    and `rng` are left out of a pickle unless `is_continued`: after `partial_fit`, and with `warm_start`. `resolved` has the
    estimator's attributes that say what "auto" became.
    """

    progress: Progress = field(default_factory=Progress)
    optimizer: Optimizer | None = None
    average: WeightAverage | None = None
    rng: np.random.RandomState | None = None
    fixed: dict[str, Any] = field(default_factory=dict)
    seen: np.ndarray | None = None
    is_continued: bool = False
    resolved: dict[str, Any] = field(default_factory=dict)

    def copy(self):
        """A state with curves of its own, and without what a fitted estimator that is only scored does not need."""
        return TrainingState(self.progress.copy(), fixed=self.fixed, resolved=self.resolved)

    def __getstate__(self):
        dropped = {} if self.is_continued else {"optimizer": None, "average": None, "rng": None}
        return {**vars(self), **dropped}


@dataclass
class Earlier:
    """The model and the state of an earlier call, from which training continues."""

    model: Model
    state: TrainingState

    def check_fixed(self, params):
        """ValueError if a parameter that the first call fixed has changed."""
        network = self.model.network
        for name, value in fixed_parameters(params, params["dtype"]).items():
            began = self.state.fixed.get(name, value)
            same_sizes = name == "hidden_layer_sizes" and value == list(
                network.architecture.hidden
            )  # of weights that were set by hand
            if value != began and (name, value) != ("dtype", "auto") and not same_sizes:
                shown = params[name] if name == "hidden_layer_sizes" else value
                raise cannot_continue(name, shown, repr(began))

    def check_outputs(self, out_activation):
        """ValueError if `out_activation` asks for other output units than there are."""
        targets = self.model.targets
        if type(make_head(targets.kind, targets.classes, out_activation)) is not type(targets.head):
            raise cannot_continue("out_activation", out_activation, f"{targets.head.n_outputs} output unit(s)")

    def check_y(self, y, target_type):
        """ValueError if y, of a warm start, has another kind or other classes."""
        targets = self.model.targets
        kind = target_kind(y, target_type if targets.kind == "labels" else targets.kind)
        classes = classes_of(y, kind)
        if kind != targets.kind:
            raise ValueError(f"warm_start needs the same kind of y in each call: it held {targets.kind}, now {kind}.")
        if (set(classes) != set(targets.classes)) if kind == "labels" else (len(classes) != len(targets.classes)):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {targets.classes}, `y` has {classes}"
            )

    def network(self, config, asked):
        """A copy of the network with the activations that the recipe asks for; ValueError if `n_members` has changed.

        `asked` is the estimator's parameter `n_members`.
        """
        network = self.model.network
        n_members = network.architecture.n_members
        if config.n_members != n_members:
            began = f"{n_members}, and solver={config.solver!r} trains {config.n_members}" if asked == "auto" else n_members
            raise cannot_continue("n_members", asked, began)
        return network.copy(replace(network.architecture, activations=config.activations))


def fixed_parameters(params, dtype):
    """The parameters that later calls may not change, by name; `dtype` is that of the network, an array is a list."""
    values = {name: params[name] for name in FIXED}
    for name in ("categorical_features", "relevance"):
        if not isinstance(values[name], str | None):
            values[name] = np.asarray(values[name], dtype=object).ravel().tolist()
    return values | {"dtype": dtype, "hidden_layer_sizes": layer_sizes(params["hidden_layer_sizes"])}


def cannot_continue(name, value, began):
    """The error that says which parameter has changed since training began."""
    return ValueError(
        f"Training cannot continue with {name}={value!r}: it began with {began}. "
        "Undo the change, or fit anew with warm_start=False."
    )
