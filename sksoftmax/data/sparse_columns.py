"""Columns of a sparse X: their scales, their relevance, and their scaled entries, which stay sparse.

A matrix with entries in at least half of its cells is treated as an array. In others, columns with entries in at least half of
the rows are "full": they are centered and scaled as in an array, and every row gets an entry, which at most doubles the memory
that they take. All other columns are "thin": their zeros stay 0.

Thin columns share one scale, the median size of their entries, because the proportions of counts and TF-IDF weights carry
information. If the entries of a column are much larger or smaller than that, its own scale limits how far it may be off.
"""

import numpy as np
from scipy.sparse import csr_matrix, issparse
from scipy.sparse.linalg import lsqr

from sksoftmax import sklearn_private
from sksoftmax.data.blocks import LIMIT, Numbers, smooth_clip
from sksoftmax.data.groups import renumbered
from sksoftmax.data.relevance import (
    FOREST,
    MAX_FOREST_NUMBERS,
    MAX_FOREST_ROWS,
    MIN_ROWS,
    PRIOR_ROWS,
    find_relevance,
    relevance_by_forests,
)
from sksoftmax.data.rows import is_large, spread
from sksoftmax.data.statistics import inverse, scales

FULL = 0.5  # least share of the rows in which a full column has an entry
FURTHEST = 4.0  # the root mean square of a thin column's scaled entries is within 1/4 … 4
PRIOR_OF_SHARE = 5  # rows: 5 / n is added to what full and thin columns explain, which pulls their ratio towards 1
WIDEST = 100.0  # the relevance of full and of thin columns differs by a factor of at most 100
MOST_IN_TREES = 100  # thin columns that trees see, the ones with most entries
MOST_TARGETS = 20  # classes that are predicted to find this ratio, the most frequent ones
MIN_LEAF_SHARE, MIN_LEAF_ROWS = 1 / 50, 5  # least share of the rows, and least rows, in a leaf
LSQR_STEPS = 30  # of the linear model


def without_sparse_form(X):
    """X as an array if it is a sparse matrix with entries in at least half of its cells, unless the array would be large."""
    if issparse(X) and X.nnz >= FULL * X.shape[0] * X.shape[1] and not is_large(X.shape, X.dtype):
        return X.toarray()
    return X


def fit_sparse_numbers(X, weights, scaling, keeps_unseen=False):
    """`Numbers` of the columns of a CSR matrix. Columns that cannot be scaled, as all their entries are equal, are left out.

    With `keeps_unseen` all columns are kept, and those without an entry get the scale of thin ones: later rows may fill them.
    """
    share, size = shares_and_sizes(X, weights)
    full = np.flatnonzero(share >= FULL)
    center, scale = np.zeros(X.shape[1]), thin_scales(X, weights, share, size)
    if not keeps_unseen:
        scale[share == 0] = 0
    if len(full):
        found, _ = scales(X[:, full].toarray(), weights, np.arange(len(full)), scaling)
        center[full], scale[full] = found.center, found.scale
    kept = np.arange(X.shape[1]) if keeps_unseen else np.flatnonzero(scale)
    return Numbers(kept, scaling, center[kept], scale[kept])


def shares_and_sizes(X, weights):
    """The share of the rows, by weight, in which each column has an entry, and the root mean square of these entries."""
    n_rows, n_columns = X.shape
    of_entry = (X.data != 0) * (1.0 if weights is None else np.repeat(weights.astype(np.float64), np.diff(X.indptr)))
    total = np.bincount(X.indices, of_entry, n_columns)
    largest = abs(X).max(axis=0).toarray().ravel().astype(np.float64)
    small = X.data * inverse(largest)[X.indices]  # squares of it do not overflow
    mean = np.bincount(X.indices, of_entry * small**2, n_columns) / np.where(total == 0, 1, total)
    return total / (n_rows if weights is None else weights.sum(dtype=np.float64)), largest * np.sqrt(mean)


def thin_scales(X, weights, share, size):
    """The scale of each column if it is thin; columns without an entry get the scale that thin columns share."""
    is_thin = (X.data != 0) & (share < FULL)[X.indices]
    if not is_thin.any():
        return np.ones(len(size))
    weights = None if weights is None else np.repeat(weights.astype(np.float64), np.diff(X.indptr))[is_thin]
    typical = np.quantile(np.abs(X.data[is_thin].astype(np.float64)), 0.5, method="inverted_cdf", weights=weights)
    return inverse(np.where(share == 0, typical, np.clip(typical, size / FURTHEST, size * FURTHEST)))


def scaled_entries(X, numbers):
    """The scaled columns of a CSR matrix, CSR in float64. Columns with a center have an entry in every row."""
    if len(numbers.source) != X.shape[1]:
        X = X[:, numbers.source]
    full = np.flatnonzero(numbers.center)
    Z = csr_matrix((X.data * numbers.scale[X.indices], X.indices, X.indptr), shape=X.shape)
    Z.data = np.clip(Z.data, -LIMIT, LIMIT)
    if numbers.scaling == "robust":
        Z.data = smooth_clip(Z.data)
    if not len(full):
        return Z
    Z.data[np.isin(Z.indices, full)] = 0
    of_full = numbers.scaled(X[:, full].toarray().astype(np.float64), full)
    starts = np.arange(0, of_full.size + 1, len(full))
    return Z + csr_matrix((of_full.ravel(), np.tile(full, X.shape[0]), starts), shape=X.shape)


def find_sparse_relevance(asked, samples, numbers, kind, rng):
    """The relevance of each column of a sparse X, (d,).

    'auto' is that of a forest among full columns, and the same for all thin ones: how much of the targets the thin columns
    explain on rows that were left out, over how much the full ones do. Without full columns it is 1.
    """
    n_rows = samples.X.shape[0]
    relevance, _ = find_relevance(asked, samples, numbers, kind, rng)
    full, thin = np.flatnonzero(numbers.center), np.flatnonzero(numbers.center == 0)
    if not isinstance(asked, str) or n_rows < MIN_ROWS or not len(full):
        return relevance
    size = min(MAX_FOREST_ROWS, max(MAX_FOREST_NUMBERS // (len(full) + MOST_IN_TREES), MIN_ROWS))
    if n_rows > size:
        samples = samples[spread(n_rows, size)]
    Z = scaled_entries(samples.X, numbers)
    columns = Z[:, full].toarray().astype(np.float32)
    relevance[numbers.source[full]], _ = relevance_by_forests(columns, samples, kind, rng)
    if len(thin):
        relevance[numbers.source[thin]] = ratio(Z[:, thin], columns, samples, kind, rng)
    return relevance ** min(1.0, PRIOR_ROWS / n_rows)


def ratio(Z, columns, samples, kind, rng):
    """The share that the thin columns Z explain over that of the full `columns`, (r + 5 / n) / (s + 5 / n), within 1/100 … 100.

    A linear model finds what many rare words say together, trees on the most frequent columns what few say in combination; the
    better of the two counts.
    """
    T, weights, n_rows = target_columns(samples, kind), samples.weights, len(samples)
    weights = np.ones(n_rows) if weights is None else weights.astype(np.float64)
    frequent = np.sort(np.argsort(-np.bincount(Z.indices, minlength=Z.shape[1]), kind="stable")[:MOST_IN_TREES])
    frequent, half = Z[:, frequent].toarray().astype(np.float32), in_first_half(samples, rng)
    answers = np.empty((3, *T.shape))
    for train in (half, ~half):
        learned, mean = (T[train], weights[train]), np.average(T[train], axis=0, weights=weights[train])
        answers[0, ~train] = linear(Z[train], T[train] - mean, weights[train], Z[~train])
        answers[1, ~train] = of_trees(frequent[train], *learned, frequent[~train], rng) - mean
        answers[2, ~train] = of_trees(columns[train], *learned, columns[~train], rng) - mean
    T -= np.average(T, axis=0, weights=weights)
    linear_share, of_frequent, of_full = (explained(T, answer, weights[:, None]) for answer in answers)
    prior = PRIOR_OF_SHARE / n_rows
    return np.clip((max(linear_share, of_frequent) + prior) / (of_full + prior), 1 / WIDEST, WIDEST)


def in_first_half(samples, rng):
    """Whether each row is in the first of two halves, (n,); no group is divided."""
    groups, n_groups = (np.arange(len(samples)), len(samples)) if samples.groups is None else renumbered(samples.groups)
    return rng.permutation(n_groups)[groups] < n_groups // 2


def target_columns(samples, kind):
    """The targets as a matrix: a column of 0 and 1 for each label (of two, one column), at most the 20 most frequent ones."""
    if kind == "labels":
        labels, n_rows = np.unique(samples.strata, return_counts=True)
        frequent = labels[np.argsort(-n_rows, kind="stable")[: 1 if len(labels) == 2 else MOST_TARGETS]]
        T = (frequent == samples.strata[:, None]).astype(np.float64)
    else:
        T = samples.targets.astype(np.float64)
    return T[:, np.argsort(-T.sum(axis=0), kind="stable")[:MOST_TARGETS]]


def linear(Z, T, weights, asked):
    """The answers, for the rows `asked`, of a ridge regression of T on Z with as strong a penalty as a row is long."""
    root = np.sqrt(weights)
    damp = np.sqrt((Z.data**2).sum() / Z.shape[0])
    weighted = csr_matrix((Z.data * np.repeat(root, np.diff(Z.indptr)), Z.indices, Z.indptr), shape=Z.shape)
    return np.column_stack([asked @ lsqr(weighted, root * t, damp=damp, iter_lim=LSQR_STEPS)[0] for t in T.T])


def of_trees(columns, T, weights, asked, rng):
    """The answers, for the rows `asked`, of a forest of T on these columns, a matrix."""
    leaf = {"min_samples_leaf": MIN_LEAF_ROWS, "min_weight_fraction_leaf": MIN_LEAF_SHARE}
    forest = sklearn_private.ForestRegressor(**FOREST, **leaf, max_features="sqrt", random_state=rng)
    T = T if T.shape[1] > 1 else T[:, 0]
    return sklearn_private.fit_forest(forest, columns, T, weights).predict(asked).reshape(len(asked), -1)


def explained(T, answers, weights):
    """The squared correlation of centered targets and answers of rows that were not trained on; 0 if it is not positive."""
    product = (weights * T * answers).sum()
    size = (weights * T**2).sum() * (weights * answers**2).sum()
    return product**2 / size if product > 0 and size > 0 else 0.0
