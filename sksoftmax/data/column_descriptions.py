"""Describe the columns of X as a fitted preprocessor uses them: known categories, and why a column is not used."""

import numpy as np


def known_categories(preprocessor, names):
    """The known categories of each categorical column, by the column's name."""
    return {names[block.column]: block.values for block in preprocessor.of_categories}


def unused_columns(preprocessor, names):
    """Why a column of X gives the network no input, by the column's name."""
    numbers, categories, reasons = preprocessor.numbers, preprocessor.categories.of_column, {}
    if numbers.scaling is not None:
        flagged = {column for block in preprocessor.blocks if block.is_flag for column in block.source}
        equal = "all its values are equal" if preprocessor.sparse else "all its values are equal, or missing"
        constant = [column for column in numbers.source[numbers.scale == 0] if column not in flagged]
        left_out = np.delete(np.arange(len(preprocessor.relevance)), numbers.source) if preprocessor.sparse else ()
        reasons = dict.fromkeys([*constant, *left_out], equal)
    for block in preprocessor.of_categories:
        if not block.values:
            n = len(categories[block.column])
            reasons[block.column] = f"each of its {n} categories occurs in one row only" if n else "all its values are missing"
    reasons |= dict.fromkeys(np.flatnonzero(preprocessor.relevance == 0), "its relevance is 0")
    n_columns = len(preprocessor.relevance) - len(preprocessor.categories.parts)
    return {names[column]: reasons[column] for column in sorted(reasons) if column < n_columns}
