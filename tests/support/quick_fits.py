"""One small network on a small frame, and calls of its methods."""

import numpy as np
import pandas as pd

from sksoftmax import SoftmaxMLPClassifier

FAST = {"hidden_layer_sizes": (16,), "n_members": 1, "max_iter": 5, "random_state": 0}
CONVERGING = "ignore:lbfgs failed to converge"
N = 120
rng = np.random.default_rng(0)
FRAME = pd.DataFrame({"length": rng.normal(size=N), "color": rng.choice(["red", "green", "blue"], N)})
X, y = rng.normal(size=(N, 3)), (FRAME["length"] > 0).astype(int).to_numpy()
METHODS = ("fit", "partial_fit", "predict", "predict_proba", "score", "X_val")


def fast(**parameters):
    """A network of 16 hidden units and five epochs."""
    return SoftmaxMLPClassifier(**{**FAST, **parameters})


def small(**params):
    """A network of six hidden units and three epochs."""
    return SoftmaxMLPClassifier(**{"hidden_layer_sizes": (6,), "n_members": 1, "max_iter": 3, "random_state": 0, **params})


def call(method, given, fitted_on=FRAME):
    """Call a method with this X; X_val is given to fit."""
    if method == "fit":
        return small().fit(given, y)
    if method == "partial_fit":
        return small().partial_fit(given, y, classes=[0, 1])
    if method == "X_val":
        return small(early_stopping=True).fit(fitted_on, y, X_val=given, y_val=y)
    clf = small().fit(fitted_on, y)
    return clf.score(given, y) if method == "score" else getattr(clf, method)(given)
