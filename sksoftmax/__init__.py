"""A multi-layer perceptron classifier on NumPy, SciPy and scikit-learn, and the mathematics it stands on."""

from sksoftmax.classifier import SoftmaxMLPClassifier
from sksoftmax.display import LossCurveDisplay
from sksoftmax.version import __version__

__all__ = ["LossCurveDisplay", "SoftmaxMLPClassifier", "__version__"]
