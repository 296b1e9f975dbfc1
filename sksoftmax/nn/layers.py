"""The layers of a dense network, each `output, backprop = layer(X, workspace, dropout)`.

Letters: `X` a layer's input with a last column of ones, (n_members, n, fan_in + 1); `W` its parameters, (n_members, fan_in + 1,
fan_out), with the bias b as last row, so that Z = X W is the usual X W + b in one product; `H` an activation's output; `E` the
tables of embedded columns, of which row c is the vector of code c; `d_Z` is ∂loss/∂Z, and so on. `backprop` takes the derivative
at the layer's output and returns the derivative at its input. Members are always the first axis: one network is one member.

Who may overwrite what: an activation writes H over its input Z, and writes the derivative at its input over the one at its
output; it copies whatever else its own derivative needs. A dense layer writes into the gradient `d_W` and into `workspace`, never
into X.

Memory is laid out unit by unit: the column of ones is then contiguous, and so is what the softmax sums over.
"""

from math import pi, sqrt

import numpy as np
from scipy.special import expit, ndtr

from sksoftmax.layout import EMBEDDING_UNITS

LEAKY_RELU_SLOPE = 0.1
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. (2017), arXiv:1706.02515
EVERYTHING = ((slice(None),) * 2,)


class Dense:
    """Z = X W. `blocks` are slices of members and of inputs that they see, which are columns of X and rows of W.

    `name` is the key of its arrays in the workspace. `first` is the first row of W that has a layer below it; None if none has.
    """

    def __init__(self, name, W, d_W=None, blocks=EVERYTHING, first=0):
        self.name, self.W, self.d_W, self.blocks, self.first = name, W, d_W, blocks, first

    def __call__(self, X, workspace, dropout=None):
        """Multiply; backprop fills d_W = Xᵀ d_Z and returns d_X = d_Z Wᵀ."""
        output = workspace.layer_output(self.name, X.shape[1], self.W.shape[-1])
        Z = output[..., :-1]
        for members, inputs in self.blocks:
            np.matmul(X[members, :, inputs], self.W[members, inputs], out=Z[members])

        def backprop(d_Z):
            for members, inputs in self.blocks:
                np.matmul(X[members, :, inputs].mT, d_Z[members], out=self.d_W[members, inputs])
            if self.first is None:
                return None
            d_X = workspace.layer_output(("d_input", self.name), X.shape[1], self.W.shape[1] - 1 - self.first)[..., :-1]
            return np.matmul(d_Z, self.W[:, self.first : -1].mT, out=d_X)

        return output, backprop


class SparseDense:
    """The same for a first layer of sparse rows: X is a list with a CSR matrix for each member, without the column of ones."""

    def __init__(self, name, W, d_W=None):
        self.name, self.W, self.d_W = name, W, d_W

    def __call__(self, X, workspace, dropout=None):
        """Multiply; backprop fills d_W."""
        output = workspace.layer_output(self.name, X[0].shape[0], self.W.shape[-1])
        for rows, W, Z in zip(X, self.W, output[..., :-1]):
            Z[...] = rows @ W[:-1]
            Z += W[-1]

        def backprop(d_Z):
            for rows, d_W, d in zip(X, self.d_W, d_Z):
                d_W[:-1] = rows.T @ d
                d.sum(axis=0, out=d_W[-1])

        return output, backprop


class Embed:
    """Replaces the codes in the last columns of its input by their vectors. It writes into X, which has room for the vectors.

    `E`, (n_members, n_codes, 8), holds the tables of all embedded columns one below the other, as the `layout` says.
    """

    def __init__(self, layout, E):
        self.codes = slice(layout.n_numbers, layout.n_columns)
        self.E, self.d_E = E.reshape(-1, EMBEDDING_UNITS), None
        starts = np.cumsum([0, *layout.n_codes])
        self.starts = starts[:-1] + starts[-1] * np.arange(len(E))[:, None, None]

    def write_gradient_into(self, d_E):
        """Let backprop fill `d_E`, which has the shape of E."""
        self.d_E = d_E.reshape(-1, EMBEDDING_UNITS)

    def __call__(self, X, workspace, dropout=None):
        """Look up; backprop fills d_E: each row is the sum of the derivatives of its code's vectors, 0 if there are none."""
        codes = (X[..., self.codes].astype(np.intp) + self.starts).ravel()
        X[..., self.codes.start : -1] = self.E.take(codes, axis=0).reshape(*X.shape[:2], -1)

        def backprop(d_X):
            self.d_E[...] = 0
            np.add.at(self.d_E, codes, d_X.reshape(-1, EMBEDDING_UNITS))

        return X, backprop


class Activate:
    """The activation of hidden layer `index` (from 0), in place; in training, with dropout behind it."""

    def __init__(self, index, activation):
        self.index, self.activation = index, ACTIVATIONS[activation]

    def __call__(self, X, workspace, dropout=None):
        """Activate, and drop numbers if this layer has a rate above 0."""
        H, backprop = self.activation(X[..., :-1])
        if dropout is None or not dropout.rates[self.index].any():
            return X, backprop
        output = workspace.layer_output(("dropped", self.index), X.shape[1], H.shape[-1])
        undrop = dropout.drop(H, self.index, output[..., :-1])
        return output, lambda d: backprop(undrop(d))


class Dropout:
    """Inverted dropout (Srivastava et al., 2014): each number of H becomes 0 with probability `rate`, else H / (1 − rate).

    `rates`, (n_hidden, n_members), count as multiples of 2⁻¹⁶: two random bytes a number, unit by unit. `bits` has a bit
    generator for each member, so that a member's masks do not depend on the others'.
    """

    def __init__(self, rates, bits):
        self.rates, self.bits = rates, bits

    def drop(self, H, index, out):
        """Write what is left of H to `out`, as the activation's derivative may still need H; return the derivative."""
        threshold = np.minimum(np.round(self.rates[index] * 2**16), 2**16 - 1)[:, None, None]
        n_members, n_rows, n_units = H.shape
        random = np.zeros((n_units, n_members, n_rows), np.uint16)
        for of_member, bits, rate in zip(random.swapaxes(0, 1), self.bits, self.rates[index]):
            if rate:
                of_member[...] = two_bytes(bits, of_member.size).reshape(of_member.shape)
        kept = random.transpose(1, 2, 0) >= threshold.astype(np.uint16)
        mask = kept * (2**16 / (2**16 - threshold)).astype(H.dtype)
        np.multiply(H, mask, out=out)
        return lambda d_out: np.multiply(d_out, mask, out=d_out)


def bit_generators(seed, n_members):
    """A bit generator for each member's dropout."""
    return [np.random.SFC64((seed, member)) for member in range(n_members)]


def two_bytes(bits, n):
    """The next n random numbers of two bytes: each 64 random bits give four."""
    return bits.random_raw((n + 3) // 4).view(np.uint16)[:n]


def identity(Z):
    """H = Z."""
    return Z, lambda d_H: d_H


def relu(Z):
    """H = max(Z, 0); H' = 1 where H > 0, else 0."""
    H = np.maximum(Z, column_of_zeros(Z), out=Z)
    return H, lambda d_H: np.multiply(d_H, H > 0, out=d_H)


def leaky_relu(Z):
    """H = max(Z, 0.1 Z); H' = 1 where H > 0, else 0.1."""
    H = np.maximum(Z, LEAKY_RELU_SLOPE * Z, out=Z)

    one, slope = H.dtype.type(1), H.dtype.type(LEAKY_RELU_SLOPE)
    return H, lambda d_H: np.multiply(d_H, np.where(H > 0, one, slope), out=d_H)


def elu(Z):
    """H = max(Z, 0) + E with E = exp(min(Z, 0)) − 1 (Clevert et al., arXiv:1511.07289); H' = 1 + E, as E = 0 above 0."""
    zeros = column_of_zeros(Z)
    E = np.expm1(np.minimum(Z, zeros))
    H = np.maximum(Z, zeros, out=Z)
    H += E
    return H, lambda d_H: np.multiply(d_H, 1 + E, out=d_H)


def selu(Z):
    """H = λ max(Z, 0) + E with E = λ α (exp(min(Z, 0)) − 1) (arXiv:1706.02515); H' = λ where Z ≥ 0, else E + λ α."""
    zeros = column_of_zeros(Z)
    E = np.expm1(np.minimum(Z, zeros))
    E *= SELU_SCALE * SELU_ALPHA
    H = np.maximum(Z, zeros, out=Z)
    H *= SELU_SCALE
    H += E
    return H, lambda d_H: np.multiply(d_H, np.where(E < 0, E + SELU_SCALE * SELU_ALPHA, SELU_SCALE), out=d_H)


def tanh(Z):
    """H = tanh(Z); H' = 1 − H²."""
    H = np.tanh(Z, out=Z)
    return H, lambda d_H: np.multiply(d_H, 1 - H * H, out=d_H)


def logistic(Z):
    """H = σ(Z) = 1 / (1 + exp(−Z)); H' = H (1 − H)."""
    H = expit(Z, out=Z)
    return H, lambda d_H: np.multiply(d_H, H * (1 - H), out=d_H)


def softplus(Z):
    """H = log(1 + exp(Z)); H' = σ(Z) = 1 − exp(−H)."""
    H = np.logaddexp(0, Z, out=Z)
    return H, lambda d_H: np.multiply(d_H, -np.expm1(-H), out=d_H)


def silu(Z):
    """H = Z σ(Z) (Hendrycks & Gimpel, arXiv:1606.08415); H' = σ + H (1 − σ)."""
    S = expit(Z)
    H = np.multiply(Z, S, out=Z)
    return H, lambda d_H: np.multiply(d_H, S + H * (1 - S), out=d_H)


def gelu(Z):
    """H = Z Φ(Z), Φ the normal distribution function (arXiv:1606.08415); H' = Φ(Z) + Z φ(Z)."""
    Z, H, normal = Z.copy("K"), Z, ndtr(Z)
    np.multiply(Z, normal, out=H)
    return H, lambda d_H: np.multiply(d_H, normal + Z * np.exp(-0.5 * Z * Z) / sqrt(2 * pi), out=d_H)


def mish(Z):
    """H = Z tanh(softplus(Z)) (Misra, arXiv:1908.08681); with T = tanh(softplus(Z)), H' = T + Z (1 − T²) σ(Z)."""
    Z, H, T = Z.copy("K"), Z, np.tanh(np.logaddexp(0, Z))
    np.multiply(Z, T, out=H)
    return H, lambda d_H: np.multiply(d_H, T + Z * (1 - T * T) * expit(Z), out=d_H)


def column_of_zeros(Z):
    """Zeros to compare Z with: NumPy compares two arrays several times faster than an array and a number."""
    return np.zeros((*Z.shape[:-1], 1), Z.dtype)


ACTIVATIONS = {f.__name__: f for f in (identity, relu, leaky_relu, elu, selu, tanh, logistic, softplus, silu, gelu, mish)}
