"""Activations, dropout and losses of compiled steps (`kernels`), and how their functions are compiled.

`exp` is written out, as the compiler does not vectorise a call of the C library; it is four to ten times faster.
"""

from math import erf, factorial, log, log1p, pi, sqrt

import numpy as np
from numba import njit

from sksoftmax.nn.layers import LEAKY_RELU_SLOPE, SELU_ALPHA, SELU_SCALE

VECTORISED = {"reassoc", "contract", "nsz", "arcp"}  # sums may be reordered; infinity and NaN keep their meaning
PRIVATE = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
LOG2_E, LN2_HIGH, LN2_LOW = 1 / np.log(2), 0.693145751953125, 1.42860682030941723212e-6  # the two add up to log 2
C = tuple(1 / factorial(k) for k in range(14))  # of exp's power series
ROUNDING = 1.5 * 2.0**52  # the sum with a small number has its nearest integer as last bits


def compiled(function):
    """A function whose loops the processor's vector instructions may run."""
    return njit(function, fastmath=VECTORISED, **PRIVATE)


def exact(function):
    """A function whose operations keep their order."""
    return njit(function, fastmath={"contract"}, **PRIVATE)


@exact
def exp(x):
    """exp(x) in double precision, without a branch, for x in ±708: 2ᵏ · exp(r) with |r| ≤ ½ log 2, by exp's power series."""
    x = -708.0 if x < -708.0 else x
    x = 708.0 if x > 708.0 else x
    shifted = x * LOG2_E + ROUNDING
    k = shifted - ROUNDING
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    series = C[8] + r * (C[9] + r * (C[10] + r * (C[11] + r * (C[12] + r * C[13]))))
    series = C[2] + r * (C[3] + r * (C[4] + r * (C[5] + r * (C[6] + r * (C[7] + r * series)))))
    series = 1.0 + r * (1.0 + r * series)
    return series * np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)


@compiled
def sigmoid(z):
    """1 / (1 + exp(−z))."""
    return 1.0 / (1.0 + exp(-z))


@compiled
def identity(z):
    """(H, H') for each activation; the formulas are those of `layers`."""
    return z, 1.0


@compiled
def relu(z):
    """As `layers.relu`."""
    return (z, 1.0) if z > 0 else (0.0, 0.0)


@compiled
def leaky_relu(z):
    """As `layers.leaky_relu`."""
    return (z, 1.0) if z > 0 else (LEAKY_RELU_SLOPE * z, LEAKY_RELU_SLOPE)


@compiled
def elu(z):
    """As `layers.elu`."""
    e = exp(min(z, 0.0))
    return (z, 1.0) if z > 0 else (e - 1, e)


@compiled
def selu(z):
    """As `layers.selu`."""
    e = SELU_SCALE * SELU_ALPHA * exp(min(z, 0.0))
    return (SELU_SCALE * z, SELU_SCALE) if z >= 0 else (e - SELU_SCALE * SELU_ALPHA, e)


@compiled
def tanh(z):
    """As `layers.tanh`."""
    h = 2 * sigmoid(2 * z) - 1
    return h, 1 - h * h


@compiled
def logistic(z):
    """As `layers.logistic`."""
    h = sigmoid(z)
    return h, h * (1 - h)


@compiled
def softplus(z):
    """As `layers.softplus`."""
    return max(z, 0.0) + log1p(exp(-abs(z))), sigmoid(z)


@compiled
def silu(z):
    """As `layers.silu`."""
    s = sigmoid(z)
    return z * s, s + z * s * (1 - s)


@compiled
def gelu(z):
    """As `layers.gelu`."""
    normal = 0.5 * (1 + erf(z / sqrt(2.0)))
    return z * normal, normal + z * exp(-0.5 * z * z) / sqrt(2 * pi)


@compiled
def mish(z):
    """As `layers.mish`: tanh(log(1 + e)) = (e² + 2e) / (e² + 2e + 2) with e = exp(z)."""
    e = exp(min(z, 30.0))
    t = (e * e + 2 * e) / (e * e + 2 * e + 2)
    return z * t, t + z * (1 - t * t) * e / (1 + e)


def over_units(f):
    """A function of Z, b and S that writes H = f(Z + b) over Z, and the slope into S."""

    @compiled
    def activate(Z, b, S):
        for unit in range(Z.shape[0]):
            for row in range(Z.shape[1]):
                Z[unit, row], S[unit, row] = f(Z[unit, row] + b[unit])

    return activate


_identity, _relu, _leaky_relu, _elu, _selu, _tanh = map(over_units, (identity, relu, leaky_relu, elu, selu, tanh))
_logistic, _softplus, _silu, _gelu, _mish = map(over_units, (logistic, softplus, silu, gelu, mish))


@compiled
def activate(number, Z, b, S):
    """The activation of this number in `layers.ACTIVATIONS`."""
    if number == 0:
        _identity(Z, b, S)
    elif number == 1:
        _relu(Z, b, S)
    elif number == 2:
        _leaky_relu(Z, b, S)
    elif number == 3:
        _elu(Z, b, S)
    elif number == 4:
        _selu(Z, b, S)
    elif number == 5:
        _tanh(Z, b, S)
    elif number == 6:
        _logistic(Z, b, S)
    elif number == 7:
        _softplus(Z, b, S)
    elif number == 8:
        _silu(Z, b, S)
    elif number == 9:
        _gelu(Z, b, S)
    else:
        _mish(Z, b, S)


@compiled
def drop(H, S, threshold, random, words):
    """Multiply H and S by the mask of `layers.Dropout`, with the numbers of NumPy's bit generator SFC64 in the state `random`."""
    a, b, c, counter = random[0], random[1], random[2], random[3]
    n_words = (H.size + 3) // 4
    for i in range(n_words):
        words[i] = a + b + counter
        counter += np.uint64(1)
        a, b, c = b ^ (b >> np.uint64(11)), c + (c << np.uint64(3)), ((c << np.uint64(24)) | (c >> np.uint64(40))) + words[i]
    random[0], random[1], random[2], random[3] = a, b, c, counter
    two_bytes, factor = words[:n_words].view(np.uint16), H.dtype.type(2.0**16 / (2**16 - threshold))
    flat, slopes, limit = H.reshape(-1), S.reshape(-1), np.uint16(threshold)
    for i in range(H.size):
        mask = factor if two_bytes[i] >= limit else H.dtype.type(0)
        flat[i] *= mask
        slopes[i] *= mask


@compiled
def softmax_loss(Z, share, labels, soft, rows, objective):
    """The loss, with p − y times the rows' shares written over Z."""
    smoothing, n = objective.smoothing, len(rows)
    top, total, y_dot_z = Z[0].copy(), np.zeros(n, Z.dtype), np.zeros(n, Z.dtype)
    for k in range(1, len(Z)):
        for i in range(n):
            top[i] = Z[k, i] if Z[k, i] > top[i] else top[i]
    for i in range(n if len(labels) else 0):
        y_dot_z[i] = (1 - smoothing) * (Z[labels[rows[i]], i] - top[i])
    for k in range(len(Z)):
        for i in range(n):
            z = Z[k, i] - top[i]
            y_dot_z[i] += smoothing * objective.prior[k] * z
            Z[k, i] = exp(z)
            total[i] += Z[k, i]
            if len(soft):
                y_dot_z[i] += (1 - smoothing) * soft[rows[i], k] * z
    for k in range(len(Z)):
        for i in range(n):
            Z[k, i] = (Z[k, i] / total[i] - smoothing * objective.prior[k]) * share[i]
            if len(soft):
                Z[k, i] -= (1 - smoothing) * soft[rows[i], k] * share[i]
    loss = 0.0
    for i in range(n):
        loss += share[i] * (log(total[i]) - y_dot_z[i])
        if len(labels):
            Z[labels[rows[i]], i] -= (1 - smoothing) * share[i]
    return loss


@compiled
def logistic_loss(Z, share, soft, rows, objective):
    """The loss, with p − y times the rows' shares written over Z."""
    loss = 0.0
    for k in range(len(Z)):
        for i in range(len(rows)):
            z, y = Z[k, i], (1 - objective.smoothing) * soft[rows[i], k] + objective.smoothing * objective.prior[k]
            loss += share[i] * (max(z, 0.0) + log1p(exp(-abs(z))) - y * z)
            Z[k, i] = (sigmoid(z) - y) * share[i]
    return loss
