"""Warnings about categorical columns of little use: numbers or dates as text, IDs, free text, categories of one row each."""

import re
import warnings
from numbers import Number

import numpy as np

from sksoftmax.data.columns import are_numbers
from sksoftmax.data.dates import nearly_read, reader_of
from sksoftmax.data.rows import column_of

NEARLY_ALL = 0.9
MANY = 50  # a column of fewer distinct values may be a small sample of a column of categories
CODE = re.compile(r"0\d")  # how codes of digits begin, such as area codes


def warn_of_columns(preprocessor, X, names):
    """Warn of categorical columns of X, the coded training rows, from which a network can learn little or nothing.

    `names` has the names of the columns of X, or is None. ValueError if such columns are all that X has.
    """
    categories = preprocessor.categories
    used = {column for block in preprocessor.blocks for column in block.source}
    messages = []
    for column, values in categories.of_column.items():
        n_rows = np.count_nonzero(column_of(X, column) >= 0)
        name = column if names is None else names[column]
        is_used = column in used or preprocessor.relevance[column] == 0
        if message := warning_for_column(name, values, n_rows, is_used, column in categories.found_as_text):
            messages.append(message)
    if messages and not preprocessor.layout.n_columns:
        raise ValueError(f"X has no column that gives the network an input. {' '.join(messages)}")
    for message in messages:
        warnings.warn(message)


def warning_for_column(name, values, n_rows, is_used, found_as_text):
    """What is wrong with a column of these categories in this many rows, and what to do; None if nothing is.

    `is_used` is whether the column gives the network an input, `found_as_text` whether it is a column of text that nobody named.
    """
    if not values:
        return None
    column = f"Column {name!r} of X"
    are_distinct = len(values) > MANY and len(values) >= NEARLY_ALL * n_rows
    is_text = all(isinstance(value, str) for value in values)
    effect = "is learned from one row or two" if is_used else "occurs in one row, so the column gives the network no input"
    found = f"{len(values)} distinct values in {n_rows} rows"
    is_in_doubt = is_text and len(values) > MANY and (are_distinct or found_as_text)
    if is_in_doubt and share_of_numbers(values) >= NEARLY_ALL:
        if_codes = f" If they are codes, add the column to categorical_features: {['from_dtype', name]}." if found_as_text else ""
        return (
            f"{column} holds numbers as text ({found}), and each is treated as a category"
            f"{f', which {effect}' if are_distinct else ''}. Convert the column to numbers first: "
            'pd.to_numeric(..., errors="coerce") in pandas, .cast(pl.Float64, strict=False) in polars.'
            f"{if_codes}"
        )
    if is_in_doubt and (problem := why_not_read(values)):
        return f"{column} holds {problem} Until then each of its {len(values)} distinct values is a category."
    if are_distinct and is_text:
        return (
            f"{column} holds text that hardly repeats ({found}), such as an ID or free text. Each value is treated as a "
            f"category, which {effect}. Drop the column, or encode it first, for example with skrub's TextEncoder."
        )
    if not is_used:
        return (
            f"{column} gives the network no input: each of its {len(values)} categories occurs in one row. "
            "Drop the column, or turn it into numbers."
        )
    if are_distinct and all(isinstance(value, Number) for value in values):
        return (
            f"{column} holds numbers that hardly repeat ({found}), and each is treated as a category, which {effect}. "
            "Leave the column out of categorical_features to use its values as numbers."
        )
    return None


def share_of_numbers(texts):
    """The share of these texts that are numbers; 0 if one begins like a code."""
    return 0 if any(map(CODE.match, texts)) else np.mean([are_numbers(text) for text in texts])


def why_not_read(texts):
    """Why these texts stay categories although nearly all of them are dates or quantities, and what to do; else None."""
    reader, unread = nearly_read(texts, int((1 - NEARLY_ALL) * len(texts)))
    if unread:
        others = ", ".join(map(repr, unread[:3]))
        return f"{reader.what}, but also {others}. Turn such values into missing ones, and the column is read."
    if reader is not None and reader_of(texts) is None:
        return "dates in which day and month may be mistaken for each other. Convert them first: pd.to_datetime(..., format=...)."
    return None
