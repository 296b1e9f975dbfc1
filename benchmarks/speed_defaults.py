"""Fit time of defaults against defaults, on one thread and on all processors: `python benchmarks/speed.py --defaults 2000,20000`.

Each fit runs in a process of its own, so that the environment variables of threads hold. A small fit before it loads what is
loaded once. Peers that are not installed are left out.
"""

import os
import subprocess
import sys
from statistics import median

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
FIT = """
import sys, time, warnings
from sklearn.datasets import make_classification

warnings.simplefilter("ignore")

def make(name, n_threads):
    if name == "LightGBM":
        from lightgbm import LGBMClassifier
        return LGBMClassifier(verbose=-1, **({"n_jobs": 1} if n_threads else {}))
    if name == "CatBoost":
        from catboost import CatBoostClassifier
        return CatBoostClassifier(verbose=0, allow_writing_files=False, **({"thread_count": 1} if n_threads else {}))
    if name == "HistGradientBoosting":
        from sklearn.ensemble import HistGradientBoostingClassifier
        return HistGradientBoostingClassifier()
    if name == "MLPClassifier":
        from sklearn.neural_network import MLPClassifier
        return MLPClassifier(random_state=0)
    from sksoftmax import SoftmaxMLPClassifier
    return SoftmaxMLPClassifier(random_state=0, **({"n_members": 1} if name == "ours, n_members=1" else {}))

X, y = make_classification(int(sys.argv[2]), 20, n_informative=10, n_classes=4, random_state=0)
make(sys.argv[1], sys.argv[3] == "1").fit(X[:1000], y[:1000])
clf = make(sys.argv[1], sys.argv[3] == "1")
begun, worked = time.perf_counter(), time.process_time()
clf.fit(X, y)
print(time.perf_counter() - begun, time.process_time() - worked)
"""
MODELS = ("ours", "ours, n_members=1", "MLPClassifier", "HistGradientBoosting", "LightGBM", "CatBoost")


def main(sizes, repeats):
    print(f"defaults on 20 columns and 4 classes: seconds (processor seconds), medians of {repeats} fits in turn")
    for n_rows in sizes:
        found = {}
        for _ in range(repeats):
            for model in MODELS:
                for n_threads in ("1", "all"):
                    found.setdefault((model, n_threads), []).append(fit(model, n_rows, n_threads))
        for model in MODELS:
            if all(None not in found[model, n_threads] for n_threads in ("1", "all")):
                cells = [f"{n_threads}: {seconds(found[model, n_threads])}" for n_threads in ("1", "all")]
                print(f"{n_rows:7d} {model:22s}{cells[0]:>28s}{cells[1]:>30s}", flush=True)


def seconds(runs):
    return f"{median(run[0] for run in runs):.2f} ({median(run[1] for run in runs):.2f})"


def fit(model, n_rows, n_threads):
    """Seconds and processor seconds of one fit; None if the model is not installed."""
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    if n_threads == "1":
        environment |= dict.fromkeys(VARIABLES, "1")
    command = [sys.executable, "-c", FIT, model, str(n_rows), n_threads]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if "ModuleNotFoundError" in done.stderr:
        return None
    done.check_returncode()
    return [float(number) for number in done.stdout.split()]
