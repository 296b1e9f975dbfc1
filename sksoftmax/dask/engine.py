"""The engine of rows that workers hold: each step's gradient is the sum of what their rows add to it.

Everything else of a step is NumPy's: `train_epoch` adds the penalty, clips, and updates the parameters, which the client has.
"""

from dataclasses import replace
from time import perf_counter

import numpy as np

from sksoftmax.engines.numpy_engine import NumpyEngine


class ClusterEngine(NumpyEngine):
    """Trains on the rows of a `WorkerMatrix`."""

    name = "dask"

    def __init__(self, run, state, bits, matrix):
        super().__init__(run, state, bits, None)
        self.matrix, matrix.training = matrix, Training(run)
        names, n_workers = set(matrix.ask("begin", matrix.training.arguments)), len({held.address for held in matrix.held})
        self.reason = f"{' and '.join(sorted(names))} on {n_workers} worker{'s' * (n_workers > 1)}"

    def train(self, epochs):
        """Train these epochs, pairs of batches and rates; return their losses. With `verbose`, print the rows a second."""
        begun, n_rows = perf_counter(), sum(rows.shape[1] for batches, _ in epochs for rows in batches)
        losses = super().train(epochs)
        self.run.report.message(f"{n_rows / (perf_counter() - begun):,.0f} rows a second.")
        return losses

    def gradient(self, rows):
        """Fill the gradient of the loss of these rows, (n_members, n); return the loss and each member's sum of weights."""
        training = self.run.training
        weights = np.ones(rows.shape, np.float32) if training.weights is None else training.weights[rows]
        totals = weights.sum(axis=1).astype(np.float64)
        seed = None if self.bits is None else int(self.bits[0].random_raw())
        numbers = rows if training.X.numbers is None else training.X.numbers[rows]
        return self.sum_of_shares(numbers, totals, seed), totals

    def loss_and_gradient(self):
        """The loss of all rows, without penalty, and its gradient, of one member: for L-BFGS."""
        loss = self.sum_of_shares(None, np.array([self.run.training.total_weight]), None)
        return loss, self.run.model.network.gradient.astype(np.float64)

    def sum_of_shares(self, rows, totals, seed):
        """Fill the gradient with the sum of what all workers' rows add to it; return the sum of what they add to the loss."""
        network = self.run.model.network
        shares = self.matrix.ask("gradient", lambda held: (network.parameters, rows, totals, self.run.plan.dropout, seed))
        network.gradient[...] = 0
        for _, gradient in shares:
            network.gradient += gradient
        return sum(loss for loss, _ in shares)


class Training:
    """What workers need to know of a run before its first step, also those that come later."""

    def __init__(self, run):
        self.samples = run.training
        self.model = replace(run.model, companion=None)
        self.config = replace(run.config, learning_rate="constant", scoring="loss")  # the others may be functions
        self.smoothing_prior = run.smoothing_prior

    def arguments(self, held):
        """The arguments of `Holder.begin`."""
        samples, numbers = self.samples, self.samples.X.numbers
        if numbers is None:
            places = rows = np.arange(held.first, held.last)
        else:
            places = held.places(numbers)
            rows = numbers[places]
        weights = None if samples.weights is None else samples.weights[places]
        return self.model, self.config, self.smoothing_prior, rows, samples.targets[places], weights
