"""The network's gradient against its own loss, its memory layout, its initialisation and its predictions."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from sksoftmax.loss import binary_cross_entropy, cross_entropy
from sksoftmax.nn import network as network_module
from sksoftmax.nn.layers import ACTIVATIONS, dropout
from sksoftmax.nn.network import Memory, Network
from sksoftmax.nn.optimizers import SGD, Adam, Averaged
from support.slopes import assert_gradient_is_the_slope

N_ROWS, N_INPUTS, N_OUTPUTS = 9, 4, 3
HIDDEN = {0: (), 1: (5,), 3: (5, 4, 6)}


def random_network(hidden=(5, 4), activation="tanh", n_outputs=N_OUTPUTS, dtype=np.float64, seed=0):
    network = Network((N_INPUTS, *hidden, n_outputs), activation, dtype)
    network.initialize(np.random.RandomState(seed))
    return network


def random_X(n_rows=N_ROWS, dtype=np.float64, seed=0):
    return np.random.RandomState(seed).normal(size=(n_rows, N_INPUTS)).astype(dtype)


# The gradient


def loss_and_targets(kind, rng):
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
    loss_function, n_outputs, targets = loss_and_targets(kind, rng)
    X, weight = random_X(), rng.uniform(0.1, 3, N_ROWS) if weighted else None
    network = random_network(HIDDEN[depth], activation, n_outputs)
    assert_gradient_is_the_slope(
        network, lambda: network.forward(X), lambda logits: loss_function(logits, targets, weight), strength
    )


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("kind", ["softmax labels", "logistic multilabel"])
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_the_gradient_under_dropout_is_the_slope_of_the_loss_under_the_same_masks(activation, kind, depth):
    rng = np.random.RandomState(0)
    loss_function, n_outputs, targets = loss_and_targets(kind, rng)
    network = Network((N_INPUTS, *HIDDEN[depth], n_outputs), activation, np.float64, dropout=0.4)
    network.initialize(np.random.RandomState(0))
    X, memory = random_X(), Memory(np.float64)

    def forward():
        return network.forward(X, memory, np.random.SFC64(7))

    def loss(logits):
        return loss_function(logits, targets, None)

    assert_gradient_is_the_slope(network, forward, loss)
    assert loss(forward()[0])[0] != pytest.approx(loss(network.forward(X)[0])[0], rel=1e-6)


MIXED = ("tanh", "relu", "logistic")


def test_each_layer_has_its_own_activation_if_they_are_listed():
    network, X = random_network(HIDDEN[3], MIXED), random_X()
    (A, B, C, D), (a, b, c, d) = network.coefs, network.intercepts
    hidden = np.maximum(np.tanh(X @ A + a) @ B + b, 0)
    hidden = 1 / (1 + np.exp(-(hidden @ C + c)))
    np.testing.assert_allclose(network.logits(X), hidden @ D + d, rtol=1e-12)


@pytest.mark.parametrize("dropout", [0.0, (0.5, 0.0, 0.2)])
@pytest.mark.parametrize("activations", [MIXED, ("gelu", "identity", "mish"), ("selu", "softplus", "elu")])
def test_the_gradient_of_listed_activations_is_the_slope_of_the_loss(activations, dropout):
    rng = np.random.RandomState(0)
    network, targets = random_network(HIDDEN[3], activations), rng.randint(N_OUTPUTS, size=N_ROWS)
    network.dropout = dropout
    network.allocate_gradient()

    def loss_and_gradient(parameters):
        network.parameters[...] = parameters
        logits, backprop = network.forward(random_X(), bits=np.random.SFC64(7))
        loss, d_logits = cross_entropy(logits, targets)
        backprop(d_logits)
        return loss, network.gradient.copy()

    w, direction, step = network.parameters.copy(), rng.normal(size=network.parameters.shape), 1e-6
    slope = (loss_and_gradient(w + step * direction)[0] - loss_and_gradient(w - step * direction)[0]) / (2 * step)
    assert loss_and_gradient(w)[1] @ direction == pytest.approx(slope, rel=1e-6)


def test_equal_activations_in_a_list_are_one_activation():
    listed, named = random_network(activation=["tanh", "tanh"]), random_network(activation="tanh")
    np.testing.assert_array_equal(listed.parameters, named.parameters)
    np.testing.assert_array_equal(listed.logits(random_X()), named.logits(random_X()))


def test_listed_activations_and_dropout_survive_copies_and_pickles():
    network = random_network(HIDDEN[3], MIXED)
    network.dropout = (0.5, 0.0, 0.2)
    for other in (network.copy(), pickle.loads(pickle.dumps(network))):
        assert (other.activation, other.dropout) == (MIXED, (0.5, 0.0, 0.2))
        mine, theirs = (net.forward(random_X(), bits=np.random.SFC64(3))[0] for net in (network, other))
        np.testing.assert_array_equal(mine, theirs)


# Dropout


def test_dropout_is_off_without_a_generator_and_in_predictions():
    network, plain = random_network(), random_network()
    network.dropout = 0.9
    np.testing.assert_array_equal(network.forward(random_X())[0], plain.forward(random_X())[0])
    np.testing.assert_array_equal(network.logits(random_X()), plain.logits(random_X()))


def test_dropout_keeps_the_expected_logits_of_a_layer_that_nothing_bends():
    network = random_network((50,), "identity")
    network.dropout = 0.5
    bits, exact = np.random.SFC64(0), network.logits(random_X())
    samples = np.array([network.forward(random_X(), bits=bits)[0].copy() for _ in range(2000)])
    errors = samples.std(axis=0) / np.sqrt(len(samples))
    assert (errors > 0).all()
    assert (np.abs(samples.mean(axis=0) - exact) < 5 * errors).all()


def test_a_list_of_dropout_rates_holds_one_rate_for_each_layer():
    """Where no unit of the first layer is dropped, the second layer's masks are the only difference."""
    network, X = random_network((5, 4), "identity"), random_X()
    network.dropout = (0.0, 0.5)
    logits = network.forward(X, bits=np.random.SFC64(0))[0].copy()
    (A, B, C), (a, b, c) = network.coefs, network.intercepts
    hidden, dropped = (X @ A + a) @ B + b, np.empty((N_ROWS, 4), order="F")
    dropout(hidden, 0.5, np.random.SFC64(0), out=dropped)
    np.testing.assert_allclose(logits, dropped @ C + c, rtol=1e-12)


def test_dropout_never_acts_on_the_input_and_the_logits():
    network = random_network((), "relu")
    network.dropout = 0.9
    np.testing.assert_array_equal(network.forward(random_X(), bits=np.random.SFC64(0))[0], network.logits(random_X()))


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


# Members


N_MEMBERS = 4
SKIPPED = {"none": (0, 0), "two of four inputs": (2, 2)}


def network_of_members(
    hidden=(5, 4), activation="tanh", n_outputs=N_OUTPUTS, dtype=np.float64, n_skipped=(0, 0), dropout=0.0, seed=0
):
    network = Network((N_INPUTS, *hidden, n_outputs), activation, dtype, dropout, N_MEMBERS, n_skipped)
    network.initialize(np.random.RandomState(seed))
    return network


def rows_of_all(seed=0):
    """Each member's rows, below one another."""
    return random_X(N_MEMBERS * N_ROWS, seed=seed)


def member_parts(array):
    return np.split(array, N_MEMBERS)


def gradients_of(network, X, d_logits, memory=None):
    """The logits, and the gradient of each layer's weights and biases."""
    network.allocate_gradient()
    logits, backprop = network.forward(X, memory)
    logits = logits.copy()
    backprop(d_logits.copy("F"))
    return logits, [d_W.copy() for d_W in network._matrices(network.gradient)]


@pytest.mark.parametrize("as_input", [np.asarray, csr_matrix], ids=["dense", "csr"])
@pytest.mark.parametrize("n_skipped", SKIPPED.values(), ids=SKIPPED)
@pytest.mark.parametrize("depth", HIDDEN)
def test_members_side_by_side_equal_separate_networks(depth, n_skipped, as_input):
    network, X = network_of_members(HIDDEN[depth], n_skipped=n_skipped), rows_of_all()
    d_logits = np.random.RandomState(1).normal(size=(len(X), N_OUTPUTS))
    logits, gradients = gradients_of(network, as_input(X), d_logits, Memory(np.float64))
    for k, (rows, d_rows, answer) in enumerate(zip(*map(member_parts, (X, d_logits, logits)))):
        alone, alone_gradients = gradients_of(network.member(k), as_input(rows), d_rows)
        np.testing.assert_allclose(answer, alone, rtol=1e-12)
        skipping = as_input is np.asarray and k < n_skipped[0]
        for layer, (together, expected) in enumerate(zip(gradients, alone_gradients)):
            first = n_skipped[1] if layer == 0 and skipping else 0
            np.testing.assert_allclose(together[k, first:], expected[first:], rtol=1e-11, atol=1e-14)
            assert not together[k, :first].any()


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_members_with_any_activation_are_separate_networks(activation):
    network, X = network_of_members(HIDDEN[3], activation), rows_of_all()
    d_logits = np.random.RandomState(1).normal(size=(len(X), N_OUTPUTS))
    logits, gradients = gradients_of(network, X, d_logits)
    for k, (rows, d_rows, answer) in enumerate(zip(*map(member_parts, (X, d_logits, logits)))):
        alone, alone_gradients = gradients_of(network.member(k), rows, d_rows)
        np.testing.assert_allclose(answer, alone, rtol=1e-12)
        for together, expected in zip(gradients, alone_gradients):
            np.testing.assert_allclose(together[k], expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("n_skipped", SKIPPED.values(), ids=SKIPPED)
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("kind", ["softmax labels", "softmax soft", "logistic labels", "logistic soft", "logistic multilabel"])
@pytest.mark.parametrize("dropped", [False, True], ids=["kept", "dropped"])
def test_the_gradient_of_members_is_the_slope_of_the_loss_along_a_random_direction(kind, weighted, n_skipped, dropped):
    rng = np.random.RandomState(0)
    loss_function, n_outputs, targets = loss_and_targets(kind, rng)
    targets, X = np.concatenate([np.roll(targets, k, axis=0) for k in range(N_MEMBERS)]), rows_of_all()
    weight = rng.uniform(0.1, 3, len(X)) if weighted else None
    network = network_of_members(HIDDEN[3], "tanh", n_outputs, n_skipped=n_skipped, dropout=np.array([0.1, 0.5, 0.0, 0.3]))
    network.allocate_gradient()

    def loss_and_gradient(parameters):
        network.parameters[...] = parameters
        logits, backprop = network.forward(X, bits=np.random.SFC64(7) if dropped else None)
        loss, d_logits = loss_function(logits, targets, weight)
        backprop(d_logits)
        return loss + network.add_l2(0.3), network.gradient.copy()

    w, direction, step = network.parameters.copy(), rng.normal(size=network.parameters.shape), 1e-6
    network._matrices(direction)[0][: n_skipped[0], : n_skipped[1]] = 0  # these weights stay 0
    slope = (loss_and_gradient(w + step * direction)[0] - loss_and_gradient(w - step * direction)[0]) / (2 * step)
    assert loss_and_gradient(w)[1] @ direction == pytest.approx(slope, rel=1e-6)


def test_members_that_skip_inputs_do_not_see_them():
    network, X = network_of_members(n_skipped=(2, 2)), rows_of_all()
    changed = X.copy()
    changed[:, :2] += 1
    before, after = (member_parts(network.forward(rows)[0].copy()) for rows in (X, changed))
    same = [np.array_equal(*pair) for pair in zip(before, after)]
    assert same == [True, True, False, False]


def optimizers_of(network):
    common = {"weight_decay": network.weight_parts(np.arange(4.0)), "relative_rates": network.relative_rates()}
    yield SGD(network.parameters, 0.1, **common)
    yield Adam(network.parameters, 0.1, **common)
    yield Averaged(Adam(network.parameters, 0.1, **common), network.parameters, 0.9)


@pytest.mark.parametrize("index", range(3), ids=["sgd", "adam", "averaged"])
@pytest.mark.parametrize("initialize", ["initialize", "initialize_scaled"])
def test_weights_of_skipped_inputs_stay_zero_through_training(initialize, index):
    network = network_of_members(n_skipped=(2, 3))
    getattr(network, initialize)(np.random.RandomState(0))
    network.allocate_gradient()
    start, X, targets = network.coefs[0].copy(), rows_of_all(), np.arange(N_MEMBERS * N_ROWS) % N_OUTPUTS
    optimizer = list(optimizers_of(network))[index]
    for _ in range(3):
        optimizer.begin_epoch(network.parameters)
        for _ in range(4):
            logits, backprop = network.forward(X)
            backprop(cross_entropy(logits, targets)[1])
            network.add_l2(0.1)
            optimizer.step(network.parameters, network.gradient, 0.1)
        optimizer.end_epoch(network.parameters)
    assert not network.coefs[0][:2, :3].any()
    others = np.ones(start.shape, bool)
    others[:2, :3] = False
    assert (network.coefs[0] != start)[others].all()


@pytest.mark.parametrize("index", range(3), ids=["sgd", "adam", "averaged"])
def test_members_trained_together_are_members_trained_alone(index):
    """With each member's own weight decay and relative rates."""
    network, X = network_of_members(n_skipped=(2, 2)), rows_of_all()
    d_logits = np.random.RandomState(1).normal(size=(len(X), N_OUTPUTS))
    alone = [network.member(k) for k in range(N_MEMBERS)]
    optimizers = [list(optimizers_of(network))[index]]
    for k, member in enumerate(alone):
        member.allocate_gradient()
        rates = [(part, 10 / np.sqrt(2) if k < 2 and i == 0 else rate) for i, (part, rate) in enumerate(member.relative_rates())]
        common = {"weight_decay": member.weight_parts(float(k)), "relative_rates": rates}
        inner = (SGD if index == 0 else Adam)(member.parameters, 0.1, **common)
        optimizers.append(inner if index < 2 else Averaged(inner, member.parameters, 0.9))
    network.allocate_gradient()
    for _ in range(5):
        network.forward(X)[1](d_logits.copy("F"))
        for member, rows, d_rows in zip(alone, member_parts(X), member_parts(d_logits)):
            member.forward(rows)[1](d_rows.copy("F"))
        for k in (0, 1):
            alone[k]._d_W[0][:2] = 0
        for one, optimizer in zip([network, *alone], optimizers):
            optimizer.step(one.parameters, one.gradient, 0.1)
    for k, member in enumerate(alone):
        for together, expected in zip(network._W, member._W):
            np.testing.assert_allclose(together[k], expected[...], rtol=1e-9, atol=1e-12)


def test_each_member_has_its_own_dropout_rate():
    network = network_of_members((400,), "identity", dropout=np.array([0.0, 0.25, 0.5, 0.75]))
    network.coefs[0][...], network.intercepts[0][...] = 0, 1  # a unit that is not dropped is 1 / (1 − rate)
    network.coefs[1][...], network.intercepts[1][...] = 1 / 400, 0
    answers = member_parts(network.forward(rows_of_all(), bits=np.random.SFC64(0))[0].copy())
    assert (answers[0] == pytest.approx(1)) and (np.ptp(answers[0]) < 1e-12)
    spreads = [answer[:, 0].std() for answer in answers[1:]]
    expected = np.sqrt(np.array([1 / 3, 1, 3]) / 400)  # √(rate / (1 − rate) / units)
    np.testing.assert_allclose(spreads, expected, rtol=0.6)
    assert all(abs(answer.mean() - 1) < 4 * spread / 3 for answer, spread in zip(answers[1:], expected))


def test_a_list_of_dropout_rates_holds_for_all_members():
    network = network_of_members((5, 4, 6, 5), dropout=(0.0, 0.5, 0.0, 0.0))
    rates = network._dropout_rates(N_MEMBERS * N_ROWS)
    assert rates == (0.0, 0.5, 0.0, 0.0)


def test_relative_rates_cover_all_parameters_and_follow_the_inputs_that_count():
    network = network_of_members(n_skipped=(2, 3))
    rates = np.full(len(network.parameters), np.nan)
    for part, factor in network.relative_rates():
        assert np.isnan(rates[part]).all()
        rates[part] = factor
    first, second, third = network._matrices(rates)
    np.testing.assert_allclose(first[:2], 10)  # of one input
    np.testing.assert_allclose(first[2:], 10 / np.sqrt(4))
    np.testing.assert_allclose(second, 10 / np.sqrt(5))
    np.testing.assert_allclose(third, 10 / np.sqrt(4))


def test_the_l2_penalty_of_members_is_the_sum_of_theirs():
    network = network_of_members()
    network.allocate_gradient()
    assert network.add_l2(0.3) == pytest.approx(0.15 * sum((W**2).sum() for W in network.coefs), rel=1e-14)
    for d_W, W in zip(network._matrices(network.gradient), network._W):
        np.testing.assert_allclose(d_W[:, :-1], 0.3 * W[:, :-1], rtol=1e-14)
        assert not d_W[:, -1].any()


def test_initial_weights_of_members_are_scaled_by_the_inputs_that_they_see():
    network = Network((400, 60, 3), "relu", np.float64, n_members=4, n_skipped=(2, 300))
    network.initialize_scaled(np.random.RandomState(0))
    first, second = network.coefs
    assert not first[:2, :300].any()
    assert first[:2, 300:].std() == pytest.approx(0.1, rel=0.03)
    assert first[2:].std() == pytest.approx(0.05, rel=0.03)
    assert network.intercepts[0].std() == pytest.approx(1, rel=0.15)
    assert not second.any()


@pytest.mark.parametrize("as_input", [np.asarray, csr_matrix], ids=["dense", "csr"])
@pytest.mark.parametrize("n_rows", [1, 7, 12])
def test_predicted_logits_are_those_of_all_members_on_all_rows(monkeypatch, as_input, n_rows):
    network, X = network_of_members(n_skipped=(2, 2)), random_X(n_rows)
    expected = np.stack([network.member(k).logits(X) for k in range(N_MEMBERS)])
    monkeypatch.setattr(network_module, "SMALLEST_CHUNK", 1)
    for elements in (2**18, 5 * N_MEMBERS * 3):  # at once, and in chunks of three rows
        monkeypatch.setattr(network_module, "CHUNK_ELEMENTS", elements)
        seen = []
        mean = network.logits(as_input(X), combine=lambda z: seen.append(z.copy()) or z.mean(axis=0))  # noqa: B023
        np.testing.assert_allclose(np.concatenate(seen, axis=1), expected, rtol=1e-12)
        np.testing.assert_allclose(mean, expected.mean(axis=0), rtol=1e-12)
    assert [z.shape[1] for z in seen] == [3] * (n_rows // 3) + ([n_rows % 3] if n_rows % 3 else [])


def test_members_survive_copies_and_pickles_but_their_gradient_does_not():
    rates = np.array([0.1, 0.5, 0.0, 0.3])
    network = network_of_members(n_skipped=(2, 2), dropout=rates)
    network.allocate_gradient()
    for other in (network.copy(), pickle.loads(pickle.dumps(network))):
        assert (other.n_members, other.n_skipped, other.gradient) == (N_MEMBERS, (2, 2), None)
        mine, theirs = (net.forward(rows_of_all(), bits=np.random.SFC64(3))[0] for net in (network, other))
        np.testing.assert_array_equal(mine, theirs)


def test_a_member_taken_out_is_a_copy():
    network = network_of_members()
    member = network.member(1)
    assert member.n_members is None
    np.testing.assert_array_equal(member.coefs[0], network.coefs[0][1])
    member.parameters[...] = 0
    assert network.coefs[0][1].all()


def test_members_are_flattened_and_rebuilt_from_their_arrays():
    network = network_of_members()
    np.testing.assert_array_equal(network.flatten([*network.coefs, *network.intercepts]), network.parameters)
    rebuilt = Network.from_arrays(network.coefs, network.intercepts, "tanh", N_INPUTS, N_OUTPUTS, N_MEMBERS)
    np.testing.assert_array_equal(rebuilt.parameters, network.parameters)
    assert rebuilt.layer_units == network.layer_units
    with pytest.raises(ValueError, match=r"coefs_\[0\] must have shape \(4, 4, 5\) .* got \(4, 5\)"):
        Network.from_arrays([W[0] for W in network.coefs], network.intercepts, "tanh", N_INPUTS, N_OUTPUTS, N_MEMBERS)


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
