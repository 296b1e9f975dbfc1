"""Training by dask's workers on this machine: the time of each stage, rows a second, bytes and milliseconds of a step, memory.

    python benchmarks/cluster.py [--rows 2000000] [--columns 30] [--partitions 48] [--workers 1 2] [--write]
    python benchmarks/cluster.py --paper

The workers make the rows, partition by partition. Every line is one fit; the last column is the training time with the first
number of workers over that with this one. `--write` stores the lines in benchmarks/results/cluster.csv. Workers are processes
of one thread on one machine: so they share its processors with the client, and messages do not leave it.

`--paper` computes from these lines what a pass over many rows would take on more workers, whose messages all pass the client's
network card. No such cluster was measured.
"""

import argparse
import csv
import resource
import time
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from unittest.mock import patch

import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster

from sksoftmax.dask import DaskSoftmaxMLPClassifier
from sksoftmax.dask.cluster import WorkerMatrix
from sksoftmax.dask.partitions import Partitions
from sksoftmax.engines.numpy_engine import NumpyEngine
from sksoftmax.training.config import MAX_STEPS

RESULT = Path(__file__).parent / "results" / "cluster.csv"
FITS = {  # the name of a fit → its parameters
    "defaults": {},
    "batch_size=4096": {"batch_size": 4096, "max_iter": 1},
    "n_members=1": {"n_members": 1},
    "n_members=1, batch_size=4096": {"n_members": 1, "batch_size": 4096, "max_iter": 1},
}
STAGES = {"columns": (Partitions, "of"), "load": (WorkerMatrix, "placed"), "train": (NumpyEngine, "train")}


def rows_of(partition, n_rows, n_columns):
    """The rows of a partition: random numbers."""
    return np.random.default_rng(partition).normal(size=(n_rows, n_columns)).astype(np.float32)


def labels_of(partition, n_rows, n_columns):
    """Their labels, of three classes: a rule of products and waves, and noise."""
    X, rng = rows_of(partition, n_rows, n_columns), np.random.default_rng((partition, 1))
    score = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + X[:, 3] + 0.5 * rng.normal(size=n_rows)
    return np.digitize(score, (-0.7, 0.7))


def collections(n_rows, n_columns, n_partitions):
    """X and y as dask arrays, nothing computed."""
    size = n_rows // n_partitions
    make = [dask.delayed(rows_of)(i, size, n_columns) for i in range(n_partitions)]
    X = da.concatenate([da.from_delayed(part, (size, n_columns), np.float32) for part in make])
    make = [dask.delayed(labels_of)(i, size, n_columns) for i in range(n_partitions)]
    return X, da.concatenate([da.from_delayed(part, (size,), np.int64) for part in make])


@contextmanager
def timed(seconds):
    """Add the time of each stage to `seconds`, by its name, until the context ends."""

    def wrapped(name, function):
        def call(*args, **kwargs):
            begun = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - begun

        return call

    patches = []
    for name, (owner, method) in STAGES.items():
        function = owner.__dict__[method]
        new = classmethod(wrapped(name, function.__func__)) if isinstance(function, classmethod) else wrapped(name, function)
        patches.append(patch.object(owner, method, new))
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in patches:
            one.stop()


def peak_memory():
    """The largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(name, params, args, n_workers):
    """One fit as a dict of results."""
    options = {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": ":0"}
    seconds, X_and_y = {}, collections(args.rows, args.columns, args.partitions)
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        begun = time.perf_counter()
        with timed(seconds):
            clf = DaskSoftmaxMLPClassifier(random_state=0, **params).fit(*X_and_y)
        total = time.perf_counter() - begun
        memory = max(client.run(peak_memory).values())
    n_members, n_parameters = clf.n_members_, clf._model.network.parameters.size
    n_steps = clf.max_iter_ * max(1, round(args.rows / clf.batch_size_))
    return {
        "fit": name,
        "workers": n_workers,
        "batch_size": clf.batch_size_,
        "epochs": clf.max_iter_,
        **{f"{stage}_s": round(seconds.get(stage, 0.0), 1) for stage in STAGES},
        "other_s": round(total - sum(seconds.values()), 1),
        "rows_per_s": round(clf.t_ / seconds["train"]),
        "step_ms": round(1000 * seconds["train"] / n_steps, 1),
        "step_MB": round(n_workers * (2 * n_parameters + n_members * clf.batch_size_) * 4 / 1e6, 2),
        "client_MB": round(peak_memory()),
        "worker_MB": round(memory),
    }


def projected(n_rows=(10**8, 10**9), n_workers=(1, 3, 10, 30), gbits=(1, 10)):
    """Lines of the time of a pass on paper: the workers' computing, and the client's messages, of the fits with large batches."""
    with RESULT.open() as file:
        measured = {row["fit"]: row for row in csv.DictReader(file) if row["workers"] == "1"}
    lines = []
    for name, n, bandwidth in product(("", "n_members=1, "), n_rows, gbits):
        row = measured[f"{name}batch_size=4096"]
        seconds_of_row, step_bytes = float(row["step_ms"]) / 1000 / float(row["batch_size"]), float(row["step_MB"]) * 1e6
        batch_size, n_steps = n / MAX_STEPS, MAX_STEPS
        line = {"fit": name.strip(", ") or "defaults", "rows": f"{n:,}", "Gbit/s": bandwidth, "rows a step": round(batch_size)}
        for workers in n_workers:
            computing = n_steps * seconds_of_row * batch_size / workers
            sending = n_steps * workers * step_bytes * 8 / (bandwidth * 1e9)
            line[f"{workers} worker{'s' * (workers > 1)}"] = (
                f"{(computing + sending) / 60:,.0f} min ({sending / (computing + sending):.0%} messages)"
            )
        lines.append(line)
    return lines


def main():
    """Measure every fit with each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--partitions", type=int, default=48)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", help="fits whose name contains this")
    parser.add_argument("--epochs", type=int, help="epochs of each fit; 'auto' if not given")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--paper", action="store_true")
    args = parser.parse_args()
    if args.paper:
        for line in projected():
            print("  ".join(f"{key}={value}" for key, value in line.items()))
        return
    found = []
    for name, params in FITS.items():
        if args.only and args.only not in name:
            continue
        params = params | ({} if args.epochs is None else {"max_iter": args.epochs})
        rows = [measured(name, params, args, n_workers) for n_workers in args.workers]
        for row in rows:
            row["speedup"] = round(rows[0]["train_s"] / row["train_s"], 2)
            print("  ".join(f"{key}={value}" for key, value in row.items()), flush=True)
        found += rows
    if args.write:
        with RESULT.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(found[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(found)


if __name__ == "__main__":
    main()
