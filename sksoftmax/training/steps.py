"""Training by steps of SGD or Adam: the training step, epochs with their stopping rules, minibatches and learning rates."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sksoftmax.engines import described, engine_for
from sksoftmax.nn.layers import bit_generators
from sksoftmax.nn.schedules import adaptive, invscaling, rates_of_epoch
from sksoftmax.nn.threads import BlasThreadLimit, blas_limit_for
from sksoftmax.training.callbacks import NoTasks
from sksoftmax.training.divergence import Snapshot, diverged, go_back, restore_after_divergence
from sksoftmax.training.run import INTERRUPTED

STOPPED = "{reason} partial_fit does not train any more: call fit, or set early_stopping=False, to continue."
COMPANION_FACTOR = 0.4  # of a companion's weight: after the fold phase the members go on learning, and it does not


def train_by_steps(run, state):
    """For fit: train epochs until a stopping rule, a callback or max_iter ends training."""
    network, progress, config = run.model.network, state.progress, run.config
    known_good, bits = begin(run, state), random_bits(run, state.rng)
    engine, is_careful = engine_for(run, state, bits), False
    state.engine = described(engine)
    try:
        with one_thread_if_small(run, engine):
            while progress.n_done < config.max_iter:
                if run.plan.folds is not None and progress.n_done == run.fold_epochs:
                    end_fold_phase(run, state)
                start = network.parameters.copy(), run.model.ensemble_weights, len(progress.loss_curve)
                run.tasks.begin()
                n_epochs = 1 if is_careful else n_epochs_ahead(run, state, engine.most_epochs)
                before = Snapshot(run, state, bits) if n_epochs > 1 else None
                epochs = next_epochs(run, state, n_epochs)
                losses = engine.train(epochs)
                if before and diverged(sum(losses), network, state.optimizer):
                    before.restore()
                    is_careful = True
                    continue
                if diverged(losses[-1], network, state.optimizer):
                    restore_after_divergence(run, state, known_good)
                    run.tasks.end()
                    break
                if min(losses) < progress.best_loss:
                    known_good = start if losses[0] <= losses[-1] else weights_now(run, state, len(losses))
                for loss, (_, rates) in zip(losses, epochs):
                    ended = end_epoch(run, state, loss, rates[-1])
                if run.tasks.end() or ended:
                    break
            else:
                warn_if_unfinished(config)
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
        warnings.warn(STOPPED.format(reason=progress.stopped))
        return
    known_good, batches = begin(run, state), minibatches(run, state.rng)
    run.tasks.begin()
    rates, engine = [optimizer.learning_rate] * len(batches), engine_for(run, state, random_bits(run, state.rng))
    state.engine = described(engine)
    with one_thread_if_small(run, engine):
        [loss] = engine.train([(batches, rates)])
    if diverged(loss, run.model.network, optimizer):
        restore_after_divergence(run, state, known_good)
    elif (reason := end_epoch(run, state, loss, optimizer.learning_rate)) and run.validation is not None:
        run.restore_best(progress)
        progress.stopped = reason
        warnings.warn(STOPPED.format(reason=reason))
    run.tasks.end()


def weights_now(run, state, n_epochs):
    """What to go back to if training diverges later: the weights after these epochs, of which the last one's loss is known."""
    return run.model.network.parameters.copy(), run.model.ensemble_weights, len(state.progress.loss_curve) + n_epochs - 1


def n_epochs_ahead(run, state, most):
    """The number of epochs, at most so many, until somebody looks or training may end.

    If they end with numbers that are not finite, they are undone and trained one by one, to find the first bad one.
    """
    config, progress = run.config, state.progress
    is_watched = run.validation is not None or config.verbose or not isinstance(run.tasks, NoTasks)
    has_own_schedule = state.optimizer.has_own_schedules and config.learning_rate == "invscaling"
    if is_watched or has_own_schedule or callable(config.learning_rate):
        return 1
    end = config.max_iter if run.plan.folds is None else run.fold_epochs
    return max(1, int(min(most, end - progress.n_done, run.stopping.n_epochs_ahead(progress))))


def next_epochs(run, state, n_epochs):
    """The next epochs, pairs of batches and rates."""
    first, epochs = state.progress.n_done, []
    for epoch in range(first, first + n_epochs):
        batches = minibatches(run, state.rng)
        epochs.append((batches, rates_of_epoch(state.optimizer, run.config, epoch, len(batches), run.fold_epochs)))
    return epochs


def begin(run, state):
    """Make ready; return what to go back to if training diverges: weights, ensemble and the index of their epoch."""
    network = run.model.network
    network.allocate_gradient()
    state.progress.begin_call(run.model, run.validation)
    return network.parameters.copy(), run.model.ensemble_weights, state.progress.kept_epoch


def one_thread_if_small(run, engine):
    """A limit of BLAS's threads to one, unless the products of a step are large, and the engine leaves it the threads."""
    return (
        BlasThreadLimit(1)
        if engine.uses_threads
        else blas_limit_for(run.config.batch_size * run.model.network.architecture.largest_product)
    )


def random_bits(run, rng):
    """The members' bit generators for dropout, seeded by one draw from rng; None without dropout, and then rng is not used."""
    return bit_generators(rng.randint(2**31), run.config.n_members) if np.any(run.plan.dropout) else None


def minibatches(run, rng):
    """The rows, (n_members, n), of each step of the next epoch, shuffled unless the user declines.

    With one member the last batch may be smaller; with several all are of one size, and a few rows may be left out.
    """
    order = run.plan.order
    if run.config.shuffle:
        for rows in order:
            rows[...] = rows[rng.permutation(len(rows))]
    return cut(order.copy(), run.config.batch_size)


def cut(order, batch_size):
    """The rows in this order, (n_members, m), cut into batches."""
    n_members, n_rows = order.shape
    if n_members == 1:
        return [order[:, start : start + batch_size] for start in range(0, n_rows, batch_size)]
    n_batches = max(1, round(n_rows / batch_size))
    size = n_rows // n_batches
    return [order[:, start : start + size] for start in range(0, n_batches * size, size)]


def end_fold_phase(run, state):
    """End the fold phase: fit the ensemble weights, and let members switch to the regularization that did better."""
    model = run.model
    run.plan.end_fold_phase(model, run.training)
    if model.companion is not None:
        model.ensemble_weights = model.ensemble_weights.with_companion_times(COMPANION_FACTOR, run.config.n_members)
    state.progress.fold_epochs = state.progress.n_done
    run.report.end_folds()
    if run.config.members_differ:
        run.plan.adopt_strengths(model)
        state.optimizer.weight_decay = model.network.decays(run.plan.weight_decay)


def end_epoch(run, state, loss, rate):
    """Record an epoch and adjust the learning rate for the next one; return the reason to end training here, or None."""
    config, progress, optimizer = run.config, state.progress, state.optimizer
    progress.samples_seen += len(run.training)
    run.record(progress, loss, rate)
    if optimizer.has_own_schedules and config.learning_rate == "invscaling":
        optimizer.learning_rate = invscaling(config.learning_rate_init, progress.samples_seen, config.power_t)
    reason = run.stopping.after_epoch(progress)
    if reason is None:
        return None
    if not optimizer.has_own_schedules or config.learning_rate != "adaptive":
        run.report.message(f"{reason} Stopping.")
        return reason
    lower = adaptive(optimizer.learning_rate)
    if lower is None:
        run.report.message(f"{reason} Learning rate too small. Stopping.")
        return reason
    run.report.message(f"{reason} Setting learning rate to {lower:f}")
    optimizer.learning_rate, progress.stale_epochs = lower, 0
    return None


def warn_if_unfinished(config):
    """Warn that max_iter ended training before any stopping rule did, unless that was the plan."""
    if not config.has_planned_length:
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({config.max_iter}) reached and the optimization hasn't converged yet.",
            ConvergenceWarning,
        )
