"""A run: all that one call of fit or partial_fit trains with, complete when it is made."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sksoftmax.data.rows import Samples
from sksoftmax.model import Model
from sksoftmax.nn.network import Workspace
from sksoftmax.nn.threads import BlasThreadLimit
from sksoftmax.training.callbacks import FitTasks, NoTasks
from sksoftmax.training.config import TrainingConfig
from sksoftmax.training.ensemble import EnsemblePlan
from sksoftmax.training.progress import Report
from sksoftmax.training.stopping import Stopping

MAX_CALIBRATION_ROWS_OF_EPOCH = 2_000  # at most this many left-out rows fit the ensemble weights of an epoch that is scored
INTERRUPTED = "Training interrupted by user."


@dataclass(frozen=True)
class Run:
    """One call of fit or partial_fit. Training changes the model's network and ensemble weights, and the plan.

    `validation` is None if nothing is scored; `score`, without arguments, is the user's scorer on these rows, None for accuracy
    and loss. `tasks` informs callbacks of each epoch. `smoothing_prior`, (n_outputs,), is what label smoothing moves the targets
    towards: the mean targets, so that mean probabilities meet the classes' frequencies; None without smoothing.
    """

    model: Model
    training: Samples
    validation: Samples | None
    plan: EnsemblePlan
    config: TrainingConfig
    tasks: FitTasks | NoTasks
    score: Callable[[], float] | None
    report: Report
    fold_epochs: int = 0
    smoothing_prior: np.ndarray | None = None

    @cached_property
    def workspace(self):
        """The buffers of all passes of this run."""
        return Workspace(self.model.network.architecture, self.model.network.dtype)

    @cached_property
    def stopping(self):
        """The rule that ends training before `max_iter`."""
        return Stopping.of(self.config, is_scored=self.validation is not None)

    @property
    def is_unscaled(self):
        """Whether the network sees the numbers of X unscaled."""
        return self.model.preprocessor.numbers.scaling is None

    def loss(self, logits, targets, weights):
        """The mean of the members' losses, and the derivative of each member's loss at its logits, (n_members, n, n_outputs).

        The weights of each of several members must have the same sum, as those of a `Batch` have.
        """
        smoothing = (self.config.label_smoothing, self.smoothing_prior) if self.config.label_smoothing else ()
        value, d_logits = self.model.head.loss(logits.reshape(-1, logits.shape[-1]), targets, weights, *smoothing)
        if len(logits) > 1:
            d_logits *= len(logits)
        return value, d_logits.reshape(logits.shape)

    def validate(self):
        """The mean loss on the validation rows, and their score: weighted accuracy, minus the loss, or the user's scorer."""
        model, rows, scoring = self.model, self.validation, self.config.scoring
        logits = model.logits_of(rows.X, self.workspace)
        is_correct = model.head.is_correct(logits, rows.targets) if scoring == "accuracy" else None
        loss = model.head.loss(logits, rows.targets, rows.weights)[0]  # overwrites the logits
        if scoring == "accuracy":
            return loss, float(np.average(is_correct, weights=rows.weights))
        return loss, -loss if scoring == "loss" else self.score()

    def record(self, progress, loss, rate=None):
        """Score the validation rows, if there are any, and record the epoch or iteration.

        In the fold phase the ensemble is fitted first: the model that is scored is the one that may be returned.
        """
        if self.validation is None:
            progress.record(loss, self.config.tol)
        else:
            if self.plan.folds is not None:
                self.plan.calibrate(self.model, self.training, MAX_CALIBRATION_ROWS_OF_EPOCH)
            progress.record_scored(loss, *self.validate(), self.model, self.config.tol)
        self.report.epoch(progress.n_done, progress, rate)

    def restore_best(self, progress):
        """Restore the parameters of the best validation score, if rows were scored and the user does not decline."""
        if self.validation is None or progress.best_parameters is None or not self.config.restore_best:
            return
        self.model.network.parameters[...], self.model.ensemble_weights = progress.best_parameters, progress.best_ensemble_weights
        progress.kept_epoch, progress.best_parameters, progress.best_ensemble_weights = progress.best_epoch, None, None


def end_fold_phase_unless_interrupted(run):
    """Fit the ensemble if training ended in the fold phase and none was fitted for a score; warn if the user interrupts."""
    if run.plan.folds is None or run.validation is not None:
        return
    try:
        with BlasThreadLimit(1):
            run.plan.end_fold_phase(run.model, run.training)
    except KeyboardInterrupt:
        warnings.warn(INTERRUPTED)
