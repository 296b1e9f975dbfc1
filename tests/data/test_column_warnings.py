"""Warnings about categorical columns of little use."""

import re

import numpy as np
import pytest

from sksoftmax.data.column_warnings import MANY, NEARLY_ALL, warn_of_columns, warning_for_column
from support.networks import fitted_preprocessor

NUMBERS = [f"{number / 8:.3f}" for number in range(100)]
DATES = [f"2024-{1 + number // 28:02}-{1 + number % 28:02}" for number in range(99)]
AMBIGUOUS = [f"{1 + number % 12:02}/{1 + number // 12:02}/2024" for number in range(100)]
WORDS = [f"Name {number:x}" for number in range(100)]


@pytest.mark.parametrize(
    "values, n_rows, is_used, found_as_text, expected",
    [
        (
            NUMBERS,
            100,
            False,
            False,
            "holds numbers as text .100 distinct values in 100 rows., .*gives the network no input. Convert",
        ),
        (
            NUMBERS,
            110,
            True,
            False,
            "holds numbers as text .* learned from one row or two. Convert .*pd.to_numeric.*cast.pl.Float64",
        ),
        ([*NUMBERS[:95], "?", "n/a"], 97, True, False, "holds numbers as text"),
        (
            [*NUMBERS, "?"],
            5000,
            True,
            True,
            r"holds numbers as text .*a category\. .*to categorical_features: \['from_dtype', 'price'\]",
        ),
        (NUMBERS, 100, True, False, r"holds numbers as text .*in polars\.$"),
        ([*NUMBERS, "?"], 5000, True, False, None),
        (["00501", *map(str, range(1000, 1090))], 5000, True, True, None),
        (
            ["", "-", "?", *DATES],
            5000,
            True,
            True,
            r"holds dates in ISO format, but also '', '-', '\?'\. Turn .*each of its 102 distinct",
        ),
        (["n/a", *(f"${n}" for n in NUMBERS)], 5000, True, True, r"holds numbers as \$1,000, but also 'n/a'\."),
        (AMBIGUOUS, 5000, True, True, "holds dates in which day and month may be mistaken for each other.*format="),
        (DATES, 5000, True, True, None),
        ([*NUMBERS[:50], *WORDS[:50]], 100, True, True, "holds text that hardly repeats"),
        (WORDS, 5000, True, True, None),
        (WORDS, 100, False, False, "holds text that hardly repeats .*gives the network no input. Drop the column.*TextEncoder"),
        (list(range(100)), 100, True, False, "holds numbers that hardly repeat .*Leave the column out of categorical_features"),
        (list(range(100)), 100, False, False, "gives the network no input: each of its 100 categories occurs in one row"),
        (WORDS[:3], 3, False, True, "gives the network no input: each of its 3 categories occurs in one row"),
        (WORDS[:MANY], MANY, True, True, None),
        (WORDS, int(100 / NEARLY_ALL) + 1, True, True, None),
        (NUMBERS[:4], 1000, True, True, None),
        ([], 0, False, True, None),
    ],
)
def test_a_column_of_little_use_is_described_with_what_to_do(values, n_rows, is_used, found_as_text, expected):
    message = warning_for_column("price", values, n_rows, is_used, found_as_text)
    assert message is None if expected is None else re.match(f"Column 'price' of X {expected}", message)


@pytest.mark.parametrize("names, name", [(None, "0"), (["price", "size"], "'price'")])
def test_each_such_column_draws_a_warning_that_names_it_and_missing_values_do_not_count_as_rows(names, name):
    X = np.column_stack([np.where(np.arange(200) < 100, np.arange(200), -1.0), np.arange(200) % 2])
    preprocessor = fitted_preprocessor(X, categories={0: WORDS, 1: ["large", "small"]})
    with pytest.warns(UserWarning, match=rf"^Column {name} of X .*100 distinct values in 100 rows") as caught:
        warn_of_columns(preprocessor, X, names)
    assert len(caught) == 1


def test_columns_without_an_input_are_an_error_if_there_is_no_other_and_relevance_0_is_no_reason():
    names = [f"Name {number:x}" for number in range(600)]
    X = np.column_stack([np.arange(600.0), np.arange(600) // 2])
    with pytest.raises(ValueError, match=r"^X has no column that gives the network an input\. Column 0 of X holds text"):
        warn_of_columns(fitted_preprocessor(X[:, :1], categories={0: names}), X[:, :1], None)
    embedded = fitted_preprocessor(X, categories={1: names[:300]}, relevance=np.array([1.0, 0.0]))
    assert embedded.layout.n_columns == 1
    warn_of_columns(embedded, X, None)
