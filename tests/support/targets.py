"""Sixty rows of four numbers, and a target of each kind."""

import numpy as np
from scipy.special import softmax

X = np.random.default_rng(0).normal(size=(60, 4))
MULTICLASS = X[:, :3].argmax(axis=1)
BINARY = (X[:, 0] > 0).astype(int)
MULTILABEL = (X[:, :3] > 0).astype(int)
SOFT = softmax(2 * X[:, :3], axis=1)
SOFT_PAIR = softmax(2 * X[:, :2], axis=1)
ARRAYS = {"multiclass": MULTICLASS, "binary": BINARY, "multilabel": MULTILABEL, "soft": SOFT, "soft pair": SOFT_PAIR}
