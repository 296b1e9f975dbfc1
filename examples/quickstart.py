"""Digits from pixels to a confusion matrix, then three more data sets beside scikit-learn's MLPClassifier.

    python examples/quickstart.py [--out FOLDER]

A pipeline, a grid search and a held-out test set, as with any scikit-learn classifier. Takes some seconds on two cores. Saves
the loss curve and the confusion matrix as quickstart.png if matplotlib is installed.
"""

import argparse
from pathlib import Path

from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksoftmax import SoftmaxMLPClassifier

try:
    from matplotlib.figure import Figure
except ImportError:
    Figure = None

GRID = {
    "softmaxmlpclassifier__activation": ["relu", "silu"],
    "softmaxmlpclassifier__hidden_layer_sizes": [(50,), (100,)],
    "softmaxmlpclassifier__alpha": [1e-3, 1e-1],
}
SETTINGS = {"hidden_layer_sizes": (32,), "batch_size": 32, "learning_rate_init": 0.01, "max_iter": 500, "random_state": 0}
DATA_SETS = {"iris": load_iris, "wine": load_wine, "breast cancer": load_breast_cancer}


def main():
    """Search, test, compare, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(), help="folder for quickstart.png (default: the current one)")
    out = parser.parse_args().out

    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
    print(f"Digits: {len(X_train)} training rows and {len(X_test)} test rows of 64 pixels, 10 classes")
    search = search_grid(X_train, y_train)
    print_grid(search)
    print(f"\nTest accuracy of the best: {search.score(X_test, y_test):.4f}\n")
    compare()
    if Figure is None:
        print("\nNo picture: matplotlib is not installed (pip install matplotlib)")
    else:
        print(f"\nSaved {draw(search, X_test, y_test, out)}: loss curve and confusion matrix on the test rows")


def search_grid(X, y):
    """The best pipeline of the grid by 3-fold accuracy, fitted again on all rows.

    The learning rate falls to 0 over the 40 epochs, so that every fit ends as planned.
    """
    classifier = SoftmaxMLPClassifier(
        batch_size=32, learning_rate="cosine", learning_rate_init=0.005, max_iter=40, random_state=0
    )
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    return GridSearchCV(make_pipeline(StandardScaler(), classifier), GRID, cv=folds, n_jobs=2).fit(X, y)


def print_grid(search):
    """One line a candidate: its parameters, the accuracy on the left-out folds, and the seconds of one fit."""
    print(f"\n{'activation':12}{'hidden layers':15}{'alpha':>6}{'accuracy':>18}{'seconds':>9}")
    columns = [search.cv_results_[key] for key in ("params", "mean_test_score", "std_test_score", "mean_fit_time")]
    for i, (candidate, mean, std, seconds) in enumerate(zip(*columns)):
        activation, hidden, alpha = (candidate[name] for name in GRID)
        best = "  best" if i == search.best_index_ else ""
        print(f"{activation:12}{hidden!s:15}{alpha:6g}{mean:10.4f} ± {std:.3f}{seconds:9.2f}{best}")


def compare():
    """5-fold mean accuracy beside MLPClassifier's. The same settings and seed train the same network."""
    print("Mean accuracy of 5 folds, the same settings for both")
    print(f"{'':16}{'SoftmaxMLPClassifier':>22}{'MLPClassifier':>15}")
    for name, load in DATA_SETS.items():
        X, y = load(return_X_y=True)
        ours, theirs = (mean_accuracy(kind(**SETTINGS), X, y) for kind in (SoftmaxMLPClassifier, MLPClassifier))
        print(f"{name:16}{ours:22.4f}{theirs:15.4f}")


def mean_accuracy(classifier, X, y):
    """Over 5 stratified folds, columns standardised."""
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return cross_val_score(make_pipeline(StandardScaler(), classifier), X, y, cv=folds).mean()


def draw(search, X_test, y_test, folder):
    """Loss of each epoch on the left, confusion matrix on the right; the path of the PNG."""
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    losses = search.best_estimator_[-1].loss_curve_
    left.semilogy(range(1, len(losses) + 1), losses)
    left.set(xlabel="epoch", ylabel="training loss (nats)", title="Loss of the best candidate")
    left.grid(alpha=0.3)
    ConfusionMatrixDisplay.from_predictions(y_test, search.predict(X_test), ax=right, cmap="Blues", colorbar=False)
    right.set(title=f"Digits: test accuracy {search.score(X_test, y_test):.4f}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "quickstart.png"
    figure.savefig(path, dpi=120)
    return path


if __name__ == "__main__":
    main()
