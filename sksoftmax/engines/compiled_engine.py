"""The compiled engine: the same steps as NumPy's by `_kernels`, each member by itself, as many at once as there are threads.

It knows heads and optimizers by their exact types and activations by their names, and trains the rows that it is given; for all
else it has a reason why not.
"""

from math import inf, isfinite

import numpy as np
from scipy.sparse import issparse

from sksoftmax.data.heads import BinaryHead, MultilabelHead, SoftmaxHead
from sksoftmax.data.rows import LazyRows, Samples, read, row_numbers, write
from sksoftmax.nn.optimizers import SGD, Adam
from sksoftmax.nn.threads import ThreadTeam, numpys_own_libraries, pop

try:
    from sksoftmax.engines import _kernels  # type: ignore[attr-defined]
except ImportError:  # no C compiler was there when the package was installed
    _kernels = None

LOSSES = {SoftmaxHead: "softmax", BinaryHead: "logistic", MultilabelHead: "logistic"}  # by exact type
UPDATES = {  # by exact type: the kernel's name, the optimizer's vectors, and its constants
    Adam: ("adam", ("m", "v"), ("beta_1", "beta_2", "epsilon")),
    SGD: ("sgd", ("velocity", "velocity"), ("momentum", "nesterov")),
}
MOST_LAYERS = 64
MULTIPLICATIONS = 2**30  # of a member between two chances for Ctrl-C: a fraction of a second; what else takes as long:
UPDATE, CALL = 16, 2**15  # the update of a parameter, and the calls for a layer
ROW_NUMBERS = 2**20  # of the rows of all members in one call
READ_NUMBERS = 2**21  # of rows that are encoded before their steps are taken
FEW_ROWS = 8  # members with room for so many rows are kept for the next prediction
PREDICTED_ROWS = 256  # rows whose logits are computed at once
GRADIENT_ROWS = 2048  # rows whose gradient is computed at once for L-BFGS


def why_not(run, state):
    """None if the compiled engine trains this run, else the reason, in words."""
    head, optimizer = run.model.head, state.optimizer
    if (reason := why_not_network(run.model.network)) is not None:
        return reason
    if type(head) not in LOSSES:
        return f"it has no loss of {type(head).__name__}"
    if optimizer is not None and type(optimizer) not in UPDATES:
        return f"it has no step of {type(optimizer).__name__}"
    return None


def why_not_built():
    """None if the compiled engine is there, else the reason."""
    return "no C compiler worked when this package was installed" if _kernels is None else None


def why_not_network(network):
    """None if the compiled engine computes this network, else the reason."""
    if (reason := why_not_built()) is not None:
        return reason
    if network.dtype not in (np.float32, np.float64):
        return f"it has no numbers of the type {network.dtype}"
    if unknown := [name for name in network.architecture.activations if name not in _kernels.ACTIVATIONS]:
        return f"it has no activation {unknown[0]!r}"
    if len(network.W) > MOST_LAYERS:
        return f"the network has more than {MOST_LAYERS} layers"
    return None


class CompiledEngine:
    """Trains epochs by compiled steps, several at once if nobody looks in between."""

    name, reason = "compiled", None
    unused_blas = staticmethod(numpys_own_libraries)

    def __init__(self, run, state, bits=None):
        self.run, self.state, self.bits, self.team = run, state, bits, ThreadTeam()
        self.in_force = None
        network, samples = run.model.network, run.training
        n_rows = GRADIENT_ROWS if state.optimizer is None else 3 * run.config.batch_size // 2 + 1  # of a step, see `steps.cut`
        n_rows = min(n_rows, len(samples))
        self.members = [make_member(network, i, n_rows) for i in range(network.architecture.n_members)]
        self.is_lazy = isinstance(samples.X, LazyRows)
        if not self.is_lazy:
            data = data_of(samples, network.dtype)
            for member in self.members:
                member.read_from(*data)

    @property
    def uses_threads(self):
        """Whether it trains several members at once, each in a thread."""
        return len(self.members) > 1

    @property
    def most_epochs(self):
        """The most epochs in one call: between two chances for Ctrl-C."""
        n_rows = self.run.plan.order.shape[1]
        size = min(self.run.config.batch_size, n_rows)
        return max(1, self.most_steps(size) * size // n_rows)

    def most_steps(self, size):
        """The most steps, of so many rows, between two chances for Ctrl-C; only few row numbers and lazy rows are in memory."""
        network = self.run.model.network
        of_row = 3 * sum(W.shape[1] * W.shape[2] for W in network.W)
        of_update = UPDATE * len(network.parameters) // len(self.members) + CALL * len(network.W)
        n = min(MULTIPLICATIONS // (of_row * size + of_update), ROW_NUMBERS // (len(self.members) * size))
        return min(n, READ_NUMBERS // (size * max(1, self.run.training.X.shape[1]))) if self.is_lazy else n

    def train(self, epochs):
        """Train these epochs, pairs of batches and rates; return their losses. After one that is not finite all are invalid."""
        run, average = self.run, self.state.average
        self.bind()
        batches = [rows for batches, _ in epochs for rows in batches]
        rates = np.array([rate for _, rates in epochs for rate in rates], np.float64)
        losses, totals = np.zeros((2, len(self.members), len(batches)))
        if average:
            average.begin_epoch(run.model.network.parameters)
        n = max(1, self.most_steps(max(rows.shape[1] for rows in batches)))
        for steps in (slice(start, start + n) for start in range(0, len(batches), n)):
            losses[:, steps], totals[:, steps] = self.take_steps(batches[steps], rates[steps])
            if not isfinite(losses[:, steps].sum()):
                return [np.nan] * len(epochs)
        if average:
            average.end_epoch(run.model.network.parameters)
        weights, n_batches = totals.sum(axis=0), [len(batches) for batches, _ in epochs]
        starts = np.cumsum(n_batches) - n_batches
        return (np.add.reduceat(losses.mean(axis=0) * weights, starts) / np.add.reduceat(weights, starts)).tolist()

    def take_steps(self, batches, rates):
        """Take a step for each of these batches with all members; return its losses and sums of weights, (n_members, n)."""
        state = self.state
        rows = np.concatenate(batches, axis=1, dtype=np.intp)
        sizes = np.array([rows.shape[1] for rows in batches], np.intp)
        totals = sums_of_weights(self.run.training.weights, rows, sizes)
        losses = np.zeros(totals.shape)
        counts = getattr(state.optimizer, "t", 0), state.average.n_averaged if state.average else 0

        def train_member(i):
            of_member = self.read_lazily(i, self.run.training[rows[i]]) if self.is_lazy else rows[i]
            self.members[i].steps(of_member, sizes, totals[i], rates, losses[i], *counts)

        self.team.map(train_member, range(len(self.members)))
        if hasattr(state.optimizer, "t"):
            state.optimizer.t += len(rates)
        if state.average:
            state.average.n_averaged += len(rates)
        return losses, totals

    def read_lazily(self, i, samples):
        """Encode all rows of these samples for a member, and return their numbers."""
        architecture, dtype = self.run.model.network.architecture, self.run.model.network.dtype
        if samples.X.stays_sparse:
            X = read(samples.X)
        else:
            X = np.empty(samples.X.shape, dtype)
            write(samples.X, X, len(X) if i < architecture.n_without_bins else 0)
        self.members[i].read_from(*data_of(Samples(X, samples.targets, samples.weights), dtype))
        return row_numbers(len(samples)).astype(np.intp)

    def bind(self):
        """Tell the members how they are trained, at first and when that has changed."""
        run, state = self.run, self.state
        optimizer, average = state.optimizer, state.average
        kind, vectors, constants = UPDATES[type(optimizer)]
        in_force = (*(getattr(optimizer, name) for name in vectors), optimizer.weight_decay, run.plan.dropout)
        if self.in_force is not None and all(a is b for a, b in zip(in_force, self.in_force)):
            return
        self.in_force = in_force
        config, network = run.config, run.model.network
        for i, member in enumerate(self.members):
            member.train_by(
                *objective_of(run),
                None if self.bits is None else self.bits[i],
                thresholds_of(run.plan.dropout, i, len(config.hidden)),
            )
            member.update_by(
                _kernels.UPDATES[kind],
                *in_force[:2],
                [float(getattr(optimizer, name)) for name in constants],
                parts_of(network, i, optimizer),
                float(config.alpha),
                inf if config.clip_norm is None else float(config.clip_norm),
                average.inactive_weights if average else None,
                average.decay if average else 0.0,
            )

    def loss_and_gradient(self):
        """The loss of all rows, without penalty, and its gradient in double precision, of one member: for L-BFGS."""
        run, network = self.run, self.run.model.network
        member, gradient, loss = self.members[0], np.zeros(network.gradient.shape), 0.0
        member.train_by(*objective_of(run))
        for start in range(0, len(run.training), GRADIENT_ROWS):
            rows = np.arange(start, min(start + GRADIENT_ROWS, len(run.training)))
            of_member = self.read_lazily(0, run.training[rows]) if self.is_lazy else rows
            loss += member.add_gradient(of_member, run.training.total_weight)
            gradient += network.gradient
        return loss, gradient

    def share_of_gradient(self, samples, rows, totals, dropout, bits):
        """Fill what these rows of the samples, an array for each member, add to the gradient of a batch; return the loss added.

        The samples are encoded. `totals` are the members' sums of weights of the whole batch.
        """
        run, losses, objective = self.run, np.zeros(len(self.members)), objective_of(self.run)
        data = data_of(samples, run.model.network.dtype)

        def of_member(i):
            thresholds = thresholds_of(dropout, i, len(run.config.hidden))
            self.members[i].train_by(*objective, None if bits is None else bits[i], thresholds)
            self.members[i].read_from(*data)
            losses[i] = self.members[i].add_gradient(rows[i].astype(np.intp), totals[i])

        self.team.map(of_member, range(len(self.members)))
        return losses.mean()


def make_member(network, index, n_rows, trains=True):
    """A member of this network for the kernel, with room for passes of so many rows; one that only predicts needs less."""
    architecture, layout = network.architecture, network.architecture.layout
    unseen = layout.n_bins if index < architecture.n_without_bins else 0
    layers, tables = [], 0
    numbers = [*(_kernels.ACTIVATIONS[name] for name in architecture.activations), 0]
    for slot in architecture.slots():
        if slot.member == index and slot.kind == "W":
            fan_in, units = architecture.layer_sizes[slot.layer : slot.layer + 2]
            skipped = unseen if slot.layer == 0 else 0
            layers.append((fan_in - skipped, units, slot.part.start + skipped * units, numbers[slot.layer]))
        elif slot.member == index and slot.kind == "E":
            tables = slot.part.start
    place = (layout.n_columns, layout.n_numbers, unseen, tables)
    return _kernels.Member(network.parameters, layers, place, np.cumsum([0, *layout.n_codes]), n_rows, trains)


def data_of(samples, dtype):
    """X, labels, targets and weights as the kernel reads them; None for what there is not."""
    X, targets, weights = samples.X, samples.targets, samples.weights
    X = X.astype(dtype, copy=False) if issparse(X) else np.ascontiguousarray(X, dtype)
    has_labels = targets.ndim == 1
    labels = np.ascontiguousarray(targets, np.intp) if has_labels else None
    matrix = None if has_labels else np.ascontiguousarray(targets, dtype)
    return X, labels, matrix, None if weights is None else np.ascontiguousarray(weights, dtype)


def sums_of_weights(weights, rows, sizes):
    """The sum of the weights of each member's batches, (n_members, n_batches)."""
    if weights is None:
        return np.tile(sizes.astype(np.float64), (len(rows), 1))
    starts = np.cumsum(sizes) - sizes
    return np.add.reduceat(weights[rows], starts, axis=1, dtype=np.float64)


def objective_of(run):
    """The gradient to fill, the number of the loss, smoothing and its prior."""
    network, head = run.model.network, run.model.head
    prior = run.smoothing_prior
    if run.config.label_smoothing and prior is None:
        prior = head.uniform_target
    prior = None if prior is None else np.array(np.broadcast_to(prior, (head.n_outputs,)), network.dtype)
    return network.gradient, _kernels.LOSSES[LOSSES[type(head)]], float(run.config.label_smoothing), prior


def thresholds_of(dropout, member, n_hidden):
    """The threshold of two random bytes below which a number of each hidden layer is dropped; −1 if none is."""
    rates = dropout[:n_hidden, member]
    return np.where(rates > 0, np.minimum(np.round(rates * 2**16), 2**16 - 1), -1).astype(int).tolist()


def parts_of(network, member, optimizer):
    """The kernel's parts of the flat vector: those of the member's weights that it sees, of its biases and tables."""
    architecture, parts = network.architecture, []
    unseen = architecture.layout.n_bins if member < architecture.n_without_bins else 0
    for slot in architecture.slots():
        if slot.member != member:
            continue
        skipped = unseen * architecture.layer_sizes[1] if (slot.layer, slot.kind) == (0, "W") else 0
        start, n = slot.part.start + skipped, slot.part.stop - slot.part.start - skipped
        rate = value_at(optimizer.relative_rates or (), start, n, 1.0)
        is_one = np.ndim(rate) == 0
        rates = None if is_one else np.ascontiguousarray(rate, network.dtype)
        decay = value_at(optimizer.weight_decay, start, n, 0.0)
        parts.append((start, n, float(rate) if is_one else 1.0, rates, float(decay), slot.kind == "b"))
    return parts


def value_at(pairs, start, n, default):
    """The value of these n numbers from `start` on, given pairs of a slice and a value, or an array of values, for it."""
    for part, value in pairs:
        first = part.start or 0
        if first <= start and (part.stop is None or start < part.stop):
            return value if np.ndim(value) == 0 else value[start - first : start - first + n]
    return default


def logits(network, X):
    """The members' logits, (n_members, n, n_outputs), of rows that are encoded or `LazyRows`; None if NumPy must compute them.

    Members with room for a few rows wait in `network.waiting`, so that any number of threads may call this at once.
    """
    if why_not_network(network) is not None or issparse(X) or (isinstance(X, LazyRows) and X.stays_sparse):
        return None
    architecture, n = network.architecture, X.shape[0]
    if isinstance(X, LazyRows) and X.is_plain:
        rows = np.ascontiguousarray(X.X, network.dtype)
    else:
        rows = np.empty((n, architecture.layout.n_columns), network.dtype)
        write(X, rows)
    are_few = n <= FEW_ROWS
    members = pop(network.waiting) if are_few else None
    if members is None:
        size = FEW_ROWS if are_few else min(n, PREDICTED_ROWS)
        members = [make_member(network, i, size, trains=False) for i in range(architecture.n_members)]
    out = np.empty((architecture.n_members, architecture.n_outputs, n), network.dtype)
    _kernels.logits(members, rows, out)
    if are_few:
        network.waiting.append(members)
    return out.transpose(0, 2, 1)


def radial_units(X, first, centers, width):
    """exp(−‖x − c‖₁ / width), (n, m), of the columns of X from `first` on and of centers, (m, d); None without the extension."""
    if _kernels is None:
        return None
    out = np.empty((X.shape[0], len(centers)), X.dtype)
    _kernels.radial_units(np.ascontiguousarray(X), first, np.ascontiguousarray(centers.T), -1 / width, out)
    return out


def tree_sums(X, trees, out):
    """Add the answers of boosted trees to `out`, (n, n_outputs); False without the extension, which does it."""
    if _kernels is None:
        return False
    _kernels.tree_sums(X, trees.first, trees.nodes, trees.roots, trees.outputs, out)
    return True
