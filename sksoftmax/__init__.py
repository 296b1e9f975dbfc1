"""A multi-layer perceptron classifier on NumPy, SciPy and scikit-learn, and the mathematics it stands on."""

from sksoftmax.classifier import SoftmaxMLPClassifier

__all__ = ["SoftmaxMLPClassifier"]
__version__ = "0.1.0"
