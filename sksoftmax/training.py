"""Training: minibatches, the epoch loop with its stopping rules, and L-BFGS beside it.

`options` are the estimator's parameters by name, in a plain namespace. The network and the optimizer are changed in place;
`progress` records what happened and decides when it is enough.
"""

import warnings
from dataclasses import dataclass, field, replace
from math import inf, isfinite, nan

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning

from sksoftmax.network import Memory
from sksoftmax.schedules import PLANNED, adaptive, constant, invscaling
from sksoftmax.threads import one_thread_for_scipy

SCIPY_FTOL = 1e7 * np.finfo(np.float64).eps  # SciPy's default, and so MLPClassifier's; a tol below 5e-5 asks for less

STOPPED = (
    "The validation score has not improved for too long: the best weights were restored, and partial_fit does not train any "
    "more. Call fit, or set early_stopping=False, to go on."
)


@dataclass(frozen=True)
class Samples:
    """Rows to train on or to score.

    X is (n, d), targets are as the head's loss takes them, weights are (n,) or None for ones.
    """

    X: object
    targets: np.ndarray
    weights: np.ndarray | None = None

    def __len__(self):
        return self.X.shape[0]

    def batch(self, rows):
        """X, targets and weights of these rows, and the sum of the weights."""
        X = self.X[rows] if issparse(self.X) else self.X.take(rows, axis=0)
        targets = self.targets[rows]
        if self.weights is None:
            return X, targets, None, len(targets)
        weights = self.weights[rows]
        return X, targets, weights, float(weights.sum())

    def __getitem__(self, rows):
        return Samples(self.X[rows], self.targets[rows], None if self.weights is None else self.weights[rows])

    @property
    def total_weight(self):
        """The number of rows, or the sum of their weights."""
        return len(self) if self.weights is None else float(self.weights.sum())


@dataclass
class Progress:
    """What training has seen; goes on over warm starts and calls of partial_fit.

    Losses are means over weights and include the L2 penalty. `best_parameters` are those of the best validation score, until
    they are restored; `kept_epoch` is the index of the epoch whose weights the network has; `stopped` says that calls of
    partial_fit brought no improvement for too long.
    """

    loss_curve: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    best_loss: float = inf
    best_score: float = -inf
    best_epoch: int = -1
    best_parameters: np.ndarray | None = None
    kept_epoch: int = -1
    stopped: bool = False
    stale_epochs: int = 0
    samples_seen: int = 0

    @property
    def loss(self):
        """The loss of the epoch whose parameters are kept; NaN before the first."""
        return self.loss_curve[self.kept_epoch] if self.loss_curve else nan

    def copy(self):
        """A record of its own, to go on with."""
        return replace(self, loss_curve=self.loss_curve.copy(), validation_scores=self.validation_scores.copy())

    def go_on(self, parameters, validation):
        """Begin another call of fit or partial_fit: with validation rows, restored parameters are the best so far.

        Without them, earlier scores are forgotten: the weights will no longer be what they speak of.
        """
        if validation is None:
            self.validation_scores, self.best_score, self.best_epoch, self.best_parameters = [], -inf, -1, None
        elif self.kept_epoch == self.best_epoch >= 0:
            self.best_parameters = parameters.copy()
        self.stopped = False

    def record(self, loss, score, parameters, tol):
        """Add an epoch; it is stale if it is not better than the best by tol. `score` is None without validation."""
        self.loss_curve.append(loss)
        self.kept_epoch = len(self.loss_curve) - 1
        if score is None:
            stale = loss > self.best_loss - tol
        else:
            self.validation_scores.append(score)
            stale = score < self.best_score + tol
            if score > self.best_score:
                self.best_score, self.best_epoch = score, self.kept_epoch
                self.best_parameters = parameters.copy()
        self.best_loss = min(self.best_loss, loss)
        self.stale_epochs = self.stale_epochs + 1 if stale else 0


def train_epoch(network, optimizer, loss_function, training, batches, rates, alpha, memory):
    """One pass over the batches. Returns the mean loss, or the first batch loss that is not finite."""
    total = 0.0
    for rows, rate in zip(batches, rates):
        X, targets, weights, batch_weight = training.batch(rows)
        logits, backprop = network.forward(X, memory)
        loss, d_logits = loss_function(logits, targets, weights)  # d_logits is p − y
        backprop(d_logits)  # fills network.gradient
        loss += network.add_l2(alpha / batch_weight)
        if not isfinite(loss):
            return loss
        optimizer.step(network.parameters, network.gradient, rate)
        total += loss * batch_weight
    return total / training.total_weight


def minibatches(order, batch_size):
    """The rows in this order, cut into batches; the last may be smaller."""
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def train(network, optimizer, head, training, validation, progress, options, rng):
    """Epochs until a stopping rule or max_iter; returns their number."""
    network.allocate_gradient()
    progress.go_on(network.parameters, validation)
    known_good = (network.parameters.copy(), progress.kept_epoch) if progress.loss_curve else None
    order, memory, n_done = np.arange(len(training)), Memory(network.dtype), 0
    try:
        while n_done < options.max_iter:
            start = network.parameters.copy()
            order = shuffled(order, options, rng)
            batches = minibatches(order, clipped_batch_size(options.batch_size, len(training)))
            rates = learning_rates(optimizer, options, n_done, len(batches))
            loss = train_epoch(network, optimizer, head.loss, training, batches, rates, options.alpha, memory)
            if diverged(loss, network, optimizer):
                restore_after_divergence(network, optimizer, known_good, progress, options)
                break
            if loss < progress.best_loss:
                known_good = (start, len(progress.loss_curve))
            n_done += 1
            progress.samples_seen += len(training)
            record_epoch(network, head, loss, validation, progress, n_done, options, memory)
            if end_epoch(optimizer, progress, validation, options):
                break
        else:
            warn_if_unfinished(options)
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.")
    restore_best(network, validation, progress)
    return n_done


def train_once(network, optimizer, head, training, validation, progress, options, rng):
    """One epoch, for partial_fit, at a rate that no plan changes; none if the validation score has ended training."""
    if progress.stopped and validation is not None:
        warnings.warn(STOPPED)
        return
    network.allocate_gradient()
    progress.go_on(network.parameters, validation)
    known_good = (network.parameters.copy(), progress.kept_epoch) if progress.loss_curve else None
    batches = minibatches(shuffled(np.arange(len(training)), options, rng), clipped_batch_size(options.batch_size, len(training)))
    rates = [optimizer.learning_rate] * len(batches)
    memory = Memory(network.dtype)
    loss = train_epoch(network, optimizer, head.loss, training, batches, rates, options.alpha, memory)
    if diverged(loss, network, optimizer):
        restore_after_divergence(network, optimizer, known_good, progress, options)
        return
    progress.samples_seen += len(training)
    record_epoch(network, head, loss, validation, progress, 1, options, memory)
    if end_epoch(optimizer, progress, validation, options) and validation is not None:
        restore_best(network, validation, progress)
        progress.stopped = True
        warnings.warn(STOPPED)


def shuffled(order, options, rng):
    """The rows in a new order, drawn as MLPClassifier draws it, where `options.shuffle` is on."""
    return order[rng.permutation(len(order))] if options.shuffle else order


def diverged(loss, network, optimizer):
    """Whether an epoch ended with a loss, weights or moments that are not finite (or too large to square)."""
    return not isfinite(loss) or not isfinite(network.parameters @ network.parameters) or optimizer.overflowed()


def record_epoch(network, head, loss, validation, progress, n_done, options, memory):
    """Score the validation rows, where there are any, and take the epoch down."""
    score = None if validation is None else validation_score(network, head, validation, memory)
    progress.record(loss, score, network.parameters, options.tol)
    if options.verbose:
        print("Iteration %d, loss = %.8f" % (n_done, loss))
        if score is not None:
            print("Validation score: %f" % score)


def validation_score(network, head, validation, memory):
    """Weighted accuracy."""
    hits = head.hits(network.logits(validation.X, memory), validation.targets)
    return float(np.average(hits, weights=validation.weights))


def end_epoch(optimizer, progress, validation, options):
    """Adjust the learning rate for the next epoch; True if training is to end here."""
    sgd_schedule = options.learning_rate if options.solver == "sgd" else None
    if sgd_schedule == "invscaling":
        optimizer.learning_rate = invscaling(options.learning_rate_init, progress.samples_seen, options.power_t)
    if progress.stale_epochs <= options.n_iter_no_change or (options.learning_rate in PLANNED and validation is None):
        return False
    what = "Training loss" if validation is None else "Validation score"
    message = f"{what} did not improve more than tol={options.tol:f} for {options.n_iter_no_change} consecutive epochs."
    lower = adaptive(optimizer.learning_rate) if sgd_schedule == "adaptive" else None
    if lower is None:
        report(options, message + (" Learning rate too small. Stopping." if sgd_schedule == "adaptive" else " Stopping."))
        return True
    report(options, f"{message} Setting learning rate to {lower:f}")
    optimizer.learning_rate, progress.stale_epochs = lower, 0
    return False


def learning_rates(optimizer, options, epoch, n_batches):
    """The learning rate of each step of an epoch."""
    factor = PLANNED.get(options.learning_rate, constant)
    return [optimizer.learning_rate * factor((epoch + i / n_batches) / options.max_iter) for i in range(n_batches)]


def clipped_batch_size(batch_size, n_samples):
    """`batch_size` as a number of rows that the data has."""
    if batch_size == "auto":
        return min(200, n_samples)
    return min(batch_size, n_samples)


def report(options, message):
    """Print where verbose."""
    if options.verbose:
        print(message)


def warn_if_unfinished(options):
    """Say that max_iter came before any stopping rule, unless that was the plan."""
    if options.learning_rate not in PLANNED:
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({options.max_iter}) reached and the optimization hasn't converged yet.",
            ConvergenceWarning,
        )


def restore_after_divergence(network, optimizer, known_good, progress, options):
    """Go back to good weights and the index of their epoch, with a warning; ValueError where there are none yet."""
    advice = f"Scale the columns of X, for example with StandardScaler, or lower learning_rate_init={options.learning_rate_init}."
    if known_good is None:
        raise ValueError(diverged_message(progress, f"Nothing was learnt before that. {advice}"))
    network.parameters[...], progress.kept_epoch = known_good
    optimizer.forget()
    kept = f"The last good weights were restored; the loss from there was {progress.loss:.6g}."
    warnings.warn(diverged_message(progress, f"{kept} {advice}"), ConvergenceWarning)


def diverged_message(progress, consequence):
    """What happened, in which epoch, and what follows."""
    return (
        "Training diverged: the loss, the weights or the optimizer's moments were not finite in epoch "
        f"{len(progress.loss_curve) + 1}. {consequence}"
    )


def restore_best(network, validation, progress):
    """Take the parameters of the best validation score, where there was validation."""
    if validation is not None and progress.best_parameters is not None:
        network.parameters[...], progress.kept_epoch = progress.best_parameters, progress.best_epoch
        progress.best_parameters = None


def train_lbfgs(network, head, training, validation, progress, options):
    """Minimise the loss on all rows with SciPy's L-BFGS-B; returns the number of iterations."""
    network.allocate_gradient()
    progress.go_on(network.parameters, validation)
    accepted, n_before, memory = network.parameters.copy(), len(progress.loss_curve), Memory(network.dtype)

    def loss_and_gradient(parameters):
        network.parameters[...] = parameters
        logits, backprop = network.forward(training.X, memory)
        loss, d_logits = head.loss(logits, training.targets, training.weights)  # d_logits is p − y
        backprop(d_logits)
        loss += network.add_l2(options.alpha / training.total_weight)
        return loss, network.gradient.astype(np.float64)

    def record_iteration(result):
        network.parameters[...] = accepted[...] = result.x
        n_done = len(progress.loss_curve) - n_before + 1
        record_epoch(network, head, float(result.fun), validation, progress, n_done, options, memory)

    def end_iteration(intermediate_result):
        record_iteration(intermediate_result)
        if validation is not None and progress.stale_epochs > options.n_iter_no_change:
            raise StopIteration

    try:
        if not isfinite(loss_and_gradient(accepted.astype(np.float64))[0]):
            raise ValueError(diverged_message(progress, "Nothing was learnt. Scale the columns of X."))
        limits = {
            "maxiter": options.max_iter,
            "maxfun": options.max_fun,
            "gtol": options.tol,
            "ftol": max(min(SCIPY_FTOL, options.tol**2), 10 * np.finfo(accepted.dtype).eps),
        }
        start = accepted.astype(np.float64)
        with one_thread_for_scipy:
            result = minimize(loss_and_gradient, start, method="L-BFGS-B", jac=True, callback=end_iteration, options=limits)
        accepted[...] = result.x
        warn_if_not_converged(result, options)
        if len(progress.loss_curve) == n_before:
            record_iteration(result)
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.")
    network.parameters[...] = accepted
    restore_best(network, validation, progress)
    return len(progress.loss_curve) - n_before


def warn_if_not_converged(result, options):
    """Say why L-BFGS ended where it was neither convergence nor early stopping."""
    if result.status in (1, 2):
        warnings.warn(
            f"lbfgs failed to converge after {result.nit} iteration(s) (status={result.status}): {result.message}\n"
            f"Increase max_iter={options.max_iter} or max_fun={options.max_fun}, or scale the columns of X.",
            ConvergenceWarning,
        )
