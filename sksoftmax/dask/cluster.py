"""The client's side: rows that dask's workers hold, and questions to all of them at once, which are repeated if a worker dies.

A matrix is cut into blocks of adjacent partitions. The number of blocks does not depend on the number of workers, so the random
numbers drawn for each of them do not either. Each worker holds adjacent blocks in an actor. If it dies, those that are there load
its blocks anew, and the question is asked again. As the client holds all that training changes, nothing is lost.
"""

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from threading import RLock
from uuid import uuid4

import dask
import numpy as np
from distributed import Client, get_client, get_worker, worker_client
from scipy.sparse import vstack

from sksoftmax.dask.engine import ClusterEngine
from sksoftmax.dask.worker import Holder, HolderIsGone, load
from sksoftmax.data.rows import RemoteMatrix

ROWS_OF_BLOCK, LEAST_BLOCKS, MOST_BLOCKS = 250_000, 24, 256  # and blocks have at least a partition each
POLL = 1.0  # seconds between two looks at which workers are there
PATIENCE = 60.0  # seconds to wait for a worker if none is there
FAREWELL = 5.0  # seconds after which the scheduler knows that a worker is gone which does not answer
MOST_DEATHS = 3  # of workers that hold the same rows


class WorkerIsGone(Exception):
    """A worker died, or began anew."""


class Cluster:
    """The workers that one call of fit uses, a context: in the end they forget its rows.

    It has a connection of its own, which talks to the workers directly; when this ends, dask releases the actors.
    """

    def __init__(self, client):
        self.client = client

    def __enter__(self):
        with ExitStack() as stack:
            if self.client is None:
                self.client = current_client(stack)
            if not isinstance(self.client, Client):
                raise TypeError(
                    f"client must be a distributed.Client or None; got a {type(self.client).__name__}. "
                    "Pass distributed.Client(...) of the cluster or its address."
                )
            if self.client.status == "closed":
                raise ValueError("client is closed. Start one before fit, as client = distributed.Client().")
            if self.client.asynchronous:
                raise ValueError("client must not be asynchronous: fit waits for its results.")
            address, security = self.client.scheduler.address, self.client.security
            direct = Client(address, security=security, direct_to_workers=True, set_as_default=False, name="sksoftmax")
            self.direct = stack.enter_context(direct)
            self.some_workers()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self.stack.__exit__(*exception)

    def workers(self):
        """The addresses of the workers that are there now."""
        return sorted(self.direct.nthreads())

    def some_workers(self):
        """The addresses of the workers, of which there is one at least; RuntimeError if none comes in a minute."""
        end = time.monotonic() + PATIENCE
        while not (found := self.workers()):
            if time.monotonic() > end:
                raise RuntimeError(f"No worker of dask is there, and none has come in {PATIENCE:.0f} seconds.")
            time.sleep(POLL / 10)
        return found

    def computed(self, collections):
        """Compute these collections, wherever dask likes; RuntimeError if no worker is there for a minute."""
        futures = self.client.compute(collections)
        while not all(future.done() for future in futures):
            self.some_workers()
            time.sleep(POLL / 20)
        return self.client.gather(futures)

    def gone(self, held, patience=FAREWELL):
        """Those of these `Held` whose worker is gone. If none is yet, wait: it may take the scheduler some seconds to know it."""
        end = time.monotonic() + patience
        while True:
            there = self.workers()
            found = [one for one in held if one.address not in there or one.future.status not in ("finished", "pending")]
            if found or time.monotonic() > end:
                return found
            time.sleep(POLL / 10)

    def call(self, held, method, *arguments):
        """Call a method of an actor; return its future."""
        try:
            with self.direct.as_current():
                return getattr(held.actor, method)(*arguments)
        except RuntimeError:  # what dask raises if it knows that the actor is lost
            raise WorkerIsGone from None

    def answer(self, held, future):
        """The result of a call of an actor, or of a task that only its worker may run; `WorkerIsGone` if its worker is."""
        while True:
            try:
                return future.result(timeout=POLL)
            except TimeoutError:
                if self.gone([held], patience=0):
                    raise WorkerIsGone from None
            except HolderIsGone:
                raise WorkerIsGone from None
            except (OSError, RuntimeError, KeyError):  # what dask raises if an actor is lost, and others too
                if self.gone([held]):
                    raise WorkerIsGone from None
                raise

    def finish(self, futures):
        """Wait for these futures, pairs of a `Held` and a future of a task that only its worker may run."""
        while True:
            is_done = all(future.done() for _, future in futures)
            for held, future in futures:
                if future.done() and future.status != "finished":
                    self.answer(held, future)
            if self.gone([held for held, _ in futures], patience=0):
                raise WorkerIsGone
            if is_done:
                return
            time.sleep(POLL / 20)


def current_client(stack):
    """dask's current client; within a task, which then does not occupy its worker's thread, until the stack ends."""
    try:
        get_worker()
    except ValueError:
        pass
    else:
        return stack.enter_context(worker_client())
    try:
        return get_client()
    except ValueError:
        raise ValueError(
            "There is no dask client. Start one before fit, as client = distributed.Client(), or pass it as client=..."
        ) from None


@dataclass
class Held:
    """Blocks that a worker holds: its address, the pairs of first and last row of the blocks, and dask's future of the actor."""

    address: str
    bounds: list
    future: object
    actor: object = None

    def release(self):
        """Let the worker forget the blocks."""
        self.future.release()
        self.actor = None

    @property
    def first(self):
        """The first row."""
        return self.bounds[0][0]

    @property
    def last(self):
        """The row behind the last one."""
        return self.bounds[-1][1]

    def places(self, rows):
        """The places of its rows among these rows."""
        return np.flatnonzero((rows >= self.first) & (rows < self.last))


class WorkerMatrix(RemoteMatrix):
    """A matrix of numbers whose rows dask's workers hold.

    Parameters
    ----------
    cluster : Cluster
        The workers.

    partitions : Partitions
        The user's X.

    reading : tuple
        What `check_X` needs to read a partition: an estimator, the categories, and whether NaN is accepted.

    n_columns : int
        The number of columns of numbers.

    dtype : dtype
        The dtype of these numbers.

    is_sparse : bool
        Whether the partitions are sparse.
    """

    def __init__(self, cluster, partitions, reading, n_columns, dtype, is_sparse):
        self.cluster, self.partitions, self.reading = cluster, partitions, reading
        self.shape, self.dtype, self.is_sparse = (partitions.shape[0], n_columns), np.dtype(dtype), is_sparse
        self.lock, self.training, self.deaths = RLock(), None, Counter()
        self.held = self.placed(bounds_of_blocks(partitions))

    def placed(self, bounds):
        """Let the workers load these adjacent blocks, again if one dies meanwhile, and make ready to train if the others are."""
        while True:
            new = [self.reserve(*dealt) for dealt in deal(bounds, self.cluster.some_workers())]
            try:
                self.load(new)
            except WorkerIsGone:
                self.count_deaths(self.cluster.gone(new) or new)
                for held in new:
                    held.release()
            else:
                return new

    def reserve(self, address, bounds):
        """Let a worker make an actor that will hold these blocks."""
        key, n_columns = f"sksoftmax-{uuid4().hex}", self.shape[1]
        arguments = key, bounds, n_columns, self.dtype, self.is_sparse
        future = self.cluster.direct.submit(Holder, *arguments, actor=True, key=key, workers=[address], allow_other_workers=False)
        return Held(address, bounds, future)

    def load(self, new):
        """Fill these actors, and make them ready to train if training has begun."""
        cluster = self.cluster
        with cluster.direct.as_current():
            for held in new:
                held.actor = cluster.answer(held, held.future)
        tasks = [task for held in new for task in self.tasks(held)]
        try:
            cluster.finish(tasks)
        finally:
            for _, future in tasks:
                future.release()
        self.call(new, "complete")
        if self.training is not None:
            self.call(new, "begin", self.training.arguments)

    def tasks(self, held):
        """Let a worker load the partitions of these blocks; return pairs of the `Held` and a future.

        The worker computes the partitions too if it can. They are not bound to it: other fits may wait for them if it dies.
        """
        first_rows, where = self.partitions.first_rows, [held.address]
        numbers = np.flatnonzero((first_rows[:-1] >= held.first) & (first_rows[1:] <= held.last) & (np.diff(first_rows) > 0))
        with dask.annotate(workers=where, allow_other_workers=False):
            loads = [
                dask.delayed(load)(
                    self.partitions.parts[i], i, held.future.key, first_rows[i], self.partitions.n_rows[i], *self.reading
                )
                for i in numbers.tolist()
            ]
        return [(held, future) for future in self.cluster.client.compute(loads, workers=where, allow_other_workers=True)]

    def call(self, holders, method, arguments=lambda held: ()):
        """Call a method of these actors, with arguments for each, at once; return the results."""
        futures = [(held, self.cluster.call(held, method, *arguments(held))) for held in holders]
        return [self.cluster.answer(held, future) for held, future in futures]

    def ask(self, method, arguments=lambda held: ()):
        """Call a method of all actors; again, if a worker dies meanwhile, once its rows are loaded anew."""
        with self.lock:
            while True:
                try:
                    results = self.call(self.held, method, arguments)
                except WorkerIsGone:
                    self.replace(self.cluster.gone(self.held))
                else:
                    self.deaths.clear()
                    return results

    def replace(self, gone):
        """Load the rows of these actors anew."""
        self.count_deaths(gone)
        for held in gone:  # one by one: if Ctrl-C ends it, the next question finds out which are still gone
            others = [other for other in self.held if other is not held]
            self.held = sorted([*others, *self.placed(held.bounds)], key=lambda held: held.first)

    def count_deaths(self, gone):
        """RuntimeError if several workers have died that held the same rows, and no question was answered in between."""
        for first, last in (bounds for held in gone for bounds in held.bounds):
            self.deaths[first, last] += 1
            if self.deaths[first, last] >= MOST_DEATHS:
                raise RuntimeError(
                    f"{MOST_DEATHS} workers died that held rows {first} to {last - 1} of X. They may need more memory."
                )

    def take(self, rows, axis=0):
        """Fetch these rows."""
        rows = np.asarray(rows)
        parts = self.ask("take", lambda held: (rows[held.places(rows)],))
        places = np.concatenate([held.places(rows) for held in self.held])
        if self.is_sparse:
            return vstack(parts, format="csr")[np.argsort(places)]
        result = np.empty((len(rows), self.shape[1]), self.dtype)
        result[places] = np.concatenate(parts)
        return result

    def __getitem__(self, key):
        """Fetch rows, by a slice, or a column of rows, by a pair."""
        if not isinstance(key, tuple):
            return self.take(np.arange(self.shape[0])[key])
        rows, column = np.arange(self.shape[0])[key[0]], int(key[1])
        parts = self.ask("column", lambda held: (rows[held.places(rows)], column))
        result = np.empty(len(rows), self.dtype)
        for held, part in zip(self.held, parts):
            result[held.places(rows)] = part
        return result

    def map_blocks(self, function, rows, others):
        """See `data.rows.map_blocks`."""

        def arguments(held):
            places = slice(held.first, held.last) if rows is None else held.places(rows)
            return (
                function,
                None if rows is None else rows[places],
                [None if other is None else other[places] for other in others],
            )

        return [result for results in self.ask("map_blocks", arguments) for result in results]

    def logits(self, model, rows):
        """The model's logits, (n, n_outputs), of these rows, None for all."""
        rows = np.arange(self.shape[0]) if rows is None else rows
        parts = self.ask("logits", lambda held: (model, rows[held.places(rows)]))
        result = np.empty((len(rows), model.head.n_outputs), model.network.dtype, order="F")
        for held, part in zip(self.held, parts):
            result[held.places(rows)] = part
        return result

    def engine(self, run, state, bits):
        """The engine that trains a run on rows of this matrix."""
        return ClusterEngine(run, state, bits, self)


def bounds_of_blocks(partitions):
    """Pairs of the first row of a block and the row behind its last one: whole partitions, blocks of about equally many rows."""
    ends = np.unique(partitions.first_rows[1:])
    ends = ends[ends > 0]
    n_blocks = min(len(ends), max(LEAST_BLOCKS, min(MOST_BLOCKS, int(ends[-1]) // ROWS_OF_BLOCK)))
    wanted = np.linspace(0, ends[-1], n_blocks + 1)[1:]
    ends = np.unique(ends[np.minimum(np.searchsorted(ends, wanted), len(ends) - 1)]).tolist()
    return list(zip([0, *ends[:-1]], ends))


def deal(bounds, workers):
    """Pairs of a worker and adjacent blocks, about as many rows for each worker."""
    first, last = bounds[0][0], bounds[-1][1]
    middles = np.array([(start + end) / 2 - first for start, end in bounds])
    owner = np.minimum((middles * len(workers) / (last - first)).astype(int), len(workers) - 1)
    return [(workers[number], [bounds[i] for i in np.flatnonzero(owner == number)]) for number in np.unique(owner)]
