"""Calibrate an over-confident network
======================================

The task is to predict whether a digit is even or odd from the upper three of its
eight rows of pixels. With 600 training digits and no regularization, a network
overfits, and its probabilities for new digits are too high. The defaults of this
package are calibrated. Here ``from_sklearn`` turns the calibration off, and
:class:`sklearn.calibration.CalibratedClassifierCV` finds a temperature by
cross-validation: the number by which the logits of ``decision_function`` are
divided. This does not change any prediction.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import sklearn
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksoftmax import SoftmaxMLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)
digits = load_digits()
X, y = digits.data[:, :24], digits.target % 2
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=600, stratify=digits.target, random_state=0
)
plain = SoftmaxMLPClassifier.from_sklearn(
    MLPClassifier((100,), alpha=0, learning_rate_init=0.01, random_state=0)
)
network = make_pipeline(StandardScaler(), plain).fit(X_train, y_train)

# %%
# scikit-learn before 1.8 has no temperature scaling. Its sigmoid method also adds a
# bias, which changes a few predictions. With ``ensemble=False``, the temperature is
# found by cross-validation and applied to one network fitted on all rows.
method = (
    "temperature"
    if tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 8)
    else "sigmoid"
)
calibrated = CalibratedClassifierCV(
    network, method=method, cv=5, ensemble=False
).fit(X_train, y_train)


def expected_calibration_error(y, p, n_bins=10):
    """Mean over rows of |mean p − mean y|, the means taken in the row's bin of p."""
    bins = np.minimum((p * n_bins).astype(int), n_bins - 1)
    return np.abs(np.bincount(bins, weights=p - y)).sum() / len(y)


probabilities = {
    "before": network.predict_proba(X_test)[:, 1],
    f"after ({method})": calibrated.predict_proba(X_test)[:, 1],
}
probabilities["the defaults"] = (
    SoftmaxMLPClassifier(random_state=0)
    .fit(X_train, y_train)
    .predict_proba(X_test)[:, 1]
)
for name, p in probabilities.items():
    accuracy = np.mean((p > 0.5) == y_test)
    print(
        f"{name:20} log loss {log_loss(y_test, p):.3f}  ECE "
        f"{expected_calibration_error(y_test, p):.3f}  accuracy {accuracy:.3f}"
    )
if method == "temperature":
    assert np.array_equal(network.predict(X_test), calibrated.predict(X_test))

# %%
# The left panel has the observed share of odd digits for each predicted probability,
# the right panel how often each probability is predicted.
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
for (name, p), color in zip(probabilities.items(), ("C3", "C0", "C4")):
    label = f"{name}: ECE {expected_calibration_error(y_test, p):.3f}"
    CalibrationDisplay.from_predictions(
        y_test, p, n_bins=10, name=label, ax=left, color=color
    )
    right.hist(
        p,
        bins=np.linspace(0, 1, 11),
        histtype="step",
        linewidth=2,
        color=color,
        label=name,
    )
left.set(
    xlabel="predicted probability of odd",
    ylabel="share of odd digits",
    title="Reliability",
    aspect="equal",
)
right.set(
    xlabel="predicted probability of odd",
    ylabel="test rows",
    title="How often each probability is given",
)
right.legend(loc="upper center")
plt.show()
