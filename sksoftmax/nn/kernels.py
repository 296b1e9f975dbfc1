"""Training steps of one member, compiled by Numba (extra `fast`): `train` does what `training.steps.train_epoch` does with NumPy.

What must stay equal to what, to rounding, with the same random numbers in the same order:

    gather, embed, add_one_hot      data.rows.member_inputs; layers.Embed, layers.OneHotDense
    ACTIVATIONS, drop               layers.ACTIVATIONS, layers.Dropout
    softmax_loss, logistic_loss     loss.softmax_loss, loss.logistic_loss, on batches as Run.loss makes them
    add_l2, clip                    Network.add_l2, optimizers.clip
    adam, sgd, update_average       Adam.step, SGD.step, WeightAverage.update

Letters are those of `layers`, but here arrays of units are (units, n), and the bias is added to Z beside the activation. `S` is
the slope H'(Z), times the mask of dropout, so that d_Z = d_H · S. d_Z is written over H, which is not needed any more.

`trainer` compiles `train` with all that it calls; what Numba keeps on the disk is out of date when this file changes.
"""

from functools import cache
from math import isfinite
from typing import NamedTuple

import numpy as np
from numba import boolean, float32, float64, int64, njit, types, uint64

from sksoftmax.nn.kernel_units import activate, compiled, drop, logistic_loss, softmax_loss
from sksoftmax.nn.kernel_updates import adam, add_l2, clip, sgd, update_average
from sksoftmax.nn.layers import EMBEDDING_UNITS


class Member(NamedTuple):
    """One member's numbers. The vectors are the network's and the optimizer's; SGD's velocity is `m`.

    `layers` has (start in w, fan_in, fan_out, number of the activation) of each layer. `first_column` and `first_row` are where
    the numbers begin in X and in W, `first_code` is the first embedded column, `table` where the vectors begin in w. A one-hot
    code c > 0 of column j is row `one_hot_rows[j]` + c of W, a code c of embedded column j is vector `code_starts[j]` + c.
    `parts` has (start, stop, kind) of slices of w, and `strengths` their weight decay and relative rate; `code_rates` are the
    relative rates of all numbers of the vectors. `thresholds` are layers.Dropout's, -1 without dropout.
    """

    w: np.ndarray
    g: np.ndarray
    m: np.ndarray
    v: np.ndarray
    average: np.ndarray
    layers: np.ndarray
    first_column: int
    first_row: int
    first_code: int
    table: int
    one_hot_rows: np.ndarray
    one_hot_factors: np.ndarray
    code_starts: np.ndarray
    parts: np.ndarray
    strengths: np.ndarray
    code_rates: np.ndarray
    thresholds: np.ndarray
    random: np.ndarray


class Batches(NamedTuple):
    """The member's rows, `size` of them a step, with each step's rate, and room for its loss and the sum of its weights."""

    rows: np.ndarray
    size: int
    rates: np.ndarray
    losses: np.ndarray
    totals: np.ndarray


class Objective(NamedTuple):
    """What is minimised; `prior` counts only with smoothing, `max_norm` is infinite without clipping."""

    is_softmax: bool
    smoothing: float
    prior: np.ndarray
    alpha: float
    max_norm: float


class Rule(NamedTuple):
    """How a step is taken: Adam's or SGD's constants (β₁ is SGD's momentum), steps so far; `decay` of the average, 0 for none."""

    is_adam: bool
    nesterov: bool
    beta_1: float
    beta_2: float
    epsilon: float
    t: int
    decay: float
    n_averaged: int


@compiled
def gather(X, rows, member, inputs):
    """The numbers of these rows of X, column by column, above places for the vectors: (n_numbers + 8 · n_embedded, n)."""
    numbers = X[:, member.first_column : member.first_code]
    if X.strides[0] < X.strides[1]:
        for j in range(numbers.shape[1]):
            column, to = numbers[:, j], inputs[j]
            for i in range(len(rows)):
                to[i] = column[rows[i]]
    else:
        for i in range(len(rows)):
            row = numbers[rows[i]]
            for j in range(len(row)):
                inputs[j, i] = row[j]


@compiled
def vector_of(X, row, code, member):
    """Where the vector of this row's code, the `code`-th embedded column, begins in w."""
    return member.table + EMBEDDING_UNITS * (int(X[row, member.first_code + code]) + member.code_starts[code])


@compiled
def embed(X, rows, member, inputs):
    """Look up the vectors of codes."""
    for i in range(len(rows)):
        for code in range(len(member.code_starts)):
            start = vector_of(X, rows[i], code, member)
            to = member.first_code - member.first_column + EMBEDDING_UNITS * code
            for unit in range(EMBEDDING_UNITS):
                inputs[to + unit, i] = member.w[start + unit]


@compiled
def add_one_hot(X, rows, member, W, Z):
    """Add the rows of W that codes stand for, times their factors."""
    for column in range(len(member.one_hot_rows)):
        for i in range(len(rows)):
            code = int(X[rows[i], column])
            if code > 0:
                for unit in range(len(Z)):
                    Z[unit, i] += member.one_hot_factors[column] * W[member.one_hot_rows[column] + code, unit]


@compiled
def one_hot_gradient(X, rows, member, d_W, d_Z):
    """Backprop of `add_one_hot`."""
    for column in range(len(member.one_hot_rows)):
        for i in range(len(rows)):
            code = int(X[rows[i], column])
            if code > 0:
                for unit in range(len(d_Z)):
                    d_W[member.one_hot_rows[column] + code, unit] += member.one_hot_factors[column] * d_Z[unit, i]


@compiled
def embedding_gradient(X, rows, member, W, d_Z):
    """Backprop of `embed`: each vector's derivative is the sum over the rows with its code."""
    n_codes = len(member.code_starts)
    member.g[member.table : member.table + len(member.code_rates)] = 0
    d_vectors = np.dot(W[len(W) - EMBEDDING_UNITS * n_codes :], d_Z)
    for i in range(len(rows)):
        for code in range(n_codes):
            start = vector_of(X, rows[i], code, member)
            for unit in range(EMBEDDING_UNITS):
                member.g[start + unit] += d_vectors[EMBEDDING_UNITS * code + unit, i]


@compiled
def matrix(flat, start, n_rows, n_columns):
    """A part of a flat vector as a matrix."""
    return flat[start : start + n_rows * n_columns].reshape(n_rows, n_columns)


@compiled
def sum_rows(Z, sums):
    """The sum of each unit's numbers."""
    for unit in range(len(Z)):
        total = Z[unit, 0]
        for row in range(1, Z.shape[1]):
            total += Z[unit, row]
        sums[unit] = total


@compiled
def forward(X, rows, member, inputs, units, slopes, words):
    """Logits, (n_outputs, n); H and S of all hidden layers are in `units` and `slopes`, one layer behind the other."""
    n, to, H = len(rows), 0, inputs
    gather(X, rows, member, inputs)
    embed(X, rows, member, inputs)
    for layer in range(len(member.layers)):
        start, fan_in, fan_out, number = member.layers[layer]
        W, b = matrix(member.w, start, fan_in, fan_out), member.w[start + fan_in * fan_out : start + (fan_in + 1) * fan_out]
        Z, S = matrix(units, to, fan_out, n), matrix(slopes, to, fan_out, n)
        if len(H) > 0:
            np.dot(W[fan_in - len(H) :].T, H, Z)  # members may skip the first inputs
        else:
            Z[:] = 0
        if layer == 0:
            add_one_hot(X, rows, member, W, Z)
        activate(number, Z, b, S)
        if layer < len(member.thresholds) and member.thresholds[layer] >= 0:
            drop(Z, S, member.thresholds[layer], member.random, words)
        H, to = Z, to + fan_out * n
    return H


@compiled
def backward(X, rows, member, inputs, units, slopes):
    """Fill the gradient; the derivative at the logits is at the end of `units`."""
    n, to = len(rows), len(units)
    for layer in range(len(member.layers) - 1, -1, -1):
        start, fan_in, fan_out, _ = member.layers[layer]
        to -= fan_out * n
        d_Z, W, d_W = (
            matrix(units, to, fan_out, n),
            matrix(member.w, start, fan_in, fan_out),
            matrix(member.g, start, fan_in, fan_out),
        )
        H = inputs if layer == 0 else matrix(units, to - fan_in * n, fan_in, n)
        if len(H) > 0:
            np.dot(H, d_Z.T, d_W[fan_in - len(H) :])
        sum_rows(d_Z, member.g[start + fan_in * fan_out : start + (fan_in + 1) * fan_out])
        if layer > 0:
            np.dot(W, d_Z, H)  # d_H, times the slope: d_Z of the layer below
            H *= matrix(slopes, to - fan_in * n, fan_in, n)
        elif len(member.one_hot_rows):
            d_W[: member.first_row] = 0
            one_hot_gradient(X, rows, member, d_W, d_Z)
        if layer == 0 and len(member.code_starts):
            embedding_gradient(X, rows, member, W, d_Z)


@compiled
def sum_of_weights(weights, rows, shares):
    """The sum of the rows' weights, with the share of each row in `shares`; without weights, all rows weigh 1."""
    total = 0.0
    for i in range(len(rows)):
        shares[i] = weights[rows[i]] if len(weights) else 1
        total += shares[i]
    for i in range(len(rows)):
        shares[i] /= total
    return total


def train(X, labels, soft, weights, member, batches, objective, rule):
    """Take a step for each batch; end at the first loss that is not finite, before its step.

    The targets are class numbers, `labels`, or rows, `soft`; the other is empty. `weights` are empty if all rows weigh the same.
    """
    n_units, n_inputs = 0, member.layers[0, 1] - member.first_row
    for layer in range(len(member.layers)):
        n_units += member.layers[layer, 2]
    inputs = np.empty(batches.size * n_inputs, member.w.dtype)
    units, slopes = np.empty(batches.size * n_units, member.w.dtype), np.empty(batches.size * n_units, member.w.dtype)
    words, shares = np.empty(batches.size * n_units // 4 + 1, np.uint64), np.empty(batches.size, member.w.dtype)
    for batch in range(len(batches.rates)):
        rows = batches.rows[batch * batches.size : (batch + 1) * batches.size]
        n, total = len(rows), sum_of_weights(weights, rows, shares)
        share = shares[:n]
        into = matrix(inputs, 0, n_inputs, n), units[: n * n_units], slopes[: n * n_units]
        Z = forward(X, rows, member, *into, words)
        if objective.is_softmax:
            loss = softmax_loss(Z, share, labels, soft, rows, objective)
        else:
            loss = logistic_loss(Z, share, soft, rows, objective)
        backward(X, rows, member, *into)  # the derivative at the logits is p − y
        if objective.alpha > 0:
            loss += add_l2(member, objective.alpha / total)
        batches.losses[batch], batches.totals[batch] = loss, total
        if not isfinite(loss):
            return
        if objective.max_norm < np.inf:
            clip(member, objective.max_norm)
        if rule.is_adam:
            adam(member, rule, rule.t + batch + 1, batches.rates[batch])
        else:
            sgd(member, rule, batches.rates[batch])
        if rule.decay > 0:
            update_average(member, rule.decay, rule.n_averaged + batch)


def signature(real):
    """The types of `train`'s arguments; X, targets and weights may be the user's, read-only and in any order of memory."""
    vector, integers, floats = real[::1], int64[::1], float64[::1]
    rows = types.Array(real, 2, "A", readonly=True)
    of_rows = [types.Array(scalar, 1, "A", readonly=True) for scalar in (int64, real)]
    layers = [int64[:, ::1], *[int64] * 4]
    inputs = [integers, vector, integers]
    parts = [int64[:, ::1], float64[:, ::1], vector, integers, uint64[::1]]
    member = types.NamedTuple([*[vector] * 5, *layers, *inputs, *parts], Member)
    batches = types.NamedTuple([integers, int64, *[floats] * 3], Batches)
    objective = types.NamedTuple([boolean, float64, vector, float64, float64], Objective)
    rule = types.NamedTuple([boolean, boolean, *[float64] * 3, int64, float64, int64], Rule)
    return types.void(rows, of_rows[0], rows, of_rows[1], member, batches, objective, rule)


@cache
def trainer(dtype):
    """`train` for networks of this dtype, compiled, or loaded from the disk; not kept where no folder can be written."""
    options = {"nogil": True, "error_model": "numpy"}
    types_of_dtype = signature({"float32": float32, "float64": float64}[dtype])
    try:
        return njit(types_of_dtype, cache=True, **options)(train)
    except (RuntimeError, OSError):  # Numba finds no folder for its cache, or cannot write there
        return njit(types_of_dtype, **options)(train)
