"""Importance of columns, and partial dependence
================================================

The data are thirteen measurements of wines from three cultivars, in a DataFrame. The
functions of ``sklearn.inspection`` accept the network like any other classifier.

There is no ``feature_importances_``, by design: the effect of a weight depends on
all later layers. Permutation importance does not use weights. It measures how much
the log loss on test rows rises when the values of a column are shuffled.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_wine
from sklearn.inspection import (
    PartialDependenceDisplay,
    partial_dependence,
    permutation_importance,
)
from sklearn.model_selection import train_test_split

from sksoftmax import SoftmaxMLPClassifier

X, y = load_wine(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=1 / 3, stratify=y, random_state=0
)
model = SoftmaxMLPClassifier(random_state=0).fit(X_train, y_train)
print(
    f"Wine: {len(X_train)} training rows, {len(X_test)} test rows, test "
    f"accuracy {model.score(X_test, y_test):.3f}"
)

# %%
# Log loss shows effects that are too small to change the accuracy. If two columns
# have similar information (here flavanoids and total_phenols), the network can use
# one in place of the other, so each may look unimportant.
found = permutation_importance(
    model, X_test, y_test, scoring="neg_log_loss", n_repeats=10, random_state=0
)
ranking = found.importances_mean.argsort()[::-1]
print("By how much the log loss on test rows rises when a column is shuffled")
for i in ranking[:5]:
    print(
        f"  {X.columns[i]:30}{found.importances_mean[i]:.3f} ± "
        f"{found.importances_std[i]:.3f}"
    )

# %%
# These are the mean probabilities of the cultivars if all training rows had the
# given amount of proline.
by_proline = partial_dependence(model, X_train, ["proline"], grid_resolution=5)
for amount, means in zip(by_proline["grid_values"][0], by_proline["average"].T):
    print(f"  {amount:6.0f}  " + "  ".join(f"{p:.3f}" for p in means))
assert by_proline["average"][0, -1] > by_proline["average"][0, 0]

# %%
# The left panel has the importances, the others the two most important columns.
figure, (bars, *panels) = plt.subplots(1, 3, figsize=(13, 4.4), layout="constrained")
bars.barh(
    X.columns[ranking],
    found.importances_mean[ranking],
    xerr=found.importances_std[ranking],
    color="silver",
    ecolor="gray",
)
bars.invert_yaxis()
bars.set(
    xlabel="rise of the log loss (nats)", title="Permutation importance, test rows"
)
for cultivar, color in enumerate(("C0", "C1", "C4")):
    line = {"color": color, "label": f"cultivar {cultivar}"}
    top = list(X.columns[ranking[:2]])
    panels = PartialDependenceDisplay.from_estimator(
        model, X_train, top, target=cultivar, line_kw=line, ax=panels
    ).axes_
for panel in panels.flat:
    panel.set(
        ylabel="mean probability",
        ylim=(0, 0.8),
        title="Partial dependence, training rows",
    )
    panel.legend(loc="upper center")
plt.show()
