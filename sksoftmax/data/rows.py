"""Samples: rows to train on or to score, with their targets and weights. `LazyRows`: lazy rows of a large X.

X may be memory-mapped (`numpy.memmap`), or be held by other processes (`RemoteMatrix`). Functions on rows of X take an array, a
CSR matrix or `LazyRows`: all have `shape` and `dtype`, are indexed by a slice or row numbers, and `read` makes numbers of them.
"""

import mmap
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

BLOCK = 2**17  # numbers of X read at once
COPY_BYTES = 2**28  # no copy of X, or of the network's input, may take more than 256 MB


@dataclass(frozen=True)
class Samples:
    """Rows to train on or to score.

    X is (n, d), an array, a CSR matrix or `LazyRows`; `targets` are in the form that the head's loss takes; `weights` are (n,),
    or None for ones; `rows` are their row numbers in what the user passed. `strata` has a number for each row by which splits are
    stratified, its class if y has labels (see the heads' `strata`). `copies` has the number of the distinct row that each row is
    or repeats, None if none repeats; `groups` has the number of each row's group, which no split divides, None without groups.
    `companion` has the logits, (n, n_outputs), of the companion that each row's group was left out of, None without one.
    """

    X: object
    targets: np.ndarray
    weights: np.ndarray | None = None
    rows: np.ndarray | None = None
    strata: np.ndarray | None = None
    copies: np.ndarray | None = None
    groups: np.ndarray | None = None
    companion: np.ndarray | None = None

    def __len__(self):
        return self.X.shape[0]

    def __getitem__(self, rows):
        parts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return Samples(**{name: None if part is None else part[rows] for name, part in parts.items()})

    @property
    def n_distinct(self):
        """The number of distinct rows."""
        return len(self) if self.copies is None else len(np.unique(self.copies))

    @cached_property
    def total_weight(self):
        """The number of rows, or the sum of their weights."""
        return len(self) if self.weights is None else float(self.weights.sum())

    def without_zero_weights(self):
        """The rows of a weight above 0: others count as absent in batches and splits too. Weights that all are 1 are not kept."""
        if self.weights is None:
            return self
        samples = self if self.weights.all() else self[np.flatnonzero(self.weights)]
        return replace(samples, weights=None) if (samples.weights == 1).all() else samples

    def batch(self, rows, workspace):
        """The `Batch` of these rows, (n_members, n); these samples are encoded."""
        n_members, n = rows.shape
        flat = rows.ravel()
        X, targets = member_inputs(self.X, rows, workspace), self.targets[flat]
        if self.weights is None:
            return Batch(X, targets, None, np.full(n_members, float(n)))
        weights = self.weights[flat]
        of_members = weights.reshape(rows.shape)
        totals = of_members.sum(axis=1).astype(np.float64)
        if n_members > 1:
            weights = (of_members / totals[:, None]).astype(weights.dtype).ravel()
        return Batch(X, targets, weights, totals)


class Batch(NamedTuple):
    """The rows of a training step: X as the network takes it, and n rows for each member.

    `targets` are (n_members · n, …), `weights` (n_members · n,), or None for ones; those of each of several members sum to 1, so
    that each member trains as if it were alone. `totals`, (n_members,), are the sums of weights before that.
    """

    X: object
    targets: np.ndarray
    weights: np.ndarray | None
    totals: np.ndarray


def member_inputs(X, rows, workspace):
    """The network's input for these rows, (n_members, n), of an encoded X: each member gets rows of its own."""
    n_members, n = rows.shape
    if issparse(X):
        return [X[of_member] for of_member in rows]
    inputs = workspace.inputs(n, n_members)
    write(
        X.take(rows.ravel(), axis=0),
        inputs.reshape(n_members * n, -1)[:, : X.shape[1]],
        workspace.architecture.n_without_bins * n,
    )
    return inputs


def common_input(X, workspace):
    """The network's input for these rows of X, encoded or `LazyRows`, which all members get."""
    architecture, n = workspace.architecture, X.shape[0]
    if issparse(X) or (isinstance(X, LazyRows) and X.stays_sparse):
        return [read(X)] * architecture.n_members
    layout = architecture.layout
    if not layout.n_codes:
        inputs = workspace.inputs(n, 1)
        write(X, inputs[0, :, : layout.n_columns])
        return np.broadcast_to(inputs, (architecture.n_members, *inputs.shape[1:]))
    inputs = workspace.inputs(n, architecture.n_members)  # the embedding layer writes each member's vectors into it
    write(X, inputs[0, :, : layout.n_columns])
    inputs[1:] = inputs[0]
    return inputs


def write(X, out, n_without_bins=0):
    """Write rows of X, an array or `LazyRows`, into `out`."""
    if isinstance(X, LazyRows):
        X.write(out, n_without_bins)
    else:
        out[...] = X


class LazyRows:
    """Lazy rows of X: operations that would copy X store row numbers instead, and read the rows when they are needed.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_all, d)
        The array that the rows belong to; never copied.

    numbers : ndarray of int or None, default=None
        The row numbers; None means all rows.

    preprocessor : Preprocessor or None, default=None
        Encodes the rows when they are read; None leaves them unchanged.

    dtype : dtype or None, default=None
        The dtype of what is read; None means that of X.
    """

    def __init__(self, X, numbers=None, preprocessor=None, dtype=None):
        self.X = X
        self.numbers = numbers
        self.preprocessor = preprocessor
        self.dtype = X.dtype if dtype is None else dtype
        n_rows = X.shape[0] if numbers is None else len(numbers)
        self.shape = (n_rows, X.shape[1] if preprocessor is None else preprocessor.layout.n_columns)

    @classmethod
    def of(cls, X, preprocessor=None, dtype=None):
        """All rows of X. A column-major X (as from a frame) is copied to row-major first, unless it is memory-mapped."""
        if not (issparse(X) or X.flags.c_contiguous or _mapped_file(X) is not None):
            X = np.ascontiguousarray(X)
        return cls(X, None, preprocessor, dtype)

    @property
    def stays_sparse(self):
        """Whether reading gives a CSR matrix."""
        return has_sparse_form(self.X) and (self.preprocessor is None or self.preprocessor.keeps_sparse(self.X))

    @property
    def is_plain(self):
        """Whether reading gives all rows of X, converted to the dtype and otherwise unchanged."""
        return self.numbers is None and (self.preprocessor is None or self.preprocessor.is_identity)

    def __getitem__(self, rows):
        if self.numbers is not None:
            return LazyRows(self.X, self.numbers[rows], self.preprocessor, self.dtype)
        X, numbers = (self.X[rows], None) if isinstance(rows, slice) else (self.X, rows)
        return LazyRows(X, numbers, self.preprocessor, self.dtype)

    def take(self, rows, axis=0):
        """The same as `rows[...]`, by the name that arrays have for it."""
        return self[rows]

    def encoded(self, preprocessor, dtype):
        """The same rows, to be encoded when they are read."""
        return LazyRows(self.X, self.numbers, preprocessor, dtype)

    def read(self):
        """The numbers of these rows."""
        X = self._of_X()
        return X if self.preprocessor is None else self.preprocessor.transform(X, self.dtype)

    def write(self, out, n_without_bins=0):
        """Write the network's input of these rows into `out`. The first `n_without_bins` rows are written without their bins."""
        self.preprocessor.write(self._of_X(), out, n_without_bins)

    def _of_X(self):
        if self.numbers is None:
            return self.X[:] if isinstance(self.X, RemoteMatrix) else self.X
        if issparse(self.X) or (isinstance(self.X, np.ndarray) and not self.X.flags.c_contiguous):
            return self.X[self.numbers]  # `take` would copy all of such an array
        return self.X.take(self.numbers, axis=0)


class RemoteMatrix(ABC):
    """A matrix of numbers that other processes hold, the X of `LazyRows`: rows of it are fetched when they are read.

    `shape` and `dtype` are those of an array, and indexing fetches what it gives there. What needs all rows is computed where
    they are.
    """

    shape: tuple[int, int]
    dtype: np.dtype
    is_sparse: bool

    @abstractmethod
    def take(self, rows, axis=0):
        """Fetch these rows."""

    @abstractmethod
    def __getitem__(self, key):
        """Fetch rows, by a slice, or a column of rows, by a pair."""

    @abstractmethod
    def map_blocks(self, function, rows, others):
        """See `map_blocks`; `rows` are the row numbers, in order, None for all."""

    @abstractmethod
    def logits(self, model, rows):
        """The model's logits, (n, n_outputs), of these rows, None for all."""

    @abstractmethod
    def engine(self, run, state, bits):
        """The engine that trains a run on rows of this matrix."""


def is_remote(X):
    """Whether other processes hold the rows of X."""
    return isinstance(X, LazyRows) and isinstance(X.X, RemoteMatrix)


def fetched(samples):
    """The samples, with all rows of X in this process."""
    X = samples.X
    if not is_remote(X):
        return samples
    rows = np.arange(X.shape[0]) if X.numbers is None else X.numbers
    return replace(samples, X=LazyRows(X.X.take(rows), None, X.preprocessor, X.dtype))


@contextmanager
def rows_in_random_order(X):
    """Tell the operating system that, in this block, rows are read from a memory-mapped X in random order.

    Otherwise it also reads the pages around each row, which is slow if the file is larger than memory.
    """
    mapped = _mapped_file(X.X) if isinstance(X, LazyRows) else None
    if mapped is None or not hasattr(mmap, "MADV_RANDOM"):  # Windows has no such advice
        yield
        return
    _advise(mapped, mmap.MADV_RANDOM)
    try:
        yield
    finally:
        _advise(mapped, mmap.MADV_NORMAL)


def _advise(mapped, advice):
    with suppress(OSError, ValueError):  # it is a hint
        mapped.madvise(advice)


def _mapped_file(X):
    """The `mmap` that holds an array's numbers, None if they are in memory."""
    while X is not None and not isinstance(X, mmap.mmap):
        X = getattr(X, "base", None)
    return X


def is_large(shape, dtype):
    """Whether an array is too large to be copied."""
    return prod(shape) * np.dtype(dtype).itemsize > COPY_BYTES


def has_sparse_form(X):
    """Whether X is a sparse matrix, or `LazyRows` of one, here or elsewhere."""
    X = X.X if isinstance(X, LazyRows) else X
    return issparse(X) or (isinstance(X, RemoteMatrix) and X.is_sparse)


def blocks_of_rows(X):
    """The rows of X, block by block, each with its slice of the rows."""
    step = max(1, BLOCK // max(X.shape[1], 1))
    for start in range(0, X.shape[0], step):
        rows = slice(start, start + step)
        yield read(X[rows]), rows


def map_blocks(function, X, *others):
    """`function(block, *parts)` of each block of rows of X, in order; `others` are arrays with an entry for each row, or None."""
    if is_remote(X):
        return X.X.map_blocks(function, X.numbers, others)
    return (function(block, *(None if other is None else other[rows] for other in others)) for block, rows in blocks_of_rows(X))


def read(X):
    """The numbers of an X that may be `LazyRows`."""
    return X.read() if isinstance(X, LazyRows) else X


def column_of(X, column):
    """A column of X, (n,), an array or `LazyRows` that are not encoded."""
    if not isinstance(X, LazyRows):
        return X[:, column]
    return X.X[:, column] if X.numbers is None else X.X[X.numbers, column]


def cells(X, rows, columns):
    """These columns of these rows of X, (len(rows), len(columns)); X is an array or `LazyRows` that are not encoded."""
    if not len(columns):
        return np.empty((len(rows), 0), X.dtype)
    return np.stack([column_of(X, column)[rows] for column in columns], axis=1)


def row_numbers(n_rows):
    """0 … n − 1, in four bytes each if these suffice."""
    return np.arange(n_rows, dtype=np.int32 if n_rows < 2**31 else np.int64)


def spread(n_rows, size):
    """Row numbers of a fixed stratified sample: the rows are cut into `size` equal ranges, and one is drawn from each.

    The seed is fixed, so that the sample is always the same.
    """
    bounds = np.linspace(0, n_rows, size + 1).astype(np.int64)
    return np.random.default_rng(0).integers(bounds[:-1], bounds[1:])
