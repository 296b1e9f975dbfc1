"""scikit-learn's scorers on the validation rows."""

from inspect import signature
from math import isfinite

from scipy.sparse import issparse
from sklearn.metrics import check_scoring
from sklearn.utils import _safe_indexing

FROM_LOGITS = ("accuracy", "loss")  # what training computes by itself


def check_scoring_fits(scoring, kind):
    """ValueError if a scorer for labels is asked to score class probabilities."""
    if isinstance(scoring, str) and scoring not in FROM_LOGITS and kind == "probabilities":
        raise ValueError(
            f"scoring={scoring!r} scores labels, but y holds class probabilities; use 'accuracy', 'loss' or a callable."
        )


def make_score(scoring, estimator, fitted, given, validation):
    """A function without arguments that scores `fitted()`, or None where training scores by itself.

    `validation.rows` are scored of what the user passed: of X_val and y_val if given, else of X and y.
    """
    if validation is None or scoring in FROM_LOGITS:
        return None
    scorer = check_scoring(estimator, scoring=scoring)
    X, y = (given.X, given.y) if given.X_val is None else (given.X_val, given.y_val)
    X, y = (_safe_indexing(part.tocsr() if issparse(part) else part, validation.rows) for part in (X, y))
    function = getattr(scorer, "_score_func", scorer)  # scikit-learn's scorers all take weights, not all their metrics do
    weighs = validation.weights is not None and "sample_weight" in signature(function).parameters
    weights = {"sample_weight": validation.weights} if weighs else {}

    def score():
        try:
            value = float(scorer(fitted(), X, y, **weights))
        except ValueError as error:
            raise ValueError(f"scoring={scoring!r} failed on the {len(validation)} validation rows: {error}") from error
        if not isfinite(value):
            raise ValueError(
                f"scoring={scoring!r} must give a finite number; got {value} on the {len(validation)} validation rows."
            )
        return value

    return score
