"""Watch and stop a fit by a callback
=====================================

scikit-learn 1.9 and newer call callbacks after each epoch. The callback in this
example computes the accuracy on its own rows after each epoch, and stops the fit
when a goal is reached. To stop a fit, return True from ``on_fit_task_end``.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sksoftmax import SoftmaxMLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_watched, y_train, y_watched = train_test_split(
    X, y, stratify=y, random_state=0
)


class StopAt:
    """Stop a fit when its accuracy on the watched rows reaches the goal."""

    def __init__(self, goal):
        self.goal, self.accuracies = goal, []

    def setup(self, estimator, context):
        """Called before the fit."""

    def teardown(self, estimator, context):
        """Called after the fit."""

    def on_fit_task_begin(self, estimator, context):
        """Called before each epoch, and before the whole fit."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None, **given):
        """Score the network after the epoch."""
        if context.task_name != "epoch":
            return False
        self.accuracies.append(fitted_estimator.score(X_watched, y_watched))
        return self.accuracies[-1] >= self.goal


# %%
# 36 epochs are planned, and the callback stops the fit earlier. After training the
# network is calibrated, which changes a few predictions.
callback = StopAt(goal=0.98)
clf = (
    SoftmaxMLPClassifier(n_members=1, random_state=0)
    .set_callbacks(callback)
    .fit(X_train, y_train)
)
print(
    f"{clf.n_iter_} of {clf.max_iter_} epochs, accuracy "
    f"{clf.score(X_watched, y_watched):.3f}"
)

# %%
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(range(1, clf.n_iter_ + 1), callback.accuracies, marker="o")
ax.axhline(callback.goal, linestyle="--", color="gray", label="goal")
ax.set(
    xlabel="Epoch",
    ylabel="Accuracy on watched rows",
    xlim=(0, clf.max_iter_ + 1),
    title="The fit ends at the goal",
)
ax.legend(loc="lower right")
plt.show()
assert clf.n_iter_ < clf.max_iter_
