"""How much each column of X tells of y, before training: what its numbers are multiplied by in the network's input.

Trees hardly ever split on a column of noise, whereas a dense layer begins with equal weights for all columns, and those of
noise cost it much of its accuracy (Grinsztajn et al., arXiv:2207.08815, finding 2). A column multiplied by r has first-layer
weights that count, and under Adam move, r times as far: a prior for each column, as in automatic relevance determination (Neal,
1996, Bayesian Learning for Neural Networks, section 1.2.3), with r from what trees have found.
"""

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from sksoftmax.data.rows import read, spread

FOREST = {"n_estimators": 25, "min_weight_fraction_leaf": 1 / 400, "max_features": "sqrt", "n_jobs": 1}
FEWEST_ROWS = 100  # of fewer rows chance decides
MOST_ROWS, MOST_NUMBERS = 20_000, 4 * 10**6  # the trees see so many rows, in all so many numbers
PRIOR_ROWS = 7_500  # of more rows the data tell more than any prior, which fades
LEAST, MOST = 0.1, 4.0  # of the mean: no column is lost, none counts alone


def relevance_of_columns(asked, samples, preprocessor, *, kind, rng):
    """The relevance of each column of X, (d,), given the estimator's parameter, the training rows and the kind of targets."""
    n_rows, n_columns = samples.X.shape
    if not isinstance(asked, str | None):
        return checked_relevance(asked, n_columns)
    if asked is None or preprocessor.scaling is None or not preprocessor.centers or n_rows < FEWEST_ROWS:
        return np.ones(n_columns)
    size = min(MOST_ROWS, max(MOST_NUMBERS // n_columns, FEWEST_ROWS))
    if n_rows > size:
        samples = samples[spread(n_rows, size)]
    values = forest_relevance(preprocessor.columns(read(samples.X)), samples.targets, samples.weights, kind, rng)
    return values ** min(1.0, PRIOR_ROWS / n_rows)


def checked_relevance(relevance, n_columns):
    """The user's own as an array; ValueError unless it has a number ≥ 0 for each column, and one above 0."""
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
    """Each column's share in the gain of a few extremely randomized trees (Geurts et al., 2006), over the mean, within limits."""
    if kind == "labels":
        forest = ExtraTreesClassifier(**FOREST, random_state=rng)
        targets = targets.ravel().astype(np.intp)
    else:  # squared error, which for 0 and 1 is the same criterion
        forest = ExtraTreesRegressor(**FOREST, random_state=rng)
        targets = targets[:, 0] if targets.shape[1] == 1 else targets
    shares = forest.fit(columns, targets, weights).feature_importances_
    if not shares.any():  # no tree has found a split
        return np.ones(len(shares))
    return np.clip(shares / shares.mean(), LEAST, MOST)
