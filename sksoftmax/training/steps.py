"""Training by steps of SGD or Adam: the training step, epochs with their stopping rules, minibatches and learning rates."""

import warnings
from math import isfinite

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sksoftmax.nn.layers import Dropout, bit_generators
from sksoftmax.nn.optimizers import clip
from sksoftmax.nn.schedules import adaptive, cycle_progress, invscaling, is_planned, schedule
from sksoftmax.nn.threads import at_most_for
from sksoftmax.training.divergence import diverged, go_back, restore_after_divergence
from sksoftmax.training.run import INTERRUPTED, batch_weights

STOPPED = (
    "The validation score has not improved for too long: partial_fit does not train any more. Call fit, or set "
    "early_stopping=False, to continue."
)


def train_epoch(run, state, batches, rates, bits=None):
    """Train on all batches once. Returns the mean loss, or the first batch loss that is not finite."""
    network, optimizer, average, recipe = run.model.network, state.optimizer, state.average, run.recipe
    dropout = None if bits is None else Dropout(run.committee.dropout, bits)
    total, total_weight = 0.0, 0.0
    if average:
        average.begin_epoch(network.parameters)
    for rows, rate in zip(batches, rates):
        X, targets, weights = run.training.batch(rows, run.memory)
        logits, backprop = network.forward(X, run.memory, dropout)
        loss, d_logits = run.loss(logits, targets, weights)  # d_logits is p − y
        backprop(d_logits)  # fills network.gradient
        if recipe.alpha:
            loss += float(network.add_l2(recipe.alpha / batch_weights(weights, *rows.shape)).mean())
        if not isfinite(loss):
            return loss
        if recipe.clip_norm:
            for parts in network.member_gradients():
                clip(parts, recipe.clip_norm)
        optimizer.step(network.parameters, network.gradient, rate)
        if average:
            average.update(network.parameters, scratch=network.gradient)
        weight = rows.size if weights is None else float(weights.sum())
        total, total_weight = total + loss * weight, total_weight + weight
    if average:
        average.end_epoch(network.parameters)
    return total / total_weight


def train_by_steps(run, state):
    """For fit: train epochs until a stopping rule, a callback or max_iter ends training."""
    network, progress, recipe = run.model.network, state.progress, run.recipe
    known_good, bits = begin(run, state), random_bits(run, state.rng)
    try:
        with one_thread_if_small(run):
            while progress.n_done < recipe.max_iter:
                if run.committee.folds is not None and progress.n_done == run.fold_epochs:
                    open_folds(run, state)
                start = network.parameters.copy(), run.model.mixture
                run.tasks.begin()
                batches = minibatches(run, state.rng)
                rates = learning_rates(state.optimizer, recipe, progress.n_done, len(batches), run.fold_epochs)
                loss = train_epoch(run, state, batches, rates, bits)
                if diverged(loss, network, state.optimizer):
                    restore_after_divergence(run, state, known_good)
                    run.tasks.end()
                    break
                if loss < progress.best_loss:
                    known_good = (*start, len(progress.loss_curve))
                ended = end_epoch(run, state, loss, rates[-1])
                if run.tasks.end() or ended:
                    break
            else:
                warn_if_unfinished(recipe)
    except KeyboardInterrupt:
        warnings.warn(INTERRUPTED)
        if state.average:
            state.average.end_epoch(network.parameters)
        if diverged(0.0, network, state.optimizer):
            go_back(run, state, known_good)
    run.restore_best(progress)


def train_one_epoch(run, state):
    """For partial_fit: one epoch at a rate that no plan changes; none if the validation score has ended training."""
    progress, optimizer = state.progress, state.optimizer
    if progress.stopped and run.validation is not None:
        warnings.warn(STOPPED)
        return
    known_good, batches = begin(run, state), minibatches(run, state.rng)
    run.tasks.begin()
    rates = [optimizer.learning_rate] * len(batches)
    with one_thread_if_small(run):
        loss = train_epoch(run, state, batches, rates, random_bits(run, state.rng))
    if diverged(loss, run.model.network, optimizer):
        restore_after_divergence(run, state, known_good)
    elif end_epoch(run, state, loss, optimizer.learning_rate) and run.validation is not None:
        run.restore_best(progress)
        progress.stopped = True
        warnings.warn(STOPPED)
    run.tasks.end()


def begin(run, state):
    """Make ready; return what to go back to if training diverges: weights, mixture and the index of their epoch."""
    network = run.model.network
    network.allocate_gradient()
    state.progress.begin_call(run.model, run.validation)
    return network.parameters.copy(), run.model.mixture, state.progress.kept_epoch


def one_thread_if_small(run):
    """A limit of BLAS's threads to one, unless the products of a step are large."""
    return at_most_for(run.recipe.batch_size * run.model.network.form.largest_product)


def random_bits(run, rng):
    """The members' bit generators for dropout, seeded by one draw from rng; None without dropout, and then rng is not used."""
    return bit_generators(rng.randint(2**31), run.recipe.n_members) if np.any(run.committee.dropout) else None


def minibatches(run, rng):
    """The rows, (n_members, n), of each step of the next epoch, shuffled unless the user declines.

    With one member the last batch may be smaller; with several all are of one size, and a few rows may be left out.
    """
    order = run.committee.order
    if run.recipe.shuffle:
        for rows in order:
            rows[...] = rows[rng.permutation(len(rows))]
    return cut(order, run.recipe.batch_size)


def cut(order, batch_size):
    """The rows in this order, (n_members, m), cut into batches."""
    n_members, n_rows = order.shape
    if n_members == 1:
        return [order[:, start : start + batch_size] for start in range(0, n_rows, batch_size)]
    n_batches = max(1, round(n_rows / batch_size))
    size = n_rows // n_batches
    return [order[:, start : start + size] for start in range(0, n_batches * size, size)]


def learning_rates(optimizer, recipe, epoch, n_batches, fold_epochs):
    """The learning rate of each step of an epoch."""
    factor = schedule(recipe.learning_rate, recipe.warmup)
    progress = [cycle_progress(epoch + i / n_batches, fold_epochs, recipe.max_iter) for i in range(n_batches)]
    return [optimizer.learning_rate * factor(part) for part in progress]


def open_folds(run, state):
    """End the fold phase: fit the mixture, and let members switch to the regularisation that did better."""
    run.committee.open_folds(run.model, run.training)
    state.progress.fold_epochs = state.progress.n_done
    run.report.end_folds()
    if run.recipe.members_differ:
        run.committee.adopt_strengths(run.model)
        state.optimizer.weight_decay = run.model.network.decays(run.committee.weight_decay)


def end_epoch(run, state, loss, rate):
    """Record an epoch and adjust the learning rate for the next one; True if training is to end here."""
    recipe, progress, optimizer = run.recipe, state.progress, state.optimizer
    progress.samples_seen += len(run.training)
    run.record(progress, loss, rate)
    if recipe.solver == "sgd" and recipe.learning_rate == "invscaling":
        optimizer.learning_rate = invscaling(recipe.learning_rate_init, progress.samples_seen, recipe.power_t)
    runs_to_its_end = is_planned(recipe.learning_rate) and run.validation is None
    if runs_to_its_end or not progress.is_stale(recipe.n_iter_no_change):
        return False
    what = "Training loss" if run.validation is None else "Validation score"
    message = f"{what} did not improve more than tol={recipe.tol:f} for {recipe.n_iter_no_change} consecutive epochs."
    if recipe.solver != "sgd" or recipe.learning_rate != "adaptive":
        run.report.message(f"{message} Stopping.")
        return True
    lower = adaptive(optimizer.learning_rate)
    if lower is None:
        run.report.message(f"{message} Learning rate too small. Stopping.")
        return True
    run.report.message(f"{message} Setting learning rate to {lower:f}")
    optimizer.learning_rate, progress.stale_epochs = lower, 0
    return False


def warn_if_unfinished(recipe):
    """Warn that max_iter ended training before any stopping rule did, unless that was the plan."""
    if not recipe.has_planned_length:
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({recipe.max_iter}) reached and the optimization hasn't converged yet.",
            ConvergenceWarning,
        )
