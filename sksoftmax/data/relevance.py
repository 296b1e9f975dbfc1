"""Estimate, before training, which columns of X are informative about y, and where, by trees judged on rows they have not seen.

Trees hardly ever split on a column of noise, whereas a dense layer begins with equal weights for all columns, and columns of
noise cost it much of its accuracy (Grinsztajn et al., arXiv:2207.08815, finding 2). If a column is multiplied by its relevance r,
its first-layer weights count r times as much and, under Adam, move r times as far: a prior for each column, as in automatic
relevance determination (Neal, 1996, Bayesian Learning for Neural Networks, section 1.2.3). Forests find r, and with it the
thresholds at which classes change: half of the edges of bins lie there (`statistics.edges_at_splits`).

A forest's impurity favors columns with many values, even columns of noise, and says nothing if the forest predicts no better than
chance. So splits are judged on left-out rows, and all columns share a prior gain, which decides if the forests gain little.
With fewer than 100 rows forests are mostly noise. If there are more columns than rows, then each column is judged alone.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from sksoftmax import sklearn_private
from sksoftmax.data.groups import dealt_in_groups, independent_rows
from sksoftmax.data.rows import read, spread

FOLDS = 3  # each forest leaves out one of them, and its splits are judged on it
FOREST = {"n_estimators": 11, "bootstrap": False, "n_jobs": 1}  # the trees for each fold
MIN_LEAF_SHARE = 1 / 400  # least share of the rows in a leaf
WIDE_FROM_COLUMNS = 100  # with more columns each split tries more of them, leaves are larger and the limits wider
MAX_FEATURES = 0.2  # share of many columns that each split tries; of fewer columns d it tries √d
MIN_LEAF_SHARE_OF_CLASS = 1 / 50  # with many columns a leaf has at least this share of the rows over the number of classes
MANY_CLASSES = 10  # with more classes they need ROWS_OF_CLASS rows each, or there are no forests and no bins
ROWS_OF_CLASS = 20
MIN_ROWS = 100  # with fewer rows, the gains of splits are mostly noise
MIN_GROUPS = 10  # with fewer groups of rows, a left-out fold would be a few groups
MAX_FOREST_ROWS, MAX_FOREST_NUMBERS = 10_000, 10**6  # size of the sample that the forests are trained on
MOST_OUTPUTS = 20  # with more classes or labels than this the sample is smaller, as each costs time at each split
PRIOR_SHARE, PRIOR_COUNT = 0.02, 10  # all columns share a gain of PRIOR_SHARE + PRIOR_COUNT / n of the targets' variance
EXPONENT = 0.75  # of the shares of at most MANY_COLUMNS columns: the network needs a weaker preference than trees have
PRIOR_ROWS = 7_500  # above this many rows the prior is weakened: relevance ** (PRIOR_ROWS / n)
LEAST, MOST = 0.1, 4.0  # clipping limits, in multiples of the mean, so that no column is dropped and none dominates
RELEVANCE_CAP = 50.0  # the upper limit with any number of columns


class Splits(NamedTuple):
    """The splits of a forest: their columns, their thresholds, and how much each lowers the impurity; arrays of equal length."""

    column: np.ndarray
    threshold: np.ndarray
    gain: np.ndarray

    @classmethod
    def of(cls, trees):
        """The splits of fitted trees."""
        parts = [cls._of_tree(tree.tree_) for tree in trees]
        return cls(*(np.concatenate(part) for part in zip(*parts)))

    @staticmethod
    def _of_tree(tree):
        inner = tree.children_left >= 0
        left, right = tree.children_left[inner], tree.children_right[inner]
        cost = tree.weighted_n_node_samples * tree.impurity
        return tree.feature[inner], tree.threshold[inner], np.maximum(cost[inner] - cost[left] - cost[right], 0)

    def on_each(self, columns):
        """The thresholds of each of these columns in order, and their gains."""
        return [self.on(column) for column in columns]

    def on(self, column):
        """The thresholds of this column in order, and their gains."""
        found = np.flatnonzero((self.column == column) & (self.gain > 0))
        found = found[np.argsort(self.threshold[found], kind="stable")]
        return self.threshold[found], self.gain[found]


def find_relevance(asked, samples, numbers, kind, rng):
    """The relevance of each column of X, (d,), and the `Splits` of the forests that found it, or None without forests.

    Given are the estimator's parameter, the training rows, `numbers`, which scales numeric columns, and the kind of targets.
    """
    n_rows, n_columns = samples.X.shape
    if not isinstance(asked, str | None):
        return checked_relevance(asked, n_columns), None
    if asked is None or numbers.scaling is None or issparse(samples.X) or (n_rows < MIN_ROWS and n_columns <= n_rows):
        return np.ones(n_columns), None
    size = sample_size(n_columns, n_outputs_of(samples, kind))
    if n_rows > size:
        samples = samples[spread(n_rows, size)]
    columns = scaled_columns(read(samples.X), numbers)
    if n_rows < MIN_ROWS:
        return limited(np.maximum(variance_ratios(columns, outputs_of(samples, kind), samples.weights), 1)), None
    relevance, splits = relevance_by_forests(columns, samples, kind, rng)
    return relevance ** min(1.0, PRIOR_ROWS / n_rows), splits


def relevance_by_forests(columns, samples, kind, rng):
    """The relevance of these columns, (d,), as forests judge it on left-out rows, and their `Splits`.

    It is 1 for all columns, and there are no splits, if there are few groups or many classes with few rows each.
    """
    has_few_groups = samples.groups is not None and len(np.unique(samples.groups)) < MIN_GROUPS
    if has_few_groups or has_small_classes(len(samples), n_outputs_of(samples, kind), kind):
        return np.ones(columns.shape[1]), None
    gains, forests = left_out_gains(columns, outputs_of(samples, kind), samples, kind, rng)
    splits = Splits.of([tree for forest in forests for tree in forest.estimators_])
    return relevance_of(gains, n_counted(samples.weights, len(samples))), splits


def n_outputs_of(samples, kind):
    """The number of labels that occur, or of columns of a matrix of targets."""
    return len(np.unique(samples.strata)) if kind == "labels" else samples.targets.shape[1]


def sample_size(n_columns, n_outputs):
    """The most rows of the sample that forests are trained on."""
    excess = max(1.0, n_outputs / MOST_OUTPUTS)
    return min(MAX_FOREST_ROWS, max(int(MAX_FOREST_NUMBERS / excess) // n_columns, MIN_ROWS))


def has_small_classes(n_rows, n_classes, kind):
    """Whether there are many classes with few rows each, which say little about single columns."""
    return kind != "multilabel" and n_classes > MANY_CLASSES and n_rows < ROWS_OF_CLASS * n_classes


def scaled_columns(X, numbers):
    """A copy of X in float32, with numbers scaled, categories as codes and NaN if a number is missing or a sentinel."""
    with np.errstate(over="ignore", invalid="ignore"):
        result = np.array(X, dtype=np.float32)
        missing = np.isnan(result)
        result[:, numbers.source] = numbers.of(X, np.float32)
        if numbers.sentinels is not None:
            for column, is_sentinel in zip(numbers.sentinels.source, numbers.sentinels.of(X).T):
                missing[is_sentinel, column] = True
    result[missing] = np.nan
    return result


def checked_relevance(relevance, n_columns):
    """The user's relevance as an array; ValueError unless it has a number ≥ 0 for each column, and one number above 0."""
    try:
        values = np.asarray(relevance, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"relevance must be 'auto', None or numbers, one for each column of X: {error}.") from error
    if values.shape != (n_columns,):
        raise ValueError(f"relevance must have {n_columns} numbers, one for each column of X; got shape {values.shape}.")
    if not (np.isfinite(values).all() and (values >= 0).all() and (values > 0).any()):
        raise ValueError(f"relevance must be finite, nowhere negative and somewhere above 0; got {relevance!r}.")
    return values


def as_matrix(samples, kind):
    """The targets as a matrix of numbers, (n, n_outputs): labels become one-hot rows."""
    if kind != "labels":
        return samples.targets.astype(np.float64)
    labels, codes = np.unique(samples.strata, return_inverse=True)
    return np.eye(len(labels))[codes]


def outputs_of(samples, kind):
    """The targets as a matrix of numbers, (n, n_outputs), in which all labels of a multilabel target count alike."""
    outputs = as_matrix(samples, kind)
    return balanced(outputs, samples.weights) if kind == "multilabel" else outputs


def balanced(outputs, weights):
    """The outputs over √(variance + PRIOR_COUNT / n), so that a frequent label does not hide the columns of a rare one."""
    mean = np.average(outputs, axis=0, weights=weights)
    variance = np.average((outputs - mean) ** 2, axis=0, weights=weights)
    return outputs / np.sqrt(variance + PRIOR_COUNT / n_counted(weights, len(outputs)))


def n_counted(weights, n_rows):
    """The number of rows, a row of weight 2 as two; but at least `independent_rows`, as weights may be normalized."""
    return n_rows if weights is None else max(weights.sum(dtype=np.float64), independent_rows(weights, None, n_rows))


def variance_ratios(columns, outputs, weights):
    """The share of the outputs' variance that each column alone explains linearly, over the share expected by chance, (d,).

    The ratio of a column of noise is 1 on average, and no ratio exceeds the number of rows. Missing values count as the mean.
    """
    w = np.full(len(outputs), 1 / len(outputs)) if weights is None else weights / weights.sum(dtype=np.float64)
    known = ~np.isnan(columns)
    X = np.where(known, columns, 0).astype(np.float64)
    X = np.where(known, X - w @ X / np.maximum(w @ known, np.finfo(np.float64).tiny), 0)
    Y = outputs - w @ outputs
    variance = (w @ X**2) * (w @ Y**2).sum()
    explained = (((X.T * w) @ Y) ** 2).sum(axis=1)
    ratios = np.divide(explained, variance, out=np.zeros(len(variance)), where=variance > 0)
    return ratios * (n_counted(weights, len(outputs)) - 1)


def left_out_gains(columns, outputs, samples, kind, rng):
    """The gains of the splits on each column on left-out rows, (d,), as a share of the outputs' variance, and the forests."""
    weights = np.ones(len(samples)) if samples.weights is None else samples.weights.astype(np.float64)
    mean = np.average(outputs, axis=0, weights=weights)
    variance = np.average((outputs - mean) ** 2, axis=0, weights=weights).sum()
    folds = dealt_in_groups(outputs.argmax(axis=1), samples.groups, FOLDS, rng)
    gains, forests = np.zeros(columns.shape[1]), []
    for fold in range(FOLDS):
        seen, left_out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        of_seen = None if samples.weights is None else samples.weights[seen]
        targets = (samples.strata if kind == "labels" else outputs)[seen]
        forest = fit_forest(columns[seen], targets, of_seen, kind, rng)
        forests.append(forest)
        known = outputs[left_out]
        if kind == "labels":
            known = known[:, np.searchsorted(np.unique(samples.strata), forest.classes_)]
        for tree in forest.estimators_:
            gains += gains_of_tree(tree, columns[left_out], known, weights[left_out])
    return gains / (FOREST["n_estimators"] * weights.sum() * (variance or 1)), forests


def gains_of_tree(tree, columns, outputs, weights):
    """Σ over a tree's splits on each column of (v_child − v_node) · (y − v_root) over these rows, which it has not seen, (d,).

    v are the tree's values, y the outputs of the rows. The sum is 0 on average if a column says nothing about y, however many
    values the column has (Li et al., arXiv:1906.10845).
    """
    nodes = tree.tree_
    values = nodes.value.reshape(nodes.node_count, -1)
    path = tree.decision_path(columns, check_input=False).T
    centered = path @ (outputs * weights[:, None]) - (path @ weights)[:, None] * values[0]
    score = np.einsum("ij,ij->i", values, centered)
    inner = np.flatnonzero(nodes.children_left >= 0)
    gains = score[nodes.children_left[inner]] + score[nodes.children_right[inner]] - score[inner]
    return np.bincount(nodes.feature[inner], gains, minlength=columns.shape[1])


def fit_forest(columns, targets, weights, kind, rng):
    """A few trees on these rows.

    Among many columns of noise few splits of √d columns see an informative one, and many look good by chance. So each split of
    many columns tries more of them, and leaves are larger.
    """
    n_classes = len(np.unique(targets)) if kind == "labels" else targets.shape[1]
    targets = targets[:, 0] if targets.shape[1:] == (1,) else targets
    tried, leaf = "sqrt", MIN_LEAF_SHARE
    if columns.shape[1] > WIDE_FROM_COLUMNS:
        tried, leaf = MAX_FEATURES, max(MIN_LEAF_SHARE, MIN_LEAF_SHARE_OF_CLASS / max(n_classes, 2))
    is_labels = kind == "labels"  # of 0 and 1 the criterion is the same
    forest_class = sklearn_private.ForestClassifier if is_labels else sklearn_private.ForestRegressor
    forest = forest_class(**FOREST, max_features=tried, min_weight_fraction_leaf=leaf, random_state=rng)
    return sklearn_private.fit_forest(forest, columns, targets, weights)


def relevance_of(gains, n_rows):
    """Each column's share in the gains, to a power and within limits, (d,).

    All columns share a prior gain, so that the relevance of forests at chance is nearly flat.
    """
    gains = np.maximum(gains, 0)
    prior = PRIOR_SHARE + PRIOR_COUNT / n_rows
    shares = (gains + prior / len(gains)) / (gains.sum() + prior)
    return limited(shares**EXPONENT if len(shares) <= WIDE_FROM_COLUMNS else shares)


def limited(shares):
    """The shares over their mean, clipped.

    The limits are wider the more columns there are: a few informative ones of many have large shares.
    """
    excess = max(1.0, len(shares) / WIDE_FROM_COLUMNS)
    return np.clip(shares / shares.mean(), LEAST / excess, min(MOST * excess**1.5, RELEVANCE_CAP))
