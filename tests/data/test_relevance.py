"""The parameter `relevance`: estimated by trees, or given by the user."""

import warnings

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
from sksoftmax.data.groups import dealt_in_groups
from sksoftmax.data.relevance import (
    FOLDS,
    LEAST,
    MOST,
    RELEVANCE_CAP,
    Splits,
    as_matrix,
    balanced,
    fit_forest,
    gains_of_tree,
    has_small_classes,
    left_out_gains,
    limited,
    n_counted,
    relevance_of,
    sample_size,
    variance_ratios,
)
from sksoftmax.data.rows import Samples
from sksoftmax.layout import EMBEDDING_UNITS
from support.networks import fitted_preprocessor, of_kind
from support.processes import watch

RNG = np.random.RandomState(0)
N_ROWS, N_COLUMNS = 300, 8
X = RNG.standard_normal((N_ROWS, N_COLUMNS))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)  # an interaction: each column alone is uninformative
TARGETS = {"labels": Y, "multilabel": np.c_[Y, 1 - Y, Y], "probabilities": np.eye(3)[Y] * 0.25 + 0.25}


def one_member(**params):
    return SoftmaxMLPClassifier(**{"hidden_layer_sizes": (8,), "max_iter": 2, "n_members": 1, "random_state": 0, **params})


def forest(columns, targets, weights=None, kind="labels", seed=0):
    return fit_forest(columns.astype(np.float32), targets, weights, kind, np.random.RandomState(seed))


def gains(columns, targets, weights=None, kind="labels", seed=0, groups=None):
    samples = Samples(columns, targets, weights, strata=targets, groups=groups)
    outputs, rng = as_matrix(samples, kind), np.random.RandomState(seed)
    return left_out_gains(columns.astype(np.float32), outputs, samples, kind, rng)[0]


def of_forest(columns, targets, weights=None, **params):
    return relevance_of(gains(columns, targets, weights, **params), n_counted(weights, len(columns)))


def additive_bits(seed):
    """Twelve bits of additive effect, then ten normal columns of noise, and labels."""
    rng = np.random.RandomState(seed)
    bits, noise = rng.randint(2, size=(1000, 12)), rng.standard_normal((1000, 10))
    return np.c_[bits, noise], (rng.random_sample(1000) < 1 / (1 + np.exp(-(bits - 0.5).sum(axis=1)))).astype(int)


def parity(n_rows, n_bits, n_noise):
    """Bits, then normal columns of noise, and the parity of the bits."""
    rng = np.random.RandomState(0)
    bits = rng.randint(2, size=(n_rows, n_bits))
    return np.c_[bits, rng.standard_normal((n_rows, n_noise))], bits.sum(axis=1) % 2


@pytest.mark.parametrize("kind", TARGETS)
def test_relevance_is_highest_for_columns_that_matter_only_together(kind):
    values = one_member().fit(X, TARGETS[kind]).relevance_
    assert values[:2].min() > 1.2 * values[2:].max()


def test_relevance_drops_no_column_and_lets_none_dominate():
    values = relevance_of(np.array([0.9, *[0.0] * (N_COLUMNS - 1)]), 10**6)
    assert values[0] == MOST and values[1:].min() >= LEAST


@pytest.mark.parametrize(
    "n_columns, least, most", [(100, LEAST, MOST), (400, LEAST / 4, 8 * MOST), (900, LEAST / 9, RELEVANCE_CAP)]
)
def test_the_limits_of_relevance_are_wider_the_more_columns_there_are(n_columns, least, most):
    shares = np.zeros(n_columns)
    shares[0] = 1
    assert_allclose(limited(shares), [most, *[least] * (n_columns - 1)])


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
    fitted = [fitted_preprocessor(X, targets=y, relevance=asked, n_bins=8) for asked in ("auto", None)]
    threshold = (0.3 - fitted[0].numbers.center[0]) * fitted[0].numbers.scale[0]
    near = [np.sum(np.abs(of_kind(preprocessor, Bins)[0].edges[0] - threshold) < 0.05) for preprocessor in fitted]
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
    frame = pd.DataFrame({"noise": X[:, 2], "color": np.where(Y, "red", "blue"), "more": X[:, 3]})
    assert one_member().fit(frame, Y).relevance_.argmax() == 1


def test_relevance_treats_an_integer_sample_weight_as_repeated_rows():
    weights = np.random.RandomState(1).randint(1, 4, N_ROWS)
    repeated = np.repeat(np.arange(N_ROWS), weights)
    again = of_forest(X[repeated], Y[repeated], groups=repeated)  # copies of a row must be left out together
    assert_allclose(of_forest(X, Y, weights.astype(float)), again, rtol=1e-6)


def test_relevance_of_a_single_class_is_equal_for_all_columns():
    assert_allclose(of_forest(X, np.zeros(N_ROWS, int)), np.ones(N_COLUMNS), rtol=1e-12)


@pytest.mark.parametrize(
    "params, rows",
    [({"relevance": None}, X), ({"scaling": None}, X), ({}, X[:99]), ({"n_bins": 0}, csr_matrix(np.where(X > 0.5, X, 0)))],
)
def test_relevance_is_equal_for_all_columns_if_it_is_none_or_cannot_be_estimated(params, rows):
    assert_array_equal(one_member(**params).fit(rows, Y[: rows.shape[0]]).relevance_, np.ones(N_COLUMNS))


def test_relevance_none_draws_nothing_from_the_generator():
    asked, given = one_member(relevance=None).fit(X, Y), one_member(relevance=np.full(N_COLUMNS, 2.5)).fit(X, Y)
    assert_array_equal(given.relevance_, 2.5)
    assert_array_equal(asked.coefs_[0], given.coefs_[0])


def test_relevance_of_many_rows_is_estimated_on_a_sample(monkeypatch, limits):
    taken = []
    limits(MAX_FOREST_ROWS=150)
    watch(monkeypatch, relevance, "fit_forest", lambda Z, targets, *rest: taken.append((len(Z), len(targets))))
    one_member().fit(X, Y)
    assert taken == [(100, 100)] * FOLDS


def test_relevance_weakens_on_many_rows(limits):
    few = one_member().fit(X, Y).relevance_
    limits(PRIOR_ROWS=N_ROWS / 4)
    assert_allclose(one_member().fit(X, Y).relevance_, few**0.25)


@pytest.mark.parametrize("rows", [X, csr_matrix(np.where(X > 0.5, X, 0))], ids=["dense", "sparse"])
def test_the_network_input_is_multiplied_by_relevance(rows):
    values = np.arange(N_COLUMNS, dtype=float)
    ours, plain = (fitted_preprocessor(rows, relevance=asked, n_bins=4) for asked in (values, None))
    source = np.concatenate([block.source for block in ours.blocks])
    factors = values[source]
    factors = factors / np.sqrt(np.mean(factors**2))
    encoded = [preprocessor.transform(rows, np.float64)[:, -N_COLUMNS:] for preprocessor in (ours, plain)]  # all but bins
    encoded = [Z.toarray() if rows is not X else Z for Z in encoded]
    assert_allclose(encoded[0], encoded[1] * factors[-N_COLUMNS:])
    names = ours.get_feature_names_out([f"x{i}" for i in range(N_COLUMNS)], EMBEDDING_UNITS)
    assert [name.split("_")[0] for name in names] == [f"x{i}" for i in source]


def test_columns_of_higher_relevance_have_larger_n_bins():
    preprocessor = fitted_preprocessor(X, relevance=np.repeat([1.0, 7.0], N_COLUMNS // 2), n_bins=64)
    assert_array_equal(np.bincount(of_kind(preprocessor, Bins)[0].source), np.repeat([8, 56], N_COLUMNS // 2))


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


# Evidence: rows that a tree has not seen


def test_the_gains_of_a_split_on_left_out_rows_are_the_covariance_of_its_values_with_their_outputs():
    columns = np.arange(8.0).reshape(-1, 1).astype(np.float32)
    seen = forest(columns, np.array([0, 0, 0, 0, 1, 1, 1, 1])).estimators_[0]
    outputs = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])  # the first row below the threshold, the others above
    found = gains_of_tree(seen, np.array([[0], [5], [6], [7]], dtype=np.float32), outputs, np.array([1.0, 1.0, 1.0, 2.0]))
    assert_allclose(found, [0.5 * 5])  # v of either child is 0.5 from the root's, and so is each y; two outputs, weight 5


def test_columns_of_noise_gain_nothing_on_average_however_many_values_they_have():
    rng = np.random.RandomState(0)
    columns = np.c_[rng.standard_normal((1500, 4)), rng.randint(2, size=(1500, 4))]
    found = np.mean([gains(columns, rng.randint(2, size=1500), seed=seed) for seed in range(3)], axis=0)
    assert np.abs(found.sum()) < 0.02 and np.abs(found).max() < 0.01


def test_relevance_at_chance_is_nearly_flat():
    rng = np.random.RandomState(0)
    values = of_forest(rng.standard_normal((5000, 10)), rng.randint(2, size=5000))
    assert values.min() > 0.7 and values.max() < 1.5


def test_each_informative_bit_has_a_higher_relevance_than_any_column_of_noise_with_many_values():
    values = of_forest(*additive_bits(5))
    assert values[:12].min() > values[12:].max()


@pytest.mark.parametrize("seed", range(3))
def test_informative_bits_rank_above_columns_of_noise_in_any_sample(seed):
    values = of_forest(*additive_bits(seed))
    assert np.mean(values[:12, None] > values[12:]) > 0.95


def test_columns_that_matter_only_together_are_not_damped():
    values = of_forest(*parity(5000, 5, 5))
    assert values[:5].min() > 0.6 and values[5:].max() < 1.5


def test_the_parity_of_two_bits_among_columns_of_noise_is_learned():
    rows, y = parity(2300, 2, 50)
    clf = SoftmaxMLPClassifier((32,), max_iter=12, n_members=4, random_state=0).fit(rows[:2000], y[:2000])
    assert clf.score(rows[2000:], y[2000:]) > 0.97


@pytest.mark.nightly
def test_the_default_learns_the_parity_of_five_bits():
    rows, y = parity(6000, 5, 5)
    clf = SoftmaxMLPClassifier(random_state=0).fit(rows[:5000], y[:5000])
    assert clf.score(rows[5000:], y[5000:]) > 0.98


def test_copies_of_a_column_share_its_relevance():
    y = (X[:, 0] > 0).astype(int)
    values = of_forest(np.c_[X, X[:, 0]], y)
    assert min(values[0], values[-1]) > 2 * values[1:-1].max()


def test_a_column_of_distinct_numbers_and_one_that_hardly_varies_are_not_more_relevant_than_noise():
    rng = np.random.RandomState(1)
    rows = np.c_[X, rng.permutation(N_ROWS), np.arange(N_ROWS) == 7]
    values = of_forest(rows, (X[:, 0] + X[:, 1] > 0).astype(int))
    assert values[-2:].max() < values[:2].min() / 2


@pytest.mark.parametrize("kind", TARGETS)
def test_a_row_of_weight_2_is_two_rows_of_one_group(kind):
    weights = np.where(np.arange(N_ROWS) % 3 == 0, 2, 1)
    repeated = np.repeat(np.arange(N_ROWS), weights)
    targets = TARGETS[kind]
    once = of_forest(X, targets, weights.astype(float), kind=kind)
    assert_allclose(once, of_forest(X[repeated], targets[repeated], kind=kind, groups=repeated), rtol=1e-6)


def test_a_class_that_the_other_folds_lack_does_not_matter():
    y = np.where(np.arange(N_ROWS) == 5, 7, Y)
    assert_allclose(gains(X, y), gains(X, np.where(y == 7, 9, y)))
    assert np.isfinite(of_forest(X, y)).all()


def test_rows_of_a_group_are_left_out_together_and_strata_are_spread_over_the_folds():
    groups, strata = np.arange(60) // 3 * 7, np.arange(60) // 3 % 4
    folds = dealt_in_groups(strata, groups, FOLDS, np.random.RandomState(0))
    assert all(len(set(folds[groups == group])) == 1 for group in groups)
    of_rows = dealt_in_groups(strata, None, FOLDS, np.random.RandomState(0))
    assert np.bincount(of_rows).tolist() == [20] * FOLDS
    assert all(5 <= np.sum(of_rows[strata == stratum] == fold) + 1 <= 7 for stratum in range(4) for fold in range(FOLDS))


def test_copies_of_rows_do_not_make_noise_relevant_if_they_are_a_group():
    rng = np.random.RandomState(0)
    groups = np.repeat(np.arange(150), 4)
    columns, y = np.repeat(rng.standard_normal((150, 6)), 4, axis=0), np.repeat(rng.randint(2, size=150), 4)
    assert gains(columns, y).sum() > 0.5  # a tree that has seen a copy knows the label
    assert gains(columns, y, groups=groups).sum() < 0.15


# Many classes, and few rows


@pytest.mark.parametrize(
    "n_rows, n_classes, kind, expected",
    [(219, 11, "labels", True), (220, 11, "labels", False), (100, 10, "labels", False), (219, 11, "multilabel", False)],
)
def test_classes_are_small_if_there_are_many_with_few_rows_each(n_rows, n_classes, kind, expected):
    assert has_small_classes(n_rows, n_classes, kind) == expected


def test_many_small_classes_have_neither_forests_nor_bins():
    clf = one_member().fit(X, np.arange(N_ROWS) % 20)
    assert_array_equal(clf.relevance_, np.ones(N_COLUMNS))
    assert not any("bin" in name for name in clf.encoded_feature_names_)


def test_the_sample_is_smaller_the_more_columns_and_classes_there_are():
    assert sample_size(10, 2) == sample_size(10, 20) == 10_000
    assert sample_size(400, 20) == 2500
    assert sample_size(400, 100) == 500
    assert sample_size(10**6, 2) == 100


@pytest.mark.parametrize("kind", TARGETS)
def test_the_variance_ratio_of_noise_is_1_on_average_and_bounded_by_the_number_of_rows(kind):
    rng = np.random.RandomState(0)
    outputs = as_matrix(Samples(None, TARGETS[kind][:50], strata=TARGETS[kind][:50]), kind)
    ratios = variance_ratios(rng.standard_normal((50, 2000)), outputs, None)
    assert abs(ratios.mean() - 1) < 0.1
    assert_allclose(variance_ratios(outputs[:, :1], outputs[:, :1], None), 49)


def test_a_variance_ratio_treats_a_weight_of_2_as_two_rows_and_missing_values_as_the_mean():
    columns, outputs = X[:40].copy(), as_matrix(Samples(None, None, strata=Y[:40]), "labels")
    columns[::3, 1] = np.nan
    columns[:, 2] = np.nan
    weights = np.where(np.arange(40) % 3 == 0, 2.0, 1.0)
    repeated = np.repeat(np.arange(40), weights.astype(int))
    once = variance_ratios(columns, outputs, weights)
    assert_allclose(once, variance_ratios(columns[repeated], outputs[repeated], None))
    assert once[2] == 0
    filled = columns[:, 1:2].copy()
    filled[::3] = filled[np.arange(40) % 3 > 0].mean()
    assert_allclose(variance_ratios(filled, outputs, weights), once[1:2])


def test_few_rows_of_many_columns_are_learned_from_the_columns_that_differ():
    rng = np.random.RandomState(0)
    y = np.arange(560) % 2
    rows = rng.standard_normal((560, 4000))
    rows[:, :20] += 0.55 * (2 * y[:, None] - 1)
    clf = SoftmaxMLPClassifier(random_state=0).fit(rows[:60], y[:60])
    assert clf.score(rows[60:], y[60:]) >= 0.8
    assert clf.relevance_[:20].mean() > 5 * clf.relevance_[20:].mean()


def test_few_rows_of_many_columns_of_noise_are_not_predicted_with_more_confidence_than_without_relevance():
    rng = np.random.RandomState(0)
    rows, y = rng.standard_normal((360, 500)), rng.randint(2, size=360)
    losses = []
    for asked in ("auto", None):
        clf = SoftmaxMLPClassifier(max_iter=50, random_state=0, relevance=asked).fit(rows[:60], y[:60])
        losses.append(-np.log(clf.predict_proba(rows[60:])[np.arange(300), y[60:]]).mean())
    assert losses[0] < losses[1] + 0.05


def test_few_rows_of_fewer_columns_have_equal_relevance():
    assert_array_equal(one_member().fit(X[:50], Y[:50]).relevance_, np.ones(N_COLUMNS))


def test_the_first_few_rows_of_partial_fit_decide_no_relevance():
    rows = np.random.RandomState(0).standard_normal((30, 50))
    clf = one_member().partial_fit(rows, Y[:30], classes=[0, 1])
    assert_array_equal(clf.relevance_, np.ones(50))
    assert len(set(one_member().fit(rows, Y[:30]).relevance_)) > 1


def test_a_frequent_label_does_not_hide_the_column_of_a_rare_one():
    rng = np.random.RandomState(0)
    rows = rng.standard_normal((3000, 6))
    rare = rng.random_sample(3000) < 1 / (1 + np.exp(5 - 1.5 * rows[:, 0]))
    values = one_member().fit(rows, np.c_[rows[:, 1] > 0, rare].astype(int)).relevance_
    assert values[:2].min() > 1.5 * values[2:].max()


def test_balanced_labels_have_equal_variances_but_those_of_a_single_row_count_little():
    labels = np.zeros((10_000, 3))
    labels[:5000, 0] = labels[:1000, 1] = labels[0, 2] = 1
    assert_allclose(balanced(labels, None).var(axis=0), [1, 1, 1 / 11], rtol=0.02)
    weights = np.where(np.arange(10_000) % 2, 1.0, 2.0)
    repeated = np.repeat(np.arange(10_000), weights.astype(int))
    assert_allclose(balanced(labels, weights)[repeated], balanced(labels[repeated], None))
