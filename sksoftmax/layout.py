"""The columns of the network's input, in their order: bins, other numbers, codes of categories that the network embeds."""

from dataclasses import dataclass, field

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

    Attributes
    ----------
    n_columns : int
        Columns of a row, as it is stored.

    n_inputs : int
        Inputs of the first layer, which are the rows of its weights.
    """

    n_numbers: int
    n_bins: int = 0
    n_codes: tuple[int, ...] = ()
    n_columns: int = field(init=False, repr=False)
    n_inputs: int = field(init=False, repr=False)

    def __post_init__(self):
        n_embedded = len(self.n_codes)
        vars(self).update(n_columns=self.n_numbers + n_embedded, n_inputs=self.n_numbers + EMBEDDING_UNITS * n_embedded)
