"""A dense network: one flat vector of parameters, one of gradients, and a chain of layers that share their memory.

The flat vectors hold the parameters of each layer, (n_members, fan_in + 1, fan_out) with the biases as last row, and then the
tables of embedded columns, (n_members, n_codes, 8). An optimizer thus works on the whole network with a few array operations,
while `coefs`, `intercepts` and `embeddings` show the same memory part by part.
"""

from collections import deque
from dataclasses import dataclass, replace
from itertools import chain, groupby, pairwise
from math import prod
from typing import NamedTuple

import numpy as np

from sksoftmax.layout import EMBEDDING_UNITS, Layout
from sksoftmax.nn.layers import Activate, Dense, Embed, SparseDense

DRAWN_ROWS = 2**12  # rows of initial weights drawn at once


class Slot(NamedTuple):
    """One member's weights, biases or embedding tables in a flat vector; `kind` is "W", "b" or "E"."""

    part: slice
    layer: int
    member: int
    kind: str


@dataclass(frozen=True)
class Architecture:
    """What a network is made of, before it has any numbers.

    Parameters
    ----------
    layout : Layout
        The columns of the rows that it takes.

    hidden : tuple of int
        Units of each hidden layer.

    n_outputs : int
        Units of the output layer.

    activations : tuple of str
        A name in `sksoftmax.nn.layers.ACTIVATIONS` for each hidden layer.

    n_members : int, default=1
        Number of networks of these layers that are trained and evaluated side by side.

    n_without_bins : int, default=0
        The first members, so many, do not see bins. These weights are fixed at 0 and left out of the products.
    """

    layout: Layout
    hidden: tuple[int, ...]
    n_outputs: int
    activations: tuple[str, ...]
    n_members: int = 1
    n_without_bins: int = 0

    @property
    def layer_sizes(self):
        """Units of each layer, from the inputs, with vectors in place of codes, to the output."""
        return (self.layout.n_inputs, *self.hidden, self.n_outputs)

    @property
    def largest_product(self):
        """The multiplications of a member's largest product, for each row."""
        return max(fan_in * fan_out for fan_in, fan_out in pairwise(self.layer_sizes))

    @property
    def blocks(self):
        """Which members see which columns of the input, which are also rows of W, as pairs of slices."""
        n, n_bins = self.n_without_bins, self.layout.n_bins
        everyone, some = (slice(n, None), slice(0, None)), (slice(0, n), slice(n_bins, None))
        return (some, everyone) if n else (everyone,)

    def shapes(self):
        """The shape of each layer's parameters, then that of the tables."""
        dense = [(self.n_members, fan_in + 1, fan_out) for fan_in, fan_out in zip(self.layer_sizes, self.layer_sizes[1:])]
        return [*dense, (self.n_members, sum(self.layout.n_codes), EMBEDDING_UNITS)]

    @property
    def n_parameters(self):
        """The length of the flat vector."""
        return sum(prod(shape) for shape in self.shapes())

    def split(self, flat):
        """Views of a flat vector in these shapes."""
        stops = np.cumsum([prod(shape) for shape in self.shapes()])
        return [part.reshape(shape) for part, shape in zip(np.split(flat, stops), self.shapes())]

    def slots(self):
        """All slots of a flat vector, in order; without tables none has the kind "E"."""
        start, slots = 0, []
        for layer, (_, n_rows, n_units) in enumerate(self.shapes()):
            sizes = {"E": n_rows * n_units} if layer == len(self.layer_sizes) - 1 else {"W": (n_rows - 1) * n_units, "b": n_units}
            for member in range(self.n_members):
                for kind, size in sizes.items():
                    if kind != "E" or size:
                        slots.append(Slot(slice(start, start + size), layer, member, kind))
                    start += size
        return slots


class Workspace:
    """Reusable buffers for forward and backward passes of a network, allocated once per purpose and batch size.

    Each has a last column of ones beside its numbers.
    """

    def __init__(self, architecture, dtype):
        self.architecture = architecture
        self.dtype = dtype
        self.arrays = {}

    def inputs(self, n_rows, n_members):
        """For the network's input, (n_members, n_rows, n_inputs + 1), row by row as the user's X is."""
        return self._get(("inputs", n_rows, n_members), (n_members, n_rows, self.architecture.layout.n_inputs + 1), (0, 1, 2))

    def layer_output(self, purpose, n_rows, n_units):
        """For what a layer computes, (n_members, n_rows, n_units + 1), unit by unit."""
        return self._get((purpose, n_rows, n_units), (n_units + 1, self.architecture.n_members, n_rows), (1, 2, 0))

    def _get(self, key, shape, axes):
        array = self.arrays.get(key)
        if array is None:
            array = self.arrays[key] = np.empty(shape, self.dtype).transpose(axes)
            array[..., -1] = 1
        return array


class Network:
    """Dense layers with activations between them.

    Parameters
    ----------
    architecture : Architecture
        Its layers and members.

    parameters : ndarray of shape (architecture.n_parameters,)
        The flat vector, float32 or float64, which the layers share.
    """

    def __init__(self, architecture, parameters):
        self.architecture = architecture
        self.parameters = parameters
        self.waiting = deque()  # what the compiled engine predicts a few rows with
        *self.W, self.E = architecture.split(parameters)
        self._make_views()
        self._build_layers()

    def _make_views(self):
        """Make the public views, which one network has without the axis of members."""
        member = 0 if self.architecture.n_members == 1 else slice(None)
        self.coefs, self.intercepts = [W[member, ..., :-1, :] for W in self.W], [W[member, ..., -1, :] for W in self.W]
        starts = np.cumsum([0, *self.architecture.layout.n_codes])
        self.embeddings = [self.E[member, ..., start:stop, :] for start, stop in pairwise(starts)]

    def _build_layers(self):
        """Make the layers, which have no gradient yet."""
        self.gradient, architecture, layout = None, self.architecture, self.architecture.layout
        first = Dense(0, self.W[0], blocks=architecture.blocks, first=layout.n_numbers if layout.n_codes else None)
        self._sparse = SparseDense(0, self.W[0])
        self._embed = [Embed(layout, self.E)] if layout.n_codes else []
        self._products = [first, *(Dense(i, W) for i, W in enumerate(self.W[1:], 1))]
        activations = [Activate(i, name) for i, name in enumerate(architecture.activations)]
        self._others = [layer for pair in zip(activations, self._products[1:]) for layer in pair]

    @classmethod
    def zeros(cls, architecture, dtype):
        """A network of this architecture whose parameters are 0."""
        return cls(architecture, np.zeros(architecture.n_parameters, dtype))

    @property
    def dtype(self):
        """float32 or float64."""
        return self.parameters.dtype

    def forward(self, X, workspace, dropout=None):
        """Logits, (n_members, n, n_outputs), and the function that takes ∂loss/∂logits and fills `gradient`.

        X is an input in `workspace.inputs`, or a list with a CSR matrix for each member. Without `dropout` nothing is random.

        Nothing is written to the network, so that any number of threads may call it at once, each with a workspace of its own.
        What this returns is in that workspace, and is valid until the workspace is used again.
        """
        backprops = []
        for layer in [*([self._sparse] if isinstance(X, list) else [*self._embed, self._products[0]]), *self._others]:
            X, backprop = layer(X, workspace, dropout)
            backprops.append(backprop)

        def backprop_all(d_logits):
            derivative = d_logits
            for backprop in reversed(backprops):
                derivative = backprop(derivative)

        return X[..., :-1], backprop_all

    def allocate_gradient(self):
        """Make room for the gradient; a network that only predicts needs none."""
        if self.gradient is not None:
            return
        self.gradient = np.zeros_like(self.parameters)
        *d_Ws, d_E = self.architecture.split(self.gradient)
        for layer, d_W in zip([*self._products, self._sparse], [*d_Ws, d_Ws[0]]):
            layer.d_W = d_W
        for layer in self._embed:
            layer.write_gradient_into(d_E)

    def member_gradients(self):
        """For each member, the parts of `gradient` that belong to it, as flat views."""
        parts = self.architecture.split(self.gradient)
        return [[part[member].reshape(-1) for part in parts] for member in range(self.architecture.n_members)]

    def add_l2(self, strengths):
        """Add the gradient of each member's ½ · strength · Σ W² to `gradient`; return these penalties, (n_members,).

        The sum includes the tables, not the biases. `strengths` has each member's strength, (n_members,).
        """
        squares = np.zeros(self.architecture.n_members)
        if np.any(strengths):
            for part, _, member, kind in self.architecture.slots():
                if kind != "b":
                    w = self.parameters[part]
                    self.gradient[part] += float(strengths[member]) * w
                    squares[member] += float(w @ w)
        return 0.5 * strengths * squares

    def decays(self, of_members):
        """Slices of `parameters` that are weights or tables, with the strength of their member's weight decay."""
        return [(slot.part, float(of_members[slot.member])) for slot in self.architecture.slots() if slot.kind != "b"]

    def relative_rates(self, parametrization, rates_of_codes=()):
        """Slices of `parameters` with their relative learning rates, of codes and of layers; None if all are equal.

        With "ntk" the rate of a layer is √(100 / fan_in). Adam's steps have the same size for all parameters; this gives layers
        of any width the same effect on their output, as the neural tangent parametrization does (Jacot et al., arXiv:1806.07572).
        """
        if parametrization != "ntk" and not self.architecture.layout.n_codes:
            return None
        dense = [slot for slot in self.architecture.slots() if slot.kind != "E"]
        of_layer = [10 * self._fan_in_factor(i) if parametrization == "ntk" else 1.0 for i in range(len(self.W))]
        factors = [np.broadcast_to(factor, (self.architecture.n_members, 1, 1)).ravel().tolist() for factor in of_layer]
        rates, start = [], 0
        for rate, slots in groupby(dense, lambda slot: factors[slot.layer][slot.member]):
            *_, last = slots
            rates.append((slice(start, last.part.stop), rate))
            start = last.part.stop
        if self.architecture.layout.n_codes:
            of_rows = np.tile(np.concatenate(rates_of_codes), self.architecture.n_members)
            rates.append((slice(start, None), np.repeat(of_rows, EMBEDDING_UNITS).astype(self.dtype)))
        return rates

    def initialize(self, rng, activations):
        """Draw weights and biases uniformly within ±√(6 / (fan_in + fan_out)); 2 in place of 6 for logistic units; E = 0.

        Glorot & Bengio (2010), with the order of draws of scikit-learn's MLPClassifier: per layer, weights then biases.
        `activations` has a name for each layer, the output layer too.
        """
        for W, name in zip(self.W, activations):
            fans = W.shape[1] - 1 + W.shape[2]
            bound = np.sqrt((2.0 if name == "logistic" else 6.0) / fans)
            for part in (W[:, :-1], W[:, -1]):
                part[...] = rng.uniform(-bound, bound, part.shape)
        self._forget_unseen()

    def initialize_scaled(self, rng):
        """Draw weights from N(0, 1 / fan_in) and biases from N(0, 1); the last layer begins at 0: equal probabilities; E = 0.

        If the last layer is also the first, its weights of embeddings are drawn too: if both were 0, neither would learn.
        """
        for i, W in enumerate(self.W[:-1]):
            for of_member in W:
                for start in range(0, len(of_member) - 1, DRAWN_ROWS):  # drawn at once, they would take twice W's memory
                    rows = of_member[start : min(start + DRAWN_ROWS, len(of_member) - 1)]
                    rows[...] = rng.standard_normal(rows.shape)
            W[:, :-1] *= self._fan_in_factor(i)
            W[:, -1] = rng.standard_normal(W[:, -1].shape)
        layout = self.architecture.layout
        if layout.n_codes and len(self.W) == 1:
            W = self.W[0][:, layout.n_numbers : -1]
            W[...] = rng.standard_normal(W.shape) * self._fan_in_factor(0)
        self._forget_unseen()

    def _fan_in_factor(self, layer):
        """1 / √fan_in; an array that broadcasts to (n_members, 1, 1) if some members do not see all inputs."""
        architecture = self.architecture
        fan_in = max(architecture.layer_sizes[layer], 1)  # 0 if no column of X has any value
        if layer or architecture.n_without_bins == 0:
            return fan_in**-0.5
        has_bins = np.arange(architecture.n_members) >= architecture.n_without_bins
        return np.where(has_bins, fan_in, fan_in - architecture.layout.n_bins)[:, None, None] ** -0.5

    def _forget_unseen(self):
        self.W[0][: self.architecture.n_without_bins, : self.architecture.layout.n_bins] = 0

    def copy(self, architecture=None):
        """The same numbers in a vector of their own; on request with another architecture of the same shapes."""
        return Network(architecture or self.architecture, self.parameters.copy())

    def member(self, index):
        """One of the members as a network of its own."""
        network = Network.zeros(replace(self.architecture, n_members=1, n_without_bins=0), self.dtype)
        for ours, theirs in zip([*network.W, network.E], [*self.W, self.E]):
            ours[...] = theirs[index]
        return network

    def holds(self, coefs, intercepts, embeddings=()):
        """Whether these lists are exactly this network's public views."""
        ours, theirs = self.coefs + self.intercepts + self.embeddings, [*coefs, *intercepts, *embeddings]
        return len(ours) == len(theirs) and all(a is b for a, b in zip(ours, theirs))

    def __getstate__(self):
        return {"architecture": self.architecture, "parameters": self.parameters}

    def __setstate__(self, state):
        """Make the views and layers anew: they do not survive a pickle."""
        self.__init__(**state)


def network_from_arrays(architecture, coefs, intercepts, embeddings=()):
    """A network with copies of these weights, of their common floating dtype; ValueError if they do not fit the architecture.

    The arrays have the shapes of the public views, and the names of the estimator's attributes in the error.
    """
    given = {"coefs_": coefs, "intercepts_": intercepts, "embeddings_": embeddings}
    given = {name: [np.asarray(array) for array in arrays] for name, arrays in given.items()}
    network = Network.zeros(architecture, np.result_type(*chain(*given.values()), np.float32))
    if len(given["embeddings_"]) != len(architecture.layout.n_codes):
        n_given = len(given["embeddings_"])
        raise ValueError(f"embeddings_ must hold a table for each of {len(architecture.layout.n_codes)} columns; got {n_given}.")
    if not len(given["coefs_"]) == len(given["intercepts_"]) == len(network.W):
        n_arrays = f"{len(given['coefs_'])} and {len(given['intercepts_'])} arrays"
        raise ValueError(f"coefs_ and intercepts_ must hold an array for each of {len(network.W)} layers; got {n_arrays}.")
    for (name, arrays), views in zip(given.items(), (network.coefs, network.intercepts, network.embeddings)):
        for i, (array, view) in enumerate(zip(arrays, views)):
            if array.shape != view.shape:
                raise ValueError(f"{name}[{i}] must have shape {view.shape} to fit X, y and the other layers; got {array.shape}.")
            view[...] = array
    return network
