"""Small estimators, named after what they are for. Keyword arguments replace their parameters."""

from sksoftmax import SoftmaxMLPClassifier
from support.neutral import plain


def planned(**params):
    """A plain network on a planned learning rate, which trains to `max_iter` without a warning."""
    defaults = {"hidden_layer_sizes": (5,), "learning_rate": "cosine", "learning_rate_init": 0.02, "max_iter": 3}
    return plain(**{**defaults, "random_state": 0, **params})


def converged(**params):
    """A plain network that L-BFGS takes to its optimum."""
    return planned(**{"solver": "lbfgs", "alpha": 1.0, "max_iter": 1000, **params})


def short(**params):
    """A plain network that trains for at most six epochs."""
    defaults = {"hidden_layer_sizes": (5,), "learning_rate_init": 0.02, "max_iter": 6, "alpha": 0.01, "random_state": 0}
    return plain(**{**defaults, **params})


def short_default(**params):
    """The default estimator with few units and epochs: an ensemble, unless `params` say otherwise."""
    return SoftmaxMLPClassifier(**{"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0, **params})
