"""A callback for the tests of scikit-learn's callback protocol."""


class Recorder:
    """A callback that remembers what it sees, and asks to stop or raises at a given task."""

    def __init__(self, stop_at=None, raise_at=None, error=RuntimeError):
        self.stop_at, self.raise_at, self.error = stop_at, raise_at, error
        self.events, self.models, self.seen = [], [], []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name} {context.task_id}")

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None):
        self.events.append(f"end {context.task_name} {context.task_id}")
        self.seen.append((context, X, y, metadata))
        if context.task_name == "epoch":
            self.models.append((fitted_estimator, fitted_estimator.predict_proba(X)))
            if context.task_id == self.raise_at:
                raise self.error("of the callback")
            return context.task_id == self.stop_at
        return False
