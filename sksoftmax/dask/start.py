"""Starts of training on rows that dask's workers hold: as those in one process, but for how X and y are read."""

from dataclasses import replace

import numpy as np
from scipy.sparse import issparse

from sksoftmax.classifier import SoftmaxMLPClassifier
from sksoftmax.dask.cluster import WorkerMatrix
from sksoftmax.dask.partitions import Partitions, check_order, in_memory
from sksoftmax.data.inputs import FitArguments, check_X_y, check_y
from sksoftmax.data.rows import LazyRows, fetched, spread
from sksoftmax.training.config import MAX_STEPS
from sksoftmax.training.continued import Continued
from sksoftmax.training.fresh import Fresh

SAMPLE_ROWS = 100_000  # rows of a sparse X that scales and relevance are found on


class OnCluster:
    """What differs from a start in one process: the base class of `FreshOnCluster` and `ContinuedOnCluster`."""

    cluster = None

    def arguments(self, given):
        """The user's arguments: X as `Partitions`, and all else in memory."""
        given.check_weighted()
        X = self._partitions(given.X, "X")
        found = {name: self._in_memory(given, name, X) for name in ("y", "sample_weight", "groups")}
        if given.X_val is None:
            return FitArguments(X, y_val=given.y_val, **found)
        X_val = self._partitions(given.X_val, "X_val")
        found |= {name: self._in_memory(given, name, X_val) for name in ("y_val", "sample_weight_val")}
        return FitArguments(X, X_val=X_val, **found)

    def _partitions(self, X, name):
        return Partitions.of(self.cluster, X, name, self.params["categorical_features"])

    def _in_memory(self, given, name, X):
        values = in_memory(self.cluster, getattr(given, name), X.shape[0], name)
        check_order(self.cluster.computed, X.collection, values, name)
        return values

    def as_passed(self, arguments):
        """The arguments with the user's collection as X."""
        return arguments._replace(X=arguments.X.collection)

    def categories(self, X):
        """The categorical columns of X, which its sample tells."""
        return super().categories(X.sample)

    def _checked(self, X, y, categories, reset):
        """X as `LazyRows` that the workers hold, and y as labels or a matrix."""
        accepts_missing = self.params["scaling"] is not None
        sample, _ = check_X_y(self.estimator, X.sample, np.zeros(X.sample.shape[0]), categories, accepts_missing, reset)
        reading = reader_of(self.estimator), categories, accepts_missing
        matrix = WorkerMatrix(self.cluster, X, reading, sample.shape[1], sample.dtype, issparse(sample))
        return LazyRows(matrix), check_y(self.estimator, y, X.shape[0])

    def preprocessor(self, training, categories, targets):
        """The preprocessor that the rows ask for, or a sample of them, if they are sparse and many."""
        if training.X.X.is_sparse:
            n = len(training)
            sample = fetched(training if n <= SAMPLE_ROWS else training[spread(n, SAMPLE_ROWS)])
            training = replace(sample, X=sample.X.read())
        return super().preprocessor(training, categories, targets)

    def config(self, targets, n_rows, n_distinct, preprocessor):
        """The configuration for this many rows. Batches grow with the rows beside a given `max_iter` too."""
        config = super().config(targets, n_rows, n_distinct, preprocessor)
        n_steps = config.max_iter * n_rows / config.batch_size
        if self.params["batch_size"] != "auto" or config.solver == "lbfgs" or n_steps <= MAX_STEPS:
            return config
        return replace(config, batch_size=round(config.batch_size * n_steps / MAX_STEPS))


def reader_of(estimator):
    """An estimator with what `check_X` needs to read a partition, and nothing that workers could not receive."""
    reader = SoftmaxMLPClassifier(handle_unknown=estimator.handle_unknown)
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(estimator, name):
            setattr(reader, name, getattr(estimator, name))
    return reader


class FreshOnCluster(OnCluster, Fresh):
    """The start of a call of fit."""


class ContinuedOnCluster(OnCluster, Continued):
    """The start of a call of fit with `warm_start`."""
