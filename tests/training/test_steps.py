"""Minibatches."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksoftmax.training.steps import cut


@pytest.mark.parametrize(
    ("batch_size", "lengths"), [(10, [10, 10, 10]), (12, [12, 12, 6]), (30, [30]), (99, [30]), (1, [1] * 30)]
)
def test_the_batches_of_one_network_are_all_rows_in_order_and_only_the_last_may_be_smaller(batch_size, lengths):
    order = np.random.default_rng(0).permutation(30)[None]
    batches = cut(order, batch_size)
    assert [batch.shape[1] for batch in batches] == lengths
    assert_array_equal(np.concatenate(batches, axis=1), order)


@pytest.mark.parametrize("n_rows, batch_size", [(10, 4), (7, 7), (7, 100), (100, 64), (95, 64), (200, 1), (13, 3)])
@pytest.mark.parametrize("n_members", [2, 5])
def test_batches_of_members_are_equal_and_stack_each_members_own_rows(n_members, n_rows, batch_size):
    order = np.arange(n_members * n_rows).reshape(n_members, n_rows)
    batches = cut(order, batch_size)
    assert len({batch.shape for batch in batches}) == 1
    n_batches = max(1, round(n_rows / batch_size))
    assert len(batches) == n_batches
    for member, rows in enumerate(order):
        seen = np.concatenate([batch[member] for batch in batches])
        assert_array_equal(seen, rows[: len(seen)])
        assert n_rows - n_batches < len(seen) <= n_rows
