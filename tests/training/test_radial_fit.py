"""The fit of a radial network: the ridge regression, its answers to left-out rows, the choice of width and ridge."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_matrix

from sksoftmax.data.heads import MultilabelHead, SoftmaxHead
from sksoftmax.data.rows import LazyRows, Samples
from sksoftmax.layout import Layout
from sksoftmax.radial import units
from sksoftmax.training import radial_fit
from sksoftmax.training.radial_fit import (
    MAX_NUMBERS,
    MAX_ROWS,
    MIN_ROWS,
    RIDGES,
    Rows,
    can_fit,
    fit_radial,
    mean_of_parts,
    merged,
    ridge_regression,
)
from support.processes import watch

rng = np.random.RandomState(0)
X = rng.normal(size=(120, 4))
y = (X[:, 1] * X[:, 2] > 0).astype(int) + (X[:, 3] > 1)
Y = np.eye(3)[y]
GROUPS = np.repeat(np.arange(30), 4)
WEIGHTS = rng.uniform(0.5, 2, len(X))
HEAD = SoftmaxHead(np.arange(3))
LAYOUT = Layout(4)


def kernel(rows=X, centers=X):
    return units(rows, 0, np.asfortranarray(centers), 4.0)


def test_the_regression_solves_its_equation():
    W, _ = ridge_regression(kernel(), Rows(X, Y, WEIGHTS, None), 0.3)
    assert_allclose((kernel() + np.diag(0.3 * WEIGHTS.mean() / WEIGHTS)) @ W, Y, atol=1e-11)


@pytest.mark.parametrize("groups", [None, GROUPS, np.where(np.arange(120) < 60, 0, np.arange(120))])
def test_errors_are_those_of_fits_without_the_group(groups):
    _, errors = ridge_regression(kernel(), Rows(X, Y, WEIGHTS, groups), 0.3)
    for row in (0, 7, 119):
        kept = np.arange(120) != row if groups is None else groups != groups[row]
        ridge = 0.3 * WEIGHTS.mean() / WEIGHTS[kept].mean()
        W, _ = ridge_regression(kernel(X[kept], X[kept]), Rows(X[kept], Y[kept], WEIGHTS[kept], None), ridge)
        assert_allclose(errors[row], Y[row] - kernel(X[row : row + 1], X[kept])[0] @ W, atol=1e-10)


def test_rows_that_repeat_in_a_group_are_one_row_of_their_weight():
    times = np.r_[np.full(10, 3), np.ones(110)].astype(int)
    rows, groups = np.repeat(np.arange(120), times), np.repeat(np.arange(120), times)
    weighted, left_out = fit_radial(Samples(X, y, times.astype(float)), LAYOUT, HEAD)
    repeated, left_out_of_each = fit_radial(Samples(X[rows], y[rows], groups=groups), LAYOUT, HEAD)
    assert len(repeated.W) == 120
    new = rng.normal(size=(5, 4))
    assert_allclose(repeated.logits(new, HEAD), weighted.logits(new, HEAD), atol=1e-10)
    assert_allclose(left_out_of_each, left_out[rows], atol=1e-10)


def test_equal_rows_of_a_group_have_the_mean_of_their_targets_and_equal_rows_of_others_stay_apart():
    samples = Samples(None, np.array([0, 1, 1, 0]), np.array([1.0, 3, 1, 1]), groups=np.array([5, 5, 5, 6]))
    rows, row_of = merged(np.array([[1.0], [1], [2], [1]]), samples, SoftmaxHead(np.arange(2)))
    assert len(rows.X) == 3
    assert_allclose(rows.Y[row_of], [[0.25, 0.75], [0.25, 0.75], [0, 1], [1, 0]])
    assert_allclose(rows.weights[row_of], np.array([4, 4, 1, 1]) / 3)  # over the largest weight


def test_columns_before_the_first_one_and_codes_are_not_seen():
    wide = np.hstack([rng.normal(size=(120, 5)), X, rng.randint(4, size=(120, 1))])
    network, left_out = fit_radial(Samples(wide, y), Layout(9, n_bins=5, n_codes=(4,)), HEAD)
    alone, expected = fit_radial(Samples(X, y), LAYOUT, HEAD)
    assert_allclose(network.logits(wide, HEAD), alone.logits(X, HEAD), rtol=1e-12)
    assert_allclose(left_out, expected, rtol=1e-12)


def test_labels_that_follow_neighbors_are_learned_and_noise_is_not():
    grid = rng.uniform(0, 4, size=(400, 2))
    labels = ((grid[:, 0] % 2 < 1) ^ (grid[:, 1] % 2 < 1)).astype(int)
    losses = []
    for targets in (labels, rng.permutation(labels)):
        left_out = fit_radial(Samples(grid, targets), Layout(2), SoftmaxHead(np.arange(2)))[1]
        losses.append(-SoftmaxHead(np.arange(2)).log_likelihood(left_out, targets).mean())
    assert losses[0] < 0.4
    assert np.log(2) - 0.05 < losses[1] < np.log(2) + 0.05


def test_soft_and_multilabel_targets_are_learned():
    soft, _ = fit_radial(Samples(X, 0.9 * Y + 0.1 / 3), LAYOUT, HEAD)
    labels, _ = fit_radial(Samples(X, y), LAYOUT, HEAD)
    assert (soft.logits(X, HEAD).argmax(axis=1) == labels.logits(X, HEAD).argmax(axis=1)).mean() > 0.95
    head = MultilabelHead(np.arange(2))
    both = np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1).astype(float)
    network, _ = fit_radial(Samples(X, both), LAYOUT, head)
    assert ((network.logits(X, head) > 0) == both).mean() > 0.9


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_networks_and_left_out_logits_have_the_dtype_of_the_rows(dtype):
    network, left_out = fit_radial(Samples(X.astype(dtype), y, np.ones(120, dtype)), LAYOUT, HEAD)
    assert network.logits(X.astype(dtype), HEAD).dtype == left_out.dtype == network.W.dtype == dtype


def test_equal_rows_give_no_network():
    assert fit_radial(Samples(np.ones((120, 4)), y), LAYOUT, HEAD) == (None, None)


def test_rows_of_which_most_are_equal_give_a_network():
    network, left_out = fit_radial(Samples(np.where(np.arange(120)[:, None] < 100, 1.0, X), y), LAYOUT, HEAD)
    assert np.isfinite(network.W).all()
    assert np.isfinite(left_out).all()


@pytest.mark.parametrize("groups, n_parts", [(None, 3), (GROUPS, 3), (GROUPS % 2, 2)], ids=["rows", "groups", "two groups"])
def test_many_rows_have_the_mean_of_networks_of_parts_that_divide_no_group(monkeypatch, groups, n_parts):
    monkeypatch.setattr(radial_fit, "PART_ROWS", 50)
    parts = []
    watch(monkeypatch, radial_fit, "ridge_regression", see=lambda H, part, ridge: parts.append(part))
    W, left_out = mean_of_parts(Rows(X, Y, WEIGHTS, groups), 4.0, 0.3)
    parts = list(parts)
    assert [len(part.X) for part in parts] == ([60, 60] if n_parts == 2 else [40, 40, 40])
    for row in (0, 119):
        answers = []
        for part in parts:
            kept = (X[row] != part.X).any(axis=1) if groups is None else part.groups != groups[row]
            if not kept.any():
                answers.append(np.zeros(3))
                continue
            ridge = 0.3 * part.weights.mean() / part.weights[kept].mean()
            of_part = ridge_regression(kernel(part.X[kept], part.X[kept]), part.take(kept), ridge)[0]
            answers.append(kernel(X[row : row + 1], part.X[kept])[0] @ of_part)
        assert_allclose(left_out[row], np.mean(answers, axis=0), atol=1e-10)
    answers = [kernel(X, part.X) @ ridge_regression(kernel(part.X, part.X), part, 0.3)[0] for part in parts]
    assert_allclose(kernel() @ W, np.mean(answers, axis=0), atol=1e-10)


def test_rows_that_are_encoded_as_they_are_read_give_the_same_network():
    network, left_out = fit_radial(Samples(X, y), LAYOUT, HEAD)
    lazy, left_out_lazy = fit_radial(Samples(LazyRows(X), y), LAYOUT, HEAD)
    np.testing.assert_array_equal(lazy.W, network.W)
    np.testing.assert_array_equal(left_out_lazy, left_out)


@pytest.mark.parametrize("n, expected", [(MIN_ROWS - 1, False), (MIN_ROWS, True), (MAX_ROWS, True), (MAX_ROWS + 1, False)])
def test_a_network_needs_neither_few_rows_nor_many(n, expected):
    assert can_fit(Samples(np.zeros((n, 1)), np.zeros(n)), Layout(1)) == expected


def test_a_network_needs_dense_columns_that_are_not_too_many():
    n = 1000
    assert not can_fit(Samples(csr_matrix(np.ones((n, 1))), np.zeros(n)), Layout(1))
    assert not can_fit(Samples(np.zeros((n, 3)), np.zeros(n)), Layout(2, n_bins=2, n_codes=(300,)))
    assert can_fit(Samples(np.zeros((n, 1)), np.zeros(n)), Layout(n))
    assert not can_fit(Samples(np.zeros((n, 1)), np.zeros(n)), Layout(n + 1))
    wide = MAX_NUMBERS // (2 * n)
    assert can_fit(Samples(np.zeros((2 * n, 1)), np.zeros(2 * n)), Layout(wide))
    assert not can_fit(Samples(np.zeros((2 * n, 1)), np.zeros(2 * n)), Layout(wide + 1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("heavy", [1e-37, 1e-30, 1e30])
def test_weights_of_any_scale_give_finite_networks(dtype, heavy):
    weights = np.where(np.arange(120) < 60, heavy, 1.0).astype(dtype)
    twice = Samples(np.repeat(X[:60], 2, axis=0).astype(dtype), y, weights, groups=np.arange(120))
    network, left_out = fit_radial(twice, LAYOUT, HEAD)
    assert np.isfinite(network.W).all()
    assert np.isfinite(left_out).all()


def test_the_smallest_ridge_is_large_enough_for_float32():
    many = np.repeat(rng.normal(size=(300, 3)), 10, axis=0).astype(np.float32)
    H = units(many, 0, np.asfortranarray(many), 50.0)
    rows = Rows(many, rng.normal(size=(3000, 2)).astype(np.float32), np.ones(3000, np.float32), np.repeat(np.arange(300), 10))
    W, errors = ridge_regression(H, rows, RIDGES[0])
    assert np.isfinite(W).all()
    assert np.isfinite(errors).all()


def test_a_regression_that_cannot_be_solved_gives_no_network(monkeypatch):
    monkeypatch.setattr(radial_fit, "RIDGES", (-5.0,))
    monkeypatch.setattr(radial_fit, "LEAST_RIDGE", -10.0)
    assert fit_radial(Samples(X, y), LAYOUT, HEAD) == (None, None)
