"""The optimizers against scalar transcriptions of their formulas, and on functions whose minimum is known."""

from math import sqrt
from types import SimpleNamespace

import numpy as np
import pytest

from sksoftmax.network import Network
from sksoftmax.optimizers import SGD, Adam, make_optimizer

SIZE = 5


def random_run(n_steps=20, seed=0):
    """Parameters, and the gradients and learning rates of a number of steps."""
    rng = np.random.RandomState(seed)
    return rng.normal(size=SIZE), rng.normal(size=(n_steps, SIZE)), rng.uniform(0.001, 0.1, n_steps)


def steps(optimizer, w, gradients, rates):
    """The parameters after these steps; neither w nor the gradients are touched."""
    w = w.copy()
    for g, rate in zip(gradients, rates):
        optimizer.step(w, g.copy(), rate)
    return w


def descend(optimizer, gradient, w, n_steps):
    """The parameters after following a gradient function at the optimizer's own rate."""
    for _ in range(n_steps):
        optimizer.step(w, gradient(w), optimizer.learning_rate)
    return w


# The formulas


@pytest.mark.parametrize("beta_1, beta_2, epsilon", [(0.9, 0.999, 1e-8), (0.5, 0.9, 1e-2), (0.0, 0.95, 1e-8)])
def test_adam_equals_the_papers_formula(beta_1, beta_2, epsilon):
    w, gradients, rates = random_run()
    ours = steps(Adam(w, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon), w, gradients, rates)
    for i in range(SIZE):
        x, m, v = w[i], 0.0, 0.0
        for t, (g, rate) in enumerate(zip(gradients[:, i], rates), start=1):
            m = beta_1 * m + (1 - beta_1) * g
            v = beta_2 * v + (1 - beta_2) * g**2
            x -= rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon)
        assert ours[i] == pytest.approx(x, rel=1e-12)


@pytest.mark.parametrize("momentum, nesterov", [(0.0, False), (0.0, True), (0.9, False), (0.9, True), (1.0, True)])
def test_sgd_equals_scikit_learns_formula(momentum, nesterov):
    w, gradients, rates = random_run()
    ours = steps(SGD(w, momentum=momentum, nesterov=nesterov), w, gradients, rates)
    for i in range(SIZE):
        x, v = w[i], 0.0
        for g, rate in zip(gradients[:, i], rates):
            v = momentum * v - rate * g
            x += momentum * v - rate * g if nesterov else v
        assert ours[i] == pytest.approx(x, rel=1e-12)


def test_plain_sgd_subtracts_the_rate_times_the_gradient():
    w = steps(SGD(np.zeros(2), momentum=0), np.array([1.0, 2.0]), [np.array([10.0, -10.0])], [0.5])
    np.testing.assert_array_equal(w, [-4, 7])


@pytest.mark.parametrize("gradient", [0.1, 1.0, 1e3])
def test_adams_first_step_has_the_size_of_the_rate_whatever_the_gradient(gradient):
    w = steps(Adam(np.zeros(1)), np.zeros(1), [np.array([gradient])], [0.01])
    assert w[0] == pytest.approx(-0.01, rel=1e-5)


# Weight decay

OPTIMIZERS = {
    "adam": lambda w, **kwargs: Adam(w, **kwargs),
    "sgd": lambda w, **kwargs: SGD(w, momentum=0, **kwargs),
    "momentum": lambda w, **kwargs: SGD(w, nesterov=False, **kwargs),
    "nesterov": lambda w, **kwargs: SGD(w, **kwargs),
}
EVERY_OPTIMIZER = pytest.mark.parametrize("name", OPTIMIZERS)
IS_WEIGHT = np.array([1.0, 1.0, 0.0, 1.0, 0.0])
OF_WEIGHTS = [(slice(0, 2), 0.1), (slice(3, 4), 0.1)]
OF_ALL = [(slice(0, 5), 0.1)]


@EVERY_OPTIMIZER
@pytest.mark.parametrize("decay", [OF_ALL, OF_WEIGHTS], ids=["all", "weights"])
def test_without_a_gradient_each_step_shrinks_exactly_what_decays(name, decay):
    w, _, rates = random_run()
    ours, expected = steps(OPTIMIZERS[name](w, weight_decay=decay), w, np.zeros((20, SIZE)), rates), w.copy()
    for rate in rates:
        expected *= 1 - rate * 0.1 * (IS_WEIGHT if decay is OF_WEIGHTS else 1)
    np.testing.assert_allclose(ours, expected, rtol=1e-14)
    if decay is OF_WEIGHTS:
        np.testing.assert_array_equal(ours[IS_WEIGHT == 0], w[IS_WEIGHT == 0])
    assert (np.abs(ours) < np.abs(w)).any()


@EVERY_OPTIMIZER
def test_weight_decay_stays_out_of_the_moments(name):
    w, gradients, rates = random_run()
    plain, decaying, expected = OPTIMIZERS[name](w), OPTIMIZERS[name](w, weight_decay=[(slice(0, 5), 0.3)]), w.copy()
    for g, rate in zip(gradients, rates):
        step = steps(plain, np.zeros(SIZE), [g], [rate])  # does not depend on where it starts
        expected = expected * (1 - rate * 0.3) + step
    np.testing.assert_allclose(steps(decaying, w, gradients, rates), expected, rtol=1e-12)


# Convergence


@EVERY_OPTIMIZER
def test_an_optimizer_finds_the_minimum_of_a_parabola(name):
    target, curvature = np.array([1.0, -2.0, 3.0, 0.5, 0.0]), np.array([1.0, 2.0, 0.5, 1.0, 4.0])
    w = descend(OPTIMIZERS[name](target, learning_rate=0.03), lambda w: curvature * (w - target), np.zeros(SIZE), 2000)
    np.testing.assert_allclose(w, target, atol=1e-6)


@EVERY_OPTIMIZER
def test_an_optimizer_finds_the_minimum_of_rosenbrocks_function(name):
    def gradient(w):
        x, y = w
        return np.array([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)])

    rate, n_steps = {"adam": (0.02, 4000), "sgd": (1e-3, 30000)}.get(name, (1e-3, 4000))
    w = descend(OPTIMIZERS[name](np.zeros(2), learning_rate=rate), gradient, np.zeros(2), n_steps)
    np.testing.assert_allclose(w, [1, 1], atol=1e-3)


# State


@EVERY_OPTIMIZER
def test_a_resumed_optimizer_goes_on_as_if_never_interrupted(name):
    w, gradients, rates = random_run()
    expected = steps(OPTIMIZERS[name](w), w, gradients, rates)
    first, second = OPTIMIZERS[name](w), OPTIMIZERS[name](w)
    halfway = steps(first, w, gradients[:10], rates[:10])
    second.resume(first, keep_rate=True)
    np.testing.assert_array_equal(steps(second, halfway, gradients[10:], rates[10:]), expected)


@pytest.mark.parametrize("init, keep_rate, expected", [(0.1, True, 0.02), (0.1, False, 0.1), (0.3, True, 0.3), (0.3, False, 0.3)])
def test_resuming_keeps_a_lowered_rate_unless_the_initial_one_was_changed(init, keep_rate, expected):
    previous, following = SGD(np.zeros(SIZE), learning_rate=0.1), SGD(np.zeros(SIZE), learning_rate=init)
    previous.learning_rate = 0.02
    following.resume(previous, keep_rate)
    assert following.learning_rate == expected


@pytest.mark.parametrize("previous", [None, SGD(np.ones(SIZE))], ids=["none", "sgd"])
def test_an_optimizer_takes_nothing_over_from_none_or_one_of_another_kind(previous):
    adam, untouched = Adam(np.zeros(SIZE)), vars(Adam(np.zeros(SIZE)))
    adam.resume(previous, keep_rate=True)
    assert vars(adam).keys() == untouched.keys()
    for name, value in untouched.items():
        np.testing.assert_array_equal(getattr(adam, name), value)


@EVERY_OPTIMIZER
def test_float32_stays_float32_and_close_to_float64(name):
    w, gradients, rates = random_run()
    w32, optimizer = w.astype(np.float32), OPTIMIZERS[name](w.astype(np.float32), weight_decay=OF_WEIGHTS)
    moments = [optimizer.velocity] if isinstance(optimizer, SGD) else [optimizer.m, optimizer.v]
    for g, rate in zip(gradients.astype(np.float32), rates):
        optimizer.step(w32, g, np.float64(rate))
    assert {a.dtype for a in [w32, *moments]} == {np.dtype(np.float32)}
    exact = steps(OPTIMIZERS[name](w, weight_decay=OF_WEIGHTS), w, gradients, rates)
    np.testing.assert_allclose(w32, exact, rtol=1e-4, atol=1e-5)


# From the estimator's parameters


OPTIONS = {
    "solver": "adam",
    "learning_rate_init": 0.02,
    "weight_decay": 0.0,
    "momentum": 0.8,
    "nesterovs_momentum": False,
    "beta_1": 0.7,
    "beta_2": 0.99,
    "epsilon": 1e-5,
    "ema_decay": 0.0,
    "parametrization": "standard",
}


def options(**changes):
    return SimpleNamespace(**{**OPTIONS, **changes})


def network(dtype=np.float64):
    network = Network((2, 3, 1), "relu", dtype)
    network.initialize(np.random.RandomState(0))
    return network


def test_make_optimizer_gives_adam_its_parameters():
    adam = make_optimizer(options(), network())
    assert type(adam) is Adam
    assert (adam.learning_rate, adam.learning_rate_init, adam.t) == (0.02, 0.02, 0)
    assert (adam.beta_1, adam.beta_2, adam.epsilon) == (0.7, 0.99, 1e-5)


def test_make_optimizer_gives_sgd_its_parameters():
    sgd = make_optimizer(options(solver="sgd"), network())
    assert type(sgd) is SGD
    assert (sgd.learning_rate, sgd.learning_rate_init, sgd.momentum, sgd.nesterov) == (0.02, 0.02, 0.8, False)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_make_optimizer_lets_weights_decay_and_biases_be(solver, dtype):
    net = network(dtype)
    before = [a.copy() for a in net.coefs + net.intercepts]
    optimizer = make_optimizer(options(solver=solver, weight_decay=0.5), net)
    optimizer.step(net.parameters, np.zeros_like(net.parameters), 0.1)
    for now, then in zip(net.coefs, before):
        np.testing.assert_allclose(now, 0.95 * then, rtol=2 * np.finfo(dtype).eps)
    for now, then in zip(net.intercepts, before[2:]):
        np.testing.assert_array_equal(now, then)
    assert net.parameters.dtype == dtype
