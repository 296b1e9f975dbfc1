"""Quality out of the box: every model with its defaults, on the same splits of real data, one after the other.

    python benchmarks/quality.py [FOLDER] [--names iris,wine] [--models default,mlp] [--seeds 3] [--max-train 2000] [--threads 1]

Without FOLDER on the datasets that come with scikit-learn; with it on its NAME.npz files, which hold `X` (n, d; NaN is missing),
`y` (n,) and, where there are any, `X_cat` (n, c), integer codes of categories with −1 for missing, and a test part `X_test`,
`y_test`, `X_cat_test`. Where there is no test part, a quarter of the rows, by class, is one. SoftmaxMLPClassifier takes the
columns as they are; the other models get what a careful user puts in front of each: median imputation, one-hot columns and
standard scaling. HistGradientBoosting needs none of it and is told which columns are categories. CatBoost and LightGBM take the
codes of categories as numbers; if one of them is not installed, it is left out.

Printed are, over all datasets and seeds: the shifted geometric mean of the error, exp(mean log(1 − accuracy + 0.01)) − 0.01; the
means of accuracy, log loss, log loss over the best model's (at most 5) and expected calibration error in 15 bins; the median
ratio of the fit time to MLPClassifier's. A dataset on which a model fails is named and left out.
"""

import argparse
import os
import sys
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter

MAX_TEST = 10_000
BUNDLED = {"iris": "load_iris", "wine": "load_wine", "breast cancer": "load_breast_cancer", "digits": "load_digits"}
MODELS = {  # name on the command line: what it is
    "default": "SoftmaxMLPClassifier()",
    "one": "SoftmaxMLPClassifier(n_members=1)",
    "mlp": "MLPClassifier()",
    "hgb": "HistGradientBoostingClassifier()",
    "catboost": "CatBoostClassifier()",
    "lightgbm": "LGBMClassifier()",
    "forest": "RandomForestClassifier()",
    "logistic": "LogisticRegression()",
}
OPTIONAL = ("catboost", "lightgbm")  # names of models that are packages too
COLUMNS = ("SGM error", "accuracy", "log loss", "loss/best", "ECE", "fit time")


def main():
    options = arguments()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(options.threads)
    warnings.simplefilter("ignore")
    names = [name for name in options.names.split(",") if name] or available(options.folder)
    models = options.models.split(",")
    results = []
    print(f"{'accuracy / log loss':32s}" + "".join(f"{model:>16s}" for model in models))
    for name in names:
        for seed in range(options.seeds):
            scores = compare(options, name, seed, models)
            if scores:
                results.append(scores)
                print(f"{name} {seed}".ljust(32) + "".join(f"{s.accuracy:9.4f} {s.log_loss:6.3f}" for s in scores), flush=True)
    return report(models, results)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="folder of npz files (default: scikit-learn's datasets)")
    parser.add_argument("--names", default="", help="datasets, comma-separated (default: all)")
    installed = ",".join(name for name in MODELS if name not in OPTIONAL or find_spec(name))
    parser.add_argument("--models", default=installed, help=f"comma-separated (default: {installed})")
    parser.add_argument("--seeds", type=int, default=1, help="splits of each dataset (default: 1)")
    parser.add_argument("--max-train", type=int, default=2_000, help="training rows of a dataset at most (default: 2000)")
    parser.add_argument("--threads", type=int, default=1, help="threads of BLAS and OpenMP (default: 1)")
    options = parser.parse_args()
    unknown = set(options.models.split(",")) - set(MODELS)
    if unknown:
        parser.error(f"unknown models {sorted(unknown)}; there are {', '.join(MODELS)}")
    return options


# Data


@dataclass
class Table:
    """Numbers, NaN where missing; from column `n_numbers` on they are codes of categories. y holds 0, 1, …"""

    X: object
    y: object
    n_numbers: int

    def take(self, rows):
        """These rows alone."""
        return Table(self.X[rows], self.y[rows], self.n_numbers)


def available(folder):
    return list(BUNDLED) if folder is None else sorted(path.stem for path in folder.glob("*.npz"))


def load(folder, name):
    """All rows of a dataset, and its test part or None."""
    import numpy as np
    from sklearn import datasets

    if folder is None:
        X, y = getattr(datasets, BUNDLED[name])(return_X_y=True)
        return table(X, None, y), None
    with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
        parts = dict(file)
    rows = table(parts["X"], parts.get("X_cat"), parts["y"])
    if "X_test" not in parts:
        return rows, None
    return rows, table(parts["X_test"], parts.get("X_cat_test"), parts["y_test"])


def table(X, codes, y):
    import numpy as np

    X = np.reshape(X, (len(y), -1)).astype(np.float64)
    if codes is None:
        return Table(X, y, X.shape[1])
    return Table(np.hstack([X, np.where(codes < 0, np.nan, codes)]), y, X.shape[1])


def split(rows, test, seed, max_train):
    """At most so many rows to train on, and rows to test on; a quarter of each class where there is no test part."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    if test is not None:
        rng = np.random.default_rng(seed)
        return rows.take(rng.permutation(len(rows.y))[:max_train]), test.take(rng.permutation(len(test.y))[:MAX_TEST])
    _, counts = np.unique(rows.y, return_counts=True)
    strata = rows.y if counts.min() > 1 else None
    train, rest = train_test_split(np.arange(len(rows.y)), test_size=0.25, random_state=seed, stratify=strata)
    return rows.take(train[:max_train]), rows.take(rest[:MAX_TEST])


# Models


def make(model, train, seed):
    """A new model for rows like these."""
    if model in ("default", "one"):
        from sksoftmax import SoftmaxMLPClassifier

        options = {} if model == "default" else {"n_members": 1}
        return SoftmaxMLPClassifier(random_state=seed, categorical_features=categorical(train), **options)
    if model == "hgb":
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(random_state=seed, categorical_features=categorical(train, most=255))
    if model == "catboost":
        from catboost import CatBoostClassifier

        return CatBoostClassifier(random_seed=seed, verbose=0, thread_count=1, allow_writing_files=False)
    if model == "lightgbm":
        from lightgbm import LGBMClassifier

        return LGBMClassifier(random_state=seed, verbose=-1, n_jobs=1)
    return peer(model, train, seed)


def categorical(rows, most=None):
    """The positions of the columns of codes, those alone that have so many at most."""
    import numpy as np

    columns = range(rows.n_numbers, rows.X.shape[1])
    return [column for column in columns if most is None or not np.nanmax(rows.X[:, column], initial=0) >= most]


def peer(model, train, seed):
    """A model that needs numbers, behind what makes them."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline

    classifier = {
        "mlp": lambda: MLPClassifier(random_state=seed),
        "forest": lambda: RandomForestClassifier(random_state=seed, n_jobs=1),
        "logistic": lambda: LogisticRegression(max_iter=1000),
    }[model]()
    return make_pipeline(preparation(train, scaled=model != "forest"), classifier)


def preparation(rows, scaled):
    """Median imputation, scaled or not, and one-hot columns."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    steps = [SimpleImputer(strategy="median", keep_empty_features=True)] + [StandardScaler()] * scaled
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = [(make_pipeline(*steps), list(range(rows.n_numbers))), (one_hot, categorical(rows))]
    return make_column_transformer(*(part for part in parts if part[1]))


# Scores


@dataclass
class Scores:
    """Of one model on one test part."""

    accuracy: float
    log_loss: float
    calibration_error: float
    seconds: float


def compare(options, name, seed, models):
    """The scores of each model on one split; None, and a line on stderr, where one of them fails."""
    train, test = split(*load(options.folder, name), seed, options.max_train)
    scores = []
    for model in models:
        try:
            scores.append(score(make(model, train, seed), train, test))
        except (ValueError, MemoryError) as error:
            print(f"{name} {seed} is left out: {model}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
            return None
    return scores


def score(estimator, train, test):
    import numpy as np

    start = perf_counter()
    estimator.fit(train.X, train.y)
    seconds = perf_counter() - start
    labels = np.union1d(train.y, test.y)
    p = np.zeros((len(test.y), len(labels)))
    p[:, np.searchsorted(labels, estimator.classes_)] = estimator.predict_proba(test.X)
    codes = np.searchsorted(labels, test.y)
    hits = p.argmax(axis=1) == codes
    loss = -np.log(np.maximum(p[np.arange(len(p)), codes], 1e-15)).mean()
    return Scores(hits.mean(), loss, calibration_error(p.max(axis=1), hits), seconds)


def calibration_error(confidence, hits, n_bins=15):
    """Σ over bins of equal width: share of the rows × |accuracy − mean confidence| (Guo et al., arXiv:1706.04599)."""
    import numpy as np

    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(bins, hits - confidence, n_bins)
    return np.abs(gaps).sum() / len(hits)


# The table


def report(models, results):
    """Print a line for each model, best first; returns the exit status."""
    if not results:
        print("Nothing was measured.", file=sys.stderr)
        return 1
    lines = sorted(summaries(models, results), key=lambda line: line[1])
    print(f"\n{len(results)} splits\n{'':36s}" + "".join(f"{column:>11s}" for column in COLUMNS))
    for model, *numbers, ratio in lines:
        print(f"{MODELS[model]:36s}" + "".join(f"{number:11.4f}" for number in numbers) + ratio.rjust(11))
    return 0


def summaries(models, results):
    """For each model its name, the numbers of the table, and the ratio of fit times as text."""
    import numpy as np

    def all_of(attribute):
        return np.array([[getattr(score, attribute) for score in scores] for scores in results])

    accuracy, loss, seconds = all_of("accuracy"), all_of("log_loss"), all_of("seconds")
    over_best = np.minimum(loss / np.maximum(loss.min(axis=1, keepdims=True), 1e-15), 5)
    error = np.exp(np.log(1.01 - accuracy).mean(axis=0)) - 0.01
    means = [error, *(numbers.mean(axis=0) for numbers in (accuracy, loss, over_best, all_of("calibration_error")))]
    base = seconds[:, models.index("mlp")] if "mlp" in models else None
    for i, model in enumerate(models):
        yield model, *(numbers[i] for numbers in means), "–" if base is None else f"{median(seconds[:, i] / base):.2f}"


if __name__ == "__main__":
    sys.exit(main())
