"""The layers of a dense network, each `output, backprop = layer(input)`.

Letters: `X` a layer's input with a last column of ones, (n, fan_in + 1); `W` its parameters, (fan_in + 1, fan_out), with
the bias b as last row, so that Z = X W is the usual X W + b in one product; `H` an activation's output; `d_Z` stands for
∂loss/∂Z, and so on. `backprop` takes the derivative at the layer's output and returns that at its input; the derivative
stands beside its function.

Who may overwrite what: an activation writes H over its input Z and d_Z over the derivative it is handed; what else its own
derivative needs it copies. A dense layer writes into the gradient `d_W` and the memory it was given, and never into X: H stays.

An embedding reads its input as codes: `E` is its table, (n_codes, units), of which row c stands for code c.

Memory is laid out unit by unit (Fortran order): a column of ones is then contiguous, and so is what the softmax sums over.
"""

from math import pi, sqrt

import numpy as np
from scipy.special import expit, ndtr

LEAKY_RELU_SLOPE = 0.1
EMBEDDING_UNITS = 8  # numbers that stand for a category
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. (2017), arXiv:1706.02515


def dense(X, W, d_W, Z, d_X):
    """Z = X W; backprop fills d_W = Xᵀ d_Z and, unless d_X is None, d_X = d_Z Wᵀ without the column of ones.

    With an axis of members in front of all arrays, each member's rows meet its own W.
    """
    np.matmul(X, W, out=Z)

    def backprop(d_Z):
        np.matmul(X.mT, d_Z, out=d_W)
        return None if d_X is None else np.matmul(d_Z, W[..., :-1, :].mT, out=d_X)

    return Z, backprop


def dense_sparse(X, W, d_W, Z):
    """The same for a first layer with a sparse X, (n, fan_in), without the column of ones."""
    Z[...] = X @ W[:-1]
    Z += W[-1]

    def backprop(d_Z):
        d_W[:-1] = X.T @ d_Z
        d_Z.sum(axis=0, out=d_W[-1])

    return Z, backprop


def embedding(codes, E, d_E):
    """H = E[codes]; backprop fills d_E: each row is the sum of d_H's rows of its code, 0 where there is none."""

    def backprop(d_H):
        d_E[...] = 0
        np.add.at(d_E, codes, d_H)

    return E.take(codes, axis=0), backprop


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


def dropout(H, rate, bits, out):
    """Inverted dropout (Srivastava et al., 2014): each number of H becomes 0 with probability `rate`, else H / (1 − rate).

    Written to `out`, as the activation's derivative may still need H. `rate` is a number or a column with one for each row, as a
    multiple of 2⁻¹⁶: two random bytes a number, from the bit generator `bits`.
    """
    threshold = np.minimum(np.round(np.asarray(rate) * 2**16), 2**16 - 1)
    random = bits.random_raw((H.size + 3) // 4).view(np.uint16)[: H.size].reshape(H.shape[::-1]).T
    mask = (random >= threshold.astype(np.uint16)) * (2**16 / (2**16 - threshold)).astype(H.dtype)
    return np.multiply(H, mask, out=out), lambda d_out: np.multiply(d_out, mask, out=d_out)


def column_of_zeros(Z):
    """Zeros to compare Z with: NumPy compares two arrays several times faster than an array and a number."""
    return np.zeros((len(Z), *[1] * (Z.ndim - 1)), Z.dtype)


ACTIVATIONS = {f.__name__: f for f in (identity, relu, leaky_relu, elu, selu, tanh, logistic, softplus, silu, gelu, mish)}
