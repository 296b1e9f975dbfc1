"""Data made to fool what the defaults infer: rows that repeat, columns that interact, sentinels, long tails; and peers beside.

    python benchmarks/hard_data.py [--names repeats,visits] [--seeds 2]

Each line is one situation: the mean log loss or accuracy on new rows of the default, of one network (`n_members=1`) and of peers
that get standard scaling, and the processor seconds of each fit. All models run on one thread.
"""

import argparse
import warnings
from time import process_time

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler
from threadpoolctl import threadpool_limits

from sksoftmax import SoftmaxMLPClassifier

N_NEW = 3000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--names", default=",".join(SITUATIONS), help=f"comma-separated (default: {','.join(SITUATIONS)})")
    parser.add_argument("--seeds", type=int, default=2, help="repetitions, over which the mean is taken (default: 2)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{'situation':34s} {'score':9s}" + "".join(f"{name:>18s}" for name in models(0)))
    for title, score, make in (situation for name in options.names.split(",") for situation in SITUATIONS[name]()):
        with threadpool_limits(1):
            results = np.array([compare(*make(np.random.default_rng(seed)), score, seed) for seed in range(options.seeds)])
        cells = ("–" if np.isnan(value) else f"{value:9.3f} {seconds:6.2f} s" for value, seconds in results.mean(axis=0))
        print(f"{title:34s} {score:9s}" + "".join(f"{cell:>18s}" for cell in cells), flush=True)


def models(seed, sparse=False, n_classes=2):
    """New models by name. Boosting is None for a sparse X, which it refuses, and for many classes, which take it minutes."""
    scaler = MaxAbsScaler() if sparse else StandardScaler()
    return {
        "default": SoftmaxMLPClassifier(random_state=seed),
        "one network": SoftmaxMLPClassifier(n_members=1, random_state=seed),
        "MLPClassifier": make_pipeline(scaler, MLPClassifier(random_state=seed)),
        "boosting": None if sparse or n_classes > 50 else HistGradientBoostingClassifier(random_state=seed),
        "logistic": make_pipeline(scaler, LogisticRegression(max_iter=1000)),
    }


def compare(X, y, X_new, y_new, fit_params, score, seed):
    """The score and the processor seconds of each model's fit; NaN if a model is None or lacks what `fit_params` names."""
    results = []
    for model in models(seed, hasattr(X, "tocsr"), len(np.unique(y))).values():
        if model is None or (fit_params and not isinstance(model, SoftmaxMLPClassifier)):
            results.append((np.nan, np.nan))
            continue
        start = process_time()
        model.fit(X, y, **fit_params)
        seconds = process_time() - start
        if score == "accuracy":
            results.append((model.score(X_new, y_new), seconds))
        else:
            results.append((log_loss(y_new, model.predict_proba(X_new), labels=model.classes_), seconds))
    return results


def labelled(X, rng):
    """Labels with P(y = 1) = σ(1.5 x₀)."""
    return (rng.random(len(X)) < 1 / (1 + np.exp(-1.5 * X[:, 0]))).astype(int)


def repeats():
    """300 rows that repeat in several ways, and the same rows with weights."""
    ways = {
        "ten times": lambda rng, y: np.full(300, 10),
        "1 to 7 times": lambda rng, y: rng.integers(1, 8, 300),
        "as a join": lambda rng, y: np.minimum(1 + rng.geometric(0.2, 300), 40),
        "one class oversampled": lambda rng, y: 1 + 4 * y,
    }

    def make(way, weighted):
        def draw(rng):
            X, X_new = rng.normal(size=(300, 8)), rng.normal(size=(N_NEW, 8))
            y, y_new = labelled(X, rng), labelled(X_new, rng)
            times = way(rng, y)
            rows = np.arange(300) if weighted else rng.permutation(np.repeat(np.arange(300), times))
            return X[rows], y[rows], X_new, y_new, {"sample_weight": times} if weighted else {}

        return draw

    for name, way in ways.items():
        yield f"300 rows, {name}", "log loss", make(way, False)
        yield "  with sample_weight instead", "log loss", make(way, True)


def visits():
    """100 patients with several visits each; new patients are predicted."""

    def make(n_visits, with_groups):
        def draw(rng):
            patients, X_new = rng.normal(size=(100, 6)), rng.normal(size=(N_NEW, 6))
            y, y_new, patient = labelled(patients, rng), labelled(X_new, rng), np.repeat(np.arange(100), n_visits)
            X, X_new = (rows + 0.1 * rng.normal(size=rows.shape) for rows in (patients[patient], X_new))
            return X, y[patient], X_new, y_new, {"groups": patient} if with_groups else {}

        return draw

    for n_visits in (3, 5, 10, 20):
        yield f"100 patients, {n_visits} visits", "log loss", make(n_visits, False)
        yield "  with groups", "log loss", make(n_visits, True)


def sparse():
    """Texts and three numbers that decide, in a sparse matrix."""

    def make(with_text, by_deviation):
        def draw(rng):
            n = 1500
            words = [f"w{i}" for i in range(300)]
            text = TfidfVectorizer().fit_transform([" ".join(rng.choice(words, 12)) for _ in range(n)])
            normal = rng.normal(size=(n, 3))
            numbers = np.c_[2000 + 10 * normal[:, 0], 290 + 10 * normal[:, 1], np.exp(normal[:, 2])]
            y = (normal.sum(axis=1) + 0.3 * rng.normal(size=n) > 0).astype(int)
            numbers = numbers / numbers.std(axis=0) if by_deviation else numbers
            X = csr_matrix(hstack([text, csr_matrix(numbers)]) if with_text else numbers)
            return X[:1000], y[:1000], X[1000:], y[1000:], {}

        return draw

    yield "TF-IDF and three numbers", "accuracy", make(True, False)
    yield "  numbers over their deviation", "accuracy", make(True, True)
    yield "three numbers alone", "accuracy", make(False, False)


def together():
    """Bits that tell only together, among columns of noise."""

    def make(n_rows, n_bits, n_noise):
        def draw(rng):
            bits = rng.integers(0, 2, (n_rows + N_NEW, n_bits))
            X, y = np.c_[bits, rng.normal(size=(len(bits), n_noise))], bits.sum(axis=1) % 2
            return X[:n_rows], y[:n_rows], X[n_rows:], y[n_rows:], {}

        return draw

    yield "parity of 5 of 10 columns", "accuracy", make(5000, 5, 5)
    yield "parity of 2 of 52 columns", "accuracy", make(2000, 2, 50)


def values():
    """A sentinel, one huge count, and a long tail."""

    def sentinel(rng):
        X = rng.normal(size=(2000 + N_NEW, 129))
        y = (X @ (rng.normal(size=129) / 129**0.5) + 0.3 * rng.normal(size=len(X)) > 0).astype(int)
        X[:, ::2] = np.where(rng.random(X[:, ::2].shape) < 0.3, -999, X[:, ::2])
        return X[:2000], y[:2000], X[2000:], y[2000:], {}

    def count(rng):
        X = np.where(rng.random((2000 + N_NEW, 10)) < 0.8, 0, 1.0 + rng.poisson(3, (2000 + N_NEW, 10)))
        y = (X.sum(axis=1) > 8).astype(int)
        X[0, 0] = 1e9
        return X[:2000], y[:2000], X[2000:], y[2000:], {}

    def tail(rng):
        n = 3000
        large = np.arange(2 * n) % 5 == 0
        X = np.where(large, 10 ** rng.uniform(4, 9, 2 * n), rng.normal(50, 1, 2 * n))[:, None]
        y, X = (X[:, 0] > 10**6.5).astype(int), np.hstack([X, rng.normal(size=(2 * n, 3))]).astype(np.float32)
        new = np.flatnonzero(large[n:]) + n
        return X[:n], y[:n], X[new], y[new], {}

    yield "-999 in half of 129 columns", "accuracy", sentinel
    yield "counts, one of them 1e9", "accuracy", count
    yield "long tail, float32, its rows", "accuracy", tail


def small():
    """Few rows for each class, or for all columns."""

    def classes(n_classes, n_each, n_columns, noise):
        def draw(rng):
            centers, y = rng.normal(size=(n_classes, n_columns)), np.arange(n_classes * n_each) % n_classes
            X, X_new = (centers[y] + noise * rng.normal(size=(len(y), n_columns)) for _ in range(2))
            return X, y, X_new, y, {}

        return draw

    def wide(rng):
        y = np.arange(60 + N_NEW) % 2
        X = rng.normal(size=(len(y), 4000))
        X[:, :20] += 0.55 * (2 * y[:, None] - 1)
        return X[:60], y[:60], X[60:], y[60:], {}

    yield "200 classes, 5 rows, 64 columns", "accuracy", classes(200, 5, 64, 1.2)
    yield "77 classes, 8 rows, 384 columns", "accuracy", classes(77, 8, 384, 3.0)
    yield "60 rows, 4000 columns", "accuracy", wide


SITUATIONS = {"repeats": repeats, "visits": visits, "sparse": sparse, "together": together, "values": values, "small": small}


if __name__ == "__main__":
    main()
