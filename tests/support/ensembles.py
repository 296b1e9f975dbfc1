"""Data with a target of each kind, a small ensemble that learns from them, and random networks and logits for each head."""

import numpy as np
from scipy.special import softmax
from sklearn.datasets import make_classification

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data.heads import BinaryHead, MultilabelHead, SoftmaxHead
from support.networks import form_of, initialized, logits_of_members

N, N_INPUTS = 240, 5
X, y = make_classification(N, N_INPUTS, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
MANY_X, MANY_y = np.vstack([X, X + 0.1, X - 0.1]), np.tile(y, 3)  # enough rows for members to see all of them after the folds
KINDS = {
    "classes": y,
    "two classes": y > 0,
    "strings": np.array(["low", "middle", "high"])[y],
    "one class": np.zeros(N, dtype=int),
    "soft": softmax(np.eye(3)[y] * 2, axis=1),
    "soft, two classes": softmax(X[:, :2], axis=1),
    "multilabel": np.column_stack([y == 0, y < 2, X[:, 0] > 0]).astype(int),
}
HEADS = {"softmax": SoftmaxHead(np.arange(3)), "binary": BinaryHead(np.arange(2)), "multilabel": MultilabelHead(np.arange(3))}


def quick_ensemble(**params):
    """A default ensemble with few units, bins and epochs."""
    return SoftmaxMLPClassifier(**{"hidden_layer_sizes": (8, 6), "max_iter": 3, "n_bins": 8, "random_state": 0, **params})


def random_logits(head, n_rows=20, n_members=None, seed=0, size=3.0):
    shape = (n_rows, head.n_outputs) if n_members is None else (n_members, n_rows, head.n_outputs)
    return np.random.RandomState(seed).normal(0, size, shape)


def random_targets(name, n_rows=20, seed=1):
    rng = np.random.RandomState(seed)
    if name == "softmax":
        return rng.randint(3, size=n_rows)
    return rng.randint(2, size=(n_rows, HEADS[name].n_outputs)).astype(float)


def ensemble_network(n_members=4, n_outputs=3, seed=0):
    return initialized(form_of(N_INPUTS, (6,), n_outputs, n_members=n_members), seed=seed)


def logits_of_member(network, member, X):
    return logits_of_members(network.member(member), X)[0]
