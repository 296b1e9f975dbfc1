"""A wrong sample_weight gets an error that names it, and the row."""

import numpy as np
import pytest

from support.data import FEW_X as X
from support.data import FEW_y as y
from support.estimators import planned


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.ones(5), r"sample_weight must have shape \(30,\).*got \(5,\)"),
        (np.ones((30, 1)), r"sample_weight must have shape \(30,\).*got \(30, 1\)"),
        (np.where(np.arange(30) == 3, np.nan, 1.0), "sample_weight contains NaN"),
        (np.where(np.arange(30) == 3, np.inf, 1.0), "sample_weight contains infinity"),
        (np.where(np.arange(30) == 3, -0.5, 1.0), "sample_weight must be non-negative; got -0.5 in row 3"),
        (np.zeros(30), "all of sample_weight are zero"),
        (0, "all of sample_weight are zero"),
        (["heavy"] * 30, "sample_weight"),
    ],
    ids=["short", "2-D", "nan", "inf", "negative", "zeros", "zero", "text"],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_wrong_sample_weight_is_refused(wrong, message, method):
    with pytest.raises(ValueError, match=message):
        getattr(planned(), method)(X, y, sample_weight=wrong, **({} if method == "fit" else {"classes": [0, 1, 2]}))


def test_a_sample_weight_too_large_for_the_networks_dtype_is_refused_without_a_warning():
    with pytest.raises(ValueError, match="sample_weight must have a sum that float32 holds; got inf"):
        planned(dtype="float32").fit(X, y, sample_weight=np.full(30, 1e300))


def test_a_sample_weight_that_the_networks_dtype_rounds_to_zero_is_refused_with_its_name():
    with pytest.raises(ValueError, match="sample_weight must have a sum that float32 holds; got 0"):
        planned(dtype="float32").fit(X, y, sample_weight=np.full(30, 1e-300))


def test_sample_weight_may_be_one_number_for_all_rows():
    one, ones = (
        planned(random_state=0).fit(X, y, sample_weight=2),
        planned(random_state=0).fit(X, y, sample_weight=np.full(30, 2.0)),
    )
    np.testing.assert_array_equal(one.coefs_[0], ones.coefs_[0])


@pytest.mark.parametrize("weight", [1e308, 1e-320])
def test_a_sample_weight_that_overflows_or_underflows_is_named(weight):
    with pytest.raises(ValueError, match="sample_weight"):
        planned().fit(X, y, sample_weight=np.full(30, weight))
