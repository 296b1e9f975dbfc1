"""The validation scores of an ensemble are those of the model that fit returns."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sksoftmax import SoftmaxMLPClassifier


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    X, X_rest, y, y_rest = train_test_split(X, y, train_size=400, stratify=y, random_state=0)
    return X, y, X_rest[:400], y_rest[:400]


def small_committee(**parameters):
    return SoftmaxMLPClassifier((32,), n_members=4, n_bins=0, max_iter=8, early_stopping=True, random_state=0, **parameters)


def score_of(clf, scoring, X, y):
    if scoring == "accuracy":
        return clf.score(X, y)
    return clf.predict_log_proba(X)[np.arange(len(y)), y].mean()


@pytest.mark.parametrize("scoring", ["loss", "neg_log_loss"])
def test_best_validation_score_is_that_of_the_committee_that_comes_back(digits, scoring):
    X, y, X_val, y_val = digits
    clf = small_committee(scoring=scoring).fit(X, y, X_val=X_val, y_val=y_val)
    assert clf.best_validation_score_ == pytest.approx(score_of(clf, scoring, X_val, y_val), rel=1e-5)


@pytest.mark.parametrize("scoring", ["accuracy", "loss"])
def test_the_validation_curve_is_that_of_the_committee_that_comes_back(digits, scoring):
    X, y, X_val, y_val = digits
    clf = small_committee(scoring=scoring).fit(X, y, X_val=X_val, y_val=y_val)
    loss = -score_of(clf, "loss", X_val, y_val)
    assert clf.validation_loss_curve_[clf.best_iter_ - 1] == pytest.approx(loss, rel=1e-5)
    assert clf.best_validation_score_ == pytest.approx(score_of(clf, scoring, X_val, y_val), rel=1e-5)


def test_the_validation_curve_ends_at_the_committee_that_comes_back_without_restore_best(digits):
    X, y, X_val, y_val = digits
    clf = small_committee(restore_best=False).fit(X, y, X_val=X_val, y_val=y_val)
    assert clf.validation_loss_curve_[-1] == pytest.approx(-score_of(clf, "loss", X_val, y_val), rel=1e-5)


@pytest.mark.parametrize("n_rows", [150, 400])
def test_best_validation_score_is_the_accuracy_of_the_committee_that_comes_back(n_rows):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(n_rows + 1000, 6))
    y = (X[:, 0] + 1.5 * rng.normal(size=len(X)) > 0).astype(int)
    clf = small_committee().fit(X[:n_rows], y[:n_rows], X_val=X[n_rows:], y_val=y[n_rows:])
    assert clf.best_validation_score_ == pytest.approx(clf.score(X[n_rows:], y[n_rows:]))
    assert clf.validation_loss_curve_[clf.best_iter_ - 1] == pytest.approx(
        -score_of(clf, "loss", X[n_rows:], y[n_rows:]), rel=1e-5
    )
