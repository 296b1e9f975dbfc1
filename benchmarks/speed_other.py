"""Beyond the fit of speed.py: prediction, the cost of early stopping, many classes, sparse input, L-BFGS.

python benchmarks/speed.py --cases "" --other
"""

import tracemalloc
import warnings
from statistics import median
from time import perf_counter

import numpy as np
from scipy.sparse import random as random_sparse
from sklearn.neural_network import MLPClassifier

from sksoftmax import SoftmaxMLPClassifier

warnings.simplefilter("ignore")


def main(repeats):
    print(f"{'measure':58s}{'MLPClassifier':>15s}{'ours':>12s}{'ratio':>8s}")
    predict_rows(1, 300, repeats)
    predict_rows(100_000, 1, repeats)
    early_stopping(repeats)
    many_classes()
    sparse(repeats)
    lbfgs(repeats)


def line(measure, theirs, ours, ratio, unit):
    print(f"{measure:58s}{theirs:12.4g} {unit:2s}{ours:9.4g} {unit:2s}{ratio:8.2f}", flush=True)


def timed(job, n=1):
    start = perf_counter()
    for _ in range(n):
        job()
    return (perf_counter() - start) / n


def in_turn(theirs, ours, repeats, n=1):
    """Median seconds of both and the median of their ratios, run one after the other."""
    theirs(), ours()
    pairs = [(timed(theirs, n), timed(ours, n)) for _ in range(repeats)]
    return *(median(column) for column in zip(*pairs)), median(a / b for a, b in pairs)


def both(**params):
    theirs = MLPClassifier(**{"random_state": 0, **params})
    return theirs, SoftmaxMLPClassifier.from_sklearn(theirs)


def dense_data(n_samples, n_features, n_classes):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n_samples, n_features)).astype(np.float32), rng.integers(n_classes, size=n_samples)


def predict_rows(n_rows, n, repeats):
    X, y = dense_data(max(n_rows, 1000), 64, 10)
    theirs, ours = both(max_iter=1)
    theirs.fit(X[:1000], y[:1000]), ours.fit(X[:1000], y[:1000])
    rows = X[:n_rows]
    a, b, ratio = in_turn(lambda: theirs.predict_proba(rows), lambda: ours.predict_proba(rows), repeats, n)
    line(f"predict_proba, {n_rows} row(s) × 64, hidden (100,)", 1e3 * a, 1e3 * b, ratio, "ms")


def early_stopping(repeats):
    """What scoring 10 % of the rows adds to an epoch: the same number of training rows with and without."""
    X, y = dense_data(20_000, 20, 5)
    settings = {"hidden_layer_sizes": (64, 64), "batch_size": 256, "max_iter": 30, "n_iter_no_change": 31}
    shares = []
    for kind in (0, 1):
        plain = both(**settings)[kind]
        stopping = both(early_stopping=True, **settings)[kind]
        _, _, ratio = in_turn(lambda m=stopping: m.fit(X, y), lambda m=plain: m.fit(X[:18_000], y[:18_000]), repeats)
        shares.append(100 * (ratio - 1))
    line("early stopping, scoring's share of an epoch (mid)", *shares, shares[0] / max(shares[1], 0.1), "%")


def many_classes():
    X, y = dense_data(200_000, 50, 1_000)
    peaks = []
    for model in both(hidden_layer_sizes=(64,), max_iter=1):
        tracemalloc.start()
        model.fit(X, y)
        peaks.append(tracemalloc.get_traced_memory()[1] / 2**20)
        tracemalloc.stop()
    line("peak memory of fit, 200,000 × 50, 1,000 classes", *peaks, peaks[0] / peaks[1], "MB")


def sparse(repeats):
    X = random_sparse(20_000, 20_000, 0.001, "csr", np.float32, np.random.default_rng(0))
    y = np.random.default_rng(0).integers(2, size=20_000)
    theirs, ours = both(hidden_layer_sizes=(50,), max_iter=1)
    line(
        "fit of one epoch, CSR 20,000 × 20,000 at 0.1 %",
        *in_turn(lambda: theirs.fit(X, y), lambda: ours.fit(X, y), min(repeats, 3)),
        "s",
    )


def lbfgs(repeats):
    X, y = dense_data(1_797, 64, 10)
    theirs, ours = both(solver="lbfgs", max_iter=50)
    line("fit by L-BFGS, 1,797 × 64, hidden (100,)", *in_turn(lambda: theirs.fit(X, y), lambda: ours.fit(X, y), repeats), "s")
