"""Distill a forest into a small network
========================================

A network can be fitted on the probabilities of another model, as soft labels. Here
this other model, the teacher, is a forest of 500 trees on digits. Networks of 32 and
of 8 hidden units are fitted on the labels, and others on the probabilities of the
forest for the same rows.
"""

import pickle

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksoftmax import SoftmaxMLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.5, stratify=y, random_state=0
)
forest = RandomForestClassifier(500, random_state=0).fit(X_train, y_train)
# One column for each class, in the order of forest.classes_
soft_labels = forest.predict_proba(X_train)


def make_network(units):
    """A scaler and one hidden layer, with a learning rate that falls to 0."""
    plain = SoftmaxMLPClassifier.from_sklearn(
        MLPClassifier(
            (units,),
            batch_size=32,
            learning_rate_init=0.01,
            max_iter=100,
            random_state=0,
        )
    )
    return make_pipeline(StandardScaler(), plain.set_params(learning_rate="cosine"))


# %%
# Agreement is the share of rows with the same prediction as the forest's. A network
# fitted on soft labels predicts column numbers, which for digits are the classes.
models = {"forest, 500 trees": forest}
for units in (32, 8):
    models[f"{units} units, labels"] = make_network(units).fit(X_train, y_train)
    models[f"{units} units, distilled"] = make_network(units).fit(
        X_train, soft_labels
    )
print(f"{'':21}{'kB':>7}{'accuracy':>10}{'agreement':>11}{'log loss':>10}")
results = {}
for name, model in models.items():
    size, predicted = len(pickle.dumps(model)) / 1000, model.predict(X_test)
    accuracy, agreement = (
        np.mean(predicted == y_test),
        np.mean(predicted == forest.predict(X_test)),
    )
    results[name] = size, accuracy
    print(
        f"{name:21}{size:7.0f}{accuracy:10.3f}{agreement:11.3f}"
        f"{log_loss(y_test, model.predict_proba(X_test)):10.3f}"
    )

# %%
# With 32 units the pickle of the distilled network has less than 1/500 of the size
# of the forest's. With 8 units the network fitted on soft labels is more accurate
# than the one fitted on labels.
figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
for name, (size, accuracy) in results.items():
    ax.scatter(
        size,
        accuracy,
        s=70,
        color="C1" if "distilled" in name else "gray" if "forest" in name else "C0",
    )
    ax.annotate(name, (size, accuracy), xytext=(6, 6), textcoords="offset points")
ax.set(
    xscale="log",
    xlim=(3, 200_000),
    xlabel="size of the pickle, kB",
    ylabel="test accuracy",
    ylim=(0.9, 0.985),
)
plt.show()
assert results["forest, 500 trees"][0] > 500 * results["32 units, distilled"][0]
assert results["8 units, distilled"][1] > results["8 units, labels"][1]
