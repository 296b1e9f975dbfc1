"""The classifier with MLPClassifier's defaults and everything new switched off: what most tests start from."""

from sklearn.neural_network import MLPClassifier

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.conversion import NEUTRAL

DEFAULTS = {**MLPClassifier().get_params(), **NEUTRAL}


def plain(hidden_layer_sizes=(100,), activation="relu", **params):
    """A SoftmaxMLPClassifier that is an MLPClassifier but for `params`."""
    return SoftmaxMLPClassifier(**{**DEFAULTS, "hidden_layer_sizes": hidden_layer_sizes, "activation": activation, **params})
