"""The fit of a radial network: a ridge regression of the targets on its units, solved at once.

With a unit at each of n distinct rows, H = exp(−‖xᵢ − xⱼ‖₁ / width) and row weights s of mean 1, W solves

    (H + ridge · diag(1 / s)) W = Y − offset

This is kernel ridge regression with Laplace's kernel. The inverse G of that matrix also tells what the network would answer if a
row had been left out, without another fit: yᵢ − Wᵢ / Gᵢᵢ; for a group g of rows, y_g − (G_gg)⁻¹ W_g. Left-out rows choose width
and ridge, and later the weight of the radial network in the ensemble. Of many rows it is the mean of regressions on parts of them
(Zhang, Duchi & Wainwright, 2015, JMLR 16).
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import get_blas_funcs, get_lapack_funcs, solve
from scipy.sparse import issparse
from scipy.spatial.distance import pdist

from sksoftmax.data.copies import equal_rows
from sksoftmax.data.rows import LazyRows, read, spread
from sksoftmax.nn.threads import BlasThreadLimit
from sksoftmax.radial import RadialNetwork, logits_of_outputs, units

MIN_ROWS, MAX_ROWS = 100, 6_000  # the least and the most rows: each is a unit that predictions must compute
PART_ROWS = 2_500  # the most rows of a regression, whose time grows with the cube of their number
MAX_NUMBERS = 2 * 10**6  # the most numbers in the centers
SAMPLE_ROWS = 400  # rows by which width and ridge are chosen
WIDTHS = (0.1, 0.3, 1.0, 3.0, 10.0)  # in multiples of the median distance of two rows
RIDGES = (0.01, 0.1, 1.0)
LEAST_RIDGE, MOST_RIDGE = 1e-3, 1e6  # of rows of much and of little weight: less would be lost in float32, and more overflow


class Rows(NamedTuple):
    """X, (n, d), targets Y, (n, n_outputs), and weights, (n,), of rows; the number of each row's group, or None."""

    X: np.ndarray
    Y: np.ndarray
    weights: np.ndarray
    groups: np.ndarray | None

    def take(self, numbers):
        """The rows of these numbers."""
        return Rows(*(None if part is None else part[numbers] for part in self))


def can_fit(samples, layout):
    """Whether these encoded rows may have a radial network: they are dense and neither few nor many; copies count once.

    Where columns are more than rows, relevance has learned the labels of left-out rows: it brings rows of a label together.
    """
    n, d, X = samples.n_distinct, layout.n_numbers - layout.n_bins, samples.X
    is_sparse = issparse(X) or (isinstance(X, LazyRows) and X.stays_sparse)
    return not is_sparse and d > 0 and max(MIN_ROWS, d) <= n <= MAX_ROWS and n * d <= MAX_NUMBERS


def fit_radial(samples, layout, head):
    """The `RadialNetwork` of these encoded rows, and its logits, (n, n_outputs), for each row with the row's group left out.

    (None, None) if rows are too many, do not differ in the columns that it sees, or differ too little for their numbers.
    """
    rows, row_of = merged(read(samples.X)[:, layout.n_bins : layout.n_numbers], samples, head)
    distance = typical_distance(rows.X)
    if distance == 0 or len(rows.X) > MAX_ROWS:
        return None, None
    offset = np.average(rows.Y, axis=0, weights=rows.weights).astype(rows.Y.dtype)
    rows = rows._replace(Y=rows.Y - offset)
    try:
        with BlasThreadLimit(1):
            width, ridge = best_width_and_ridge(rows, distance)
            W, left_out = mean_of_parts(rows, width, ridge)
    except np.linalg.LinAlgError:
        return None, None
    network = RadialNetwork(np.asfortranarray(rows.X), layout.n_bins, width, W, offset)
    return network, logits_of_outputs(left_out + offset, head)[row_of]


def merged(X, samples, head):
    """The `Rows` of these samples, in which equal rows of a group are one, and the number of each sample's row, (n,)."""
    Y, groups = head.matrix(samples.targets).astype(X.dtype), samples.groups
    weights = np.ones(len(X)) if samples.weights is None else samples.weights.astype(np.float64) / samples.weights.max()
    equal = None if groups is None else equal_rows(X)
    if equal is None:
        return Rows(X, Y, weights, groups), slice(None)
    first, row_of = np.unique(np.stack([equal, groups]), axis=1, return_index=True, return_inverse=True)[1:]
    row_of = row_of.ravel()
    totals, sums = np.bincount(row_of, weights), np.zeros((len(first), Y.shape[1]))
    np.add.at(sums, row_of, weights[:, None] * Y)
    return Rows(X[first], (sums / totals[:, None]).astype(X.dtype), totals, groups[first]), row_of


def typical_distance(X):
    """The median distance of two rows of a sample, or the mean distance if most are equal."""
    distances = pdist(X[sample_of(X)], "cityblock")
    return float(np.median(distances) or distances.mean())


def sample_of(X):
    """The row numbers of a fixed sample of at most SAMPLE_ROWS rows."""
    return np.arange(len(X)) if len(X) <= SAMPLE_ROWS else spread(len(X), SAMPLE_ROWS)


def mean_of_parts(rows, width, ridge):
    """The weights of the mean of regressions on parts of at most PART_ROWS rows, and the outputs for left-out rows.

    A group is in one part, so that the regressions on the other parts have not seen it.
    """
    groups = np.arange(len(rows.X)) if rows.groups is None else np.unique(rows.groups, return_inverse=True)[1].ravel()
    n_groups = groups.max() + 1
    n_parts = min(-(-len(rows.X) // PART_ROWS), n_groups)
    part_of_row = (np.random.default_rng(0).permutation(n_groups) % n_parts)[groups]
    W, left_out = np.zeros_like(rows.Y), np.zeros_like(rows.Y)
    for number in range(n_parts):
        inside, outside = np.flatnonzero(part_of_row == number), np.flatnonzero(part_of_row != number)
        part = rows.take(inside)
        W[inside], errors = ridge_regression(units(part.X, 0, part.X, width), part, ridge)
        left_out[inside] += part.Y - errors
        if len(outside):
            left_out[outside] += units(rows.X[outside], 0, part.X, width) @ W[inside]
    return W / n_parts, left_out / n_parts


def best_width_and_ridge(rows, distance):
    """The width and the ridge with the least squared error of left-out rows, on a sample."""
    sample, errors = rows.take(sample_of(rows.X)), {}
    for width in distance * np.array(WIDTHS):
        H = units(sample.X, 0, sample.X, width)
        for ridge in RIDGES:
            left_out = ridge_regression(H.copy(), sample, ridge)[1]
            errors[float(width), ridge] = np.average((left_out**2).sum(axis=1), weights=sample.weights)
    return min(errors, key=errors.get)


def ridge_regression(H, rows, ridge):
    """W of (H + ridge · diag(mean weight / weights)) W = Y, and the errors, (n, n_outputs), with each row's group left out.

    H, which is symmetric, is overwritten.
    """
    factor, invert = get_lapack_funcs(("potrf", "potri"), (H,))
    H[np.diag_indices(len(H))] += np.clip(ridge * rows.weights.mean() / rows.weights, LEAST_RIDGE, MOST_RIDGE)
    L, failed = factor(H.T, lower=True, overwrite_a=True)
    if failed:
        raise np.linalg.LinAlgError("rows are too near each other for this ridge")
    G, _ = invert(L, lower=True, overwrite_c=True)  # only its lower half
    W = get_blas_funcs("symm", (G,))(1.0, G, rows.Y, lower=True)
    errors = W / np.diag(G)[:, None]
    for of_group in rows_of_groups(rows.groups):
        errors[of_group] = solve(G[np.ix_(of_group, of_group)], W[of_group], lower=True, assume_a="pos")
    return W, errors


def rows_of_groups(groups):
    """The row numbers, in order, of each group of two and more rows."""
    if groups is None:
        return []
    order = np.argsort(groups, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    return [rows for rows in parts if len(rows) > 1]
