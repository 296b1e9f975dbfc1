"""The user's groups as numbers, and what follows from them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sksoftmax.data.groups import group_codes, independent_rows, strata_of_groups

FORMS = {
    "list": ["a", "b", "a", "c"],
    "array": np.array([3, 1, 3, 7]),
    "tuples": [("x", 1), ("x", 2), ("x", 1), ("y", 1)],
    "series": pd.Series(["a", "b", "a", "c"], index=[9, 8, 7, 6]),
    "categories": pd.Series(["a", "b", "a", "c"], dtype="category"),
    "column": np.array([[3], [1], [3], [7]]),
    "frame": pd.DataFrame({"patient": ["a", "b", "a", "c"]}),
    "mixed": ["a", 1, "a", 2.5],
}


@pytest.mark.parametrize("groups", FORMS.values(), ids=FORMS.keys())
def test_groups_may_have_any_hashable_labels(groups):
    assert_array_equal(group_codes(groups, 4), [0, 1, 0, 2])


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT], ids=str)
def test_a_missing_label_in_groups_is_an_error_that_names_the_row(missing):
    with pytest.raises(ValueError, match=r"groups must have a label for each row; got .* in row 2"):
        group_codes(["a", "b", missing, "c"], 4)


@pytest.mark.parametrize("groups", [["a"], np.zeros((4, 2)), np.array(3)], ids=["short", "matrix", "scalar"])
def test_groups_of_a_wrong_shape_are_an_error_that_names_the_shape(groups):
    with pytest.raises(ValueError, match=r"groups must have shape \(4,\), one label a row of X; got"):
        group_codes(groups, 4)


def test_labels_of_groups_that_cannot_be_hashed_are_an_error():
    with pytest.raises(TypeError, match=r"groups must have hashable labels; got \['b'\] in row 1"):
        group_codes(["a", ["b"], "a", "c"], 4)


def test_the_stratum_of_a_group_is_its_most_frequent_one():
    assert_array_equal(strata_of_groups(np.array([5, 5, 7, 7, 7, 9]), np.array([0, 0, 0, 1, 1, 1])), [5, 7])


def test_copies_of_a_row_and_a_large_weight_are_evidence_of_one_row():
    assert independent_rows(None, None, 30) == 30
    assert independent_rows(None, np.arange(30) // 10, 30) == pytest.approx(3)
    assert independent_rows(np.array([10.0, 10.0, 10.0]), None, 3) == pytest.approx(3)
    assert independent_rows(np.array([100.0, 1.0]), None, 2) == pytest.approx(1, abs=0.03)
