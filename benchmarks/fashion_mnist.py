"""Test accuracy and seconds beside scikit-learn's MLPClassifier, with equal settings, on Fashion-MNIST or data like it.

    python benchmarks/fashion_mnist.py FILE.npz [--rows 60000] [--epochs 5] [--repeats 3] [--hidden 256] [--batch-size 200]
        [--defaults]

FILE.npz holds X (n, 28, 28) or (n, 784) of uint8, y (n,), X_test and y_test. Pixels are divided by 255 and kept in float32. The
two classifiers take turns in one process, so that whatever else the machine does meets both; each pair starts from a seed of
its own, the same for both. `--defaults` adds SoftmaxMLPClassifier(), an ensemble: more work. Set OMP_NUM_THREADS to
choose the number of threads.
"""

import argparse
import warnings
from time import perf_counter

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_info

from sksoftmax import SoftmaxMLPClassifier


def main():
    """Load, take turns, sum up."""
    arguments = parse_arguments()
    X, y, X_test, y_test = load(arguments.file, arguments.rows)
    n_threads = max((pool["num_threads"] for pool in threadpool_info()), default=1)
    print(f"{len(X)} × {X.shape[1]} training rows, {len(X_test)} test rows, float32, threads: {n_threads}")
    print(f"Hidden units {arguments.hidden}, batches of {arguments.batch_size}, Adam; epochs: {arguments.epochs}\n")
    print(f"{'seed':>4}{'SoftmaxMLPClassifier':>26}{'MLPClassifier':>24}{'times as fast':>16}")
    pairs = [run_pair(arguments, seed, (X, y, X_test, y_test)) for seed in range(arguments.repeats)]
    accuracies, seconds = np.swapaxes(pairs, 0, 1)
    print_pair("all", accuracies.mean(axis=0), seconds.min(axis=0))
    print("\nall: mean accuracy, and the least seconds, which other work on the machine disturbs least")
    if arguments.defaults:
        accuracy, seconds = run(SoftmaxMLPClassifier(random_state=0), X, y, X_test, y_test)
        print(f"Defaults, the ensemble: {accuracy:.4f} in {seconds:6.2f} s")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="an .npz file with X, y, X_test, y_test")
    parser.add_argument("--rows", type=int, default=None, help="train on the first so many rows (default: all)")
    parser.add_argument("--epochs", type=int, default=5, help="passes over the training rows (default: 5)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each classifier (default: 3)")
    parser.add_argument("--hidden", type=int, nargs="*", default=[256], help="units of the hidden layers (default: 256)")
    parser.add_argument("--batch-size", type=int, default=200, help="rows in a minibatch (default: 200)")
    parser.add_argument("--defaults", action="store_true", help="also SoftmaxMLPClassifier() with its defaults, once")
    return parser.parse_args()


def load(path, n_rows):
    """Pixels in [0, 1] as float32, and labels."""
    with np.load(path) as data:
        X, y, X_test, y_test = (data[name] for name in ("X", "y", "X_test", "y_test"))
    return as_rows(X[:n_rows]), y[:n_rows], as_rows(X_test), y_test


def as_rows(images):
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def run_pair(arguments, seed, data):
    """Train and test both; their accuracies and their seconds of training. Who goes first alternates."""
    settings = {
        "hidden_layer_sizes": tuple(arguments.hidden),
        "batch_size": arguments.batch_size,
        "solver": "adam",
        "activation": "relu",
        "alpha": 1e-4,
        "learning_rate_init": 1e-3,
        "max_iter": arguments.epochs,
        "n_iter_no_change": arguments.epochs,  # as many epochs as asked for
        "random_state": seed,
    }
    theirs = MLPClassifier(**settings)
    pair = [SoftmaxMLPClassifier.from_sklearn(theirs), theirs]
    order = -1 if seed % 2 else 1
    accuracies, seconds = zip(*[run(classifier, *data) for classifier in pair[::order]][::order])
    print_pair(seed, accuracies, seconds)
    return accuracies, seconds


def run(classifier, X, y, X_test, y_test):
    """Test accuracy and seconds of training."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a few epochs are what was asked for
        start = perf_counter()
        classifier.fit(X, y)
        seconds = perf_counter() - start
    return classifier.score(X_test, y_test), seconds


def print_pair(label, accuracies, seconds):
    ours, theirs = (f"{accuracy:.4f} in {time:6.2f} s" for accuracy, time in zip(accuracies, seconds))
    print(f"{label:>6}{ours:>24}{theirs:>24}{seconds[1] / seconds[0]:>16.2f}", flush=True)


if __name__ == "__main__":
    main()
