"""Decision boundaries of an ensemble and of one network
========================================================

The data are two half-moons with noise. The default is an ensemble of eight networks,
whose probabilities are calibrated and change smoothly. One network (``n_members=1``)
is fitted faster, but its boundary follows some of the noise. The third panel has
MLPClassifier with its own defaults.
"""

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

from sksoftmax import SoftmaxMLPClassifier

# MLPClassifier's 200 epochs are its default
warnings.simplefilter("ignore", ConvergenceWarning)
X, y = make_moons(300, noise=0.35, random_state=0)
X_test, y_test = make_moons(5000, noise=0.35, random_state=1)

models = {
    "SoftmaxMLPClassifier()": SoftmaxMLPClassifier(random_state=0),
    "n_members=1": SoftmaxMLPClassifier(n_members=1, random_state=0),
    "MLPClassifier()": MLPClassifier(random_state=0),
}

# %%
# Colors show the probability of the second class. At the black line it is one half.
figure, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained", sharey=True)
losses = {}
for ax, (name, model) in zip(axes, models.items()):
    model.fit(X, y)
    losses[name] = log_loss(y_test, model.predict_proba(X_test))
    shared = {"response_method": "predict_proba", "ax": ax, "grid_resolution": 150}
    DecisionBoundaryDisplay.from_estimator(
        model, X, cmap="RdBu_r", alpha=0.7, vmin=0, vmax=1, levels=20, **shared
    )
    DecisionBoundaryDisplay.from_estimator(
        model, X, plot_method="contour", levels=[0.5], colors="black", **shared
    )
    ax.scatter(*X.T, c=y, cmap="RdBu_r", s=14, edgecolors="black", linewidths=0.4)
    ax.set_title(
        f"{name}\ntest log loss {losses[name]:.3f}, accuracy "
        f"{model.score(X_test, y_test):.3f}"
    )
plt.show()

# %%
# The ensemble has the lowest log loss on 5,000 new points.
print(min(losses, key=losses.get))
