"""The parts of training one by one: rows and batches, divergence, validation scores, and the limits of L-BFGS."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss

from sksoftmax.data.heads import SoftmaxHead
from sksoftmax.data.rows import Rows
from sksoftmax.nn.network import Network
from sksoftmax.nn.optimizers import SGD, Adam
from sksoftmax.training import run
from sksoftmax.training.callbacks import NoTasks
from sksoftmax.training.committee import Mixture
from sksoftmax.training.progress import Progress
from sksoftmax.training.run import Run, Samples, diverged, lbfgs_limits, minibatches, parts, warn_if_not_converged

X = np.random.default_rng(0).normal(size=(30, 4))
y = X[:, :3].argmax(axis=1)
WEIGHTS = np.random.default_rng(1).uniform(0.1, 2, len(X))
ROWS = np.array([7, 2, 19])


def untrained_network():
    network = Network((4, 5, 3), "tanh", np.float64)
    network.initialize(np.random.RandomState(0))
    return network


def make_run(weights=None, **options):
    """A run on all rows that scores them, too."""
    options = SimpleNamespace(**{"verbose": 0, "label_smoothing": 0.0, "scoring": "accuracy", **options})
    rows = Samples(X, y, weights)
    run = Run(untrained_network(), SoftmaxHead(np.arange(3)), rows, rows, Progress(), options, NoTasks(), Mixture.equal(1))
    run.order = np.arange(len(X))[None]
    return run


# Rows


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_a_batch_has_its_rows_targets_and_weights_and_the_sum_of_these(form, weights):
    rows, targets, of_rows, total = Samples(form(X), y, weights).batch(ROWS)
    assert_array_equal(rows.toarray() if form is csr_matrix else rows, X[ROWS])
    assert_array_equal(targets, y[ROWS])
    if weights is None:
        assert (of_rows, total) == (None, 3)
    else:
        assert_array_equal(of_rows, weights[ROWS])
        assert total == pytest.approx(weights[ROWS].sum())


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_a_part_of_the_samples_has_its_own_rows_and_weights(weights):
    samples = Samples(X, y, weights, np.arange(100, 130))
    part = samples[10:15]
    assert (len(samples), len(part)) == (30, 5)
    for ours, theirs in ((part.X, X), (part.targets, y), (part.rows, samples.rows)):
        assert_array_equal(ours, theirs[10:15])
    assert part.total_weight == pytest.approx(5 if weights is None else weights[10:15].sum())


@pytest.mark.parametrize(
    ("batch_size", "lengths"), [(10, [10, 10, 10]), (12, [12, 12, 6]), (30, [30]), (99, [30]), (1, [1] * 30)]
)
def test_the_batches_of_one_network_are_all_rows_in_order_and_only_the_last_may_be_smaller(batch_size, lengths):
    order = np.random.default_rng(0).permutation(30)[None]
    batches = minibatches(order, batch_size)
    assert [len(batch) for batch in batches] == lengths
    assert_array_equal(np.concatenate(batches), order[0])


@pytest.mark.parametrize(("numbers", "lengths"), [(1, [1] * 30), (8, [2] * 15), (40, [10] * 3), (44, [11, 11, 8]), (200, [30])])
def test_rows_not_in_memory_come_in_parts_of_limited_size_and_at_least_one_row(numbers, lengths, monkeypatch):
    monkeypatch.setattr(run, "PART_NUMBERS", numbers)
    pieces = list(parts(Samples(Rows(X), y, None, np.arange(30))))
    assert [len(piece) for piece in pieces] == lengths
    assert_array_equal(np.concatenate([piece.rows for piece in pieces]), np.arange(30))


def test_rows_in_memory_are_one_part():
    samples = Samples(X, y)
    assert parts(samples) == [samples]


# Divergence


def test_training_has_diverged_if_the_loss_the_weights_or_a_moment_is_not_finite():
    def optimizer(v=1.0):
        adam = Adam(untrained_network().parameters)
        adam.v[0] = v
        return adam

    def net(w=1.0):
        net = untrained_network()
        net.parameters[0] = w
        return net

    assert not diverged(1.0, net(), optimizer())
    assert not diverged(1.0, net(), SGD(net().parameters))
    for loss in (np.inf, np.nan):
        assert diverged(loss, net(), optimizer())
    for w in (np.inf, np.nan, 1e200):  # the last is too large to square
        with np.errstate(over="ignore"):
            assert diverged(1.0, net(w), optimizer())
    for v in (np.inf, np.nan):
        assert diverged(1.0, net(), optimizer(v))


# Scores


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_validation_is_the_weighted_loss_and_the_weighted_accuracy_or_minus_the_loss(weights):
    run = make_run(weights)
    logits = run.network.forward(X)[0]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    loss = log_loss(y, p, sample_weight=weights)
    assert_allclose(run.validate(), [loss, accuracy_score(y, logits.argmax(axis=1), sample_weight=weights)], rtol=1e-12)
    assert_allclose(make_run(weights, scoring="loss").validate(), [loss, -loss], rtol=1e-12)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_loss_of_the_initial_weights_is_a_weighted_mean(weights):
    run = make_run(weights)
    assert run.initial_loss() == pytest.approx(run.validate()[0], rel=1e-12)


# L-BFGS


@pytest.mark.parametrize(
    ("tol", "dtype", "ftol"),
    [(1e-3, np.float64, 1e7 * 2**-52), (1e-6, np.float64, 1e-12), (0, np.float64, 10 * 2**-52), (1e-6, np.float32, 10 * 2**-23)],
)
def test_tol_of_lbfgs_is_scipys_change_of_the_loss_or_its_square_but_not_below_rounding(tol, dtype, ftol):
    limits = lbfgs_limits(SimpleNamespace(max_iter=5, max_fun=7, tol=tol), dtype)
    assert limits.pop("ftol") == pytest.approx(ftol, rel=1e-12)
    assert limits == {"maxiter": 5, "maxfun": 7, "gtol": tol}


@pytest.mark.parametrize("status", [1, 2])
def test_lbfgs_that_ends_at_a_limit_or_in_a_failed_search_says_so(status):
    options, result = SimpleNamespace(max_iter=5, max_fun=7), SimpleNamespace(status=status, nit=5, message="of SciPy")
    with pytest.warns(ConvergenceWarning, match=rf"after 5 iteration.*status={status}.*: of SciPy\n.*max_iter=5 or max_fun=7"):
        warn_if_not_converged(result, options)


@pytest.mark.parametrize("status", [0, 99])
def test_lbfgs_that_converges_or_is_stopped_warns_of_nothing(status):
    warn_if_not_converged(SimpleNamespace(status=status), SimpleNamespace())
