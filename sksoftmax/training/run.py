"""Training: minibatches, the epoch loop with its stopping rules, and L-BFGS beside it.

A `Run` is one call of fit or partial_fit; its `epoch` is the training step, over and over. `options` are the estimator's
parameters by name, in a plain namespace.
"""

import warnings
from dataclasses import dataclass
from functools import partial
from math import isfinite

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning

from sksoftmax.data.rows import Rows
from sksoftmax.nn.network import Memory
from sksoftmax.nn.optimizers import clip
from sksoftmax.nn.schedules import adaptive, cycle_progress, invscaling, is_planned, schedule
from sksoftmax.training.committee import Roles, better_strengths, fit_mixture, rows_of_members
from sksoftmax.training.progress import Report
from sksoftmax.training.threads import one_thread_for_scipy

SCIPY_FTOL = 1e7 * np.finfo(np.float64).eps  # SciPy's default, and so MLPClassifier's; a tol below 5e-5 asks for less

INTERRUPTED = "Training interrupted by user."
PART_NUMBERS = 2**23  # of the network's input that L-BFGS holds at once where it does not hold all

STOPPED = (
    "The validation score has not improved for too long: partial_fit does not train any more. Call fit, or set "
    "early_stopping=False, to go on."
)


@dataclass(frozen=True)
class Samples:
    """Rows to train on or to score.

    X is (n, d), numbers or `Rows`; targets are as the head's loss takes them, weights are (n,) or None for ones; `rows` are their
    row numbers in what the user passed.
    """

    X: object
    targets: np.ndarray
    weights: np.ndarray | None = None
    rows: np.ndarray | None = None

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
        return Samples(*(None if part is None else part[rows] for part in (self.X, self.targets, self.weights, self.rows)))

    @property
    def total_weight(self):
        """The number of rows, or the sum of their weights."""
        return len(self) if self.weights is None else float(self.weights.sum())


def minibatches(order, batch_size):
    """The rows in this order, (n_members, m), cut into batches; of one member the last may be smaller, of several all are equal.

    The rows of several members stand one below the other.
    """
    n_members, n_rows = order.shape
    if n_members == 1:
        return [order[0, start : start + batch_size] for start in range(0, n_rows, batch_size)]
    n_batches = max(1, round(n_rows / batch_size))
    size = n_rows // n_batches
    return [order[:, start : start + size].ravel() for start in range(0, n_batches * size, size)]


@dataclass
class Run:
    """One call of fit or partial_fit: what is trained, on what, and the record of it.

    The network and the progress are changed in place. `validation` is None where nothing is scored; `score`, without arguments,
    is the user's scorer on these rows, None for accuracy and loss. `tasks` tells callbacks of each epoch. `mixture` makes one of
    the members' logits. `order` has the rows that each member trains on, (n_members, m): with `folds`, all but its own.
    """

    network: object
    head: object
    training: Samples
    validation: Samples | None
    progress: object
    options: object
    tasks: object
    mixture: object
    score: object = None
    folds: np.ndarray | None = None
    order: np.ndarray | None = None

    def __post_init__(self):
        self.n_members = self.network.n_members or 1
        self.memory = Memory(self.network.dtype)
        self.n_before = len(self.progress.loss_curve)
        self.report = Report(self.options.verbose)
        self.loss = partial(member_loss, self.head.loss, self.options.label_smoothing, self.n_members)
        if self.n_members == 1 and not self.options.label_smoothing:
            self.loss = self.head.loss

    def batches(self, rng):
        """The rows of each step of the next epoch; those of members stand one below the other."""
        if self.options.shuffle:
            for rows in self.order:
                rows[...] = rows[rng.permutation(len(rows))]
        return minibatches(self.order, self.options.batch_size)

    def begin(self):
        """Make ready; return the weights to go back to if training diverges, with the index of their epoch."""
        self.network.allocate_gradient()
        self.progress.go_on(self.network.parameters, self.validation)
        return self.network.parameters.copy(), self.progress.kept_epoch

    @property
    def n_done(self):
        """The number of epochs or iterations of this call."""
        return len(self.progress.loss_curve) - self.n_before

    def random_bits(self, rng):
        """What dropout draws from, seeded by one draw from rng; None without dropout, and rng is not touched."""
        return np.random.SFC64(rng.randint(2**31)) if np.any(self.network.dropout) else None

    def epochs(self, optimizer, rng):
        """For fit: epochs until a stopping rule, a callback or max_iter."""
        known_good, bits = self.begin(), self.random_bits(rng)
        try:
            while self.n_done < self.options.max_iter:
                if self.folds is not None and self.n_done == self.options.fold_epochs:
                    self.open_folds()
                    self.adopt_strengths(optimizer)
                start = self.network.parameters.copy()
                self.tasks.begin()
                batches = self.batches(rng)
                rates = learning_rates(optimizer, self.options, self.n_done, len(batches))
                loss = self.epoch(optimizer, batches, rates, bits)
                if diverged(loss, self.network, optimizer):
                    self.restore_after_divergence(optimizer, known_good)
                    self.tasks.end()
                    break
                if loss < self.progress.best_loss:
                    known_good = (start, len(self.progress.loss_curve))
                ended = self.end_epoch(optimizer, loss, rates[-1])
                if self.tasks.end() or ended:
                    break
            else:
                warn_if_unfinished(self.options)
        except KeyboardInterrupt:
            warnings.warn(INTERRUPTED)
            optimizer.end_epoch(self.network.parameters)
            if diverged(0.0, self.network, optimizer):
                self.go_back(optimizer, known_good)
        self.restore_best()

    def open_folds(self):
        """Fit the mixture on the rows that each member has left out; from here on all members train on all rows."""
        self.mixture = fit_mixture(self.network, self.folds, self.training, self.head)
        self.folds = None
        self.order = rows_of_members(None, self.network, len(self.training))

    def adopt_strengths(self, optimizer):
        """Have members go on with the dropout and the weight decay that did better out of fold."""
        network, decay = self.network, self.options.weight_decay
        if not (isinstance(network.dropout, np.ndarray) or isinstance(decay, np.ndarray)):
            return
        model = better_strengths(Roles.of(self.n_members), self.mixture)
        self.mixture = self.mixture.adopting(model)
        if isinstance(network.dropout, np.ndarray):
            network.dropout = network.dropout[model]
        if isinstance(decay, np.ndarray):
            optimizer.weight_decay = network.weight_parts(decay[model])

    def one_epoch(self, optimizer, rng):
        """For partial_fit: one epoch at a rate that no plan changes; none if the validation score has ended training."""
        if self.progress.stopped and self.validation is not None:
            warnings.warn(STOPPED)
            return
        known_good, batches = self.begin(), self.batches(rng)
        self.tasks.begin()
        loss = self.epoch(optimizer, batches, [optimizer.learning_rate] * len(batches), self.random_bits(rng))
        if diverged(loss, self.network, optimizer):
            self.restore_after_divergence(optimizer, known_good)
        elif self.end_epoch(optimizer, loss, optimizer.learning_rate) and self.validation is not None:
            self.restore_best()
            self.progress.stopped = True
            warnings.warn(STOPPED)
        self.tasks.end()

    def epoch(self, optimizer, batches, rates, bits):
        """Train on all batches once. Returns the mean loss, or the first batch loss that is not finite."""
        network, loss_function, total, total_weight = self.network, self.loss, 0.0, 0.0
        optimizer.begin_epoch(network.parameters)
        for rows, rate in zip(batches, rates):
            X, targets, weights, batch_weight = self.training.batch(rows)
            logits, backprop = network.forward(X, self.memory, bits)
            loss, d_logits = loss_function(logits, targets, weights)  # d_logits is p − y
            backprop(d_logits)  # fills network.gradient
            loss += network.add_l2(self.options.alpha * self.n_members / batch_weight) / self.n_members
            total_weight += batch_weight
            if not isfinite(loss):
                return loss
            clip(network.gradient, self.options.clip_norm)
            optimizer.step(network.parameters, network.gradient, rate)
            total += loss * batch_weight
        optimizer.end_epoch(network.parameters)
        return total / total_weight

    def end_epoch(self, optimizer, loss, rate):
        """Take an epoch down and adjust the learning rate for the next; True if training is to end here."""
        self.progress.samples_seen += len(self.training)
        self.record(loss, rate)
        options, progress = self.options, self.progress
        sgd_schedule = options.learning_rate if options.solver == "sgd" else None
        if sgd_schedule == "invscaling":
            optimizer.learning_rate = invscaling(options.learning_rate_init, progress.samples_seen, options.power_t)
        planned = is_planned(options.learning_rate) and self.validation is None
        if progress.stale_epochs <= options.n_iter_no_change or planned:
            return False
        what = "Training loss" if self.validation is None else "Validation score"
        message = f"{what} did not improve more than tol={options.tol:f} for {options.n_iter_no_change} consecutive epochs."
        lower = adaptive(optimizer.learning_rate) if sgd_schedule == "adaptive" else None
        if lower is None:
            self.report.message(message + (" Learning rate too small. Stopping." if sgd_schedule == "adaptive" else " Stopping."))
            return True
        self.report.message(f"{message} Setting learning rate to {lower:f}")
        optimizer.learning_rate, progress.stale_epochs = lower, 0
        return False

    def record(self, loss, rate=None):
        """Score the validation rows, where there are any, and take the epoch or iteration down."""
        if self.validation is None:
            self.progress.record(loss, self.options.tol)
        else:
            self.progress.record_scored(loss, *self.validate(), self.network.parameters, self.options.tol)
        self.report.epoch(self.n_done, self.progress, rate)

    def validate(self):
        """The mean loss on the validation rows, and their score: weighted accuracy, minus the loss, or the user's scorer."""
        rows, scoring = self.validation, self.options.scoring
        logits = self.network.logits(rows.X, self.memory, combine=partial(self.mixture.logits, head=self.head))
        hits = self.head.hits(logits, rows.targets) if scoring == "accuracy" else None
        loss = self.head.loss(logits, rows.targets, rows.weights)[0]  # overwrites the logits
        if scoring == "accuracy":
            return loss, float(np.average(hits, weights=rows.weights))
        return loss, -loss if scoring == "loss" else self.score()

    def restore_after_divergence(self, optimizer, known_good):
        """Go back to good weights and the index of their epoch, with a warning.

        ValueError if X is too large for any weights: if the loss of the initial ones, or a square of its gradient, is infinite.
        """
        untrained, advice, overflowed = not self.progress.loss_curve, self.advice(), optimizer.overflowed()
        self.go_back(optimizer, known_good)
        loss = self.initial_loss() if untrained else self.progress.loss
        if untrained and (not isfinite(loss) or overflowed):
            raise ValueError(diverged_message(self.progress, f"Nothing was learnt before that. {advice}"))
        kept = "initial weights, which have learnt nothing," if untrained else "last good weights"
        kept = f"The {kept} were restored; the loss from there was {loss:.6g}."
        warnings.warn(diverged_message(self.progress, f"{kept} {advice}"), ConvergenceWarning)

    def advice(self):
        """What the user can do against divergence."""
        rate, alpha = self.options.learning_rate_init, self.options.alpha
        advice = f"Scale the columns of X, for example with StandardScaler, or lower learning_rate_init={rate}."
        if alpha and self.training.total_weight < len(self.training):
            advice += f" The penalty alpha={alpha} is divided by the sum of sample_weight: multiply small weights by a constant."
        return advice

    def go_back(self, optimizer, known_good):
        """Take good weights, and the index of their epoch, in place of those that are not finite."""
        self.network.parameters[...], self.progress.kept_epoch = known_good
        optimizer.forget()

    def initial_loss(self):
        """The loss of the current weights on the first rows: enough to see whether it is finite."""
        X, targets, weights, _ = self.training.batch(self.order[:, :1000].ravel())
        return self.loss(self.network.forward(X, self.memory)[0], targets, weights)[0]

    def restore_best(self):
        """Take the parameters of the best validation score, where there was validation and unless the user declines."""
        progress = self.progress
        if self.validation is None or progress.best_parameters is None or not self.options.restore_best:
            return
        self.network.parameters[...], progress.kept_epoch = progress.best_parameters, progress.best_epoch
        progress.best_parameters = None

    def lbfgs(self):
        """For fit: minimise the loss on all rows with SciPy's L-BFGS-B."""
        accepted, _ = self.begin()

        def end_iteration(intermediate_result):
            accepted[...] = intermediate_result.x
            self.network.parameters[...] = accepted
            self.tasks.begin()
            self.record(float(intermediate_result.fun))
            stale = self.validation is not None and self.progress.stale_epochs > self.options.n_iter_no_change
            if self.tasks.end() or stale:
                raise StopIteration

        try:
            start = accepted.astype(np.float64)
            loss = self.loss_and_gradient(start)[0]
            if not isfinite(loss):
                raise ValueError(diverged_message(self.progress, "Nothing was learnt. Scale the columns of X."))
            with one_thread_for_scipy:
                result = minimize(
                    self.loss_and_gradient,
                    start,
                    method="L-BFGS-B",
                    jac=True,
                    callback=end_iteration,
                    options=lbfgs_limits(self.options, accepted.dtype),
                )
            accepted[...] = result.x
            warn_if_not_converged(result, self.options)
        except KeyboardInterrupt:
            warnings.warn(INTERRUPTED)
        else:
            if self.n_done == 0:  # the start was an optimum
                self.tasks.begin()
                self.record(loss)
                self.tasks.end()
        self.network.parameters[...] = accepted
        self.restore_best()

    def loss_and_gradient(self, parameters):
        """The penalised loss on all training rows, and its gradient in double precision."""
        network, training = self.network, self.training
        network.parameters[...] = parameters
        loss, gradient = 0.0, np.zeros_like(network.gradient)
        for part in parts(training):
            share = part.total_weight / training.total_weight
            logits, backprop = network.forward(part.X, self.memory)
            loss_of_part, d_logits = self.loss(logits, part.targets, part.weights)  # d_logits is p − y
            d_logits *= share
            backprop(d_logits)
            loss += share * loss_of_part
            gradient += network.gradient
        network.gradient[...] = gradient
        loss += network.add_l2(self.options.alpha / training.total_weight)
        return loss, network.gradient.astype(np.float64)


def parts(samples):
    """The samples as they are; or, where X is `Rows`, one after the other as many as may stand in memory."""
    if not isinstance(samples.X, Rows):
        return [samples]
    step = max(1, PART_NUMBERS // samples.X.shape[1])
    return (samples[start : start + step] for start in range(0, len(samples), step))


def member_loss(loss, smoothing, n_members, logits, targets, weights):
    """The mean of the members' losses, and the gradient of their sum: each is trained as if it were alone."""
    mean, d_logits = loss(logits, targets, weights, smoothing)
    d_logits *= n_members
    return mean, d_logits


def diverged(loss, network, optimizer):
    """Whether an epoch ended with a loss, weights or moments that are not finite (or too large to square)."""
    return not isfinite(loss) or not isfinite(network.parameters @ network.parameters) or optimizer.overflowed()


def learning_rates(optimizer, options, epoch, n_batches):
    """The learning rate of each step of an epoch."""
    factor = schedule(options.learning_rate, options.warmup)
    progress = [cycle_progress(epoch + i / n_batches, options.fold_epochs, options.max_iter) for i in range(n_batches)]
    return [optimizer.learning_rate * factor(part) for part in progress]


def warn_if_unfinished(options):
    """Say that max_iter came before any stopping rule, unless that was the plan."""
    if not is_planned(options.learning_rate):
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({options.max_iter}) reached and the optimization hasn't converged yet.",
            ConvergenceWarning,
        )


def diverged_message(progress, consequence):
    """What happened, in which epoch, and what follows."""
    return (
        "Training diverged: the loss, the weights or the optimizer's moments were not finite in epoch "
        f"{len(progress.loss_curve) + 1}. {consequence}"
    )


def lbfgs_limits(options, dtype):
    """When SciPy's L-BFGS-B is to end; a relative change of the loss below rounding brings nothing more."""
    rounding = 10 * np.finfo(dtype).eps
    return {
        "maxiter": options.max_iter,
        "maxfun": options.max_fun,
        "gtol": options.tol,
        "ftol": max(min(SCIPY_FTOL, options.tol**2), rounding),
    }


def warn_if_not_converged(result, options):
    """Say why L-BFGS ended where it was neither convergence nor early stopping."""
    if result.status in (1, 2):
        warnings.warn(
            f"lbfgs failed to converge after {result.nit} iteration(s) (status={result.status}): {result.message}\n"
            f"Increase max_iter={options.max_iter} or max_fun={options.max_fun}, or scale the columns of X.",
            ConvergenceWarning,
        )
