"""A radial network: a hidden layer with a unit at each training row, and linear outputs that need no steps of training.

The unit at the row c answers h(x) = exp(−‖x − c‖₁ / width): 1 at c, and less the further x is. The outputs f(x) = h(x) W + offset
are probabilities once they are clipped (Broomhead & Lowe, 1988, Complex Systems 2). `training.radial_fit` finds W.
"""

import numpy as np
from scipy.spatial.distance import cdist

from sksoftmax.engines.compiled_engine import radial_units

LEAST = 1e-3  # outputs are clipped to probabilities in [LEAST, 1 − LEAST]
UNITS = 2**18  # numbers of the hidden layer computed at once, which fit the processor's cache


class RadialNetwork:
    """The radial network of a fitted ensemble.

    Parameters
    ----------
    centers : ndarray of shape (n_units, d)
        The rows at which its units are: columns of the encoded training rows.

    first : int
        The first of these columns among those of an encoded row.

    width : float
        The distance at which a unit has fallen to 1 / e.

    W : ndarray of shape (n_units, n_outputs)
        The output weights.

    offset : ndarray of shape (n_outputs,)
        The outputs far from all centers.
    """

    role = "radial network"

    def __init__(self, centers, first, width, W, offset):
        self.centers, self.first, self.width, self.W, self.offset = centers, first, width, W, offset

    @property
    def size(self):
        """What there is, in words."""
        return f"{len(self.W):,} units"

    def check(self, n_columns, n_outputs):
        """ValueError if this network does not fit rows of `n_columns`, and `n_outputs`."""
        n_units, d = self.centers.shape
        fits = 0 <= self.first <= self.first + d <= n_columns and self.W.shape == (n_units, n_outputs) and self.width > 0
        if not (fits and self.offset.shape == (n_outputs,) and self.centers.dtype == self.W.dtype):
            raise ValueError("the radial network does not fit the columns and outputs")

    def logits(self, X, head):
        """The logits, (n, n_outputs), of encoded rows."""
        X, f = X.astype(self.W.dtype, copy=False), np.empty((len(X), len(self.offset)), self.W.dtype)
        step = max(UNITS // len(self.W), 1)
        for start in range(0, len(X), step):
            part = slice(start, start + step)
            f[part] = units(X[part], self.first, self.centers, self.width) @ self.W
        return logits_of_outputs(f + self.offset, head)


def units(X, first, centers, width):
    """exp(−‖x − c‖₁ / width), (n, n_units), of the columns of X from `first` on, and of the centers c."""
    found = radial_units(X, first, centers, width)
    if found is None:
        found = np.exp(cdist(X[:, first : first + centers.shape[1]], centers, "cityblock") / -width)
    return found.astype(X.dtype, copy=False)


def logits_of_outputs(f, head):
    """The logits of outputs, (n, n_outputs), which are clipped to probabilities."""
    return head.logits_of_p(np.clip(f, LEAST, 1 - LEAST))
