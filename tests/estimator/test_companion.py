"""`companion`: the radial network, or the boosted trees, beside the members of an ensemble."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.base import clone

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data import preprocessing
from sksoftmax.training import radial_fit
from support.networks import fitted_model

rng = np.random.RandomState(0)
X = rng.uniform(0, 4, size=(200, 2))
CHECKERBOARD = ((X[:, 0] % 2 < 1) ^ (X[:, 1] % 2 < 1)).astype(int)
WEIGHTS = rng.randint(1, 4, size=200)


def short(**params):
    return SoftmaxMLPClassifier((8,), **{"max_iter": 3, "n_members": 4, "random_state": 0} | params)


def has_companion(clf):
    return fitted_model(clf).companion is not None


def test_companion_is_the_last_member_of_the_ensemble():
    clf = short().fit(X, CHECKERBOARD)
    assert clf.n_members_ == len(clf.coefs_[0]) == 4
    assert clf.member_roles_[-1] == "radial network"
    for of_members in (clf.member_weights_, clf.member_temperatures_, clf.member_losses_):
        assert len(of_members) == len(clf.member_roles_) == 5
    assert_allclose(clf.member_weights_.sum(), 1)
    assert "radial network of 200 units" in clf.summary()


def test_companion_false_leaves_the_networks_alone():
    alone, both = (short(companion=radial).fit(X, CHECKERBOARD) for radial in (False, "auto"))
    assert len(alone.member_weights_) == 4
    assert "Companion" not in alone.summary()
    for ours, theirs in zip(alone.coefs_, both.coefs_):
        assert_array_equal(ours, theirs)


def test_companion_gets_the_weight_where_neighbors_tell_the_class():
    new = np.random.RandomState(1).uniform(0, 4, size=(300, 2))
    truth = ((new[:, 0] % 2 < 1) ^ (new[:, 1] % 2 < 1)).astype(int)
    alone, both = (short(companion=radial).fit(X, CHECKERBOARD).score(new, truth) for radial in (False, "auto"))
    assert both > alone + 0.1


def test_companion_is_not_fooled_by_rows_that_repeat_with_labels_of_noise():
    """Each row is known by heart from its copies, which say nothing about new rows."""
    rows = np.repeat(rng.normal(size=(120, 5)), 5, axis=0)
    labels = np.repeat(rng.randint(2, size=120), 5)
    with pytest.warns(UserWarning, match="Only 120 of the 600 rows of X are distinct"):
        clf = short().fit(rows, labels)
    assert has_companion(clf)
    p = clf.predict_proba(rng.normal(size=(500, 5)))
    assert -np.log(p).mean() < np.log(2) + 0.1


def test_companion_is_not_fooled_by_groups_that_share_a_label():
    groups = np.repeat(np.arange(50), 6)
    centers = rng.normal(size=(50, 5))[groups]
    labels = rng.randint(2, size=50)[groups]
    clf = short().fit(centers + 0.4 * rng.normal(size=(300, 5)), labels, groups=groups)
    assert has_companion(clf)
    p = clf.predict_proba(rng.normal(size=(500, 5)))
    assert -np.log(p).mean() < np.log(2) + 0.1


def test_companion_is_not_fooled_by_relevance_that_has_seen_the_labels():
    """Where columns are more than rows, columns that follow the labels by chance bring rows of a label together."""
    wide, labels = rng.normal(size=(120, 121)), rng.randint(2, size=120)
    assert not has_companion(short().fit(wide, labels))
    assert has_companion(short().fit(wide[:, :120], labels))


@pytest.mark.parametrize(
    "params",
    [{"companion": False}, {"n_members": 1, "early_stopping": True}, {"scaling": None}, {"solver": "lbfgs", "n_members": "auto"}],
)
@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_companion_needs_left_out_rows_and_scaled_columns(params):
    assert not has_companion(short(**params).fit(X, CHECKERBOARD))


@pytest.mark.parametrize("params", [{"n_members": 1}, {"n_members": 2}, {"solver": "sgd", "n_members": "auto"}])
def test_one_network_and_any_ensemble_have_a_companion(params):
    alone, both = (short(companion=companion, **params).fit(X, CHECKERBOARD) for companion in (False, "auto"))
    assert has_companion(both)
    assert len(both.member_weights_) == len(both.member_roles_) == both.n_members_ + 1
    new = np.random.RandomState(1).uniform(0, 4, size=(300, 2))
    truth = ((new[:, 0] % 2 < 1) ^ (new[:, 1] % 2 < 1)).astype(int)
    assert both.score(new, truth) > alone.score(new, truth) + 0.05


def test_companion_needs_dense_rows_neither_few_nor_many(monkeypatch):
    assert not has_companion(short().fit(csr_matrix(X * (X > 2.5)), CHECKERBOARD))
    assert not has_companion(short().fit(X[:99], CHECKERBOARD[:99]))
    monkeypatch.setattr(radial_fit, "MAX_ROWS", 199)
    assert not has_companion(short().fit(X, CHECKERBOARD))


def test_sample_weight_counts_in_companion_as_repeated_rows_do():
    weighted = short().fit(X, CHECKERBOARD, sample_weight=WEIGHTS * (np.arange(200) >= 20))
    left_out = short().fit(X[20:], CHECKERBOARD[20:], sample_weight=WEIGHTS[20:])
    assert_allclose(weighted.predict_proba(X), left_out.predict_proba(X), rtol=1e-6)
    heavy = short().fit(X, CHECKERBOARD, sample_weight=np.where(X[:, 0] < 2, 1.0, 1e-6))
    left = X[:, 0] < 2
    radial = fitted_model(heavy).companion
    assert np.abs(radial.W[~left]).max() < 1e-3 * np.abs(radial.W[left]).max()


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1, 1: 9}])
def test_class_weight_acts_on_radial(class_weight):
    rare = (X[:, 0] > 3.6).astype(int)
    p = [short(class_weight=w, max_iter=1).fit(X, rare).predict_proba(X)[:, 1].mean() for w in (None, class_weight)]
    assert p[1] > p[0]


def test_warm_start_keeps_companion_and_its_weight_unless_it_is_declined():
    clf = short(warm_start=True).fit(X[:120], CHECKERBOARD[:120])
    weights, radial = clf.member_weights_, fitted_model(clf).companion
    clf.fit(np.tile(X, (2, 1)), np.tile(CHECKERBOARD, 2))
    assert fitted_model(clf).companion is radial
    assert_array_equal(clf.member_weights_, weights)
    clf.set_params(companion=False).fit(X, CHECKERBOARD)
    assert not has_companion(clf)
    assert_allclose(clf.member_weights_, weights[:4] / weights[:4].sum())
    assert not has_companion(clf.set_params(companion="auto").fit(X, CHECKERBOARD))  # its weight is not known any more


@pytest.mark.parametrize("restore_best", [False, True])
@pytest.mark.parametrize("then", ["partial_fit", "fit"])
def test_the_best_score_of_a_model_with_companion_is_not_that_of_a_later_one_without(then, restore_best):
    new = {"X_val": X[150:], "y_val": CHECKERBOARD[150:]}
    clf = short(early_stopping=True, restore_best=restore_best, scoring="loss", warm_start=True)
    clf.fit(X[:150], CHECKERBOARD[:150], **new)
    assert has_companion(clf)
    clf.set_params(restore_best=True, companion="auto" if then == "partial_fit" else False)
    getattr(clf, then)(X[:150], CHECKERBOARD[:150], **new)
    assert not has_companion(clf)
    loss = -np.log(clf.predict_proba(new["X_val"])[np.arange(50), new["y_val"]]).mean()
    assert_allclose(-clf.best_validation_score_, loss, rtol=1e-5)


def test_partial_fit_drops_companion_which_knows_nothing_of_the_new_rows():
    clf = short().fit(X, CHECKERBOARD)
    weights = clf.member_weights_
    clf.partial_fit(X, CHECKERBOARD)
    assert not has_companion(clf)
    assert_allclose(clf.member_weights_, weights[:4] / weights[:4].sum())
    assert len(clf.member_roles_) == len(clf.member_losses_) == 4
    assert not has_companion(short().partial_fit(X, CHECKERBOARD, classes=[0, 1]))


def test_early_stopping_scores_companion_with_the_members():
    clf = short(early_stopping=True, max_iter=8).fit(X, CHECKERBOARD)
    assert has_companion(clf)
    assert len(clf.validation_scores_) == clf.n_iter_


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_predictions_with_companion_in_chunks_equal_those_of_single_rows(kind):
    clf = short(dtype=kind).fit(X, CHECKERBOARD)
    many = np.random.RandomState(2).uniform(-1, 5, size=(70_000, 2))
    p = clf.predict_proba(many)
    for row in (0, 1, 35_000, 69_999):
        assert_allclose(clf.predict_proba(many[row : row + 1])[0], p[row], rtol=1e-4 if kind == "float32" else 1e-10)


def test_a_pickle_and_a_clone_keep_radial():
    clf = short().fit(X, CHECKERBOARD)
    assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), clf.predict_proba(X))
    assert_array_equal(clone(clf).fit(X, CHECKERBOARD).predict_proba(X), clf.predict_proba(X))


@pytest.mark.parametrize("value", [True, "yes", None, 1])
def test_companion_is_auto_or_false(value):
    with pytest.raises(ValueError, match="The 'companion' parameter of SoftmaxMLPClassifier must be"):
        short(companion=value).fit(X, CHECKERBOARD)


def test_to_sklearn_names_companion_among_the_obstacles():
    with pytest.raises(ValueError, match=r"companion='auto' \(it has False\)"):
        short().to_sklearn()


def test_embedded_and_one_hot_columns_with_gaps_are_taken_by_radial(monkeypatch):
    frame = pd.DataFrame({"a": np.where(X[:, 0] > 3.9, np.nan, X[:, 0]), "b": pd.Categorical(["x", "y", None, "z"] * 50)})
    frame["c"] = pd.Categorical([f"c{i % 70}" for i in range(200)])
    monkeypatch.setattr(preprocessing, "MAX_ONE_HOT", 60)
    clf = short().fit(frame, CHECKERBOARD)
    assert clf.embeddings_
    assert has_companion(clf)
    assert np.isfinite(clf.predict_proba(frame)).all()


def test_companion_is_boosted_trees_on_more_rows_than_a_radial_network_may_have():
    many = np.random.RandomState(3).normal(size=(radial_fit.MAX_ROWS + 1, 3))
    labels = many[:, 1] > 0.3
    clf = short(max_iter=1).fit(many, labels)
    assert clf.member_roles_[-1] == "boosted trees"
    assert "boosted trees of 200 trees" in clf.summary()
    p = clf.predict_proba(many)
    assert_allclose(clf.predict_proba(many[:1])[0], p[0], rtol=1e-5)
    assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(many), p)


def test_trees_are_not_fooled_by_rows_that_repeat_with_labels_of_noise(trees_on_few_rows):
    rows, labels = np.repeat(rng.normal(size=(120, 5)), 5, axis=0), np.repeat(rng.randint(2, size=120), 5)
    with pytest.warns(UserWarning, match="Only 120 of the 600 rows of X are distinct"):
        clf = short().fit(rows, labels)
    assert has_companion(clf)
    p = clf.predict_proba(rng.normal(size=(500, 5)))
    assert -np.log(p).mean() < np.log(2) + 0.1


def test_class_weight_acts_on_trees(trees_on_few_rows):
    rare = (X[:, 0] > 3.4).astype(int)
    p = [short(class_weight=w, max_iter=1).fit(X, rare).predict_proba(X)[:, 1].mean() for w in (None, {0: 1, 1: 9})]
    assert p[1] > p[0]


@pytest.mark.parametrize("kind", ["soft", "multilabel"])
def test_trees_need_labels(trees_on_few_rows, kind):
    two = np.stack([CHECKERBOARD, 1 - CHECKERBOARD], axis=1)
    targets = 0.9 * two + 0.05 if kind == "soft" else np.stack([CHECKERBOARD, CHECKERBOARD], axis=1)
    assert not has_companion(short().fit(X, targets))
