"""The fit of boosted trees: halves, answers to rows that trees have not seen, and which rows may have them."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix

from sksoftmax.data.rows import Samples
from sksoftmax.data.targets import Targets
from sksoftmax.layout import Layout
from sksoftmax.training import boosted_fit
from sksoftmax.training.boosted_fit import MAX_NUMBERS, MAX_OUTPUTS, MAX_ROWS, MIN_ROWS, can_fit, fit_boosted

rng = np.random.RandomState(0)
X = rng.normal(size=(400, 5)).astype(np.float32)
LABELS = (X[:, 3] > 0.5).astype(int)
TARGETS = Targets("labels", np.arange(2), "auto")
LAYOUT = Layout(5, n_bins=2)


def labelled_rows(labels=LABELS, **parts):
    return Samples(X, labels[:, None].astype(np.float32), strata=labels, **parts)


def loss(logits, labels):
    return np.logaddexp(0, np.where(labels, -logits[:, 0], logits[:, 0])).mean()


def test_left_out_answers_are_good_where_columns_tell_and_not_where_labels_are_noise():
    _, left_out = fit_boosted(labelled_rows(), LAYOUT, TARGETS.head)
    assert loss(left_out, LABELS) < 0.2
    noise = rng.randint(2, size=400)
    _, left_out = fit_boosted(labelled_rows(noise), LAYOUT, TARGETS.head)
    assert loss(left_out, noise) > np.log(2)


def test_trees_see_the_numbers_behind_the_bins_alone():
    trees, _ = fit_boosted(labelled_rows(), LAYOUT, TARGETS.head)
    changed = X.copy()
    changed[:, :2] = 0
    assert_array_equal(trees.logits(changed, TARGETS.head), trees.logits(X, TARGETS.head))
    assert trees.first == 2


def test_left_out_answers_are_those_of_trees_without_the_group():
    groups = np.arange(400) // 4
    labels = rng.randint(2, size=100)[groups]
    _, left_out = fit_boosted(labelled_rows(labels, groups=groups), LAYOUT, TARGETS.head)
    assert loss(left_out, labels) > 0.65


def test_sample_weight_decides_which_rows_trees_follow():
    weights = np.where(X[:, 3] > 0.5, 1e-6, 1.0).astype(np.float32)
    flipped = np.where(weights < 1, 1, rng.randint(2, size=400))
    _, left_out = fit_boosted(labelled_rows(flipped, weights=weights), LAYOUT, TARGETS.head)
    _, unweighted = fit_boosted(labelled_rows(flipped), LAYOUT, TARGETS.head)
    rare = weights < 1
    assert loss(left_out[rare], flipped[rare]) > loss(unweighted[rare], flipped[rare]) + 0.2


@pytest.mark.parametrize("n", [1, 2])
def test_each_half_needs_a_row_of_each_class(n):
    labels = np.where(np.arange(400) < n, 1, 0)
    assert (fit_boosted(labelled_rows(labels), LAYOUT, TARGETS.head)[0] is not None) == (n == 2)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_weights_count_relative_to_each_other(scale):
    weights = rng.uniform(0.5, 2, size=400)
    expected = fit_boosted(labelled_rows(weights=weights), LAYOUT, TARGETS.head)[1]
    found = fit_boosted(labelled_rows(weights=weights * scale), LAYOUT, TARGETS.head)[1]
    np.testing.assert_allclose(found, expected, atol=1e-3)


def of_size(n, kind="labels", classes=2, sparse=False):
    zeros = csr_matrix((n, 1)) if sparse else np.zeros((n, 1), np.float32)
    return Samples(zeros, np.zeros(n)), Targets(kind, np.arange(classes), "auto")


@pytest.mark.parametrize("n, expected", [(MIN_ROWS, False), (MIN_ROWS + 1, True), (MAX_ROWS, True), (MAX_ROWS + 1, False)])
def test_trees_need_more_rows_than_a_radial_network_may_have_and_not_too_many(n, expected):
    rows, targets = of_size(n)
    assert can_fit(rows, Layout(1), targets) == expected


def test_trees_need_dense_rows_labels_and_few_classes():
    n = MIN_ROWS + 1
    assert can_fit(*(lambda rows, targets: (rows, Layout(1), targets))(*of_size(n, classes=MAX_OUTPUTS)))
    for wrong in (of_size(n, classes=MAX_OUTPUTS + 1), of_size(n, sparse=True), of_size(n, kind="multilabel")):
        assert not can_fit(wrong[0], Layout(1), wrong[1])
    rows, targets = of_size(n)
    assert not can_fit(rows, Layout(MAX_NUMBERS // n + 1), targets)
    assert not can_fit(rows, Layout(3, n_bins=3), targets)


def test_the_fit_does_not_use_the_public_method_that_tools_patch(monkeypatch):
    monkeypatch.setattr(boosted_fit.HistGradientBoostingClassifier, "fit", None)
    assert fit_boosted(labelled_rows(), LAYOUT, TARGETS.head)[0] is not None
