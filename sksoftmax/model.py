"""A fitted classifier: columns → inputs → members' logits → one set of logits → answers."""

from collections import deque
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

from sksoftmax.boosted import BoostedTrees
from sksoftmax.data.preprocessing import Preprocessor
from sksoftmax.data.rows import LazyRows, common_input, has_sparse_form, is_remote, read
from sksoftmax.data.targets import Targets
from sksoftmax.engines.compiled_engine import logits as compiled_logits
from sksoftmax.nn.ensemble_weights import EnsembleWeights
from sksoftmax.nn.network import Network, Workspace, network_from_arrays
from sksoftmax.nn.threads import BlasThreadLimit, ThreadTeam, pop
from sksoftmax.radial import RadialNetwork

SMALLEST_CHUNK = 64
CHUNK_NUMBERS = 2**20  # outputs of a layer computed at once in prediction: 8 MB in float64
ONE_THREAD = 9_216  # weights up to which OpenBLAS multiplies one row on one thread in any case


@dataclass
class Model:
    """A fitted classifier.

    `preprocessor` makes the network's input of checked rows of X, and `network` makes logits of it, one set for each member. If
    the ensemble has a companion, it makes a further set. `ensemble_weights` makes one set of these, and `targets.head`
    reads answers from them, in `output_dtype`.
    """

    preprocessor: Preprocessor
    network: Network
    ensemble_weights: EnsembleWeights
    targets: Targets
    output_dtype: str
    companion: RadialNetwork | BoostedTrees | None

    @property
    def head(self):
        """Reads answers from logits."""
        return self.targets.head

    def logits(self, X):
        """Logits, (n, n_outputs), of checked rows of X, in `output_dtype`; ValueError if they are not finite."""
        with np.errstate(over="ignore", invalid="ignore"):
            logits = self.logits_of(LazyRows(X, preprocessor=self.preprocessor, dtype=self.network.dtype))
            finite = isfinite(np.add.reduce(logits, axis=None)) or np.isfinite(logits).all()
        if not finite:
            if not np.isfinite(self.network.parameters).all():
                raise ValueError("coefs_, intercepts_ or embeddings_ hold numbers that are not finite.")
            row = int(np.flatnonzero(~np.isfinite(logits).all(axis=1))[0])
            raise ValueError(
                f"The network's output overflows in row {row} of X, whose largest value is {abs(X[[row]]).max():.3g}. "
                "Scale X as it was scaled for fit."
            )
        return logits.astype(self.output_dtype, copy=False)

    def logits_of(self, X, workspace=None):
        """Logits, (n, n_outputs), of rows that are encoded, or of `LazyRows` that encode them."""
        if is_remote(X):
            return X.X.logits(self, X.numbers)
        if X.shape[0] <= chunk_size(self.network, X):
            return self._logits_of_chunk(X, workspace or new_workspace(self.network))
        result = np.empty((X.shape[0], self.network.architecture.n_outputs), self.network.dtype, order="F")

        def answer(rows, workspace):
            result[rows] = self._logits_of_chunk(X[rows], workspace)

        in_chunks(self.network, X, answer, workspace)
        return result

    def _logits_of_chunk(self, X, workspace):
        if self.companion is None:
            return self.ensemble_weights.logits(member_logits(self.network, X, workspace), self.head)
        X = read(X)
        logits = np.concatenate([member_logits(self.network, X, workspace), self.companion.logits(X, self.head)[None]])
        return self.ensemble_weights.logits(logits, self.head)

    def with_weights(self, coefs, intercepts, embeddings):
        """The same model with copies of these weights; ValueError if they do not fit."""
        architecture = self.network.architecture
        hidden = tuple(np.shape(W)[-1] if np.ndim(W) else 0 for W in coefs[:-1])
        if len(hidden) == len(architecture.hidden):
            architecture = replace(architecture, hidden=hidden)
        network = network_from_arrays(architecture, coefs, intercepts, embeddings)
        if network.W[0][: architecture.n_without_bins, : architecture.layout.n_bins].any():
            network = network.copy(replace(architecture, n_without_bins=0))
        return replace(self, network=network)

    def absorb_calibration(self):
        """Move the calibration of one network into its last layer."""
        self.ensemble_weights = self.ensemble_weights.absorbed(self.network)

    def public(self):
        """The estimator's attributes that describe the model."""
        network, targets = self.network, self.targets
        return {
            "classes_": targets.classes,
            "n_outputs_": targets.head.n_outputs,
            "out_activation_": targets.head.out_activation,
            "n_layers_": len(network.architecture.layer_sizes),
            "coefs_": list(network.coefs),
            "intercepts_": list(network.intercepts),
            "embeddings_": list(network.embeddings),
            "relevance_": self.preprocessor.relevance_of_X,
            "n_members_": network.architecture.n_members,
            **self.ensemble_weights.public(network.architecture.n_outputs),
        }

    def check(self):
        """ValueError if the parts of a saved model do not fit together."""
        architecture, preprocessor = self.network.architecture, self.preprocessor
        found = {
            "columns": (architecture.layout.n_columns, preprocessor.layout.n_columns),
            "outputs": (architecture.n_outputs, self.head.n_outputs),
            "members": (architecture.n_members + (self.companion is not None), len(self.ensemble_weights.weights)),
            "codes": (list(architecture.layout.n_codes), list(preprocessor.layout.n_codes)),
            "parameters": (len(self.network.parameters), architecture.n_parameters),
        }
        if self.output_dtype not in ("float32", "float64"):
            raise ValueError(f"output_dtype must be 'float32' or 'float64'; got {self.output_dtype!r}")
        for name, (of_network, expected) in found.items():
            if of_network != expected:
                raise ValueError(f"the network has {of_network} {name}, where {expected} belong.")
        if self.companion is not None:
            self.companion.check(preprocessor.layout.n_numbers, self.head.n_outputs)


def in_chunks(network, X, answer, workspace=None):
    """Call `answer(rows, workspace)` with slices of the rows of X, encoded or `LazyRows`, and a workspace of the network.

    Working in chunks bounds the memory for any number of rows; the threads that the user allows share the chunks.
    """
    n_rows, chunk, workspaces = X.shape[0], chunk_size(network, X), deque([] if workspace is None else [workspace])

    def answer_chunk(rows):
        workspace = pop(workspaces) or new_workspace(network)
        answer(rows, workspace)
        workspaces.append(workspace)

    with BlasThreadLimit(1), ThreadTeam() as team:
        team.map(answer_chunk, [slice(start, min(start + chunk, n_rows)) for start in range(0, n_rows, chunk)])


def member_logits(network, X, workspace):
    """The members' logits, (n_members, n, n_outputs), of the rows of a chunk; valid until the workspace is used again."""
    logits = compiled_logits(network, X)
    if logits is not None:
        return logits
    inputs = common_input(X, workspace)
    if X.shape[0] == 1 and len(network.parameters) < ONE_THREAD:
        return network.forward(inputs, workspace)[0]
    with BlasThreadLimit(1):
        return network.forward(inputs, workspace)[0]


def new_workspace(network):
    """Buffers for a pass through this network."""
    return Workspace(network.architecture, network.dtype)


def chunk_size(network, X):
    """The number of rows of X that prediction takes at once."""
    units, is_sparse = network.architecture.layer_sizes, has_sparse_form(X)
    widest = max(units[1:] if is_sparse else units) * network.architecture.n_members
    return max(SMALLEST_CHUNK, CHUNK_NUMBERS // widest)
