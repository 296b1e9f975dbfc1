"""The small data of the tests: arrays, frames, and a target of each kind."""

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.datasets import make_classification

# sixty rows of four numbers
X = np.random.default_rng(0).normal(size=(60, 4))
MULTICLASS = X[:, :3].argmax(axis=1)
BINARY = (X[:, 0] > 0).astype(int)
MULTILABEL = (X[:, :3] > 0).astype(int)
SOFT = softmax(2 * X[:, :3], axis=1)
SOFT_PAIR = softmax(2 * X[:, :2], axis=1)
ARRAYS = {"multiclass": MULTICLASS, "binary": BINARY, "multilabel": MULTILABEL, "soft": SOFT, "soft pair": SOFT_PAIR}

# thirty rows with labels that are unrelated to them, for what is refused
FEW_X, FEW_y = X[:30], np.arange(30) % 3
FEW_FRAME = pd.DataFrame(FEW_X, columns=["length", "width", "height", "mass"])
FEW_SOFT = np.full((30, 3), [0.5, 0.3, 0.2])

# 120 rows of a number and a category, and as many of three numbers
N_MIXED = 120
rng = np.random.default_rng(0)
MIXED_FRAME = pd.DataFrame({"length": rng.normal(size=N_MIXED), "color": rng.choice(["red", "green", "blue"], N_MIXED)})
MIXED_X, MIXED_y = rng.normal(size=(N_MIXED, 3)), (MIXED_FRAME["length"] > 0).astype(int).to_numpy()

# 240 rows of five numbers, and three times as many, so that members see all of them after the folds
ENSEMBLE_X, ENSEMBLE_y = make_classification(240, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
N, N_INPUTS = ENSEMBLE_X.shape
MANY_X, MANY_y = np.vstack([ENSEMBLE_X, ENSEMBLE_X + 0.1, ENSEMBLE_X - 0.1]), np.tile(ENSEMBLE_y, 3)
KINDS = {
    "classes": ENSEMBLE_y,
    "two classes": ENSEMBLE_y > 0,
    "strings": np.array(["low", "middle", "high"])[ENSEMBLE_y],
    "one class": np.zeros(240, dtype=int),
    "soft": softmax(np.eye(3)[ENSEMBLE_y] * 2, axis=1),
    "soft, two classes": softmax(ENSEMBLE_X[:, :2], axis=1),
    "multilabel": np.column_stack([ENSEMBLE_y == 0, ENSEMBLE_y < 2, ENSEMBLE_X[:, 0] > 0]).astype(int),
}


def drawn(n_rows, n_columns=8, seed=0):
    """Independent rows of normal columns, and labels with P(y = 1) = σ(1.5 x₀)."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n_rows, n_columns))
    return X, (rng.random_sample(n_rows) < 1 / (1 + np.exp(-1.5 * X[:, 0]))).astype(int)
