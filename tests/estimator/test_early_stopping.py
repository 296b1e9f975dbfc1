"""The parameters `early_stopping` and `validation_fraction`: the split, and when it is refused."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from support.data import FEW_X as X
from support.data import FEW_y as y
from support.estimators import planned, short_default


def test_a_validation_fraction_of_0_is_refused_with_early_stopping():
    with pytest.raises(ValueError, match="validation_fraction"):
        planned(early_stopping=True, validation_fraction=0.0).fit(X, y)


@pytest.mark.parametrize("rows", [1, 2])
def test_too_few_rows_to_split_for_early_stopping_are_refused(rows):
    with pytest.raises(ValueError, match=rf"validation set is too small.*at least 2 rows.*n_samples = {rows}"):
        planned(early_stopping=True).fit(X[:rows], y[:rows])


def test_a_validation_fraction_that_leaves_no_row_to_train_on_is_refused():
    with pytest.raises(ValueError, match=r"validation_fraction.*n_samples = 30"):
        planned(early_stopping=True, validation_fraction=0.99).fit(X, y)


def test_rows_of_sample_weight_0_are_not_counted_for_the_early_stopping_split():
    with pytest.raises(ValueError, match="n_samples = 2"):
        planned(early_stopping=True).fit(X, y, sample_weight=(np.arange(30) < 2).astype(float))


def test_early_stopping_refuses_a_class_with_one_row_by_name():
    with pytest.raises(ValueError, match=re.escape("too few members are: [1]") + "|only 1 member"):
        planned(early_stopping=True).fit(X, (np.arange(30) == 3).astype(int))


def test_early_stopping_works_on_the_smallest_data_that_can_be_split():
    assert len(planned(early_stopping=True).fit(X[:3], y[:3]).validation_scores_) == 3


def test_the_error_of_a_class_that_cannot_be_split_names_early_stopping():
    with pytest.raises(ValueError, match="early_stopping cannot set validation rows of each class aside: The least populated"):
        planned(early_stopping=True).fit(X[:4], [0, 0, 0, 1])


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
