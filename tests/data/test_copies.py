"""Rows that repeat or nearly repeat are found, and rows that only look like it are not."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix

from sksoftmax.data.columns import Categories
from sksoftmax.data.copies import equal_rows, find_copies
from sksoftmax.data.rows import LazyRows, Samples
from support.data import drawn

NUMERIC = Categories({})


def copies_of(X, y, categories=NUMERIC):
    """The copies, found without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return find_copies(Samples(X, y), categories, 2)


@pytest.mark.parametrize("form", [np.asarray, np.float32, csr_matrix, LazyRows], ids=["array", "float32", "sparse", "Rows"])
def test_equal_rows_have_one_number_in_every_form_of_X(form):
    X = drawn(50, 6)[0].round(1)
    X[X < 0] = 0
    rows = np.random.RandomState(1).randint(50, size=200)
    numbers = equal_rows(form(X[rows]))
    expected = np.unique(X[rows], axis=0, return_inverse=True)[1].ravel()
    assert_array_equal(numbers[:, None] == numbers, expected[:, None] == expected)


def test_no_equal_rows_have_no_numbers():
    assert equal_rows(drawn(50)[0]) is None


def test_a_zero_equals_a_negative_zero_and_a_missing_value_another():
    X = np.array([[0.0, np.nan], [-0.0, np.nan], [0.0, 1.0], [1.0, 0.0]])
    numbers = equal_rows(X)
    assert numbers[0] == numbers[1]
    assert len(set(numbers)) == 3


@pytest.mark.parametrize("n_times", [2, 10])
def test_rows_that_repeat_are_found_with_a_warning_that_names_groups_and_sample_weight(n_times):
    X, y = drawn(300)
    rows = np.random.RandomState(0).permutation(np.repeat(np.arange(300), n_times))
    with pytest.warns(UserWarning, match="300 of the .* rows of X are distinct.* groups .*sample_weight"):
        copies = find_copies(Samples(X[rows], y[rows]), NUMERIC, 2)
    assert_array_equal(copies[:, None] == copies, rows[:, None] == rows)


@pytest.mark.parametrize("n_visits", [3, 5, 10, 20])
def test_rows_that_nearly_repeat_are_found(n_visits):
    X, y = drawn(100, 6)
    rows = np.repeat(np.arange(100), n_visits)
    visits = X[rows] + 0.1 * np.random.RandomState(1).normal(size=(len(rows), 6))
    with pytest.warns(UserWarning, match="clusters of rows that repeat or nearly repeat.* groups"):
        copies = find_copies(Samples(visits, y[rows]), NUMERIC, 2)
    assert all(len(set(copies[rows == row])) == 1 for row in range(100))
    assert copies.max() > 60


@pytest.mark.parametrize("n_columns", [2, 6, 15, 40])
@pytest.mark.parametrize("draw", ["normal", "uniform", "cauchy", "exponential"])
def test_rows_of_a_smooth_density_do_not_nearly_repeat(draw, n_columns):
    rng = np.random.default_rng(0)
    X = rng.standard_cauchy((1000, n_columns)) if draw == "cauchy" else getattr(rng, draw)(size=(1000, n_columns))
    assert copies_of(X, np.arange(1000) % 2) is None


def test_clusters_of_a_class_each_do_not_nearly_repeat():
    centers = 10 * drawn(8, 6)[0]
    y = np.arange(800) % 8
    assert copies_of(centers[y] + drawn(800, 6, seed=1)[0], y) is None


def test_a_path_in_time_does_not_nearly_repeat():
    X = np.cumsum(drawn(1000, 6)[0], axis=0)
    assert copies_of(X, (np.arange(1000) // 100) % 2) is None


def test_equal_rows_of_few_categories_whose_targets_differ_are_independent():
    X = np.random.RandomState(0).randint(3, size=(1000, 3)).astype(float)
    y = (np.random.RandomState(1).random_sample(1000) < 0.2 + 0.3 * X[:, 0]).astype(int)
    assert copies_of(X, y, Categories({column: ["a", "b", "c"] for column in range(3)})) is None


def test_equal_rows_of_few_counts_are_independent_even_if_the_target_follows_from_the_row():
    rng = np.random.RandomState(0)
    X = np.where(rng.random_sample((500, 10)) < 0.8, 0.0, 1.0 + rng.poisson(3, (500, 10)))
    y = (X.sum(axis=1) > 8).astype(int)
    assert len(np.unique(X, axis=0)) < 400
    assert copies_of(X, y) is None
    assert copies_of(csr_matrix(X), y) is None


def test_a_few_equal_rows_are_kept_together_without_a_warning():
    X, y = drawn(500)
    X[-20:], y[-20:] = X[:20], y[:20]
    assert copies_of(X, y).max() == 479


@pytest.mark.parametrize("targets", ["soft", "multilabel", "one class"])
def test_copies_are_found_for_every_kind_of_target(targets):
    X, _ = drawn(100)
    y = {"soft": np.random.RandomState(0).dirichlet(np.ones(3), 100), "multilabel": np.eye(4)[np.arange(100) % 4]}
    y = y.get(targets, np.zeros(100))
    rows = np.repeat(np.arange(100), 3)
    with pytest.warns(UserWarning, match="100 of the 300"):
        assert find_copies(Samples(X[rows], y[rows]), NUMERIC, 2).max() == 99
