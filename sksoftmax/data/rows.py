"""Rows of a large X, read where they are needed: what would copy much of X names rows instead.

X may be an array that stands in a file (`numpy.memmap`). Whoever works on rows of X takes an array, a CSR matrix or `Rows`: all
have `shape` and `dtype`, are indexed by a slice or row numbers, and become numbers by `read`.
"""

from math import prod

import numpy as np
from scipy.sparse import issparse

COPY_BYTES = 2**28  # a copy of X, or of what is made of it, that takes more than 256 MB is not made


class Rows:
    """Some rows of X as the network's input, computed when they are read.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_all, d)
        What the rows are taken of; never copied.

    numbers : ndarray of int or None, default=None
        Which rows, in which order; None means all.

    preprocessor : Preprocessor or None, default=None
        Encodes them; None leaves them as they are.

    dtype : dtype or None, default=None
        Of what is read; None means X's.
    """

    def __init__(self, X, numbers=None, preprocessor=None, dtype=None):
        self.X = X
        self.numbers = numbers
        self.preprocessor = preprocessor
        self.dtype = X.dtype if dtype is None else dtype
        n_rows = X.shape[0] if numbers is None else len(numbers)
        self.shape = (n_rows, X.shape[1] if preprocessor is None else preprocessor.n_columns)

    @classmethod
    def of(cls, X, preprocessor=None, dtype=None):
        """All rows of X, which is copied if a row's numbers do not stand side by side, as in a frame, and not in a file."""
        if not (issparse(X) or X.flags.c_contiguous or _is_in_file(X)):
            X = np.ascontiguousarray(X)
        return cls(X, None, preprocessor, dtype)

    def __getitem__(self, rows):
        if self.numbers is not None:
            return Rows(self.X, self.numbers[rows], self.preprocessor, self.dtype)
        X, numbers = (self.X[rows], None) if isinstance(rows, slice) else (self.X, rows)
        return Rows(X, numbers, self.preprocessor, self.dtype)

    def take(self, rows, axis=0):
        """The same as `rows[...]`, as arrays have it."""
        return self[rows]

    def encoded(self, preprocessor, dtype):
        """The same rows, encoded."""
        return Rows(self.X, self.numbers, preprocessor, dtype)

    def column(self, column):
        """A column of X, (n,)."""
        return self.X[:, column] if self.numbers is None else self.X[self.numbers, column]

    def read(self):
        """The numbers of these rows."""
        X = self._of_X()
        return X if self.preprocessor is None else self.preprocessor.transform(X, self.dtype)

    def write(self, out, n_without_bins=0):
        """Write the numbers of these rows into `out`; of the first ones, on request, without their bins."""
        self.preprocessor.write(self._of_X(), out, n_without_bins)

    def _of_X(self):
        if self.numbers is None:
            return self.X
        return self.X[self.numbers] if issparse(self.X) else self.X.take(self.numbers, axis=0)


def _is_in_file(X):
    return X is not None and (isinstance(X, np.memmap) or _is_in_file(getattr(X, "base", None)))


def is_large(shape, dtype):
    """Whether an array is too large to be a copy."""
    return prod(shape) * np.dtype(dtype).itemsize > COPY_BYTES


def read(X):
    """The numbers of an X that may be `Rows`."""
    return X.read() if isinstance(X, Rows) else X


def row_numbers(n_rows):
    """0 … n − 1, in four bytes each where these suffice."""
    return np.arange(n_rows, dtype=np.int32 if n_rows < 2**31 else np.int64)


def spread(n_rows, size):
    """The numbers of this many rows, evenly spread and always the same: one drawn by chance from each of equal stretches."""
    bounds = np.linspace(0, n_rows, size + 1).astype(np.int64)
    return np.random.default_rng(0).integers(bounds[:-1], bounds[1:])
