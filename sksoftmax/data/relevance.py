"""Ask a forest, before training, which columns of X are informative about y, and where.

Trees hardly ever split on a column of noise, whereas a dense layer begins with equal weights for all columns, and columns of
noise cost it much of its accuracy (Grinsztajn et al., arXiv:2207.08815, finding 2). If a column is multiplied by its relevance r,
its first-layer weights count r times as much and, under Adam, move r times as far: a prior for each column, as in automatic
relevance determination (Neal, 1996, Bayesian Learning for Neural Networks, section 1.2.3). A forest finds r, and with it the
thresholds at which classes change: half of the edges of bins lie there (`statistics.bin_edges`).
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.ensemble._forest import BaseForest

from sksoftmax.data.rows import read, spread

FOREST = {"n_estimators": 25, "bootstrap": False, "n_jobs": 1}
LEAF = 1 / 400  # least share of the rows in a leaf
MANY_COLUMNS = 100  # with more columns each split tries more of them, leaves are larger and the limits wider
TRIED = 0.2  # share of many columns that each split tries; of fewer columns d it tries √d
LEAF_OF_CLASS = 1 / 50  # with many columns a leaf has at least this share of the rows over the number of classes
MOST_CLASSES = 0.5  # classes for each row: with more, most trees' leaves hold one row, and scikit-learn warns of a regression
FEWEST_ROWS = 100  # with fewer rows, forest importances are mostly noise
MOST_ROWS, MOST_NUMBERS = 10_000, 10**6  # size of the sample that the forest is trained on
PRIOR_ROWS = 7_500  # above this many rows the prior is weakened: relevance ** (PRIOR_ROWS / n)
LEAST, MOST = 0.1, 4.0  # clipping limits, in multiples of the mean, so that no column is dropped and none dominates
MOST_OF_ALL = 50.0  # the upper limit with any number of columns


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

    def on(self, column):
        """The thresholds of this column in order, and their gains."""
        found = np.flatnonzero((self.column == column) & (self.gain > 0))
        found = found[np.argsort(self.threshold[found], kind="stable")]
        return self.threshold[found], self.gain[found]


def find_relevance(asked, samples, numbers, kind, rng):
    """The relevance of each column of X, (d,), and the `Splits` of the forest that found it, or None without a forest.

    Given are the estimator's parameter, the training rows, `numbers`, which scales numeric columns, and the kind of targets.
    """
    n_rows, n_columns = samples.X.shape
    if not isinstance(asked, str | None):
        return checked_relevance(asked, n_columns), None
    if asked is None or numbers.scaling is None or issparse(samples.X) or n_rows < FEWEST_ROWS:
        return np.ones(n_columns), None
    size = min(MOST_ROWS, max(MOST_NUMBERS // n_columns, FEWEST_ROWS))
    if n_rows > size:
        samples = samples[spread(n_rows, size)]
    forest = fit_forest(scaled_columns(read(samples.X), numbers), samples.targets, samples.weights, kind, rng)
    if forest is None:
        return np.ones(n_columns), None
    return relevance_of(forest) ** min(1.0, PRIOR_ROWS / n_rows), Splits.of(forest.estimators_)


def scaled_columns(X, numbers):
    """A copy of X in float32, with numbers scaled, categories as codes and NaN if a number is missing or a sentinel."""
    with np.errstate(over="ignore", invalid="ignore"):
        result = np.array(X, dtype=np.float32)
        missing = np.isnan(result)
        result[:, numbers.source] = numbers.of(X, np.float32)
        if numbers.sentinels is not None:
            for column, hits in zip(numbers.sentinels.source, numbers.sentinels.of(X).T):
                missing[hits, column] = True
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


def fit_forest(columns, targets, weights, kind, rng):
    """A few trees on these rows; None if nearly every row has a label of its own.

    Among many columns of noise few splits of √d columns see an informative one, and many look good by chance. So each split of
    many columns tries more of them, and leaves are larger. The forest is trained by the
    method of its base class: tools that patch the public `fit` of scikit-learn's estimators, as MLflow's autolog does, would take
    it for the user's model.
    """
    if kind == "labels":
        targets = targets.ravel().astype(np.intp)
        n_classes = len(np.unique(targets))
        if n_classes > MOST_CLASSES * len(targets):
            return None
    else:
        n_classes = targets.shape[1]
        targets = targets[:, 0] if n_classes == 1 else targets
    tried, leaf = "sqrt", LEAF
    if columns.shape[1] > MANY_COLUMNS:
        tried, leaf = TRIED, max(LEAF, LEAF_OF_CLASS / max(n_classes, 2))
    kind_of_forest = RandomForestClassifier if kind == "labels" else RandomForestRegressor  # of 0 and 1 the criterion is the same
    forest = kind_of_forest(**FOREST, max_features=tried, min_weight_fraction_leaf=leaf, random_state=rng)
    return BaseForest.fit(forest, columns, targets, weights)


def relevance_of(forest):
    """Each column's share in the gain of the trees, over the mean share, clipped; 1 for all if no tree could split.

    The limits are wider the more columns there are: a few informative ones of many have large shares.
    """
    shares = forest.feature_importances_
    if not shares.any():
        return np.ones(len(shares))
    excess = max(1.0, len(shares) / MANY_COLUMNS)
    return np.clip(shares / shares.mean(), LEAST / excess, min(MOST * excess**1.5, MOST_OF_ALL))
