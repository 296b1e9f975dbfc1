"""The training step in NumPy: the textbook, and the reference of the compiled engine."""

from math import isfinite

import numpy as np

from sksoftmax.data.rows import LazyRows, common_input, member_inputs
from sksoftmax.nn.layers import Dropout
from sksoftmax.nn.optimizers import clip
from sksoftmax.nn.threads import scipys_own_libraries

PART_NUMBERS = 2**23  # numbers of the network's input that are held at once if they are not all in memory


class NumpyEngine:
    """Trains all members at once by NumPy; `reason` says why the compiled engine does not."""

    name = "numpy"
    unused_blas = staticmethod(scipys_own_libraries)
    uses_threads = False
    most_epochs = 1  # nothing is gained by several at once

    def __init__(self, run, state, bits, reason):
        self.run, self.state, self.bits, self.reason = run, state, bits, reason

    def train(self, epochs):
        """Train these epochs, pairs of batches and rates; return their losses."""
        return [train_epoch(self.run, self.state, batches, rates, self.gradient) for batches, rates in epochs]

    def gradient(self, rows):
        """Fill the gradient of the loss of these rows, (n_members, n); return the loss and each member's sum of weights."""
        run, network = self.run, self.run.model.network
        dropout = None if self.bits is None else Dropout(run.plan.dropout, self.bits)
        batch = run.training.batch(rows, run.workspace)
        logits, backprop = network.forward(batch.X, run.workspace, dropout)
        loss, d_logits = run.loss(logits, batch.targets, batch.weights)  # d_logits is p − y
        backprop(d_logits)  # fills network.gradient
        return loss, batch.totals

    def share_of_gradient(self, samples, rows, totals, dropout, bits):
        """Fill what these rows of the samples, an array for each member, add to the gradient of a batch; return the loss added.

        The samples are encoded. `totals` are the members' sums of weights of the whole batch. Members with fewer rows get rows of
        weight 0 too.
        """
        run, network = self.run, self.run.model.network
        n = max(len(of_member) for of_member in rows)
        padded = np.stack([np.pad(of_member, (0, n - len(of_member))) for of_member in rows])
        weights = np.zeros(padded.shape, network.dtype)
        for of_member, its_rows, total in zip(weights, rows, totals):
            of_member[: len(its_rows)] = (1.0 if samples.weights is None else samples.weights[its_rows]) / total
        X, share = member_inputs(samples.X, padded, run.workspace), float(weights.sum()) / len(rows)
        logits, backprop = network.forward(X, run.workspace, None if bits is None else Dropout(dropout, bits))
        loss, d_logits = run.loss(logits, samples.targets[padded.ravel()], weights.ravel())  # d_logits is p − y
        d_logits *= share
        backprop(d_logits)
        return share * loss

    def loss_and_gradient(self):
        """The loss of all rows, without penalty, and its gradient, of one member: for L-BFGS."""
        run, network = self.run, self.run.model.network
        loss, gradient = 0.0, np.zeros_like(network.gradient)
        for part in parts(run.training):
            share = part.total_weight / run.training.total_weight
            logits, backprop = network.forward(common_input(part.X, run.workspace), run.workspace)
            loss_of_part, d_logits = run.loss(logits, part.targets, part.weights)  # d_logits is p − y
            d_logits *= share
            backprop(d_logits)
            loss += share * loss_of_part
            gradient += network.gradient
        return loss, gradient


def train_epoch(run, state, batches, rates, gradient):
    """Train on all batches once, by steps along `gradient`. Returns the mean loss, or the first one that is not finite."""
    network, optimizer, average, config = run.model.network, state.optimizer, state.average, run.config
    total, total_weight = 0.0, 0.0
    if average:
        average.begin_epoch(network.parameters)
    for rows, rate in zip(batches, rates):
        loss, totals = gradient(rows)
        if config.alpha:
            loss += float(network.add_l2(config.alpha / totals).mean())
        if not isfinite(loss):
            return loss
        if config.clip_norm:
            for parts in network.member_gradients():
                clip(parts, config.clip_norm)
        optimizer.step(network.parameters, network.gradient, rate)
        if average:
            average.update(network.parameters, scratch=network.gradient)
        total, total_weight = total + loss * totals.sum(), total_weight + totals.sum()
    if average:
        average.end_epoch(network.parameters)
    return total / total_weight


def parts(samples):
    """All samples at once; or, if X is `LazyRows`, as many at a time as may be in memory."""
    if not isinstance(samples.X, LazyRows):
        return [samples]
    step = max(1, PART_NUMBERS // samples.X.shape[1])
    return (samples[start : start + step] for start in range(0, len(samples), step))
