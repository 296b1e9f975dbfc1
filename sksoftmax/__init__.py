"""A multi-layer perceptron classifier on NumPy, SciPy and scikit-learn, and the mathematics it stands on."""

from sksoftmax.classifier import SoftmaxMLPClassifier
from sksoftmax.display import LossCurveDisplay

__all__ = ["LossCurveDisplay", "SoftmaxMLPClassifier"]
__version__ = "0.1.0"
