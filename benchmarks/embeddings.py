"""Columns of many categories: learned embeddings beside target encoding and gradient boosting.

    python benchmarks/embeddings.py [--rows 20000] [--categories 2000 20000] [--seeds 1] [--threads 1]

Each table has four columns of numbers and one of cities, whose frequencies follow Zipf's law. A city has two effects drawn by
chance, on the log-odds and on the slope of a number; two other numbers multiply each other. "best possible" are the probabilities
that the labels were drawn from, for cities that occur once in the test rows too. "255 cities" is what SoftmaxMLPClassifier knows
of the most frequent ones alone, one-hot. The peers get scikit-learn's TargetEncoder in front (HistGradientBoosting refuses more
than 255 categories); CatBoost, where it is installed, takes the column as it is. All have their defaults.

Printed are accuracy and log loss on 10,000 test rows, and the seconds of `fit`; means over the seeds.
"""

import argparse
import os
import warnings
from functools import partial
from time import perf_counter

N_TEST = 10_000
NUMBERS = ["a", "b", "c", "d"]


def main():
    options = arguments()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(options.threads)
    warnings.simplefilter("ignore")
    for n_categories in options.categories:
        runs = [measure(options, n_categories, seed) for seed in range(options.seeds)]
        known = sum(run["known"] for run in runs) // len(runs)
        print(f"\n{options.rows:,} rows, {n_categories:,} cities, {known:,} of them in two training rows or more")
        print(f"{'':40s}{'accuracy':>10s}{'log loss':>10s}{'seconds':>10s}")
        for name in runs[0]["scores"]:
            means = [sum(column) / len(runs) for column in zip(*(run["scores"][name] for run in runs))]
            print(f"{name:40s}{means[0]:10.4f}{means[1]:10.4f}{means[2]:10.1f}", flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000, help="training rows (default: 20000)")
    parser.add_argument("--categories", type=int, nargs="+", default=[2000, 20_000], help="cities (default: 2000 20000)")
    parser.add_argument("--seeds", type=int, default=1, help="tables of each kind (default: 1)")
    parser.add_argument("--threads", type=int, default=1, help="threads of BLAS and OpenMP (default: 1)")
    return parser.parse_args()


def measure(options, n_categories, seed):
    """Accuracy, log loss and seconds of every model on one table, and how many cities it shows twice."""
    X, y, p = table(options.rows + N_TEST, n_categories, seed)
    X_train, y_train, X_test, y_test = X[: options.rows], y[: options.rows], X[options.rows :], y[options.rows :]
    scores = {"best possible": (*score(p[options.rows :], y_test), 0.0)}
    for name, make in models(options).items():
        start = perf_counter()
        model = make(seed).fit(X_train, y_train)
        seconds = perf_counter() - start
        scores[name] = (*score(model.predict_proba(X_test)[:, 1], y_test), seconds)
    return {"scores": scores, "known": int((X_train["city"].value_counts() > 1).sum())}


def table(n_rows, n_categories, seed):
    """Columns, labels and the probabilities of label 1."""
    import numpy as np
    import pandas as pd
    from scipy.special import expit

    rng = np.random.default_rng(seed)
    frequencies = 1 / np.arange(1, n_categories + 1)
    city = rng.choice(n_categories, size=n_rows, p=frequencies / frequencies.sum())
    level, slope = 1.5 * rng.normal(size=(2, n_categories))
    X = rng.normal(size=(n_rows, len(NUMBERS)))
    p = expit(level[city] + slope[city] * X[:, 0] + 0.7 * X[:, 1] + 0.5 * X[:, 2] * X[:, 3])
    frame = pd.DataFrame(X, columns=NUMBERS).assign(city=[f"city {number}" for number in city])
    return frame, (rng.random(n_rows) < p).astype(int), p


def score(p, y):
    """Accuracy and log loss of the probabilities of label 1."""
    from sklearn.metrics import accuracy_score, log_loss

    return accuracy_score(y, p > 0.5), log_loss(y, p)


def models(options):
    """What makes each model, given a seed."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    from sksoftmax import SoftmaxMLPClassifier

    found = {
        "SoftmaxMLPClassifier": lambda seed: SoftmaxMLPClassifier(random_state=seed),
        "SoftmaxMLPClassifier, n_members=1": lambda seed: SoftmaxMLPClassifier(n_members=1, random_state=seed),
        "SoftmaxMLPClassifier, 255 cities": lambda seed: frequent_alone(SoftmaxMLPClassifier(random_state=seed)),
    }
    for Model in (MLPClassifier, LogisticRegression, HistGradientBoostingClassifier):
        found[f"{Model.__name__}, targets"] = partial(target_encoded, Model)
    try:
        from catboost import CatBoostClassifier
    except ImportError:
        return found
    same = {"verbose": 0, "thread_count": options.threads, "cat_features": ["city"], "allow_writing_files": False}
    return found | {"CatBoostClassifier": lambda seed: CatBoostClassifier(random_seed=seed, **same)}


def frequent_alone(model):
    """The model behind a step that forgets all cities but the 255 most frequent."""
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.pipeline import make_pipeline

    class Frequent(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            self.known_ = set(X["city"].value_counts().index[:255])
            return self

        def transform(self, X):
            return X.assign(city=X["city"].where(X["city"].isin(self.known_), None))

    return make_pipeline(Frequent(), model)


def target_encoded(Model, seed):
    """The model behind scikit-learn's target encoding and standard scaling."""
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler, TargetEncoder

    encoder = make_column_transformer((TargetEncoder(random_state=seed), ["city"]), remainder="passthrough")
    return make_pipeline(encoder, StandardScaler(), Model(random_state=seed))


if __name__ == "__main__":
    main()
