"""Epochs by compiled steps (`nn.kernels`): each member by itself, as many at once as there are threads."""

from math import inf, isfinite

import numpy as np
from scipy.sparse import issparse

from sksoftmax.data.rows import Rows, Samples, write
from sksoftmax.nn.layers import ACTIVATIONS
from sksoftmax.nn.optimizers import Adam

MULTIPLICATIONS = 2**31  # of a member between two chances for Ctrl-C: a fraction of a second
READ_NUMBERS = 2**22  # of rows that are read before their steps are taken
NUMBER_OF = {name: number for number, name in enumerate(ACTIVATIONS)}
KINDS = {"b": 0, "W": 1, "E": 2}


def can_compile(run):
    """Whether compiled steps can train this run: rows that are sparse for the network are for NumPy."""
    X = run.training.X
    return not issparse(X) and not (isinstance(X, Rows) and X.stays_sparse)


class CompiledEpochs:
    """Trains epochs as `steps.train_epoch` does.

    `train` is the compiled function, `bits` are the members' bit generators or None, and members train in the threads of `team`.
    """

    def __init__(self, run, state, train, bits, team):
        from sksoftmax.nn import kernels  # which needs Numba

        self.run, self.state, self.train, self.team, self.kernels = run, state, train, team, kernels
        self.random = [None if bits is None else state_of(of_member) for of_member in bits or [None] * run.recipe.n_members]
        self.objective = objective_of(run, kernels)
        self.strengths, self.members = None, None
        self.data = None if isinstance(run.training.X, Rows) else data_of(run.training, run.model.network.dtype)

    def __call__(self, batches, rates):
        """Train on all batches once. Returns the mean loss; NaN if a batch's loss is not finite."""
        run, state = self.run, self.state
        self.make_members()
        n_members, size = batches[0].shape
        losses, totals = np.zeros((2, n_members, len(rates)))
        order, rates = run.committee.order.astype(np.int64), np.array(rates, np.float64)
        if state.average:
            state.average.begin_epoch(run.model.network.parameters)
        for part in self.parts(len(rates), size):
            rows = order[:, part.start * size : part.stop * size]
            self.train_part(rows, size, rates[part], losses[:, part], totals[:, part])
            if not isfinite(np.add.reduce(losses[:, part], axis=None)):
                return np.nan
        if state.average:
            state.average.end_epoch(run.model.network.parameters)
        loss, total = np.add.reduce(losses) / n_members, np.add.reduce(totals)
        return float(loss @ total / np.add.reduce(total))

    def train_part(self, rows, size, rates, losses, totals):
        """Take some steps, of `size` of the members' rows each, and note each step's loss and sum of weights."""
        rule = rule_of(self.state, self.kernels)

        def train_member(member):
            X, *targets, numbers = self.read(member, rows[member])
            batches = self.kernels.Batches(numbers, size, rates, losses[member], totals[member])
            self.train(X, *targets, self.members[member], batches, self.objective, rule)

        self.team.map(train_member, range(len(rows)))
        count(self.state, len(rates))

    def parts(self, n_batches, size):
        """Slices of the batches, after each of which Ctrl-C can end training."""
        n_multiplications = 3 * size * sum(W.shape[1] * W.shape[2] for W in self.run.model.network.W)
        step = max(1, MULTIPLICATIONS // max(1, n_multiplications))
        if self.data is None:
            step = max(1, min(step, READ_NUMBERS // max(1, size * self.run.training.X.shape[1])))
        return [slice(start, min(start + step, n_batches)) for start in range(0, n_batches, step)]

    def read(self, member, rows):
        """X, its targets and weights in the kernel's forms, and the numbers of these rows in them."""
        if self.data is not None:
            return *self.data, rows
        samples, form = self.run.training[rows], self.run.model.network.form
        X = np.empty(samples.X.shape, self.run.model.network.dtype)
        write(samples.X, X, len(rows) if member < form.skip[0] else 0)
        return *data_of(Samples(X, samples.targets, samples.weights), X.dtype), np.arange(len(rows))

    def make_members(self):
        """Describe the members for the kernel, at first and when their strengths of regularisation have changed."""
        strengths = self.run.committee.dropout, self.state.optimizer.weight_decay
        if self.strengths is None or any(mine is not now for mine, now in zip(self.strengths, strengths)):
            self.strengths = strengths
            self.members = [self.make_member(member) for member in range(self.run.recipe.n_members)]

    def make_member(self, member):
        """One member's numbers and where they are."""
        network, optimizer, average = self.run.model.network, self.state.optimizer, self.state.average
        form, w, none = network.form, network.parameters, np.empty(0, network.dtype)
        slots = [slot for slot in form.slots() if slot.member == member]
        starts = [slot.part.start for slot in slots if slot.kind == "W"]
        numbers = [*(NUMBER_OF[name] for name in form.activations), NUMBER_OF["identity"]]
        skipped = form.skip[1] if member < form.skip[0] else 0
        tables = [slot.part.start for slot in slots if slot.kind == "E"]
        rates = self.run.committee.dropout[: len(form.hidden), member]
        thresholds = np.where(rates > 0, np.minimum(np.round(rates * 2**16), 2**16 - 1), -1)
        is_adam = isinstance(optimizer, Adam)
        parts, strengths, code_rates = parts_of(slots, optimizer, network.dtype)
        return self.kernels.Member(
            w,
            network.gradient,
            optimizer.m if is_adam else optimizer.velocity,
            optimizer.v if is_adam else none,
            average.other if average else none,
            np.array([*zip(starts, form.units, form.units[1:], numbers)], np.int64),
            len(form.n_one_hot) + skipped,
            sum(form.n_one_hot) + skipped,
            form.first_code,
            tables[0] if tables else 0,
            np.cumsum([0, *form.n_one_hot])[:-1].astype(np.int64) - 1,
            np.array(form.one_hot_factors, network.dtype),
            np.cumsum([0, *form.n_codes])[:-1].astype(np.int64),
            parts,
            strengths,
            code_rates,
            thresholds.astype(np.int64),
            np.zeros(4, np.uint64) if self.random[member] is None else self.random[member],
        )


def state_of(bits):
    """The state of NumPy's bit generator SFC64."""
    return bits.state["state"]["state"].astype(np.uint64)


def data_of(samples, dtype):
    """X, labels, soft labels and weights; those that there are not are empty."""
    X, targets, weights = samples.X, samples.targets, samples.weights
    is_soft = targets.ndim == 2
    labels = np.empty(0, np.int64) if is_soft else targets.astype(np.int64, copy=False)
    soft = targets.astype(dtype, copy=False) if is_soft else np.empty((0, 0), dtype)
    return X, labels, soft, np.empty(0, dtype) if weights is None else weights.astype(dtype, copy=False)


def objective_of(run, kernels):
    """What is minimised."""
    recipe, head, dtype = run.recipe, run.model.head, run.model.network.dtype
    prior = np.zeros(head.n_outputs, dtype) if run.prior is None else np.ascontiguousarray(run.prior, dtype)
    max_norm = inf if recipe.clip_norm is None else float(recipe.clip_norm)
    return kernels.Objective(
        head.out_activation == "softmax", float(recipe.label_smoothing), prior, float(recipe.alpha), max_norm
    )


def rule_of(state, kernels):
    """How the next steps are taken."""
    optimizer, average = state.optimizer, state.average
    averaging = (float(average.decay), average.n_averaged) if average else (0.0, 0)
    if isinstance(optimizer, Adam):
        constants = map(float, (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon))
        return kernels.Rule(True, False, *constants, optimizer.t, *averaging)
    return kernels.Rule(False, bool(optimizer.nesterov), float(optimizer.momentum), 0.0, 0.0, 0, *averaging)


def count(state, n_steps):
    """Note that these steps were taken."""
    if isinstance(state.optimizer, Adam):
        state.optimizer.t += n_steps
    if state.average:
        state.average.n_averaged += n_steps


def parts_of(slots, optimizer, dtype):
    """The slots as `Member` has them: bounds and kinds, weight decays and relative rates, and the rates of codes."""
    decays = {part.start: strength for part, strength in optimizer.weight_decay}
    parts, strengths, code_rates = [], [], np.empty(0, dtype)
    for slot in slots:
        parts.append((slot.part.start, slot.part.stop, KINDS[slot.kind]))
        rate = 1.0
        for part, factor in optimizer.relative_rates or ():
            if part.start <= slot.part.start and (part.stop is None or slot.part.start < part.stop):
                rate, start = factor, part.start
        if slot.kind == "E":
            code_rates, rate = np.ascontiguousarray(rate[slot.part.start - start : slot.part.stop - start], dtype), 1.0
        strengths.append((decays.get(slot.part.start, 0.0), rate))
    return np.array(parts, np.int64), np.array(strengths, np.float64), code_rates
