"""A multi-layer perceptron classifier on NumPy, SciPy and scikit-learn, and the mathematics it stands on."""

from sksoftmax.classifier import SoftmaxMLPClassifier
from sksoftmax.display.loss_curve import LossCurveDisplay
from sksoftmax.display.members import MembersDisplay
from sksoftmax.display.relevance import RelevanceDisplay
from sksoftmax.environment import show_versions
from sksoftmax.saving import TRUSTED_TYPES
from sksoftmax.version import __version__

__all__ = [
    "TRUSTED_TYPES",
    "LossCurveDisplay",
    "MembersDisplay",
    "RelevanceDisplay",
    "SoftmaxMLPClassifier",
    "__version__",
    "show_versions",
]
