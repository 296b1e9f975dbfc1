"""The meaning of "auto": choices of parameters that depend on each other and on the data.

Measured on forty real datasets; `benchmarks/LAB_BOOK.md` records what was tried.
"""

from dataclasses import dataclass

import numpy as np

from sksoftmax.nn.network import Architecture, Network
from sksoftmax.nn.schedules import is_planned
from sksoftmax.parameters import dropout_rates, layer_activations, layer_sizes
from sksoftmax.training.ensemble import FOLD_ROWS, FOLD_ROWS_OF_ONE, Roles

NO_DROPOUT_BELOW_ROWS = 50  # below this many rows: no dropout, full batches, four members
EIGHT_MEMBERS_BELOW_ROWS = 1500  # below this many rows: twice as many members
MAX_SPARSE_WEIGHTS = 2**24  # an ensemble on a sparse X has at most this many weights in its first layers
DOUBLE_BATCH_FROM_ROWS = 10_000  # from this many rows on: batches twice as large
BATCH_SIZE, MIN_STEPS, MAX_STEPS = 64, 250, 7000
LARGEST_BATCH = 512  # up to this size batches grow, so that many rows keep their epochs within MAX_STEPS; then epochs are fewer
EPOCHS, EPOCHS_OF_ONE = 50, 36
MIN_EPOCHS = 2  # over rows that repeat: one in which folds are left out, and one with all rows
BATCH_SIZE_OF_SMALL, EPOCHS_OF_SMALL = 256, 100  # of many classes with few rows each (`data.relevance.has_small_classes`)
WIDE_FROM_COLUMNS, ROWS_OF_WIDE = 1000, 100  # with more columns and fewer rows than these: one network,
MIN_STEPS_OF_WIDE = 50  # and fewer steps
DROPOUT = {"light": 0.05, "strong": 0.3, "strong_binned": 0.2}
WEIGHT_DECAY = {"light": 0.1, "strong": 0.5}
DROPOUT_OF_ONE, WEIGHT_DECAY_OF_ONE = 0.15, 0.5
FULL_STRENGTH_UP_TO_ROWS = 2000  # above this many rows regularization weakens as 1 / √n
ALL_FOLD_EPOCHS_BELOW_ROWS = 500  # below this many rows the members of an ensemble leave out their folds in all epochs
FOLD_SHARE, FOLD_SHARE_OF_LARGE = 0.5, 0.3  # share of the epochs in which they do, and from DOUBLE_BATCH_FROM_ROWS rows on


@dataclass(frozen=True)
class TrainingConfig:
    """All that training needs to know, with every "auto" resolved; other names are the estimator's parameters.

    `fewest_fold_rows` is the number of rows from which on members leave out folds.
    `activations` has a name for each hidden layer, `activation_of_output` the one by which the output layer is initialized.
    `dropout` has the rates of each hidden layer, (n_hidden, n_members), `weight_decay` is (n_members,). `has_planned_length` is
    true if training is meant to last `max_iter` epochs: it is "auto", or the learning rate is a planned schedule.
    """

    hidden: tuple[int, ...]
    activations: tuple[str, ...]
    activation_of_output: str | None
    n_members: int
    fewest_fold_rows: int
    batch_size: int
    max_iter: int
    has_planned_length: bool
    dropout: np.ndarray
    weight_decay: np.ndarray
    solver: str
    parametrization: str
    learning_rate: object
    learning_rate_init: float
    warmup: float
    power_t: float
    shuffle: bool
    momentum: float
    nesterovs_momentum: bool
    beta_1: float
    beta_2: float
    epsilon: float
    alpha: float
    label_smoothing: float
    clip_norm: float | None
    ema_decay: float
    tol: float
    n_iter_no_change: float
    max_fun: int
    scoring: object
    restore_best: bool
    verbose: int

    @classmethod
    def resolve(
        cls, params, n_rows, network=None, *, n_distinct=None, small_classes=False, n_columns=1, n_sparse=0, is_partial=False
    ):
        """The configuration for these parameters, this many rows and columns, and perhaps many small classes.

        Copies of a row tell as much as one row: all but the length of an epoch depends on the number of distinct rows. `n_sparse`
        is the number of inputs if X is sparse, else 0. Training that continues with a network keeps its members. `is_partial`
        says that there is one epoch, of rows that are a part of all.
        """
        n_distinct = n_rows if n_distinct is None else n_distinct
        is_wide = n_distinct < ROWS_OF_WIDE and n_columns > WIDE_FROM_COLUMNS
        hidden, solver = tuple(layer_sizes(params["hidden_layer_sizes"])), params["solver"]
        activations = layer_activations(params["activation"], len(hidden))
        most_members = 1 if is_wide else MAX_SPARSE_WEIGHTS // max(n_sparse * sum(hidden[:1]), 1)
        n_members = _n_members(params["n_members"], solver, len(hidden), n_distinct, network, most_members)
        roles = None if n_members == 1 else Roles.of(n_members)
        epochs = EPOCHS_OF_SMALL if small_classes else EPOCHS_OF_ONE if n_members == 1 else EPOCHS
        least_steps = MIN_STEPS_OF_WIDE if is_wide else MIN_STEPS
        planned_epochs = None if is_partial or params["max_iter"] != "auto" else epochs
        batch_size = _batch_size(
            params["batch_size"], params["parametrization"], n_rows, n_distinct, small_classes, planned_epochs
        )
        resolved = {
            "hidden": hidden,
            "activations": (activations,) * len(hidden) if isinstance(activations, str) else activations,
            "activation_of_output": activations if isinstance(activations, str) else (activations or (None,))[-1],
            "n_members": n_members,
            "fewest_fold_rows": FOLD_ROWS if n_members > 1 and n_columns <= n_distinct else FOLD_ROWS_OF_ONE,
            "batch_size": batch_size,
            "max_iter": _max_iter(params["max_iter"], solver, n_rows, n_distinct, batch_size, epochs, least_steps),
            "has_planned_length": params["max_iter"] == "auto" or is_planned(params["learning_rate"]),
            "dropout": _dropout(params["dropout"], solver, len(hidden), roles, n_distinct),
            "weight_decay": _weight_decay(params["weight_decay"], solver, roles, n_distinct),
        }
        return cls(**{name: params[name] for name in cls.__dataclass_fields__ if name in params} | resolved)

    def public(self, dropout, weight_decay, companion=None):
        """The estimator's attributes that say what "auto" became, with the strengths that the members have now."""
        same = dropout.shape[0] == 1 or not np.ptp(dropout, axis=0).any()
        return {
            "batch_size_": self.batch_size,
            "max_iter_": self.max_iter,
            "dropout_": np.array(dropout[0] if same else dropout.T),
            "weight_decay_": np.array(weight_decay),
            "member_roles_": Roles.of(self.n_members).names + ([] if companion is None else [companion.role]),
        }

    def has_folds(self, validation):
        """Whether members leave out rows at first, which calibrate them.

        One network does so only if the end of its training is planned: then all rows have their turn before it. Softmax
        regression has no hidden layer, and needs no calibration: at its optimum mean probabilities meet the frequencies.
        """
        if self.n_members > 1:
            return True
        is_planned_to_end = self.solver != "lbfgs" and self.has_planned_length and self.max_iter > 1 and validation is None
        return is_planned_to_end and bool(self.hidden) and not self.ema_decay

    @property
    def members_differ(self):
        """Whether members have different strengths of regularization."""
        return bool(np.ptp(self.dropout, axis=1).any() or np.ptp(self.weight_decay))


def _n_members(n_members, solver, n_hidden, n_distinct, network, most_members):
    if n_members != "auto":
        return n_members
    if network is not None and solver != "lbfgs":
        return network.architecture.n_members
    if most_members < 4 or solver != "adam" or not n_hidden:
        return 1
    return 8 if NO_DROPOUT_BELOW_ROWS <= n_distinct < EIGHT_MEMBERS_BELOW_ROWS and most_members >= 8 else 4


def _batch_size(batch_size, parametrization, n_rows, n_distinct, small_classes, epochs):
    """The size of batches; of many rows, that with which so many epochs, None if that is not known, take at most MAX_STEPS."""
    if batch_size != "auto":
        return min(batch_size, n_rows)
    if parametrization == "standard" or n_distinct < NO_DROPOUT_BELOW_ROWS:
        return min(200, n_rows)
    if small_classes:
        return min(BATCH_SIZE_OF_SMALL, n_distinct)
    if n_distinct < DOUBLE_BATCH_FROM_ROWS:
        return min(BATCH_SIZE, n_distinct)
    if epochs is None:
        return 2 * BATCH_SIZE
    return max(2 * BATCH_SIZE, min(-(-n_distinct * epochs // MAX_STEPS), LARGEST_BATCH), n_distinct // MAX_STEPS)


def _max_iter(max_iter, solver, n_rows, n_distinct, batch_size, epochs, least_steps):
    if max_iter != "auto":
        return max_iter
    if solver == "lbfgs":
        return 200
    n_batches, of_distinct = (max(1, round(n / batch_size)) for n in (n_rows, n_distinct))
    epochs = int(np.clip(epochs, -(-least_steps // of_distinct), max(1, MAX_STEPS // of_distinct)))
    return epochs if n_batches == of_distinct else max(MIN_EPOCHS, round(epochs * of_distinct / n_batches))


def _dropout(dropout, solver, n_hidden, roles, n_distinct):
    n_members = 1 if roles is None else len(roles.fold)
    if not isinstance(dropout, str):
        rates = np.reshape(dropout_rates(dropout, n_hidden), (-1, 1))
    elif solver == "lbfgs" or n_distinct < NO_DROPOUT_BELOW_ROWS:
        rates = 0.0
    else:
        rates = _weakening(n_distinct) * (DROPOUT_OF_ONE if roles is None else roles.values(**DROPOUT))
    return np.broadcast_to(rates, (max(n_hidden, 1), n_members))  # without hidden layers too: the draws stay the same


def _weight_decay(weight_decay, solver, roles, n_distinct):
    if weight_decay != "auto":
        value = weight_decay
    elif solver != "adam":  # SGD's steps shrink with the gradient, and decay would not
        value = 0.0
    else:
        value = _weakening(n_distinct) * (WEIGHT_DECAY_OF_ONE if roles is None else roles.values(**WEIGHT_DECAY))
    return np.broadcast_to(value, 1 if roles is None else len(roles.fold))


def _weakening(n_distinct):
    """The factor of dropout and weight decay: more rows need less regularization."""
    return min(1.0, (FULL_STRENGTH_UP_TO_ROWS / n_distinct) ** 0.5)


def planned_fold_epochs(config, folds, validation, n_distinct):
    """The number of epochs in which each member leaves out its fold; then it trains on all rows.

    All epochs, if an ensemble has few rows, or if validation rows may end training at any epoch.
    """
    if folds is None:
        return 0
    if validation is not None or (config.n_members > 1 and n_distinct < ALL_FOLD_EPOCHS_BELOW_ROWS):
        return config.max_iter
    return max(1, round((FOLD_SHARE if n_distinct < DOUBLE_BATCH_FROM_ROWS else FOLD_SHARE_OF_LARGE) * config.max_iter))


def new_network(config, preprocessor, n_outputs, dtype, rng):
    """The network that the configuration asks for, with its initial weights."""
    architecture = Architecture(
        layout=preprocessor.layout,
        hidden=config.hidden,
        n_outputs=n_outputs,
        activations=config.activations,
        n_members=config.n_members,
        n_without_bins=(config.n_members + 1) // 2 if config.n_members > 1 and preprocessor.layout.n_bins else 0,
    )
    try:
        network = Network.zeros(architecture, dtype)
    except (MemoryError, ValueError, OverflowError) as error:
        raise ValueError(f"hidden_layer_sizes={config.hidden} makes a network that does not fit in memory: {error}") from error
    if config.parametrization == "ntk":
        network.initialize_scaled(rng)
    else:
        network.initialize(rng, (*config.activations, config.activation_of_output))
    return network
