"""`DaskSoftmaxMLPClassifier`: the estimator for dask collections."""

from contextlib import nullcontext
from inspect import Parameter, Signature, signature
from typing import Any, Self

import dask
import numpy as np
import pandas as pd
from dask.base import is_dask_collection
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sksoftmax.classifier import SoftmaxMLPClassifier
from sksoftmax.dask.cluster import Cluster
from sksoftmax.dask.partitions import check_order, partitions_of
from sksoftmax.dask.start import ContinuedOnCluster, FreshOnCluster
from sksoftmax.data.inputs import FitArguments
from sksoftmax.parameters import PARAMETER_CONSTRAINTS, check_parameters
from sksoftmax.saving import unchanged_on_error
from sksoftmax.suggestions import answers_unknown_names
from sksoftmax.training import fitting
from sksoftmax.training.callbacks import with_callbacks


class DaskSoftmaxMLPClassifier(SoftmaxMLPClassifier):
    """`SoftmaxMLPClassifier` for dask collections: one network, or one ensemble, trained by all workers of a cluster.

    In each step, each worker computes the part of the gradient that its rows of the batch add; the client adds these parts up
    and takes the step. So the network is the one that a single process would train with the same batches, and the number of
    workers changes results only by rounding. If a worker dies, others load its rows, and the step is repeated.

    One worker loads each partition and holds it as numbers, in memory, or in a file if the worker's rows take more than 0.4 of
    its memory. The client holds y, and about 60 bytes for each row. So X may be as large as the memory and the disks of all
    workers, up to some hundred million rows.

    Parameters
    ----------
    client : distributed.Client or None, default=None
        The client of the cluster. None means dask's current client.

    **parameters : dict
        All parameters of :class:`sksoftmax.SoftmaxMLPClassifier`, with the same defaults. `batch_size` is the number of rows of a
        step on all workers together; 'auto' does not depend on the number of workers. If you set `max_iter` and not `batch_size`,
        batches are so large that there are at most 7,000 steps.

    See Also
    --------
    sksoftmax.SoftmaxMLPClassifier : The estimator for data in memory or in a file.

    Notes
    -----
    The collections are computed twice: once for the values of their columns, once to load them. If computing them is slow, or
    gives different rows each time, persist them first. Rows must be in random order, unless `shuffle` is True (the default).

    Attributes are those of `SoftmaxMLPClassifier`; `engine_` names the engine of the workers and their number.
    """

    _parameter_constraints = PARAMETER_CONSTRAINTS | {"client": [object, None]}

    def __init__(self, *arguments: Any, client: Any = None, **parameters: Any) -> None:
        super().__init__(*arguments, **parameters)
        self.client = client

    _parameters = signature(SoftmaxMLPClassifier.__init__).parameters
    __init__.__signature__ = Signature([*_parameters.values(), Parameter("client", Parameter.KEYWORD_ONLY, default=None)])  # type: ignore[attr-defined]

    @property
    def partial_fit(self):  # type: ignore[override]
        """Not there."""
        raise AttributeError("DaskSoftmaxMLPClassifier has no partial_fit. Use that of SoftmaxMLPClassifier on each partition.")

    @answers_unknown_names
    @unchanged_on_error
    @np.errstate(all="ignore")
    @with_callbacks
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train the network on all workers.

        Parameters
        ----------
        X : dask DataFrame or dask Array of shape (n_samples, n_features)
            The rows to train on, dense or with CSR blocks. Partitions may be empty.

        y : dask collection or array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets, as for `SoftmaxMLPClassifier`.

        sample_weight : dask collection or array-like of shape (n_samples,), default=None
            Non-negative weights. None gives all rows the same weight.

        groups : dask collection or array-like of shape (n_samples,), default=None
            The label of each row's group. None means that rows are independent.

        X_val : dask DataFrame or dask Array of shape (n_val, n_features), default=None
            Rows to score for early stopping. None sets `validation_fraction` of X aside if `early_stopping` is on.

        y_val : dask collection or array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Targets of `X_val`, required with `X_val`.

        sample_weight_val : dask collection or array-like of shape (n_val,), default=None
            Weights of the rows of `X_val`. None gives all rows the same weight.

        Returns
        -------
        self : DaskSoftmaxMLPClassifier
            The fitted estimator.

        Raises
        ------
        TypeError
            If X is not a dask collection.

        ValueError
            If an argument is not as described, or if there is no client. An error about rows names their partition.

        RuntimeError
            If there is no worker for a minute, or if three workers that hold the same rows die without a step in between.
        """
        check_parameters(self)
        params, rng = self.get_params(deep=False), check_random_state(self.random_state)
        start: FreshOnCluster | ContinuedOnCluster
        if self.warm_start and self.__sklearn_is_fitted__():
            start = ContinuedOnCluster(self, params, rng, self._fitted_model(), self._training)
        else:
            start = FreshOnCluster(self, params, rng)
        with Cluster(self.client) as start.cluster:
            arguments = start.arguments(FitArguments(X, y, sample_weight, X_val, y_val, sample_weight_val, groups=groups))
            return self._publish(*fitting.fit(start, arguments))

    def to_local(self) -> SoftmaxMLPClassifier:
        """Make the same estimator for data in memory.

        Returns
        -------
        SoftmaxMLPClassifier
            An estimator with the same parameters, except `client`, and with the same model if this one is fitted.
        """
        params = self.get_params(deep=False)
        del params["client"]
        local = SoftmaxMLPClassifier(**params)
        local.__dict__.update({name: value for name, value in vars(self).items() if name not in vars(local) and name != "client"})
        return local

    def predict(self, X: Any) -> Any:
        """Predict labels, lazily.

        Parameters
        ----------
        X : dask DataFrame, dask Array, or what `SoftmaxMLPClassifier` predicts
            Rows to predict, with the columns of `fit`.

        Returns
        -------
        dask Series, DataFrame or Array, or ndarray
            The labels: a collection with the partitions of X, or an array if X is in memory.
        """
        return self._lazily("predict", X)

    def predict_proba(self, X: Any) -> Any:
        """Predict probabilities, lazily.

        Parameters
        ----------
        X : dask DataFrame, dask Array, or what `SoftmaxMLPClassifier` predicts
            Rows to predict, with the columns of `fit`.

        Returns
        -------
        dask DataFrame or Array, or ndarray
            The probabilities: a collection with the partitions of X, or an array if X is in memory. The columns of a frame are
            `classes_`.
        """
        return self._lazily("predict_proba", X)

    def predict_log_proba(self, X: Any) -> Any:
        """Predict the logarithms of the probabilities, lazily.

        Parameters
        ----------
        X : dask DataFrame, dask Array, or what `SoftmaxMLPClassifier` predicts
            Rows to predict, with the columns of `fit`.

        Returns
        -------
        dask DataFrame or Array, or ndarray
            Log-probabilities, of the same type as the result of `predict_proba`.
        """
        return self._lazily("predict_log_proba", X)

    def decision_function(self, X: Any) -> Any:
        """Compute the logits, lazily.

        Parameters
        ----------
        X : dask DataFrame, dask Array, or what `SoftmaxMLPClassifier` predicts
            Rows to predict, with the columns of `fit`.

        Returns
        -------
        dask Series, DataFrame or Array, or ndarray
            Logits, of the same type as the result of `predict_proba`; for two classes one column, the log-odds of the second
            class.
        """
        return self._lazily("decision_function", X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Compute the accuracy, on the workers.

        Parameters
        ----------
        X : dask DataFrame, dask Array, or what `SoftmaxMLPClassifier` predicts
            Rows to predict, with the columns of `fit`.

        y : dask collection or array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.

        sample_weight : dask collection or array-like of shape (n_samples,), default=None
            Non-negative weights. None gives all rows the same weight.

        Returns
        -------
        float
            The share of rows with a right prediction, as in `SoftmaxMLPClassifier`.
        """
        with on_workers_of(self.client):
            y, sample_weight = dask.compute(y, sample_weight)
            for name, values in (("y", y), ("sample_weight", sample_weight)):
                check_order(lambda collections: dask.compute(*collections), X, values, name)
            return super().score(X, y, sample_weight)

    def _logits(self, X):
        """The logits, (n, n_outputs), in memory."""
        return np.asarray(dask.compute(self._lazily("_logits", X))[0])

    def _lazily(self, method, X):
        """What a method of the local estimator answers for X, partition by partition if X is a dask collection."""
        check_is_fitted(self)
        local = self.to_local()
        if not is_dask_collection(X):
            return getattr(local, method)(X)
        partitions_of(X, "X")  # raises the error for other collections
        like = self._no_answers(method)
        if hasattr(X, "map_partitions"):
            meta = with_index(like, X._meta.index[:0], self.classes_)
            return X.map_partitions(answers_of_frame, dask.delayed(local), method, like, meta=meta)
        chunks = X.chunks[:1] if like.ndim == 1 else (X.chunks[0], like.shape[1:])
        kept = {"drop_axis": 1} if like.ndim == 1 else {}
        X = X.rechunk({1: -1})
        return X.map_blocks(answers, dask.delayed(local), method, like, dtype=like.dtype, chunks=chunks, meta=like, **kept)

    def _no_answers(self, method):
        """What a method answers for no rows."""
        head, logits = self._model.head, np.zeros((1, self.n_outputs_), self._model.output_dtype)
        answer = {
            "predict": head.predict,
            "predict_proba": head.probabilities,
            "predict_log_proba": head.log_probabilities,
            "decision_function": head.decision,
            "_logits": np.asarray,
        }[method]
        return answer(logits)[:0]

    def __sklearn_clone__(self):
        """An unfitted estimator with the same parameters, and the same client, which cannot be copied."""
        return type(self)(client=self.client, **clone(self.to_local()).get_params(deep=False))

    def __getstate__(self):
        """Return the state to save, without the client."""
        return super().__getstate__() | {"client": None}


def on_workers_of(client):
    """A context in which dask computes on the workers of this client, or wherever it likes, if it is None or closed."""
    return nullcontext() if client is None or client.status == "closed" else client.as_current()


def answers(X, local, method, like):
    """What a method of an estimator answers for a partition; `like` is its answer for no rows."""
    return getattr(local, method)(X) if X.shape[0] else like


def answers_of_frame(X, local, method, like):
    """The same as a pandas series or frame with the index of X."""
    return with_index(answers(X, local, method, like), X.index, local.classes_)


def with_index(values, index, classes):
    """An array as a pandas series, or as a frame whose columns are the classes."""
    if values.ndim == 1:
        return pd.Series(values, index=index)
    return pd.DataFrame(values, index=index, columns=classes if len(classes) == values.shape[1] else None)
