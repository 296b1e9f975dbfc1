"""The estimator on columns of many categories, which are embedded."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.layout import EMBEDDING_UNITS
from sksoftmax.nn.network import Network
from support.estimators import plain, short_default

N = 480
RNG = np.random.RandomState(0)
CITY = RNG.randint(40, size=N)
FRAME = pd.DataFrame({"size": RNG.normal(size=N), "city": [f"c{i:02}" for i in CITY], "kind": RNG.choice(["p", "q"], N)})
FRAME.loc[::50, "city"] = None
y = (CITY % 3 == 0).astype(int) + (FRAME["size"] > 0.5).to_numpy()
SOLVER_PARAMS = {"ensemble": {}, "one network": {"n_members": 1}, "sgd": {"solver": "sgd"}, "lbfgs": {"solver": "lbfgs"}}


@pytest.fixture
def at_most_five_one_hot(limits):
    """Columns of more than 5 categories are embedded."""
    limits(MAX_ONE_HOT=5)


def plain_on_raw_columns(**params):
    """One network with nothing new but the columns."""
    defaults = {"hidden_layer_sizes": (8,), "scaling": "robust", "categorical_features": "from_dtype", "random_state": 0}
    return plain(**{**defaults, **params})


@pytest.mark.parametrize("params", [{}, {"n_members": 1}, {"hidden_layer_sizes": ()}], ids=["members", "one", "no hidden layer"])
def test_embedded_categorical_features_are_learned(at_most_five_one_hot, params):
    clf = SoftmaxMLPClassifier(**{"hidden_layer_sizes": (32,), "random_state": 0, **params}).fit(FRAME, CITY % 3)
    assert clf.score(FRAME, CITY % 3) > 0.9


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("params", SOLVER_PARAMS.values(), ids=SOLVER_PARAMS)
def test_unknown_missing_and_new_categories_are_predicted_with_code_0(at_most_five_one_hot, params):
    clf = short_default(**params).fit(FRAME, y)
    others = FRAME[:6].assign(size=0.3, kind="p", city=["new", "", None, np.nan, "c00 ", "c99"])
    before = clf.predict_proba(others)
    assert_allclose(before, np.broadcast_to(before[:1], before.shape), rtol=1e-5)
    known = clf.predict_proba(FRAME[1:2])
    clf.embeddings_[0][..., 0, :] = 9
    assert not np.allclose(clf.predict_proba(others), before, rtol=1e-3)
    assert_array_equal(clf.predict_proba(FRAME[1:2]), known)


def test_a_categorical_column_of_unique_values_changes_nothing():
    named = FRAME[["size", "kind"]].assign(number=[f"row {i}" for i in range(N)])
    with pytest.warns(UserWarning, match="Column 'number' of X holds text that hardly repeats"):
        clf = short_default(relevance=None).fit(named, y)
    without = short_default(relevance=None).fit(FRAME[["size", "kind"]], y)
    assert clf.embeddings_ == []
    assert_array_equal(clf.predict_proba(named), without.predict_proba(FRAME[["size", "kind"]]))


def test_an_embedded_column_of_relevance_zero_is_left_out(at_most_five_one_hot):
    clf = short_default(relevance=(FRAME.columns != "city").astype(float)).fit(FRAME, y)
    assert clf.embeddings_ == []
    assert_array_equal(clf.predict_proba(FRAME), clf.predict_proba(FRAME.assign(city="new")))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_column_of_5000_categories_is_learnt_and_predicted(dtype):
    frame = pd.DataFrame({"city": np.arange(10_000) % 5000})
    clf = short_default(categorical_features=["city"], dtype=dtype, max_iter=1).fit(frame, frame["city"] % 2)
    assert [E.shape for E in clf.embeddings_] == [(4, 5001, EMBEDDING_UNITS)]
    assert clf.predict_proba(frame).dtype == clf.embeddings_[0].dtype == dtype
    assert (clf.embeddings_[0][:, 0] == 0).all()  # nothing was unknown in fit: zeros
    assert np.isfinite(clf.predict_proba(pd.DataFrame({"city": [5000, -1, 10**9]}))).all()


@pytest.mark.parametrize("params", SOLVER_PARAMS.values(), ids=SOLVER_PARAMS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_pickle_with_embeddings_predicts_and_continues_in_a_warm_start(at_most_five_one_hot, params):
    clf = short_default(warm_start=True, **params).fit(FRAME, y)
    loaded = pickle.loads(pickle.dumps(clf))
    assert_array_equal(loaded.predict_proba(FRAME), clf.predict_proba(FRAME))
    assert all(a.base is not None for a in loaded.embeddings_)
    assert_array_equal(loaded.fit(FRAME, y).predict_proba(FRAME), clf.fit(FRAME, y).predict_proba(FRAME))


def test_partial_fit_keeps_the_embedded_categories_of_the_first_call(at_most_five_one_hot):
    clf = short_default().partial_fit(FRAME[:300], y[:300], classes=[0, 1, 2])
    before = [E.copy() for E in clf.embeddings_]
    clf.partial_fit(FRAME[300:].assign(city="new"), y[300:])
    assert [E.shape for E in clf.embeddings_] == [E.shape for E in before]
    moved = (clf.embeddings_[0] != before[0]).any(axis=(0, 2))
    assert moved[0]


@pytest.mark.parametrize("n_members", [1, 4])
def test_rows_encoded_as_they_are_read_give_the_same_embeddings(at_most_five_one_hot, n_members, limits):
    expected = short_default(n_members=n_members).fit(FRAME, y).predict_proba(FRAME)
    limits(COPY_BYTES=0)
    assert_array_equal(short_default(n_members=n_members).fit(FRAME, y).predict_proba(FRAME), expected)


def test_an_integer_sample_weight_equals_repeated_rows_with_embeddings(at_most_five_one_hot):
    weights = np.arange(N) % 3
    params = {"solver": "lbfgs", "max_iter": 5, "max_fun": 1000, "alpha": 0.1, "dtype": "float64"}
    with pytest.warns(match="failed to converge"):
        weighted = plain_on_raw_columns(**params).fit(FRAME, y, weights).predict_proba(FRAME)
        repeated = np.repeat(np.arange(N), weights)
        expected = plain_on_raw_columns(**params).fit(FRAME.iloc[repeated], y[repeated]).predict_proba(FRAME)
    assert_allclose(weighted, expected, rtol=1e-6)


def test_predictions_in_chunks_equal_those_of_few_rows_with_embeddings(at_most_five_one_hot):
    clf = short_default(dtype="float64").fit(FRAME, y)
    many = pd.concat([FRAME] * 25, ignore_index=True)
    assert_allclose(clf.predict_proba(many), np.tile(clf.predict_proba(FRAME), (25, 1)), rtol=1e-12)


def test_inputs_are_named_and_tables_have_a_row_a_category(at_most_five_one_hot):
    clf = short_default().fit(FRAME, y)
    assert len(clf.encoded_feature_names_) == clf.coefs_[0].shape[1]
    assert clf.encoded_feature_names_[-EMBEDDING_UNITS:].tolist() == [f"city_embedding{i}" for i in range(EMBEDDING_UNITS)]
    assert clf.embeddings_[0].shape == (8, FRAME["city"].nunique() + 1, EMBEDDING_UNITS)


def test_embeddings_set_by_hand_are_used_and_trained(at_most_five_one_hot):
    clf = short_default(warm_start=True).fit(FRAME, y)
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
def test_embeddings_set_by_hand_that_do_not_fit_are_named(at_most_five_one_hot, tables, message):
    clf = short_default().fit(FRAME, y)
    clf.embeddings_ = tables
    with pytest.raises(ValueError, match=message):
        clf.predict(FRAME)


def test_a_state_whose_embeddings_do_not_belong_to_its_columns_is_refused(at_most_five_one_hot):
    clf = short_default().fit(FRAME, y)
    state = clf.__getstate__()
    model = state["_model"]
    architecture = model.network.architecture
    fewer = replace(architecture, layout=replace(architecture.layout, n_codes=(40,)))
    network = Network.zeros(fewer, np.float32)
    with pytest.raises(ValueError, match=r"damaged: the network has \[40\] codes, where \[41\] belong"):
        SoftmaxMLPClassifier().__setstate__({**state, "_model": replace(model, network=network)})


def test_to_sklearn_refuses_a_model_with_embeddings(at_most_five_one_hot):
    clf = plain_on_raw_columns(max_iter=2, learning_rate="cosine").fit(FRAME, y)
    clf.set_params(learning_rate="constant", scaling=None, categorical_features=None)
    with pytest.raises(ValueError, match=r"the categories of columns \['city', 'kind'\] cannot be expressed by MLPClassifier"):
        clf.to_sklearn()
