"""A dense network: one flat vector of parameters, one of gradients, and views of both for each layer.

The flat vectors hold W_0, b_0, W_1, b_1, … one after the other, then the tables of embeddings, so that an optimizer works on
the whole network with a few array operations, while `coefs`, `intercepts` and `embeddings` show the same memory part by part.
For the layers, W and b are one matrix: b is its last row, which a column of ones in the input picks up.
"""

from itertools import groupby
from math import prod

import numpy as np
from scipy.sparse import issparse, vstack

from sksoftmax.data.rows import Rows, read
from sksoftmax.nn.layers import ACTIVATIONS, EMBEDDING_UNITS, dense, dense_sparse, dropout, embedding

SMALLEST_CHUNK = 64
STATE = ("layer_units", "activation", "dropout", "n_members", "n_skipped", "embedded", "parameters")
CHUNK_ELEMENTS = 2**18  # activations of a layer held at once while predicting: 2 MB in float64


class Memory:
    """Arrays of one network for one forward and backward pass after the other, made once for each purpose and number of rows.

    Each has a last column of ones beside its (n_samples, n_units) numbers.
    """

    def __init__(self, dtype):
        self.dtype = dtype
        self.arrays = {}

    def rows(self, n_samples, n_features):
        """For input, row by row as the user's X is."""
        return self._get(("rows", n_samples), n_samples, n_features, "C")

    def units(self, purpose, layer, n_samples, n_units):
        """For what a layer computes, unit by unit."""
        return self._get((purpose, layer, n_samples), n_samples, n_units, "F")

    def _get(self, key, n_samples, n_units, order):
        array = self.arrays.get(key)
        if array is None:
            array = self.arrays[key] = np.empty((n_samples, n_units + 1), self.dtype, order)
            array[:, -1] = 1
        return array


class Network:
    """Dense layers with activations, and where asked dropout, between them.

    Parameters
    ----------
    layer_units : sequence of int
        Numbers of units from the input to the output, at least two. An embedded column counts as its `EMBEDDING_UNITS`.

    activation : str or sequence of str
        A name in `sksoftmax.nn.layers.ACTIVATIONS`, used after every layer but the last; or one for each of these layers.

    dtype : dtype
        float32 or float64.

    dropout : float or sequence of float, default=0.0
        Share of each hidden layer's outputs that `forward` drops when it is given random bits; or one share a layer; or, as an
        array of shape (n_members,), one a member.

    n_members : int or None, default=None
        Number of networks of this form that are trained and evaluated side by side. Their rows stand one below the other: the
        first n / n_members are the first member's. None is one network, whose `coefs` have no axis of members.

    n_skipped : tuple of (int, int), default=(0, 0)
        (m, c) has the first m members skip the first c inputs: their weights there stay 0 and cost no time.

    embedded : tuple of ndarray of shape (n_codes,), default=()
        An array for each of the columns, the last ones, that hold codes 0, 1, …: the codes' relative learning rates. In place of
        a code the first layer gets a row of the column's table, of which each member has its own.
    """

    def __init__(self, layer_units, activation, dtype, dropout=0.0, n_members=None, n_skipped=(0, 0), embedded=()):
        self.layer_units = tuple(layer_units)
        self.activation = activation
        self.dropout = dropout
        self.n_members = n_members
        self.n_skipped = n_skipped
        self.embedded = tuple(embedded)
        n_parameters = sum((i + 1) * o for i, o in zip(self.layer_units, self.layer_units[1:])) + prod(self._table_shape)
        self._set_parameters(np.zeros(n_parameters * (n_members or 1), dtype))

    @property
    def activations(self):
        """The name of each hidden layer's activation."""
        return self._each_hidden_layer(self.activation)

    def _each_hidden_layer(self, value):
        return (value,) * (len(self.layer_units) - 2) if np.ndim(value) == 0 else tuple(value)

    def _set_parameters(self, parameters):
        self.parameters = parameters
        self._W, self._E = self._matrices(parameters), self._table(parameters)
        self.coefs, self.intercepts = [W[..., :-1, :] for W in self._W], [W[..., -1, :] for W in self._W]
        starts = self._first_codes
        self.embeddings = [self._E[..., start : start + len(rates), :] for start, rates in zip(starts, self.embedded)]
        self.gradient, self._d_W, self._d_E = None, [None] * len(self._W), None

    @property
    def n_columns(self):
        """The number of columns of the rows that it takes."""
        return self.layer_units[0] - (EMBEDDING_UNITS - 1) * len(self.embedded)

    @property
    def _table_shape(self):
        """The shape of the tables of all embedded columns, one below the other."""
        return sum(map(len, self.embedded)), EMBEDDING_UNITS

    @property
    def _first_codes(self):
        """The row in them at which each column's table begins."""
        return np.cumsum([0, *map(len, self.embedded)])[:-1]

    @classmethod
    def from_arrays(
        cls, coefs, intercepts, activation, n_inputs=None, n_outputs=None, n_members=None, n_skipped=(0, 0), embeddings=((), ())
    ):
        """A network with copies of these weights, of their common floating dtype; ValueError if they do not fit together.

        `n_inputs` and `n_outputs` are what the first and the last layer must have; None takes what they have. With
        `n_members` all arrays begin with an axis of members, of which `n_skipped` says who goes on skipping inputs, if these
        weights are 0. `embeddings` are `embedded` and its tables.
        """
        coefs, intercepts = [np.asarray(W) for W in coefs], [np.asarray(b) for b in intercepts]
        embedded, tables = embeddings[0], [np.asarray(E) for E in embeddings[1]]
        if len(tables) != len(embedded):
            raise ValueError(f"embeddings_ must hold a table for each of {len(embedded)} columns; got {len(tables)}.")
        if not coefs or len(coefs) != len(intercepts):
            raise ValueError(
                f"coefs_ and intercepts_ must hold an array for each layer; got {len(coefs)} and {len(intercepts)} arrays."
            )
        units = [W.shape[-1] if W.ndim else 0 for W in coefs]
        units = [coefs[0].size // max(units[0], 1) if n_inputs is None else n_inputs, *units[:-1], n_outputs or units[-1]]
        dtype = np.result_type(*coefs, *intercepts, *tables, np.float32)
        network = cls(units, activation, dtype, n_members=n_members, embedded=embedded)
        given = {"coefs_": coefs, "intercepts_": intercepts, "embeddings_": tables}
        names = [f"{name}[{i}]" for name, arrays in given.items() for i in range(len(arrays))]
        for name, view, values in zip(names, network._views, coefs + intercepts + tables):
            if view.shape != values.shape:
                raise ValueError(f"{name} must have shape {view.shape} to fit X, y and the other layers; got {values.shape}.")
            view[...] = values
        members, columns = n_skipped
        if not network.coefs[0][:members, :columns].any():
            network.n_skipped = n_skipped
        return network

    def copy(self):
        """The same network with parameters of its own."""
        form = self.dropout, self.n_members, self.n_skipped, self.embedded
        network = Network(self.layer_units, self.activation, self.dtype, *form)
        network.parameters[...] = self.parameters
        return network

    def flatten(self, arrays):
        """A new flat vector like `parameters` from arrays in the order of `coefs` and then `intercepts`."""
        flat = np.empty_like(self.parameters)
        matrices = self._matrices(flat)
        for W, coef, intercept in zip(matrices, arrays, arrays[len(matrices) :], strict=False):
            W[..., :-1, :], W[..., -1, :] = coef, intercept
        return flat

    @property
    def _views(self):
        return self.coefs + self.intercepts + self.embeddings

    def holds(self, coefs, intercepts, embeddings=()):
        """Whether these lists are exactly this network's views."""
        ours, theirs = self._views, [*coefs, *intercepts, *embeddings]
        return len(ours) == len(theirs) and all(a is b for a, b in zip(ours, theirs))

    @property
    def dtype(self):
        """float32 or float64."""
        return self.parameters.dtype

    def initialize(self, rng):
        """Draw weights and biases uniformly within ±√(6 / (fan_in + fan_out)); 2 in place of 6 for logistic units; E = 0.

        Glorot & Bengio (2010), with the order of draws of scikit-learn's MLPClassifier: per layer, weights then biases.
        The output layer counts as the last hidden one does.
        """
        names = self.activations
        last = self.activation if isinstance(self.activation, str) else names[-1] if names else None
        for W, b, name in zip(self.coefs, self.intercepts, (*names, last)):
            bound = np.sqrt((2.0 if name == "logistic" else 6.0) / sum(W.shape[-2:]))
            W[...] = rng.uniform(-bound, bound, W.shape)
            b[...] = rng.uniform(-bound, bound, b.shape)
        self._forget_skipped()

    def _forget_skipped(self):
        members, columns = self.n_skipped
        self.coefs[0][:members, :columns] = 0

    def initialize_scaled(self, rng):
        """Draw weights from N(0, 1 / fan_in) and biases from N(0, 1); the last layer begins at 0: equal probabilities; E = 0.

        Where the last layer is the first, its weights of embeddings are drawn too: both at 0 would never learn.
        """
        for i, (W, b) in enumerate(zip(self.coefs[:-1], self.intercepts)):
            W[...] = rng.standard_normal(W.shape)
            W *= self._fan_in_factor(i)
            b[...] = rng.standard_normal(b.shape)
        if self.embedded and len(self.coefs) == 1:
            W = self.coefs[0][..., self.n_columns - len(self.embedded) :, :]
            W[...] = rng.standard_normal(W.shape) * self._fan_in_factor(0)
        self._forget_skipped()

    def relative_rates(self, parametrization="ntk"):
        """Parts of `parameters` with their relative learning rates: those of codes, and of layers; None where all are equal.

        With "ntk" a layer's is √(100 / fan_in). Adam's steps have the same size for all parameters; this gives layers of any
        width the same effect on their output, as the neural tangent parametrisation does (Jacot et al., arXiv:1806.07572).
        """
        if parametrization == "ntk":
            return self._rates_of_layers() + self._rates_of_tables()
        return [(slice(0, len(self.parameters) - self._E.size), 1.0), *self._rates_of_tables()] if self.embedded else None

    def _rates_of_tables(self):
        of_rows = np.tile(np.concatenate([[], *self.embedded]), self.n_members or 1)
        rates = np.repeat(of_rows, EMBEDDING_UNITS).astype(self.dtype)
        return [(slice(len(self.parameters) - len(rates), None), rates)] if self.embedded else []

    def _rates_of_layers(self):
        rates, start = [], 0
        for layer, W in enumerate(self._W):
            factors = np.broadcast_to(10 * self._fan_in_factor(layer), (self.n_members or 1, 1, 1)).ravel().tolist()
            size = W.size // len(factors)
            for factor, group in groupby(factors):
                stop = start + size * len(list(group))
                rates.append((slice(start, stop), factor))
                start = stop
        return rates

    def weight_parts(self, values):
        """Parts of `parameters` that are weights or tables, with their members' values; `values` is a number or (n_members,)."""
        parts, start = [], 0
        shapes = [(fan_in, fan_out, 1) for fan_in, fan_out in zip(self.layer_units, self.layer_units[1:])]
        for n_rows, n_units, n_biases in shapes + [(*self._table_shape, 0)] * bool(self.embedded):
            for value in np.broadcast_to(values, (self.n_members or 1,)).tolist():
                parts.append((slice(start, start + n_rows * n_units), value))
                start += (n_rows + n_biases) * n_units
        return parts

    def _fan_in_factor(self, layer):
        """1 / √fan_in; for members that skip inputs an array that broadcasts to (n_members, 1, 1)."""
        members, columns = self.n_skipped
        fan_in = max(self.layer_units[layer], 1)  # 0 where no column of X has any value
        if layer or members == 0:
            return fan_in**-0.5
        return np.where(np.arange(self.n_members) < members, fan_in - columns, fan_in)[:, None, None] ** -0.5

    def allocate_gradient(self):
        """Make room for the gradient; a network that only predicts needs none."""
        if self.gradient is None:
            self.gradient = np.zeros_like(self.parameters)
            self._d_W, self._d_E = self._matrices(self.gradient), self._table(self.gradient)
            pairs = list(zip(self._W, self._d_W))
            if self.n_members:
                pairs = [pair for Ws, d_Ws in pairs for pair in zip(Ws, d_Ws)]
            self._flat_weights = [(W[:-1].reshape(-1), d_W[:-1].reshape(-1)) for W, d_W in pairs]
            self._flat_weights.append((self._E.reshape(-1), self._d_E.reshape(-1)))

    def forward(self, X, memory=None, bits=None):
        """Logits of the rows of X, and the function that takes ∂loss/∂logits and fills `gradient`.

        A generator of random bits (`numpy.random.BitGenerator`) turns dropout on; without one nothing is random.

        Nothing is written to the network, so any number of threads may call it at once, each with a `memory` of its own. What
        this returns stands in that memory, and only until it is used again.
        """
        memory = Memory(self.dtype) if memory is None else memory
        n_samples, last = X.shape[0], len(self._W) - 1
        activations, backprops = self.activations, []
        rates = self._each_hidden_layer(0.0) if bits is None else self._dropout_rates(n_samples)
        for i, (W, d_W) in enumerate(zip(self._W, self._d_W)):
            output = memory.units("output", i, n_samples, W.shape[-1])
            Z = output[:, :-1]
            if i == 0:
                backprop = self._first_layer(X, W, d_W, Z, memory)
            else:
                backprop = self._dense(X, W, d_W, Z, memory.units("d_input", i, n_samples, W.shape[-2] - 1)[:, :-1])
            backprops.append(backprop)
            X = output
            if i < last:
                backprops.append(ACTIVATIONS[activations[i]](Z)[1])
                if np.any(rates[i]):
                    X = memory.units("dropped", i, n_samples, W.shape[-1])
                    backprops.append(dropout(Z, rates[i], bits, out=X[:, :-1])[1])

        def backprop_all(d_logits):
            derivative = d_logits
            for backprop in reversed(backprops):
                derivative = backprop(derivative)

        return Z, backprop_all

    def _first_layer(self, X, W, d_W, Z, memory):
        if issparse(X):
            return self._sparse(X, W, d_W, Z)
        rows = memory.rows(X.shape[0], self.layer_units[0])
        columns = rows[:, : self.n_columns]
        if isinstance(X, Rows):
            X.write(columns, n_without_bins=self._n_skipping(X.shape[0]))
        else:
            columns[...] = X
        scatter = self._embed(rows, W) if self.embedded else None
        backprop = self._dense(rows, W, d_W, Z, None) if self.n_skipped[0] == 0 else self._dense_skipping(rows, W, d_W, Z)
        return backprop if scatter is None else lambda d_Z: (scatter(d_Z), backprop(d_Z))

    def _embed(self, rows, W):
        """Put rows of the tables in the place of the codes in `rows`, the input of the layer W; returns what fills `_d_E`."""
        n_samples, first = len(rows), self.n_columns - len(self.embedded)
        codes = rows[:, first : self.n_columns].astype(np.intp) + self._first_codes
        members = np.arange(self.n_members or 1)[:, None]
        codes = codes.reshape(len(members), -1) + members * self._table_shape[0]  # rows of all tables, one below the other
        d_E = None if self._d_E is None else self._d_E.reshape(-1, EMBEDDING_UNITS)
        H, backprop = embedding(codes.ravel(), self._E.reshape(-1, EMBEDDING_UNITS), d_E)
        rows[:, first:-1] = H.reshape(n_samples, -1)

        def scatter(d_Z):
            d_Z = d_Z if self.n_members is None else self._apart(d_Z)
            backprop(np.matmul(d_Z, W[..., first:-1, :].mT).reshape(-1, EMBEDDING_UNITS))

        return scatter

    def _n_skipping(self, n_samples):
        """How many of the rows are those of members that skip inputs."""
        return n_samples // (self.n_members or 1) * self.n_skipped[0]

    def _dense(self, X, W, d_W, Z, d_X):
        """`dense` for each member's rows; returns backprop."""
        if self.n_members is None:
            return dense(X, W, d_W, Z, d_X)[1]
        backprop = dense(self._apart(X), W, d_W, self._apart(Z), None if d_X is None else self._apart(d_X))[1]

        def backprop_together(d_Z):
            backprop(self._apart(d_Z))
            return d_X

        return backprop_together

    def _dense_skipping(self, X, W, d_W, Z):
        """`_dense` of the first layer where some members skip some inputs; returns backprop."""
        members, columns = self.n_skipped
        X, Z, backprops = self._apart(X), self._apart(Z), []
        for part, inputs in ((slice(None, members), slice(columns, None)), (slice(members, None), slice(None))):
            part_of_d_W = None if d_W is None else d_W[part, inputs]
            backprops.append((part, dense(X[part, :, inputs], W[part, inputs], part_of_d_W, Z[part], None)[1]))

        def backprop_together(d_Z):
            for part, backprop in backprops:
                backprop(self._apart(d_Z)[part])

        return backprop_together

    def _sparse(self, X, W, d_W, Z):
        """`dense_sparse` for each member's rows; returns backprop."""
        if self.n_members is None:
            return dense_sparse(X, W, d_W, Z)[1]
        n_rows = X.shape[0] // self.n_members
        parts = [slice(start, start + n_rows) for start in range(0, X.shape[0], n_rows)]
        d_Ws = [None] * self.n_members if d_W is None else d_W
        backprops = [dense_sparse(X[part], *Ws, Z[part])[1] for part, *Ws in zip(parts, W, d_Ws)]

        def backprop_together(d_Z):
            for backprop, part in zip(backprops, parts):
                backprop(d_Z[part])

        return backprop_together

    def _apart(self, rows):
        """A view, (n_members, n, units), of rows that stand one below the other, (n_members · n, units), in either order."""
        n_units = rows.shape[1]
        if rows.strides[0] > rows.strides[1]:  # row by row
            return rows.reshape(self.n_members, -1, n_units)
        return rows.T.reshape(n_units, self.n_members, -1).transpose(1, 2, 0)

    def _dropout_rates(self, n_samples):
        """Each hidden layer's rate; a column with each row's where members differ."""
        if isinstance(self.dropout, np.ndarray):
            column = np.repeat(self.dropout, n_samples // self.n_members)[:, None]
            return (column,) * (len(self.layer_units) - 2)
        return self._each_hidden_layer(self.dropout)

    def logits(self, X, memory=None, encode=None, combine=None):
        """Logits of the rows of X, in chunks: memory beyond the result stays bounded however many rows there are.

        `encode`, if given, makes the network's input of a chunk of X, in a dtype. A network of members needs `combine`, which
        makes one of the members' logits, (n_members, n, n_outputs).
        """
        memory = Memory(self.dtype) if memory is None else memory
        widest = max(self.layer_units[1:] if issparse(X) else self.layer_units) * (self.n_members or 1)
        n_samples, chunk = X.shape[0], max(SMALLEST_CHUNK, CHUNK_ELEMENTS // widest)

        def chunk_logits(part):
            part = read(part) if encode is None else encode(part, self.dtype)
            if self.n_members is None:
                return self.forward(part, memory)[0]
            repeated = (vstack if issparse(part) else np.concatenate)([part] * self.n_members)
            return combine(self._apart(self.forward(repeated, memory)[0]))

        if n_samples <= chunk:
            return chunk_logits(X)
        result = np.empty((n_samples, self.layer_units[-1]), self.dtype, order="F")
        for start in range(0, n_samples, chunk):
            result[start : start + chunk] = chunk_logits(X[start : start + chunk])
        return result

    def member(self, index):
        """One of the members as a network of its own."""
        network = Network(self.layer_units, self.activation, self.dtype, embedded=self.embedded)
        for ours, theirs in zip([*network._W, network._E], [*self._W, self._E]):
            ours[...] = theirs[index]
        return network

    def add_l2(self, strength):
        """Add the gradient of ½ · strength · Σ W², tables included (biases are free), to `gradient`; return its value."""
        if strength == 0:
            return 0.0
        total = 0.0
        for w, d_w in self._flat_weights:
            d_w += strength * w
            total += float(w @ w)
        return 0.5 * strength * total

    def _matrices(self, flat):
        """Per layer, the part of `flat` that is [W; b], (fan_in + 1, fan_out)."""
        members = () if self.n_members is None else (self.n_members,)
        shapes = [(*members, fan_in + 1, fan_out) for fan_in, fan_out in zip(self.layer_units, self.layer_units[1:])]
        stops = np.cumsum([prod(shape) for shape in shapes])
        return [part.reshape(shape) for part, shape in zip(np.split(flat, stops), shapes)]

    def _table(self, flat):
        """The part of `flat` that is the tables of the embedded columns, one below the other."""
        shape = *(() if self.n_members is None else (self.n_members,)), *self._table_shape
        return flat[len(flat) - prod(shape) :].reshape(shape)

    def __getstate__(self):
        return {name: getattr(self, name) for name in STATE}

    def __setstate__(self, state):
        """Rebuild the views, which do not survive a pickle."""
        self.__dict__.update(state)
        self._set_parameters(self.parameters)
