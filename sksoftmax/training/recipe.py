"""What the parameters' "auto" stands for: choices that depend on each other and on the data.

Measured on forty real datasets; `benchmarks/RECIPE.md` tells what was tried.
"""

from types import SimpleNamespace

import numpy as np

from sksoftmax.nn.network import Network
from sksoftmax.parameters import dropout_rates, layer_activations, layer_sizes
from sksoftmax.training.committee import Roles

SMALL = 100  # below this many rows chance decides nothing: no dropout, all rows at once
FEW = 1500  # below this many rows twice as many members
LARGE = 10_000  # from here on batches are twice as large
BATCH_SIZE, LEAST_STEPS, MOST_STEPS = 64, 250, 7000
EPOCHS, EPOCHS_OF_ONE = 50, 36
DROPOUT = {"light": 0.05, "strong": 0.3, "strong_binned": 0.2}
WEIGHT_DECAY = {"light": 0.1, "strong": 0.5}
DROPOUT_OF_ONE, WEIGHT_DECAY_OF_ONE = 0.15, 0.5
FULL_ROWS = 2000  # of more rows regularisation weakens as 1 / √n
FOLD_SHARE, OPEN_ROWS = 0.4, 500  # each member leaves out a fold for this share of the epochs; for all of fewer rows
N_BINS = 64


def resolved(params, n_samples, network=None):
    """The parameters by name, with what "auto" stands for on this many rows; `n_members` is None for one network.

    Training that goes on with a network keeps its members.
    """
    options = SimpleNamespace(**params)
    options.n_hidden = len(layer_sizes(options.hidden_layer_sizes))
    options.activation = layer_activations(options.activation, options.n_hidden)
    options.n_members = _n_members(options, n_samples, network)
    options.batch_size = min(_batch_size(options, n_samples), n_samples)
    options.max_iter = _max_iter(options, n_samples)
    roles = None if options.n_members is None else Roles.of(options.n_members)
    options.dropout = _dropout(options, roles, n_samples)
    options.weight_decay = _weight_decay(options, roles, n_samples)
    return options


def _n_members(options, n_samples, network):
    if options.n_members == "auto":
        if network is not None and options.solver != "lbfgs":
            return network.n_members
        return (8 if SMALL <= n_samples < FEW else 4) if options.solver == "adam" and options.n_hidden else None
    return None if options.n_members == 1 else options.n_members


def _batch_size(options, n_samples):
    if options.batch_size == "auto":
        if options.parametrization == "standard" or n_samples < SMALL:
            return 200
        return BATCH_SIZE if n_samples < LARGE else 2 * BATCH_SIZE
    return options.batch_size


def _max_iter(options, n_samples):
    if options.max_iter != "auto":
        return options.max_iter
    if options.solver == "lbfgs":
        return 200
    n_batches = max(1, round(n_samples / options.batch_size))
    epochs = EPOCHS_OF_ONE if options.n_members is None else EPOCHS
    return int(np.clip(epochs, -(-LEAST_STEPS // n_batches), max(1, MOST_STEPS // n_batches)))


def fold_epochs(max_iter, folds, validation):
    """How many epochs each member leaves out its fold: a share of them, then it sees all rows.

    All, where rows are few, or where validation rows may end training at any epoch.
    """
    if folds is None:
        return 0
    return max_iter if validation is not None or len(folds) < OPEN_ROWS else max(1, round(FOLD_SHARE * max_iter))


def _dropout(options, roles, n_samples):
    if not isinstance(options.dropout, str):
        return dropout_rates(options.dropout, options.n_hidden)
    if options.solver == "lbfgs" or n_samples < SMALL:
        return 0.0
    return _weakening(n_samples) * (DROPOUT_OF_ONE if roles is None else roles.values(**DROPOUT))


def _weakening(n_samples):
    """The factor of dropout and weight decay: what is learnt from more rows needs less to hold it back."""
    return min(1.0, (FULL_ROWS / n_samples) ** 0.5)


def _weight_decay(options, roles, n_samples):
    if options.weight_decay != "auto":
        return options.weight_decay
    if options.solver == "lbfgs":
        return 0.0
    return _weakening(n_samples) * (WEIGHT_DECAY_OF_ONE if roles is None else roles.values(**WEIGHT_DECAY))


def new_network(options, X, encoder, preprocessor, rng):
    """The network that these options, resolved, ask for, with its initial weights."""
    units = [preprocessor.n_inputs, *layer_sizes(options.hidden_layer_sizes), encoder.head.n_outputs]
    skipped = (options.n_members // 2, preprocessor.n_bin_columns) if options.n_members and preprocessor.n_bin_columns else (0, 0)
    form = options.dropout, options.n_members, skipped, preprocessor.code_rates
    network = Network(units, options.activation, X.dtype, *form)
    if options.parametrization == "ntk":
        network.initialize_scaled(rng)
    else:
        network.initialize(rng)
    return network
