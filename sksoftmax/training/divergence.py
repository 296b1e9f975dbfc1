"""Detect that training has diverged, and restore good weights."""

import warnings
from math import isfinite

import numpy as np
from sklearn.exceptions import ConvergenceWarning


def diverged(loss, network, optimizer):
    """Whether an epoch ended with a loss, weights or moments that are not finite (or too large to square)."""
    return not isfinite(loss) or not isfinite(network.parameters @ network.parameters) or optimizer.overflowed()


def restore_after_divergence(run, state, known_good):
    """Go back to good weights and the index of their epoch, with a warning.

    ValueError if X is too large for any weights: if the loss of the initial weights, or a square of its gradient, is infinite.
    """
    progress = state.progress
    untrained, advice, overflowed = not progress.loss_curve, advice_for(run), state.optimizer.overflowed()
    go_back(run, state, known_good)
    loss = initial_loss(run) if untrained else progress.loss
    if untrained and (not isfinite(loss) or overflowed):
        raise ValueError(diverged_message(progress, f"Nothing was learned before that. {advice}"))
    kept = "initial weights, which have learned nothing," if untrained else "last good weights"
    kept = f"The {kept} were restored; the loss from there was {loss:.6g}."
    warnings.warn(diverged_message(progress, f"{kept} {advice}"), ConvergenceWarning)


def advice_for(run):
    """Advice on how the user can avoid divergence."""
    rate, alpha = run.config.learning_rate_init, run.config.alpha
    scale = "Scale the columns of X, for example with StandardScaler, or lower" if run.is_unscaled else "Lower"
    advice = f"{scale} learning_rate_init={rate}."
    if alpha and run.training.total_weight < len(run.training):
        advice += f" The penalty alpha={alpha} is divided by the sum of sample_weight: multiply small weights by a constant."
    return advice


def go_back(run, state, known_good):
    """Take good weights, their ensemble and the index of their epoch in place of weights that are not finite."""
    run.model.network.parameters[...], ensemble_weights, state.progress.kept_epoch = known_good
    if run.validation is not None:  # without validation rows there is one set of ensemble weights, that of the fold phase
        run.model.ensemble_weights = ensemble_weights
    state.optimizer.forget()
    if state.average:
        state.average.forget()


def initial_loss(run):
    """The loss of the current weights on the first rows: enough to see whether it is finite."""
    batch = run.training.batch(run.plan.order[:, :1000], run.workspace)
    return run.loss(run.model.network.forward(batch.X, run.workspace)[0], batch.targets, batch.weights)[0]


def diverged_message(progress, consequence):
    """The message that training diverged, with the epoch and the consequence."""
    return (
        "Training diverged: the loss, the weights or the optimizer's moments were not finite in epoch "
        f"{len(progress.loss_curve) + 1}. {consequence}"
    )


class Snapshot:
    """What epochs change: weights, moments, the average, the order of rows and the random generators. `restore` undoes them."""

    def __init__(self, run, state, bits):
        self.optimizer, self.average, self.rng, self.bits = state.optimizer, state.average, state.rng, bits or ()
        self.arrays = [(array, array.copy()) for array in (run.model.network.parameters, run.plan.order)]
        self.drawn = self.rng.get_state(legacy=False)
        self.counts = [(owner, dict(self.numbers_of(owner))) for owner in (self.optimizer, self.average) if owner]
        self.random = [of_member.state for of_member in self.bits]

    @staticmethod
    def numbers_of(owner):
        """Copies of the vectors and counts of an optimizer or an average."""
        for name, value in vars(owner).items():
            if isinstance(value, np.ndarray):
                yield name, value.copy()
            elif isinstance(value, int | float):
                yield name, value

    def restore(self):
        """Write all of it back, into the same arrays."""
        for array, before in self.arrays:
            array[...] = before
        self.rng.set_state(self.drawn)
        for owner, numbers in self.counts:
            for name, value in numbers.items():
                if isinstance(value, np.ndarray):
                    getattr(owner, name)[...] = value
                else:
                    setattr(owner, name, value)
        for bits, random in zip(self.bits, self.random):
            bits.state = random
