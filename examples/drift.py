"""A stream whose rule changes
==============================

``partial_fit`` trains on a stream block by block. In this stream the rule drifts:
the direction that separates the two classes turns slowly. A model that was fitted
once loses accuracy. A model that is trained on each block recovers.

Each block is predicted before it is used for training, so each accuracy is one on
new rows.
"""

import matplotlib.pyplot as plt
import numpy as np

from sksoftmax import SoftmaxMLPClassifier

rng = np.random.default_rng(0)
N_BLOCKS, N_ROWS = 120, 200


def block(i):
    """Rows of block i; the direction turns after a third of the blocks."""
    angle = np.pi * max(0.0, i / N_BLOCKS - 1 / 3)
    X = rng.normal(size=(N_ROWS, 5))
    y = (
        X[:, 0] * np.cos(angle)
        + X[:, 1] * np.sin(angle)
        + 0.3 * rng.normal(size=N_ROWS)
        > 0
    )
    return X, y.astype(int)


# %%
# Both models are trained on the first ten blocks. Then only one of them is trained
# further.
learning = SoftmaxMLPClassifier(n_members=1, learning_rate_init=0.02, random_state=0)
X, y = map(np.concatenate, zip(*(block(i) for i in range(10))))
fixed = SoftmaxMLPClassifier(random_state=0).fit(X, y)
for _ in range(20):
    learning.partial_fit(X, y, classes=[0, 1])

scores = {"fitted once": [], "partial_fit": []}
for i in range(10, N_BLOCKS):
    X, y = block(i)
    scores["fitted once"].append(fixed.score(X, y))
    scores["partial_fit"].append(learning.score(X, y))
    learning.partial_fit(X, y)

# %%
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for name, values in scores.items():
    ax.plot(
        range(10, N_BLOCKS),
        np.convolve(np.pad(values, 2, mode="edge"), np.ones(5) / 5, "valid"),
        label=name,
    )
ax.axvline(N_BLOCKS / 3, linestyle="--", color="gray")
ax.text(N_BLOCKS / 3 + 1, 0.55, "the rule begins to turn")
ax.set(
    xlabel="block of 200 rows",
    ylabel="accuracy before learning (mean of 5 blocks)",
    ylim=(0.4, 1),
)
ax.legend(loc="lower left")
plt.show()
assert (
    np.mean(scores["partial_fit"][-20:]) > np.mean(scores["fitted once"][-20:]) + 0.2
)
