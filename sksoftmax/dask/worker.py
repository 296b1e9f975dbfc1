"""What a worker does: it holds blocks of rows as numbers, and computes what the client asks of these rows.

A `Holder` is an actor of dask. It ends when the client releases it or disconnects, and its rows with it. Tasks of the same worker
write the rows into it, so that each partition is in memory once: they find the holder in `HOLDERS`, which does not keep it alive.
"""

from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from weakref import WeakValueDictionary

import numpy as np
from distributed import get_worker
from scipy.sparse import csr_matrix, vstack

from sksoftmax.data.inputs import check_X
from sksoftmax.data.rows import LazyRows, Samples, is_large, map_blocks
from sksoftmax.engines import engine_for
from sksoftmax.nn.threads import BlasThreadLimit
from sksoftmax.training.callbacks import NoTasks
from sksoftmax.training.ensemble import EnsemblePlan
from sksoftmax.training.run import Run
from sksoftmax.training.state import TrainingState

MEMORY_SHARE = 0.4  # rows that take more of a worker's memory are held in a file
GRADIENT_ROWS = 2048  # rows of a member whose gradient is computed at once
HOLDERS: WeakValueDictionary[str, "Holder"] = WeakValueDictionary()


class HolderIsGone(Exception):
    """The worker has begun anew, without the rows that it held."""


@dataclass
class Block:
    """Rows `first` … `last` − 1 of all rows, as numbers; once training begins, the samples of these, and which are trained on."""

    first: int
    last: int
    X: object
    samples: Samples | None = None
    training_rows: np.ndarray | None = None

    def own(self, rows):
        """Those of these rows that are in this block, as numbers among its rows; all of them for None."""
        if rows is None:
            return np.arange(self.last - self.first)
        return rows[(rows >= self.first) & (rows < self.last)] - self.first

    def lazy(self, rows):
        """`LazyRows` of those of these rows that are in this block."""
        return LazyRows(self.X, None if rows is None else self.own(rows))


class Holder:
    """Holds blocks of rows, given as pairs of the first row and the one behind the last, in `n_columns` columns of a dtype."""

    def __init__(self, key, bounds, n_columns, dtype, is_sparse):
        self.n_columns, self.dtype, self.is_sparse = n_columns, dtype, is_sparse
        if is_sparse:
            X = [{} for _ in bounds]  # parts by their first row, until all are there
        else:
            whole = empty_matrix(bounds[-1][1] - bounds[0][0], n_columns, dtype)
            X = [whole[first - bounds[0][0] : last - bounds[0][0]] for first, last in bounds]
        self.blocks = [Block(first, last, part) for (first, last), part in zip(bounds, X)]
        self.engine = None
        HOLDERS[key] = self

    def write(self, first, rows):
        """Write these rows, of which the first has this number among all rows."""
        block = next(block for block in self.blocks if block.first <= first < block.last)
        if self.is_sparse:
            block.X[first] = rows.astype(self.dtype, copy=False)
        else:
            block.X[first - block.first : first - block.first + len(rows)] = rows

    def complete(self):
        """Join the parts of sparse rows; return the number of bytes held."""
        if self.is_sparse:
            for block in self.blocks:
                block.X = vstack([block.X[first] for first in sorted(block.X)], format="csr", dtype=self.dtype)
        return sum(block.X.data.nbytes for block in self.blocks)

    def take(self, rows):
        """Those of these rows that are here, in their order."""
        parts = [(np.flatnonzero((rows >= block.first) & (rows < block.last)), block) for block in self.blocks]
        if self.is_sparse:
            X = vstack([block.X[block.own(rows)] for _, block in parts], format="csr")
            return X[np.argsort(np.concatenate([places for places, _ in parts]), kind="stable")]
        X = np.empty((sum(len(places) for places, _ in parts), self.n_columns), self.dtype)
        order = np.argsort(np.concatenate([places for places, _ in parts]), kind="stable")
        X[...] = np.concatenate([block.X[block.own(rows)] for _, block in parts])[order]
        return X

    def column(self, rows, column):
        """A column of those of these rows that are here; rows are in order."""
        return np.concatenate([block.X[block.own(rows), column] for block in self.blocks])

    def map_blocks(self, function, rows, others):
        """See `data.rows.map_blocks`; rows are in order, and the others have entries for those that are here."""
        results, start = [], 0
        for block in self.blocks:
            X = block.lazy(rows)
            part = slice(start, start + X.shape[0])
            start = part.stop
            results += map_blocks(function, X, *(None if other is None else other[part] for other in others))
        return results

    def logits(self, model, rows):
        """The model's logits of those of these rows that are here; rows are in order."""
        encoded = [block.lazy(rows).encoded(model.preprocessor, model.network.dtype) for block in self.blocks]
        with np.errstate(over="ignore", invalid="ignore"):
            return np.concatenate([model.logits_of(X) for X in encoded if X.shape[0]] or [np.empty((0, model.head.n_outputs))])

    def begin(self, model, config, smoothing_prior, parts):
        """Make ready to train: `parts` has, for each block, the numbers of its training rows, their targets and their weights."""
        model = replace(model, network=model.network.copy())  # several workers may be in one process
        model.network.allocate_gradient()
        layout = model.preprocessor.layout
        n_rows = sum(block.last - block.first for block in self.blocks)
        is_lazy = not model.preprocessor.is_identity and is_large((n_rows, layout.n_columns), model.network.dtype)
        for block, (rows, targets, weights) in zip(self.blocks, parts):
            block.training_rows = rows
            X = block.lazy(None).encoded(model.preprocessor, model.network.dtype)
            block.samples = Samples(
                X if is_lazy and not X.stays_sparse else X.read(),
                spread_over(block, rows, targets),
                None if weights is None else spread_over(block, rows, weights),
            )
        largest = max((block.samples for block in self.blocks), key=len)
        plan = EnsemblePlan(None, None, config.dropout, config.weight_decay)
        run = Run(model, largest, None, plan, config, NoTasks(), None, None, smoothing_prior=smoothing_prior)
        self.engine = engine_for(run, TrainingState())
        return self.engine.name

    def gradient(self, parameters, rows, totals, dropout, seed):
        """What the rows here add to the loss and its gradient; rows, an array for each member, None for all, are of a batch.

        `totals` has the members' sums of weights of the batch. The random bits for dropout depend on the `seed` and the block.
        """
        network, loss = self.engine.run.model.network, 0.0
        network.parameters[...] = parameters
        gradient = np.zeros_like(network.gradient)
        with BlasThreadLimit(1), np.errstate(all="ignore"):
            for block in self.blocks:
                own = [block.training_rows] if rows is None else [block.own(of_member) for of_member in rows]
                bits = None if seed is None else [np.random.SFC64((seed, block.first, i)) for i in range(len(own))]
                for start in range(0, max(map(len, own)), GRADIENT_ROWS):
                    part = [of_member[start : start + GRADIENT_ROWS] for of_member in own]
                    loss += self.engine.share_of_gradient(block.samples, part, totals, dropout, bits)
                    gradient += network.gradient
        return loss, gradient


def spread_over(block, rows, values):
    """An array with an entry for each row of the block, which are these values in these rows."""
    if len(rows) == block.last - block.first:
        return values
    result = np.zeros((block.last - block.first, *values.shape[1:]), values.dtype)
    result[rows] = values
    return result


def empty_matrix(n_rows, n_columns, dtype):
    """An empty matrix; in a file without a name in the worker's folder if it would take much of the worker's memory."""
    worker, size = get_worker(), n_rows * n_columns * np.dtype(dtype).itemsize
    limit = worker.memory_manager.memory_limit
    if not size or not limit or size <= MEMORY_SHARE * limit:
        return np.empty((n_rows, n_columns), dtype)
    with TemporaryFile(dir=worker.local_directory) as file:  # no name, so it is gone with the process
        return np.memmap(file, dtype, "w+", shape=(n_rows, n_columns))  # which keeps it open


def load(partition, number, key, first, n_rows, estimator, categories, accepts_missing):
    """Check a partition of X, and write its rows as numbers into the holder of this key."""
    holder = HOLDERS.get(key)
    if holder is None:
        raise HolderIsGone
    try:
        rows = check_X(estimator, partition, categories, accepts_missing)
    except (ValueError, TypeError) as error:
        raise type(error)(f"In partition {number} of X: {error}") from error
    if rows.shape[0] != n_rows:
        raise ValueError(
            f"Partition {number} of X had {n_rows} rows when it was first computed, and {rows.shape[0]} now. Persist X first."
        )
    holder.write(first, csr_matrix(rows) if holder.is_sparse else rows)
