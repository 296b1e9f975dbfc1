"""What training has seen: curves, the best epoch, how long it has been stale; and its lines on the screen."""

from dataclasses import dataclass, field, replace
from math import inf, nan
from time import perf_counter

import numpy as np

CURVES = ("loss_curve", "validation_loss_curve", "validation_scores")
COLUMNS = "{:>9}  {:>13}  {:>15}  {:>16}  {:>10}  {:>8}  {:>4}"
HEADINGS = ("Iteration", "training loss", "validation loss", "validation score", "rate", "seconds", "best")
ROWS_PER_HEADING = 25


@dataclass
class Progress:
    """What training has seen; goes on over warm starts and calls of partial_fit.

    Losses are means over weights; those of `loss_curve` include the L2 penalty. `best_parameters` are those of the best
    validation score, until they are restored; `kept_epoch` is the index of the epoch whose weights the network has; `stopped`
    says that calls of partial_fit brought no improvement for too long.
    """

    loss_curve: list = field(default_factory=list)
    validation_loss_curve: list = field(default_factory=list)
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

    @property
    def improved(self):
        """Whether the last epoch is the best so far: by its score, or by its loss where nothing is scored."""
        last = len(self.loss_curve) - 1
        return self.best_epoch == last if self.validation_scores else self.loss_curve[last] == self.best_loss

    def copy(self):
        """A record of its own, to go on with."""
        return replace(self, **{name: getattr(self, name).copy() for name in CURVES})

    def go_on(self, parameters, validation):
        """Begin another call of fit or partial_fit: with validation rows, restored parameters are the best so far.

        Without them, earlier scores are forgotten: the weights will no longer be what they speak of.
        """
        if validation is None:
            self.validation_loss_curve, self.validation_scores = [], []
            self.best_score, self.best_epoch, self.best_parameters = -inf, -1, None
        elif self.kept_epoch == self.best_epoch >= 0:
            self.best_parameters = parameters.copy()
        self.stopped = False

    def record(self, loss, tol):
        """Add an epoch that is not scored; it is stale if its loss is not lower than the best by tol."""
        self._add(loss, stale=loss > self.best_loss - tol)

    def record_scored(self, loss, validation_loss, score, parameters, tol):
        """Add an epoch with its score on the validation rows; it is stale if that is not higher than the best by tol."""
        self._add(loss, stale=score < self.best_score + tol)
        self.validation_loss_curve.append(validation_loss)
        self.validation_scores.append(score)
        if score > self.best_score:
            self.best_score, self.best_epoch, self.best_parameters = score, self.kept_epoch, parameters.copy()

    def _add(self, loss, stale):
        self.loss_curve.append(loss)
        self.kept_epoch = len(self.loss_curve) - 1
        self.best_loss = min(self.best_loss, loss)
        self.stale_epochs = self.stale_epochs + 1 if stale else 0


class Report:
    """Prints the progress of one call of fit or partial_fit.

    `verbose` 0 prints nothing, 1 MLPClassifier's lines, 2 and above one row of a table an epoch, numbered over all calls.
    """

    def __init__(self, verbose):
        self.verbose = int(verbose)
        self.begun = perf_counter()
        self.epoch = self._nothing if self.verbose == 0 else self._lines if self.verbose == 1 else self._row

    def message(self, text):
        """Print a line of its own."""
        if self.verbose:
            print(text)

    def _nothing(self, number, progress, rate):
        pass

    def _lines(self, number, progress, rate):
        print(f"Iteration {number}, loss = {progress.loss_curve[-1]:.8f}")
        if progress.validation_scores:
            print(f"Validation score: {progress.validation_scores[-1]:f}")

    def _row(self, number, progress, rate):
        number = len(progress.loss_curve)
        if number % ROWS_PER_HEADING == 1:
            print(COLUMNS.format(*HEADINGS))
        numbers = [curve[-1] if curve else None for curve in (getattr(progress, name) for name in CURVES)]
        cells = ["–" if value is None else f"{value:.6f}" for value in numbers]
        seconds = perf_counter() - self.begun
        cells += ["–" if rate is None else f"{rate:.3g}", f"{seconds:.2f}", "*" if progress.improved else ""]
        print(COLUMNS.format(number, *cells))
