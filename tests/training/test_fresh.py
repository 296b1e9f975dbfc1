"""Starts that make everything anew: `Fresh` for fit, `FreshPartial` for the first call of partial_fit."""

import numpy as np
import pytest

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.data.columns import Categories
from sksoftmax.data.inputs import FitArguments
from sksoftmax.data.relevance import MIN_ROWS
from sksoftmax.data.rows import Samples
from sksoftmax.data.targets import Targets
from sksoftmax.training.fresh import Fresh, FreshPartial

X = np.random.RandomState(0).normal(size=(60, 3))
y = (X[:, 0] > 0).astype(int)
TWICE = np.repeat(np.arange(60), 2)
TARGETS = Targets("labels", np.arange(2), "auto")


def fresh_start(kind=Fresh, **params):
    clf = SoftmaxMLPClassifier((4,), **params)
    return kind(clf, clf.get_params(deep=False), np.random.RandomState(0))


def samples(rows=slice(None)):
    return Samples(X[rows], y[rows].astype(float)[:, None], strata=y[rows])


@pytest.mark.parametrize("params, finds", [({}, True), ({"n_members": 1, "max_iter": 3, "dropout": 0, "weight_decay": 0}, False)])
def test_copies_are_found_if_rows_are_left_out_or_auto_counts_rows(params, finds):
    made = fresh_start(**params)
    if finds:
        with pytest.warns(UserWarning, match="Only 60 of the 120 rows of X are distinct"):
            training = made.with_copies(samples(TWICE), Categories({}), TARGETS)
    else:
        training = made.with_copies(samples(TWICE), Categories({}), TARGETS)
    assert training.n_distinct == (60 if finds else 120)


@pytest.mark.parametrize("kind, is_uniform", [(Fresh, False), (FreshPartial, True)])
def test_partial_fit_judges_no_relevance_by_few_rows_as_later_calls_may_bring_more(kind, is_uniform):
    wide = np.random.RandomState(0).normal(size=(40, 60))
    y = (wide[:, 0] > 0).astype(int)
    rows = Samples(wide, y.astype(float)[:, None], strata=y)
    assert len(wide) < MIN_ROWS
    relevance = fresh_start(kind).preprocessor(rows, Categories({}), TARGETS).relevance
    assert (np.ptp(relevance) == 0) == is_uniform


@pytest.mark.parametrize("dtype, expected", [("auto", "float32"), ("float64", "float64")])
def test_the_dtype_of_many_scaled_rows_is_float32_unless_the_user_asks_for_another(dtype, expected):
    many = np.ones((200, 2))
    assert fresh_start(dtype=dtype).network_dtype(many, None) == expected
    assert fresh_start(dtype=dtype).output_dtype(many) == "float64"
    assert fresh_start(dtype=dtype).network_dtype(many, np.arange(200) < 50) == "float64"  # rows of weight 0 do not count


def test_partial_fit_takes_its_classes_from_the_argument():
    targets = fresh_start(FreshPartial).targets(y, FitArguments(X, y, classes=[0, 1, 2]))
    np.testing.assert_array_equal(targets.classes, [0, 1, 2])
    np.testing.assert_array_equal(fresh_start().targets(y, FitArguments(X, y)).classes, [0, 1])
