"""The optimizers against scalar transcriptions of their formulas, and on functions whose minimum is known."""

from math import sqrt
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

from sksoftmax.nn.optimizers import SGD, Adam, WeightAverage, clip, make_optimizer
from support.marks import STEPWISE
from support.networks import form_of, initialized

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
def test_adam_with_beta_1_beta_2_and_epsilon_equals_the_papers_formula(beta_1, beta_2, epsilon):
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
def test_sgd_with_momentum_and_nesterovs_momentum_equals_scikit_learns_formula(momentum, nesterov):
    w, gradients, rates = random_run()
    ours = steps(SGD(w, momentum=momentum, nesterov=nesterov), w, gradients, rates)
    for i in range(SIZE):
        x, v = w[i], 0.0
        for g, rate in zip(gradients[:, i], rates):
            v = momentum * v - rate * g
            x += momentum * v - rate * g if nesterov else v
        assert ours[i] == pytest.approx(x, rel=1e-12)


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
def test_weight_decay_shrinks_the_weights_in_a_step_without_a_gradient(name, decay):
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
        step = steps(plain, np.zeros(SIZE), [g], [rate])  # does not depend on the starting point
        expected = expected * (1 - rate * 0.3) + step
    np.testing.assert_allclose(steps(decaying, w, gradients, rates), expected, rtol=1e-12)


@EVERY_OPTIMIZER
def test_relative_learning_rates_scale_the_steps_of_their_parts(name):
    w, gradients, rates = random_run()
    relative = OPTIMIZERS[name](w, relative_rates=[(slice(0, 2), 0.5), (slice(2, 5), 3.0)])
    moved = steps(OPTIMIZERS[name](w), w, gradients, rates) - w
    expected = w + moved * [0.5, 0.5, 3, 3, 3]
    np.testing.assert_allclose(steps(relative, w, gradients, rates), expected, rtol=1e-12)


# Convergence


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
def test_a_resumed_optimizer_continues_as_if_never_interrupted(name):
    w, gradients, rates = random_run()
    expected = steps(OPTIMIZERS[name](w), w, gradients, rates)
    first, second = OPTIMIZERS[name](w), OPTIMIZERS[name](w)
    halfway = steps(first, w, gradients[:10], rates[:10])
    second.resume(first, keep_rate=True)
    np.testing.assert_array_equal(steps(second, halfway, gradients[10:], rates[10:]), expected)


@pytest.mark.parametrize("init, keep_rate, expected", [(0.1, True, 0.02), (0.1, False, 0.1), (0.3, True, 0.3), (0.3, False, 0.3)])
def test_a_resumed_optimizer_keeps_a_lowered_learning_rate_unless_the_initial_one_was_changed(init, keep_rate, expected):
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


def test_an_optimizer_takes_nothing_over_from_one_of_another_size():
    previous, adam = Adam(np.zeros(SIZE + 1)), Adam(np.zeros(SIZE))
    previous.step(np.zeros(SIZE + 1), np.ones(SIZE + 1), 0.1)
    adam.resume(previous, keep_rate=True)
    assert (adam.t, adam.m.shape) == (0, (SIZE,))


@pytest.mark.parametrize("n_steps", [1, 3])
def test_changed_betas_keep_the_moments_after_any_number_of_steps(n_steps):
    w, gradients, rates = random_run(n_steps)
    first, second = Adam(w), Adam(w, beta_1=0.5, beta_2=0.9)
    steps(first, w, gradients, rates)
    second.resume(first, keep_rate=True)
    np.testing.assert_allclose(second.m * (1 - 0.5), first.m * (1 - 0.9), rtol=1e-12)
    np.testing.assert_allclose(second.v * (1 - 0.9), first.v * (1 - 0.999), rtol=1e-12)


@EVERY_OPTIMIZER
def test_an_optimizer_that_has_forgotten_steps_like_a_new_one(name):
    w, gradients, rates = random_run()
    used, new = (OPTIMIZERS[name](w) for _ in range(2))
    steps(used, w, gradients[:10], rates)
    used.forget()
    np.testing.assert_array_equal(steps(used, w, gradients[10:], rates), steps(new, w, gradients[10:], rates))
    for name in used.state:
        np.testing.assert_array_equal(getattr(used, name), getattr(new, name))


def test_only_adam_reports_a_moment_that_has_become_infinite():
    w = np.zeros(SIZE)
    for optimizer, expected in ((Adam(w), True), (SGD(w), False)):
        assert not optimizer.overflowed()
        with np.errstate(over="ignore"):
            steps(optimizer, w, [np.array([1e200, 0, 0, 0, 0])], [1e-3])
        assert optimizer.overflowed() == expected


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
    "weight_decay": np.zeros(1),
    "momentum": 0.8,
    "nesterovs_momentum": False,
    "beta_1": 0.7,
    "beta_2": 0.99,
    "epsilon": 1e-5,
    "parametrization": "standard",
}


def recipe_of(**changes):
    """What `make_optimizer` reads of a recipe."""
    return SimpleNamespace(**{**OPTIONS, **changes})


def tiny_network(dtype=np.float64, **params):
    return initialized(form_of(2, (3,), 1, "relu", **params), dtype)


def test_the_optimizers_defaults_are_mlpclassifiers():
    theirs, w = MLPClassifier(), np.zeros(SIZE)
    adam, sgd = Adam(w), SGD(w)
    assert adam.learning_rate == sgd.learning_rate == theirs.learning_rate_init
    assert (adam.beta_1, adam.beta_2, adam.epsilon) == (theirs.beta_1, theirs.beta_2, theirs.epsilon)
    assert (sgd.momentum, sgd.nesterov) == (theirs.momentum, theirs.nesterovs_momentum)


def test_make_optimizer_gives_no_optimizer_to_lbfgs():
    assert make_optimizer(recipe_of(solver="lbfgs"), tiny_network()) is None


@STEPWISE
def test_make_optimizer_gives_layers_their_own_rates_with_parametrization_ntk_alone(solver):
    network = tiny_network()
    assert make_optimizer(recipe_of(solver=solver), network).relative_rates is None
    rates = make_optimizer(recipe_of(solver=solver, parametrization="ntk"), network).relative_rates
    assert rates == network.relative_rates("ntk")


@STEPWISE
@pytest.mark.parametrize("parametrization", ["ntk", "standard"])
def test_make_optimizer_gives_tables_the_rates_of_their_codes(solver, parametrization):
    network, rates_of_codes = tiny_network(n_codes=(3,)), [np.array([0.1, 0.5, 1.0])]
    relative_rates = make_optimizer(
        recipe_of(solver=solver, parametrization=parametrization), network, rates_of_codes
    ).relative_rates
    part, factors = relative_rates[-1]
    assert network.parameters[part].size == network.E.size
    np.testing.assert_array_equal(factors.reshape(3, -1), np.broadcast_to(rates_of_codes[0][:, None], network.E[0].shape))


def test_make_optimizer_gives_adam_its_parameters():
    adam = make_optimizer(recipe_of(), tiny_network())
    assert type(adam) is Adam
    assert (adam.learning_rate, adam.learning_rate_init, adam.t) == (0.02, 0.02, 0)
    assert (adam.beta_1, adam.beta_2, adam.epsilon) == (0.7, 0.99, 1e-5)


def test_make_optimizer_gives_sgd_its_parameters():
    sgd = make_optimizer(recipe_of(solver="sgd"), tiny_network())
    assert type(sgd) is SGD
    assert (sgd.learning_rate, sgd.learning_rate_init, sgd.momentum, sgd.nesterov) == (0.02, 0.02, 0.8, False)


@STEPWISE
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_make_optimizer_applies_weight_decay_to_weights_and_not_to_biases(solver, dtype):
    net = tiny_network(dtype)
    before = [a.copy() for a in net.coefs + net.intercepts]
    optimizer = make_optimizer(recipe_of(solver=solver, weight_decay=np.array([0.5])), net)
    optimizer.step(net.parameters, np.zeros_like(net.parameters), 0.1)
    for now, then in zip(net.coefs, before):
        np.testing.assert_allclose(now, 0.95 * then, rtol=2 * np.finfo(dtype).eps)
    for now, then in zip(net.intercepts, before[2:]):
        np.testing.assert_array_equal(now, then)
    assert net.parameters.dtype == dtype


# Clipping


@pytest.mark.parametrize("max_norm", [0.1, 1.0, 4.9])
def test_clip_norm_cuts_a_longer_gradient_and_keeps_its_direction(max_norm):
    g = np.array([3.0, 0.0, -4.0])
    clip([g[:1], g[1:]], max_norm)
    np.testing.assert_allclose(g, np.array([0.6, 0, -0.8]) * max_norm, rtol=1e-14)


@pytest.mark.parametrize("max_norm", [5.0, 1e9])
def test_clip_norm_leaves_a_gradient_that_is_not_longer_unchanged(max_norm):
    for g in (np.array([3.0, 0.0, -4.0]), np.zeros(3), np.array([5e-324, 0.0])):
        before = g.copy()
        clip([g[:1], g[1:]], max_norm)
        np.testing.assert_array_equal(g, before)


@pytest.mark.parametrize(("dtype", "huge"), [(np.float32, 1e25), (np.float32, 3e38), (np.float64, 1e200), (np.float64, 1e308)])
@pytest.mark.parametrize("max_norm", [1e-3, 1.0, 1e6])
def test_clip_norm_cuts_a_gradient_whose_square_overflows(dtype, huge, max_norm):
    g = np.array([0.6, 0.0, -0.8], dtype) * dtype(huge)
    with np.errstate(over="ignore"):
        clip([g[:1], g[1:]], max_norm)
    assert g.dtype == dtype
    np.testing.assert_allclose(g, np.array([0.6, 0, -0.8]) * max_norm, rtol=1e-6)


def test_clip_norm_leaves_a_short_gradient_whose_square_overflows_unchanged():
    g = np.array([3e20, -4e20], np.float32)
    with np.errstate(over="ignore"):
        clip([g[:1], g[1:]], 1e30)
    np.testing.assert_allclose(g, [3e20, -4e20], rtol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_clip_norm_does_not_make_a_gradient_finite(value):
    g = np.array([1.0, value])
    with np.errstate(invalid="ignore"):
        clip([g[:1], g[1:]], 1.0)
    assert not np.isfinite(g).all()


# Averaging


def averaged_by_hand(points, decay):
    """The exponential average of a sequence, as Adam corrects its own for the start."""
    total = np.zeros_like(points[0])
    for point in points:
        total = decay * total + (1 - decay) * point
    return total / (1 - decay ** len(points))


def averaged_steps(optimizer, average, w, gradients, rates):
    """Take these steps within an epoch, and move the average after each."""
    for g, rate in zip(gradients, rates):
        g = g.copy()
        optimizer.step(w, g, rate)
        average.update(w, scratch=g)


def averaged_epochs(optimizer, average, w, gradients, rates, per_epoch=5):
    """The weights that are evaluated after each epoch, and those from which the next epoch would continue."""
    w, shown = w.copy(), []
    for start in range(0, len(gradients), per_epoch):
        epoch = slice(start, start + per_epoch)
        average.begin_epoch(w)
        averaged_steps(optimizer, average, w, gradients[epoch], rates[epoch])
        average.end_epoch(w)
        shown.append(w.copy())
    average.begin_epoch(w)
    return shown, w


@EVERY_OPTIMIZER
@pytest.mark.parametrize("decay", [1e-3, 0.5, 0.99])
def test_ema_decay_gives_the_bias_corrected_average_and_does_not_change_the_steps(name, decay):
    w, gradients, rates = random_run()
    plain, points = OPTIMIZERS[name](w), [w]
    for g, rate in zip(gradients, rates):
        points.append(steps(plain, points[-1], [g], [rate]))
    shown, continued = averaged_epochs(OPTIMIZERS[name](w), WeightAverage(w, decay), w, gradients, rates)
    np.testing.assert_array_equal(continued, points[-1])
    for epoch, average in enumerate(shown, start=1):
        np.testing.assert_allclose(average, averaged_by_hand(points[1 : 5 * epoch + 1], decay), rtol=1e-11)


@EVERY_OPTIMIZER
def test_a_resumed_ema_decay_average_continues_as_if_never_interrupted(name):
    w, gradients, rates = random_run()
    expected, _ = averaged_epochs(OPTIMIZERS[name](w), WeightAverage(w, 0.8), w, gradients, rates)
    first, second = ((OPTIMIZERS[name](w), WeightAverage(w, 0.8)) for _ in range(2))
    halfway = w.copy()
    first[1].begin_epoch(halfway)
    averaged_steps(*first, halfway, gradients[:5], rates)
    first[1].end_epoch(halfway)
    second[0].resume(first[0], keep_rate=True)
    second[1].resume(first[1])
    shown, _ = averaged_epochs(*second, halfway, gradients[5:], rates[5:])
    np.testing.assert_array_equal(shown, expected[1:])


def test_a_resumed_ema_decay_average_leaves_the_earlier_one_unchanged():
    w, gradients, rates = random_run()
    first, second = WeightAverage(w, 0.8), WeightAverage(w, 0.8)
    averaged_epochs(SGD(w), first, w, gradients, rates)
    before = first.inactive_weights.copy(), first.last_average.copy(), first.n_averaged
    second.resume(first)
    averaged_epochs(SGD(w), second, first.last_average, gradients, rates)
    for now, then in zip((first.inactive_weights, first.last_average, first.n_averaged), before):
        np.testing.assert_array_equal(now, then)


@EVERY_OPTIMIZER
def test_weights_set_by_the_user_start_a_new_ema_decay_average(name):
    w, gradients, rates = random_run()
    optimizer, average = OPTIMIZERS[name](w), WeightAverage(w, 0.8)
    _, continued = averaged_epochs(optimizer, average, w, gradients, rates)
    average.end_epoch(continued)
    elsewhere = np.full(SIZE, 3.0)
    average.begin_epoch(elsewhere)
    np.testing.assert_array_equal(elsewhere, 3.0)
    averaged_steps(optimizer, average, elsewhere, gradients[:1], [0.1])
    stepped = elsewhere.copy()
    average.end_epoch(elsewhere)
    np.testing.assert_allclose(elsewhere, stepped, rtol=1e-14)  # the average of one point


def test_an_ema_decay_average_of_zero_weights_begins_with_its_first_step():
    w = np.zeros(SIZE)
    shown, _ = averaged_epochs(SGD(w), WeightAverage(w, 0.8), w, np.ones((1, SIZE)), [0.5])
    np.testing.assert_allclose(shown, steps(SGD(w), w, np.ones((1, SIZE)), [0.5])[None], rtol=1e-14)


def test_ema_decay_changes_nothing_in_an_epoch_without_a_step():
    average, w = WeightAverage(np.zeros(SIZE), 0.8), np.ones(SIZE)
    average.begin_epoch(w)
    average.end_epoch(w)
    np.testing.assert_array_equal(w, 1)


def test_ema_decay_changes_nothing_if_the_epoch_has_not_begun():
    """This happens if an interrupt comes before the first epoch of a warm start."""
    w, gradients, rates = random_run()
    first, second = (WeightAverage(w, 0.8) for _ in range(2))
    first.begin_epoch(w)
    averaged_steps(SGD(w), first, w, gradients[:2], rates)
    first.end_epoch(w)
    second.resume(first)
    for average in (first, second):
        before = w.copy()
        average.end_epoch(w)
        np.testing.assert_array_equal(w, before)


@pytest.mark.parametrize("earlier", [None, WeightAverage(np.ones(SIZE + 1), 0.8)], ids=["none", "another size"])
def test_an_ema_decay_average_begins_where_training_without_it_or_of_another_size_ended(earlier):
    w, gradients, rates = random_run()
    adam, resumed, average = Adam(w), Adam(w), WeightAverage(w, 0.8)
    halfway = steps(adam, w, gradients[:10], rates)
    resumed.resume(adam, keep_rate=True)
    average.resume(earlier)
    assert (average.n_averaged, average.inactive_weights.shape) == (0, (SIZE,))
    _, continued = averaged_epochs(resumed, average, halfway, gradients[10:], rates)
    np.testing.assert_array_equal(continued, steps(adam, halfway, gradients[10:], rates))


def test_an_ema_decay_average_that_has_forgotten_begins_like_a_new_one():
    """Its numbers may not be finite before."""
    w, gradients, rates = random_run()
    used, new = WeightAverage(w, 0.5), WeightAverage(w, 0.5)
    averaged_epochs(SGD(w), used, w, gradients, rates)
    used.inactive_weights[:2] = np.inf, np.nan
    used.forget()
    used.begin_epoch(other := np.ones(SIZE))
    np.testing.assert_array_equal(other, 1)
    ours, theirs = (averaged_epochs(SGD(w), average, w, gradients, rates)[0] for average in (used, new))
    np.testing.assert_array_equal(ours, theirs)


def test_an_ema_decay_update_that_is_interrupted_does_not_count():
    class Interrupting(np.ndarray):
        def __iadd__(self, other):
            raise KeyboardInterrupt

    average = WeightAverage(np.zeros(SIZE), 0.8)
    average.inactive_weights = average.inactive_weights.view(Interrupting)
    with pytest.raises(KeyboardInterrupt):
        average.update(np.ones(SIZE), scratch=np.empty(SIZE))
    assert average.n_averaged == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_ema_decay_average_keeps_the_dtype(dtype):
    w, gradients, rates = random_run()
    w, gradients = w.astype(dtype), gradients.astype(dtype)
    shown, continued = averaged_epochs(Adam(w), WeightAverage(w, 0.9), w, gradients, rates)
    assert shown[-1].dtype == continued.dtype == dtype
