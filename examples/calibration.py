"""An over-confident network, calibrated: dividing its logits by one number mends its probabilities.

    python examples/calibration.py [PNG]

Is a digit even or odd, when only its upper three of eight rows of pixels are seen? With 600 digits to train on and no
regularisation the network learns them by heart, and is surer of the others than it should be. CalibratedClassifierCV takes the
logits from decision_function and finds by cross-validation the temperature to divide them by. No prediction changes.

Saves a reliability diagram as PNG where a path is given, which takes matplotlib.
"""

import argparse

import numpy as np
import sklearn
from scipy.special import logit
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksoftmax import SoftmaxMLPClassifier

# scikit-learn before 1.8 knows no temperature; for two classes its sigmoid is one with a shift, which moves a few predictions.
METHOD = "temperature" if tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 8) else "sigmoid"


def main():
    """Train, calibrate, compare, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("png", nargs="?", help="where to save the reliability diagram (default: nowhere)")
    png = parser.parse_args().png

    digits = load_digits()
    X, y = digits.data[:, :24], digits.target % 2
    X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=600, stratify=digits.target, random_state=0)
    plain = SoftmaxMLPClassifier.from_sklearn(
        MLPClassifier((100,), alpha=0, learning_rate_init=0.01, max_iter=400, random_state=0)
    )
    network = make_pipeline(StandardScaler(), plain).fit(X_train, y_train)
    # ensemble=False: cross-validation finds the temperature, for a network fitted on all rows.
    calibrated = CalibratedClassifierCV(network, method=METHOD, cv=5, ensemble=False).fit(X_train, y_train)

    before, after = (model.predict_proba(X_test)[:, 1] for model in (network, calibrated))
    slope, shift = np.polyfit(network.decision_function(X_test), logit(after), 1)
    print(f"Calibrated by {METHOD}: logits divided by {1 / slope:.2f}, shifted by {shift:.2f}; {len(X_test)} test rows\n")
    print(f"{'':12}{'before':>8}{'after':>8}")
    for name, score in {"log loss": log_loss, "ECE": expected_calibration_error}.items():
        print(f"{name:12}{score(y_test, before):8.3f}{score(y_test, after):8.3f}")
        assert score(y_test, after) < 0.75 * score(y_test, before)
    print(f"{'accuracy':12}{network.score(X_test, y_test):8.3f}{calibrated.score(X_test, y_test):8.3f}")
    if METHOD == "temperature":
        assert np.array_equal(network.predict(X_test), calibrated.predict(X_test))
    if png is not None:
        draw(y_test, {"before": before, f"after ({METHOD})": after}, png)


def expected_calibration_error(y, p, n_bins=10):
    """Mean over the rows of |mean of p − mean of y| in the row's bin of p."""
    bins = np.minimum((p * n_bins).astype(int), n_bins - 1)
    return np.abs(np.bincount(bins, weights=p - y)).sum() / len(y)


def draw(y, probabilities, path):
    """What was said against what came true on the left, how often it was said on the right."""
    from matplotlib.figure import Figure  # here, so that the numbers come without it

    figure = Figure(figsize=(10, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for (name, p), color in zip(probabilities.items(), ("tab:red", "tab:blue")):
        label = f"{name}: ECE {expected_calibration_error(y, p):.3f}"
        CalibrationDisplay.from_predictions(y, p, n_bins=10, name=label, ax=left, color=color)
        right.hist(p, bins=np.linspace(0, 1, 11), histtype="step", linewidth=2, color=color, label=name)
    left.set(xlabel="predicted probability of odd", ylabel="share of odd digits", title="Reliability", aspect="equal")
    left.grid(alpha=0.3)
    right.set(xlabel="predicted probability of odd", ylabel="test rows", title="How often each probability is given")
    right.legend(loc="upper center")
    figure.savefig(path, dpi=120)
    print(f"\nSaved {path}: reliability diagram of the test rows")


if __name__ == "__main__":
    main()
