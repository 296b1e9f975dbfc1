"""What a network looks at: permutation importance and partial dependence, by the names of the columns.

    python examples/explanation.py [PNG]

Three cultivars of wine, thirteen measurements, as a DataFrame. scikit-learn's inspection takes the network as it takes any
classifier: alcohol and proline matter most, and the more proline, the likelier the first cultivar. Needs pandas.

Saves the two as a PNG where a path is given, which takes matplotlib.
"""

import argparse

from sklearn.datasets import load_wine
from sklearn.inspection import PartialDependenceDisplay, partial_dependence, permutation_importance
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksoftmax import SoftmaxMLPClassifier

CULTIVARS = {0: "tab:blue", 1: "tab:orange", 2: "tab:green"}


def main():
    """Train, ask, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("png", nargs="?", help="where to save the picture (default: nowhere)")
    png = parser.parse_args().png

    X, y = load_wine(return_X_y=True, as_frame=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=1 / 3, stratify=y, random_state=0)
    plain = MLPClassifier((16,), solver="lbfgs", alpha=1, max_iter=1000, random_state=0)
    network = SoftmaxMLPClassifier.from_sklearn(plain)
    model = make_pipeline(StandardScaler(), network).fit(X_train, y_train)
    print(f"Wine: {len(X_train)} training rows, {len(X_test)} test rows, test accuracy {model.score(X_test, y_test):.3f}\n")

    # No feature_importances_, by design: what a weight says of its column depends on the layers behind it. What the test rows
    # lose when a column is shuffled does not. The log loss notices what is too little to change the accuracy. Columns that say
    # the same (here flavanoids and total_phenols) stand in for each other, so that each alone may look unimportant.
    assert not hasattr(network, "feature_importances_")
    found = permutation_importance(model, X_test, y_test, scoring="neg_log_loss", n_repeats=10, random_state=0)
    ranking = found.importances_mean.argsort()[::-1]
    print("Rise of the test rows' log loss when a column is shuffled (10 times)")
    for i in ranking[:5]:
        print(f"  {X.columns[i]:20}{found.importances_mean[i]:.3f} ± {found.importances_std[i]:.3f}")
    assert set(X.columns[ranking[:2]]) == {"alcohol", "proline"}

    print("\nMean probability of each cultivar when all training rows have this much proline")
    by_proline = partial_dependence(model, X_train, ["proline"], grid_resolution=5)
    for amount, probabilities in zip(by_proline["grid_values"][0], by_proline["average"].T):
        print(f"  {amount:6.0f}  " + "  ".join(f"{p:.3f}" for p in probabilities))
    first = by_proline["average"][0]
    assert first[-1] - first[0] > 0.2
    if png is not None:
        draw(model, X_train, found, ranking, png)


def draw(model, X, found, ranking, path):
    """Importances on the left, then a panel for each of the top columns."""
    from matplotlib.figure import Figure  # here, so that the numbers come without it

    figure = Figure(figsize=(13, 4.4), layout="constrained")
    bars, *axes = figure.subplots(1, 3)
    names, means, deviations = X.columns[ranking], found.importances_mean[ranking], found.importances_std[ranking]
    bars.barh(names, means, xerr=deviations, color="silver", ecolor="gray")
    bars.invert_yaxis()
    bars.set(xlabel="rise of the log loss (nats)", title="Permutation importance, test rows")
    for cultivar, color in CULTIVARS.items():
        line = {"color": color, "label": f"cultivar {cultivar}"}
        axes = PartialDependenceDisplay.from_estimator(model, X, names[:2], target=cultivar, line_kw=line, ax=axes).axes_
    for panel in axes.flat:
        panel.set(ylabel="mean probability", ylim=(0, 0.7), title="Partial dependence, training rows")
        panel.legend(loc="upper center")
    figure.savefig(path, dpi=120)
    print(f"\nSaved {path}: importances and partial dependence")


if __name__ == "__main__":
    main()
