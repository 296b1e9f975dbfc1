"""Each activation against an independent formula and central differences; the dense layer against the plain formulas."""

import numpy as np
import pytest
from scipy import stats
from scipy.sparse import csr_matrix

from sksoftmax.layers import ACTIVATIONS, dense

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
FORMULAS = {
    "identity": lambda z: z,
    "relu": lambda z: np.where(z > 0, z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.1 * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1),
    "selu": lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * (np.exp(np.minimum(z, 0)) - 1)),
    "tanh": lambda z: 2 / (1 + np.exp(-2 * z)) - 1,
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "gelu": lambda z: z * stats.norm.cdf(z),
    "mish": lambda z: z * np.tanh(np.log(1 + np.exp(z))),
}
SLOPES_AT_ZERO = {
    "identity": 1,
    "relu": 0,
    "leaky_relu": 0.1,
    "elu": 1,
    "selu": SELU_SCALE,
    "tanh": 1,
    "logistic": 0.25,
    "softplus": 0.5,
    "silu": 0.5,
    "gelu": 0.5,
    "mish": 0.6,
}
LIMITS = {  # values at −1e4 and 1e4, slopes at −1e4 and 1e4
    "identity": ([-1e4, 1e4], [1, 1]),
    "relu": ([0, 1e4], [0, 1]),
    "leaky_relu": ([-1e3, 1e4], [0.1, 1]),
    "elu": ([-1, 1e4], [0, 1]),
    "selu": ([-SELU_SCALE * SELU_ALPHA, SELU_SCALE * 1e4], [0, SELU_SCALE]),
    "tanh": ([-1, 1], [0, 0]),
    "logistic": ([0, 1], [0, 0]),
    "softplus": ([0, 1e4], [0, 1]),
    "silu": ([0, 1e4], [0, 1]),
    "gelu": ([0, 1e4], [0, 1]),
    "mish": ([0, 1e4], [0, 1]),
}
EVERY_ACTIVATION = pytest.mark.parametrize("name", sorted(ACTIVATIONS))
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def derivative(name, z):
    """H' by backprop; the layer may overwrite what it is given, so it gets copies."""
    return ACTIVATIONS[name](z.copy())[1](np.ones_like(z))


def test_every_activation_has_a_formula_here():
    assert set(ACTIVATIONS) == set(FORMULAS) == set(SLOPES_AT_ZERO) == set(LIMITS)


@EVERY_ACTIVATION
def test_an_activation_equals_its_formula(name):
    z = np.random.RandomState(0).normal(scale=3, size=(20, 5))
    np.testing.assert_allclose(ACTIVATIONS[name](z.copy())[0], FORMULAS[name](z), rtol=1e-11, atol=1e-14)


@EVERY_ACTIVATION
def test_backprop_multiplies_by_the_derivative(name):
    rng = np.random.RandomState(0)
    z, d_H, step = rng.normal(scale=3, size=(20, 5)), rng.normal(size=(20, 5)), 1e-5
    assert np.abs(z).min() > 10 * step  # no kink within reach
    numerical = (FORMULAS[name](z + step) - FORMULAS[name](z - step)) / (2 * step)
    np.testing.assert_allclose(ACTIVATIONS[name](z.copy())[1](d_H.copy()), d_H * numerical, rtol=1e-8, atol=1e-9)


@EVERY_ACTIVATION
def test_the_slope_at_zero_is_the_documented_one(name):
    assert derivative(name, np.zeros(1))[0] == pytest.approx(SLOPES_AT_ZERO[name], rel=1e-15)


@EVERY_ACTIVATION
def test_float32_stays_float32_and_is_as_exact_as_it_can_be(name):
    z = np.random.RandomState(0).normal(scale=3, size=(20, 5)).astype(np.float32)
    H, backprop = ACTIVATIONS[name](z.copy())
    assert H.dtype == np.float32
    np.testing.assert_allclose(H, FORMULAS[name](z.astype(np.float64)), rtol=2e-6, atol=2e-7)
    d_Z = backprop(np.ones_like(z))
    assert d_Z.dtype == np.float32
    np.testing.assert_allclose(d_Z, derivative(name, z.astype(np.float64)), rtol=2e-6, atol=5e-7)


@EVERY_ACTIVATION
@DTYPES
def test_values_and_derivatives_are_at_their_limits_for_large_inputs(name, dtype):
    z = np.array([-1e4, 1e4], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        H, backprop = ACTIVATIONS[name](z.copy())
        d_Z = backprop(np.ones_like(z))
    values, slopes = LIMITS[name]
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(H, values, rtol=2 * eps)
    np.testing.assert_allclose(d_Z, slopes, rtol=2 * eps, atol=2 * eps)


# The dense layer


def dense_case(dtype=np.float64, seed=0):
    """X with about half zeros, W, b, and ∂loss/∂Z."""
    rng = np.random.RandomState(seed)
    X, W, b, d_Z = rng.normal(size=(6, 4)), rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=(6, 3))
    X[rng.uniform(size=X.shape) < 0.5] = 0
    return [a.astype(dtype) for a in (X, W, b, d_Z)]


@pytest.mark.parametrize("as_input", [np.asarray, csr_matrix], ids=["dense", "csr"])
@DTYPES
def test_a_dense_layer_and_its_gradients_equal_the_plain_formulas(as_input, dtype):
    X, W, b, d_Z = dense_case(dtype)
    d_W, d_b = np.full_like(W, np.nan), np.full_like(b, np.nan)  # to be overwritten, not added to
    Z, backprop = dense(as_input(X), W, b, d_W, d_b)
    d_X = backprop(d_Z)
    tolerance = {"rtol": 10 * np.finfo(dtype).eps, "atol": 10 * np.finfo(dtype).eps}
    assert Z.dtype == d_X.dtype == dtype
    np.testing.assert_allclose(Z, [[sum(x * W[:, j]) + b[j] for j in range(3)] for x in X], **tolerance)
    np.testing.assert_allclose(d_W, sum(np.outer(x, d_z) for x, d_z in zip(X, d_Z)), **tolerance)
    np.testing.assert_allclose(d_b, sum(d_Z), **tolerance)
    np.testing.assert_allclose(d_X, [[sum(d_z * W[i]) for i in range(4)] for d_z in d_Z], **tolerance)


def test_the_lowest_layer_need_not_compute_the_derivative_at_its_input():
    X, W, b, d_Z = dense_case()
    d_W, d_b = np.zeros_like(W), np.zeros_like(b)
    assert dense(X, W, b, d_W, d_b)[1](d_Z, needs_d_X=False) is None
    np.testing.assert_allclose(d_W, X.T @ d_Z)


@EVERY_ACTIVATION
@pytest.mark.parametrize("as_input", [np.asarray, csr_matrix], ids=["dense", "csr"])
def test_the_users_X_is_never_overwritten(name, as_input):
    X, W, b, d_Z = dense_case()
    given, W_given, b_given = as_input(X.copy()), W.copy(), b.copy()
    Z, dense_backprop = dense(given, W_given, b_given, np.zeros_like(W), np.zeros_like(b))
    _, activation_backprop = ACTIVATIONS[name](Z)
    dense_backprop(activation_backprop(d_Z))
    np.testing.assert_array_equal(given.toarray() if as_input is csr_matrix else given, X)
    np.testing.assert_array_equal(W_given, W)
    np.testing.assert_array_equal(b_given, b)


@EVERY_ACTIVATION
def test_backprop_still_works_after_the_layer_above_has_used_the_output(name):
    rng = np.random.RandomState(0)
    z, d_H = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    expected = ACTIVATIONS[name](z.copy())[1](d_H.copy())
    H, backprop = ACTIVATIONS[name](z.copy())
    _, dense_backprop = dense(H, np.eye(4), np.zeros(4), np.zeros((4, 4)), np.zeros(4))
    np.testing.assert_array_equal(backprop(dense_backprop(d_H.copy())), expected)
