"""The network's gradient against its own loss, its memory layout, its initialization and its predictions."""

import pickle
from dataclasses import FrozenInstanceError, replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from sksoftmax import model as model_module
from sksoftmax.data.rows import common_input
from sksoftmax.layout import EMBEDDING_UNITS, Layout
from sksoftmax.loss import binary_cross_entropy, cross_entropy
from sksoftmax.model import chunk_size
from sksoftmax.nn.layers import ACTIVATIONS, Dropout, bit_generators
from sksoftmax.nn.network import Architecture, Network, Workspace, network_from_arrays
from sksoftmax.nn.optimizers import SGD, Adam, WeightAverage
from support import networks
from support.networks import (
    assert_gradient_is_the_slope,
    form_of,
    forward,
    initialized,
    input_of,
    logits_and_gradient,
    logits_of_members,
    model_of,
)
from support.processes import watch

N_ROWS, N_INPUTS, N_OUTPUTS = 9, 4, 3
HIDDEN = {0: (), 1: (5,), 3: (5, 4, 6)}
AS_INPUT = pytest.mark.parametrize("as_input", [np.asarray, csr_matrix], ids=["dense", "csr"])
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def random_network(hidden=(5, 4), activation="tanh", n_outputs=N_OUTPUTS, dtype=np.float64, seed=0, **params):
    return initialized(form_of(N_INPUTS, hidden, n_outputs, activation, **params), dtype, seed)


def random_X(n_rows=N_ROWS, dtype=np.float64, seed=0):
    return np.random.RandomState(seed).normal(size=(n_rows, N_INPUTS)).astype(dtype)


def with_dropout(rates, seed=0):
    """Dropout at these rates, a number or a list for each hidden layer, from new bit generators."""
    rates = np.asarray(rates, dtype=float)
    return Dropout(rates, bit_generators(seed, rates.shape[1]))


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
        network, lambda: forward(network, X), lambda logits: loss_function(logits, targets, weight), strength
    )


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("kind", ["softmax labels", "logistic multilabel"])
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_the_gradient_under_dropout_is_the_slope_of_the_loss_under_the_same_masks(activation, kind, depth):
    rng = np.random.RandomState(0)
    loss_function, n_outputs, targets = loss_and_targets(kind, rng)
    network = random_network(HIDDEN[depth], activation, n_outputs)
    X, memory = random_X(), Workspace(network.architecture, np.float64)

    def dropped():
        return forward(network, X, memory, with_dropout([[0.4]] * depth, seed=7))

    def loss(logits):
        return loss_function(logits, targets, None)

    assert_gradient_is_the_slope(network, dropped, loss)
    assert loss(dropped()[0][0])[0] != pytest.approx(loss(forward(network, X)[0][0])[0], rel=1e-6)


MIXED = ("tanh", "relu", "logistic")


def test_each_layer_has_its_own_activation():
    network, X = random_network(HIDDEN[3], MIXED), random_X()
    (A, B, C, D), (a, b, c, d) = network.coefs, network.intercepts
    hidden = np.maximum(np.tanh(X @ A + a) @ B + b, 0)
    hidden = 1 / (1 + np.exp(-(hidden @ C + c)))
    np.testing.assert_allclose(forward(network, X)[0][0], hidden @ D + d, rtol=1e-12)


@pytest.mark.parametrize("rates", [(0.0, 0.0, 0.0), (0.5, 0.0, 0.2)])
@pytest.mark.parametrize("activations", [MIXED, ("gelu", "identity", "mish"), ("selu", "softplus", "elu")])
def test_the_gradient_of_different_activations_is_the_slope_of_the_loss(activations, rates):
    network, targets = random_network(HIDDEN[3], activations), np.random.RandomState(0).randint(N_OUTPUTS, size=N_ROWS)
    assert_gradient_is_the_slope(
        network,
        lambda: forward(network, random_X(), dropout=with_dropout(np.reshape(rates, (-1, 1)), seed=7)),
        lambda logits: cross_entropy(logits, targets),
    )


def test_activations_survive_copies_and_pickles():
    network = random_network(HIDDEN[3], MIXED)
    for other in (network.copy(), pickle.loads(pickle.dumps(network))):
        assert other.architecture == network.architecture
        assert other.architecture.activations == MIXED
        np.testing.assert_array_equal(forward(other, random_X())[0], forward(network, random_X())[0])


# Dropout


def test_dropout_is_off_in_a_pass_without_it_and_in_predictions():
    network = random_network()
    memory, plain = Workspace(network.architecture, network.dtype), forward(network, random_X())[0]
    assert (forward(network, random_X(), memory, with_dropout([[0.9], [0.9]]))[0] != plain).any()
    np.testing.assert_array_equal(forward(network, random_X(), memory)[0], plain)
    np.testing.assert_allclose(logits_of_members(network, random_X(), memory), plain, rtol=1e-13)


def test_dropout_keeps_the_expected_logits_of_a_linear_layer():
    network = random_network((50,), "identity")
    dropout, exact = with_dropout([[0.5]]), forward(network, random_X())[0]
    samples = np.array([forward(network, random_X(), dropout=dropout)[0] for _ in range(2000)])
    errors = samples.std(axis=0) / np.sqrt(len(samples))
    assert (errors > 0).all()
    assert (np.abs(samples.mean(axis=0) - exact) < 5 * errors).all()


def test_each_hidden_layer_has_its_own_dropout_rate():
    """If no unit of the first layer is dropped, the second layer's masks are the only difference."""
    network, X = random_network((5, 4), "identity"), random_X()
    logits = forward(network, X, dropout=with_dropout([[0.0], [0.5]]))[0]
    (A, B, C), (a, b, c) = network.coefs, network.intercepts
    hidden, dropped = ((X @ A + a) @ B + b)[None], np.empty((1, N_ROWS, 4))
    with_dropout([[0.5]]).drop(hidden, 0, dropped)
    np.testing.assert_allclose(logits, dropped @ C + c, rtol=1e-12)


def test_dropout_never_acts_on_the_input_and_the_logits():
    network = random_network((), "relu")
    dropped = forward(network, random_X(), dropout=with_dropout([[0.9]]))[0]
    np.testing.assert_array_equal(dropped, forward(network, random_X())[0])


@pytest.mark.parametrize("n_members", [1, 4])
def test_the_gradient_of_a_sparse_batch_is_that_of_the_dense_one(n_members):
    X, network = random_X(n_members * N_ROWS), random_network(n_members=n_members)
    X[X < 0] = 0
    d_logits = np.random.RandomState(1).normal(size=(n_members, N_ROWS, N_OUTPUTS))
    dense, sparse = (logits_and_gradient(network.copy(), rows, d_logits) for rows in (X, csr_matrix(X)))
    for ours, theirs in zip(sparse, dense):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


def test_the_l2_penalty_is_half_the_strength_times_the_squared_weights_and_leaves_biases_free():
    network = random_network()
    network.allocate_gradient()
    (penalty,) = network.add_l2(np.array([0.3]))
    assert penalty == pytest.approx(0.15 * sum((W**2).sum() for W in network.coefs), rel=1e-14)
    free = np.ones_like(network.parameters)
    for part, strength in network.decays(np.array([0.3])):
        np.testing.assert_array_equal(network.gradient[part], strength * network.parameters[part])
        free[part] = 0
    assert not (network.gradient * free).any()


def test_an_l2_penalty_of_strength_zero_changes_nothing():
    network = random_network()
    network.allocate_gradient()
    network.gradient[...] = 7
    np.testing.assert_array_equal(network.add_l2(np.zeros(1)), [0])
    np.testing.assert_array_equal(network.gradient, 7)


# The flat vector


FORMS = {
    "one network": form_of(N_INPUTS, (5, 4), N_OUTPUTS),
    "no hidden layer": form_of(N_INPUTS, (), 1),
    "members": form_of(N_INPUTS, (5,), N_OUTPUTS, n_members=4, skip=(2, 2)),
    "tables": form_of(N_INPUTS, (5,), N_OUTPUTS, n_codes=(3, 6)),
    "members with tables": form_of(N_INPUTS, (5, 2), N_OUTPUTS, n_members=4, skip=(2, 1), n_codes=(3, 6)),
}
EVERY_FORM = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@EVERY_FORM
def test_slots_cover_the_flat_vector_exactly_once_and_in_order(form):
    bounds = [(part.start, part.stop) for part, *_ in form.slots()]
    assert bounds[0][0] == 0
    assert bounds[-1][1] == form.n_parameters
    assert all(start < stop for start, stop in bounds)
    assert [stop for _, stop in bounds[:-1]] == [start for start, _ in bounds[1:]]


@EVERY_FORM
def test_slots_name_the_layer_the_member_and_the_kind_of_their_numbers(form):
    flat = np.arange(form.n_parameters)
    *layers, tables = form.split(flat)
    for part, layer, member, kind in form.slots():
        array = tables if kind == "E" else layers[layer]
        expected = {"W": array[member, :-1], "b": array[member, -1], "E": array[member]}[kind]
        np.testing.assert_array_equal(flat[part], expected.ravel())
    n_kinds = len(layers) * 2 + bool(form.layout.n_codes)
    assert len({(slot.layer, slot.member, slot.kind) for slot in form.slots()}) == len(form.slots()) == form.n_members * n_kinds


def test_a_form_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        FORMS["members"].n_members = 2


def test_an_embedded_column_counts_as_the_units_of_its_vectors():
    form = FORMS["tables"]
    assert form.layer_sizes == (N_INPUTS - 2 + 2 * EMBEDDING_UNITS, 5, N_OUTPUTS)
    assert form.layout.n_numbers == N_INPUTS - 2
    assert form.shapes()[-1] == (1, 9, EMBEDDING_UNITS)


def test_parameters_are_shown_layer_by_layer_without_a_copy():
    network = random_network()
    network.allocate_gradient()
    flat, weights, biases = network.parameters, network.coefs, network.intercepts
    flat[...] = np.arange(len(flat))
    in_order = [part.ravel() for pair in zip(weights, biases) for part in pair]
    np.testing.assert_array_equal(np.concatenate(in_order), flat)
    assert [W.shape for W in weights] == [(4, 5), (5, 4), (4, 3)]
    assert all(np.shares_memory(part, flat) for part in weights + biases)


@DTYPES
def test_parameters_gradient_and_logits_have_the_dtype_of_the_network(dtype):
    network = random_network(dtype=dtype)
    network.allocate_gradient()
    assert {a.dtype for a in (network.parameters, network.gradient, network.coefs[0])} == {np.dtype(dtype)}
    assert network.dtype == forward(network, random_X(dtype=np.float64))[0].dtype == dtype


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
    logits, gradient = logits_and_gradient(restored, random_X(), np.ones((1, N_ROWS, N_OUTPUTS)))
    np.testing.assert_array_equal(logits, forward(network, random_X())[0])
    assert gradient.all()


def test_a_pickle_holds_the_parameters_once():
    network = random_network(hidden=(300,))
    network.allocate_gradient()
    assert len(pickle.dumps(network)) < network.parameters.nbytes + 1000


def test_weight_decay_acts_on_the_weights_of_each_member_and_not_on_biases():
    network = Network.zeros(form_of(2, (3,), 1), np.float64)
    assert network.decays([0.5]) == [(slice(0, 6), 0.5), (slice(9, 12), 0.5)]
    members = Network.zeros(form_of(2, (3,), 1, n_members=2), np.float64)
    assert members.decays([1.0, 2.0]) == [
        (slice(0, 6), 1.0),
        (slice(9, 15), 2.0),
        (slice(18, 21), 1.0),
        (slice(22, 25), 2.0),
    ]


# Memory


@AS_INPUT
@pytest.mark.parametrize("n_members", [1, 4])
@pytest.mark.parametrize("depth", HIDDEN)
def test_logits_of_all_members_one_below_the_other_are_a_view_of_the_layers_memory(depth, n_members, as_input):
    """The loss reads them, and writes its gradient over them, without a copy."""
    network = random_network(HIDDEN[depth], n_members=n_members)
    logits, _ = forward(network, as_input(random_X(n_members * N_ROWS)))
    flat = logits.reshape(-1, N_OUTPUTS)
    assert logits.shape == (n_members, N_ROWS, N_OUTPUTS)
    assert np.shares_memory(flat, logits)
    assert flat.flags.f_contiguous  # what the softmax sums over is contiguous
    flat[N_ROWS - 1, 1] = 99.0
    assert logits[0, -1, 1] == 99
    assert np.shares_memory(flat.reshape(logits.shape), logits)


@pytest.mark.parametrize("n_members", [1, 4])
def test_memory_gives_the_same_buffer_for_the_same_purpose_and_number_of_rows_alone(n_members):
    memory = Workspace(form_of(N_INPUTS, (5,), N_OUTPUTS, n_members=n_members), np.float32)
    inputs, units = memory.inputs(7, n_members), memory.layer_output("dropped", 7, 5)
    assert inputs.shape == (n_members, 7, N_INPUTS + 1)
    assert units.shape == (n_members, 7, 6)
    for buffer in (inputs, units):
        assert buffer.dtype == np.float32
        np.testing.assert_array_equal(buffer[..., -1], 1)
    assert memory.inputs(7, n_members) is inputs
    assert memory.layer_output("dropped", 7, 5) is units
    others = [memory.layer_output(*key) for key in (("dropped", 8, 5), (0, 7, 5), ("dropped", 7, 4))]
    others.append(memory.inputs(8, n_members))
    assert not any(np.shares_memory(other, buffer) for other in others for buffer in (inputs, units))


def test_passes_and_predictions_write_nothing_to_the_network():
    network, X = random_network(), random_X()
    state, parameters, before = pickle.dumps(network), network.parameters, dict(vars(network))
    forward(network, X)
    logits_of_members(network, X)
    assert pickle.dumps(network) == state
    assert network.parameters is parameters
    assert vars(network).keys() == before.keys()
    assert all(value is before[name] for name, value in vars(network).items())
    assert network.gradient is None


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_forward_and_backprop_overwrite_neither_X_nor_the_parameters(activation):
    network, X = random_network(activation=activation), random_X()
    network.allocate_gradient()
    w, memory = network.parameters.copy(), Workspace(network.architecture, network.dtype)
    inputs = input_of(network, X, memory)
    before = inputs.copy()
    logits, backprop = network.forward(inputs, memory)
    backprop(np.ones_like(logits))
    np.testing.assert_array_equal(X, random_X())
    np.testing.assert_array_equal(inputs, before)
    np.testing.assert_array_equal(network.parameters, w)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_a_second_forward_pass_does_not_disturb_the_backprop_of_the_first(activation):
    network, X = random_network(activation=activation), random_X()
    d_logits = np.ones((1, N_ROWS, N_OUTPUTS))
    _, expected = logits_and_gradient(network, X, d_logits)
    _, backprop = forward(network, X)
    forward(network, random_X(seed=1))
    backprop(d_logits)
    np.testing.assert_array_equal(network.gradient, expected)


# Initialization


@pytest.mark.parametrize("activation, factor", [("relu", 6), ("tanh", 6), ("logistic", 2), ("identity", 6)])
def test_initial_parameters_fill_the_glorot_interval(activation, factor):
    network = initialized(form_of(40, (60,), 20, activation))
    for W, b in zip(network.coefs, network.intercepts):
        bound = np.sqrt(factor / (W.shape[0] + W.shape[1]))
        assert 0.98 * bound < np.abs(W).max() <= bound
        assert 0.8 * bound < np.abs(b).max() <= bound
        assert np.std(W) == pytest.approx(bound / np.sqrt(3), rel=0.05)


def test_each_layer_is_initialized_for_its_own_activation():
    network = Network.zeros(form_of(40, (60,), 20, "relu"), np.float64)
    network.initialize(np.random.RandomState(0), ("relu", "logistic"))
    for W, bound in zip(network.coefs, (np.sqrt(6 / 100), np.sqrt(2 / 80))):
        assert 0.98 * bound < np.abs(W).max() <= bound


@DTYPES
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


def chunks_of(monkeypatch, numbers):
    """Let prediction compute this many outputs of a layer at once, in chunks of one row or more."""
    monkeypatch.setattr(model_module, "CHUNK_NUMBERS", numbers)
    monkeypatch.setattr(model_module, "SMALLEST_CHUNK", 1)


@AS_INPUT
@pytest.mark.parametrize("n_rows, chunks", [(4, [4]), (5, [4, 1]), (8, [4, 4]), (11, [4, 4, 3])])
def test_logits_in_chunks_equal_logits_at_once(monkeypatch, as_input, n_rows, chunks):
    network, X = random_network(), as_input(random_X(n_rows))
    at_once, seen = logits_of_members(network, X), []
    np.testing.assert_allclose(at_once, forward(network, X)[0], rtol=1e-13)
    watch(monkeypatch, networks, "member_logits", see=lambda network, X, workspace: seen.append(X.shape[0]))
    chunks_of(monkeypatch, 4 * max(network.architecture.layer_sizes) + 1)
    np.testing.assert_allclose(logits_of_members(network, X), at_once, rtol=1e-13)
    assert seen == chunks


def test_a_layer_wider_than_a_chunk_is_computed_row_by_row(monkeypatch):
    network, X = random_network(), random_X()
    at_once = logits_of_members(network, X)
    chunks_of(monkeypatch, 1)
    assert chunk_size(network, X) == 1
    np.testing.assert_allclose(logits_of_members(network, X), at_once, rtol=1e-13)


def test_the_columns_of_sparse_rows_do_not_make_chunks_smaller(monkeypatch):
    """Sparse rows are never made dense."""
    network = Network.zeros(form_of(1000, (5,), N_OUTPUTS), np.float64)
    chunks_of(monkeypatch, 1000)
    assert chunk_size(network, np.empty((1, 1000))) == 1
    assert chunk_size(network, csr_matrix((1, 1000))) == 200


# Members


N_MEMBERS = 4
SKIPPED = {"none": (0, 0), "two of four inputs": (2, 2)}
EVERY_SKIP = pytest.mark.parametrize("skip", SKIPPED.values(), ids=SKIPPED)


def network_of_members(hidden=(5, 4), activation="tanh", **params):
    return random_network(hidden, activation, n_members=N_MEMBERS, **params)


def rows_of_all(seed=0):
    """Each member's rows, below one another."""
    return random_X(N_MEMBERS * N_ROWS, seed=seed)


def derivatives_of_all(seed=1):
    """A derivative at the logits of all members."""
    return np.random.RandomState(seed).normal(size=(N_MEMBERS, N_ROWS, N_OUTPUTS))


def parts_of(X):
    """Each member's rows."""
    return [X[start : start + N_ROWS] for start in range(0, X.shape[0], N_ROWS)]


def alone(network, index):
    """One of the members as a network of its own that skips the same inputs."""
    members = network.architecture.n_without_bins
    member = network.member(index)
    return member.copy(replace(member.architecture, n_without_bins=int(index < members)))


def assert_members_are_networks_alone(network, X):
    """Each member has to the bit the logits and the gradient of the same network alone."""
    d_logits = derivatives_of_all()
    logits, gradient = logits_and_gradient(network, X, d_logits)
    for k, (rows, d_rows) in enumerate(zip(parts_of(X), d_logits)):
        answer, expected = logits_and_gradient(one := alone(network, k), rows, d_rows[None])
        np.testing.assert_array_equal(logits[k], answer[0])
        for together, by_itself in zip(network.architecture.split(gradient), one.architecture.split(expected)):
            np.testing.assert_array_equal(together[k], by_itself[0])


@EVERY_SKIP
@pytest.mark.parametrize("depth", HIDDEN)
@pytest.mark.parametrize("n_codes", [(), (3, 6)], ids=["numbers", "embeddings"])
@DTYPES
def test_a_member_has_exactly_the_logits_and_the_gradient_of_the_same_network_alone(dtype, n_codes, depth, skip):
    network, X = network_of_members(HIDDEN[depth], skip=skip, n_codes=n_codes, dtype=dtype), rows_of_all()
    network.E[...] = np.random.RandomState(1).normal(size=network.E.shape)
    for column, n in zip((2, 3), n_codes):
        X[:, column] = np.random.RandomState(column).randint(n, size=len(X))
    assert_members_are_networks_alone(network, X)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_a_member_with_any_activation_is_exactly_the_same_network_alone(activation):
    assert_members_are_networks_alone(network_of_members(HIDDEN[3], activation), rows_of_all())


@pytest.mark.parametrize("depth", HIDDEN)
def test_a_member_on_sparse_rows_is_exactly_the_same_network_alone(depth):
    X = rows_of_all()
    X[X < 0] = 0
    assert_members_are_networks_alone(network_of_members(HIDDEN[depth]), csr_matrix(X))


@AS_INPUT
@EVERY_SKIP
@pytest.mark.parametrize("depth", HIDDEN)
def test_members_side_by_side_equal_networks_that_see_all_inputs_with_weights_of_zero(depth, skip, as_input):
    network, X, d_logits = network_of_members(HIDDEN[depth], skip=skip), rows_of_all(), derivatives_of_all()
    logits, gradient = logits_and_gradient(network, as_input(X), d_logits)
    for k, (rows, d_rows) in enumerate(zip(parts_of(X), d_logits)):
        member = network.member(k)
        answer, expected = logits_and_gradient(member, as_input(rows), d_rows[None])
        np.testing.assert_allclose(logits[k], answer[0], rtol=1e-12)
        skips = as_input is np.asarray and k < skip[0]
        for layer, (together, by_itself) in enumerate(
            zip(network.architecture.split(gradient), member.architecture.split(expected))
        ):
            first = skip[1] if layer == 0 and skips else 0
            np.testing.assert_allclose(together[k, first:], by_itself[0, first:], rtol=1e-11, atol=1e-14)
            assert not together[k, :first].any()


@EVERY_SKIP
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("kind", ["softmax labels", "softmax soft", "logistic labels", "logistic soft", "logistic multilabel"])
@pytest.mark.parametrize("dropped", [False, True], ids=["kept", "dropped"])
def test_the_gradient_of_members_is_the_slope_of_the_loss_along_a_random_direction(kind, weighted, skip, dropped):
    rng = np.random.RandomState(0)
    loss_function, n_outputs, targets = loss_and_targets(kind, rng)
    targets, X = np.concatenate([np.roll(targets, k, axis=0) for k in range(N_MEMBERS)]), rows_of_all()
    weight, rates = rng.uniform(0.1, 3, len(X)) if weighted else None, np.tile([0.1, 0.5, 0.0, 0.3], (3, 1))
    network = network_of_members(HIDDEN[3], n_outputs=n_outputs, skip=skip)
    assert_gradient_is_the_slope(
        network,
        lambda: forward(network, X, dropout=with_dropout(rates, seed=7) if dropped else None),
        lambda logits: loss_function(logits, targets, weight),
        strengths=[0.3, 0.0, 0.5, 0.1],
    )


def test_members_that_skip_inputs_do_not_see_them():
    network, X = network_of_members(skip=(2, 2)), rows_of_all()
    changed = X.copy()
    changed[:, :2] += 1
    before, after = (forward(network, rows)[0] for rows in (X, changed))
    same = [np.array_equal(*pair) for pair in zip(before, after)]
    assert same == [True, True, False, False]


OPTIMIZERS = pytest.mark.parametrize(
    "kind, averaged", [(SGD, False), (Adam, False), (Adam, True)], ids=["sgd", "adam", "averaged"]
)


def trained(network, kind, averaged, gradient_of, decay, n_epochs=3):
    """Train this network at relative rates, with each member's own weight decay, on the gradient that a function fills in."""
    network.allocate_gradient()
    optimizer = kind(network.parameters, weight_decay=network.decays(decay), relative_rates=network.relative_rates("ntk"))
    average = WeightAverage(network.parameters, 0.9)
    for _ in range(n_epochs):
        average.begin_epoch(network.parameters)
        for _ in range(4):
            gradient_of(network)
            optimizer.step(network.parameters, network.gradient, 0.1)
            if averaged:
                average.update(network.parameters, scratch=network.gradient)
        average.end_epoch(network.parameters)


@OPTIMIZERS
@pytest.mark.parametrize("initialize", ["initialize", "initialize_scaled"])
def test_weights_of_skipped_inputs_stay_zero_through_training(initialize, kind, averaged):
    network = network_of_members(skip=(2, 3))
    if initialize == "initialize_scaled":
        network.initialize_scaled(np.random.RandomState(0))
    start, X, targets = network.coefs[0].copy(), rows_of_all(), np.arange(N_MEMBERS * N_ROWS) % N_OUTPUTS

    def gradient_of(network):
        logits, backprop = forward(network, X)
        backprop(cross_entropy(logits.reshape(-1, N_OUTPUTS), targets)[1].reshape(logits.shape))
        network.add_l2(np.full(N_MEMBERS, 0.1))

    trained(network, kind, averaged, gradient_of, decay=np.arange(4.0))
    assert not network.coefs[0][:2, :3].any()
    others = np.ones(start.shape, bool)
    others[:2, :3] = False
    assert (network.coefs[0] != start)[others].all()


@OPTIMIZERS
def test_members_trained_together_are_members_trained_alone(kind, averaged):
    """With each member's own weight decay and relative rates."""
    network, X, d_logits = network_of_members(skip=(2, 2)), rows_of_all(), derivatives_of_all()
    members = [alone(network, k) for k in range(N_MEMBERS)]
    trained(network, kind, averaged, lambda net: forward(net, X)[1](d_logits.copy()), decay=np.arange(4.0))
    for k, (member, rows, d_rows) in enumerate(zip(members, parts_of(X), d_logits)):
        start = member.parameters.copy()
        trained(member, kind, averaged, lambda net: forward(net, rows)[1](d_rows[None].copy()), decay=[float(k)])  # noqa: B023
        assert (member.parameters != start).any()
        for together, by_itself in zip(network.W, member.W):
            np.testing.assert_allclose(together[k], by_itself[0], rtol=1e-9, atol=1e-12)


def test_each_member_has_its_own_dropout_rate():
    network = network_of_members((400,), "identity")
    network.coefs[0][...], network.intercepts[0][...] = 0, 1  # a unit that is not dropped is 1 / (1 − rate)
    network.coefs[1][...], network.intercepts[1][...] = 1 / 400, 0
    answers = forward(network, rows_of_all(), dropout=with_dropout([[0.0, 0.25, 0.5, 0.75]]))[0]
    assert (answers[0] == pytest.approx(1)) and (np.ptp(answers[0]) < 1e-12)
    spreads = [answer[:, 0].std() for answer in answers[1:]]
    expected = np.sqrt(np.array([1 / 3, 1, 3]) / 400)  # √(rate / (1 − rate) / units)
    np.testing.assert_allclose(spreads, expected, rtol=0.6)
    assert all(abs(answer.mean() - 1) < 4 * spread / 3 for answer, spread in zip(answers[1:], expected))


def test_dropout_rates_are_a_row_for_each_layer_and_a_column_for_each_member():
    """Also if there are as many layers as members."""
    network, X = network_of_members((5, 4, 6, 5)), rows_of_all()
    rates, plain = np.zeros((4, N_MEMBERS)), forward(network, X)[0]
    rates[1] = 0.5
    dropped = forward(network, X, dropout=with_dropout(rates))[0]
    assert all((of_member != kept).any() for of_member, kept in zip(dropped, plain))
    rates[1, :2] = rates[1, 3] = 0
    dropped = forward(network, X, dropout=with_dropout(rates))[0]
    assert [(of_member != kept).any() for of_member, kept in zip(dropped, plain)] == [False, False, True, False]


def test_relative_rates_cover_all_parameters_and_follow_the_inputs_that_count():
    network = network_of_members(skip=(2, 3))
    rates = np.full(len(network.parameters), np.nan)
    for part, factor in network.relative_rates("ntk"):
        assert np.isnan(rates[part]).all()
        rates[part] = factor
    first, second, third, _ = network.architecture.split(rates)
    np.testing.assert_allclose(first[:2], 10)  # of one input
    np.testing.assert_allclose(first[2:], 10 / np.sqrt(4))
    np.testing.assert_allclose(second, 10 / np.sqrt(5))
    np.testing.assert_allclose(third, 10 / np.sqrt(4))


def test_layers_have_relative_rates_with_parametrization_ntk_alone():
    assert network_of_members().relative_rates("standard") is None
    assert network_of_members().relative_rates("ntk") is not None


def test_each_member_has_its_own_l2_penalty():
    network, strengths = network_of_members(), np.array([0.3, 0.0, 1.0, 0.1])
    network.allocate_gradient()
    squares = sum((W[:, :-1] ** 2).sum(axis=(1, 2)) for W in network.W)
    np.testing.assert_allclose(network.add_l2(strengths), 0.5 * strengths * squares, rtol=1e-14)
    for d_W, W in zip(network.architecture.split(network.gradient), network.W):
        np.testing.assert_allclose(d_W[:, :-1], strengths[:, None, None] * W[:, :-1], rtol=1e-14)
        assert not d_W[:, -1].any()


def test_initial_weights_of_members_are_scaled_by_the_inputs_that_they_see():
    network = Network.zeros(form_of(400, (60,), 3, n_members=4, skip=(2, 300)), np.float64)
    network.initialize_scaled(np.random.RandomState(0))
    first, second = network.coefs
    assert not first[:2, :300].any()
    assert first[:2, 300:].std() == pytest.approx(0.1, rel=0.03)
    assert first[2:].std() == pytest.approx(0.05, rel=0.03)
    assert network.intercepts[0].std() == pytest.approx(1, rel=0.15)
    assert not second.any()


def test_input_that_all_members_share_is_held_once_unless_they_embed_columns_of_it():
    for n_codes, n_held in (((), 1), ((3,), N_MEMBERS)):
        memory = Workspace(form_of(N_INPUTS, (), N_OUTPUTS, n_members=N_MEMBERS, n_codes=n_codes), np.float64)
        inputs = common_input(X := random_X(), memory)
        assert inputs.shape == (N_MEMBERS, N_ROWS, memory.architecture.layer_sizes[0] + 1)
        np.testing.assert_array_equal(inputs[..., :N_INPUTS], np.broadcast_to(X, (N_MEMBERS, *X.shape)))
        np.testing.assert_array_equal(inputs[..., -1], 1)
        assert sum(array.size for array in memory.arrays.values()) == n_held * inputs[0].size


@AS_INPUT
@pytest.mark.parametrize("n_rows", [1, 7, 12])
def test_predicted_logits_are_those_of_all_members_on_all_rows(monkeypatch, as_input, n_rows):
    network, X = network_of_members(skip=(2, 2)), random_X(n_rows)
    expected = np.concatenate([forward(network.member(k), X)[0] for k in range(N_MEMBERS)])
    seen = []
    ensemble_weights = SimpleNamespace(logits=lambda logits, head: seen.append(logits.copy()) or logits.mean(axis=0))
    for numbers in (2**18, 5 * N_MEMBERS * 3):  # at once, and in chunks of three rows
        chunks_of(monkeypatch, numbers)
        seen.clear()
        mean = model_of(network, ensemble_weights=ensemble_weights).logits_of(as_input(X))
        np.testing.assert_allclose(np.concatenate(seen, axis=1), expected, rtol=1e-12)
        np.testing.assert_allclose(mean, expected.mean(axis=0), rtol=1e-12)
    assert [z.shape[1] for z in seen] == [3] * (n_rows // 3) + ([n_rows % 3] if n_rows % 3 else [])


def test_members_survive_copies_and_pickles_but_their_gradient_does_not():
    network = network_of_members(skip=(2, 2))
    network.allocate_gradient()
    for other in (network.copy(), pickle.loads(pickle.dumps(network))):
        assert (other.architecture, other.gradient) == (network.architecture, None)
        np.testing.assert_array_equal(forward(other, rows_of_all())[0], forward(network, rows_of_all())[0])


def test_a_member_taken_out_is_a_copy():
    network = network_of_members()
    member = network.member(1)
    assert (member.architecture.n_members, member.architecture.n_without_bins) == (1, 0)
    np.testing.assert_array_equal(member.coefs[0], network.coefs[0][1])
    member.parameters[...] = 0
    assert network.coefs[0][1].all()


def test_the_public_views_of_members_begin_with_the_axis_of_members():
    network = network_of_members()
    assert [W.shape for W in network.coefs] == [(N_MEMBERS, 4, 5), (N_MEMBERS, 5, 4), (N_MEMBERS, 4, 3)]
    assert [b.shape for b in network.intercepts] == [(N_MEMBERS, 5), (N_MEMBERS, 4), (N_MEMBERS, 3)]
    assert all(np.shares_memory(part, network.parameters) for part in network.coefs + network.intercepts)


def test_members_are_rebuilt_from_their_arrays():
    network = network_of_members()
    rebuilt = network_from_arrays(network.architecture, network.coefs, network.intercepts)
    np.testing.assert_array_equal(rebuilt.parameters, network.parameters)
    assert rebuilt.architecture == network.architecture
    with pytest.raises(ValueError, match=r"coefs_\[0\] must have shape \(4, 4, 5\) .* got \(4, 5\)"):
        network_from_arrays(network.architecture, [W[0] for W in network.coefs], network.intercepts)


# Weights set by hand


def test_a_network_from_arrays_has_copies_of_them():
    original = random_network()
    copy = network_from_arrays(original.architecture, original.coefs, original.intercepts)
    assert copy.architecture == original.architecture
    np.testing.assert_array_equal(copy.parameters, original.parameters)
    assert not np.shares_memory(copy.parameters, original.parameters)


@pytest.mark.parametrize("dtype, expected", [(np.float32, np.float32), (np.float64, np.float64), (np.int64, np.float64)])
def test_a_network_from_arrays_has_their_common_floating_dtype(dtype, expected):
    network = network_from_arrays(Architecture(Layout(2), (), 3, ()), [np.ones((2, 3), dtype)], [np.ones(3, np.float32)])
    assert network.dtype == expected


@pytest.mark.parametrize(
    "kind, index, shape, message",
    [
        ("coefs", 1, (6, 4), r"coefs_\[1\] must have shape \(5, 4\) to fit X, y and the other layers; got \(6, 4\)"),
        ("coefs", 0, (5,), r"coefs_\[0\] must have shape \(4, 5\) .* got \(5,\)"),
        ("intercepts", 0, (4,), r"intercepts_\[0\] must have shape \(5,\) .* got \(4,\)"),
        ("intercepts", 2, (3, 1), r"intercepts_\[2\] must have shape \(3,\) .* got \(3, 1\)"),
    ],
)
def test_an_array_of_weights_that_does_not_fit_is_named(kind, index, shape, message):
    network = random_network()
    arrays = {"coefs": list(network.coefs), "intercepts": list(network.intercepts)}
    arrays[kind][index] = np.zeros(shape)
    with pytest.raises(ValueError, match=message):
        network_from_arrays(network.architecture, **arrays)


@pytest.mark.parametrize("coefs, intercepts", [(slice(0, 2), slice(0, 3)), (slice(0, 3), slice(0, 2))])
def test_every_layer_needs_both_weights_and_biases(coefs, intercepts):
    network = random_network()
    with pytest.raises(ValueError, match=r"coefs_.*intercepts_"):
        network_from_arrays(network.architecture, network.coefs[coefs], network.intercepts[intercepts])


def test_a_network_holds_exactly_its_own_views():
    network = random_network()
    assert network.holds(list(network.coefs), tuple(network.intercepts))
    assert not network.holds([W.copy() for W in network.coefs], network.intercepts)
    assert not network.holds(network.coefs[:-1], network.intercepts)
