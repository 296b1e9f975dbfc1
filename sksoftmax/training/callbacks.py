"""scikit-learn's callbacks (`sklearn.callback`, from version 1.9): an estimator's side of them."""

from collections.abc import Callable
from typing import Any, Self

import sklearn

from sksoftmax.hints import Method

try:
    from sklearn.callback import CallbackSupportMixin
    from sklearn.callback import with_callbacks as _with_callbacks
except ImportError:  # scikit-learn < 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in for scikit-learn's."""

        def set_callbacks(self, *callbacks: Any) -> Self:
            """Set callbacks for the estimator: not before scikit-learn 1.9."""
            raise RuntimeError(f"Callbacks need scikit-learn 1.9 or newer; this is {sklearn.__version__}.")

    def _with_callbacks(method):
        """Leave the method as it is."""
        return method


with_callbacks: Callable[[Method], Method] = _with_callbacks


class NoTasks:
    """Where scikit-learn has no callbacks."""

    def begin(self):
        """Begin an epoch."""

    def end(self):
        """End an epoch; never asks to stop."""
        return False

    def finish(self):
        """End the fit."""


class FitTasks:
    """A call of fit as scikit-learn's task with a subtask for each epoch.

    X and y are handed on as the user gave them. `attributes` is a function that makes the attributes of an estimator fitted so
    far; it is called only if a callback wants such an estimator.
    """

    def __init__(self, estimator, task_name, max_epochs, given):
        self.context = estimator._init_callback_context(task_name=task_name, max_subtasks=max_epochs)
        metadata = None if given.sample_weight is None else {"sample_weight": given.sample_weight}
        self.given = {"estimator": estimator, "X": given.X, "y": given.y, "metadata": metadata}
        self.attributes = None
        self.context.call_on_fit_task_begin(**self.given)

    def begin(self):
        """Begin an epoch."""
        self.epoch = self.context.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(**self.given, reconstruction_attributes=self.attributes)

    def end(self):
        """End an epoch; True if a callback asks to stop."""
        return self.epoch.call_on_fit_task_end(**self.given, reconstruction_attributes=self.attributes)

    def finish(self):
        """End the fit."""
        self.context.call_on_fit_task_end(**self.given, reconstruction_attributes=self.attributes)


def fit_tasks(estimator, task_name, max_epochs, given):
    """`FitTasks` where scikit-learn has callbacks, else `NoTasks`."""
    if hasattr(estimator, "_init_callback_context"):
        return FitTasks(estimator, task_name, max_epochs, given)
    return NoTasks()
