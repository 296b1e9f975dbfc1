"""Rows that repeat, nearly repeat, or belong to groups: what `fit` infers from them must hold for new rows."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksoftmax import SoftmaxMLPClassifier
from support.data import drawn
from support.estimators import small

WAYS = {  # how often each of 300 rows occurs
    "ten times": lambda rng, y: np.full(300, 10),
    "1 to 7 times": lambda rng, y: rng.randint(1, 8, 300),
    "as a join": lambda rng, y: np.minimum(1 + rng.geometric(0.2, 300), 40),
    "one class oversampled": lambda rng, y: 1 + 4 * y,
}


def visits(n_visits, seed=0):
    """Visits of 100 patients: rows, labels, the patients; and new patients, each seen once, with their labels."""
    P, of_patient = drawn(100, 6, seed)
    patient = np.repeat(np.arange(100), n_visits)
    X = P[patient] + 0.1 * np.random.RandomState(seed + 1).normal(size=(len(patient), 6))
    return X, of_patient[patient], patient, *drawn(2000, 6, seed + 2)


def loss_of(clf, X, y):
    return log_loss(y, clf.predict_proba(X))


@pytest.mark.filterwarnings("ignore:Only .* distinct", "ignore:The .* rows of X form")
@pytest.mark.parametrize("way", WAYS)
def test_rows_that_repeat_cost_nothing_against_sample_weight(way):
    X, y = drawn(300)
    times = WAYS[way](np.random.RandomState(0), y)
    rows = np.random.RandomState(1).permutation(np.repeat(np.arange(300), times))
    X_new, y_new = drawn(5000, seed=1)
    repeated = loss_of(SoftmaxMLPClassifier(random_state=0).fit(X[rows], y[rows]), X_new, y_new)
    weighted = loss_of(SoftmaxMLPClassifier(random_state=0).fit(X, y, sample_weight=times), X_new, y_new)
    assert repeated <= 1.05 * weighted


@pytest.mark.filterwarnings("ignore:Only .* distinct", "ignore:The .* rows of X form")
@pytest.mark.parametrize("n_members", [1, "auto"])
def test_rows_that_repeat_do_not_make_probabilities_extreme(n_members):
    X, y = drawn(600)
    X_new, y_new = drawn(5000, seed=1)
    clf = SoftmaxMLPClassifier(n_members=n_members, random_state=0).fit(np.repeat(X, 5, axis=0), np.repeat(y, 5))
    assert loss_of(clf, X_new, y_new) < 0.66
    assert clf.predict_proba(X_new).min() > 1e-5


@pytest.mark.parametrize("n_visits", [3, 20])
def test_visits_of_patients_are_found_and_new_patients_are_predicted_well(n_visits):
    X, y, _, X_new, y_new = visits(n_visits)
    with pytest.warns(UserWarning, match="clusters of rows that repeat or nearly repeat each other.* pass groups"):
        clf = SoftmaxMLPClassifier(random_state=0).fit(X, y)
    assert loss_of(clf, X_new, y_new) <= loss_of(LogisticRegression().fit(X, y), X_new, y_new) + 0.1


def test_groups_keep_visits_together_that_are_not_found():
    X, y, patient, X_new, y_new = visits(10)
    X = X + 0.3 * np.random.RandomState(5).normal(size=X.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf = SoftmaxMLPClassifier(random_state=0).fit(X, y, groups=[f"patient {i}" for i in patient])
    assert loss_of(clf, X_new, y_new) <= loss_of(LogisticRegression().fit(X, y), X_new, y_new) + 0.1


def test_groups_of_one_row_each_change_nothing():
    X, y = drawn(200)
    one, other = (small(max_iter=4, n_members=4).fit(X, y, groups=groups) for groups in (None, np.arange(200)))
    assert_array_equal(one.predict_proba(X) > 0.5, other.predict_proba(X) > 0.5)
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), atol=0.1)


@pytest.mark.parametrize("scaling", ["robust", None])
def test_early_stopping_scores_whole_groups(scaling):
    X, y = drawn(300)
    groups, scored = np.arange(300) // 10, []

    def scorer(estimator, X_val, y_val):
        scored.append(X_val)
        return 0.0

    clf = small(early_stopping=True, scoring=scorer, scaling=scaling, max_iter=2, categorical_features=None)
    clf.fit(X, y, groups=groups)
    of_scored = groups[(X[:, None, 0] == scored[0][:, 0]).any(axis=1)]
    assert set(np.bincount(of_scored)) == {0, 10}


def test_early_stopping_with_one_group_is_an_error_that_names_groups():
    X, y = drawn(60)
    with pytest.raises(ValueError, match="groups has none that can be: there is one group"):
        small(early_stopping=True).fit(X, y, groups=np.zeros(60))


def test_one_group_is_not_calibrated_which_a_warning_says():
    X, y = drawn(120)
    with pytest.warns(UserWarning, match="No group can be left out"):
        clf = small(max_iter=2, n_members=4).fit(X, y, groups=["all"] * 120)
    assert clf.temperature_ == 1


def test_early_stopping_keeps_a_row_of_each_class_in_training():
    X, _ = drawn(160)
    y, groups = np.arange(160) % 8, np.arange(160) % 16
    clf = small(early_stopping=True, validation_fraction=0.3, max_iter=2).fit(X, y, groups=groups)
    assert set(clf.classes_) == set(range(8))


def test_groups_that_are_classes_do_not_spoil_the_fit():
    X, _ = drawn(300, 6)
    y = np.arange(300) % 3
    X[:, 0] += 4 * (y == 1)
    X[:, 1] += 4 * (y == 2)
    with pytest.warns(UserWarning, match="each group has a class that no other has"):
        clf = SoftmaxMLPClassifier((16,), max_iter=20, random_state=0).fit(X[:200], y[:200], groups=y[:200])
    assert log_loss(y[200:], clf.predict_proba(X[200:])) < 0.35


def test_tight_classes_are_no_copies():
    X, y = make_blobs(1200, 20, centers=30, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf = SoftmaxMLPClassifier((32,), max_iter=20, n_members=4, random_state=0).fit(X[:600], y[:600])
    assert log_loss(y[600:], clf.predict_proba(X[600:])) < 0.05


def test_rows_that_repeat_with_other_labels_are_no_copies():
    """Rows of few entities, which new rows will be too: a few labels of equal rows differ, as those of copies never do."""
    rng = np.random.RandomState(0)
    entities, labels = rng.normal(size=(100, 3)), rng.randint(2, size=100)
    i, j = rng.randint(100, size=1000), rng.randint(100, size=1000)
    y = np.where(rng.random_sample(1000) < 0.01, 1 - labels[i], labels[i])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf = SoftmaxMLPClassifier(n_members=4, random_state=0).fit(entities[i], y)
    assert clf.score(entities[j], labels[j]) > 0.97


@pytest.mark.parametrize("groups", ["patient", 5, {"a": 1}, (i for i in range(60))], ids=["text", "number", "dict", "generator"])
def test_groups_that_are_no_array_are_an_error_that_names_groups(groups):
    X, y = drawn(60)
    with pytest.raises(TypeError, match="groups must be an array or a list with a label for each row of X; got"):
        small().fit(X, y, groups=groups)


def test_a_wrong_number_of_groups_is_an_error_and_leaves_the_estimator_unchanged():
    X, y = drawn(60)
    clf = small(max_iter=2).fit(X, y)
    before = clf.predict_proba(X)
    with pytest.raises(ValueError, match=r"groups must have shape \(60,\)"):
        clf.fit(X, y, groups=np.zeros(59))
    assert_array_equal(clf.predict_proba(X), before)


def test_groups_are_routed_through_a_search_and_a_pipeline():
    X, y = drawn(120)
    groups, seen = np.arange(120) // 4, []

    class Recording(SoftmaxMLPClassifier):
        def fit(self, X, y, sample_weight=None, *, groups=None):
            seen.append(groups)
            return super().fit(X, y, groups=groups)

    clf = Recording((4,), n_members=4, max_iter=1, n_bins=0, relevance=None, random_state=0)
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(StandardScaler(), clf.set_fit_request(groups=True))
        GridSearchCV(pipeline, {"recording__max_iter": [1, 2]}, cv=GroupKFold(2)).fit(X, y, groups=groups)
    assert [len(set(part)) for part in seen] == [15] * 4 + [30]


def test_groups_reach_the_last_step_of_a_pipeline_by_its_name():
    X, y = drawn(60)
    with pytest.raises(ValueError, match=r"groups must have shape \(60,\)"):
        make_pipeline(StandardScaler(), small()).fit(X, y, softmaxmlpclassifier__groups=[1])


def test_a_fit_like_MLPClassifiers_does_not_look_for_copies():
    X, y = drawn(60)
    params = {"n_members": 1, "max_iter": 2, "dropout": 0.0, "weight_decay": 0.0, "scaling": None, "categorical_features": None}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(**params).fit(np.repeat(X, 5, axis=0), np.repeat(y, 5))


def test_validation_rows_that_are_training_rows_are_warned_of():
    X, y = drawn(80)
    with pytest.warns(UserWarning, match="100% of the rows of X_val are equal to rows of X"):
        small(early_stopping=True).fit(X, y, X_val=X[:20], y_val=y[:20])


def test_validation_rows_of_few_categories_may_be_equal_to_training_rows():
    X = np.random.RandomState(0).randint(2, size=(80, 3)).astype(float)
    y = np.random.RandomState(1).randint(2, size=80)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(early_stopping=True).fit(X, y, X_val=X[:20], y_val=y[:20])
