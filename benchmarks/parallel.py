"""From which size several processes pay: one grid search, run by each of joblib's backends, and members beside single networks.

    python benchmarks/parallel.py [--workers 2] [--rows 200 1000 5000]

Twelve fits of one network (4 candidates, 3 folds) on 20 columns and 3 classes, one BLAS thread each, pools started beforehand.
"""

import argparse
from functools import partial
from statistics import median
from time import perf_counter

from joblib import parallel_config
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from sksoftmax import SoftmaxMLPClassifier

GRID = {"learning_rate_init": [0.01, 0.003], "hidden_layer_sizes": [(64,), (128, 128)]}


def data(n_rows):
    return make_classification(n_rows, 20, n_informative=10, n_classes=3, random_state=0)


def on(backend, n_workers, X, y):
    """The search on one of joblib's backends."""
    with parallel_config(backend, n_jobs=n_workers):
        search(X, y, n_workers)


def timed(function):
    begun = perf_counter()
    function()
    return perf_counter() - begun


def search(X, y, n_jobs):
    clf = SoftmaxMLPClassifier(n_members=1, random_state=0)
    GridSearchCV(clf, GRID, cv=3, n_jobs=n_jobs, error_score="raise").fit(X, y)


def backends(n_workers):
    """The names of joblib's backends that are there; dask's with a cluster of processes, which is returned to be closed."""
    try:
        from distributed import Client
    except ImportError:
        return ["threading", "loky"], None
    return ["threading", "loky", "dask"], Client(n_workers=n_workers, threads_per_worker=1, dashboard_address=":0")


def compare(n_rows, names, n_workers, repeats):
    """Median seconds of the search in one process and on each backend, and of 8 members and 8 single networks; all in turn."""
    X, y = data(n_rows)
    runs = {"one process": lambda: search(X, y, None)}
    for name in names:
        runs[name] = partial(on, name, n_workers, X, y)
    runs["8 members"] = lambda: fit_members(X, y, 8)
    runs["8 networks"] = lambda: [fit_members(X, y, 1) for _ in range(8)]
    seconds = {name: [] for name in runs}
    for _ in range(repeats):
        for name, function in runs.items():
            seconds[name].append(timed(function))
    return {name: median(values) for name, values in seconds.items()}


def fit_members(X, y, n_members):
    SoftmaxMLPClassifier(n_members=n_members, n_bins=0, random_state=0).fit(X, y)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rows", type=int, nargs="+", default=[200, 1000, 5000])
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    names, client = backends(args.workers)
    with threadpool_limits(1):
        for name in names:  # start the pools
            on(name, args.workers, *data(60))
        for n_rows in args.rows:
            seconds = compare(n_rows, names, args.workers, args.repeats)
            print(f"{n_rows:6} rows: " + ", ".join(f"{name} {value:.2f} s" for name, value in seconds.items()), flush=True)
    if client is not None:
        client.shutdown()


if __name__ == "__main__":
    main()
