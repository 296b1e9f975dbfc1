"""Scores the validation rows with scikit-learn's scorers."""

from inspect import signature
from math import isfinite

from sklearn.metrics import check_scoring

from sksoftmax.data.frames import take_rows
from sksoftmax.sklearn_private import metric_of

FROM_LOGITS = ("accuracy", "loss")  # training computes these from the logits


def check_scoring_fits(scoring, kind):
    """Raise ValueError if a scorer for labels would have to score class probabilities."""
    if isinstance(scoring, str) and scoring not in FROM_LOGITS and kind == "probabilities":
        raise ValueError(
            f"scoring={scoring!r} scores labels, but y holds class probabilities; use 'accuracy', 'loss' or a callable."
        )


def make_score(scoring, estimator, fitted, given, validation):
    """Return a zero-argument function that scores `fitted()`, or None for 'accuracy' and 'loss' (see `FROM_LOGITS`).

    `validation.rows` are the numbers of the rows to score: rows of X_val and y_val if the user passed them, else of X and y.
    """
    if validation is None or scoring in FROM_LOGITS:
        return None
    scorer = check_scoring(estimator, scoring=scoring)
    X, y = (given.X, given.y) if given.X_val is None else (given.X_val, given.y_val)
    X, y = (take_rows(part, validation.rows) for part in (X, y))
    metric = metric_of(scorer)  # all scorers of scikit-learn take weights, but not all their metrics
    weighs = validation.weights is not None and "sample_weight" in signature(metric).parameters
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
