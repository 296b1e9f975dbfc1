"""The NumPy engine: parts of rows that are not in memory."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksoftmax.data.rows import LazyRows, Samples
from sksoftmax.engines.numpy_engine import parts
from support.runs import X, y


@pytest.mark.parametrize(("numbers", "lengths"), [(1, [1] * 30), (8, [2] * 15), (40, [10] * 3), (44, [11, 11, 8]), (200, [30])])
def test_rows_not_in_memory_come_in_parts_of_limited_size_and_at_least_one_row(numbers, lengths, limits):
    limits(PART_NUMBERS=numbers)
    pieces = list(parts(Samples(LazyRows(X), y, None, np.arange(30))))
    assert [len(piece) for piece in pieces] == lengths
    assert_array_equal(np.concatenate([piece.rows for piece in pieces]), np.arange(30))


def test_rows_in_memory_are_one_part():
    samples = Samples(X, y)
    assert parts(samples) == [samples]
