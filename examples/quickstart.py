"""The defaults on real data
============================

``SoftmaxMLPClassifier()`` is compared with scikit-learn's MLPClassifier on digits
and on tumors. Then it is fitted on a DataFrame with strings and missing values, and
used in a grid search. ``SoftmaxMLPClassifier()`` gets the columns without
preprocessing; ``MLPClassifier()`` needs a scaler and gets one. If you run this file
as a script, it saves the picture as quickstart.png.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score, log_loss
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_predict,
    train_test_split,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksoftmax import SoftmaxMLPClassifier

DATA_SETS = {"digits": load_digits, "breast cancer": load_breast_cancer}
MODELS = {
    "SoftmaxMLPClassifier()": SoftmaxMLPClassifier(random_state=0),
    "StandardScaler, MLPClassifier()": make_pipeline(
        StandardScaler(), MLPClassifier(random_state=0)
    ),
}
GRID = {"activation": ["relu", "silu"], "hidden_layer_sizes": [(50,), (100,)]}


def main():
    """Compare, fit on a frame, search, draw."""
    left_out = compare()
    read_frame()
    search_grid()
    draw(left_out).savefig("quickstart.png", dpi=120)
    print(
        "\nSaved quickstart.png: log losses, and the confusion matrix of the "
        "left-out digits"
    )


def compare():
    """Print the scores on left-out rows; return the rows' probabilities."""
    print(
        f"{'Defaults, left-out rows of 3 folds':48}{'accuracy':>8}{'log loss':>10}"
    )
    left_out = {}
    for data_set, load in DATA_SETS.items():
        X, y = load(return_X_y=True)
        for name, model in MODELS.items():
            p = left_out[data_set, name] = probabilities(model, X, y)
            print(
                f"{data_set:15}{name:33}"
                f"{accuracy_score(y, p.argmax(axis=1)):8.4f}"
                f"{log_loss(y, p):10.4f}"
            )
    return left_out


def probabilities(model, X, y):
    """Probabilities of each row by the model fitted on the folds without it."""
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    n_jobs = 2 if isinstance(model, SoftmaxMLPClassifier) else 1
    with warnings.catch_warnings():
        # MLPClassifier's 200 epochs are its default
        warnings.simplefilter("ignore", ConvergenceWarning)
        return cross_val_predict(
            model, X, y, cv=folds, n_jobs=n_jobs, method="predict_proba"
        )


def read_frame():
    """Fit the defaults on a frame with strings and missing values."""
    X, progression = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    # The source does not say which is which
    X["sex"] = X["sex"].map({1: "sex 1", 2: "sex 2"})
    # The bundled data have no missing values, so some are made
    X = X.mask(np.random.default_rng(0).random(X.shape) < 0.05)
    y = np.where(progression > progression.median(), "faster", "slower")
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.25, stratify=y, random_state=0
    )
    classifier = SoftmaxMLPClassifier(random_state=0).fit(X_train, y_train)
    loss = log_loss(y_test, classifier.predict_proba(X_test))
    print(
        "\nDiabetes, a DataFrame with strings in one column and "
        f"{X.isna().mean().mean():.0%} of the values missing:"
    )
    print(
        f"does it progress faster than in the median patient? {len(X_train)} "
        f"training rows, {len(X_test)} test rows"
    )
    print(
        f"Test accuracy {classifier.score(X_test, y_test):.4f}, log loss "
        f"{loss:.4f} (by chance {np.log(2):.4f})"
    )


def search_grid():
    """Print the 3-fold accuracy of a few single networks, and test the best."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.25, stratify=y, random_state=0
    )
    # For speed: 1/8 of the work or less
    single = SoftmaxMLPClassifier(n_members=1, random_state=0)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    search = GridSearchCV(single, GRID, cv=folds, n_jobs=2).fit(X_train, y_train)
    print("\nDigits, a grid of single networks (n_members=1)")
    print(f"{'activation':12}{'hidden layers':15}{'accuracy':>16}{'seconds':>9}")
    columns = [
        search.cv_results_[key]
        for key in ("params", "mean_test_score", "std_test_score", "mean_fit_time")
    ]
    for i, (candidate, mean, std, seconds) in enumerate(zip(*columns)):
        activation, hidden = (candidate[name] for name in GRID)
        best = "  best" if i == search.best_index_ else ""
        print(
            f"{activation:12}{hidden!s:15}{mean:8.4f} ± {std:.3f}{seconds:9.2f}"
            f"{best}"
        )
    print(f"Test accuracy of the best: {search.score(X_test, y_test):.4f}")


def draw(left_out):
    """Draw the log losses, and the confusion matrix of the digits."""
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(11, 4.8), layout="constrained"
    )
    targets = {data_set: load().target for data_set, load in DATA_SETS.items()}
    for shift, name in zip((-0.2, 0.2), MODELS):
        losses = [
            log_loss(y, left_out[data_set, name]) for data_set, y in targets.items()
        ]
        left.bar_label(
            left.bar(np.arange(len(losses)) + shift, losses, 0.38, label=name),
            fmt="%.3f",
        )
    left.set_xticks(range(len(targets)), targets)
    left.set(
        ylabel="log loss (nats), lower is better",
        title="Defaults, left-out rows of 3 folds",
    )
    left.margins(y=0.3)
    left.legend(loc="upper center")
    y, p = targets["digits"], left_out["digits", "SoftmaxMLPClassifier()"]
    predicted = p.argmax(axis=1)
    ConfusionMatrixDisplay.from_predictions(
        y, predicted, ax=right, cmap="Blues", colorbar=False
    )
    right.set(
        title=(
            f"SoftmaxMLPClassifier(): accuracy {accuracy_score(y, predicted):.4f} "
            "on left-out digits"
        )
    )
    return figure


if __name__ == "__main__":
    main()
