"""Find rows that repeat, or nearly repeat, other rows.

What a model says of a copy of a training row does not show what it will say of new rows. So folds and splits keep copies
together, and copies count as one row wherever "auto" depends on the number of rows.

Equal rows are copies if their targets agree, and if they are more than chance would make equal. Otherwise the rows were drawn
independently of each other from few possible ones, as rows of a few categories are.

A class that is one tight cluster looks like copies of one row. So there must be at least ten distinct rows for each class.

Rows nearly repeat if most rows have a few neighbors that are much nearer than the next one. For rows of a smooth density in D
dimensions with distances d₁ ≤ d₂ ≤ … to their neighbors, k · log(d_{k+1} / d_k) has an exponential distribution of mean 1 / D for
each k (Rényi, 1953, "On the theory of order statistics"). So the probability of a large gap is known. Near rows must also agree
in all columns that the distances leave out.
"""

import warnings
from functools import partial

import numpy as np
from scipy.sparse import csr_array, issparse
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import NearestNeighbors

from sksoftmax.data.rows import cells, column_of, has_sparse_form, map_blocks, read, spread
from sksoftmax.data.statistics import inverse, quartiles

AGREEMENT, AGREEMENT_OF_NEAR = 0.995, 0.8  # least agreement (Cohen's kappa) of the targets of equal and of near rows
FEWEST_OF_CLASS = 10  # least number of distinct rows, or clusters of near rows, for each class
WARNED_SHARE = 0.8  # warn if at most this share of the rows is distinct
KNOWN_SHARE = 0.5  # warn if at least this share of the validation rows are training rows
MOST_BY_CHANCE = 10.0  # rows may repeat this many times as often as rows of independent columns before they count as copies
MIN_ROWS = 50  # with fewer rows copies are not searched: then no row is left out
MOST_NEAR = 20_000  # with more rows near rows are not searched
FEWEST_COLUMNS, MOST_COLUMNS = 2, 15  # columns of the search; with more, scikit-learn compares all pairs of rows
CONTINUOUS = 0.5  # least share of distinct values, in a sample, of a column of the search
SAMPLE, QUERIES, NEIGHBORS = 500, 100, 32
GAP, SHARE_WITH_GAP = 10.0, 0.5  # rows nearly repeat if half of them have a gap 10 times the mean, of probability e^-10
LEAST_RATIO = 1.5  # of the distances behind and before a typical gap
RADII = (1.0, 0.85, 0.7)  # the distances of near rows that are tried, in units of the middle of the gaps
LARGEST = 0.1  # largest share of all rows that may nearly repeat each other
REPEATS = (
    "{what}. Copies stay together in folds and validation splits, and count as one row where 'auto' depends on the number of "
    "rows. If rows belong together, as the visits of a patient do, pass groups to fit; if rows were repeated on purpose, pass "
    "each once with its sample_weight; if new rows will repeat these rows too, pass groups=np.arange(len(X))."
)


def find_copies(samples, categories, n_classes):
    """The number of the distinct row that each row is or repeats, (n,), or None if no row repeats; warn if many rows do.

    Rows of different groups, if the user passed groups, are no copies of each other, and nothing is warned of.
    """
    n = len(samples)
    if n < MIN_ROWS:
        return None
    equal, what = equal_rows(samples.X), "Only {n_distinct} of the {n} rows of X are distinct; the others repeat them"
    if equal is None and n > MOST_NEAR:
        return None
    targets = equal_rows(samples.targets.reshape(n, -1))
    if equal is not None and (agreement(equal, targets) < AGREEMENT or repeat_by_chance(samples.X, equal)):
        return None
    copies = near_rows(samples, np.arange(n) if equal is None else equal, targets, categories)
    if copies is None:
        copies = equal
    else:
        what = "The {n} rows of X form {n_distinct} clusters of rows that repeat or nearly repeat each other"
    if copies is None or copies.max() + 1 < FEWEST_OF_CLASS * n_classes:
        return None
    if samples.groups is not None:
        return np.unique(np.stack([copies, samples.groups]), axis=1, return_inverse=True)[1].ravel()
    if (n_distinct := copies.max() + 1) <= WARNED_SHARE * n:
        warnings.warn(REPEATS.format(what=what.format(n_distinct=n_distinct, n=n)))
    return copies


def warn_of_known_rows(training, validation):
    """Warn if most validation rows are equal to training rows, unless training rows are equal to each other too."""
    known = hashes_of_rows(training.X)
    share = np.isin(hashes_of_rows(validation.X), known).mean()
    if share >= KNOWN_SHARE and len(np.unique(known)) > WARNED_SHARE * len(known):
        warnings.warn(
            f"{share:.0%} of the rows of X_val are equal to rows of X. Their score rises when training rows are memorized, so it "
            "cannot tell when to stop. Pass rows that X does not have."
        )


def equal_rows(X):
    """A number for each row, (n,), the same for equal rows, 0 … number of distinct rows − 1; None if no rows are equal."""
    hashes = hashes_of_rows(X)
    if len(np.unique(hashes)) == len(hashes):  # takes less memory than the numbers
        return None
    return np.unique(hashes, return_inverse=True)[1].ravel()


def hashes_of_rows(X):
    """A number of 64 bits for each row of X, (n,), the same for equal rows."""
    rng, d = np.random.default_rng(0), X.shape[1]
    factors = rng.standard_normal(d) if has_sparse_form(X) else rng.integers(2**63, size=d, dtype=np.uint64) * 2 + 1
    return np.concatenate(list(map_blocks(partial(hashes_of, factors=factors), X)))


def hashes_of(X, factors):
    """A hash of 64 bits of each row of numbers, (n,)."""
    if issparse(X):
        return X @ factors  # SciPy adds up each row in the same order
    bits = np.add(X, 0.0, dtype=np.float64).view(np.uint64)  # −0 becomes 0
    bits ^= bits >> np.uint64(32)
    bits *= factors
    bits ^= bits >> np.uint64(29)
    return bits.sum(axis=1, dtype=np.uint64)


def agreement(copies, targets):
    """Cohen's kappa of the targets of each row and the next copy of it: 1 if all agree, 0 for chance.

    `targets` are the numbers of equal targets, or None if all differ.
    """
    if targets is None:
        return 0.0
    order = np.argsort(copies, kind="stable")
    are_copies = np.diff(copies[order]) == 0
    if not are_copies.any():
        return 1.0
    by_chance = ((np.bincount(targets) / len(targets)) ** 2).sum()
    agree = (np.diff(targets[order]) == 0)[are_copies].mean()
    return 1.0 if by_chance == 1 else (agree - by_chance) / (1 - by_chance)


def repeat_by_chance(X, equal):
    """Whether rows repeat hardly more often than rows of independent columns with the same values would."""
    n, times = len(equal), np.bincount(equal)
    if len(times) > WARNED_SHARE * n:  # so few repeats change little, and counting values takes time
        return False
    columns = read(X).tocsc() if has_sparse_form(X) else X
    log_p = sum(np.log(share_of_equal_pairs(columns, column)) for column in range(X.shape[1]))
    return (times * (times - 1)).sum() <= MOST_BY_CHANCE * n * (n - 1) * np.exp(log_p)


def share_of_equal_pairs(X, column):
    """The probability that two rows have the same value in a column; all entries of a sparse column count as equal."""
    if issparse(X):
        share = X.indptr[column + 1] / X.shape[0] - X.indptr[column] / X.shape[0]
        return share**2 + (1 - share) ** 2
    counts = np.unique(column_of(X, column), return_counts=True)[1] / X.shape[0]
    return counts @ counts


def near_rows(samples, copies, targets, categories):
    """The number of the cluster of near rows to which each row belongs, (n,), or None if rows do not nearly repeat."""
    rows = np.unique(copies, return_index=True)[1]
    if has_sparse_form(samples.X) or not MIN_ROWS <= len(rows) <= MOST_NEAR:
        return None
    Z, chosen = continuous_columns(samples.X, rows, categories)
    if Z is None or (radius := radius_of_gaps(Z)) is None:
        return None
    distances, neighbors = NearestNeighbors(n_neighbors=min(NEIGHBORS, len(Z) - 1)).fit(Z).kneighbors()
    others = equal_rows(other_columns(samples.X, rows, chosen))
    for factor in RADII:  # a shorter one if chains of near rows join clusters
        row, place = np.nonzero(distances < factor * radius)
        graph = csr_array((np.ones(len(row)), (row, neighbors[row, place])), shape=(len(Z), len(Z)))
        clusters = connected_components(graph, directed=False)[1]
        if np.bincount(clusters[copies]).max() <= LARGEST * len(copies):
            agree = min(agreement(clusters[copies], targets), agreement(clusters, others))
            return clusters[copies] if agree >= AGREEMENT_OF_NEAR else None
    return None


def continuous_columns(X, rows, categories):
    """Columns of numbers that hardly repeat, scaled by their quartiles, of these rows of X, and their places; None if too few."""
    numeric = np.array([column for column in range(X.shape[1]) if column not in categories.of_column], dtype=np.intp)
    sample = np.asarray(read(X[rows[spread(len(rows), min(len(rows), SAMPLE))]])[:, numeric], dtype=np.float64)
    distinct = np.count_nonzero(np.diff(np.sort(sample, axis=0), axis=0) > 0, axis=0)
    continuous = np.flatnonzero(distinct >= CONTINUOUS * len(sample))
    if len(continuous) < FEWEST_COLUMNS:
        return None, None
    chosen = continuous[spread(len(continuous), min(len(continuous), MOST_COLUMNS))]
    low, median, high = quartiles(sample[:, chosen], None)
    Z = cells(X, rows, numeric[chosen])
    Z = np.clip((Z - median) * inverse(high - low), -3, 3)
    return np.nan_to_num(Z, copy=False), numeric[continuous]


def other_columns(X, rows, columns):
    """All columns of these rows of X but these ones, and a column of zeros."""
    others = np.setdiff1d(np.arange(X.shape[1]), columns)
    return np.column_stack([cells(X, rows, others), np.zeros(len(rows))])


def radius_of_gaps(Z):
    """A distance in the middle of the gaps between near rows and others, or None if less than half of the rows have a gap."""
    n_neighbors = min(NEIGHBORS, len(Z) // 2)
    queries = Z[spread(len(Z), min(len(Z), QUERIES))]
    distances = NearestNeighbors(n_neighbors=n_neighbors + 1).fit(Z).kneighbors(queries)[0][:, 1:]
    logs = np.log(np.maximum(distances, np.finfo(np.float32).tiny))
    gaps = np.arange(1, n_neighbors) * np.diff(logs, axis=1)
    mean = np.median(gaps) / np.log(2)  # of an exponential distribution
    largest, has_gap = gaps.argmax(axis=1), gaps.max(axis=1) > GAP * mean
    if has_gap.mean() < SHARE_WITH_GAP:
        return None
    of_query = np.flatnonzero(has_gap)
    before, behind = (logs[of_query, largest[of_query] + i] for i in (0, 1))
    return float(np.exp(np.median(before + behind) / 2)) if np.median(behind - before) >= np.log(LEAST_RATIO) else None
