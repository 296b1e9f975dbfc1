"""The columns of the network's input, in their order: bins, other numbers, codes of categories that the network embeds."""

from dataclasses import dataclass

import numpy as np

EMBEDDING_UNITS = 8  # numbers in the vector of a category


@dataclass(frozen=True)
class Layout:
    """The columns of an encoded row, and the inputs that they become.

    Parameters
    ----------
    n_numbers : int
        Columns of numbers, of which each is an input and has a row of the first layer's weights.

    n_bins : int, default=0
        How many of them, the first ones, are bins, which some members of an ensemble do not see.

    n_codes : tuple of int, default=()
        Number of codes of each column behind them; in the input vectors of 8 numbers replace the codes.
    """

    n_numbers: int
    n_bins: int = 0
    n_codes: tuple[int, ...] = ()

    @property
    def n_columns(self):
        """Columns of a row, as it is stored."""
        return self.n_numbers + len(self.n_codes)

    @property
    def n_inputs(self):
        """Inputs of the first layer, which are the rows of its weights."""
        return self.n_numbers + EMBEDDING_UNITS * len(self.n_codes)

    @property
    def codes(self):
        """The columns of codes, a slice."""
        return slice(self.n_numbers, self.n_columns)

    @property
    def first_rows(self):
        """The first row of each column's table, where tables are one below the other, and the number of all rows."""
        return np.cumsum([0, *self.n_codes])
