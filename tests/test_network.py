"""The network's gradient against its own loss, its memory layout, its initialisation and its predictions."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from sksoftmax import network as network_module
from sksoftmax.layers import ACTIVATIONS
from sksoftmax.loss import binary_cross_entropy, cross_entropy
from sksoftmax.network import Network

N_ROWS, N_INPUTS, N_OUTPUTS = 9, 4, 3
HIDDEN = {0: (), 1: (5,), 3: (5, 4, 6)}


def random_network(hidden=(5, 4), activation="tanh", n_outputs=N_OUTPUTS, dtype=np.float64, seed=0):
    network = Network((N_INPUTS, *hidden, n_outputs), activation, dtype)
    network.initialize(np.random.RandomState(seed))
    return network


def random_X(n_rows=N_ROWS, dtype=np.float64, seed=0):
    return np.random.RandomState(seed).normal(size=(n_rows, N_INPUTS)).astype(dtype)


# The gradient


def random_targets(kind, rng):
    """A loss, its number of outputs and targets of the kind."""
    if kind == "softmax labels":
        return cross_entropy, N_OUTPUTS, rng.randint(N_OUTPUTS, size=N_ROWS)
    if kind == "softmax soft":
        return cross_entropy, N_OUTPUTS, rng.dirichlet(np.ones(N_OUTPUTS), N_ROWS)
    if kind == "logistic labels":
        return binary_cross_entropy, 1, rng.randint(2, size=(N_ROWS, 1))
    if kind == "logistic soft":
        return binary_cross_entropy, 1, rng.uniform(size=(N_ROWS, 1))
    return binary_cross_entropy, N_OUTPUTS, rng.randint(2, size=(N_ROWS, N_OUTPUTS))


@pytest.mark.parametrize("strength", [0, 0.3], ids=["free", "l2"])
@pytest.mark.parametrize("depth", HIDDEN)
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("kind", ["softmax labels", "softmax soft", "logistic labels", "logistic soft", "logistic multilabel"])
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_the_gradient_is_the_slope_of_the_loss_along_a_random_direction(activation, kind, weighted, depth, strength):
    rng = np.random.RandomState(0)
    loss_function, n_outputs, targets = random_targets(kind, rng)
    X, weight = random_X(), rng.uniform(0.1, 3, N_ROWS) if weighted else None
    network = random_network(HIDDEN[depth], activation, n_outputs)
    network.allocate_gradient()

    def loss_and_gradient(parameters):
        network.parameters[...] = parameters
        logits, backprop = network.forward(X)
        loss, d_logits = loss_function(logits, targets, weight)
        backprop(d_logits)
        return loss + network.add_l2(strength), network.gradient.copy()

    w, direction, step = network.parameters.copy(), rng.normal(size=network.parameters.shape), 1e-6
    slope = (loss_and_gradient(w + step * direction)[0] - loss_and_gradient(w - step * direction)[0]) / (2 * step)
    assert loss_and_gradient(w)[1] @ direction == pytest.approx(slope, rel=1e-6)


def test_the_gradient_of_a_sparse_batch_is_that_of_the_dense_one():
    X, targets, gradients = random_X(), np.arange(N_ROWS) % N_OUTPUTS, []
    X[X < 0] = 0
    for batch in (X, csr_matrix(X)):
        network = random_network()
        network.allocate_gradient()
        logits, backprop = network.forward(batch)
        backprop(cross_entropy(logits, targets)[1])
        gradients.append(network.gradient)
    np.testing.assert_allclose(*gradients, rtol=1e-12, atol=1e-16)


def test_the_l2_penalty_is_half_the_strength_times_the_squared_weights_and_leaves_biases_free():
    network = random_network()
    network.allocate_gradient()
    penalty = network.add_l2(0.3)
    assert penalty == pytest.approx(0.15 * sum((W**2).sum() for W in network.coefs), rel=1e-14)
    free = np.ones_like(network.parameters)
    for part, strength in network.weight_parts(0.3):
        np.testing.assert_array_equal(network.gradient[part], strength * network.parameters[part])
        free[part] = 0
    assert not (network.gradient * free).any()


def test_an_l2_penalty_of_strength_zero_changes_nothing():
    network = random_network()
    network.allocate_gradient()
    network.gradient[...] = 7
    assert network.add_l2(0) == 0
    np.testing.assert_array_equal(network.gradient, 7)


# Memory


def test_parameters_are_shown_layer_by_layer_without_a_copy():
    network = random_network()
    network.allocate_gradient()
    flat, weights, biases = network.parameters, network.coefs, network.intercepts
    flat[...] = np.arange(len(flat))
    in_order = [part.ravel() for pair in zip(weights, biases) for part in pair]
    np.testing.assert_array_equal(np.concatenate(in_order), flat)
    assert [W.shape for W in weights] == [(4, 5), (5, 4), (4, 3)]
    assert all(np.shares_memory(part, flat) for part in weights + biases)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_gradient_and_logits_have_the_dtype_of_the_network(dtype):
    network = random_network(dtype=dtype)
    network.allocate_gradient()
    assert {a.dtype for a in (network.parameters, network.gradient, network.coefs[0])} == {np.dtype(dtype)}
    assert network.dtype == network.logits(random_X(dtype=np.float64)).dtype == dtype


def test_allocating_the_gradient_twice_keeps_the_first():
    network = random_network()
    network.allocate_gradient()
    gradient = network.gradient
    network.allocate_gradient()
    assert network.gradient is gradient


def test_a_pickle_rebuilds_the_views_and_drops_the_gradient():
    network = random_network()
    network.allocate_gradient()
    restored = pickle.loads(pickle.dumps(network))
    assert restored.gradient is None
    assert all(np.shares_memory(part, restored.parameters) for part in restored.coefs + restored.intercepts)
    np.testing.assert_array_equal(restored.logits(random_X()), network.logits(random_X()))
    restored.allocate_gradient()
    logits, backprop = restored.forward(random_X())
    backprop(np.ones_like(logits))
    assert restored.gradient.all()


def test_a_pickle_holds_the_parameters_once():
    network = random_network(hidden=(300,))
    network.allocate_gradient()
    assert len(pickle.dumps(network)) < network.parameters.nbytes + 1000


def test_the_parts_that_are_weights_leave_the_biases_out():
    network = Network((2, 3, 1), "relu", np.float64)
    assert network.weight_parts(0.5) == [(slice(0, 6), 0.5), (slice(9, 12), 0.5)]
    members = Network((2, 3, 1), "relu", np.float64, n_members=2)
    assert members.weight_parts([1.0, 2.0]) == [
        (slice(0, 6), 1.0),
        (slice(9, 15), 2.0),
        (slice(18, 21), 1.0),
        (slice(22, 25), 2.0),
    ]


def test_forward_and_logits_write_nothing_to_the_network():
    network, X = random_network(), random_X()
    state, parameters, names = pickle.dumps(network), network.parameters, set(vars(network))
    network.forward(X)
    network.logits(X)
    assert pickle.dumps(network) == state
    assert network.parameters is parameters
    assert set(vars(network)) == names
    assert network.gradient is None


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_forward_and_backprop_overwrite_neither_X_nor_the_parameters(activation):
    network, X = random_network(activation=activation), random_X()
    network.allocate_gradient()
    w = network.parameters.copy()
    logits, backprop = network.forward(X)
    backprop(np.ones_like(logits))
    np.testing.assert_array_equal(X, random_X())
    np.testing.assert_array_equal(network.parameters, w)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_a_second_forward_pass_does_not_disturb_the_backprop_of_the_first(activation):
    network, X = random_network(activation=activation), random_X()
    network.allocate_gradient()
    logits, backprop = network.forward(X)
    backprop(np.ones_like(logits))
    expected = network.gradient.copy()
    _, backprop = network.forward(X)
    network.forward(random_X(seed=1))
    backprop(np.ones_like(logits))
    np.testing.assert_array_equal(network.gradient, expected)


# Initialisation


@pytest.mark.parametrize("activation, factor", [("relu", 6), ("tanh", 6), ("logistic", 2), ("identity", 6)])
def test_initial_parameters_fill_the_glorot_interval(activation, factor):
    network = Network((40, 60, 20), activation, np.float64)
    network.initialize(np.random.RandomState(0))
    for W, b in zip(network.coefs, network.intercepts):
        bound = np.sqrt(factor / (W.shape[0] + W.shape[1]))
        assert 0.98 * bound < np.abs(W).max() <= bound
        assert 0.8 * bound < np.abs(b).max() <= bound
        assert np.std(W) == pytest.approx(bound / np.sqrt(3), rel=0.05)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_initial_parameters_are_drawn_layer_by_layer_weights_before_biases(dtype):
    rng, expected = np.random.RandomState(3), []
    for fan_in, fan_out in [(4, 5), (5, 4), (4, 3)]:
        bound = np.sqrt(6 / (fan_in + fan_out))
        expected.append(rng.uniform(-bound, bound, (fan_in, fan_out)).astype(dtype))
        expected.append(rng.uniform(-bound, bound, fan_out).astype(dtype))
    network = random_network(dtype=dtype, seed=3)
    for ours, theirs in zip((part for pair in zip(network.coefs, network.intercepts) for part in pair), expected):
        np.testing.assert_array_equal(ours, theirs)


# Predictions


@pytest.mark.parametrize("as_input", [np.asarray, csr_matrix], ids=["dense", "csr"])
@pytest.mark.parametrize("n_rows, chunks", [(4, [4]), (5, [4, 1]), (8, [4, 4]), (11, [4, 4, 3])])
def test_logits_in_chunks_equal_logits_at_once(monkeypatch, as_input, n_rows, chunks):
    network, X = random_network(), as_input(random_X(n_rows))
    at_once, forward, seen = network.logits(X), network.forward, []
    monkeypatch.setattr(network, "forward", lambda X, *memory: seen.append(X.shape[0]) or forward(X, *memory))
    monkeypatch.setattr(network_module, "CHUNK_ELEMENTS", 4 * max(network.layer_units) + 1)
    monkeypatch.setattr(network_module, "SMALLEST_CHUNK", 1)
    np.testing.assert_allclose(network.logits(X), at_once, rtol=1e-13)
    assert seen == chunks


def test_a_layer_wider_than_a_chunk_is_computed_row_by_row(monkeypatch):
    network, X = random_network(), random_X()
    at_once = network.logits(X)
    monkeypatch.setattr(network_module, "CHUNK_ELEMENTS", 1)
    monkeypatch.setattr(network_module, "SMALLEST_CHUNK", 1)
    np.testing.assert_allclose(network.logits(X), at_once, rtol=1e-13)


# Weights set by hand


def test_from_arrays_copies_the_weights():
    original = random_network()
    copy = Network.from_arrays(original.coefs, original.intercepts, "tanh")
    assert copy.layer_units == original.layer_units
    np.testing.assert_array_equal(copy.parameters, original.parameters)
    assert not np.shares_memory(copy.parameters, original.parameters)


@pytest.mark.parametrize("dtype, expected", [(np.float32, np.float32), (np.float64, np.float64), (np.int64, np.float64)])
def test_from_arrays_takes_the_common_floating_dtype(dtype, expected):
    network = Network.from_arrays([np.ones((2, 3), dtype)], [np.ones(3, np.float32)], "relu")
    assert network.dtype == expected


@pytest.mark.parametrize(
    "kind, index, shape, message",
    [
        ("coefs", 1, (6, 4), r"coefs_\[1\] must have shape \(5, 4\) to fit X, y and the other layers; got \(6, 4\)"),
        ("coefs", 0, (5,), r"coefs_\[0\] must have shape \(1, 5\) .* got \(5,\)"),
        ("intercepts", 0, (4,), r"intercepts_\[0\] must have shape \(5,\) .* got \(4,\)"),
        ("intercepts", 2, (3, 1), r"intercepts_\[2\] must have shape \(3,\) .* got \(3, 1\)"),
    ],
)
def test_from_arrays_names_the_array_that_does_not_fit(kind, index, shape, message):
    network = random_network()
    arrays = {"coefs": list(network.coefs), "intercepts": list(network.intercepts)}
    arrays[kind][index] = np.zeros(shape)
    with pytest.raises(ValueError, match=message):
        Network.from_arrays(**arrays, activation="tanh")


@pytest.mark.parametrize("coefs, intercepts", [(slice(0, 2), slice(0, 3)), (slice(0, 3), slice(0, 2))])
def test_from_arrays_says_that_every_layer_needs_both_weights_and_biases(coefs, intercepts):
    network = random_network()
    with pytest.raises(ValueError, match=r"coefs_.*intercepts_"):
        Network.from_arrays(network.coefs[coefs], network.intercepts[intercepts], "tanh")


def test_a_network_holds_exactly_its_own_views():
    network = random_network()
    assert network.holds(list(network.coefs), tuple(network.intercepts))
    assert not network.holds([W.copy() for W in network.coefs], network.intercepts)
    assert not network.holds(network.coefs[:-1], network.intercepts)
