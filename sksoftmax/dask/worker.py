"""What a worker does: it holds blocks of rows as numbers, and computes what the client asks of these rows.

A `Holder` is an actor of dask that holds adjacent rows. It ends when the client releases it or disconnects, and its rows with it.
Tasks of its worker write the rows into it, so that each partition is in memory once. They find it in `HOLDERS`, which does not
keep it alive.
"""

from dataclasses import replace
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
READ_ROWS = 2**14  # rows that are encoded at once, those of all members together
HOLDERS: WeakValueDictionary[str, "Holder"] = WeakValueDictionary()


class HolderIsGone(Exception):
    """The worker has begun anew, without the rows that it held."""


class Holder:
    """Holds adjacent rows as numbers, in `n_columns` columns of a dtype.

    They are blocks, given as pairs of the first row and the one behind the last, each with random numbers of its own.
    """

    def __init__(self, key, bounds, n_columns, dtype, is_sparse):
        self.first, self.ends, self.dtype = bounds[0][0], np.array([end for _, end in bounds]), dtype
        self.n_rows = bounds[-1][1] - self.first
        self.X = {} if is_sparse else empty_matrix(self.n_rows, n_columns, dtype)  # parts by their first row, until all are there
        self.samples, self.training_rows, self.engine = None, None, None
        HOLDERS[key] = self

    def write(self, first, rows):
        """Write these rows, of which the first has this number among all rows."""
        if isinstance(self.X, dict):
            self.X[first] = csr_matrix(rows, dtype=self.dtype)
        else:
            self.X[first - self.first : first - self.first + len(rows)] = rows

    def complete(self):
        """Join the parts of sparse rows."""
        if isinstance(self.X, dict):
            self.X = vstack([self.X[first] for first in sorted(self.X)], format="csr", dtype=self.dtype)

    def lazy(self, rows):
        """`LazyRows` of these rows, None for all."""
        return LazyRows(self.X, None if rows is None else rows - self.first)

    def take(self, rows):
        """These rows."""
        return self.X[rows - self.first]

    def column(self, rows, column):
        """A column of these rows."""
        return self.X[rows - self.first, column]

    def map_blocks(self, function, rows, others):
        """See `data.rows.map_blocks`."""
        return list(map_blocks(function, self.lazy(rows), *others))

    def logits(self, model, rows):
        """The model's logits of these rows."""
        if not len(rows):
            return np.empty((0, model.head.n_outputs))
        with np.errstate(over="ignore", invalid="ignore"):
            return model.logits_of(self.lazy(rows).encoded(model.preprocessor, model.network.dtype))

    def begin(self, model, config, smoothing_prior, rows, targets, weights):
        """Make ready to train on these rows, with these targets and weights; return the engine's name."""
        model = replace(model, network=model.network.copy())  # several workers may be in one process
        model.network.allocate_gradient()
        preprocessor, dtype, self.training_rows = model.preprocessor, model.network.dtype, rows
        X = self.lazy(None).encoded(preprocessor, dtype)
        is_small = preprocessor.is_identity or not is_large((self.n_rows, preprocessor.layout.n_columns), dtype)
        self.samples = Samples(
            X.read() if is_small or X.stays_sparse else X,
            self.spread(targets),
            None if weights is None else self.spread(weights),
        )
        plan = EnsemblePlan(None, None, config.dropout, config.weight_decay)
        run = Run(model, self.samples, None, plan, config, NoTasks(), None, None, smoothing_prior=smoothing_prior)
        self.engine = engine_for(run, TrainingState())
        return self.engine.name

    def spread(self, values):
        """An array with an entry for each row that is held: these values in the training rows, which may be in any order."""
        result = np.zeros((self.n_rows, *values.shape[1:]), values.dtype)
        result[self.training_rows - self.first] = values
        return result

    def gradient(self, parameters, rows, totals, dropout, seed):
        """What the rows here add to the loss and its gradient; rows, an array for each member, None for all, are of a batch.

        `totals` has the members' sums of weights of the batch. The random bits for dropout depend on the `seed` and the block.
        """
        network, loss = self.engine.run.model.network, 0.0
        network.parameters[...] = parameters
        gradient = np.zeros_like(network.gradient)
        bits = [None if seed is None else self.bits(seed, block, len(totals)) for block in self.ends]
        with BlasThreadLimit(1), np.errstate(all="ignore"):
            for samples, block, of_members in self.parts([self.training_rows] if rows is None else rows):
                loss += self.engine.share_of_gradient(samples, of_members, totals, dropout, bits[block])
                gradient += network.gradient
        return loss, gradient

    def bits(self, seed, block, n_members):
        """The bit generators of a block for a step, one for each member."""
        return [np.random.SFC64((seed, int(block), member)) for member in range(n_members)]

    def parts(self, rows):
        """Those of these rows that are here, block by block, at most GRADIENT_ROWS of a member at once.

        Yields samples, the number of the block, and the numbers of the rows among the samples, an array for each member. Rows
        that are not encoded yet are encoded together if they are few.
        """
        own = [of_member[(of_member >= self.first) & (of_member < self.ends[-1])] for of_member in rows]
        blocks, parts = [np.searchsorted(self.ends, of_member, side="right") for of_member in own], []
        for block in np.unique(np.concatenate(blocks)).tolist():
            of_block = [of_member[is_in == block] - self.first for of_member, is_in in zip(own, blocks)]
            for start in range(0, max(map(len, of_block)), GRADIENT_ROWS):
                parts.append((block, [of_member[start : start + GRADIENT_ROWS] for of_member in of_block]))
        if not isinstance(self.samples.X, LazyRows):
            yield from ((self.samples, *part) for part in parts)
        else:
            at_once = sum(map(len, own)) <= READ_ROWS
            for group in [parts] if at_once and parts else [[part] for part in parts]:
                yield from self.encoded(group)

    def encoded(self, parts):
        """The same parts, with samples that are encoded, those of members that do not see bins without them."""
        architecture, dtype = self.engine.run.model.network.architecture, self.engine.run.model.network.dtype
        of_members = list(zip(*(rows for _, rows in parts)))
        rows = np.concatenate([part for of_member in of_members for part in of_member])
        samples = self.samples[rows]
        X = np.empty(samples.X.shape, dtype)
        samples.X.write(X, sum(len(part) for of_member in of_members[: architecture.n_without_bins] for part in of_member))
        samples, start = replace(samples, X=X), np.cumsum([0, *(len(part) for of_member in of_members for part in of_member)])
        for i, (block, own) in enumerate(parts):
            places = [start[i + member * len(parts)] for member in range(len(own))]
            yield samples, block, [np.arange(place, place + len(part)) for place, part in zip(places, own)]


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
    holder.write(first, rows)
