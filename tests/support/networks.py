"""Small networks with random weights, and passes of rows through them."""

from types import SimpleNamespace

import numpy as np

from sksoftmax.data.rows import member_inputs
from sksoftmax.model import Model, member_logits
from sksoftmax.nn.ensemble_weights import EnsembleWeights
from sksoftmax.nn.network import Architecture, Network, Workspace


def form_of(n_columns, hidden, n_outputs, activation="tanh", **params):
    """A form with this activation in every hidden layer, or with the listed ones."""
    activations = (activation,) * len(hidden) if isinstance(activation, str) else tuple(activation)
    return Architecture(n_columns, tuple(hidden), n_outputs, activations, **params)


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

    def keep(rows, logits):
        result[:, rows] = logits

    member_logits(network, X, keep, memory)
    return result


def model_of(network, head=None, ensemble_weights=None):
    """A model of encoded rows around this network; by default its members count alike."""
    ensemble_weights = EnsembleWeights.equal(network.architecture.n_members) if ensemble_weights is None else ensemble_weights
    return Model(None, network, ensemble_weights, SimpleNamespace(head=head), network.dtype.name)
