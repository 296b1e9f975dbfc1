"""The rule that ends training before `max_iter`."""

from dataclasses import dataclass
from math import inf

from sksoftmax.nn.schedules import is_planned


@dataclass(frozen=True)
class Stopping:
    """Ends training if the validation score, or the training loss, has not improved by `tol` for more than `patience` epochs.

    Without validation rows, training by L-BFGS ends by SciPy's own rules, and a planned learning rate runs to its end.
    """

    tol: float
    patience: float
    is_scored: bool
    is_off: bool

    @classmethod
    def of(cls, config, is_scored):
        """The rule that this configuration asks for; `is_scored` is whether there are validation rows."""
        has_own_end = config.solver == "lbfgs" or is_planned(config.learning_rate)
        return cls(config.tol, config.n_iter_no_change, is_scored, has_own_end and not is_scored)

    def n_epochs_ahead(self, progress):
        """The number of epochs after which training may end at the earliest."""
        return inf if self.is_off else self.patience + 1 - progress.stale_epochs

    def after_epoch(self, progress):
        """Return the reason to end training after the last epoch, in words, or None."""
        if self.is_off or progress.stale_epochs <= self.patience:
            return None
        what = "Validation score" if self.is_scored else "Training loss"
        return f"{what} did not improve more than tol={self.tol:f} for {self.patience} consecutive epochs."
