"""What is learned from the columns of X: missing values, sentinels, quartiles, scales, edges of bins, known categories.

A sentinel is a number that means a category, such as −999 for "unknown": many rows hold it, and it lies far outside the
other numbers of its column. It sets no center and no scale.

All depends on the rows and their weights only through weighted sums and quantiles, so that a row of weight 2 counts exactly as
two rows. Above 100,000 rows, or 100 million numbers, quantiles, means and deviations are computed from a fixed sample of that
size; missing values, the range and the categories are computed from all rows.
"""

from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np

from sksoftmax.data.rows import map_blocks, read, spread

QUARTILES = (0.25, 0.5, 0.75)
MAX_ALL_KNOWN = 255  # above this many categories, those seen in one row are unknown
MAX_EMBEDDED = 2**16  # most categories of an embedded column; rarer ones are unknown
HUGE, TYPICAL = 100.0, 2.0  # half a range above HUGE times the typical distance from the median becomes TYPICAL times it
SENTINEL_SHARE, SENTINEL_ROWS = 0.02, 10  # a sentinel holds at least this share of the rows, and this many rows
SENTINELS_AT_END = 3  # most sentinels below the other numbers of a column, and above them
SENTINEL_GAP = 3.0  # its least distance from these, in multiples of their width, the distance of these quantiles:
WIDTH = (0.05, 0.95)
SAMPLE_ROWS, SAMPLE_NUMBERS = 100_000, 10**8  # size of the sample for quantiles, means and deviations
COLUMN_NUMBERS = 2**21  # numbers of some columns held at once


class Scales(NamedTuple):
    """The center and the scale of columns, whether they have NaN beside numbers, and their sentinels.

    `sentinels` are tuples: the place of a column among these columns, its sentinel, and the distance within which numbers are it.
    """

    center: np.ndarray
    scale: np.ndarray
    missing: np.ndarray
    sentinels: list


def scales(X, weights, columns, scaling):
    """The `Scales` of these columns, and the rows and weights for quantiles."""
    rows, weights = sample(X, weights)
    center, scale = np.empty((2, len(columns)))
    sentinels = []
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        low, high, missing = extent(X)
        half_range = (high / 2 - low / 2)[columns]
        for values, part in column_parts(rows, columns):
            for column, value, radius in find_sentinels(values, weights):
                others, place = values[:, column], part.start + column
                others[np.abs(others - value) < radius] = np.nan
                half_range[place] = np.fmax.reduce(others) / 2 - np.fmin.reduce(others) / 2
                sentinels.append((place, value, radius))
            if scaling == "robust":
                center[part], scale[part] = robust_scale(values, weights, half_range[part])
            else:
                center[part], scale[part] = standard_scale(values, weights)
    missing &= ~np.isnan(low)  # a column without any value has no flag: the flag would always be 1
    return Scales(center, scale, missing[columns], sentinels), (rows, weights)


def scales_of_constants(X, weights, columns, scaling, center, seen):
    """The center and the scale of columns that were constant in all earlier rows, once these rows are known too.

    `center` has the value of each column in the earlier rows, `seen` the total weight of the rows in which it was present: all
    that the statistics of all rows need. The scale of a column that is still constant is 0.
    """
    center, scale, rows = center.copy(), np.zeros(len(columns)), None
    low, high = (bound[columns] for bound in extent(X)[:2])
    low, high = np.where(seen > 0, [np.fmin(low, center), np.fmax(high, center)], [low, high])
    for i in np.flatnonzero((low < high) | (seen == 0)):
        if rows is None:
            rows, of_rows = sample(X, np.ones(X.shape[0]) if weights is None else weights)
            of_rows = of_rows * (X.shape[0] / len(rows))  # a sample counts as much as all rows
        values = np.append(rows[:, columns[i]].astype(np.float64), center[i] if seen[i] > 0 else np.nan)[:, None]
        of_values = np.append(of_rows, seen[i])
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if scaling == "robust":
                center[i], scale[i] = np.ravel(robust_scale(values, of_values, (high / 2 - low / 2)[[i]]))
            else:
                center[i], scale[i] = np.ravel(standard_scale(values, of_values))
    return center, scale


def weights_of_numbers(X, weights, columns):
    """The total weight of the rows in which each of these columns is not missing."""
    return sum(map_blocks(partial(_weights_of_block, columns=columns), X, weights), start=np.zeros(len(columns)))


def _weights_of_block(block, weights, columns):
    present = ~np.isnan(block[:, columns])
    return present.sum(axis=0) if weights is None else weights.astype(np.float64) @ present


def sample(X, weights):
    """The rows from which statistics are computed, as an array, and their weights in float64."""
    n_rows, size = X.shape[0], min(SAMPLE_ROWS, max(SAMPLE_NUMBERS // max(X.shape[1], 1), 1000))
    weights = None if weights is None else weights.astype(np.float64)
    if n_rows <= size:
        return read(X), weights
    rows = spread(n_rows, size)
    return read(X.take(rows, axis=0)), None if weights is None else weights[rows]


def extent(X):
    """The smallest and the largest number of each column, without NaN, and whether it has NaN; of all rows, block by block."""
    low, high, missing = np.full(X.shape[1], np.nan), np.full(X.shape[1], np.nan), np.zeros(X.shape[1], dtype=bool)
    for low_of_block, high_of_block, has_missing in map_blocks(_extent_of_block, X):
        low, high = np.fmin(low, low_of_block), np.fmax(high, high_of_block)
        missing |= has_missing
    return low, high, missing


def _extent_of_block(block):
    return np.fmin.reduce(block), np.fmax.reduce(block), np.isnan(np.minimum.reduce(block))


def column_parts(X, columns):
    """Some of these columns of X after the others, in float64, each with its place among `columns`."""
    step = max(1, COLUMN_NUMBERS // len(X))
    for start in range(0, len(columns), step):
        part = slice(start, start + step)
        yield X[:, columns[part]].astype(np.float64), part


def find_sentinels(X, weights):
    """The sentinels of these columns: the column, the number, and the distance from it within which a number is the same.

    That distance is the rounding of float32, so that a sentinel is found in X of either format. Integer weights count as repeated
    rows.
    """
    n_rows = len(X)
    if weights is not None:
        n_rows = weights.sum() if (weights == np.round(weights)).all() else n_rows
        weights = weights * (n_rows / weights.sum())
    least = max(SENTINEL_SHARE * n_rows, SENTINEL_ROWS)
    at_ends = [np.equal(X, end) for end in (np.fmin.reduce(X), np.fmax.reduce(X))]
    at_ends = [np.count_nonzero(is_end, axis=0) if weights is None else weights @ is_end for is_end in at_ends]
    for column in np.flatnonzero(np.maximum(*at_ends) >= least):
        values, n_of_value = _distinct(X[:, column], weights)
        n_low, n_high = _sentinels_at_ends(values, n_of_value, least)
        for i in (*range(n_low), *range(len(values) - n_high, len(values))):
            gap = np.diff(values[max(i - 1, 0) : i + 2]).min()
            yield column, values[i], max(min(np.finfo(np.float32).eps * abs(values[i]), gap / 4), np.finfo(np.float64).tiny)


def _distinct(values, weights):
    """The sorted distinct values without NaN, and the weight of each."""
    present = ~np.isnan(values)
    if weights is None:
        return np.unique(values[present], return_counts=True)  # ten times as fast as with positions
    values, position = np.unique(values[present], return_inverse=True)
    return values, np.bincount(position, weights[present])


def _sentinels_at_ends(values, n_rows, least):
    """How many of these sorted distinct numbers are sentinels, at the low end and at the high end, given the rows of each.

    Both ends are tried together, as −999 and 999 would hide each other.
    """
    are_many = n_rows >= least
    most_low, most_high = (np.cumprod(end[:SENTINELS_AT_END]).sum() for end in (are_many, are_many[::-1]))
    found = 0, 0
    for n_low, n_high in product(range(most_low + 1), range(most_high + 1)):
        inner = slice(n_low, len(values) - n_high)
        others = values[inner]
        if n_low + n_high <= sum(found) or len(others) < 2 or n_rows[inner].sum() < least:
            continue
        width = np.ptp(weighted_quantiles(others, n_rows[inner], WIDTH)) or others[-1] - others[0]
        gaps = [others[0] - values[n_low - 1]] * (n_low > 0) + [values[-n_high] - others[-1]] * (n_high > 0)
        if min(gaps) >= SENTINEL_GAP * width < np.inf:
            found = n_low, n_high
    return found


def robust_scale(X, weights, half_range):
    """The median and 1 / (q₇₅ − q₂₅) of each column, 0 if the column is constant.

    If the quartiles coincide, as in counts that mostly are 0, half the range replaces their distance. A few huge numbers do not
    set it: if it is 100 times the typical distance from the median, the median distance of the numbers that differ from the
    median, it becomes twice that distance.
    """
    low, median, high = quartiles(X, weights)
    scale = inverse(high - low)
    for column in np.flatnonzero(scale == 0):
        distance = np.abs(X[:, column] - median[column])
        others = distance > 0
        if others.any():
            typical = _quartiles(distance[others], None if weights is None else weights[others])[1]
            scale[column] = inverse(half_range[column] if half_range[column] <= HUGE * typical else TYPICAL * typical)
    return median, np.where(scale == 0, inverse(half_range), scale)


def quartiles(X, weights):
    """The quartiles of each column, (3, d), without NaN: values that occur (inverted CDF), or 0 if all values are NaN."""
    if weights is None and not np.isnan(X).any():
        return np.quantile(X, QUARTILES, axis=0, method="inverted_cdf")
    result = np.zeros((3, X.shape[1]))
    for column, values in enumerate(X.T):
        present = ~np.isnan(values)
        if present.any():
            result[:, column] = _quartiles(values[present], None if weights is None else weights[present])
    return result


def _quartiles(values, weights):
    """The quartiles of one column. NumPy's quantile with weights takes three times as long; some versions have none for NaN."""
    if weights is None:
        return np.quantile(values, QUARTILES, method="inverted_cdf")
    order = np.argsort(values)
    return weighted_quantiles(values[order], weights[order], QUARTILES)


def weighted_quantiles(values, weights, shares):
    """The quantiles of sorted values (inverted CDF)."""
    cumulative = np.cumsum(weights)
    return values[np.searchsorted(cumulative, np.multiply(shares, cumulative[-1]))]


def standard_scale(X, weights):
    """The mean and 1 / standard deviation of each column, 0 if it is constant."""
    present = ~np.isnan(X)
    weights = present * (1.0 if weights is None else weights[:, None])
    largest = np.fmax.reduce(np.abs(np.where(present, X, 0)))
    share = weights / np.maximum(weights.sum(axis=0), np.finfo(np.float64).tiny)
    small = np.where(present, X, 0) / np.where(largest == 0, 1, largest)  # squares of it do not overflow
    mean = (share * small).sum(axis=0)
    deviation = np.sqrt((share * (small - mean) ** 2).sum(axis=0))
    return mean * largest, inverse(np.where(deviation > 1e-14, deviation, 0) * largest)


def inverse(width):
    """1 / width; 0 if the width is 0, too small to invert, infinite or NaN."""
    return np.divide(1.0, width, out=np.zeros(np.shape(width)), where=width > np.finfo(np.float64).tiny)


def bin_edges(Z, n_bins, weights):
    """The edges of the bins of each scaled column, given the number of bins of each."""
    return [_bin_edges(z, n, weights) for z, n in zip(Z.T, n_bins)]


def _bin_edges(z, n_bins, weights):
    """The edges of one column's bins: its distinct values if they are few, else its quantiles.

    If quantiles coincide, as in a column of mostly zeros, quantiles of the distinct values replace the repeated ones.
    """
    edges = distinct = np.unique(z)
    if len(distinct) > n_bins + 1:
        edges = np.unique(np.quantile(z, np.linspace(0, 1, n_bins + 1), method="inverted_cdf", weights=weights))
        inner = np.linspace(0, 1, n_bins + 3 - len(edges))[1:-1]
        edges = np.union1d(edges, np.quantile(distinct, inner, method="inverted_cdf"))
    return edges if len(edges) > 2 else edges[:1]  # one bin would repeat the column


def edges_at_splits(edges, n_bins, splits):
    """The edges of each column's bins, given its number of bins, and the thresholds and gains of the splits on it."""
    return [_edges_at_splits(e, n, *of_column) for e, n, of_column in zip(edges, n_bins, splits)]


def _edges_at_splits(edges, n_bins, thresholds, gains):
    """The edges of one column's bins, with quantiles of a forest's thresholds, weighted by their gains, in place of half of them.

    Columns whose distinct values all are edges keep these, and so do columns on which no tree has split.
    """
    n_quantiles = n_bins + 1 - n_bins // 2
    if len(edges) < n_bins + 1 or not len(thresholds):
        return edges
    share = np.cumsum(gains) / gains.sum()
    middles = (np.arange(n_bins // 2) + 0.5) / (n_bins // 2)
    found = thresholds[np.minimum(np.searchsorted(share, middles), len(share) - 1)]
    kept = np.interp(np.linspace(0, 1, n_quantiles), np.linspace(0, 1, len(edges)), edges)
    return np.union1d(np.clip(found, edges[0], edges[-1]), kept)


def allocate_bins(total, relevance, least, most):
    """Integers in proportion to the relevance of each column, with about this total, between `least` and `most`."""
    shares = relevance / max(relevance.sum(), np.finfo(np.float64).tiny)
    return np.clip(np.round(total * shares), min(least, most), most).astype(int)


class Known(NamedTuple):
    """A column's known categories: their sorted codes, and numbers of rows.

    `n_rows` has the number of rows of all unknown categories, followed by that of each known one.
    """

    codes: np.ndarray
    n_rows: np.ndarray


def known_codes(codes, weights):
    """The `Known` categories of a column of codes; −1 is unknown.

    All categories are known if there are at most 255. Otherwise only those seen in two rows or more, at most the 65,536 most
    frequent: rows of one-off categories are used to train the "unknown" vector. Integer weights count as repeated rows.
    """
    seen, position = np.unique(codes, return_inverse=True)
    weights_count_rows = weights is not None and (weights == np.round(weights)).all()
    n_rows, known = np.bincount(position, weights if weights_count_rows else None), seen >= 0
    if known.sum() > MAX_ALL_KNOWN:
        known &= n_rows > 1
        known[np.argsort(-n_rows * known, kind="stable")[MAX_EMBEDDED:]] = False
    return Known(seen[known], np.array([n_rows[~known].sum(), *n_rows[known]]))
