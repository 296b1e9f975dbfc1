"""Thresholds and costs
=======================

If a missed case costs ten times as much as a false alarm, the threshold of one half
is wrong, even if the probabilities are right. With calibrated probabilities the best
threshold can be computed from the costs.
:class:`sklearn.model_selection.TunedThresholdClassifierCV` estimates it from the
data.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from sklearn.metrics import confusion_matrix, make_scorer
from sklearn.model_selection import TunedThresholdClassifierCV, train_test_split

from sksoftmax import SoftmaxMLPClassifier

MISSED, FALSE_ALARM = 10, 1


def cost(y, predicted):
    """The mean cost of a row."""
    (_, false_alarms), (missed, _) = confusion_matrix(y, predicted)
    return (MISSED * missed + FALSE_ALARM * false_alarms) / len(y)


X, y = make_classification(
    6000,
    12,
    n_informative=6,
    weights=[0.93],
    class_sep=0.8,
    flip_y=0.02,
    random_state=0,
)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# In theory, predict the rare class if its probability is above 1 / (1 + 10). At this
# probability the expected costs of the two predictions are equal.
clf = SoftmaxMLPClassifier(random_state=0).fit(X_train, y_train)
p = clf.predict_proba(X_test)[:, 1]
best_by_theory = FALSE_ALARM / (FALSE_ALARM + MISSED)

# %%
# The same threshold, estimated from the data by cross-validation.
scorer = make_scorer(cost, greater_is_better=False)
tuned = TunedThresholdClassifierCV(
    SoftmaxMLPClassifier(n_members=1, random_state=0),
    scoring=scorer,
    cv=3,
    random_state=0,
)
tuned.fit(X_train, y_train)
print(f"threshold by theory {best_by_theory:.3f}, tuned {tuned.best_threshold_:.3f}")

# %%
# The cost of each threshold on the test rows.
thresholds = np.linspace(0.01, 0.9, 150)
costs = [cost(y_test, p > threshold) for threshold in thresholds]
figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
ax.plot(thresholds, costs, label="cost on test rows")
for value, label, color in (
    (0.5, "predict: 0.5", "C3"),
    (best_by_theory, "theory", "C4"),
):
    ax.axvline(
        value,
        linestyle="--",
        color=color,
        label=f"{label}, cost {cost(y_test, p > value):.3f}",
    )
ax.axvline(
    tuned.best_threshold_,
    linestyle=":",
    color="C1",
    label="tuned by cross-validation",
)
ax.set(
    xlabel="threshold of the rare class's probability", ylabel="mean cost of a row"
)
ax.legend()
plt.show()
assert cost(y_test, p > best_by_theory) < 0.8 * cost(y_test, p > 0.5)
