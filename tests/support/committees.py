"""Data with a target of each kind, and a small committee that learns from them."""

import numpy as np
from scipy.special import softmax
from sklearn.datasets import make_classification

from sksoftmax import SoftmaxMLPClassifier

N, N_INPUTS = 240, 5
X, y = make_classification(N, N_INPUTS, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
MANY_X, MANY_y = np.vstack([X, X + 0.1, X - 0.1]), np.tile(y, 3)  # enough rows for members to see all of them after the folds
KINDS = {
    "classes": y,
    "two classes": y > 0,
    "strings": np.array(["low", "middle", "high"])[y],
    "one class": np.zeros(N, dtype=int),
    "soft": softmax(np.eye(3)[y] * 2, axis=1),
    "soft, two classes": softmax(X[:, :2], axis=1),
    "multilabel": np.column_stack([y == 0, y < 2, X[:, 0] > 0]).astype(int),
}


def quick_committee(**params):
    """A default committee with few units, bins and epochs."""
    return SoftmaxMLPClassifier(**{"hidden_layer_sizes": (8, 6), "max_iter": 3, "n_bins": 8, "random_state": 0, **params})
