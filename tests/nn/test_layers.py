"""Each activation against an independent formula and central differences; dense layers and dropout against plain formulas."""

import numpy as np
import pytest
from scipy import stats
from scipy.sparse import csr_matrix

from sksoftmax.layout import Layout
from sksoftmax.nn.layers import ACTIVATIONS, Activate, Dense, Dropout, SparseDense, bit_generators
from sksoftmax.nn.network import Architecture, Workspace

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
limits_in_force = {  # values at −1e4 and 1e4, slopes at −1e4 and 1e4
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
    assert set(ACTIVATIONS) == set(FORMULAS) == set(SLOPES_AT_ZERO) == set(limits_in_force)


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
    values, slopes = limits_in_force[name]
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(H, values, rtol=2 * eps)
    np.testing.assert_allclose(d_Z, slopes, rtol=2 * eps, atol=2 * eps)


# The dense layers


N_MEMBERS = 3
SKIPPING = ((slice(0, 2), slice(2, None)), (slice(2, None), slice(None)))  # two members skip the first two inputs
MEMBERS = pytest.mark.parametrize("n_members", [1, N_MEMBERS])


def dense_case(dtype=np.float64, n_members=1, seed=0):
    """X with about half zeros, the parameters with the bias as last row, and ∂loss/∂Z."""
    rng = np.random.RandomState(seed)
    X, W, d_Z = rng.normal(size=(n_members, 6, 4)), rng.normal(size=(n_members, 5, 3)), rng.normal(size=(n_members, 6, 3))
    X[rng.uniform(size=X.shape) < 0.5] = 0
    return [a.astype(dtype) for a in (X, W, d_Z)]


def with_ones(X):
    return np.concatenate([X, np.ones_like(X[..., :1])], axis=-1)


def memory_for(X):
    """A memory for these members in which the numbers of layer "name" are not finite yet."""
    memory = Workspace(Architecture(Layout(4), (), 3, (), n_members=len(X)), X.dtype)
    memory.layer_output("name", X.shape[1], 3)[..., :-1] = np.nan
    memory.layer_output(("d_input", "name"), X.shape[1], 4)[..., :-1] = np.nan
    return memory


def run_dense(X, W, d_W, d_Z):
    output, backprop = Dense("name", W, d_W)(with_ones(X), memory_for(X))
    return output, backprop(d_Z)


def run_sparse(X, W, d_W, d_Z):
    output, backprop = SparseDense("name", W, d_W)([csr_matrix(of_member) for of_member in X], memory_for(X))
    assert backprop(d_Z) is None
    return output, None


@pytest.mark.parametrize("run", [run_dense, run_sparse])
@MEMBERS
@DTYPES
def test_a_dense_layer_and_its_gradients_equal_the_plain_formulas(run, n_members, dtype):
    X, W, d_Z = dense_case(dtype, n_members)
    d_W = np.full_like(W, np.nan)  # to be overwritten, not added to
    output, d_X = run(X, W, d_W, d_Z)
    tolerance = {"rtol": 10 * np.finfo(dtype).eps, "atol": 10 * np.finfo(dtype).eps}
    assert output.dtype == dtype
    np.testing.assert_array_equal(output[..., -1], 1)
    for k, (x_k, W_k, d_k) in enumerate(zip(X, W, d_Z)):
        Z = [[sum(x * W_k[:-1, j]) + W_k[-1, j] for j in range(3)] for x in x_k]
        np.testing.assert_allclose(output[k, :, :-1], Z, **tolerance)
        np.testing.assert_allclose(d_W[k, :-1], sum(np.outer(x, d_z) for x, d_z in zip(x_k, d_k)), **tolerance)
        np.testing.assert_allclose(d_W[k, -1], sum(d_k), **tolerance)
        if d_X is not None:
            np.testing.assert_allclose(d_X[k], [[sum(d_z * W_k[i]) for i in range(4)] for d_z in d_k], **tolerance)


def test_members_that_skip_inputs_neither_see_them_nor_get_a_gradient_for_them():
    X, W, d_Z = dense_case(n_members=N_MEMBERS)
    d_W, expected, without = np.zeros_like(W), np.zeros_like(W), W.copy()
    without[:2, :2] = 0
    output, backprop = Dense("name", W, d_W, SKIPPING)(with_ones(X), memory_for(X))
    backprop(d_Z)
    np.testing.assert_allclose(output, run_dense(X, without, expected, d_Z)[0], rtol=1e-13, atol=1e-15)
    expected[:2, :2] = 0
    np.testing.assert_allclose(d_W, expected, rtol=1e-13, atol=1e-15)


def test_the_lowest_layer_need_not_compute_the_derivative_at_its_input():
    X, W, d_Z = dense_case()
    d_W = np.zeros_like(W)
    assert Dense("name", W, d_W, first=None)(with_ones(X), memory_for(X))[1](d_Z) is None
    np.testing.assert_allclose(d_W[:, :-1], X.mT @ d_Z)


@pytest.mark.parametrize("first", [0, 1, 3])
def test_the_derivative_is_computed_from_the_first_input_that_has_a_layer_below_it(first):
    X, W, d_Z = dense_case(n_members=N_MEMBERS)
    d_X = Dense("name", W, np.zeros_like(W), first=first)(with_ones(X), memory_for(X))[1](d_Z)
    np.testing.assert_allclose(d_X, (d_Z @ W.mT)[..., first:-1], rtol=1e-13)


@EVERY_ACTIVATION
def test_a_layers_input_and_parameters_are_never_overwritten(name):
    X, W, d_Z = dense_case()
    given, W_given = with_ones(X), W.copy()
    output, dense_backprop = Dense("name", W_given, np.zeros_like(W))(given, memory_for(X))
    _, activation_backprop = Activate(0, name)(output, None)
    dense_backprop(activation_backprop(d_Z))
    np.testing.assert_array_equal(given, with_ones(X))
    np.testing.assert_array_equal(W_given, W)


@EVERY_ACTIVATION
def test_an_activation_writes_over_its_input(name):
    """The dense layer above reads the output from the same array, beside the column of ones."""
    Z = np.random.RandomState(0).normal(size=(5, 4))
    expected = FORMULAS[name](Z)
    assert ACTIVATIONS[name](Z)[0] is Z
    X = with_ones(np.random.RandomState(0).normal(size=(1, 5, 4)))
    output, _ = Activate(0, name)(X, None)
    assert output is X
    np.testing.assert_allclose(output, with_ones(expected[None]), rtol=1e-11, atol=1e-14)


@EVERY_ACTIVATION
def test_backprop_writes_over_the_derivative_that_it_is_given(name):
    Z, d_H, d_out = np.random.RandomState(0).normal(size=(3, 1, 5, 4))
    assert ACTIVATIONS[name](Z)[1](d_H) is d_H
    assert dropped(Z, 0.5)[1](d_out) is d_out


@EVERY_ACTIVATION
def test_backprop_still_works_after_the_layer_above_has_used_the_output(name):
    rng = np.random.RandomState(0)
    z, d_H = rng.normal(size=(1, 5, 4)), rng.normal(size=(1, 5, 4))
    expected = ACTIVATIONS[name](z.copy())[1](d_H.copy())
    H, backprop = ACTIVATIONS[name](z.copy())
    same = Dense("above", np.eye(5, 4)[None], np.zeros((1, 5, 4)))
    _, dense_backprop = same(with_ones(H), Workspace(Architecture(Layout(4), (), 4, ()), np.float64))
    np.testing.assert_array_equal(backprop(dense_backprop(d_H.copy())), expected)


# Dropout


def dropped(H, rates, seed=0):
    """What dropout leaves of H, (n_members, n, n_units), and its backprop. `rates` are the members', or one for all."""
    out, rates = np.full_like(H, np.nan), np.broadcast_to(rates, (1, len(H)))
    return out, Dropout(rates, bit_generators(seed, len(H))).drop(H, 0, out)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@DTYPES
def test_dropout_zeroes_a_share_and_keeps_the_expectation(rate, dtype):
    H = np.random.RandomState(0).uniform(1, 2, (1, 300, 200)).astype(dtype)
    out, _ = dropped(H, rate)
    assert out.dtype == dtype
    kept = out != 0
    deviation = np.sqrt(rate * (1 - rate) / H.size)
    assert abs(kept.mean() - (1 - rate)) < 4 * deviation
    np.testing.assert_allclose(out[kept], H[kept] / (1 - rate), rtol=1e-4 / (1 - rate))  # the rate has 16 bits
    assert out.mean(dtype=float) == pytest.approx(H.mean(dtype=float), abs=4 * 2 * deviation / (1 - rate))


def test_each_number_is_dropped_independently():
    one, other = dropped(np.ones((2, 400, 400)), 0.5)[0] != 0
    for kept, compared in ((one[1:], one[:-1]), (one[:, 1:], one[:, :-1]), (one, one.T), (one, other)):
        assert abs(np.mean(kept == compared) - 0.5) < 0.01


@pytest.mark.parametrize("rate", [0.0, 1e-9])
def test_a_rate_below_its_resolution_drops_nothing(rate):
    H = np.random.RandomState(0).normal(size=(1, 20, 30))
    np.testing.assert_array_equal(dropped(H, rate)[0], H)


@DTYPES
@pytest.mark.parametrize("rate", [0.9999, 1 - 1e-7, np.nextafter(1, 0)])
def test_a_rate_next_to_one_keeps_a_number_in_65536_at_least_times_as_much(rate, dtype):
    out = dropped(np.ones((1, 1000, 1000), dtype), rate)[0]
    n_kept_of_65536 = max(1, round(2**16 * (1 - rate)))
    np.testing.assert_array_equal(np.unique(out), np.array([0, 2**16 / n_kept_of_65536], dtype))


def test_dropout_draws_two_bytes_a_number_and_writes_into_the_array_it_is_given():
    H, bits, same = np.ones((1, 3, 4)), np.random.SFC64(0), np.random.SFC64(0)
    out = np.full_like(H, np.nan)
    Dropout(np.array([[0.5]]), [bits]).drop(H, 0, out)
    assert np.isin(out, [0, 2]).all()
    np.testing.assert_array_equal(H, 1)
    same.random_raw(12 * 2 // 8)
    assert bits.random_raw() == same.random_raw()


def test_backprop_of_dropout_multiplies_by_the_same_mask():
    H, d_out = np.random.RandomState(0).normal(size=(2, 1, 6, 5))
    out, backprop = dropped(H, 0.4)
    assert 0 < (out == 0).mean() < 1
    np.testing.assert_allclose(backprop(d_out.copy()), d_out * out / H, rtol=1e-14)


def test_dropout_draws_another_mask_each_time_and_the_same_from_the_same_state():
    H, (first, second) = np.ones((1, 30, 30)), np.empty((2, 1, 30, 30))
    dropout = Dropout(np.array([[0.5]]), bit_generators(0, 1))
    for out in (first, second):
        dropout.drop(H, 0, out)
    assert (first != second).any()
    np.testing.assert_array_equal(first, dropped(H, 0.5)[0])


def test_each_member_is_dropped_at_its_own_rate():
    rates = np.array([0.0, 0.25, 0.5])
    out, _ = dropped(np.ones((3, 200, 200)), rates)
    np.testing.assert_allclose((out == 0).mean(axis=(1, 2)), rates, atol=0.01)
    for of_member, rate in zip(out, rates):
        np.testing.assert_allclose(of_member[of_member != 0], 1 / (1 - rate), rtol=1e-12)


@EVERY_ACTIVATION
def test_dropout_leaves_the_activations_output_to_its_derivative(name):
    rng = np.random.RandomState(0)
    z, d_out = rng.normal(size=(1, 8, 6)), rng.normal(size=(1, 8, 6))
    dropout = Dropout(np.array([[0.5]]), bit_generators(0, 1))
    output, backprop = Activate(0, name)(with_ones(z), Workspace(Architecture(Layout(6), (6,), 2, (name,)), np.float64), dropout)
    mask = 2.0 * (dropped(np.ones_like(z), 0.5)[0] != 0)
    np.testing.assert_allclose(output, with_ones(FORMULAS[name](z) * mask), rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(backprop(d_out.copy()), d_out * mask * derivative(name, z), rtol=1e-12)


def test_a_hidden_layer_whose_rates_are_zero_draws_no_bits_and_copies_nothing():
    X, bits = with_ones(np.ones((2, 5, 4))), bit_generators(0, 2)
    dropout = Dropout(np.array([[0.0, 0.0], [0.0, 0.5]]), bits)
    assert Activate(0, "relu")(X, None, dropout)[0] is X
    assert [of_member.random_raw() for of_member in bits] == [same.random_raw() for same in bit_generators(0, 2)]


def test_a_members_masks_are_those_of_its_own_bit_generator():
    """It trains as if it were alone."""
    H = np.ones((3, 30, 20))
    out, _ = dropped(H, [0.3, 0.0, 0.6])
    for member, rate in enumerate([0.3, 0.0, 0.6]):
        alone = np.empty((1, 30, 20))
        Dropout(np.array([[rate]]), [bit_generators(0, 3)[member]]).drop(H[:1], 0, alone)
        np.testing.assert_array_equal(out[member], alone[0])
