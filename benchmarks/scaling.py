"""How the time of a fit grows with rows, columns, classes and width: two decades each, fitted exponents, a plot.

    python benchmarks/scaling.py [--threads 1] [--repeats 3] [--out scaling.png]

Each quantity grows alone from a base of 2,000 rows, 20 columns, 5 classes and one hidden layer of 64 units, in float32, with
batches of 200, 3 epochs; otherwise with MLPClassifier's defaults. The exponent is the slope of log time over log size in the
upper decade; the picture needs matplotlib.
"""

import argparse
import os
import warnings
from pathlib import Path
from statistics import median
from time import perf_counter

BASE = {"rows": 2_000, "columns": 20, "classes": 5, "width": 64}
SIZES = {
    "rows": [1_000, 3_000, 10_000, 30_000, 100_000],
    "columns": [10, 30, 100, 300, 1_000],
    "classes": [2, 6, 20, 60, 200],
    "width": [10, 30, 100, 300, 1_000],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("scaling.png"))
    options = parser.parse_args()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(options.threads)
    warnings.simplefilter("ignore")
    curves = {name: [seconds({**BASE, name: size}, options.repeats) for size in sizes] for name, sizes in SIZES.items()}
    print(f"{'':10s}" + "".join(f"{'size: s':>20s}" for _ in range(5)) + f"{'exponent':>10s}")
    for name, times in curves.items():
        points = "".join(f"{size:>10,}: {t:8.4f}" for size, t in zip(SIZES[name], times))
        print(f"{name:10s}{points}{exponent(SIZES[name], times):10.2f}")
    draw(curves, options.out)


def seconds(sizes, repeats):
    """Median time of a fit on random data."""
    import numpy as np
    from sklearn.neural_network import MLPClassifier

    from sksoftmax import SoftmaxMLPClassifier

    rng = np.random.default_rng(0)
    X = rng.standard_normal((sizes["rows"], sizes["columns"])).astype(np.float32)
    y = np.arange(sizes["rows"]) % sizes["classes"]
    plain = MLPClassifier((sizes["width"],), batch_size=200, max_iter=3, n_iter_no_change=4, random_state=0)
    model = SoftmaxMLPClassifier.from_sklearn(plain)
    times = []
    for _ in range(repeats + 1):
        start = perf_counter()
        model.fit(X, y)
        times.append(perf_counter() - start)
    return median(times[1:])


def exponent(sizes, times):
    """Slope of log time over log size, over the last three points."""
    import numpy as np

    return np.polyfit(np.log(sizes[-3:]), np.log(times[-3:]), 1)[0]


def draw(curves, path):
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("No picture: matplotlib is not installed")
        return
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, times in curves.items():
        label = f"{name} (exponent {exponent(SIZES[name], times):.2f})"
        axes.loglog([size / SIZES[name][0] for size in SIZES[name]], times, marker="o", label=label)
    axes.set(xlabel="size over the smallest", ylabel="seconds of a fit", title="Growth of the fit time")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    figure.savefig(path, dpi=120)
    print(f"Saved {path}")


if __name__ == "__main__":
    main()
