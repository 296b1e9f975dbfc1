"""Each activation against an independent formula and central differences; the dense layer against the plain formulas."""

import numpy as np
import pytest
from scipy import stats
from scipy.sparse import csr_matrix

from sksoftmax.nn.layers import ACTIVATIONS, dense, dense_sparse, dropout

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
    """X with about half zeros, the parameters with the bias as last row, and ∂loss/∂Z."""
    rng = np.random.RandomState(seed)
    X, W, d_Z = rng.normal(size=(6, 4)), rng.normal(size=(5, 3)), rng.normal(size=(6, 3))
    X[rng.uniform(size=X.shape) < 0.5] = 0
    return [a.astype(dtype) for a in (X, W, d_Z)]


def with_ones(X):
    return np.column_stack([X, np.ones(len(X), X.dtype)])


def run_dense(X, W, d_W, d_Z):
    Z, d_X = np.full((len(X), 3), np.nan, X.dtype), np.full(X.shape, np.nan, X.dtype)
    Z, backprop = dense(with_ones(X), W, d_W, Z, d_X)
    assert backprop(d_Z) is d_X
    return Z, d_X


def run_sparse(X, W, d_W, d_Z):
    Z, backprop = dense_sparse(csr_matrix(X), W, d_W, np.full((len(X), 3), np.nan, X.dtype))
    assert backprop(d_Z) is None
    return Z, None


@pytest.mark.parametrize("run", [run_dense, run_sparse])
@DTYPES
def test_a_dense_layer_and_its_gradients_equal_the_plain_formulas(run, dtype):
    X, W, d_Z = dense_case(dtype)
    d_W = np.full_like(W, np.nan)  # to be overwritten, not added to
    Z, d_X = run(X, W, d_W, d_Z)
    tolerance = {"rtol": 10 * np.finfo(dtype).eps, "atol": 10 * np.finfo(dtype).eps}
    assert Z.dtype == dtype
    np.testing.assert_allclose(Z, [[sum(x * W[:-1, j]) + W[-1, j] for j in range(3)] for x in X], **tolerance)
    np.testing.assert_allclose(d_W[:-1], sum(np.outer(x, d_z) for x, d_z in zip(X, d_Z)), **tolerance)
    np.testing.assert_allclose(d_W[-1], sum(d_Z), **tolerance)
    if d_X is not None:
        np.testing.assert_allclose(d_X, [[sum(d_z * W[i]) for i in range(4)] for d_z in d_Z], **tolerance)


def test_the_lowest_layer_need_not_compute_the_derivative_at_its_input():
    X, W, d_Z = dense_case()
    d_W = np.zeros_like(W)
    assert dense(with_ones(X), W, d_W, np.empty((6, 3)), None)[1](d_Z) is None
    np.testing.assert_allclose(d_W[:-1], X.T @ d_Z)


@EVERY_ACTIVATION
def test_a_layers_input_and_parameters_are_never_overwritten(name):
    X, W, d_Z = dense_case()
    given, W_given = with_ones(X), W.copy()
    Z, dense_backprop = dense(given, W_given, np.zeros_like(W), np.empty((6, 3)), None)
    _, activation_backprop = ACTIVATIONS[name](Z)
    dense_backprop(activation_backprop(d_Z))
    np.testing.assert_array_equal(given, with_ones(X))
    np.testing.assert_array_equal(W_given, W)


@EVERY_ACTIVATION
def test_an_activation_writes_over_its_input(name):
    """The dense layer above reads the output from the same array, beside the column of ones."""
    Z = np.random.RandomState(0).normal(size=(5, 4))
    assert ACTIVATIONS[name](Z)[0] is Z


@EVERY_ACTIVATION
def test_backprop_writes_over_the_derivative_that_it_is_handed(name):
    Z, d_H, d_out = np.random.RandomState(0).normal(size=(3, 5, 4))
    assert ACTIVATIONS[name](Z)[1](d_H) is d_H
    assert dropped(Z, 0.5)[1](d_out) is d_out


@EVERY_ACTIVATION
def test_backprop_still_works_after_the_layer_above_has_used_the_output(name):
    rng = np.random.RandomState(0)
    z, d_H = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    expected = ACTIVATIONS[name](z.copy())[1](d_H.copy())
    H, backprop = ACTIVATIONS[name](z.copy())
    _, dense_backprop = dense(with_ones(H), np.eye(5, 4), np.zeros((5, 4)), np.empty((5, 4)), np.empty((5, 4)))
    np.testing.assert_array_equal(backprop(dense_backprop(d_H.copy())), expected)


# Dropout


def dropped(H, rate, seed=0):
    return dropout(H, rate, np.random.SFC64(seed), out=np.full_like(H, np.nan))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@DTYPES
def test_dropout_zeroes_a_share_and_keeps_the_expectation(rate, dtype):
    H = np.random.RandomState(0).uniform(1, 2, (300, 200)).astype(dtype)
    out, _ = dropped(H, rate)
    assert out.dtype == dtype
    kept = out != 0
    deviation = np.sqrt(rate * (1 - rate) / H.size)
    assert abs(kept.mean() - (1 - rate)) < 4 * deviation
    np.testing.assert_allclose(out[kept], H[kept] / (1 - rate), rtol=1e-4 / (1 - rate))  # the rate has 16 bits
    assert out.mean(dtype=float) == pytest.approx(H.mean(dtype=float), abs=4 * 2 * deviation / (1 - rate))


def test_each_number_is_dropped_independently():
    kept = dropped(np.ones((400, 400)), 0.5)[0] != 0
    for one, other in ((kept[1:], kept[:-1]), (kept[:, 1:], kept[:, :-1]), (kept, kept.T)):
        assert abs(np.mean(one == other) - 0.5) < 0.01


@pytest.mark.parametrize("rate", [0.0, 1e-9])
def test_a_rate_below_its_resolution_drops_nothing(rate):
    H = np.random.RandomState(0).normal(size=(20, 30))
    np.testing.assert_array_equal(dropped(H, rate)[0], H)


@DTYPES
@pytest.mark.parametrize("rate", [0.9999, 1 - 1e-7, np.nextafter(1, 0)])
def test_a_rate_next_to_one_keeps_a_number_in_65536_at_least_times_as_much(rate, dtype):
    out = dropped(np.ones((1000, 1000), dtype), rate)[0]
    n_kept_of_65536 = max(1, round(2**16 * (1 - rate)))
    np.testing.assert_array_equal(np.unique(out), np.array([0, 2**16 / n_kept_of_65536], dtype))


def test_dropout_draws_two_bytes_a_number_and_writes_where_it_is_told():
    H, bits, same = np.ones((3, 4)), np.random.SFC64(0), np.random.SFC64(0)
    out = np.empty_like(H)
    assert dropout(H, 0.5, bits, out)[0] is out
    same.random_raw(12 * 2 // 8)
    assert bits.random_raw() == same.random_raw()


def test_backprop_of_dropout_multiplies_by_the_same_mask():
    H, d_out = np.random.RandomState(0).normal(size=(2, 6, 5))
    out, backprop = dropped(H, 0.4)
    assert 0 < (out == 0).mean() < 1
    np.testing.assert_allclose(backprop(d_out.copy()), d_out * out / H, rtol=1e-14)


def test_dropout_draws_another_mask_each_time_and_the_same_from_the_same_state():
    H, bits = np.ones((30, 30)), np.random.SFC64(0)
    first, second = (dropout(H, 0.5, bits, out=np.empty_like(H))[0] for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(first, dropped(H, 0.5)[0])


@EVERY_ACTIVATION
def test_dropout_leaves_the_activations_output_to_its_derivative(name):
    rng = np.random.RandomState(0)
    z, d_out = rng.normal(size=(8, 6)), rng.normal(size=(8, 6))
    H, backprop = ACTIVATIONS[name](z.copy())
    out, dropout_backprop = dropped(H, 0.5)
    mask = np.where(out != 0, 2.0, 0.0)
    np.testing.assert_allclose(backprop(dropout_backprop(d_out.copy())), d_out * mask * derivative(name, z), rtol=1e-12)
