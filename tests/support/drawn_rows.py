"""Independent rows of normal columns, the first of which makes one label likely."""

import numpy as np


def drawn(n_rows, n_columns=8, seed=0):
    """Rows of normal columns, and labels with P(y = 1) = σ(1.5 x₀)."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n_rows, n_columns))
    return X, (rng.random_sample(n_rows) < 1 / (1 + np.exp(-1.5 * X[:, 0]))).astype(int)
