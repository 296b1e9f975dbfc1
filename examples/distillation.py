"""A forest's knowledge in a small network: fit it on the forest's probabilities, as soft labels.

    python examples/distillation.py

Digits, half to train on, half to test. The teacher is a forest of 500 trees; networks of 32 and of 8 hidden units learn from
the labels, and others from the teacher's probabilities for the same rows. With 32 units the distilled one keeps the forest's
accuracy in less than 1/500 of its bytes; with 8, soft labels teach more than labels do. Agreement is with the forest's
predictions. A student learns the teacher's doubts as well: where units suffice, labels give the lower log loss. Of the times,
which vary, nothing is asserted.
"""

import pickle
from timeit import repeat

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksoftmax import SoftmaxMLPClassifier


def main():
    """Train the teacher, then the four students, and compare."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
    forest = RandomForestClassifier(500, random_state=0).fit(X_train, y_train)
    soft_labels = forest.predict_proba(X_train)  # one column for each class, in the order of forest.classes_
    print(f"Digits: {len(X_train)} training rows and {len(X_test)} test rows\n")
    print(f"{'':21}{'kB':>7}{'ms, all rows':>13}{'ms, one row':>13}{'accuracy':>10}{'agreement':>11}{'log loss':>10}")

    teacher = report("forest, 500 trees", forest, forest, X_test, y_test)
    hard, soft = {}, {}
    for units in (32, 8):
        hard[units] = report(f"{units} units, labels", make_network(units).fit(X_train, y_train), forest, X_test, y_test)
        soft[units] = report(f"{units} units, distilled", make_network(units).fit(X_train, soft_labels), forest, X_test, y_test)
        assert soft[units]["agreement"] > hard[units]["agreement"]

    smaller = teacher["bytes"] / soft[32]["bytes"]
    kept, won = soft[32]["accuracy"] - teacher["accuracy"], soft[8]["accuracy"] - hard[8]["accuracy"]
    print(f"\n32 units, distilled: {smaller:.0f} times smaller than the forest, accuracy {100 * kept:+.1f} points")
    print(f"8 units: accuracy {100 * won:+.1f} points by soft labels instead of labels")
    assert smaller > 500
    assert kept > -0.01
    assert won > 0.005
    assert hard[32]["log loss"] < soft[32]["log loss"] < teacher["log loss"]


def make_network(units):
    """One hidden layer behind a scaler; the learning rate falls to 0 over the epochs, so that every fit ends as planned."""
    plain = SoftmaxMLPClassifier.from_sklearn(
        MLPClassifier((units,), batch_size=32, learning_rate_init=0.01, max_iter=100, random_state=0)
    )
    return make_pipeline(StandardScaler(), plain.set_params(learning_rate="cosine"))


def report(name, model, forest, X, y):
    """Print a line of the table; its numbers.

    Fitted on soft labels, a network names column numbers, which for digits are the classes; else forest.classes_[predicted].
    """
    size, predicted = len(pickle.dumps(model)), model.predict(X)
    accuracy, agreement = np.mean(predicted == y), np.mean(predicted == forest.predict(X))
    loss = log_loss(y, model.predict_proba(X))
    times = "".join(f"{milliseconds(model, rows):13.2f}" for rows in (X, X[:1]))
    print(f"{name:21}{size / 1000:7.0f}{times}{accuracy:10.3f}{agreement:11.3f}{loss:10.3f}")
    return {"bytes": size, "accuracy": accuracy, "agreement": agreement, "log loss": loss}


def milliseconds(model, X):
    """Time of one predict_proba, the best of 5."""
    return 1000 * min(repeat(lambda: model.predict_proba(X), number=1, repeat=5))


if __name__ == "__main__":
    main()
