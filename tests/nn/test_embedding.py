"""The embedding layer, and networks whose inputs are partly codes of embedding tables."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksoftmax.layout import EMBEDDING_UNITS, Layout
from sksoftmax.loss import cross_entropy
from sksoftmax.nn.layers import Embed
from sksoftmax.nn.network import Network, network_from_arrays
from support.networks import assert_gradient_is_the_slope, form_of, forward, initialized

N_ROWS, N_DENSE, N_CODES, N_MEMBERS = 9, 2, (4, 3), 4
RATES_OF_CODES = [np.linspace(0.1, 1, n) for n in N_CODES]
MEMBERS = {"one network": {}, "members": {"n_members": N_MEMBERS}, "skipping": {"n_members": N_MEMBERS, "skip": (2, 1)}}
EVERY_FORM = pytest.mark.parametrize("params", MEMBERS.values(), ids=MEMBERS)


def network_with_tables(hidden=(5,), tables=0.5, **params):
    network = Network.zeros(form_of(N_DENSE + len(N_CODES), hidden, 3, n_codes=N_CODES, **params), np.float64)
    rng = np.random.RandomState(0)
    network.initialize_scaled(rng)
    network.coefs[-1][...] = rng.normal(size=network.coefs[-1].shape)
    network.E[...] = tables * rng.normal(size=network.E.shape)
    members, columns = network.architecture.n_without_bins, network.architecture.layout.n_bins
    network.W[0][:members, :columns] = 0
    return network


def rows_with_codes(network, seed=0):
    """Rows for each member, one below the other."""
    rng, n_rows = np.random.RandomState(seed), N_ROWS * network.architecture.n_members
    return np.column_stack([rng.normal(size=(n_rows, N_DENSE)), *(rng.randint(n, size=n_rows) for n in N_CODES)])


@pytest.mark.parametrize("n_members", [1, 3])
def test_an_embedding_looks_codes_up_and_adds_the_derivatives_of_those_that_are_equal(n_members):
    rng, n_units = np.random.RandomState(0), EMBEDDING_UNITS
    E, d_E = rng.normal(size=(n_members, 7, n_units)), np.full((n_members, 7, n_units), np.nan)
    numbers = rng.normal(size=(n_members, 20, N_DENSE))
    codes = np.stack([rng.randint(3, size=(n_members, 20)), rng.randint(3, size=(n_members, 20))], axis=-1)  # the 4th is unused
    X = np.full((n_members, 20, N_DENSE + 2 * n_units + 1), np.nan)
    X[..., :N_DENSE], X[..., N_DENSE : N_DENSE + 2], X[..., -1] = numbers, codes, 1
    d_H = rng.normal(size=(n_members, 20, 2 * n_units))
    layer = Embed(Layout(N_DENSE, n_codes=N_CODES), E)
    layer.write_gradient_into(d_E)
    H, backprop = layer(X, None)
    backprop(d_H)
    assert H is X
    for k in range(n_members):
        vectors = np.hstack([E[k][codes[k, :, 0]], E[k][4 + codes[k, :, 1]]])
        assert_array_equal(H[k], np.column_stack([numbers[k], vectors, np.ones(20)]))
        for start, column, of_column in ((0, codes[k, :, 0], d_H[k, :, :n_units]), (4, codes[k, :, 1], d_H[k, :, n_units:])):
            expected = (np.arange(3)[:, None] == column) @ of_column
            assert_allclose(d_E[k, start : start + 3], expected, atol=1e-14)
    assert not d_E[:, 3].any()


@EVERY_FORM
@pytest.mark.parametrize("hidden", [(), (5,)])
def test_the_gradient_is_the_slope_of_the_loss_along_a_random_direction(hidden, params):
    network = network_with_tables(hidden, **params)
    X = rows_with_codes(network)
    targets, strengths = np.random.RandomState(1).randint(3, size=len(X)), np.linspace(0.3, 0.6, network.architecture.n_members)
    assert_gradient_is_the_slope(
        network, lambda: forward(network, X), lambda logits: cross_entropy(logits, targets, None), strengths
    )


@EVERY_FORM
def test_each_member_is_a_network_on_the_vectors_of_its_own_tables(params):
    network = network_with_tables(**params)
    X = rows_with_codes(network)
    logits = forward(network, X)[0]
    for k, (rows_of_member, answer) in enumerate(zip(X.reshape(len(logits), N_ROWS, -1), logits)):
        alone = network.member(k)
        dense = Network.zeros(replace(alone.architecture, layout=Layout(alone.architecture.layout.n_inputs)), np.float64)
        dense.parameters[...] = alone.parameters[: len(dense.parameters)]
        codes = rows_of_member[:, N_DENSE:].astype(int)
        vectors = [E[column] for E, column in zip(alone.embeddings, codes.T)]
        on_vectors = forward(dense, np.hstack([rows_of_member[:, :N_DENSE], *vectors]))[0]
        assert_allclose(answer, on_vectors[0], rtol=1e-12)
        assert_allclose(answer, forward(alone, rows_of_member)[0][0], rtol=1e-12)


@pytest.mark.parametrize("parametrization", ["ntk", "standard"])
@EVERY_FORM
def test_tables_learn_at_the_rates_of_their_codes(params, parametrization):
    network = network_with_tables(**params)
    rates = np.full(network.parameters.shape, np.nan)
    for part, factor in network.relative_rates(parametrization, RATES_OF_CODES):
        assert np.isnan(rates[part]).all()
        rates[part] = factor
    *layers, of_rows = network.architecture.split(rates)
    assert_array_equal(of_rows, np.broadcast_to(np.concatenate(RATES_OF_CODES)[:, None], of_rows.shape))
    layers = np.concatenate([W.ravel() for W in layers])
    assert np.isfinite(layers).all() if parametrization == "ntk" else (layers == 1).all()


@EVERY_FORM
def test_tables_decay_as_weights_do(params):
    network = network_with_tables(**params)
    decays, values = np.zeros(network.parameters.shape), np.arange(1.0, network.architecture.n_members + 1)
    for part, value in network.decays(values):
        decays[part] = value
    *layers, tables = network.architecture.split(decays)
    assert_array_equal(tables, np.broadcast_to(values[:, None, None], tables.shape))
    for W in layers:
        assert not W[:, -1].any()
        assert_array_equal(W[:, :-1], np.broadcast_to(values[:, None, None], W[:, :-1].shape))


@EVERY_FORM
def test_tables_survive_copies_pickles_and_rebuilding(params):
    network = network_with_tables(**params)
    X = rows_with_codes(network)
    rebuilt = network_from_arrays(network.architecture, network.coefs, network.intercepts, network.embeddings)
    for other in (network.copy(), pickle.loads(pickle.dumps(network)), rebuilt):
        assert_array_equal(other.parameters, network.parameters)
        assert_array_equal(forward(other, X)[0], forward(network, X)[0])
        assert not other.holds(network.coefs, network.intercepts, network.embeddings)
    assert network.holds(network.coefs, network.intercepts, network.embeddings)
    assert not network.holds(network.coefs, network.intercepts)


@EVERY_FORM
def test_embeddings_are_views_of_the_flat_vector_a_table_for_each_column(params):
    network = network_with_tables(**params)
    members = (N_MEMBERS,) * (network.architecture.n_members > 1)
    assert [E.shape for E in network.embeddings] == [(*members, n, EMBEDDING_UNITS) for n in N_CODES]
    assert_array_equal(np.concatenate(network.embeddings, axis=-2).ravel(), network.parameters[-network.E.size :])
    assert all(np.shares_memory(E, network.parameters) for E in network.embeddings)


def test_tables_begin_at_zero():
    scaled = Network.zeros(network_with_tables().architecture, np.float64)
    scaled.initialize_scaled(np.random.RandomState(0))
    assert not scaled.E.any()
    assert not initialized(scaled.architecture).E.any()


def test_a_network_without_hidden_layers_begins_with_random_weights_of_its_tables_alone():
    """If both tables and weights were 0, neither would learn."""
    network = Network.zeros(network_with_tables(()).architecture, np.float64)
    network.initialize_scaled(np.random.RandomState(0))
    assert network.coefs[0][N_DENSE:].all()
    assert not network.coefs[0][:N_DENSE].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tables: tables[:1], "embeddings_ must hold a table for each of 2 columns; got 1"),
        (lambda tables: [tables[0], tables[1][:2]], r"embeddings_\[1\] must have shape \(3, 8\) .* got \(2, 8\)"),
    ],
)
def test_tables_that_do_not_fit_are_named(change, message):
    network = network_with_tables()
    with pytest.raises(ValueError, match=message):
        network_from_arrays(network.architecture, network.coefs, network.intercepts, change(network.embeddings))
