"""Records the progress of training (curves, the best epoch, the number of stale epochs), and prints it."""

from dataclasses import dataclass, field, replace
from math import inf, nan
from time import perf_counter

import numpy as np

from sksoftmax.nn.ensemble_weights import EnsembleWeights

CURVES = ("loss_curve", "validation_loss_curve", "validation_scores")
COLUMNS = "{:>11}  {:>8}  {:>13}  {:>15}  {:>16}  {:>10}  {:>8}  {:>8}  {:>4}"
HEADINGS = ("phase", "training loss", "validation loss", "validation score", "rate", "seconds", "left", "best")
ROWS_PER_HEADING = 25


@dataclass
class Progress:
    """The record of training over all warm starts and calls of partial_fit.

    Losses are weighted means over rows; those of `loss_curve` include the L2 penalty. `best_parameters` and
    `best_ensemble_weights` are those with the best validation score, until they are restored. `kept_epoch` is the index of the
    epoch whose weights the network has. `stopped` is the reason why partial_fit trains no more, or None. `n_before`
    counts the epochs before this call, `fold_epochs` those after which all members began to train on all rows, 0 if they never
    did.
    """

    loss_curve: list = field(default_factory=list)
    validation_loss_curve: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    best_loss: float = inf
    best_score: float = -inf
    best_epoch: int = -1
    best_parameters: np.ndarray | None = None
    best_ensemble_weights: EnsembleWeights | None = None
    kept_epoch: int = -1
    stopped: str | None = None
    stale_epochs: int = 0
    samples_seen: int = 0
    n_before: int = 0
    fold_epochs: int = 0

    @property
    def n_done(self):
        """The number of epochs or iterations of this call."""
        return len(self.loss_curve) - self.n_before

    @property
    def loss(self):
        """The loss of the epoch whose parameters are kept; NaN before the first."""
        return self.loss_curve[self.kept_epoch] if self.loss_curve else nan

    @property
    def improved(self):
        """Whether the last epoch is the best so far, by its score, or by its loss if epochs are not scored."""
        last = len(self.loss_curve) - 1
        return self.best_epoch == last if self.validation_scores else self.loss_curve[last] == self.best_loss

    def copy(self):
        """A copy of this record, with copies of its curves."""
        return replace(self, **{name: getattr(self, name).copy() for name in CURVES})

    def begin_call(self, model, validation):
        """Begin another call of fit or partial_fit.

        With validation rows, parameters that were restored count as the best so far.
        Without validation rows, earlier scores are dropped: they describe weights that are about to change.
        """
        if validation is None:
            self.validation_loss_curve, self.validation_scores = [], []
            self.forget_best()
        elif self.kept_epoch == self.best_epoch >= 0:
            self.best_parameters, self.best_ensemble_weights = model.network.parameters.copy(), model.ensemble_weights
        self.stopped = None

    def forget_best(self):
        """Forget the best score, which is that of a model with other parts than this one."""
        self.best_score, self.best_epoch, self.best_parameters, self.best_ensemble_weights = -inf, -1, None, None

    def record(self, loss, tol):
        """Add an epoch that is not scored; the epoch is stale if its loss is not lower than the best loss by tol."""
        self._add(loss, stale=loss > self.best_loss - tol)

    def record_scored(self, loss, validation_loss, score, model, tol):
        """Add an epoch with its validation score; the epoch is stale if its score is not higher than the best by tol."""
        self._add(loss, stale=score < self.best_score + tol)
        self.validation_loss_curve.append(validation_loss)
        self.validation_scores.append(score)
        if score > self.best_score:
            self.best_score, self.best_epoch = score, self.kept_epoch
            self.best_parameters, self.best_ensemble_weights = model.network.parameters.copy(), model.ensemble_weights

    def _add(self, loss, stale):
        self.loss_curve.append(loss)
        self.kept_epoch = len(self.loss_curve) - 1
        self.best_loss = min(self.best_loss, loss)
        self.stale_epochs = self.stale_epochs + 1 if stale else 0

    def public(self):
        """The estimator's attributes that describe training."""
        scored = bool(self.validation_scores)
        return {
            "loss_": self.loss,
            "loss_curve_": self.loss_curve,
            "best_loss_": None if scored else self.best_loss,
            "validation_loss_curve_": self.validation_loss_curve if scored else None,
            "validation_scores_": self.validation_scores if scored else None,
            "best_validation_score_": self.best_score if scored else None,
            "best_iter_": self.best_epoch + 1 if scored else None,
            "t_": self.samples_seen,
            "n_iter_": self.n_done,
            "n_fold_epochs_": self.fold_epochs,
        }


class Report:
    """Prints the progress of one call of fit or partial_fit.

    `verbose` 0 prints nothing, 2 prints a row of a table for each epoch, and any other number prints MLPClassifier's lines.
    Epochs are numbered over all calls. `n_epochs` is the highest number of epochs of this call, None for partial_fit; `unit` is
    what they are called; `has_folds` is whether members leave out folds.
    """

    def __init__(self, verbose, n_epochs=None, unit="epoch", has_folds=False):
        self.verbose, self.n_epochs, self.unit, self.has_folds = int(verbose), n_epochs, unit, has_folds
        self.begun = perf_counter()
        self.epoch = {0: self._nothing, 2: self._row}.get(self.verbose, self._lines)

    def message(self, text):
        """Print this text, unless `verbose` is 0."""
        if self.verbose:
            print(text)

    def end_folds(self):
        """Explain, in the table, why the losses jump and the rate rises."""
        self.has_folds = False
        if self.verbose == 2:
            print("The fold phase is over: from here all members train on all rows, and a planned rate starts again.")

    def _nothing(self, number, progress, rate):
        pass

    def _lines(self, number, progress, rate):
        print(f"Iteration {number}, loss = {progress.loss_curve[-1]:.8f}")
        if progress.validation_scores:
            print(f"Validation score: {progress.validation_scores[-1]:f}")

    def _row(self, number, progress, rate):
        total, name = len(progress.loss_curve), str(len(progress.loss_curve))
        if total % ROWS_PER_HEADING == 1:
            print(COLUMNS.format(self.unit, *HEADINGS))
        seconds = perf_counter() - self.begun
        left = "–"
        if self.n_epochs is not None:
            name = f"{total}/{progress.n_before + self.n_epochs}"
            left = f"{seconds / number * (self.n_epochs - number):.1f}"
        numbers = [curve[-1] if curve else None for curve in (getattr(progress, name) for name in CURVES)]
        cells = ["–" if value is None else f"{value:.6f}" for value in numbers]
        cells += ["–" if rate is None else f"{rate:.3g}", f"{seconds:.2f}", left, "*" if progress.improved else ""]
        print(COLUMNS.format(name, "folds" if self.has_folds else "all rows", *cells))
