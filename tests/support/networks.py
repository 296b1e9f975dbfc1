"""Parts of the package built by hand: networks with random weights, models, preprocessors; and passes through them."""

from types import SimpleNamespace

import numpy as np
import pytest

from sksoftmax.data.columns import Categories
from sksoftmax.data.heads import BinaryHead, MultilabelHead, SoftmaxHead
from sksoftmax.data.preprocessing import fit_preprocessor
from sksoftmax.data.rows import Samples, member_inputs
from sksoftmax.layout import Layout
from sksoftmax.model import Model, in_chunks, member_logits
from sksoftmax.nn.ensemble_weights import EnsembleWeights
from sksoftmax.nn.network import Architecture, Network, Workspace

HEADS = {"softmax": SoftmaxHead(np.arange(3)), "binary": BinaryHead(np.arange(2)), "multilabel": MultilabelHead(np.arange(3))}
STEP = 1e-6  # of central differences


def form_of(n_columns, hidden, n_outputs, activation="tanh", n_codes=(), skip=(0, 0), **params):
    """An architecture with this activation in every hidden layer, or with the listed ones.

    Of its columns the last ones hold codes; `skip` is how many members do not see how many of the first columns.
    """
    layout, n_without_bins = Layout(n_columns - len(n_codes), skip[1], n_codes), skip[0]
    activations = (activation,) * len(hidden) if isinstance(activation, str) else tuple(activation)
    return Architecture(layout, tuple(hidden), n_outputs, activations, n_without_bins=n_without_bins, **params)


def initialized(form, dtype=np.float64, seed=0):
    """A network of this form with MLPClassifier's initial weights; the output layer is drawn as the last hidden layer is."""
    network = Network.zeros(form, dtype)
    network.initialize(np.random.RandomState(seed), (*form.activations, (None, *form.activations)[-1]))
    return network


def input_of(network, X, memory):
    """The network's input for the rows of X, (n_members · n, n_columns): the first n are the first member's, and so on."""
    return member_inputs(X, np.arange(X.shape[0]).reshape(network.architecture.n_members, -1), memory)


def forward(network, X, memory=None, dropout=None):
    """Logits, (n_members, n, n_outputs), and backprop; by default in a memory of their own."""
    memory = Workspace(network.architecture, network.dtype) if memory is None else memory
    return network.forward(input_of(network, X, memory), memory, dropout)


def logits_and_gradient(network, X, d_logits):
    """The members' logits for their rows of X, and the gradient for this derivative at the logits."""
    network.allocate_gradient()
    logits, backprop = forward(network, X)
    backprop(d_logits.copy())
    return logits, network.gradient.copy()


def logits_of_members(network, X, memory=None):
    """All members' logits of the rows of X, (n_members, n, n_outputs)."""
    result = np.empty((network.architecture.n_members, X.shape[0], network.architecture.n_outputs), network.dtype)

    def keep(rows, workspace):
        result[:, rows] = member_logits(network, X[rows], workspace)

    in_chunks(network, X, keep, memory)
    return result


def fitted_model(clf):
    """The model inside a fitted estimator, whose attributes show its weights but not how it encodes rows."""
    return clf._model


def training_state(clf):
    """The state from which the next call of a fitted estimator continues."""
    return clf._training


def model_of(network, head=None, ensemble_weights=None):
    """A model of encoded rows around this network; by default its members count alike."""
    ensemble_weights = EnsembleWeights.equal(network.architecture.n_members) if ensemble_weights is None else ensemble_weights
    return Model(None, network, ensemble_weights, SimpleNamespace(head=head), network.dtype.name, None)


def random_logits(head, n_rows=20, n_members=None, seed=0, size=3.0):
    shape = (n_rows, head.n_outputs) if n_members is None else (n_members, n_rows, head.n_outputs)
    return np.random.RandomState(seed).normal(0, size, shape)


def random_targets(name, n_rows=20, seed=1):
    rng = np.random.RandomState(seed)
    if name == "softmax":
        return rng.randint(3, size=n_rows)
    return rng.randint(2, size=(n_rows, HEADS[name].n_outputs)).astype(float)


def ensemble_network(n_members=4, n_outputs=3, seed=0):
    return initialized(form_of(5, (6,), n_outputs, n_members=n_members), seed=seed)


def logits_of_member(network, member, X):
    return logits_of_members(network.member(member), X)[0]


def assert_gradient_is_the_slope(network, forward, loss, strengths=0.0):
    """The gradient is the slope of the loss along a random direction, in which weights that members skip stay 0.

    `forward()` returns logits and backprop. `loss(logits)` returns the loss, and its derivative, for the logits of all members
    one below the other. `strengths` are those of the members' penalties, or one for all.
    """
    network.allocate_gradient()
    strengths = np.broadcast_to(strengths, network.architecture.n_members)

    def loss_and_gradient(parameters):
        network.parameters[...] = parameters
        logits, backprop = forward()
        value, d_logits = loss(logits.reshape(-1, logits.shape[-1]))
        backprop(d_logits.reshape(logits.shape))
        return value + network.add_l2(strengths).sum(), network.gradient.copy()

    w, direction = network.parameters.copy(), np.random.RandomState(2).normal(size=network.parameters.shape)
    architecture = network.architecture
    architecture.split(direction)[0][: architecture.n_without_bins, : architecture.layout.n_bins] = 0  # these weights stay 0
    slope = (loss_and_gradient(w + STEP * direction)[0] - loss_and_gradient(w - STEP * direction)[0]) / (2 * STEP)
    assert loss_and_gradient(w)[1] @ direction == pytest.approx(slope, rel=1e-6)


def of_kind(preprocessor, kind):
    """The preprocessor's blocks of this class."""
    return [block for block in preprocessor.blocks if type(block) is kind]


def fitted_preprocessor(X, scaling="robust", categories=None, weights=None, targets=None, keeps_unseen=False, **asked):
    """The preprocessor of these rows; `categories` has the sorted values of each categorical column."""
    asked = {"scaling": scaling, "n_bins": 0, "relevance": None, **asked}
    rng = np.random.RandomState(0)
    strata = np.zeros(X.shape[0], dtype=int) if targets is None else targets
    samples, categories = Samples(X, targets, weights, strata=strata), Categories(categories or {})
    return fit_preprocessor(samples, categories, **asked, kind="labels", rng=rng, keeps_unseen=keeps_unseen)
