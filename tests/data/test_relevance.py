"""The parameter `relevance`: estimated by trees, or given by the user."""

import warnings
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.utils import all_estimators

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data import relevance
from sksoftmax.data.blocks import Bins
from sksoftmax.data.relevance import LEAST, MOST, MOST_OF_ALL, Splits, fit_forest, relevance_of

RNG = np.random.RandomState(0)
N_ROWS, N_COLUMNS = 300, 8
X = RNG.standard_normal((N_ROWS, N_COLUMNS))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)  # an interaction: each column alone is uninformative
TARGETS = {"labels": Y, "multilabel": np.c_[Y, 1 - Y, Y], "probabilities": np.eye(3)[Y] * 0.7 + 0.1}


def one_member(**params):
    return SoftmaxMLPClassifier(**{"hidden_layer_sizes": (8,), "max_iter": 2, "n_members": 1, "random_state": 0, **params})


def forest(columns, targets, weights=None, kind="labels", seed=0):
    return fit_forest(columns.astype(np.float32), targets, weights, kind, np.random.RandomState(seed))


def of_forest(*args, **params):
    return relevance_of(forest(*args, **params))


@pytest.mark.parametrize("kind", TARGETS)
def test_relevance_is_highest_for_columns_that_matter_only_together(kind):
    values = one_member().fit(X, TARGETS[kind]).relevance_
    assert values[:2].min() > 1.2 * values[2:].max()


def test_relevance_drops_no_column_and_lets_none_dominate():
    values = of_forest(X, (X[:, 0] > 0).astype(int))
    assert values[0] == MOST and values[1:].min() >= LEAST


@pytest.mark.parametrize(
    "n_columns, least, most", [(100, LEAST, MOST), (400, LEAST / 4, 8 * MOST), (900, LEAST / 9, MOST_OF_ALL)]
)
def test_the_limits_of_relevance_are_wider_the_more_columns_there_are(n_columns, least, most):
    shares = np.zeros(n_columns)
    shares[0] = 1
    assert_allclose(relevance_of(SimpleNamespace(feature_importances_=shares)), [most, *[least] * (n_columns - 1)])


@pytest.mark.parametrize("n_columns, n_classes, share", [(8, 2, 1 / 400), (101, 2, 1 / 100), (101, 5, 1 / 250)])
def test_with_many_columns_splits_try_more_of_them_and_leaves_are_larger_the_fewer_classes_there_are(n_columns, n_classes, share):
    rows = np.random.RandomState(0).standard_normal((1000, n_columns))
    fitted = forest(rows, np.arange(1000) % n_classes)
    assert fitted.max_features == ("sqrt" if n_columns <= 100 else 0.2)
    trees = fitted.estimators_
    leaves = [tree.tree_.weighted_n_node_samples[tree.tree_.children_left < 0].min() for tree in trees]
    assert 1000 * share <= min(leaves) < 1000 * share + 5


def test_splits_are_those_of_all_trees_with_the_gain_that_makes_the_importances():
    fitted = forest(X, Y)
    splits = Splits.of(fitted.estimators_)
    gain = np.bincount(splits.column, splits.gain, N_COLUMNS)
    assert_allclose(
        gain / gain.sum(), fitted.feature_importances_, atol=0.01
    )  # scikit-learn takes the mean of each tree's shares
    assert len(splits.column) == sum((tree.tree_.children_left >= 0).sum() for tree in fitted.estimators_)


def test_the_splits_on_a_column_are_in_order_and_without_those_that_gain_nothing():
    splits = Splits(np.array([1, 0, 1, 1]), np.array([3.0, 9.0, 1.0, 2.0]), np.array([0.3, 0.9, 0.1, 0.0]))
    assert_array_equal(splits.on(1), [[1.0, 3.0], [0.1, 0.3]])
    assert_array_equal(splits.on(2), np.empty((2, 0)))


def test_half_of_the_edges_of_bins_lie_where_the_forest_splits():
    y = (X[:, 0] > 0.3).astype(int)
    edges = [
        one_member(relevance=asked, n_bins=8).fit(X, y)._model.preprocessor.of_kind(Bins)[0].edges[0] for asked in ("auto", None)
    ]
    numbers = one_member().fit(X, y)._model.preprocessor.numbers
    threshold = (0.3 - numbers.center[0]) * numbers.scale[0]
    near = [np.sum(np.abs(e - threshold) < 0.05) for e in edges]
    assert near[0] >= 1 and near[0] > near[1]


def test_relevance_is_high_if_missing_values_are_informative():
    numbers = X.copy()
    numbers[Y == 1, 3] = np.nan
    assert one_member().fit(numbers, Y).relevance_.argmax() == 3


def test_relevance_takes_numbers_beyond_float32():
    numbers = X.copy()
    numbers[:, 4] = np.where(Y, 1e300, -1e300)
    assert one_member().fit(numbers, Y).relevance_.argmax() == 4


def test_categories_have_a_relevance_too():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"noise": X[:, 2], "colour": np.where(Y, "red", "blue"), "more": X[:, 3]})
    assert one_member().fit(frame, Y).relevance_.argmax() == 1


def test_relevance_treats_an_integer_sample_weight_as_repeated_rows():
    weights = np.random.RandomState(1).randint(1, 4, N_ROWS)
    repeated = np.repeat(np.arange(N_ROWS), weights)
    assert_allclose(of_forest(X, Y, weights.astype(float)), of_forest(X[repeated], Y[repeated]), rtol=1e-6)


def test_relevance_of_a_single_class_is_equal_for_all_columns():
    assert_array_equal(of_forest(X, np.zeros(N_ROWS, int)), np.ones(N_COLUMNS))


@pytest.mark.parametrize(
    "params, rows", [({"relevance": None}, X), ({"scaling": None}, X), ({}, X[:99]), ({"n_bins": 0}, csr_matrix(X))]
)
def test_relevance_is_equal_for_all_columns_if_it_is_none_or_cannot_be_estimated(params, rows):
    clf = one_member(**params).fit(rows, Y[: rows.shape[0]])
    assert_array_equal(clf.relevance_, np.ones(N_COLUMNS))
    assert clf._model.preprocessor.factors is None


def test_relevance_none_draws_nothing_from_the_generator():
    asked, given = one_member(relevance=None).fit(X, Y), one_member(relevance=np.full(N_COLUMNS, 2.5)).fit(X, Y)
    assert_array_equal(given.relevance_, 2.5)
    assert_array_equal(asked.coefs_[0], given.coefs_[0])


def test_relevance_of_many_rows_is_estimated_on_a_sample(monkeypatch):
    taken = []
    monkeypatch.setattr(relevance, "MOST_ROWS", 150)
    monkeypatch.setattr(relevance, "fit_forest", lambda Z, targets, *rest: taken.append((len(Z), len(targets))))
    one_member().fit(X, Y)
    assert taken == [(150, 150)]


def test_relevance_weakens_on_many_rows(monkeypatch):
    few = one_member().fit(X, Y).relevance_
    monkeypatch.setattr(relevance, "PRIOR_ROWS", N_ROWS / 4)
    assert_allclose(one_member().fit(X, Y).relevance_, few**0.25)


@pytest.mark.parametrize("rows", [X, csr_matrix(X)], ids=["dense", "sparse"])
def test_the_network_input_is_multiplied_by_relevance(rows):
    values = np.arange(N_COLUMNS, dtype=float)
    ours, plain = one_member(relevance=values, n_bins=4).fit(rows, Y), one_member(relevance=None, n_bins=4).fit(rows, Y)
    source = np.concatenate([block.source for block in ours._model.preprocessor.blocks])
    factors = values[source]
    factors = factors / np.sqrt(np.mean(factors**2))
    encoded = [clf._model.preprocessor.transform(rows, np.float64)[:, -N_COLUMNS:] for clf in (ours, plain)]  # all but bins
    encoded = [Z.toarray() if rows is not X else Z for Z in encoded]
    assert_allclose(encoded[0], encoded[1] * factors[-N_COLUMNS:])
    assert [name.split("_")[0] for name in ours.encoded_feature_names_] == [f"x{i}" for i in source]


def test_columns_of_higher_relevance_have_larger_n_bins():
    preprocessor = one_member(relevance=np.repeat([1.0, 7.0], N_COLUMNS // 2)).fit(X, Y)._model.preprocessor
    columns = preprocessor.of_kind(Bins)[0].source
    assert_array_equal(np.bincount(columns), np.repeat([8, 56], N_COLUMNS // 2))


def test_a_column_of_relevance_zero_is_left_out():
    clf = one_member(relevance=[1, 1, 0, 1, 1, 1, 1, 1]).fit(X, Y)
    other = X.copy()
    other[:, 2] = 100
    assert_array_equal(clf.predict_proba(X), clf.predict_proba(other))


def test_relevance_improves_accuracy_with_many_noise_columns():
    rng = np.random.RandomState(0)
    noisy = rng.standard_normal((900, 30))
    y = (noisy[:, 0] * noisy[:, 1] + 0.5 * noisy[:, 2] > 0).astype(int)
    scores = [
        SoftmaxMLPClassifier((32,), max_iter=20, n_members=1, random_state=0, relevance=value)
        .fit(noisy[:600], y[:600])
        .score(noisy[600:], y[600:])
        for value in ("auto", None)
    ]
    assert scores[0] > scores[1] + 0.05


def test_the_same_random_state_gives_the_same_relevance_with_any_joblib_backend():
    alone = one_member().fit(X, Y)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        beside = one_member().fit(X, Y)
    assert_array_equal(alone.relevance_, beside.relevance_)
    assert (alone.relevance_ != one_member(random_state=1).fit(X, Y).relevance_).any()


def test_partial_fit_and_warm_start_keep_the_relevance_of_the_first_call():
    clf = one_member(warm_start=True).fit(X, Y)
    first = clf.relevance_.copy()
    clf.fit(X[::-1] ** 3, Y).partial_fit(X, Y)
    assert_array_equal(clf.relevance_, first)


@pytest.mark.parametrize(
    "value, message",
    [
        ([1.0, 2.0], r"relevance must have 8 numbers, one for each column of X; got shape \(2,\)"),
        ([-1.0] * 8, "nowhere negative"),
        ([np.nan] * 8, "must be finite"),
        ([0.0] * 8, "somewhere above 0"),
        (["a"] * 8, "relevance must be 'auto', None or numbers"),
        ("forest", "The 'relevance' parameter"),
        (2.0, "The 'relevance' parameter"),
    ],
)
def test_an_invalid_relevance_is_refused_by_name(value, message):
    with pytest.raises(ValueError, match=message):
        one_member(relevance=value).fit(X, Y)


def test_relevance_numbers_need_scaling():
    with pytest.raises(ValueError, match="scaling=None has none"):
        one_member(relevance=[1.0] * 8, scaling=None).fit(X, Y)


def test_a_relevance_array_survives_cloning():
    clf = one_member(relevance=np.ones(N_COLUMNS))
    assert_array_equal(clone(clf).relevance, clf.relevance)


@pytest.fixture
def fits_of_scikit_learn(monkeypatch):
    """The names of scikit-learn's estimators whose public fit is called: tools like MLflow's autolog patch it in this way."""
    called = []

    def patched(cls, original):
        def fit(self, *args, **kwargs):
            called.append(cls.__name__)
            return original(self, *args, **kwargs)

        return fit

    for kind in ("classifier", "regressor"):
        for _, cls in all_estimators(type_filter=kind):
            monkeypatch.setattr(cls, "fit", patched(cls, cls.fit))
    return called


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_relevance_calls_no_public_fit_of_an_estimator(fits_of_scikit_learn, kind, method):
    classes = {"classes": [0, 1]} if (kind, method) == ("labels", "partial_fit") else {}
    clf = getattr(one_member(), method)(X, TARGETS[kind], **classes)
    assert len(set(clf.relevance_)) > 1  # the forest was asked
    assert fits_of_scikit_learn == []


@pytest.mark.parametrize("n_classes", [300, 160])
def test_relevance_is_1_without_a_warning_if_nearly_every_row_has_its_own_label(n_classes):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clf = one_member(max_iter=1).fit(X, np.arange(N_ROWS) % n_classes)
    assert caught == []
    assert_array_equal(clf.relevance_, np.ones(N_COLUMNS))
