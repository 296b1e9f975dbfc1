"""Text columns that are no categories: numbers as text, identifiers."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

from support.estimators import small


def assert_warns_once(call, *parts):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == 1
    for part in parts:
        assert part in messages[0]


@pytest.fixture(scope="module")
def prices():
    value = np.random.default_rng(0).permutation(np.linspace(1, 999, 1000).round(2))
    text = np.array([f"{number:.2f}" for number in value], dtype=object)
    text[::100] = "?"
    return pd.DataFrame({"price": text, "size": np.arange(1000.0)}), (value > 500).astype(int)


@pytest.mark.parametrize("form", ["object", "string", "category", "polars"])
def test_a_text_column_of_distinct_numbers_draws_one_warning_that_names_it(prices, form):
    X, y = prices
    X = pl.DataFrame({name: X[name].to_list() for name in X}) if form == "polars" else X.astype({"price": form})
    assert_warns_once(lambda: small().fit(X, y), "price", 'pd.to_numeric(..., errors="coerce")', ".cast(pl.Float64, strict")


def test_a_text_column_of_distinct_numbers_draws_one_warning_in_the_first_partial_fit_only(prices):
    X, y = prices
    clf = small()
    assert_warns_once(lambda: clf.partial_fit(X, y, classes=[0, 1]).partial_fit(X, y).predict(X), "price", "pd.to_numeric")
