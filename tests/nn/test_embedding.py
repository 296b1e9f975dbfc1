"""The embedding layer, and networks whose inputs are partly codes of embedding tables."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksoftmax.loss import cross_entropy
from sksoftmax.nn.layers import EMBEDDING_UNITS, embedding
from sksoftmax.nn.network import Network
from support.slopes import assert_gradient_is_the_slope

N_ROWS, N_DENSE, N_CODES, N_MEMBERS = 9, 2, (4, 3), 4
MEMBERS = {"one network": {}, "members": {"n_members": N_MEMBERS}, "skipping": {"n_members": N_MEMBERS, "n_skipped": (2, 1)}}


def network_with_tables(hidden=(5,), tables=0.5, n_members=None, n_skipped=(0, 0)):
    units, embedded = (N_DENSE + len(N_CODES) * EMBEDDING_UNITS, *hidden, 3), [np.linspace(0.1, 1, n) for n in N_CODES]
    network = Network(units, "tanh", np.float64, 0.0, n_members, n_skipped, embedded)
    rng = np.random.RandomState(0)
    network.initialize_scaled(rng)
    network.coefs[-1][...] = rng.normal(size=network.coefs[-1].shape)
    for E in network.embeddings:
        E[...] = tables * rng.normal(size=E.shape)
    network._forget_skipped()
    return network


def rows_with_codes(network, seed=0):
    rng, n_rows = np.random.RandomState(seed), N_ROWS * (network.n_members or 1)
    return np.column_stack([rng.normal(size=(n_rows, N_DENSE)), *(rng.randint(n, size=n_rows) for n in N_CODES)])


def test_an_embedding_looks_rows_up_and_adds_the_derivatives_of_those_that_share_a_code():
    rng = np.random.RandomState(0)
    codes, E, d_E, d_H = rng.randint(5, size=20), rng.normal(size=(6, 3)), np.full((6, 3), np.nan), rng.normal(size=(20, 3))
    H, backprop = embedding(codes, E, d_E)
    assert_array_equal(H, E[codes])
    backprop(d_H)
    assert_allclose(d_E, (np.arange(6)[:, None] == codes) @ d_H, atol=1e-14)


@pytest.mark.parametrize("params", MEMBERS.values(), ids=MEMBERS)
@pytest.mark.parametrize("hidden", [(), (5,)])
def test_the_gradient_is_the_slope_of_the_loss_along_a_random_direction(hidden, params):
    network = network_with_tables(hidden, **params)
    X = rows_with_codes(network)
    targets = np.random.RandomState(1).randint(3, size=len(X))
    assert_gradient_is_the_slope(
        network, lambda: network.forward(X), lambda logits: cross_entropy(logits, targets, None), strength=0.3
    )


@pytest.mark.parametrize("params", MEMBERS.values(), ids=MEMBERS)
def test_each_member_is_a_network_on_the_vectors_of_its_own_tables(params):
    network = network_with_tables(**params)
    X = rows_with_codes(network)
    logits = network.forward(X)[0].copy().reshape(network.n_members or 1, N_ROWS, 3)
    for k, (rows_of_member, answer) in enumerate(zip(X.reshape(len(logits), N_ROWS, -1), logits)):
        alone = network.member(k) if network.n_members else network
        dense = Network(network.layer_units, "tanh", np.float64)
        dense.parameters[...] = alone.parameters[: len(dense.parameters)]
        codes = rows_of_member[:, N_DENSE:].astype(int)
        vectors = [E[column] for E, column in zip(alone.embeddings, codes.T)]
        assert_allclose(answer, dense.forward(np.hstack([rows_of_member[:, :N_DENSE], *vectors]))[0], rtol=1e-12)
        assert_allclose(answer, alone.forward(rows_of_member)[0], rtol=1e-12)


@pytest.mark.parametrize("parametrization", ["ntk", "standard"])
@pytest.mark.parametrize("params", MEMBERS.values(), ids=MEMBERS)
def test_tables_learn_at_the_rates_of_their_codes(params, parametrization):
    network = network_with_tables(**params)
    rates = np.full(network.parameters.shape, np.nan)
    for part, factor in network.relative_rates(parametrization):
        assert np.isnan(rates[part]).all()
        rates[part] = factor
    of_rows = network._table(rates).reshape(-1, sum(N_CODES), EMBEDDING_UNITS)
    assert_array_equal(of_rows, np.broadcast_to(np.concatenate(network.embedded)[:, None], of_rows.shape))
    layers = np.concatenate([W.ravel() for W in network._matrices(rates)])
    assert np.isfinite(layers).all() if parametrization == "ntk" else (layers == 1).all()


@pytest.mark.parametrize("params", MEMBERS.values(), ids=MEMBERS)
def test_tables_decay_as_weights_do(params):
    network = network_with_tables(**params)
    decays, values = np.zeros(network.parameters.shape), np.arange(1.0, (network.n_members or 1) + 1)
    for part, value in network.weight_parts(values):
        decays[part] = value
    tables = network._table(decays).reshape(len(values), -1)
    assert_array_equal(tables, np.broadcast_to(values[:, None], tables.shape))
    assert all((W[..., -1, :] == 0).all() and (W[..., :-1, :] > 0).all() for W in network._matrices(decays))


@pytest.mark.parametrize("params", MEMBERS.values(), ids=MEMBERS)
def test_tables_survive_copies_pickles_and_rebuilding(params):
    network = network_with_tables(**params)
    X = rows_with_codes(network)
    form = network.layer_units[0], 3, network.n_members, network.n_skipped, (network.embedded, network.embeddings)
    rebuilt = Network.from_arrays(network.coefs, network.intercepts, "tanh", *form)
    for other in (network.copy(), pickle.loads(pickle.dumps(network)), rebuilt):
        assert_array_equal(other.parameters, network.parameters)
        assert_array_equal(other.forward(X)[0], network.forward(X)[0])
        assert not other.holds(network.coefs, network.intercepts, network.embeddings)
    assert network.holds(network.coefs, network.intercepts, network.embeddings)
