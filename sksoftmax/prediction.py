"""What a fitted network answers, and how it is pickled."""

import warnings
from functools import partial
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from sksoftmax.data.inputs import check_X
from sksoftmax.hints import Floats, MatrixLike
from sksoftmax.nn.network import Network
from sksoftmax.version import __version__

FITTED = ("_encoder", "_network", "_preprocessor", "_mixture", "n_features_in_")  # what no fitted state can be without


class NetworkPredictor:
    """The predicting half of the estimator: all that reads a trained network.

    It needs `coefs_`, `intercepts_`, `embeddings_`, `n_features_in_`, and the `_encoder` of the targets.
    """

    _encoder: Any

    def predict(self, X: MatrixLike) -> NDArray[Any]:
        """Predict classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Columns as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The most probable label of each row; a 0/1 matrix for multilabel targets.
        """
        logits = self._logits(X)
        return self._encoder.head.predict(logits)

    def predict_proba(self, X: MatrixLike) -> Floats:
        """Predict probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Columns as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`; each row sums to 1, except for multilabel targets, where each
            column is the probability of its label.
        """
        logits = self._logits(X)
        return self._encoder.head.probabilities(logits)

    def predict_log_proba(self, X: MatrixLike) -> Floats:
        """Predict the logarithms of the probabilities, by log-softmax: finite where a probability rounds to 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Columns as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probabilities in the order of `classes_`.
        """
        logits = self._logits(X)
        return self._encoder.head.log_probabilities(logits)

    def decision_function(self, X: MatrixLike) -> Floats:
        """Logits: what the softmax or the logistic function is applied to.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Columns as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples,)
            Logits in the order of `classes_`; for two classes the log-odds of the second.
        """
        logits = self._logits(X)
        return self._encoder.head.decision(logits)

    def _logits(self, X):
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)
        with np.errstate(over="ignore", invalid="ignore"):
            X = check_X(self, X, self._preprocessor)
            combine = partial(self._mixture.logits, head=self._encoder.head)
            logits = self._current_network(self._encoder).logits(X, encode=self._preprocessor.transform, combine=combine)
            finite = isfinite(np.add.reduce(logits, axis=None)) or np.isfinite(logits).all()
        if not finite:
            if not all(np.isfinite(array).all() for array in [*self.coefs_, *self.intercepts_, *self.embeddings_]):
                raise ValueError("coefs_, intercepts_ or embeddings_ hold numbers that are not finite.")
            row = int(np.flatnonzero(~np.isfinite(logits).all(axis=1))[0])
            raise ValueError(
                f"The network's output overflows in row {row} of X, whose largest value is {abs(X[[row]]).max():.3g}. "
                "Scale X as it was scaled for fit."
            )
        return logits

    def _current_network(self, encoder):
        """The network behind `coefs_`, `intercepts_` and `embeddings_`; a new one if other arrays were put there by hand."""
        network = getattr(self, "_network", None)
        if network is not None and network.holds(self.coefs_, self.intercepts_, self.embeddings_):
            return network
        arrays, n_outputs = (self.coefs_, self.intercepts_), encoder.head.n_outputs
        if network is None:
            return Network.from_arrays(*arrays, self.activation, self.n_features_in_, n_outputs)
        form = network.layer_units[0], n_outputs, network.n_members, network.n_skipped
        return Network.from_arrays(*arrays, network.activation, *form, (network.embedded, self.embeddings_))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_encoder")

    def __getstate__(self):
        """The parameters once, as the network's flat vector; what only training needs goes only if it is to go on."""
        state = dict(super().__getstate__()) | {"_sksoftmax_version": __version__}
        if self.__sklearn_is_fitted__():
            state["_network"] = self._current_network(self._encoder)
            del state["coefs_"], state["intercepts_"], state["embeddings_"]
            if not self._keep_training_state:
                for name in ("_optimizer", "_random_state"):
                    state.pop(name, None)
        return state

    def __setstate__(self, state):
        """Take a pickle's or skops' state; warn where another version of this package has written it."""
        check_state(state, type(self).__name__)
        version = state.get("_sksoftmax_version", "unknown")
        if version != __version__:
            warnings.warn(
                f"{type(self).__name__} was saved by sksoftmax {version} and is loaded by {__version__}; "
                "compare predictions, or fit it again.",
                UserWarning,
            )
        super().__setstate__({name: value for name, value in state.items() if name != "_sksoftmax_version"})
        if self.__sklearn_is_fitted__():
            network = self._network
            self.coefs_, self.intercepts_, self.embeddings_ = (
                list(arrays) for arrays in (network.coefs, network.intercepts, network.embeddings)
            )


def check_state(state, name):
    """ValueError or TypeError where what was saved is no state of a classifier of this name."""
    if not isinstance(state, dict):
        raise TypeError(f"The saved state of {name} must be a dict; got {state!r:.80}.")
    if "_encoder" not in state:
        return
    if missing := [key for key in FITTED if key not in state]:
        raise ValueError(f"The saved state of {name} is damaged: it lacks {', '.join(missing)}.")
    try:
        units, n_inputs, n_outputs = (
            state["_network"].layer_units,
            state["_preprocessor"].n_inputs,
            state["_encoder"].head.n_outputs,
        )
        n_members, n_weights = state["_network"].n_members or 1, len(state["_mixture"].weights)
        n_codes, n_rows = (list(map(len, rates)) for rates in (state["_preprocessor"].code_rates, state["_network"].embedded))
    except (AttributeError, TypeError) as error:
        raise ValueError(f"The saved state of {name} is damaged: {error}.") from error
    if (units[0], units[-1], n_members) != (n_inputs, n_outputs, n_weights):
        raise ValueError(
            f"The saved state of {name} is damaged: {n_members} networks of {units[0]} inputs and {units[-1]} outputs, "
            f"where {n_weights} of {n_inputs} and {n_outputs} belong."
        )
    if n_codes != n_rows:
        raise ValueError(f"The saved state of {name} is damaged: tables of {n_rows} rows, where {n_codes} belong.")
