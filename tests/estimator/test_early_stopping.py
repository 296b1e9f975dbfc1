"""The parameters `early_stopping` and `validation_fraction`: the split, and when it is refused."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from support.data import FEW_X as X
from support.data import FEW_y as y
from support.estimators import planned, short_default


@pytest.mark.parametrize(
    ("params", "labels", "weights", "message"),
    [
        ({"validation_fraction": 0.0}, y, None, "validation_fraction"),
        ({"validation_fraction": 0.99}, y, None, r"validation_fraction.*n_samples = 30"),
        ({}, y[:1], None, "validation set is too small.*at least 2 rows.*n_samples = 1"),
        ({}, y[:2], None, "validation set is too small.*at least 2 rows.*n_samples = 2"),
        ({}, y, np.arange(30) < 2.0, "n_samples = 2"),
        ({}, np.arange(30) == 3, None, r"too few members are: \[(1|True)\]|only 1 member"),
        ({}, [0, 0, 0, 1], None, "early_stopping cannot set validation rows of each class aside: The least populated"),
    ],
    ids=["fraction 0", "no row left", "one row", "two rows", "two rows of weight", "a class of one row", "few rows"],
)
def test_early_stopping_names_why_rows_cannot_be_split(params, labels, weights, message):
    with pytest.raises(ValueError, match=message):
        planned(early_stopping=True, **params).fit(X[: len(labels)], labels, weights)


def test_early_stopping_works_on_the_smallest_data_that_can_be_split():
    assert len(planned(early_stopping=True).fit(X[:3], y[:3]).validation_scores_) == 3


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("params", [{}, {"n_members": 1}, {"solver": "lbfgs", "max_iter": 3}], ids=str)
@pytest.mark.parametrize("scaling", ["robust", "standard"])
def test_rows_that_early_stopping_sets_aside_inform_neither_scaling_nor_bins_categories_or_relevance(scaling, params):
    """Training is the same to the last bit, whatever these rows hold."""
    scored = []

    def remember(estimator, X, y):
        scored.append(X.index)
        return float(len(scored))  # each epoch is better than the last one

    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(240, 3)), columns=list("abc"))
    frame["kind"] = np.array(["p", "q", "r"], dtype=object)[np.arange(240) % 3]
    labels = (frame["a"] > 0).to_numpy()
    clf = short_default(scaling=scaling, early_stopping=True, scoring=remember, n_bins=8, **params)
    fitted = clone(clf).fit(frame, labels)
    other = frame.copy()
    other.loc[scored[0], list("abc")] *= 1e6
    other.loc[scored[0][0], "a"] = np.nan
    other.loc[scored[0], "kind"] = "seen in no other row"
    again = clone(clf).fit(other, labels)
    assert len(scored[0]) == 24
    assert again.loss_curve_ == fitted.loss_curve_
    assert_array_equal(again.relevance_, fitted.relevance_)
    assert_array_equal(again.encoded_feature_names_, fitted.encoded_feature_names_)
    rest = frame.drop(scored[0])
    assert_array_equal(again.decision_function(rest), fitted.decision_function(rest))


@pytest.mark.filterwarnings("ignore:The number of unique classes")
@pytest.mark.parametrize(
    "n_of_class, scoring", [([140, 150, 10], "roc_auc_ovr"), ([150, 150, 2], "neg_log_loss"), ([1] * 12, "loss")]
)
def test_early_stopping_scores_rows_of_rare_classes(n_of_class, scoring):
    labels = np.repeat(np.arange(len(n_of_class)), n_of_class)
    X = np.random.default_rng(0).normal(size=(len(labels), 4))
    for seed in range(5):
        params = {"n_members": 1, "max_iter": 1, "random_state": seed}
        clf = short_default(early_stopping=True, scoring=scoring, **params).fit(X, labels)
        assert np.isfinite(clf.best_validation_score_)
