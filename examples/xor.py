"""XOR, with a softmax head and with a sigmoid head
===================================================

XOR is the smallest problem that needs a hidden layer. 100 points are drawn around
each corner of the unit square, with noise N(0, 0.05²). The label of a point is
whether the coordinates of its corner differ. 280 points are used for training and
120 for validation. How often, over many seeds of data and weights, does a network
with two hidden layers of 4 units classify all 120 right, and after how many steps?
The optimizer is Adam with batches of 16. For more seeds run ``python examples/xor.py
--seeds 50``.
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from sksoftmax import SoftmaxMLPClassifier

STEPS_PER_EPOCH = 18  # 280 rows in batches of 16
FEW, MANY = 200, 2000  # steps
HEADS = {
    "softmax 2-4-4-2": {"out_activation": "softmax", "learning_rate_init": 1e-2},
    # For two classes: one logistic unit
    "sigmoid 2-4-4-1": {
        "out_activation": "auto",
        "learning_rate_init": 5e-3,
    },
}


def main():
    """Train each head from each seed, print the results, draw."""
    parser = argparse.ArgumentParser(description="XOR, from many seeds.")
    parser.add_argument(
        "--seeds",
        type=int,
        default=5,
        help="how many seeds to train from (default: 5)",
    )
    arguments = parser.parse_args()

    print(
        f"XOR: seeds that reach 100 % validation accuracy, of {arguments.seeds}"
        f"; looked at every {STEPS_PER_EPOCH} steps"
    )
    print(
        f"{'':17}{f'within {FEW} steps':>18}{f'within {MANY} steps':>19}"
        f"{'median step':>13}"
    )
    for head in HEADS:
        report(
            head, [steps_to_perfect(head, seed) for seed in range(arguments.seeds)]
        )
    draw()


def make_xor(seed):
    """Training and validation rows, standardized by the training rows."""
    rng = np.random.default_rng(seed)
    corners = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], 100, axis=0)
    X, y = (
        corners + rng.normal(0, 0.05, corners.shape),
        corners[:, 0] ^ corners[:, 1],
    )
    X_train, X_valid, y_train, y_valid = train_test_split(
        X, y, test_size=120, random_state=seed
    )
    scaler = StandardScaler().fit(X_train)
    return scaler.transform(X_train), scaler.transform(X_valid), y_train, y_valid


def make_network(head, seed):
    """2-4-4-2 or 2-4-4-1 with LeakyReLU (slope 0.1), without regularization."""
    plain = SoftmaxMLPClassifier.from_sklearn(
        MLPClassifier((4, 4), batch_size=16, alpha=0, random_state=seed)
    )
    return plain.set_params(activation="leaky_relu", **HEADS[head])


def train(network, X, y):
    """Train for up to `MANY` steps, and yield their number after each epoch."""
    for step in range(STEPS_PER_EPOCH, MANY + 1, STEPS_PER_EPOCH):
        network.partial_fit(X, y, classes=[0, 1])
        yield step


def steps_to_perfect(head, seed):
    """The step at which all validation rows are first right, or infinity."""
    X_train, X_valid, y_train, y_valid = make_xor(seed)
    network = make_network(head, seed)
    right = (
        step
        for step in train(network, X_train, y_train)
        if network.score(X_valid, y_valid) == 1
    )
    return next(right, np.inf)


def report(head, steps):
    """Print how many seeds reach 100 % within each limit, and the median step."""
    few, many = (sum(step <= limit for step in steps) for limit in (FEW, MANY))
    print(
        f"{head:17}{few:12d} of {len(steps)}{many:13d} of {len(steps)}"
        f"{np.median(steps):13.0f}"
    )


def draw():
    """Draw the probability of class 1 over the plane, a panel for each head."""
    figure, panels = plt.subplots(
        1, len(HEADS), figsize=(10, 4.6), layout="constrained", sharey=True
    )
    for axes, head in zip(panels, HEADS):
        regions = draw_regions(axes, head, seed=0)
    figure.colorbar(
        regions,
        ax=panels,
        label="probability of class 1",
        ticks=np.linspace(0, 1, 6),
    )
    plt.show()


def draw_regions(axes, head, seed):
    """Train to the end and color the plane by the predicted probabilities."""
    X_train, X_valid, y_train, y_valid = make_xor(seed)
    network = make_network(head, seed)
    *_, n_steps = train(network, X_train, y_train)
    grid_x, grid_y = np.meshgrid(*[np.linspace(-2, 2, 200)] * 2)
    p = network.predict_proba(np.column_stack([grid_x.ravel(), grid_y.ravel()]))[
        :, 1
    ].reshape(grid_x.shape)
    regions = axes.contourf(
        grid_x, grid_y, p, levels=np.linspace(0, 1, 21), cmap="RdBu_r", alpha=0.8
    )
    axes.contour(grid_x, grid_y, p, levels=[0.5], colors="black")
    axes.scatter(
        *X_train.T,
        c=y_train,
        cmap="RdBu_r",
        edgecolors="black",
        linewidths=0.4,
        s=18,
    )
    title = f"{head}: {network.score(X_valid, y_valid):.0%} after {n_steps} steps"
    axes.set(title=title, xlabel="x₁", ylabel="x₂", aspect="equal")
    return regions


if __name__ == "__main__":
    main()
