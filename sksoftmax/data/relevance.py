"""Estimate, before training, how informative each column of X is about y. The network's inputs are multiplied by this relevance.

Trees hardly ever split on a column of noise, whereas a dense layer begins with equal weights for all columns, and columns of
noise cost it much of its accuracy (Grinsztajn et al., arXiv:2207.08815, finding 2). If a column is multiplied by r, its
first-layer weights count r times as much and, under Adam, move r times as far: a prior for each column, as in automatic relevance
determination (Neal, 1996, Bayesian Learning for Neural Networks, section 1.2.3). A forest finds r.
"""

import numpy as np
from scipy.sparse import issparse
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.ensemble._forest import BaseForest

from sksoftmax.data.rows import read, spread

FOREST = {"n_estimators": 25, "min_weight_fraction_leaf": 1 / 400, "max_features": "sqrt", "n_jobs": 1}
MOST_CLASSES = 0.5  # classes for each row: with more, most trees' leaves hold one row, and scikit-learn warns of a regression
FEWEST_ROWS = 100  # with fewer rows, forest importances are mostly noise
MOST_ROWS, MOST_NUMBERS = 20_000, 4 * 10**6  # size of the sample that the forest is trained on
PRIOR_ROWS = 7_500  # above this many rows the prior is weakened: relevance ** (PRIOR_ROWS / n)
LEAST, MOST = 0.1, 4.0  # clipping limits, in multiples of the mean, so that no column is dropped and none dominates


def find_relevance(asked, samples, numbers, kind, rng):
    """The relevance of each column of X, (d,), given the estimator's parameter, the training rows and the kind of targets.

    `numbers` scales the numeric columns.
    """
    n_rows, n_columns = samples.X.shape
    if not isinstance(asked, str | None):
        return checked_relevance(asked, n_columns)
    if asked is None or numbers.scaling is None or issparse(samples.X) or n_rows < FEWEST_ROWS:
        return np.ones(n_columns)
    size = min(MOST_ROWS, max(MOST_NUMBERS // n_columns, FEWEST_ROWS))
    if n_rows > size:
        samples = samples[spread(n_rows, size)]
    values = forest_relevance(scaled_columns(read(samples.X), numbers), samples.targets, samples.weights, kind, rng)
    return values ** min(1.0, PRIOR_ROWS / n_rows)


def scaled_columns(X, numbers):
    """A copy of X in float32, with numbers scaled, categories as codes and NaN if a number is missing."""
    with np.errstate(over="ignore", invalid="ignore"):
        result = np.array(X, dtype=np.float32)
        missing = np.isnan(result)
        result[:, numbers.source] = numbers.of(X, np.float32)
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


def forest_relevance(columns, targets, weights, kind, rng):
    """Each column's share in the gain of a few extremely randomized trees (Geurts et al., 2006), over the mean share, clipped.

    It is 1 for all columns if nearly every row has a label of its own. The forest is trained by the method of its base class:
    tools that patch the public `fit` of scikit-learn's estimators, as MLflow's autolog does, would take it for the user's model.
    """
    if kind == "labels":
        forest = ExtraTreesClassifier(**FOREST, random_state=rng)
        targets = targets.ravel().astype(np.intp)
        if len(np.unique(targets)) > MOST_CLASSES * len(targets):
            return np.ones(columns.shape[1])
    else:  # for targets of 0 and 1 the squared error is the same criterion
        forest = ExtraTreesRegressor(**FOREST, random_state=rng)
        targets = targets[:, 0] if targets.shape[1] == 1 else targets
    shares = BaseForest.fit(forest, columns, targets, weights).feature_importances_
    if not shares.any():  # no tree could split
        return np.ones(len(shares))
    return np.clip(shares / shares.mean(), LEAST, MOST)
