"""The classifier for data on many machines, by dask: `DaskSoftmaxMLPClassifier`. It needs the extra `dask`."""

from sksoftmax.dask.classifier import DaskSoftmaxMLPClassifier

__all__ = ["DaskSoftmaxMLPClassifier"]
