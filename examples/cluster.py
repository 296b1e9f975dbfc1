"""Search a grid and train one network on a cluster of processes; the results are the same if a worker dies.

    python examples/cluster.py

Needs `pip install "sksoftmax[dask]"`. The cluster runs on this machine; use `Client("tcp://scheduler:8786")` for a cluster of
several machines. The fits of the search and of the cross-validation run in parallel. Then all workers train one network, each
on the partitions that it holds. During both, a worker process is killed, and the lost work is repeated. The script asserts that
the results equal those of one process.
"""

import argparse
import faulthandler
import logging
import os
import signal
import tempfile
import time
from functools import partial
from pathlib import Path

import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster
from joblib import parallel_config
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from threadpoolctl import threadpool_limits

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.dask import DaskSoftmaxMLPClassifier

GRID = {"hidden_layer_sizes": [(64,), (128, 128)], "learning_rate_init": [0.01, 0.003]}
N_PARTITIONS = 6


def die_once(marker):
    """Kill this process, unless one has died here before."""
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def score(clf, X, y, marker=None):
    """Minus the log loss; if there is a marker, the first process that has trained the larger network dies."""
    if marker and clf.hidden_layer_sizes == (128, 128):
        die_once(marker)
    return -log_loss(y, clf.predict_proba(X), labels=clf.classes_)


def search(X, y, folds, n_epochs, marker=None):
    """A grid search and a cross-validation of its winner, wherever joblib has them run: their scores."""
    clf = SoftmaxMLPClassifier(n_members=1, max_iter=n_epochs, random_state=0)
    scoring = partial(score, marker=marker)
    found = GridSearchCV(clf, GRID, cv=folds, scoring=scoring, error_score="raise").fit(X, y)
    scores = cross_validate(found.best_estimator_, X, y, cv=folds, error_score="raise")["test_score"]
    return np.append(found.cv_results_["mean_test_score"], scores)


def workers_survived(client, compute):
    """What `compute` returns while one of the workers dies and the cluster starts another in its place."""
    before = set(client.run(os.getpid).values())
    result = compute()
    client.wait_for_workers(len(before), timeout=60)
    now = set(client.run(os.getpid).values())
    assert len(before - now) == 1
    print(f"  {len(before)} workers, of which one was killed in the middle; now there are {len(now)}")
    return result


def show_search(client, X, y, n_epochs, marker):
    """Search in this process, on the cluster, and on the cluster while a worker dies: the same scores."""
    folds = list(StratifiedKFold(3).split(X, y))
    # Every worker gets a copy of what all fits read, and keeps it: the memory manager would reduce them to one, which may die.
    shared = [X, y, *(rows for fold in folds for rows in fold)]
    client.amm.stop()
    begun = time.perf_counter()
    alone = search(X, y, folds, n_epochs)
    print(f"Search, one process: {time.perf_counter() - begun:.1f} s, best log loss {-alone[:4].max():.4f}")
    with parallel_config(backend="dask", scatter=shared):
        begun = time.perf_counter()
        together = search(X, y, folds, n_epochs)
        print(f"Search, cluster: {time.perf_counter() - begun:.1f} s")
        survived = workers_survived(client, lambda: search(X, y, folds, n_epochs, marker))
    np.testing.assert_allclose(together, alone, rtol=1e-6)
    np.testing.assert_allclose(survived, alone, rtol=1e-6)


def constant_half(progress):
    """Half of `learning_rate_init` in all epochs."""
    return 0.5


def show_one_network(client, X, y, n_epochs):
    """Train one network in this process, and by all workers while one of them dies: the same network."""
    params = {"n_members": 1, "companion": False, "dropout": 0.0, "max_iter": n_epochs, "batch_size": 128, "random_state": 0}
    alone = SoftmaxMLPClassifier(**params, learning_rate=constant_half).fit(X, y)
    print(f"One network, one process: accuracy {alone.score(X, y):.4f} after {n_epochs} epochs")
    victim, n_rows = min(client.run(os.getpid).values()), -(-len(X) // N_PARTITIONS)

    def rate(progress):
        """The same rate; in the middle of training it kills a worker."""
        if progress > 0.5 and victim in client.run(os.getpid).values():
            os.kill(victim, getattr(signal, "SIGKILL", signal.SIGTERM))
        return constant_half(progress)

    clf = DaskSoftmaxMLPClassifier(**params, learning_rate=rate)
    partitions = da.from_array(X, chunks=(n_rows, -1)), da.from_array(y, chunks=n_rows)
    together = workers_survived(client, lambda: clf.fit(*partitions))
    np.testing.assert_allclose(together.loss_curve_, alone.loss_curve_, rtol=1e-4)


def main():
    """Show both on a cluster of one machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=3, help="worker processes")
    parser.add_argument("--rows", type=int, default=1797, help="rows of digits to take")
    parser.add_argument("--epochs", type=int, default=10, help="of each fit")
    parser.add_argument("--timeout", type=int, default=600, help="seconds, after which it shows where it hangs and exits")
    args = parser.parse_args()
    X, y = (part[: args.rows] for part in load_digits(return_X_y=True))
    faulthandler.dump_traceback_later(args.timeout, exit=True)
    options = {"n_workers": args.workers, "threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": logging.CRITICAL}
    with (
        # 15 s after a death, dask gives a worker up that is not back by then, or that has died again.
        dask.config.set({"distributed.deploy.lost-worker-timeout": args.timeout}),
        LocalCluster(**options) as cluster,
        Client(cluster) as client,
        tempfile.TemporaryDirectory() as folder,
        threadpool_limits(1),  # as dask's workers have
    ):
        show_search(client, X, y, args.epochs, Path(folder, "search"))
        show_one_network(client, X, y, args.epochs)
    print("All results are equal.")


if __name__ == "__main__":
    main()
