"""Starts of training that continue from an earlier call: the same methods as those of `Fresh`.

What the first call made of the columns and of y stays. ValueError if a parameter that it fixed has changed, or if y does not fit.
"""

from dataclasses import replace

from sksoftmax.data.targets import classes_of, make_head, target_kind
from sksoftmax.model import Model
from sksoftmax.training.config import TrainingConfig
from sksoftmax.training.ensemble import EnsemblePlan
from sksoftmax.training.fresh import Fresh
from sksoftmax.training.state import fixed_parameters


class Continued(Fresh):
    """The start of a call of fit with `warm_start`, which continues from the model `earlier` and from `earlier_state`."""

    keeps_rate = False

    def __init__(self, estimator, params, rng, earlier, earlier_state):
        super().__init__(estimator, params, rng)
        self.earlier, self.earlier_state, self.network = earlier, earlier_state, earlier.network
        self._check_fixed()

    def _check_fixed(self):
        for name, value in fixed_parameters(self.params, self.params["dtype"]).items():
            began = self.earlier_state.fixed.get(name, value)
            # sizes of weights that were set by hand
            same_sizes = name == "hidden_layer_sizes" and value == list(self.network.architecture.hidden)
            if value != began and (name, value) != ("dtype", "auto") and not same_sizes:
                shown = self.params[name] if name == "hidden_layer_sizes" else value
                raise cannot_continue(name, shown, repr(began))

    def categories(self, X):
        """The categorical columns that the first call found."""
        return self.earlier.preprocessor.categories

    def checked(self, X, y, categories):
        """X as numbers, in the form that it has, and y as labels or a matrix."""
        return self._checked(X, y, categories, reset=False)

    def targets(self, y, arguments):
        """The `Targets` of the first call, whose kind and classes y must have."""
        targets = self._same_targets(arguments)
        kind = target_kind(y, self.params["target_type"] if targets.kind == "labels" else targets.kind)
        classes = classes_of(y, kind)
        if kind != targets.kind:
            raise ValueError(f"warm_start needs the same kind of y in each call: it held {targets.kind}, now {kind}.")
        if (set(classes) != set(targets.classes)) if kind == "labels" else (len(classes) != len(targets.classes)):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {targets.classes}, `y` has {classes}"
            )
        return targets

    def _same_targets(self, arguments):
        targets, out_activation = self.earlier.targets, self.params["out_activation"]
        if type(make_head(targets.kind, targets.classes, out_activation)) is not type(targets.head):
            raise cannot_continue("out_activation", out_activation, f"{targets.head.n_outputs} output unit(s)")
        targets.check_names(arguments.y)
        return targets

    def network_dtype(self, X, weights):
        """The dtype of the earlier network."""
        return self.network.dtype

    def output_dtype(self, X):
        """The name of the dtype of earlier predictions."""
        return self.earlier.output_dtype

    def with_copies(self, training, categories, targets):
        """The rows unchanged, as none are left out."""
        return training

    def preprocessor(self, training, categories, targets):
        """The preprocessor of the first call; columns that were constant until now get their scales."""
        return self.earlier.preprocessor.after(training)

    def model(self, config, preprocessor, targets, dtype, output_dtype):
        """The model with a copy of the earlier network; ValueError if `n_members` has changed."""
        asked, n_members = self.params["n_members"], self.network.architecture.n_members
        if config.n_members != n_members:
            began = f"{n_members}, and solver={config.solver!r} trains {config.n_members}" if asked == "auto" else n_members
            raise cannot_continue("n_members", asked, began)
        network = self.network.copy(replace(self.network.architecture, activations=config.activations))
        weights, companion = self.earlier.ensemble_weights, self.kept_companion
        weights = weights.without_companion(n_members) if self.drops_companion else weights
        return Model(preprocessor, network, weights, targets, output_dtype, companion)

    @property
    def kept_companion(self):
        """The companion of the first call, which stays unless the user declines it."""
        return self.earlier.companion if self.params["companion"] == "auto" else None

    @property
    def drops_companion(self):
        """Whether this call drops the companion."""
        return self.earlier.companion is not None and self.kept_companion is None

    def plan(self, config, training, validation):
        """The plan in which all members train on all rows."""
        return EnsemblePlan.of(config, training, self.rng, with_folds=False)

    def with_companion(self, model, plan, training):
        """The rows unchanged: the companion of the first call stays, or is dropped."""
        return training

    def state(self, model, config):
        """The state before training, with the earlier curves, moments and average of weights."""
        earlier, state = self.earlier_state, super().state(model, config)
        state.progress = earlier.progress.copy()
        state.progress.n_before = len(state.progress.loss_curve)
        if self.drops_companion:
            state.progress.forget_best()
        if state.optimizer:
            state.optimizer.resume(earlier.optimizer, keep_rate=self.keeps_rate)
        if state.average:
            state.average.resume(earlier.average)
        return state


class ContinuedPartial(Continued):
    """The start of a later call of partial_fit."""

    is_partial = True
    may_be_continued = True
    keeps_rate = True
    kept_companion = None  # later rows may be of another kind, and it learns nothing from them

    def targets(self, y, arguments):
        """The `Targets` of the first call, which has all `classes`."""
        targets = self._same_targets(arguments)
        targets.check_classes(arguments.classes)
        return targets

    def config(self, targets, n_rows, n_distinct, preprocessor):
        """The configuration for this many rows."""
        n_sparse = preprocessor.n_sparse_columns
        return TrainingConfig.resolve(self.params, n_rows, self.network, n_sparse=n_sparse, is_partial=True)

    def state(self, model, config):
        """The state before training, which knows the targets of all calls."""
        state = super().state(model, config)
        state.target_sums = self.earlier_state.target_sums
        return state

    def target_sums(self, sums):
        """The sums over the rows of all calls."""
        return sums if self.earlier_state.target_sums is None else sums + self.earlier_state.target_sums


def cannot_continue(name, value, began):
    """The error that says which parameter has changed since training began."""
    return ValueError(
        f"Training cannot continue with {name}={value!r}: it began with {began}. "
        "Undo the change, or fit anew with warm_start=False."
    )
