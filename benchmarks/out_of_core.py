"""Training on an array in a file: seconds and memory beside the same rows in memory, on Fashion-MNIST or data like it.

    python benchmarks/out_of_core.py FILE.npz [--gigabytes 8] [--in-memory-gigabytes 1] [--directory DIR] [--epochs 1]
        [--members N] [--repeats 2] [--only pair fit partial_fit]

FILE.npz holds X (n, 28, 28) or (n, 784) of uint8, y (n,), X_test and y_test. Its rows, over and over, each time with other noise,
fill a float32 file in a temporary folder of DIR, which is deleted in the end.

- pair: `fit` on the first rows as they stand in the file and as an array in memory, in turn.
- fit: `fit` on the whole file.
- partial_fit: one pass of `partial_fit` over slices of the file.

For a file larger than memory, limit the memory: `systemd-run --scope -p MemoryMax=700M python benchmarks/out_of_core.py …`.
"Read" is what came from the disk, in sizes of the file.

Every line is a process of its own, which starts with none of the file in memory (as far as the system heeds the request to drop
it). "Extra" is the peak of RssAnon, sampled every 20 ms from /proc/self/status, above its value before the call: memory that
belongs to the process. It leaves out pages of the file, which the system keeps as long as nobody needs the room. Linux only.
"CPU" counts the process's seconds on all processors, which other work on the machine disturbs less than the clock's.
"""

import argparse
import mmap
import os
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Thread
from time import perf_counter, process_time

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sksoftmax import SoftmaxMLPClassifier

NOISE = 8.0  # standard deviation, in steps of a pixel's 0 … 255
SLICE = 50_000  # rows made or learned at once


def main():
    """Make the file, measure each line in a new process, delete the file."""
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(dir=arguments.directory) as folder:
        path = str(Path(folder) / "X.float32")
        n_rows = make_file(arguments.file, path, arguments.gigabytes)
        print(f"{n_rows:,} rows in a file of {os.path.getsize(path) / 1e9:.2f} GB; members: {arguments.members}")
        heads = f"{'rows':>11}{'epochs':>8}{'seconds':>10}{'CPU':>8}{'rows/s':>9}{'extra MB':>10}{'read':>8}{'accuracy':>10}"
        print(f"{'':<24}{heads}")
        for name, rows in lines(arguments, n_rows):
            with ProcessPoolExecutor(1, get_context("spawn")) as process:
                seconds, cpu, extra, read, accuracy = process.submit(measure, name, path, rows, arguments).result()
            epochs = 1 if name == "partial_fit" else arguments.epochs
            rate = rows * epochs / seconds
            line = f"{name:<24}{rows:>11,}{epochs:>8}{seconds:>10.1f}{cpu:>8.1f}{rate:>9,.0f}"
            print(f"{line}{extra / 1e6:>10,.0f}{read:>8.2f}{accuracy:>10.4f}", flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="an .npz file with X, y, X_test, y_test")
    parser.add_argument("--gigabytes", type=float, default=8.0, help="size of the file (default: 8)")
    parser.add_argument("--in-memory-gigabytes", type=float, default=1.0, help="part of it for the pair (default: 1)")
    parser.add_argument("--directory", default=None, help="where the file is made (default: the system's temporary folder)")
    parser.add_argument("--epochs", type=int, default=1, help="passes over the rows in fit (default: 1)")
    parser.add_argument("--members", type=int, default=None, help="n_members (default: the estimator's)")
    parser.add_argument("--repeats", type=int, default=2, help="runs of each half of the pair (default: 2)")
    parser.add_argument("--only", nargs="+", default=["pair", "fit", "partial_fit"], help="what to run (default: all)")
    return parser.parse_args()


def lines(arguments, n_rows):
    """What to measure, and on how many rows."""
    n_pair = min(n_rows, round(n_rows * arguments.in_memory_gigabytes / arguments.gigabytes))
    if "pair" in arguments.only:
        yield from [("fit, file", n_pair), ("fit, memory", n_pair)] * arguments.repeats
    yield from ((name, n_rows) for name in ("fit", "partial_fit") if name in arguments.only)


def make_file(file, path, gigabytes):
    """Write rows of so many gigabytes; return their number."""
    with np.load(file) as data:
        images = data["X"].reshape(len(data["X"]), -1)
    n_rows, rng = int(gigabytes * 1e9 / (4 * images.shape[1])), np.random.default_rng(0)
    with open(path, "wb") as out:
        for start in range(0, n_rows, SLICE):
            part = images[np.arange(start, min(start + SLICE, n_rows)) % len(images)]
            (part + np.float32(NOISE) * rng.standard_normal(part.shape, dtype=np.float32)).tofile(out)
    return n_rows


def measure(name, path, n_rows, arguments):
    """Seconds on the clock and of the processor, peak of extra bytes, sizes of the file read, and accuracy on the test rows."""
    with np.load(arguments.file) as data:
        y, X_test, y_test = (data[part] for part in ("y", "X_test", "y_test"))
    X_test, y = X_test.reshape(len(X_test), -1).astype(np.float32), np.resize(y, n_rows)
    X = file = np.memmap(path, dtype=np.float32, mode="r", shape=(n_rows, X_test.shape[1]))
    if name == "fit, memory":
        X = np.array(X)
    drop_pages(file)
    members = {} if arguments.members is None else {"n_members": arguments.members}
    clf = SoftmaxMLPClassifier(max_iter=arguments.epochs, random_state=0, **members)
    run = learn_slices if name == "partial_fit" else SoftmaxMLPClassifier.fit
    read_before = bytes_read()
    with warnings.catch_warnings(), PeakMemory() as memory:
        warnings.simplefilter("ignore", ConvergenceWarning)  # a few epochs are what was asked for
        start, cpu_start = perf_counter(), process_time()
        run(clf, X, y)
        seconds, cpu = perf_counter() - start, process_time() - cpu_start
    return seconds, cpu, memory.extra, (bytes_read() - read_before) / file.nbytes, clf.score(X_test, y_test)


def drop_pages(file):
    """Take the pages of the file out of memory."""
    with open(file.filename, "rb") as opened:
        file._mmap.madvise(mmap.MADV_DONTNEED)
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def bytes_read():
    """Bytes that this process has read from disks."""
    for line in Path("/proc/self/io").read_text().splitlines():
        if line.startswith("read_bytes"):
            return int(line.split()[1])
    raise OSError("read_bytes is not in /proc/self/io: this measurement needs Linux.")


def learn_slices(clf, X, y):
    """One pass of partial_fit."""
    classes = np.unique(y)
    for start in range(0, len(X), SLICE):
        clf.partial_fit(X[start : start + SLICE], y[start : start + SLICE], classes=classes)


class PeakMemory:
    """Samples the memory that belongs to this process while a block runs."""

    def __enter__(self):
        self.before = self.peak = anonymous_bytes()
        self.done = Event()
        self.thread = Thread(target=self._sample)
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.done.set()
        self.thread.join()

    def _sample(self):
        while not self.done.wait(0.02):
            self.peak = max(self.peak, anonymous_bytes())

    @property
    def extra(self):
        """Bytes at the peak above those before."""
        return self.peak - self.before


def anonymous_bytes():
    """RssAnon of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    raise OSError("RssAnon is not in /proc/self/status: this measurement needs Linux.")


if __name__ == "__main__":
    main()
