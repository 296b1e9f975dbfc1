"""What "auto" became, and what became of the columns of X: attributes, and `summary`."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier

from sksoftmax import SoftmaxMLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 120
rng = np.random.default_rng(0)
X, y = rng.normal(size=(N, 3)), np.arange(N) % 2
FRAME = pd.DataFrame({"length": X[:, 0], "color": rng.choice(["red", "green", "blue"], N)})


def small_for_summary(**params):
    return SoftmaxMLPClassifier(**{"hidden_layer_sizes": (4,), "n_members": 1, "max_iter": 3, "random_state": 0, **params})


@pytest.mark.parametrize(
    ("n_rows", "params", "n_members"), [(N, {}, 8), (40, {}, 4), (N, {"n_members": 1}, 1), (N, {"solver": "lbfgs"}, 1)]
)
def test_n_members_and_what_else_auto_became_are_attributes(n_rows, params, n_members):
    clf = SoftmaxMLPClassifier(**{"hidden_layer_sizes": (4, 4), "random_state": 0, **params}).fit(X[:n_rows], y[:n_rows])
    assert clf.n_members_ == n_members
    assert clf.max_iter_ == (200 if clf.solver == "lbfgs" else clf.n_iter_)
    assert clf.batch_size_ == (64 if n_rows == N else 40)
    n_networks = n_members + (n_rows == N and clf.solver == "adam")  # with a radial network
    for values, n in ((clf.dropout_, n_members), (clf.weight_decay_, n_members), (clf.member_weights_, n_networks)):
        assert values.shape == (n,)
    assert clf.member_temperatures_.shape == (n_networks,)
    assert clf.member_weights_.sum() == pytest.approx(1)
    assert clf.temperature_ > 0


def test_dropout_and_weight_decay_are_those_that_the_members_ended_with():
    rows = rng.normal(size=(600, 3))
    clf = SoftmaxMLPClassifier((4,), max_iter=20, random_state=0).fit(rows, rows[:, 0] > 0)
    strengths = set(zip(clf.dropout_, clf.weight_decay_))
    assert strengths <= {(0.05, 0.1), (0.3, 0.5), (0.2, 0.5)}
    assert clf.n_fold_epochs_ == 10


def test_a_list_of_dropout_rates_stays_one_for_each_hidden_layer():
    clf = small_for_summary(hidden_layer_sizes=(4, 5), n_members=4, dropout=[0.1, 0.2]).fit(X, y)
    assert clf.dropout_.tolist() == [[0.1, 0.2]] * 4


def test_from_sklearn_has_the_attributes_of_what_auto_became():
    mlp = MLPClassifier((4,), max_iter=2, alpha=0.1, random_state=0).fit(X, y)
    clf = SoftmaxMLPClassifier.from_sklearn(mlp)
    assert (clf.n_members_, clf.batch_size_, clf.max_iter_, clf.temperature_) == (1, N, 2, 1)
    assert "1 network of" in clf.summary()


def test_categories_and_unused_columns_are_attributes_by_name():
    columns = {"constant": 1.0, "nothing": np.nan, "half": np.where(y, 1.0, np.nan), "id": [f"id {i}" for i in range(N)]}
    clf = small_for_summary().fit(FRAME.assign(**columns).drop(columns="id"), y)
    assert clf.categories_ == {"color": ["blue", "green", "red"]}
    assert clf.unused_columns_ == dict.fromkeys(["constant", "nothing"], "all its values are equal, or missing")
    assert "missingindicator_half" in clf.encoded_feature_names_
    assert "missingindicator_nothing" not in clf.encoded_feature_names_


@pytest.mark.filterwarnings("ignore:.*gives the network no input", "ignore:Column 'id' of X")
def test_unused_columns_say_that_each_category_occurs_once_and_that_relevance_is_0():
    frame = pd.DataFrame({"id": [f"id {i:x}" for i in range(300)], "a": np.arange(300.0), "b": np.arange(300.0) % 7})
    clf = small_for_summary(relevance=[1, 1, 0]).fit(frame, np.arange(300) % 2)
    assert clf.unused_columns_ == {"id": "each of its 300 categories occurs in one row only", "b": "its relevance is 0"}
    assert clf.categories_ == {"id": []}


@pytest.mark.parametrize("scaling", ["robust", None])
def test_unused_columns_of_an_array_and_of_a_sparse_X_are_named_by_position(scaling):
    rows = np.column_stack([X, np.zeros(N)])
    expected = {} if scaling is None else {"x3": "all its values are equal, or missing"}
    assert small_for_summary(scaling=scaling).fit(rows, y).unused_columns_ == expected
    expected = {} if scaling is None else {"x3": "all its values are equal"}
    assert small_for_summary(scaling=scaling).fit(csr_matrix(np.where(rows > 1, rows, 0)), y).unused_columns_ == expected


def test_a_column_without_any_value_in_fit_never_matters():
    frame = FRAME.assign(nothing=np.nan)
    clf = small_for_summary().fit(frame, y)
    np.testing.assert_array_equal(clf.predict_proba(frame.assign(nothing=7.0)), clf.predict_proba(frame))


@pytest.mark.parametrize("params", [{}, {"n_members": 1}, {"n_members": 1, "solver": "lbfgs"}], ids=str)
def test_summary_tells_what_auto_became(params):
    frame = FRAME.assign(constant=1.0)
    clf = SoftmaxMLPClassifier(**{"hidden_layer_sizes": (4,), "random_state": 0, **params}).fit(frame, y)
    text = clf.summary()
    length = (
        [f"at most {clf.max_iter_} iterations"] if params.get("solver") else [f"{clf.max_iter_} epochs", "batches of 64 rows"]
    )
    networks = "1 network of" if params else "8 networks of"
    for part in (networks, *length, "color: 3 categories", "constant: all its values are equal", "3 columns, 2 classes"):
        assert part in text
    assert ("Ensemble" in text) == ("Companion" in text) == ("solver" not in params)
    assert max(map(len, text.splitlines())) <= 100
    assert pickle.loads(pickle.dumps(clf)).summary() == text


def test_summary_lists_twenty_columns_and_counts_the_others():
    frame = pd.DataFrame({f"column {i}": np.zeros(N) for i in range(25)}).assign(length=X[:, 0])
    text = small_for_summary().fit(frame, y).summary()
    assert "column 19: " in text and "column 20: " not in text
    assert text.endswith("and 5 more columns")


def test_summary_of_multilabel_targets_and_probabilities_says_so():
    assert "3 labels" in small_for_summary().fit(X, np.column_stack([y, y, 1 - y])).summary()
    assert "2 classes, fitted on probabilities" in small_for_summary().fit(X, np.column_stack([y, 1 - y]) * 0.8 + 0.1).summary()


def test_summary_of_an_estimator_that_is_not_fitted_says_so():
    with pytest.raises(NotFittedError):
        small_for_summary().summary()
