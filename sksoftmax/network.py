"""A dense network: one flat vector of parameters, one of gradients, and views of both for each layer.

The flat vectors hold W_0, b_0, W_1, b_1, … one after the other, so that an optimizer works on the whole network with
a few array operations, while `coefs` and `intercepts` show the same memory layer by layer.
"""

import numpy as np

from sksoftmax.layers import ACTIVATIONS, dense

CHUNK_ELEMENTS = 2**19  # activations of a layer held at once while predicting: 4 MB in float64


class Network:
    """Dense layers with one activation between them.

    Parameters
    ----------
    layer_units : sequence of int
        Numbers of units from the input to the output, at least two.

    activation : str
        A name in `sksoftmax.layers.ACTIVATIONS`, used after every layer but the last.

    dtype : dtype
        float32 or float64.
    """

    def __init__(self, layer_units, activation, dtype):
        self.layer_units = tuple(layer_units)
        self.activation = activation
        fans = zip(self.layer_units, self.layer_units[1:])
        self.parameters = np.zeros(sum((i + 1) * o for i, o in fans), dtype)
        self.coefs, self.intercepts = self._views(self.parameters)
        self.gradient, self.coef_gradients, self.intercept_gradients = None, None, None

    @classmethod
    def from_arrays(cls, coefs, intercepts, activation, n_inputs=None, n_outputs=None):
        """A network with copies of these weights, of their common floating dtype; ValueError if they do not fit together.

        `n_inputs` and `n_outputs` are what the first and the last layer must have; None takes what they have.
        """
        coefs, intercepts = [np.asarray(W) for W in coefs], [np.asarray(b) for b in intercepts]
        if not coefs or len(coefs) != len(intercepts):
            raise ValueError(
                f"coefs_ and intercepts_ must hold an array for each layer; got {len(coefs)} and {len(intercepts)} arrays."
            )
        units = [W.shape[-1] if W.ndim else 0 for W in coefs]
        units = [coefs[0].size // max(units[0], 1) if n_inputs is None else n_inputs, *units[:-1], n_outputs or units[-1]]
        network = cls(units, activation, np.result_type(*coefs, *intercepts, np.float32))
        for i, (view, values) in enumerate(zip(network.coefs + network.intercepts, coefs + intercepts)):
            name = f"coefs_[{i}]" if i < len(coefs) else f"intercepts_[{i - len(coefs)}]"
            if view.shape != values.shape:
                raise ValueError(f"{name} must have shape {view.shape} to fit X, y and the other layers; got {values.shape}.")
            view[...] = values
        return network

    def flatten(self, arrays):
        """A new flat vector like `parameters` from arrays in the order of `coefs` and then `intercepts`."""
        flat = np.empty_like(self.parameters)
        coefs, intercepts = self._views(flat)
        for view, values in zip(coefs + intercepts, arrays, strict=True):
            view[...] = values
        return flat

    def holds(self, coefs, intercepts):
        """Whether these lists are exactly this network's views."""
        ours, theirs = self.coefs + self.intercepts, [*coefs, *intercepts]
        return len(ours) == len(theirs) and all(a is b for a, b in zip(ours, theirs))

    @property
    def dtype(self):
        """float32 or float64."""
        return self.parameters.dtype

    @property
    def is_weight(self):
        """A vector like `parameters`: 1 for the weights, which are regularised, 0 for the biases."""
        mask = np.zeros_like(self.parameters)
        for W in self._views(mask)[0]:
            W[...] = 1
        return mask

    def initialize(self, rng):
        """Draw weights and biases uniformly within ±√(6 / (fan_in + fan_out)); 2 in place of 6 for logistic units.

        Glorot & Bengio (2010), with the order of draws of scikit-learn's MLPClassifier: per layer, weights then biases.
        """
        factor = 2.0 if self.activation == "logistic" else 6.0
        for W, b in zip(self.coefs, self.intercepts):
            bound = np.sqrt(factor / sum(W.shape))
            W[...] = rng.uniform(-bound, bound, W.shape)
            b[...] = rng.uniform(-bound, bound, b.shape)

    def allocate_gradient(self):
        """Make ready to train: room for the gradient, and parameters that can be written (a memory map may not)."""
        if not self.parameters.flags.writeable:
            self.parameters = self.parameters.copy()
            self.coefs, self.intercepts = self._views(self.parameters)
        if self.gradient is None:
            self.gradient = np.zeros_like(self.parameters)
            self.coef_gradients, self.intercept_gradients = self._views(self.gradient)

    def forward(self, X):
        """Logits of the rows of X, and the function that takes ∂loss/∂logits and fills `gradient`.

        Nothing is written to the network, so any number of threads may call it at once.
        """
        activation = ACTIVATIONS[self.activation]
        backprops = []
        n_layers = len(self.coefs)
        d_coefs, d_intercepts = self.coef_gradients or [None] * n_layers, self.intercept_gradients or [None] * n_layers
        for i, parameters in enumerate(zip(self.coefs, self.intercepts, d_coefs, d_intercepts)):
            X, dense_backprop = dense(X, *parameters)
            X, activation_backprop = activation(X) if i < n_layers - 1 else (X, None)
            backprops.append((dense_backprop, activation_backprop))

        def backprop(d_X):
            for i in reversed(range(n_layers)):
                dense_backprop, activation_backprop = backprops[i]
                d_X = activation_backprop(d_X) if activation_backprop else d_X
                d_X = dense_backprop(d_X, needs_d_X=i > 0)

        return X, backprop

    def logits(self, X):
        """Logits of the rows of X, in chunks: memory beyond the result stays bounded however many rows there are."""
        n_samples, widest = X.shape[0], max(self.layer_units)
        chunk = max(1, CHUNK_ELEMENTS // widest)
        if n_samples <= chunk:
            return self.forward(X.astype(self.dtype, copy=False))[0]
        result = np.empty((n_samples, self.layer_units[-1]), self.dtype)
        for start in range(0, n_samples, chunk):
            result[start : start + chunk] = self.forward(X[start : start + chunk].astype(self.dtype, copy=False))[0]
        return result

    def add_l2(self, strength):
        """Add the gradient of ½ · strength · Σ W² (biases are free) to `gradient`; return its value."""
        if strength == 0:
            return 0.0
        total = 0.0
        for W, d_W in zip(self.coefs, self.coef_gradients):
            d_W += strength * W
            total += float(np.vdot(W, W))
        return 0.5 * strength * total

    def _views(self, flat):
        """Per layer, the part of `flat` that is W and the part that is b."""
        weights, biases, start = [], [], 0
        for fan_in, fan_out in zip(self.layer_units, self.layer_units[1:]):
            middle, stop = start + fan_in * fan_out, start + (fan_in + 1) * fan_out
            weights.append(flat[start:middle].reshape(fan_in, fan_out))
            biases.append(flat[middle:stop])
            start = stop
        return weights, biases

    def __getstate__(self):
        return {name: getattr(self, name) for name in ("layer_units", "activation", "parameters")}

    def __setstate__(self, state):
        """Rebuild the views, which do not survive a pickle."""
        self.__dict__.update(state)
        self.coefs, self.intercepts = self._views(self.parameters)
        self.gradient, self.coef_gradients, self.intercept_gradients = None, None, None
