"""Time of predict_proba at the defaults, of one row and of 1,000 rows, after fits on 2,000 and on 20,000 rows.

    OPENBLAS_NUM_THREADS=1 python benchmarks/prediction.py [--rows 2000 20000] [--repeats 7] [--write]

20 columns of float64, 4 classes, arrays, one thread, warm: each model predicts before its time is taken. A number is the median
over the repeats of the processor time of a call, with the models in turn. `--write` writes benchmarks/results/prediction.csv.
Peers that are not installed are left out.
"""

import argparse
import csv
import platform
from datetime import date
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import process_time
from warnings import catch_warnings, simplefilter

from sklearn.datasets import make_classification

MODELS = {  # name → module, class, parameters
    "`SoftmaxMLPClassifier()`": ("sksoftmax", "SoftmaxMLPClassifier", {"random_state": 0}),
    "the same, `companion=False`": ("sksoftmax", "SoftmaxMLPClassifier", {"companion": False, "random_state": 0}),
    "the same, `n_members=1`": ("sksoftmax", "SoftmaxMLPClassifier", {"n_members": 1, "random_state": 0}),
    "the same, with both": ("sksoftmax", "SoftmaxMLPClassifier", {"n_members": 1, "companion": False, "random_state": 0}),
    "`MLPClassifier`": ("sklearn.neural_network", "MLPClassifier", {"random_state": 0}),
    "`LogisticRegression`": ("sklearn.linear_model", "LogisticRegression", {}),
    "`HistGradientBoostingClassifier`": ("sklearn.ensemble", "HistGradientBoostingClassifier", {"random_state": 0}),
    "`RandomForestClassifier`": ("sklearn.ensemble", "RandomForestClassifier", {"random_state": 0}),
    "LightGBM": ("lightgbm", "LGBMClassifier", {"verbose": -1, "n_jobs": 1}),
    "CatBoost": ("catboost", "CatBoostClassifier", {"verbose": 0, "thread_count": 1, "allow_writing_files": False}),
}
PACKAGES = ("numpy", "scikit-learn", "lightgbm", "catboost")
CALLS = {1: 100, 1000: 5}  # rows of a call → calls timed at once
RESULT = Path(__file__).parent / "results" / "prediction.csv"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[2000, 20_000], help="rows of the fits")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--write", action="store_true", help="write the file of results")
    options = parser.parse_args()
    table = [["model, at its defaults", *(f"{n:,} row{'s' * (n > 1)} after {rows:,}" for rows in options.rows for n in CALLS)]]
    columns = [seconds_of_calls(rows, n, options.repeats) for rows in options.rows for n in CALLS]
    for name in columns[0]:
        table.append([name, *(f"{1e3 * column[name]:.2g} ms" for column in columns)])
    about = [
        f"{date.today()}; Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in PACKAGES if has(name)),
    ]
    print(*(" | ".join(row) for row in table), ", ".join(about), sep="\n")
    if options.write:
        with RESULT.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(table)


def has(package):
    """Whether it is installed."""
    try:
        return bool(import_module(package.replace("scikit-learn", "sklearn")))
    except ImportError:
        return False


fitted = {}


def models_after(n_rows):
    """Fit all models on this number of rows; return them, and rows to predict."""
    if n_rows not in fitted:
        X, y = make_classification(n_rows + 1000, 20, n_informative=10, n_classes=4, random_state=0)
        models = {}
        for name, (module, cls, params) in MODELS.items():
            if has(module.split(".")[0]):
                with catch_warnings():
                    simplefilter("ignore")
                    models[name] = getattr(import_module(module), cls)(**params).fit(X[:n_rows], y[:n_rows])
        fitted[n_rows] = models, X[n_rows:]
    return fitted[n_rows]


def seconds_of_calls(n_rows, n, repeats):
    """The median seconds of a call for n rows, by the model's name."""
    models, X = models_after(n_rows)
    found = {name: [] for name in models}
    for repeat in range(repeats + 1):
        for name, model in models.items():
            begun = process_time()
            for _ in range(CALLS[n]):
                model.predict_proba(X[:n])
            if repeat:  # the first calls warm up
                found[name].append((process_time() - begun) / CALLS[n])
    return {name: median(seconds) for name, seconds in found.items()}


if __name__ == "__main__":
    main()
