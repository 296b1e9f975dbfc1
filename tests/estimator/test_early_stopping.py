"""The parameters `early_stopping` and `validation_fraction`: the split, and when it is refused."""

import re

import numpy as np
import pytest

from sksoftmax.parameters import stops_early
from support.estimators import planned
from support.few_rows import X, y


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


@pytest.mark.parametrize(
    ("early_stopping", "n_samples", "expected"),
    [(True, 1, True), (False, 10**6, False), ("auto", 10_000, False), ("auto", 10_001, True)],
)
def test_early_stopping_auto_depends_on_the_number_of_rows(early_stopping, n_samples, expected):
    assert stops_early(early_stopping, n_samples) is expected
