"""Columns of numbers and codes → the network's input.

Numeric columns are scaled, missing values take the column's median and are flagged, categories become one-hot columns or, where
they are many, one column of codes, which the network embeds; those columns come last. What a `Preprocessor` learns depends on
the rows and their weights only through weighted sums and quantiles, so that a row of weight 2 counts exactly as two rows. Above
100,000 rows, or 100 million numbers, quantiles, means and deviations are those of a sample of so many, one row from each of
equal stretches; which values are missing, the range and the categories come from all rows.

Robust scaling (Holzmüller et al., arXiv:2407.04491, section 3.1): z = (x − median) / (q₇₅ − q₂₅), with half the range in place of
quartiles that coincide, then the smooth clip z / √(1 + (z / 3)²), which leaves z near 0 as it is and keeps it within ±3.

Piecewise-linear encoding (Gorishniy et al., arXiv:2203.05556): a column for each bin between quantiles of the scaled column, −1
below the bin, 1 above it and linear within, so that a network's first layer can bend at every edge.
"""

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix, issparse

from sksoftmax.data.rows import Rows, is_large, read, spread
from sksoftmax.nn.layers import EMBEDDING_UNITS

QUARTILES = (0.25, 0.5, 0.75)
MIN_BINS, BIN_COLUMNS, MOST_BINNED = 4, 256, 128  # bins a column at least, bins in all, and numeric columns that have any
MAX_ONE_HOT = 255  # categories of a column; of more, those of one row are unknown, and if still more remain they are embedded
MAX_EMBEDDED = 2**16  # categories of a column; rarer ones are unknown
HALF_KNOWN = 50  # a category of so many rows learns at half the rate of one that is always there
FLOAT32_ROWS = 100  # from here on scaled input is computed in float32, unless `dtype` says otherwise
LIMIT = 1e15  # beyond this the smooth clip is ±3 to the last digit; its square fits float32
BOUND = 3.0
SAMPLE_ROWS, SAMPLE_NUMBERS = 100_000, 10**8  # quantiles, means and deviations come from so many rows, in all so many numbers
BLOCK = 2**17  # numbers encoded at once: half a megabyte in float32, which the processor's cache holds


class Preprocessor:
    """Encodes rows as it learnt from the training rows.

    Parameters
    ----------
    scaling : {"robust", "standard"} or None
        How numeric columns are scaled; None leaves them as they are.

    categories : Categories
        Reads the categorical columns of the user's X as codes.

    n_bins : int, default=0
        Largest number of bins of a numeric column; fewer where there are many columns, and in those that are less relevant. Their
        columns come before the others. 0 makes none; so does sparse input.
    """

    def __init__(self, scaling, categories, n_bins=0):
        self.scaling = scaling
        self.categories = categories
        self.n_bins = n_bins
        self.edges = []
        self.bins = bins_between([])
        self.factors = None

    @property
    def n_bin_columns(self):
        """The number of columns, the first ones, that are bins."""
        return len(self.bins[0])

    @property
    def n_columns(self):
        """The number of columns that the network gets, a column of codes for each embedded one."""
        n_levels = sum(_n_one_hot(codes) for codes in self.levels.values())
        return self.n_bin_columns + len(self.numeric) + len(self.flagged) + n_levels + len(self.embedded)

    @property
    def n_inputs(self):
        """The number of inputs of the network's first layer."""
        return self.n_columns + (EMBEDDING_UNITS - 1) * len(self.embedded)

    @property
    def code_rates(self):
        """How fast each code of each embedded column is to learn, n / (n + 50) with n rows; code 0 is unknown or missing.

        The steps of Adam would be of one size for all: what is rare learnt by heart, where estimates of few rows call for
        shrinkage (as in scikit-learn's TargetEncoder).
        """
        return tuple(self.rows_of_codes[column] / (self.rows_of_codes[column] + HALF_KNOWN) for column in self.embedded)

    @property
    def source_columns(self):
        """The column of X behind each column that the network gets, but for those of codes, the last ones."""
        one_hot = [np.repeat(column, _n_one_hot(codes)) for column, codes in self.levels.items()]
        return np.concatenate([self.numeric[self.bins[0]], self.numeric, self.numeric[self.flagged], *one_hot]).astype(np.intp)

    @property
    def accepts_missing(self):
        """Whether numbers may be NaN."""
        return self.scaling is not None

    @property
    def is_fitted(self):
        """Whether it has seen training rows."""
        return hasattr(self, "numeric")

    @property
    def changes_nothing(self):
        """Whether the network's input is X as it is."""
        return self.scaling is None and len(self.categories) == 0

    def keeps_sparse(self, X):
        """Whether X is a sparse matrix that stays one; after `fit` on dense rows, which are centred, it does not."""
        return issparse(X) and (self.changes_nothing or not self.centers)

    def fit(self, X, weights=None, find_relevance=None):
        """Learn from these rows, (n, d) floats with codes in the categorical columns, and their weights.

        `find_relevance` takes this preprocessor once it can scale `columns`, and returns the relevance of each; None means 1.
        """
        self.centers = not issparse(X)
        self.numeric = np.array(
            [column for column in range(X.shape[1]) if column not in self.categories.of_column], dtype=np.intp
        )
        known = {column: known_codes(_column(X, column), weights) for column in self.categories.of_column}
        self.levels = {column: codes for column, (codes, _) in known.items() if len(codes) <= MAX_ONE_HOT}
        self.embedded = {column: codes for column, (codes, _) in known.items() if len(codes) > MAX_ONE_HOT}
        self.rows_of_codes = {column: known[column][1] for column in self.embedded}
        self.flagged = np.empty(0, dtype=np.intp)
        rows = None
        if self.scaling is not None and issparse(X):
            self.center, self.scale = 0.0, _inverse(abs(X).max(axis=0).toarray().ravel())
        elif self.scaling is not None:
            rows = sample(X, weights)
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                low, high, missing = extent(X)
                self.flagged = np.flatnonzero(missing[self.numeric])
                self._fit_scales(*rows, (high / 2 - low / 2)[self.numeric])
        self.relevance = np.ones(X.shape[1]) if find_relevance is None else find_relevance(self)
        if rows is not None:
            self._fit_bins(*rows)
        self._weigh()
        return self

    def _blocks(self, X):
        """Some of the numeric columns of X after the others, in float64, and where they stand among them."""
        step = max(1, 16 * BLOCK // len(X))
        for start in range(0, len(self.numeric), step):
            columns = slice(start, start + step)
            yield X[:, self.numeric[columns]].astype(np.float64), columns

    def _fit_scales(self, X, weights, half_range):
        self.center, self.scale = np.empty((2, len(self.numeric)))
        for numbers, columns in self._blocks(X):
            if self.scaling == "robust":
                scales = robust_scale(numbers, weights, half_range[columns])
            else:
                scales = standard_scale(numbers, weights)
            self.center[columns], self.scale[columns] = scales

    def _fit_bins(self, X, weights):
        """Learn the edges of the bins, which are shared out among the columns by their relevance."""
        if self.n_bins == 0 or not 0 < len(self.numeric) <= MOST_BINNED:
            return
        n_bins = shared_out(BIN_COLUMNS, self.relevance[self.numeric], MIN_BINS, self.n_bins)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for numbers, columns in self._blocks(X):
                Z = self._scaled(numbers, self.center[columns], self.scale[columns])
                self.edges += [bin_edges(z, n, weights) for z, n in zip(Z.T, n_bins[columns])]
        self.bins = bins_between(self.edges)

    def _weigh(self):
        """Take down the factor of each dense input, its column's relevance over the root of their mean square.

        Embedded columns, whose vectors begin at 0, are left as they are, or out where their relevance is 0.
        """
        factors = self.relevance[self.source_columns]
        if (factors != factors[:1]).any():
            self.factors = factors / np.sqrt(np.mean(factors**2))
        self.embedded = {column: codes for column, codes in self.embedded.items() if self.relevance[column] > 0}

    def columns(self, X):
        """Each column of these rows as one: numbers scaled, NaN where they are missing; categories as codes."""
        with np.errstate(over="ignore", invalid="ignore"):
            result = np.array(X, dtype=np.float32)
            missing = np.isnan(result)
            result[:, self.numeric] = self._numbers(X, np.float32)
        result[missing] = np.nan
        return result

    def transform(self, X, dtype):
        """The network's input for these rows, in this dtype."""
        if self.changes_nothing:
            with np.errstate(over="ignore", invalid="ignore"):
                return X.astype(dtype, copy=False)
        if self.keeps_sparse(X):
            return self._transform_sparse(X, dtype)
        out = np.empty((X.shape[0], self.n_columns), dtype)
        self.write(X, out)
        return out

    def write(self, X, out, n_without_bins=0):
        """Write the network's input for these rows into `out`; of the first ones, on request, without their bins."""
        step = max(1, BLOCK // max(self.n_columns, 1))
        with np.errstate(over="ignore", invalid="ignore"):
            for first, last in ((0, n_without_bins), (n_without_bins, X.shape[0])):
                for start in range(first, last, step):
                    block = slice(start, min(start + step, last))
                    self._write(X[block].toarray() if issparse(X) else X[block], out[block], first >= n_without_bins)

    def _write(self, X, out, with_bins):
        Z = self._numbers(X, out.dtype)
        parts = [Z]
        if len(self.flagged):
            parts.append(np.isnan(X[:, self.numeric[self.flagged]]))
        parts += [_one_hot(X[:, column], codes, out.dtype) for column, codes in self.levels.items()]
        parts += [_codes_from_1(X[:, column], codes)[:, None] for column, codes in self.embedded.items()]
        stop = out.shape[1]
        for part in reversed(parts):
            start = stop - part.shape[1]
            out[:, start:stop] = part
            stop = start
        if with_bins and stop:
            piecewise_linear(Z, self.bins, out[:, :stop])
            stop = 0
        if self.factors is not None:
            out[:, stop : len(self.factors)] *= self.factors[stop:].astype(out.dtype)

    def _numbers(self, X, dtype):
        Z = X if len(self.numeric) == X.shape[1] else X[:, self.numeric]
        if self.scaling is None:
            return Z.astype(dtype, copy=False)
        return self._scaled(Z, self.center, self.scale).astype(dtype, copy=False)

    def _scaled(self, X, center, scale):
        Z = X - center
        Z *= scale
        if np.isnan(np.add.reduce(Z, axis=None)):
            Z[np.isnan(Z)] = 0  # missing, or ∞ · 0 in a constant column
        np.clip(Z, -LIMIT, LIMIT, out=Z)
        return smooth_clip(Z) if self.scaling == "robust" else Z

    def _transform_sparse(self, X, dtype):
        scaled = csr_matrix(X.multiply(self.scale))
        if self.scaling == "robust":
            scaled.data = smooth_clip(scaled.data)
        if self.factors is not None:
            scaled = csr_matrix(scaled.multiply(self.factors))
        return scaled.astype(dtype, copy=False)

    def get_feature_names_out(self, names):
        """The names of the network's inputs, given those of X's columns, as scikit-learn's transformers name them."""
        names = np.asarray(names, dtype=object)
        bins = (f"{name}_bin{i}" for name, edges in zip(names[self.numeric], self.edges) for i in range(len(edges) - 1))
        result = [*bins, *names[self.numeric], *(f"missingindicator_{names[self.numeric[i]]}" for i in self.flagged)]
        for column, codes in self.levels.items():
            shown = codes[1:] if len(codes) == 2 else codes
            result += [f"{names[column]}_{self.categories.of_column[column][int(code)]}" for code in shown]
        result += [f"{names[column]}_embedding{i}" for column in self.embedded for i in range(EMBEDDING_UNITS)]
        return np.array(result, dtype=object)


def arithmetic(dtype, X, scaling, sample_weight=None):
    """The floating-point format of the network: `dtype`, or for "auto" X's, and float32 for many scaled rows that count."""
    if dtype != "auto":
        return np.dtype(dtype)
    n_absent = 0 if sample_weight is None else np.count_nonzero(np.asarray(sample_weight) == 0)
    return np.dtype(np.float32) if scaling is not None and X.shape[0] - n_absent >= FLOAT32_ROWS else X.dtype


def encoded(samples, preprocessor, dtype):
    """The samples, or None, with the network's input in place of X: numbers, or `Rows` that make them where they are many."""
    if samples is None:
        return None
    X = samples.X
    if isinstance(X, Rows):
        return replace(samples, X=X.encoded(preprocessor, dtype))
    if not preprocessor.keeps_sparse(X) and is_large((X.shape[0], preprocessor.n_columns), dtype):
        return replace(samples, X=Rows.of(X, preprocessor, dtype))
    return replace(samples, X=preprocessor.transform(X, dtype))


def _column(X, column):
    return X.column(column) if isinstance(X, Rows) else X[:, column]


def sample(X, weights):
    """The rows that statistics come from, as an array, and their weights in float64."""
    n_rows, size = X.shape[0], min(SAMPLE_ROWS, max(SAMPLE_NUMBERS // max(X.shape[1], 1), 1000))
    weights = None if weights is None else weights.astype(np.float64)
    if n_rows <= size:
        return read(X), weights
    rows = spread(n_rows, size)
    return read(X.take(rows, axis=0)), None if weights is None else weights[rows]


def extent(X):
    """The smallest and the largest number of each column, NaN left out, and whether it has NaN; of all rows, block by block."""
    low, high, missing = np.full(X.shape[1], np.nan), np.full(X.shape[1], np.nan), np.zeros(X.shape[1], dtype=bool)
    step = max(1, BLOCK // max(X.shape[1], 1))
    for start in range(0, X.shape[0], step):
        block = read(X[start : start + step])
        low, high = np.fmin(low, np.fmin.reduce(block)), np.fmax(high, np.fmax.reduce(block))
        missing |= np.isnan(np.minimum.reduce(block))
    return low, high, missing


def robust_scale(X, weights, half_range):
    """The median and 1 / (q₇₅ − q₂₅) of each column; half the range where quartiles coincide, 0 where X is constant."""
    low, median, high = quartiles(X, weights)
    scale = _inverse(high - low)
    return median, np.where(scale == 0, _inverse(half_range), scale)


def quartiles(X, weights):
    """The quartiles of each column, (3, d), NaN left out: values that occur (inverted CDF), or 0 in a column of NaN alone."""
    if weights is None and not np.isnan(X).any():
        return np.quantile(X, QUARTILES, axis=0, method="inverted_cdf")
    result = np.zeros((3, X.shape[1]))
    for column, values in enumerate(X.T):
        present = ~np.isnan(values)
        if present.any():
            result[:, column] = _quartiles(values[present], None if weights is None else weights[present])
    return result


def _quartiles(values, weights):
    """Of one column; NumPy's nanquantile takes no weights in some of its versions, and its quantile takes three times as long."""
    if weights is None:
        return np.quantile(values, QUARTILES, method="inverted_cdf")
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    return values[order[np.searchsorted(cumulative, np.multiply(QUARTILES, cumulative[-1]))]]


def standard_scale(X, weights):
    """The mean and 1 / standard deviation of each column, 0 where it is constant."""
    present = ~np.isnan(X)
    weights = present * (1.0 if weights is None else weights[:, None])
    largest = np.fmax.reduce(np.abs(np.where(present, X, 0)))
    share = weights / np.maximum(weights.sum(axis=0), np.finfo(np.float64).tiny)
    small = np.where(present, X, 0) / np.where(largest == 0, 1, largest)  # squares of it do not overflow
    mean = (share * small).sum(axis=0)
    deviation = np.sqrt((share * (small - mean) ** 2).sum(axis=0))
    return mean * largest, _inverse(np.where(deviation > 1e-14, deviation, 0) * largest)


def bin_edges(z, n_bins, weights):
    """The distinct values of a scaled column where they are few, else its quantiles.

    Where quantiles coincide, as in a column of mostly zeros, quantiles of the distinct values take the places of those lost.
    """
    edges = distinct = np.unique(z)
    if len(distinct) > n_bins + 1:
        edges = np.unique(np.quantile(z, np.linspace(0, 1, n_bins + 1), method="inverted_cdf", weights=weights))
        inner = np.linspace(0, 1, n_bins + 3 - len(edges))[1:-1]
        edges = np.union1d(edges, np.quantile(distinct, inner, method="inverted_cdf"))
    return edges if len(edges) > 2 else edges[:1]  # one bin would repeat the column


def shared_out(total, relevance, least, most):
    """Whole numbers in proportion to the relevance of each, about this total, within limits."""
    shares = relevance / max(relevance.sum(), np.finfo(np.float64).tiny)
    return np.clip(np.round(total * shares), min(least, most), most).astype(int)


def bins_between(edges):
    """The column, the lower and the upper edge of each bin, all in a row, given the edges of each column."""
    column = np.repeat(np.arange(len(edges)), [len(of_column) - 1 for of_column in edges])
    low, high = ([of_column[part] for of_column in edges] for part in (slice(None, -1), slice(1, None)))
    return column, np.concatenate([[], *low]), np.concatenate([[], *high])


def piecewise_linear(Z, bins, out):
    """Fill a column of `out` for each bin: −1 below it, 1 above it, linear within."""
    column, low, high = bins
    low, high = low.astype(Z.dtype), high.astype(Z.dtype)
    P = Z.take(column, axis=1)
    P -= low
    P /= np.maximum(high - low, np.finfo(Z.dtype).tiny)
    np.clip(P, 0, 1, out=P)
    P *= 2
    np.subtract(P, 1, out=out)


def smooth_clip(Z):
    """z / √(1 + (z / 3)²)."""
    return Z / np.sqrt(1 + (Z / BOUND) ** 2)


def _inverse(width):
    """1 / width, 0 where the width is 0, too small to invert, infinite or NaN."""
    return np.divide(1.0, width, out=np.zeros(np.shape(width)), where=width > np.finfo(np.float64).tiny)


def known_codes(codes, weights):
    """The codes of a column's known categories among these rows; and numbers of rows, of anything else before those of each.

    Known are all categories where they are few; else the most frequent of two rows or more: what occurs once tells nothing of
    another row, but what an unknown category is like. Whole-numbered weights count rows, others leave a row a row.
    """
    seen, position = np.unique(codes, return_inverse=True)
    count_rows = weights is not None and (weights == np.round(weights)).all()
    n_rows, known = np.bincount(position, weights if count_rows else None), seen >= 0
    if known.sum() > MAX_ONE_HOT:
        known &= n_rows > 1
        known[np.argsort(-n_rows * known, kind="stable")[MAX_EMBEDDED:]] = False
    return seen[known], np.array([n_rows[~known].sum(), *n_rows[known]])


def _codes_from_1(column, codes):
    """1 for the first of these sorted codes, 2 for the second …; 0 for anything else."""
    position = np.searchsorted(codes, column, side="right")
    return position * (codes[position - 1] == column)


def _n_one_hot(codes):
    return 1 if len(codes) == 2 else len(codes)


def _one_hot(column, codes, dtype):
    """A column of 0 and 1 for each code; for two codes one column of −1 and 1; zeros for anything else."""
    hits = (column[:, None] == codes).astype(dtype)
    return hits[:, 1:] - hits[:, :1] if len(codes) == 2 else hits
