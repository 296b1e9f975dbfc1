"""Blocks of columns that make up the network's input: bins, numbers, flags, one-hot columns, codes.

A block knows `source`, the column of X behind each of its own columns, and its columns' names; it writes itself from rows of X,
(n, d) floats with codes in the categorical columns, and from Z, the scaled numeric columns of these rows. A new encoding is a new
block.

Sentinels, such as −999 for "unknown", are flagged like missing numbers (`statistics.find_sentinels`).

Robust scaling (Holzmüller et al., arXiv:2407.04491, section 3.1): z = (x − median) / (q₇₅ − q₂₅), with half the range in place of
equal quartiles, then the smooth clip z / √(1 + (z / 3)²), which hardly changes z near 0 and bends it towards ±3. Beyond ±1000
the clip grows like a logarithm (`smooth_clip`), so that forest, bins and network tell a million from a billion in float32 too.

Piecewise-linear encoding (Gorishniy et al., arXiv:2203.05556): a column for each bin between quantiles of the scaled column, −1
below the bin, 1 above it and linear within, so that a network's first layer can bend at every edge.
"""

from itertools import groupby

import numpy as np

LIMIT = 1e15  # larger scaled numbers are this one; its square fits float32
BOUND = 3.0  # the smooth clip bends numbers towards this
FAR, GROWTH = 1e3, 0.1  # from this number on float32 has too few digits for the clip, which grows by 0.1 times a logarithm
HALF_KNOWN = 50  # a category seen in 50 rows learns at half the full rate


class Block:
    """What blocks share, and what most of them are not."""

    is_seen_by_all = True  # half of an ensemble skips the others, which must be the first blocks
    is_embedded = False  # the network puts a vector in place of each of its codes; such blocks must be the last ones
    is_flag = False  # it says which numbers are missing or special
    is_categorical = False  # it has `column`, and the known `values` of it


class Bins(Block):
    """A column for each bin of each numeric column: −1 below the bin, 1 above it, linear within.

    `columns` are the positions of the numeric columns in X, `edges` an array of edges for each of them; `places` has the place of
    each bin's column among them.
    """

    is_seen_by_all = False

    def __init__(self, columns, edges):
        self.edges = edges
        self.places = np.repeat(np.arange(len(edges)), [len(of_column) - 1 for of_column in edges])
        self.low, self.high = (np.concatenate([[], *(e[part] for e in edges)]) for part in (slice(None, -1), slice(1, None)))
        self.source = columns[self.places]

    def write(self, X, Z, out):
        """Write the bins of these rows."""
        low, high = self.low.astype(Z.dtype), self.high.astype(Z.dtype)
        P = Z.take(self.places, axis=1)
        P -= low
        P /= np.maximum(high - low, np.finfo(Z.dtype).tiny)
        np.clip(P, 0, 1, out=P)
        P *= 2
        np.subtract(P, 1, out=out)

    def names(self, names, n_units=None):
        """As 'age_bin0'."""
        numbers = (i for of_column in self.edges for i in range(len(of_column) - 1))
        return [f"{names[column]}_bin{i}" for column, i in zip(self.source, numbers)]


class Numbers(Block):
    """The numeric columns, scaled. A missing number and a sentinel become 0, the center.

    `columns` are their positions in X; `scaling` is "robust", "standard" or None, which leaves them as they are; `sentinels` is a
    block of `Sentinels`, or None. A column that was constant in all rows so far has the scale 0, and `seen` has the total weight
    of the rows in which it was not missing: with the center, its value, this is all that later rows need to find its scale.
    """

    def __init__(self, columns, scaling, center=0.0, scale=1.0, sentinels=None, seen=0.0):
        self.source, self.scaling, self.center, self.scale = columns, scaling, center, scale
        self.sentinels, self.seen = sentinels, seen

    def of(self, X, dtype):
        """Z of these rows."""
        numbers = X if len(self.source) == X.shape[1] else X[:, self.source]
        return self.scaled(numbers).astype(dtype, copy=False)

    def scaled(self, numbers, columns=slice(None)):
        """Some of the numeric columns, scaled."""
        if self.scaling is None:
            return numbers
        Z = numbers - (self.center[columns] if np.ndim(self.center) else self.center)
        Z *= self.scale[columns]
        if self.sentinels is not None:
            self.sentinels.remove(numbers, Z, columns.start or 0)
        if np.isnan(np.add.reduce(Z, axis=None)):
            Z[np.isnan(Z)] = 0  # missing, or ∞ · 0 in a constant column
        return smooth_clip(Z) if self.scaling == "robust" else np.clip(Z, -LIMIT, LIMIT, out=Z)

    def write(self, X, Z, out):
        """Write Z."""
        out[...] = Z

    def names(self, names, n_units=None):
        """The columns' own names."""
        return list(names[self.source])


class Flags(Block):
    """1 if a number is missing, for numeric columns that have missing values in the training rows."""

    is_flag = True

    def __init__(self, columns):
        self.source = columns

    def write(self, X, Z, out):
        """Write the flags of these rows."""
        out[...] = np.isnan(X[:, self.source])

    def names(self, names, n_units=None):
        """As 'missingindicator_age', as scikit-learn's MissingIndicator names them."""
        return [f"missingindicator_{names[column]}" for column in self.source]


class Sentinels(Block):
    """1 if a number is a sentinel, such as −999 for "unknown", for each sentinel of a numeric column.

    `columns` are positions in X, one for each sentinel, `places` positions among the numeric columns; `values` are the sentinels.
    A number is a sentinel if it differs by less than `radii`.
    """

    is_flag = True

    def __init__(self, columns, places, values, radii):
        self.source, self.places, self.values, self.radii = columns, places, values, radii

    def remove(self, numbers, Z, first):
        """Write NaN into Z where numbers, the numeric columns from place `first` on, are sentinels."""
        for place, value, radius in zip(self.places - first, self.values, self.radii):
            if 0 <= place < Z.shape[1]:
                Z[np.abs(numbers[:, place] - value) < radius, place] = np.nan

    def write(self, X, Z, out):
        """Write the flags of these rows."""
        out[...] = self.of(X)

    def of(self, X):
        """Whether each sentinel's column holds it, (n, number of sentinels)."""
        return np.abs(X[:, self.source] - self.values) < self.radii

    def names(self, names, n_units=None):
        """As 'indicator_age_-999'."""
        return [f"indicator_{names[column]}_{value:.15g}" for column, value in zip(self.source, self.values)]


class OneHot(Block):
    """A column of 0 and 1 for each known category of a column; for two categories one column of −1 and 1.

    Other categories, and missing values, are zeros; with `has_flag` a further column of 0 and 1 flags them. Without a flag, the
    0 between −1 and 1 would be a mean of two categories to a model without hidden layers. `codes` are sorted, `values` are what
    they stand for.
    """

    is_categorical = True

    def __init__(self, column, codes, values, has_flag=False):
        self.column, self.codes, self.values, self.has_flag = column, codes, values, has_flag
        self.source = np.full((1 if len(codes) == 2 else len(codes)) + has_flag, column)

    def write(self, X, Z, out):
        """Write the columns of these rows."""
        codes = X[:, self.column]
        if len(self.codes) != 2:
            out[...] = codes[:, None] == self.codes
            return
        no, yes = (codes == code for code in self.codes)
        np.subtract(yes, no, out=out[:, 0], dtype=out.dtype)
        if self.has_flag:
            out[:, 1] = ~(no | yes)

    def names(self, names, n_units=None):
        """As 'color_red', and 'missingindicator_color' for the flag."""
        name = names[self.column]
        values = self.values[1:] if len(self.codes) == 2 else self.values
        return [f"{name}_{value}" for value in values] + [f"missingindicator_{name}"] * self.has_flag


class Pairs:
    """`OneHot` blocks of one column each that are beside each other, written at once: −1 and 1, or 0 and 1 for one category."""

    def __init__(self, blocks):
        self.source = self.columns = [block.column for block in blocks]
        self.no = np.array([block.codes[0] if len(block.codes) == 2 else np.nan for block in blocks])  # NaN is equal to no code
        self.yes = np.array([block.codes[-1] for block in blocks])

    def write(self, X, Z, out):
        """Write the columns of these rows."""
        codes = X[:, self.columns]
        np.subtract(codes == self.yes, codes == self.no, out=out, dtype=out.dtype)

    @staticmethod
    def grouped(blocks):
        """The blocks in their order, with `Pairs` in place of two and more that can be written at once."""
        groups = groupby(blocks, lambda block: type(block) is OneHot and len(block.source) == 1)
        parts = ((can_join, list(group)) for can_join, group in groups)
        return [b for can_join, group in parts for b in ([Pairs(group)] if can_join and len(group) > 1 else group)]


class Codes(Block):
    """A column of codes that the network embeds: 1 for the first known category, 2 for the second …; 0 for unknown or missing.

    `n_rows` has the number of training rows of each code.
    """

    is_embedded = is_categorical = True

    def __init__(self, column, codes, values, n_rows):
        self.column, self.codes, self.values, self.n_rows = column, codes, values, n_rows
        self.source = np.array([column])

    @property
    def rates(self):
        """The relative learning rate of each code, n / (n + 50) with n rows.

        Adam's steps have the same size for rare and frequent categories, so rare ones would be memorized. This rate shrinks
        them towards 0, as in scikit-learn's TargetEncoder.
        """
        return self.n_rows / (self.n_rows + HALF_KNOWN)

    def write(self, X, Z, out):
        """Write the codes of these rows."""
        codes = X[:, self.column]
        position = np.searchsorted(self.codes, codes, side="right")
        out[:, 0] = position * (self.codes[position - 1] == codes)

    def names(self, names, n_units):
        """As 'city_embedding0'; `n_units` is the length of the vectors."""
        return [f"{names[self.column]}_embedding{i}" for i in range(n_units)]


def smooth_clip(Z):
    """z / √(1 + (z / 3)²); beyond ±1000, 0.1 log(|z| / 1000) further from 0, up to |z| = 10¹⁵, where it is 5.8."""
    has_far = Z.size and max(np.maximum.reduce(Z, axis=None), -np.minimum.reduce(Z, axis=None)) > FAR
    if not has_far:  # the rest would change nothing
        return Z / np.sqrt(1 + (Z / BOUND) ** 2)
    Z = np.clip(Z, -LIMIT, LIMIT)
    result, far = Z / np.sqrt(1 + (Z / BOUND) ** 2), np.abs(Z) > FAR
    result[far] += np.copysign(GROWTH * np.log(np.abs(Z[far]) / FAR), Z[far])
    return result
