"""`target_type`: what a matrix y of zeros and ones is; and the scores of soft labels."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier

from sksoftmax import SoftmaxMLPClassifier
from support.estimators import small


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_float_rows_of_0_and_1_that_sum_to_1_are_probabilities(iris, dtype):
    X, y = iris
    P = ExtraTreesClassifier(random_state=0).fit(X, y).predict_proba(X).astype(dtype)
    assert set(np.unique(P)) == {0, 1}
    clf = small().fit(X, P)
    np.testing.assert_allclose(clf.predict_proba(X).sum(axis=1), 1, atol=1e-5)
    assert clf.predict(X).shape == (150,)


def test_float_rows_of_0_and_1_may_be_followed_by_other_probabilities_in_partial_fit(iris):
    X, y = iris
    P = np.eye(3)[y]
    clf = small().partial_fit(X, P).partial_fit(X, 0.9 * P + 0.1 / 3)
    np.testing.assert_allclose(clf.predict_proba(X).sum(axis=1), 1, atol=1e-5)


def test_float_rows_of_0_and_1_may_be_followed_by_other_probabilities_in_a_warm_start(iris):
    X, y = iris
    P = np.eye(3)[y]
    clf = small(warm_start=True).fit(X, P).fit(X, 0.9 * P + 0.1 / 3)
    assert clf.predict(X).shape == (150,)


@pytest.mark.parametrize("form", ["int", "bool", "get_dummies"])
def test_an_integer_or_boolean_one_hot_y_is_multilabel_and_a_warning_says_how_to_pass_labels(iris, form):
    X, y = iris
    Y = pd.get_dummies(y) if form == "get_dummies" else np.eye(3, dtype=form)[y]
    with pytest.warns(UserWarning, match="y .*argmax|y .*idxmax"):
        clf = small().fit(X, Y)
    assert clf.predict(X).shape == (150, 3)


def test_float_rows_of_0_and_1_are_multilabel_for_from_sklearn_alone(iris):
    X, y = iris
    P = np.eye(3)[y]
    clf = SoftmaxMLPClassifier.from_sklearn(MLPClassifier((8,), solver="lbfgs", max_iter=2000, tol=1e-1))
    assert clf.fit(X, P).predict(X).shape == (150, 3)
    assert small().fit(X, P).predict(X).shape == (150,)


def test_target_type_multilabel_keeps_float_rows_of_0_and_1_multilabel_in_every_call(iris):
    X, y = iris
    for method in ("fit", "partial_fit"):
        clf = getattr(small(target_type="multilabel", warm_start=True), method)(X, np.eye(3)[y])
        assert getattr(clf, method)(X, np.eye(3)[y]).predict(X).shape == (150, 3)


@pytest.mark.parametrize("form", [np.asarray, csr_matrix, lambda Y: Y.astype(bool)], ids=["int", "sparse", "bool"])
def test_target_type_probabilities_takes_a_one_hot_matrix_of_integers_for_classes(iris, form):
    X, y = iris
    clf = small(target_type="probabilities").fit(X, form(np.eye(3, dtype=int)[y]))
    assert clf.predict(X).shape == (150,)


def test_target_type_auto_lets_a_multilabel_model_go_on_with_float_rows_of_0_and_1_that_sum_to_1(iris):
    X, y = iris
    several = np.random.default_rng(0).integers(0, 2, (150, 3)).astype(float)
    for method in ("fit", "partial_fit"):
        clf = getattr(small(warm_start=True), method)(X, several)
        assert getattr(clf, method)(X, np.eye(3)[y]).predict(X).shape == (150, 3)


# scores of soft labels


def softened(iris):
    X, y = iris
    return X, 0.8 * np.eye(3)[y] + 0.2 / 3, y


def test_score_of_soft_labels_is_the_accuracy_of_their_most_probable_class(iris):
    X, P, y = softened(iris)
    clf = small(max_iter=30).fit(X, P)
    weight = np.linspace(0, 1, 150)
    assert clf.score(X, P) == pytest.approx(clf.score(X, y))
    assert clf.score(X, P, sample_weight=weight) == pytest.approx(clf.score(X, y, sample_weight=weight))
    assert clf.score(X, pd.DataFrame(P)) == pytest.approx(clf.score(X, y))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_score_of_soft_labels_is_what_early_stopping_gives(iris, n_classes):
    X, y = iris
    X, y = X[y < n_classes], y[y < n_classes]
    P = 0.8 * np.eye(n_classes)[y] + 0.2 / n_classes
    clf = small(early_stopping=True).fit(X, P, X_val=X, y_val=P)
    assert clf.score(X, P) == pytest.approx(clf.best_validation_score_)


def test_a_search_over_soft_labels_scores_each_candidate(iris):
    X, P, _ = softened(iris)
    rows = np.random.default_rng(0).permutation(150)
    search = GridSearchCV(small(max_iter=30), {"alpha": [0.0, 1e5]}, cv=3, error_score="raise").fit(X[rows], P[rows])
    assert search.best_params_ == {"alpha": 0.0}
    assert search.best_score_ > 0.8


def test_score_of_soft_labels_names_what_is_wrong_with_y_or_sample_weight(iris):
    X, P, _ = softened(iris)
    clf = small().fit(X, P)
    for y, weight, message in [
        (P[:100], None, "y must have a row for each of the 150 rows of X; got 100"),
        (P[:, :2], None, r"y must have shape \(n_samples, 3\)"),
        (2 * P, None, "y is a float matrix"),
        (P, -np.ones(150), "sample_weight must be non-negative"),
    ]:
        with pytest.raises(ValueError, match=message):
            clf.score(X, y, weight)


# class names from the columns of y

N = 120
NUMBERS = np.random.default_rng(0).normal(size=(N, 3))
YES = (NUMBERS[:, 0] > 0).astype(int)
SOFT = pd.DataFrame({"yes": 0.1 + 0.8 * YES, "no": 0.9 - 0.8 * YES})  # not in alphabetical order
LABELS = pd.DataFrame({"new": YES, "old": 1 - YES, "large": (NUMBERS[:, 1] > 0).astype(int)})
IN_POLARS = {
    "pandas": lambda frame: frame,
    "polars": lambda frame: pytest.importorskip("polars").DataFrame(frame.to_dict("list")),
}


@pytest.mark.parametrize("library", IN_POLARS)
@pytest.mark.parametrize("y", [SOFT, LABELS], ids=["soft", "multilabel"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_classes_are_the_column_names_of_y(method, y, library):
    clf = getattr(small(max_iter=40), method)(NUMBERS, IN_POLARS[library](y))
    assert list(clf.classes_) == list(y.columns)
    assert clf.predict(NUMBERS).shape == ((N,) if y is SOFT else (N, 3))
    assert set(clf.predict(NUMBERS).ravel()) <= ({"no", "yes"} if y is SOFT else {0, 1})
    if y is SOFT and method == "fit":
        assert (clf.predict(NUMBERS) == np.where(YES, "yes", "no")).mean() > 0.9
        assert clf.score(NUMBERS, y) == clf.score(NUMBERS, np.where(YES, "yes", "no")) > 0.9


@pytest.mark.parametrize("given", ["y", "y_val", "score", "partial_fit"])
def test_columns_of_y_in_another_order_are_refused(given):
    other = SOFT[["no", "yes"]]
    clf = small(warm_start=True).fit(NUMBERS, SOFT)
    with pytest.raises(ValueError, match=r"y must have the columns \['yes', 'no'\], in this order; got \['no', 'yes'\]"):
        if given == "y":
            clf.fit(NUMBERS, other)
        elif given == "y_val":
            small(early_stopping=True).fit(NUMBERS, SOFT, X_val=NUMBERS, y_val=other)
        elif given == "score":
            clf.score(NUMBERS, other)
        else:
            clf.partial_fit(NUMBERS, other)


@pytest.mark.parametrize("y", [SOFT, LABELS], ids=["soft", "multilabel"])
def test_a_y_without_names_may_follow_one_whose_columns_are_the_classes(y):
    clf = small(warm_start=True).fit(NUMBERS, y).fit(NUMBERS, y.to_numpy()).partial_fit(NUMBERS, y.to_numpy())
    assert list(clf.partial_fit(NUMBERS, y, classes=list(y.columns)).classes_) == list(y.columns)
    assert list(clf.partial_fit(NUMBERS, y, classes=range(y.shape[1])).classes_) == list(y.columns)
    with pytest.raises(ValueError, match="not the same as on last call"):
        clf.partial_fit(NUMBERS, y, classes=["other", "names"])


def test_class_weight_takes_the_names_of_the_columns_of_soft_labels():
    named = small(class_weight={"yes": 3.0}).fit(NUMBERS, SOFT)
    numbered = small(class_weight={0: 3.0}).fit(NUMBERS, SOFT.to_numpy())
    np.testing.assert_array_equal(named.predict_proba(NUMBERS), numbered.predict_proba(NUMBERS))


def test_to_sklearn_keeps_the_order_of_the_columns_of_soft_labels():
    mlp = MLPClassifier((4,), max_iter=300, tol=0.1, random_state=0)
    clf = SoftmaxMLPClassifier.from_sklearn(mlp).fit(NUMBERS, SOFT)
    np.testing.assert_array_equal(clf.to_sklearn().predict(NUMBERS), clf.predict(NUMBERS))
