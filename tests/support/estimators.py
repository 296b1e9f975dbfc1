"""Small estimators, named after what they are for. Keyword arguments replace their parameters."""

from sklearn.neural_network import MLPClassifier

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.conversion import NEUTRAL
from support.data import MIXED_FRAME, MIXED_y

DEFAULTS = {**MLPClassifier().get_params(), **NEUTRAL}
METHODS = ("fit", "partial_fit", "predict", "predict_proba", "score", "X_val")


def plain(hidden_layer_sizes=(100,), activation="relu", **params):
    """A SoftmaxMLPClassifier with MLPClassifier's defaults and everything new switched off."""
    return SoftmaxMLPClassifier(**{**DEFAULTS, "hidden_layer_sizes": hidden_layer_sizes, "activation": activation, **params})


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
    return SoftmaxMLPClassifier(**{"hidden_layer_sizes": (8,), "max_iter": 6, "random_state": 0, **params})


def quick_ensemble(**params):
    """A default ensemble with few units, bins and epochs."""
    return short_default(**{"hidden_layer_sizes": (8, 6), "max_iter": 3, "n_bins": 8, **params})


def small(**params):
    """One default network with few units and epochs."""
    return short_default(**{"hidden_layer_sizes": (16,), "n_members": 1, "max_iter": 5, **params})


def call(method, given, fitted_on=MIXED_FRAME):
    """Call a method with this X; X_val is given to fit."""
    if method == "fit":
        return small().fit(given, MIXED_y)
    if method == "partial_fit":
        return small().partial_fit(given, MIXED_y, classes=[0, 1])
    if method == "X_val":
        return small(early_stopping=True).fit(fitted_on, MIXED_y, X_val=given, y_val=MIXED_y)
    clf = small().fit(fitted_on, MIXED_y)
    return clf.score(given, MIXED_y) if method == "score" else getattr(clf, method)(given)
