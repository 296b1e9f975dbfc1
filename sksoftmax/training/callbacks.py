"""Calls scikit-learn's callbacks (`sklearn.callback`, from version 1.9) during training."""

from collections.abc import Callable
from typing import Any, Self

import sklearn

from sksoftmax.hints import Method
from sksoftmax.sklearn_private import callback_context

try:
    from sklearn.callback import CallbackSupportMixin
    from sklearn.callback import with_callbacks as _with_callbacks
except ImportError:  # scikit-learn < 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Replaces scikit-learn's class of this name in older versions."""

        def set_callbacks(self, *callbacks: Any) -> Self:
            """Raise RuntimeError: callbacks need scikit-learn 1.9 or newer."""
            raise RuntimeError(f"Callbacks need scikit-learn 1.9 or newer; this is {sklearn.__version__}.")

    def _with_callbacks(method):
        """Return the method unchanged."""
        return method


with_callbacks: Callable[[Method], Method] = _with_callbacks


class NoTasks:
    """Tasks that do nothing, for scikit-learn without callbacks."""

    def begin(self):
        """Begin an epoch."""

    def end(self):
        """End an epoch; return False, so training never stops."""
        return False

    def finish(self):
        """End the fit."""


class FitTasks:
    """A call of fit as a task of scikit-learn's callbacks, with a subtask for each epoch.

    Callbacks get X and y as the user passed them. `attributes` is a function that makes the attributes of the estimator fitted
    so far; this function is called only if a callback wants such an estimator.
    """

    def __init__(self, context, estimator, given, attributes):
        self.context = context
        metadata = None if given.sample_weight is None else {"sample_weight": given.sample_weight}
        self.given = {"estimator": estimator, "X": given.X, "y": given.y, "metadata": metadata}
        self.attributes = attributes
        self.context.call_on_fit_task_begin(**self.given)

    def begin(self):
        """Begin an epoch."""
        self.epoch = self.context.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(**self.given, reconstruction_attributes=self.attributes)

    def end(self):
        """End an epoch; return True if a callback asks to stop."""
        return self.epoch.call_on_fit_task_end(**self.given, reconstruction_attributes=self.attributes)

    def finish(self):
        """End the fit."""
        self.context.call_on_fit_task_end(**self.given, reconstruction_attributes=self.attributes)


def fit_tasks(estimator, task_name, max_epochs, given, attributes):
    """`FitTasks` if scikit-learn has callbacks, else `NoTasks`."""
    context = callback_context(estimator, task_name, max_epochs)
    return NoTasks() if context is None else FitTasks(context, estimator, given, attributes)
