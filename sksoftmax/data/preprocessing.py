"""Columns of numbers and codes → the network's input, as an ordered list of blocks.

`fit_preprocessor` learns in a straight line: scales → relevance → bins → blocks. The order of blocks is stated there and nowhere
else: bins come first, because half of an ensemble skips them; codes come last, because the network embeds them.
"""

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix, issparse

from sksoftmax.data.blocks import Bins, Codes, Flags, Numbers, OneHot, Pairs, Sentinels
from sksoftmax.data.relevance import checked_relevance, find_relevance, has_small_classes, n_outputs_of
from sksoftmax.data.rows import LazyRows, column_of, has_sparse_form, is_large
from sksoftmax.data.sparse_columns import find_sparse_relevance, fit_sparse_numbers, scaled_entries
from sksoftmax.data.statistics import (
    allocate_bins,
    bin_edges,
    column_parts,
    edges_at_splits,
    known_codes,
    scales,
    scales_of_constants,
    weights_of_numbers,
)
from sksoftmax.layout import Layout

MIN_BINS, BIN_COLUMNS = 4, 256  # least bins of a column, bins in all
MAX_BINNED_COLUMNS = 128  # most numeric columns that are binned
MAX_ONE_HOT = 255  # columns of more categories are embedded;
MAX_ONE_HOT_COLUMNS, MAX_ONE_HOT_OF_MANY = 256, 63  # with more one-hot columns in all, columns of more than 63 categories are
BLOCK = 2**17  # numbers encoded at once: half a megabyte in float32, which fits the processor's cache
FLOAT32_ROWS = 100  # from this many rows on, scaled input is computed in float32, unless `dtype` says otherwise


class Preprocessor:
    """Encodes rows as blocks beside each other.

    Parameters
    ----------
    categories : Categories
        Reads the categorical columns of the user's X as codes.

    numbers : Numbers
        Scales the numeric columns.

    blocks : list
        The blocks in their order; `numbers` is one of them.

    relevance : ndarray of shape (d,)
        The relevance of each column of X, by which its dense columns are multiplied.

    sparse : bool, default=False
        Whether it was fitted on sparse rows, which stay sparse.
    """

    def __init__(self, categories, numbers, blocks, relevance, sparse=False):
        self.categories = categories
        self.numbers = numbers
        self.blocks = blocks
        self.relevance = relevance
        self.sparse = sparse
        self.layout = layout_of(blocks)
        self.factors = relative(relevance[np.concatenate([block.source for block in blocks if not block.is_embedded])])

    @property
    def relevance_of_X(self):
        """The relevance of each column of X; that of a date is the largest of its parts'."""
        sources = self.categories.part_sources
        n_columns = len(self.relevance) - len(sources)
        result = self.relevance[:n_columns].copy() if len(sources) else self.relevance
        np.maximum.at(result, sources, self.relevance[n_columns:])
        return result

    @property
    def n_sparse_columns(self):
        """The number of columns if they are sparse, else 0."""
        return self.layout.n_columns if self.sparse else 0

    @property
    def of_categories(self):
        """The blocks of the categorical columns, in the order of the columns."""
        return sorted((block for block in self.blocks if block.is_categorical), key=lambda block: block.column)

    @property
    def rates_of_codes(self):
        """The relative learning rates of each embedded column's codes."""
        return [block.rates for block in self.blocks if block.is_embedded]

    @property
    def accepts_missing(self):
        """Whether numbers may be NaN."""
        return self.numbers.scaling is not None

    @property
    def is_identity(self):
        """Whether the network's input is X, unchanged."""
        return self.numbers.scaling is None and self.blocks == [self.numbers]

    def after(self, samples):
        """The same preprocessor once these rows are known too: with scales for columns that were constant until now.

        The columns of the network's input stay the same, so what else the first rows have decided is kept.
        """
        numbers = self.numbers
        if numbers.scaling is None or not (numbers.scale == 0).any():
            return self
        numbers = after_rows(numbers, samples)
        blocks = [numbers if block is self.numbers else block for block in self.blocks]
        return Preprocessor(self.categories, numbers, blocks, self.relevance, self.sparse)

    def keeps_sparse(self, X):
        """Whether X is a sparse matrix that stays sparse; after a fit on dense rows, which are centred, it does not."""
        return has_sparse_form(X) and (self.is_identity or self.sparse)

    def transform(self, X, dtype):
        """The network's input for these rows, in this dtype."""
        if self.is_identity:
            with np.errstate(over="ignore", invalid="ignore"):
                return X.astype(dtype, copy=False)
        if self.keeps_sparse(X):
            return self._transform_sparse(X, dtype)
        out = np.empty((X.shape[0], self.layout.n_columns), dtype)
        self.write(X, out)
        return out

    def write(self, X, out, n_without_bins=0):
        """Write the network's input for these rows into `out`. The first `n_without_bins` rows are written without their bins."""
        step, blocks = max(1, BLOCK // max(self.layout.n_columns, 1)), Pairs.grouped(self.blocks)
        with np.errstate(over="ignore", invalid="ignore"):
            for first, last in ((0, n_without_bins), (n_without_bins, X.shape[0])):
                for start in range(first, last, step):
                    part = slice(start, min(start + step, last))
                    rows = X[part].toarray() if issparse(X) else X[part]
                    self._write(rows, out[part], blocks, with_bins=first >= n_without_bins)

    def _write(self, X, out, blocks, with_bins):
        Z, start = self.numbers.of(X, out.dtype), 0
        for block in blocks:
            stop = start + len(block.source)
            if with_bins or block.is_seen_by_all:
                block.write(X, Z, out[:, start:stop])
            start = stop
        if self.factors is not None:
            first = 0 if with_bins else self.layout.n_bins
            out[:, first : len(self.factors)] *= self.factors[first:].astype(out.dtype)

    def _transform_sparse(self, X, dtype):
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = scaled_entries(X, self.numbers)
        if self.factors is not None:
            scaled = csr_matrix(scaled.multiply(self.factors))
        return scaled.astype(dtype, copy=False)

    def get_feature_names_out(self, names, n_units):
        """The names of the network's inputs, given those of X's columns and the length of the vectors of embedded columns."""
        names = np.asarray(names, dtype=object)
        return np.array([name for block in self.blocks for name in block.names(names, n_units)], dtype=object)


def layout_of(blocks):
    """The `Layout` of these blocks beside each other; ValueError unless bins come first and codes last."""
    in_order = sorted(blocks, key=lambda block: block.is_seen_by_all + block.is_embedded)
    if in_order != blocks:
        names = [type(block).__name__ for block in blocks]
        raise ValueError(f"Blocks that half of an ensemble skips must come first, embedded ones last; got {names}.")
    embedded = [block for block in blocks if block.is_embedded]
    return Layout(
        n_numbers=sum(len(block.source) for block in blocks) - len(embedded),
        n_bins=sum(len(block.source) for block in blocks if not block.is_seen_by_all),
        n_codes=tuple(len(block.n_rows) for block in embedded),
    )


def relative(factors):
    """The factors over the root of their mean square; None if all are equal, as multiplying would change nothing."""
    return factors / np.sqrt(np.mean(factors**2)) if (factors != factors[:1]).any() else None


def unchanged(n_columns, categories):
    """The preprocessor of `scaling=None` for X with this many columns and without categories."""
    numbers = Numbers(np.arange(n_columns), None)
    return Preprocessor(categories, numbers, [numbers], np.ones(n_columns))


def fit_preprocessor(samples, categories, *, scaling, n_bins, relevance, kind, rng, keeps_unseen=False):
    """The preprocessor that these rows and their weights ask for; the other arguments are the estimator's parameters.

    `kind` is the kind of the targets, `rng` the generator of the forest that finds the relevance. With `keeps_unseen` a sparse X
    keeps the columns that have no entry, as later rows may fill them.
    """
    X, weights = samples.X, samples.weights
    if issparse(X) and scaling is not None:
        numbers = fit_sparse_numbers(X, weights, scaling, keeps_unseen)
        return Preprocessor(categories, numbers, [numbers], find_sparse_relevance(relevance, samples, numbers, kind, rng), True)
    columns = np.array([column for column in range(X.shape[1]) if column not in categories.of_column], dtype=np.intp)
    if not isinstance(relevance, str | None):
        sources = categories.part_sources
        relevance = checked_relevance(relevance, X.shape[1] - len(sources))
        relevance = np.concatenate([relevance, relevance[sources]])
    known = {column: known_codes(column_of(X, column), weights) for column in categories.of_column}
    numbers, rows, missing = fit_numbers(X, weights, columns, scaling)
    relevance, splits = find_relevance(relevance, samples, numbers, kind, rng)
    blocks = [numbers]
    are_small = has_small_classes(len(samples), n_outputs_of(samples, kind), kind)
    if rows is not None and n_bins and 0 < len(columns) <= MAX_BINNED_COLUMNS and not are_small:
        n_bins = allocate_bins(BIN_COLUMNS, relevance[columns], MIN_BINS, n_bins)
        blocks.insert(0, Bins(columns, fit_edges(numbers, *rows, n_bins, splits)))
    if missing.any():
        blocks.append(Flags(columns[missing]))
    if numbers.sentinels is not None:
        blocks.append(numbers.sentinels)
    of_categories = category_blocks(known, categories)
    blocks += [block for block in of_categories if not block.is_embedded]
    # The vectors of embedded columns begin at 0, so a factor would change nothing; only a relevance of 0 leaves a column out.
    blocks += [block for block in of_categories if block.is_embedded and relevance[block.column] > 0]
    return Preprocessor(categories, numbers, blocks, relevance, sparse=issparse(X))


def fit_numbers(X, weights, columns, scaling):
    """`Numbers` of these columns; the rows for quantiles, with their weights, or None; and which of the columns have NaN."""
    none_missing = np.zeros(len(columns), dtype=bool)
    if scaling is None:
        return Numbers(columns, None), None, none_missing
    found, rows = scales(X, weights, columns, scaling)
    sentinels = None
    if found.sentinels:
        places, values, radii = (np.array(part) for part in zip(*found.sentinels))
        sentinels = Sentinels(columns[places], places, values, radii)
    seen, constant = np.zeros(len(columns)), found.scale == 0
    if constant.any():
        seen[constant] = weights_of_numbers(X, weights, columns[constant])
    return Numbers(columns, scaling, found.center, found.scale, sentinels, seen), rows, found.missing


def after_rows(numbers, samples):
    """`numbers` once these rows are known too, with the scales of those columns that were constant until now."""
    open_ = np.flatnonzero(numbers.scale == 0)
    X, columns = samples.X, numbers.source[open_]
    if issparse(X):
        X, columns = X[:, columns].toarray(), np.arange(len(columns))
    center, scale, seen = numbers.center.copy(), numbers.scale.copy(), np.broadcast_to(numbers.seen, numbers.scale.shape).copy()
    center[open_], scale[open_] = scales_of_constants(X, samples.weights, columns, numbers.scaling, center[open_], seen[open_])
    seen[open_] += weights_of_numbers(X, samples.weights, columns)
    return Numbers(numbers.source, numbers.scaling, center, scale, numbers.sentinels, seen)


def fit_edges(numbers, rows, weights, n_bins, splits):
    """The edges of each numeric column's bins, given the number of bins of each and the forest's `Splits`, or None."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        parts = column_parts(rows, numbers.source)
        edges = [e for values, part in parts for e in bin_edges(numbers.scaled(values, part), n_bins[part], weights)]
    if splits is None:
        return edges
    return edges_at_splits(edges, n_bins, splits.on_each(numbers.source))


def category_blocks(known, categories):
    """A block for each categorical column, given its `Known` categories: one-hot if they are few, else codes to embed."""
    one_hot = []
    for column, (codes, n_rows) in known.items():
        values = [categories.of_column[column][int(code)] for code in codes]
        one_hot.append(OneHot(column, codes, values, has_flag=len(codes) == 2 and bool(n_rows[0] > 0)))
    n_columns = sum(len(block.source) for block in one_hot if len(block.codes) <= MAX_ONE_HOT)
    limit = MAX_ONE_HOT if n_columns <= MAX_ONE_HOT_COLUMNS else MAX_ONE_HOT_OF_MANY
    return [
        block if len(block.codes) <= limit else Codes(block.column, block.codes, block.values, known[block.column].n_rows)
        for block in one_hot
    ]


def network_dtype_for(dtype, X, scaling, sample_weight=None):
    """The floating-point format of the network: `dtype`; for "auto" that of X, or float32 if many scaled rows count."""
    if dtype != "auto":
        return np.dtype(dtype)
    n_absent = 0 if sample_weight is None else np.count_nonzero(np.asarray(sample_weight) == 0)
    return np.dtype(np.float32) if scaling is not None and X.shape[0] - n_absent >= FLOAT32_ROWS else X.dtype


def encoded(samples, preprocessor, dtype):
    """The samples with the network's input in place of X: as numbers, or as `LazyRows` if these would be too large."""
    X = samples.X
    if isinstance(X, LazyRows):
        return replace(samples, X=X.encoded(preprocessor, dtype))
    if not preprocessor.keeps_sparse(X) and is_large((X.shape[0], preprocessor.layout.n_columns), dtype):
        return replace(samples, X=LazyRows.of(X, preprocessor, dtype))
    return replace(samples, X=preprocessor.transform(X, dtype))
