"""Which categories of an embedded column are known, and their codes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksoftmax.data import preprocessing
from sksoftmax.data.columns import UNKNOWN, Categories
from sksoftmax.data.preprocessing import HALF_KNOWN, Preprocessor, known_codes
from sksoftmax.nn.layers import EMBEDDING_UNITS


def codes_of(column, weights=None, monkeypatch=None, limit=2):
    monkeypatch.setattr(preprocessing, "MAX_ONE_HOT", limit)
    known, n_rows = known_codes(np.array(column, dtype=float), None if weights is None else np.array(weights, dtype=float))
    return known.tolist(), n_rows.tolist()


def test_few_categories_are_all_known(monkeypatch):
    assert codes_of([0, 1, UNKNOWN, 0], None, monkeypatch) == ([0, 1], [1, 2, 1])


def test_categories_of_a_single_row_are_unknown_if_there_are_many(monkeypatch):
    assert codes_of([5, 3, 1, 1, 5, 4, UNKNOWN, 1], None, monkeypatch) == ([1, 5], [3, 3, 2])


@pytest.mark.parametrize("weights", [[1, 1, 2, 1, 3], [10, 1, 20, 1, 3]])
def test_known_codes_treat_an_integer_sample_weight_as_repeated_rows(weights, monkeypatch):
    column = [0, 1, 2, 3, 4]
    assert codes_of(column, weights, monkeypatch) == codes_of(np.repeat(column, weights), None, monkeypatch)


@pytest.mark.parametrize("factor", [1 / 8, 0.3, 1e-30])
def test_known_codes_count_a_row_of_fractional_sample_weight_once(factor, monkeypatch):
    column, weights = [0, 1, 2, 2, 3, 3], np.full(6, factor)
    assert codes_of(column, weights, monkeypatch) == codes_of(column, None, monkeypatch)


def test_only_the_most_frequent_categories_are_known_if_there_are_too_many(monkeypatch):
    monkeypatch.setattr(preprocessing, "MAX_EMBEDDED", 2)
    assert codes_of([0, 0, 1, 1, 1, 2, 2, 2, 3, 3], None, monkeypatch) == ([1, 2], [4, 3, 3])


def test_embedded_columns_come_last_as_codes_from_1_with_0_for_unknown(monkeypatch):
    monkeypatch.setattr(preprocessing, "MAX_ONE_HOT", 2)
    column = np.array([4, 0, 2, 4, 0, 2, 1, UNKNOWN])
    X = np.column_stack([column, np.arange(8.0), np.arange(8) % 2])
    preprocessor = Preprocessor(None, Categories({0: list("abcde"), 2: ["p", "q"]})).fit(X)
    assert_array_equal(preprocessor.transform(X, np.float32)[:, 2], [3, 1, 2, 3, 1, 2, 0, 0])
    assert_array_equal(preprocessor.transform(X, np.float32)[:, :2], np.column_stack([X[:, 1], 2 * X[:, 2] - 1]))
    names = ["size", "kind_q", *(f"city_embedding{i}" for i in range(EMBEDDING_UNITS))]
    assert preprocessor.get_feature_names_out(["city", "size", "kind"]).tolist() == names
    assert (preprocessor.n_columns, preprocessor.n_inputs) == (3, len(names))
    assert_allclose(preprocessor.code_rates[0], 2 / (2 + HALF_KNOWN))
