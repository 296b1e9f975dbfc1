"""Columns of many categories: the codes, the tables of the network and the estimator that learns them."""

import pickle

import numpy as np
import pandas as pd
import pytest
from neutral import plain
from numpy.testing import assert_allclose, assert_array_equal
from slopes import assert_gradient_is_the_slope

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data import preprocessing, rows
from sksoftmax.data.columns import UNKNOWN, Categories
from sksoftmax.data.preprocessing import HALF_KNOWN, Preprocessor, known_codes
from sksoftmax.loss import cross_entropy
from sksoftmax.nn.layers import EMBEDDING_UNITS, embedding
from sksoftmax.nn.network import Network

# The layer and the network

N_ROWS, N_DENSE, N_CODES, N_MEMBERS = 9, 2, (4, 3), 4
MEMBERS = {"one network": {}, "members": {"n_members": N_MEMBERS}, "skipping": {"n_members": N_MEMBERS, "n_skipped": (2, 1)}}


def random_network(hidden=(5,), tables=0.5, n_members=None, n_skipped=(0, 0)):
    units, embedded = (N_DENSE + len(N_CODES) * EMBEDDING_UNITS, *hidden, 3), [np.linspace(0.1, 1, n) for n in N_CODES]
    network = Network(units, "tanh", np.float64, 0.0, n_members, n_skipped, embedded)
    rng = np.random.RandomState(0)
    network.initialize_scaled(rng)
    network.coefs[-1][...] = rng.normal(size=network.coefs[-1].shape)
    for E in network.embeddings:
        E[...] = tables * rng.normal(size=E.shape)
    network._forget_skipped()
    return network


def random_rows(network, seed=0):
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
    network = random_network(hidden, **params)
    X = random_rows(network)
    targets = np.random.RandomState(1).randint(3, size=len(X))
    assert_gradient_is_the_slope(
        network, lambda: network.forward(X), lambda logits: cross_entropy(logits, targets, None), strength=0.3
    )


@pytest.mark.parametrize("params", MEMBERS.values(), ids=MEMBERS)
def test_each_member_is_a_network_on_the_vectors_of_its_own_tables(params):
    network = random_network(**params)
    X = random_rows(network)
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
    network = random_network(**params)
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
    network = random_network(**params)
    decays, values = np.zeros(network.parameters.shape), np.arange(1.0, (network.n_members or 1) + 1)
    for part, value in network.weight_parts(values):
        decays[part] = value
    tables = network._table(decays).reshape(len(values), -1)
    assert_array_equal(tables, np.broadcast_to(values[:, None], tables.shape))
    assert all((W[..., -1, :] == 0).all() and (W[..., :-1, :] > 0).all() for W in network._matrices(decays))


@pytest.mark.parametrize("params", MEMBERS.values(), ids=MEMBERS)
def test_tables_survive_copies_pickles_and_rebuilding(params):
    network = random_network(**params)
    X = random_rows(network)
    form = network.layer_units[0], 3, network.n_members, network.n_skipped, (network.embedded, network.embeddings)
    rebuilt = Network.from_arrays(network.coefs, network.intercepts, "tanh", *form)
    for other in (network.copy(), pickle.loads(pickle.dumps(network)), rebuilt):
        assert_array_equal(other.parameters, network.parameters)
        assert_array_equal(other.forward(X)[0], network.forward(X)[0])
        assert not other.holds(network.coefs, network.intercepts, network.embeddings)
    assert network.holds(network.coefs, network.intercepts, network.embeddings)


# Which categories are known


def codes_of(column, weights=None, monkeypatch=None, limit=2):
    monkeypatch.setattr(preprocessing, "MAX_ONE_HOT", limit)
    known, n_rows = known_codes(np.array(column, dtype=float), None if weights is None else np.array(weights, dtype=float))
    return known.tolist(), n_rows.tolist()


def test_few_categories_are_all_known(monkeypatch):
    assert codes_of([0, 1, UNKNOWN, 0], None, monkeypatch) == ([0, 1], [1, 2, 1])


def test_of_many_categories_those_of_one_row_count_as_unknown(monkeypatch):
    assert codes_of([5, 3, 1, 1, 5, 4, UNKNOWN, 1], None, monkeypatch) == ([1, 5], [3, 3, 2])


@pytest.mark.parametrize("weights", [[1, 1, 2, 1, 3], [10, 1, 20, 1, 3]])
def test_a_row_of_weight_2_is_two_rows(weights, monkeypatch):
    column = [0, 1, 2, 3, 4]
    assert codes_of(column, weights, monkeypatch) == codes_of(np.repeat(column, weights), None, monkeypatch)


@pytest.mark.parametrize("factor", [1 / 8, 0.3, 1e-30])
def test_weights_that_are_no_whole_numbers_leave_a_row_a_row(factor, monkeypatch):
    column, weights = [0, 1, 2, 2, 3, 3], np.full(6, factor)
    assert codes_of(column, weights, monkeypatch) == codes_of(column, None, monkeypatch)


def test_the_most_frequent_are_known_where_there_are_too_many(monkeypatch):
    monkeypatch.setattr(preprocessing, "MAX_EMBEDDED", 2)
    assert codes_of([0, 0, 1, 1, 1, 2, 2, 2, 3, 3], None, monkeypatch) == ([1, 2], [4, 3, 3])


def test_embedded_columns_come_last_as_codes_from_1_with_0_for_what_is_unknown(monkeypatch):
    monkeypatch.setattr(preprocessing, "MAX_ONE_HOT", 2)
    column = np.array([4, 0, 2, 4, 0, 2, 1, UNKNOWN])
    X = np.column_stack([column, np.arange(8.0), np.arange(8) % 2])
    preprocessor = Preprocessor(None, Categories({0: list("abcde"), 2: ["p", "q"]})).fit(X)
    assert_array_equal(preprocessor.transform(X, np.float32)[:, 2], [3, 1, 2, 3, 1, 2, 0, 0])
    assert_array_equal(preprocessor.transform(X, np.float32)[:, :2], np.column_stack([X[:, 1], 2 * X[:, 2] - 1]))
    names = ["size", "kind_q", *(f"city_embedding{i}" for i in range(EMBEDDING_UNITS))]
    assert preprocessor.get_feature_names_out(["city", "size", "kind"]).tolist() == names
    assert (preprocessor.n_columns, preprocessor.n_inputs) == (3, len(names))
    assert_allclose(preprocessor.code_rates[0], 2 / (2 + HALF_KNOWN))


# The estimator

N = 480
RNG = np.random.RandomState(0)
CITY = RNG.randint(40, size=N)
FRAME = pd.DataFrame({"size": RNG.normal(size=N), "city": [f"c{i:02}" for i in CITY], "kind": RNG.choice(["p", "q"], N)})
FRAME.loc[::50, "city"] = None
y = (CITY % 3 == 0).astype(int) + (FRAME["size"] > 0.5).to_numpy()
SOLVERS = {"committee": {}, "one network": {"n_members": 1}, "sgd": {"solver": "sgd"}, "lbfgs": {"solver": "lbfgs"}}


@pytest.fixture
def few(monkeypatch):
    """Columns of more than 5 categories are embedded."""
    monkeypatch.setattr(preprocessing, "MAX_ONE_HOT", 5)


def short(**params):
    """The default estimator after three epochs or iterations."""
    return SoftmaxMLPClassifier(**{"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0, **params})


def neutral(**params):
    """One network with nothing new but the columns."""
    defaults = {"hidden_layer_sizes": (8,), "scaling": "robust", "categorical_features": "from_dtype", "random_state": 0}
    return plain(**{**defaults, **params})


@pytest.mark.parametrize("params", [{}, {"n_members": 1}, {"hidden_layer_sizes": ()}], ids=["members", "one", "no hidden layer"])
def test_what_categories_say_is_learnt(few, params):
    clf = SoftmaxMLPClassifier(**{"hidden_layer_sizes": (32,), "random_state": 0, **params}).fit(FRAME, CITY % 3)
    assert clf.score(FRAME, CITY % 3) > 0.9


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("params", SOLVERS.values(), ids=SOLVERS)
def test_what_is_unknown_missing_or_new_predicts_as_code_0(few, params):
    clf = short(**params).fit(FRAME, y)
    others = FRAME[:6].assign(size=0.3, kind="p", city=["new", "", None, np.nan, "c00 ", "c99"])
    X = clf._preprocessor.transform(clf._preprocessor.categories.matrix(others), np.float64)
    assert (X[:, -1] == 0).all()
    before = clf.predict_proba(others)
    assert_allclose(before, np.broadcast_to(before[:1], before.shape), rtol=1e-6)
    known = clf.predict_proba(FRAME[1:2])
    clf.embeddings_[0][..., 0, :] = 9
    assert not np.allclose(clf.predict_proba(others), before, rtol=1e-3)
    assert_array_equal(clf.predict_proba(FRAME[1:2]), known)


def test_a_column_whose_values_are_all_different_changes_nothing():
    named = FRAME[["size", "kind"]].assign(number=[f"row {i}" for i in range(N)])
    clf, without = short(relevance=None).fit(named, y), short(relevance=None).fit(FRAME[["size", "kind"]], y)
    assert clf.embeddings_ == []
    assert_array_equal(clf.predict_proba(named), without.predict_proba(FRAME[["size", "kind"]]))


def test_an_embedded_column_of_relevance_zero_is_left_out(few):
    clf = short(relevance=(FRAME.columns != "city").astype(float)).fit(FRAME, y)
    assert clf.embeddings_ == []
    assert_array_equal(clf.predict_proba(FRAME), clf.predict_proba(FRAME.assign(city="new")))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_column_of_5000_categories_is_learnt_and_predicted(dtype):
    frame = pd.DataFrame({"city": np.arange(10_000) % 5000})
    clf = short(categorical_features=["city"], dtype=dtype, max_iter=1).fit(frame, frame["city"] % 2)
    assert [E.shape for E in clf.embeddings_] == [(4, 5001, EMBEDDING_UNITS)]
    assert clf.predict_proba(frame).dtype == clf.embeddings_[0].dtype == dtype
    assert (clf.embeddings_[0][:, 0] == 0).all()  # nothing was unknown in fit: zeros
    assert np.isfinite(clf.predict_proba(pd.DataFrame({"city": [5000, -1, 10**9]}))).all()


@pytest.mark.parametrize("params", SOLVERS.values(), ids=SOLVERS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_pickle_predicts_and_goes_on_as_the_model(few, params):
    clf = short(warm_start=True, **params).fit(FRAME, y)
    loaded = pickle.loads(pickle.dumps(clf))
    assert_array_equal(loaded.predict_proba(FRAME), clf.predict_proba(FRAME))
    assert all(a.base is not None for a in loaded.embeddings_)
    assert_array_equal(loaded.fit(FRAME, y).predict_proba(FRAME), clf.fit(FRAME, y).predict_proba(FRAME))


def test_partial_fit_keeps_the_categories_of_the_first_call(few):
    clf = short().partial_fit(FRAME[:300], y[:300], classes=[0, 1, 2])
    before = [E.copy() for E in clf.embeddings_]
    clf.partial_fit(FRAME[300:].assign(city="new"), y[300:])
    assert [E.shape for E in clf.embeddings_] == [E.shape for E in before]
    moved = (clf.embeddings_[0] != before[0]).any(axis=(0, 2))
    assert moved[0]


@pytest.mark.parametrize("n_members", [1, 4])
def test_rows_that_are_encoded_when_they_are_read_give_the_same_model(few, n_members, monkeypatch):
    expected = short(n_members=n_members).fit(FRAME, y).predict_proba(FRAME)
    monkeypatch.setattr(rows, "COPY_BYTES", 0)
    assert_array_equal(short(n_members=n_members).fit(FRAME, y).predict_proba(FRAME), expected)


def test_a_row_of_weight_2_is_two_rows_and_one_of_weight_0_none(few):
    weights = np.arange(N) % 3
    params = {"solver": "lbfgs", "max_iter": 5, "max_fun": 1000, "alpha": 0.1, "dtype": "float64"}
    with pytest.warns(match="failed to converge"):
        weighted = neutral(**params).fit(FRAME, y, weights).predict_proba(FRAME)
        repeated = np.repeat(np.arange(N), weights)
        expected = neutral(**params).fit(FRAME.iloc[repeated], y[repeated]).predict_proba(FRAME)
    assert_allclose(weighted, expected, rtol=1e-6)


def test_chunks_of_predictions_are_those_of_all_rows(few, monkeypatch):
    clf = short(dtype="float64").fit(FRAME, y)
    expected = clf.predict_proba(FRAME)
    monkeypatch.setattr("sksoftmax.nn.network.CHUNK_ELEMENTS", 1)
    assert_allclose(clf.predict_proba(FRAME), expected, rtol=1e-12)


def test_inputs_are_named_and_tables_have_a_row_a_category(few):
    clf = short().fit(FRAME, y)
    assert len(clf.encoded_feature_names_) == clf.coefs_[0].shape[1]
    assert clf.encoded_feature_names_[-EMBEDDING_UNITS:].tolist() == [f"city_embedding{i}" for i in range(EMBEDDING_UNITS)]
    assert clf.embeddings_[0].shape == (8, FRAME["city"].nunique() + 1, EMBEDDING_UNITS)


def test_tables_set_by_hand_are_used_and_trained_on(few):
    clf = short(warm_start=True).fit(FRAME, y)
    before, tables = clf.predict_proba(FRAME), clf.embeddings_[0]
    clf.embeddings_ = [np.zeros_like(tables)]
    cities = clf.predict_proba(FRAME[:20].assign(size=0.1, kind="p"))
    assert_allclose(cities, np.broadcast_to(cities[:1], cities.shape), rtol=1e-6)
    clf.embeddings_ = [tables.copy()]
    assert_array_equal(clf.predict_proba(FRAME), before)
    assert clf.fit(FRAME, y).embeddings_[0].any()


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ([], r"embeddings_ must hold a table for each of 1 columns; got 0"),
        ([np.zeros((8, 3, 8))], r"embeddings_\[0\] must have shape \(8, 41, 8\) .* got \(8, 3, 8\)"),
        ([np.full((8, 41, 8), np.nan)], r"embeddings_ hold numbers that are not finite"),
    ],
    ids=["none", "of another shape", "not finite"],
)
def test_tables_that_do_not_fit_are_named(few, tables, message):
    clf = short().fit(FRAME, y)
    clf.embeddings_ = tables
    with pytest.raises(ValueError, match=message):
        clf.predict(FRAME)


def test_a_state_whose_tables_do_not_belong_to_its_columns_is_refused(few):
    clf = short().fit(FRAME, y)
    state = clf.__getstate__()
    network = state["_network"].copy()
    network.embedded = (network.embedded[0][:-1],)
    with pytest.raises(ValueError, match=r"damaged: tables of \[40\] rows, where \[41\] belong"):
        SoftmaxMLPClassifier().__setstate__({**state, "_network": network})


def test_a_model_of_embeddings_is_none_of_scikit_learns(few):
    clf = neutral(max_iter=2, learning_rate="cosine").fit(FRAME, y)
    with pytest.raises(ValueError, match="categorical_features='from_dtype' cannot be expressed by MLPClassifier"):
        clf.set_params(learning_rate="constant", scaling=None).to_sklearn()
    with pytest.raises(ValueError, match=r"nor the embeddings of columns \['city'\]"):
        clf.set_params(categorical_features=None).to_sklearn()
