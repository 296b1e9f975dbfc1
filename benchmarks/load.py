"""Fit time with all threads and with one, while other processes keep the processors busy.

    python benchmarks/load.py [--busy 0,1,2,4] [--rows 2000] [--repeats 3] [--cpu 0]

Each fit runs in a process of its own, in turn with OMP_NUM_THREADS unset, as users have it, and with OMP_NUM_THREADS=1. Printed
are the medians of seconds and of processor seconds, and the ratios of the two. `--cpu` pins all processes to these processors, as
a container does.
"""

import argparse
import os
import subprocess
import sys
from statistics import median

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
BUSY = "while True: pass"
FIT = """
import sys, time, warnings
from sklearn.datasets import make_classification
from sklearn.neural_network import MLPClassifier
from sksoftmax import SoftmaxMLPClassifier

warnings.simplefilter("ignore")
X, y = make_classification(int(sys.argv[2]), 20, n_informative=10, n_classes=4, random_state=0)
make = {
    "default": lambda: SoftmaxMLPClassifier(random_state=0),
    "n_members=1": lambda: SoftmaxMLPClassifier(n_members=1, random_state=0),
    "MLPClassifier": lambda: MLPClassifier(random_state=0),
}[sys.argv[1]]
make().fit(X[:400], y[:400])  # loads what is loaded once
begun, worked = time.perf_counter(), time.process_time()
make().fit(X, y)
print(time.perf_counter() - begun, time.process_time() - worked)
"""
MODELS = ("default", "n_members=1", "MLPClassifier")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--busy", default="0,1,2,4", help="numbers of busy processes, comma-separated (default: 0,1,2,4)")
    parser.add_argument("--rows", type=int, default=2000, help="training rows (default: 2000)")
    parser.add_argument("--repeats", type=int, default=3, help="fits of each kind (default: 3)")
    parser.add_argument("--models", default=",".join(MODELS), help="names, comma-separated (default: all)")
    parser.add_argument("--cpu", help="processors that all processes are pinned to, comma-separated (default: no limit)")
    return parser.parse_args()


def main():
    options = arguments()
    if options.cpu:
        os.sched_setaffinity(0, {int(number) for number in options.cpu.split(",")})
    print(f"{options.rows} rows, medians of {options.repeats} fits: all threads, one thread, and all / one")
    print(f"{'busy':>4s} {'model':14s}{'seconds':>18s}{'ratio':>8s}{'processor seconds':>20s}{'ratio':>8s}")
    for n_busy in map(int, options.busy.split(",")):
        busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(n_busy)]
        try:
            for model in options.models.split(","):
                report(n_busy, model, options)
        finally:
            for process in busy:
                process.kill()


def report(n_busy, model, options):
    pairs = [[fit(model, options.rows, n_threads) for n_threads in (None, 1)] for _ in range(options.repeats)]
    line = f"{n_busy:4d} {model:14s}"
    for index, width in ((0, 18), (1, 20)):  # seconds, processor seconds
        every, one = (median(pair[kind][index] for pair in pairs) for kind in (0, 1))
        line += f"{f'{every:.2f}, {one:.2f}':>{width}s}{every / one:8.2f}"
    print(line, flush=True)


def fit(model, n_rows, n_threads):
    """Seconds and processor seconds of one fit."""
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    if n_threads is not None:
        environment |= dict.fromkeys(VARIABLES, str(n_threads))
    done = subprocess.run(
        [sys.executable, "-c", FIT, model, str(n_rows)], env=environment, capture_output=True, text=True, check=True
    )
    return [float(number) for number in done.stdout.split()]


if __name__ == "__main__":
    sys.exit(main())
