"""Fit time at equal work beside MLPClassifier, PyTorch and the bare matrix products of the same steps.

    python benchmarks/speed.py [--threads 1] [--repeats 7] [--dtype float32] [--cases tiny,small] [--other] [--defaults 2000]

Equal work: the same random data, widths, batch size, epochs and Adam, no stopping. The competitors run in turn in one process;
printed are medians of the ratios of neighboring runs, as machines are noisy. PyTorch is optional. `--other` adds prediction,
early stopping, many classes and sparse input; `--defaults` compares defaults, on one thread and on all processors, for these
numbers of rows.
"""

import argparse
import os
import sys
import warnings
from itertools import pairwise
from statistics import median
from time import perf_counter

CASES = {  # name: rows, columns, classes, hidden layers, batch size, epochs
    "tiny": (150, 4, 3, (100,), 150, 400),
    "small": (1_797, 64, 10, (100,), 200, 40),
    "mid": (20_000, 20, 5, (64, 64), 256, 4),
    "wide": (20_000, 100, 10, (256, 256), 256, 2),
    "image": (10_000, 784, 10, (256,), 200, 2),
    "large": (10_000, 784, 10, (512, 512), 512, 2),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1, help="threads of BLAS and PyTorch (default: 1)")
    parser.add_argument("--repeats", type=int, default=7, help="runs of each competitor (default: 7)")
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    parser.add_argument("--cases", default=",".join(CASES), help="names, comma-separated (default: all)")
    parser.add_argument(
        "--defaults", default="", help="numbers of rows, comma-separated, to compare defaults for (default: none)"
    )
    parser.add_argument("--other", action="store_true", help="also prediction, early stopping, many classes, sparse input")
    return parser.parse_args()


def main():
    options = arguments()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(options.threads)
    warnings.simplefilter("ignore")
    competitors = {"MLPClassifier": fit_sklearn, "ours": fit_ours, "torch": fit_torch, "bare products": bare_products}
    if not torch_installed(options.threads):
        print("PyTorch is not installed: its column is left out.")
        del competitors["torch"]
    print(f"{options.dtype}, {options.threads} thread(s), medians of {options.repeats} runs in turn")
    print(f"{'case':8s}{'ours, ms/epoch':>16s}{'MLPClassifier/ours':>20s}{'torch/ours':>12s}{'ours/products':>15s}")
    for name in filter(None, options.cases.split(",")):
        report(name, CASES[name], competitors, options)
    if options.other:
        from speed_other import main as other

        other(options.repeats)
    if options.defaults:
        from speed_defaults import main as defaults

        defaults([int(rows) for rows in options.defaults.split(",")], options.repeats)


def report(name, case, competitors, options):
    data = make_data(case, options.dtype)
    for fit in competitors.values():
        fit(data, case, 1)
    seconds = {competitor: [] for competitor in competitors}
    for _ in range(options.repeats):
        for competitor, fit in competitors.items():
            start = perf_counter()
            fit(data, case, case[-1])
            seconds[competitor].append(perf_counter() - start)
    ours = seconds["ours"]

    def ratio(competitor):
        if competitor not in seconds:
            return "–"
        return f"{median(other / mine for other, mine in zip(seconds[competitor], ours)):.2f}"

    products = median(mine / bare for mine, bare in zip(ours, seconds["bare products"]))
    columns = (1e3 * median(ours) / case[-1], ratio("MLPClassifier"), ratio("torch"), products)
    print(f"{name:8s}{columns[0]:16.3f}{columns[1]:>20s}{columns[2]:>12s}{columns[3]:15.2f}", flush=True)


def make_data(case, dtype):
    import numpy as np

    rng = np.random.default_rng(0)
    n_samples, n_features, n_classes = case[:3]
    return rng.standard_normal((n_samples, n_features)).astype(dtype), rng.integers(n_classes, size=n_samples)


def settings(case, n_epochs):
    """No stopping: a loss counts as an improvement whatever it is, for ever."""
    hidden, batch_size = case[3:5]
    return {
        "hidden_layer_sizes": hidden,
        "batch_size": batch_size,
        "max_iter": n_epochs,
        "n_iter_no_change": n_epochs + 1,
        "random_state": 0,
    }


def fit_sklearn(data, case, n_epochs):
    from sklearn.neural_network import MLPClassifier

    MLPClassifier(**settings(case, n_epochs)).fit(*data)


def fit_ours(data, case, n_epochs):
    from sklearn.neural_network import MLPClassifier

    from sksoftmax import SoftmaxMLPClassifier

    SoftmaxMLPClassifier.from_sklearn(MLPClassifier(**settings(case, n_epochs))).fit(*data)


def torch_installed(threads):
    try:
        import torch
    except ImportError:
        return False
    torch.set_num_threads(threads)
    return True


def fit_torch(data, case, n_epochs):
    """Eager, nn.Sequential, fused Adam, batches by index."""
    import torch
    from torch import nn

    X, y = (torch.from_numpy(array) for array in data)
    units = (case[1], *case[3], case[2])
    layers = [part for i, o in pairwise(units) for part in (nn.Linear(i, o, dtype=X.dtype), nn.ReLU())]
    model = nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    loss_function = nn.CrossEntropyLoss()
    for _ in range(n_epochs):
        for rows in torch.randperm(len(X)).split(case[4]):
            optimizer.zero_grad()
            loss_function(model(X[rows]), y[rows]).backward()
            optimizer.step()


def bare_products(data, case, n_epochs):
    """Only the matrix products of the steps, into memory that is there already: the floor."""
    import numpy as np

    X, n_rows = data[0], case[4]
    units = (case[1], *case[3], case[2])
    W = [np.ones((i, o), X.dtype) for i, o in pairwise(units)]
    H = [np.ones((n_rows, o), X.dtype) for o in units]
    for _ in range(n_epochs):
        for start in range(0, len(X), n_rows):
            batch = X[start : start + n_rows]
            A = [batch, *(h[: len(batch)] for h in H[1:])]
            for i, w in enumerate(W):
                np.matmul(A[i], w, out=A[i + 1])
            for i in reversed(range(len(W))):
                np.matmul(A[i].T, A[i + 1], out=W[i])
                if i > 0:
                    np.matmul(A[i + 1], W[i].T, out=A[i])


if __name__ == "__main__":
    sys.exit(main())
