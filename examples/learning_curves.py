"""Learning curves of four classifiers
======================================

How does accuracy on digits grow with the number of training rows? All models have
their default parameters. MLPClassifier and LogisticRegression need a scaler and get
one; SoftmaxMLPClassifier needs none.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksoftmax import SoftmaxMLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=700, stratify=y, random_state=0
)

models = {
    "SoftmaxMLPClassifier": SoftmaxMLPClassifier(random_state=0),
    "MLPClassifier": make_pipeline(StandardScaler(), MLPClassifier(random_state=0)),
    "RandomForestClassifier": RandomForestClassifier(random_state=0),
    "LogisticRegression": make_pipeline(StandardScaler(), LogisticRegression()),
}
sizes = [100, 250, 500, len(X_train)]

# %%
# Each model is fitted on the first rows of the training set, and scored on the same
# 700 test rows.
errors, losses = ({name: [] for name in models} for _ in range(2))
for name, model in models.items():
    for size in sizes:
        p = model.fit(X_train[:size], y_train[:size]).predict_proba(X_test)
        errors[name].append(1 - np.mean(p.argmax(axis=1) == y_test))
        losses[name].append(log_loss(y_test, p))

figure, panels = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for ax, label, curves in zip(
    panels, ("Test error", "Test log loss"), (errors, losses)
):
    for name, values in curves.items():
        ax.plot(
            sizes,
            values,
            marker="o",
            linewidth=3 if name.startswith("Softmax") else 1.5,
            label=name,
        )
    ax.set(xlabel="Training rows", ylabel=label, xscale="log", yscale="log")
    ax.set_xticks(sizes, sizes, minor=False)
    ax.minorticks_off()
panels[0].legend()
plt.show()

# %%
for name in models:
    print(f"{name:24} error {errors[name][-1]:.3f}, log loss {losses[name][-1]:.3f}")
assert losses["SoftmaxMLPClassifier"][-1] == min(
    values[-1] for values in losses.values()
)
