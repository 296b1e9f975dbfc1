"""The compiled kernels, each by itself, against the layers, losses and optimizers in NumPy, on random input."""

from math import inf

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

from sksoftmax.data.rows import Samples
from sksoftmax.engines.compiled_engine import LOSSES, UPDATES, data_of, make_member, parts_of, thresholds_of
from sksoftmax.nn.layers import ACTIVATIONS, Dropout, bit_generators
from sksoftmax.nn.network import Workspace
from sksoftmax.nn.optimizers import SGD, Adam, WeightAverage, clip
from support.networks import HEADS, STEP, form_of, initialized

_kernels = pytest.importorskip(
    "sksoftmax.engines._kernels", reason="the package was built without a C compiler", exc_type=ImportError
)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}
N_ROWS = 67  # no multiple of the numbers that a processor handles at once


def close(dtype):
    """The tolerance of this dtype, relative and absolute, as arguments of assert_allclose."""
    return {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}


def random_weights(dtype, n_rows=N_ROWS):
    return np.random.default_rng(5).uniform(0.1, 3, n_rows).astype(dtype)


def targets_of(kind, n_rows, dtype):
    """Random targets: labels or soft labels of three classes, one or three logistic units, or probabilities for three."""
    rng = np.random.default_rng(1)
    if kind == "labels":
        return HEADS["softmax"], rng.integers(3, size=n_rows)
    if kind == "soft labels":
        return HEADS["softmax"], rng.dirichlet(np.ones(3), n_rows).astype(dtype)
    head = HEADS["binary" if kind == "binary" else "multilabel"]
    rows = rng.random((n_rows, head.n_outputs))
    return head, (rows if kind == "probabilities" else rows > 0.5).astype(dtype)


KINDS = pytest.mark.parametrize("kind", ["labels", "soft labels", "binary", "multilabel", "probabilities"])


def member_for(network, samples, head, index=0, smoothing=0.0, prior=None, bits=None, rates=()):
    """A member that has read these samples, and fills the network's gradient."""
    network.allocate_gradient()
    member = make_member(network, index, len(samples))
    member.read_from(*data_of(samples, network.dtype))
    thresholds = thresholds_of(np.reshape(rates, (-1, 1)), 0, len(rates))
    member.train_by(network.gradient, _kernels.LOSSES[LOSSES[type(head)]], smoothing, prior, bits, thresholds)
    return member


def gradient_by_kernel(network, samples, head, **options):
    """The loss of all samples and its gradient, by a network of one member."""
    member = member_for(network, samples, head, **options)
    return member.add_gradient(np.arange(len(samples)), samples.total_weight), network.gradient.copy()


def gradient_by_numpy(network, samples, head, rows=None, dropout=None):
    """The mean loss of the members, each on its rows, and the gradient."""
    network.allocate_gradient()
    workspace = Workspace(network.architecture, network.dtype)
    batch = samples.batch(np.arange(len(samples))[None] if rows is None else rows, workspace)
    logits, backprop = network.forward(batch.X, workspace, dropout)
    loss, d_logits = head.loss(logits.reshape(-1, head.n_outputs), batch.targets, batch.weights)
    backprop(d_logits.reshape(logits.shape) * len(logits))
    return loss, network.gradient.copy()


# Activations: a network with one hidden unit of weight 1 and bias 0


def values_and_slopes(name, Z):
    """H and H' by the kernel: those of rows in `logits`, and in a gradient of which row r belongs to row r alone."""
    dtype, n = Z.dtype.type, len(Z)
    one = initialized(form_of(1, (1,), 1, name), dtype)
    one.parameters[...] = 1, 0, 1, 0
    H = np.empty((1, n), dtype)
    _kernels.logits([make_member(one, 0, n)], np.ascontiguousarray(Z[:, None]), H)
    each = initialized(form_of(n, (1,), 1, name), dtype)
    each.coefs[0][:, 0], each.intercepts[0][:], each.coefs[1][:], each.intercepts[1][:] = Z, 0, 1, 0
    rows = Samples(csr_matrix(np.eye(n, dtype=dtype)), np.full((n, 1), -1, dtype))  # so p − y is between 1 and 2
    gradient_by_kernel(each, rows, HEADS["binary"])
    d_logits = (1 / (1 + np.exp(-np.clip(H[0].astype(float), -700, None))) + 1) / n
    return H[0], each.gradient[:n] / d_logits


def activated(name, Z):
    """H and H' by NumPy."""
    with np.errstate(all="ignore"):
        H, backprop = ACTIVATIONS[name](Z.reshape(1, -1, 1).copy())
        return H[0, :, 0].copy(), backprop(np.ones_like(H))[0, :, 0]


EVERY_ACTIVATION = pytest.mark.parametrize("name", list(ACTIVATIONS))


@DTYPES
@EVERY_ACTIVATION
def test_an_activation_and_its_derivative_are_those_of_numpy(name, dtype):
    Z = np.random.default_rng(0).normal(0, 3, 301).astype(dtype)
    for ours, theirs in zip(values_and_slopes(name, Z), activated(name, Z.astype(float))):
        assert_allclose(ours, theirs, **close(dtype))


@DTYPES
@EVERY_ACTIVATION
def test_an_activation_of_huge_numbers_is_finite(name, dtype):
    Z = np.array([-1e4, 1e4, -800, 800, -100, 100, -30, 30, 0], dtype)
    for ours, theirs in zip(values_and_slopes(name, Z), activated(name, Z.astype(float))):
        assert np.isfinite(ours).all()
        assert_allclose(ours, theirs, **close(dtype))


@DTYPES
@EVERY_ACTIVATION
def test_an_activation_of_nan_and_infinity_is_finite_only_if_numpys_is(name, dtype):
    """Divergence is detected by numbers that are not finite."""
    Z = np.array([np.nan, np.inf, -np.inf, 1.0] * 17, dtype)
    ours, theirs = values_and_slopes(name, Z)[0], activated(name, Z)[0]
    assert_array_equal(np.isfinite(ours), np.isfinite(theirs))
    finite = np.isfinite(theirs)
    assert_allclose(ours[finite], theirs[finite], **close(dtype))
    assert np.isnan(ours[0::4]).all()


# Losses: rows of the identity matrix have the rows of W as logits, and their p − y as gradient


def loss_by_kernel(head, Z, samples_of, smoothing=0.0, prior=None):
    """The loss of these logits, and its derivative at them; `samples_of` has targets and weights."""
    n, n_outputs = Z.shape
    network = initialized(form_of(n, (), n_outputs), Z.dtype)
    network.coefs[0][...], network.intercepts[0][...] = Z, 0
    samples = Samples(csr_matrix(np.eye(n, dtype=Z.dtype)), *samples_of)
    loss, gradient = gradient_by_kernel(network, samples, head, smoothing=smoothing, prior=prior)
    assert_allclose(gradient[Z.size :], gradient[: Z.size].reshape(Z.shape).sum(axis=0), **close(Z.dtype.type))
    return loss, gradient[: Z.size].reshape(Z.shape)


def assert_loss_is_numpys(kind, Z, weighted=False, smoothing=0.0, prior_of=None):
    dtype = Z.dtype.type
    head, targets = targets_of(kind, len(Z), dtype)
    Z, weights = np.ascontiguousarray(Z[:, : head.n_outputs]), random_weights(dtype, len(Z)) if weighted else None
    prior = np.full(head.n_outputs, head.uniform_target, dtype) if prior_of is None else prior_of(head).astype(dtype)
    loss, d_logits = loss_by_kernel(head, Z, (targets, weights), smoothing, prior)
    expected, d_expected = head.loss(Z.copy(), targets, weights, *((smoothing, prior) if smoothing else ()))
    assert loss == pytest.approx(expected, rel=TOLERANCE[dtype])
    assert_allclose(d_logits, d_expected, **close(dtype))


def uneven_prior(head):
    return np.linspace(0.1, 0.8, head.n_outputs) / (1.35 if head.n_outputs > 1 else 1)


@DTYPES
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(
    ("smoothing", "prior_of"), [(0.0, None), (0.1, None), (0.3, uneven_prior)], ids=["hard", "even", "prior"]
)
@KINDS
def test_a_loss_and_p_minus_y_are_those_of_numpy(kind, smoothing, prior_of, weighted, dtype):
    Z = np.random.default_rng(0).normal(0, 3, (N_ROWS, 3)).astype(dtype)
    assert_loss_is_numpys(kind, Z, weighted, smoothing, prior_of)


@DTYPES
@KINDS
def test_the_loss_of_one_row_is_that_of_numpy(kind, dtype):
    assert_loss_is_numpys(kind, np.array([[0.5, -1, 2]], dtype), weighted=True)


@DTYPES
@KINDS
def test_the_loss_of_huge_logits_is_finite(kind, dtype):
    Z = np.random.default_rng(0).choice([-1e4, 1e4, 0, 3], (N_ROWS, 3)).astype(dtype)
    assert_loss_is_numpys(kind, Z, smoothing=0.1)


@DTYPES
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@KINDS
def test_a_loss_is_finite_only_if_numpys_is(kind, bad, dtype):
    head, targets = targets_of(kind, N_ROWS, dtype)
    Z = np.zeros((N_ROWS, head.n_outputs), dtype)
    Z[5, 0] = bad
    with np.errstate(all="ignore"):
        expected = head.loss(Z.copy(), targets, None)[0]
    network = initialized(form_of(N_ROWS, (), head.n_outputs), dtype)
    network.coefs[0][...] = Z
    rows = Samples(csr_matrix(np.eye(N_ROWS, dtype=dtype)), targets)
    assert np.isfinite(gradient_by_kernel(network, rows, head)[0]) == np.isfinite(expected)


# Gradients of whole networks

FORMS = {
    "no hidden layer": form_of(4, (), 3),
    "one hidden layer": form_of(4, (5,), 3),
    "three hidden layers": form_of(4, (5, 4, 6), 3, ("tanh", "relu", "silu")),
    "embedded columns": form_of(4, (5, 4), 3, n_codes=(3, 6)),
    "embedded columns, no hidden layer": form_of(4, (), 3, n_codes=(3, 6)),
    "only embedded columns": form_of(2, (5,), 3, n_codes=(3, 6)),
    "members": form_of(4, (5,), 3, n_members=3),
    "members that do not see bins": form_of(4, (5, 4), 3, n_members=4, skip=(2, 3)),
    "members that see no number": form_of(4, (5,), 3, n_members=3, skip=(1, 2), n_codes=(3, 6)),
}
EVERY_FORM = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def drawn_network(form, dtype):
    """A network with random tables too."""
    network = initialized(form, dtype)
    network.E[...] = np.random.default_rng(2).normal(size=network.E.shape)
    return network


def rows_of(form, dtype, n_rows=N_ROWS):
    """Random rows of numbers and codes."""
    rng = np.random.default_rng(3)
    codes = [rng.integers(n, size=n_rows) for n in form.layout.n_codes]
    return np.column_stack([rng.normal(size=(n_rows, form.layout.n_numbers)), *codes]).astype(dtype)


@DTYPES
@pytest.mark.parametrize("kind", ["labels", "multilabel"])
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@EVERY_FORM
def test_the_gradient_of_each_member_on_its_rows_is_that_of_numpy(form, weighted, kind, dtype):
    network, (head, targets) = drawn_network(form, dtype), targets_of(kind, N_ROWS, dtype)
    samples = Samples(rows_of(form, dtype), targets, random_weights(dtype) if weighted else None)
    rows = np.random.default_rng(4).integers(N_ROWS, size=(form.n_members, 31))
    expected, gradient = gradient_by_numpy(network, samples, head, rows)
    network.gradient[...] = 0
    losses = []
    for index, of_member in enumerate(rows):
        total = len(of_member) if samples.weights is None else float(samples.weights[of_member].sum())
        losses.append(member_for(network, samples, head, index).add_gradient(of_member, total))
    assert np.mean(losses) == pytest.approx(expected, rel=TOLERANCE[dtype])
    assert_allclose(network.gradient, gradient, **close(dtype))


@DTYPES
@EVERY_FORM
def test_the_logits_of_each_member_are_those_of_numpy(form, dtype):
    network, X = drawn_network(form, dtype), rows_of(form, dtype)
    workspace = Workspace(form, dtype)
    inputs = workspace.inputs(N_ROWS, form.n_members)
    inputs[..., : form.layout.n_columns] = X
    expected = network.forward(inputs, workspace)[0]
    for index in range(form.n_members):
        out = np.empty((form.n_outputs, N_ROWS), dtype)
        _kernels.logits([make_member(network, index, N_ROWS)], X, out)
        assert_allclose(out.T, expected[index], **close(dtype))


@DTYPES
def test_the_gradients_of_equal_codes_add_up_and_those_of_absent_codes_are_0(dtype):
    form = form_of(1, (5,), 3, n_codes=(4,))
    network = drawn_network(form, dtype)
    one, three = (Samples(np.full((n, 1), 2, dtype), np.zeros(n, int)) for n in (1, 3))
    of_one = gradient_by_kernel(network, one, HEADS["softmax"])[1]
    network.gradient[...] = 7  # of an earlier step
    member = member_for(network, three, HEADS["softmax"])
    member.add_gradient(np.arange(3), 1.0)
    assert_allclose(network.gradient, 3 * of_one, **close(dtype))
    d_E = form.split(network.gradient)[-1][0]
    assert d_E[2].all()
    assert not d_E[[0, 1, 3]].any()


@DTYPES
@pytest.mark.parametrize("hidden", [(), (5,), (3, 70)])
def test_the_gradient_of_sparse_rows_some_of_them_empty_is_that_of_numpy(hidden, dtype):
    network, (head, targets) = drawn_network(form_of(6, hidden, 3), dtype), targets_of("labels", N_ROWS, dtype)
    X = np.random.default_rng(3).normal(size=(N_ROWS, 6)).astype(dtype)
    X[X < 0.5] = 0
    X[10:15] = 0
    sparse, dense = Samples(csr_matrix(X), targets), Samples(X, targets)
    expected, gradient = gradient_by_numpy(network, dense, head)
    loss, ours = gradient_by_kernel(network, sparse, head)
    assert loss == pytest.approx(expected, rel=TOLERANCE[dtype])
    assert_allclose(ours, gradient, **close(dtype))


@EVERY_ACTIVATION
def test_the_gradient_is_the_slope_of_the_kernels_own_loss(name):
    network, (head, targets) = (
        drawn_network(form_of(4, (5, 4), 3, name, n_codes=(3,)), np.float64),
        targets_of("labels", 9, float),
    )
    samples = Samples(rows_of(network.architecture, np.float64, 9), targets)
    w, direction = network.parameters.copy(), np.random.default_rng(0).normal(size=network.parameters.shape)
    slope = gradient_by_kernel(network, samples, head)[1] @ direction
    losses = []
    for sign in (1, -1):
        network.parameters[...] = w + sign * STEP * direction
        losses.append(gradient_by_kernel(network, samples, head)[0])
    assert slope == pytest.approx((losses[0] - losses[1]) / (2 * STEP), rel=1e-6)


# Dropout


@DTYPES
@pytest.mark.parametrize("rates", [(0.5, 0.2), (0.0, 0.3), (0.7, 0.0), (1.0, 1e-9)])
def test_dropout_has_the_masks_of_numpy_for_the_same_seed(rates, dtype):
    network, (head, targets) = drawn_network(form_of(4, (5, 7), 3, ("selu", "tanh")), dtype), targets_of("labels", N_ROWS, dtype)
    samples = Samples(rows_of(network.architecture, dtype), targets)
    (ours,), theirs = bit_generators(3, 1), bit_generators(3, 1)
    member = member_for(network, samples, head, bits=ours, rates=rates)
    for rows in (np.arange(N_ROWS), np.arange(9)):  # the second step has new masks
        expected, gradient = gradient_by_numpy(network, samples, head, rows[None], Dropout(np.reshape(rates, (-1, 1)), theirs))
        loss = member.add_gradient(rows, len(rows))
        assert loss == pytest.approx(expected, rel=TOLERANCE[dtype])
        assert_allclose(network.gradient, gradient, **close(dtype))
    assert_array_equal(ours.random_raw(5), theirs[0].random_raw(5))


def test_logits_have_no_dropout():
    network, (head, targets) = drawn_network(form_of(4, (5,), 3), np.float64), targets_of("labels", N_ROWS, float)
    samples, out = Samples(rows_of(network.architecture, np.float64), targets), np.empty((2, 3, N_ROWS))
    _kernels.logits([member_for(network, samples, head)], samples.X, out[0])
    trained = member_for(network, samples, head, bits=bit_generators(3, 1)[0], rates=(0.9,))
    _kernels.logits([trained], samples.X, out[1])
    assert_array_equal(out[0], out[1])


# Steps

BATCHES = np.split(np.random.default_rng(6).permutation(N_ROWS - 7), [20, 40])
RATES = [0.03, 0.01, 0.02]


class Steps:
    """Steps of a network with an embedded column, in NumPy and by kernels, from the same weights."""

    def __init__(self, make_optimizer, dtype, alpha=0.0, clip_norm=None, ema_decay=None, batches=BATCHES):
        form = form_of(4, (5, 4), 3, n_codes=(6,))
        self.dtype, self.alpha, self.clip_norm, self.batches = dtype, alpha, clip_norm, batches
        self.head, targets = targets_of("labels", N_ROWS, dtype)
        self.samples = Samples(rows_of(form, dtype), targets, random_weights(dtype))
        self.networks = [drawn_network(form, dtype) for _ in range(2)]
        self.optimizers = [make_optimizer(network) for network in self.networks]
        self.averages = [ema_decay and WeightAverage(network.parameters, ema_decay) for network in self.networks]
        self.totals = [float(self.samples.weights[rows].sum()) for rows in batches]

    def by_numpy(self):
        """The loss of each step."""
        network, optimizer, average, losses = self.networks[0], self.optimizers[0], self.averages[0], []
        for rows, rate, total in zip(self.batches, RATES, self.totals):
            loss = gradient_by_numpy(network, self.samples, self.head, rows[None])[0]
            losses.append(loss + network.add_l2(np.array([self.alpha / total]))[0])
            if self.clip_norm is not None:
                clip([network.gradient], self.clip_norm)
            optimizer.step(network.parameters, network.gradient, rate)
            if average:
                average.update(network.parameters, network.gradient)
        return losses

    def by_kernel(self):
        """The loss of each step."""
        network, optimizer, average = self.networks[1], self.optimizers[1], self.averages[1]
        member, losses = member_for(network, self.samples, self.head), np.zeros(len(self.batches))
        kind, vectors, constants = UPDATES[type(optimizer)]
        member.update_by(
            _kernels.UPDATES[kind],
            *(getattr(optimizer, name) for name in vectors),
            [float(getattr(optimizer, name)) for name in constants],
            parts_of(network, 0, optimizer),
            self.alpha,
            inf if self.clip_norm is None else self.clip_norm,
            average.inactive_weights if average else None,
            average.decay if average else 0.0,
        )
        sizes = np.array([len(rows) for rows in self.batches])
        rates = np.array(RATES[: len(sizes)])
        member.steps(np.concatenate(self.batches), sizes, np.array(self.totals), rates, losses, 0, 0)
        return losses

    def assert_equal(self):
        """Both take the same steps, which change all weights that they can."""
        before = self.networks[0].parameters.copy()
        losses, expected = self.by_kernel(), self.by_numpy()
        assert_allclose(losses, expected, rtol=TOLERANCE[self.dtype])
        (theirs, ours), (of_theirs, of_ours) = self.networks, self.optimizers
        assert np.abs(theirs.parameters - before).max() > 1e-4
        assert_allclose(ours.parameters, theirs.parameters, **close(self.dtype))
        for name in set(of_theirs.state) - {"t"}:
            expected = getattr(of_theirs, name)
            assert_allclose(
                getattr(of_ours, name), expected, TOLERANCE[self.dtype], TOLERANCE[self.dtype] * np.abs(expected).max()
            )
        if self.averages[0]:
            assert np.abs(self.averages[0].inactive_weights - theirs.parameters).max() > 1e-4
            assert_allclose(self.averages[1].inactive_weights, self.averages[0].inactive_weights, **close(self.dtype))


OPTIMIZERS = {
    "adam": Adam,
    "adam with other constants": lambda w, **options: Adam(w, beta_1=0.5, beta_2=0.8, epsilon=0.01, **options),
    "nesterov": SGD,
    "momentum": lambda w, **options: SGD(w, momentum=0.5, nesterov=False, **options),
    "no momentum": lambda w, **options: SGD(w, momentum=0.0, **options),
}
EVERY_OPTIMIZER = pytest.mark.parametrize("name", list(OPTIMIZERS))


@DTYPES
@EVERY_OPTIMIZER
def test_an_optimizers_steps_are_those_of_numpy(name, dtype):
    Steps(lambda network: OPTIMIZERS[name](network.parameters), dtype).assert_equal()


@DTYPES
@EVERY_OPTIMIZER
def test_weight_decay_is_that_of_numpy(name, dtype):
    Steps(lambda network: OPTIMIZERS[name](network.parameters, weight_decay=network.decays([3.0])), dtype).assert_equal()


@DTYPES
@pytest.mark.parametrize("parametrization", ["ntk", "standard"])
@EVERY_OPTIMIZER
def test_relative_rates_of_layers_and_codes_are_those_of_numpy(name, parametrization, dtype):
    rates = [np.linspace(0.1, 1, 6)]
    Steps(
        lambda network: OPTIMIZERS[name](network.parameters, relative_rates=network.relative_rates(parametrization, rates)), dtype
    ).assert_equal()


@DTYPES
@EVERY_OPTIMIZER
def test_the_l2_penalty_is_that_of_numpy(name, dtype):
    Steps(lambda network: OPTIMIZERS[name](network.parameters), dtype, alpha=5.0).assert_equal()


@DTYPES
@pytest.mark.parametrize("clip_norm", [0.01, 0.3, 1e6])
def test_clipping_is_that_of_numpy(clip_norm, dtype):
    Steps(lambda network: SGD(network.parameters, momentum=0.5), dtype, alpha=5.0, clip_norm=clip_norm).assert_equal()


@DTYPES
@EVERY_OPTIMIZER
def test_the_average_is_that_of_numpy(name, dtype):
    Steps(lambda network: OPTIMIZERS[name](network.parameters), dtype, alpha=1.0, ema_decay=0.6).assert_equal()


@pytest.mark.parametrize(("dtype", "alpha"), [(np.float32, 1e25), (np.float64, 1e160)])
def test_a_gradient_whose_squares_overflow_is_clipped_as_in_numpy(dtype, alpha):
    steps = Steps(lambda network: SGD(network.parameters, momentum=0.5), dtype, alpha=alpha, clip_norm=2.0)
    with np.errstate(over="ignore"):
        steps.assert_equal()
        assert not np.isfinite(dtype(alpha / 100) ** 2)


@DTYPES
def test_steps_end_before_one_whose_loss_is_not_finite(dtype):
    stopped, first = (
        Steps(lambda network: SGD(network.parameters), dtype, batches=batches) for batches in (BATCHES, BATCHES[:1])
    )
    stopped.samples.X[BATCHES[1][3], 0] = np.nan
    losses, expected = stopped.by_kernel(), first.by_kernel()
    assert_array_equal(losses, [*expected, np.nan, 0])
    assert_array_equal(stopped.networks[1].parameters, first.networks[1].parameters)
    assert_array_equal(stopped.optimizers[1].velocity, first.optimizers[1].velocity)
