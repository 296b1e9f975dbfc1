"""Gradient descent in place on a network's flat vectors, an average of its weights, and clipping of its gradient.

`w` are the parameters, `g` is the gradient, and `rate` is the learning rate of this step. `step` may overwrite g.
`learning_rate` is the current base rate, which schedules lower. `relative_rates` are pairs of a slice of w and a factor of its
rate (or an array of factors); together the slices cover w.

`weight_decay` is decoupled (Loshchilov & Hutter, arXiv:1711.05101): w ← w − rate · decay · w, apart from the gradient step and
its moments. It is a list of pairs of a slice of w and a strength; the rest of w does not decay. Under momentum μ, decoupled decay
is weaker than a coupled L2 penalty of the same strength by the factor 1 − μ.
"""

from copy import copy
from math import isfinite, sqrt
from typing import ClassVar

import numpy as np


class Optimizer:
    """Base class of the optimizers: they have a base learning rate and can resume from an earlier optimizer's state.

    `state` names the attributes that a later call continues from. `options` has the arguments of the constructor that are
    parameters of the estimator: the name of each argument → the name of the parameter. `has_own_schedules` is whether the
    schedules 'invscaling' and 'adaptive' change its rate.
    """

    state: tuple[str, ...] = ()
    options: ClassVar[dict[str, str]] = {}
    has_own_schedules = False

    def resume(self, previous, keep_rate):
        """Copy the moments of an optimizer of the same kind and size, and its rate if the initial rate is the same."""
        if type(previous) is not type(self) or any(
            np.shape(getattr(previous, name)) != np.shape(getattr(self, name)) for name in self.state
        ):
            return
        for name in self.state:
            setattr(self, name, copy(getattr(previous, name)))
        if keep_rate and previous.learning_rate_init == self.learning_rate_init:
            self.learning_rate = previous.learning_rate

    def overflowed(self):
        """Whether a moment has overflowed, although the parameters are finite."""
        return False

    def forget(self):
        """Set the moments and the step count to zero."""
        for name in self.state:
            value = getattr(self, name)
            setattr(self, name, np.zeros_like(value) if isinstance(value, np.ndarray) else 0)


class SGD(Optimizer):
    """Stochastic gradient descent with plain or Nesterov's momentum.

    v ← μ v − rate · g;  w ← w + v, or with Nesterov's momentum w ← w + μ v − rate · g
    (Sutskever et al., 2013, "On the importance of initialization and momentum in deep learning".)
    """

    state = ("velocity",)
    options: ClassVar = {"momentum": "momentum", "nesterov": "nesterovs_momentum"}
    has_own_schedules = True

    def __init__(self, parameters, learning_rate=1e-3, momentum=0.9, nesterov=True, weight_decay=(), relative_rates=None):
        self.relative_rates = relative_rates
        self.learning_rate = self.learning_rate_init = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        self.velocity = np.zeros_like(parameters)

    def step(self, w, g, rate):
        """Move w along −g, overwriting both."""
        decay(w, rate, self.weight_decay)
        v = self.velocity
        scale(g, rate, self.relative_rates)
        v *= self.momentum
        v -= g
        if self.nesterov:
            w += self.momentum * v - g
        else:
            w += v


class Adam(Optimizer):
    """Adam (Kingma & Ba, arXiv:1412.6980), with the paper's efficient order of computation.

    m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;
    w ← w − rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε).

    The attributes hold m / (1 − β₁) and v / (1 − β₂), which saves two passes over the vector; the rate and ε take the constants.
    """

    state = ("m", "v", "t")
    options: ClassVar = {"beta_1": "beta_1", "beta_2": "beta_2", "epsilon": "epsilon"}

    def __init__(
        self, parameters, learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8, weight_decay=(), relative_rates=None
    ):
        self.relative_rates = relative_rates
        self.learning_rate = self.learning_rate_init = learning_rate
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.weight_decay = weight_decay
        self.t = 0
        self.m = np.zeros_like(parameters)
        self.v = np.zeros_like(parameters)

    def resume(self, previous, keep_rate):
        """Copy the state as `Optimizer.resume` does; m and v stay the same even if β₁ or β₂ has changed."""
        super().resume(previous, keep_rate)
        if self.t > 0:
            self.m *= (1 - previous.beta_1) / (1 - self.beta_1)
            self.v *= (1 - previous.beta_2) / (1 - self.beta_2)

    def step(self, w, g, rate):
        """Move w against the gradient's running mean divided by its running size, overwriting w and g."""
        decay(w, rate, self.weight_decay)
        self.t += 1
        m, v = self.m, self.v
        m *= self.beta_1
        m += g
        v *= self.beta_2
        v += np.square(g, out=g)
        size = np.sqrt(v, out=g)
        size += self.epsilon / sqrt(1 - self.beta_2)
        direction = np.divide(m, size, out=g)
        correction = sqrt(1 - self.beta_2**self.t) / (1 - self.beta_1**self.t)
        step_size = rate * correction * (1 - self.beta_1) / sqrt(1 - self.beta_2)
        scale(direction, step_size, self.relative_rates)
        w -= direction

    def overflowed(self):
        """Whether v is infinite: the parameters would no longer move."""
        return not isfinite(np.maximum.reduce(self.v))


class WeightAverage:
    """An exponential average a of the weights w (Polyak & Juditsky, 1992), corrected at its start as Adam's moments are.

    a ← a + (1 − d) / (1 − dᵗ) · (w − a): after the first step a = w.

    The optimizer changes w; a is evaluated and kept. Between epochs the network holds a, and `inactive_weights` holds w.
    `last_average` is a copy of the last average: if the network's weights differ from it, they were set by the user.
    """

    def __init__(self, parameters, decay):
        self.decay = decay
        self.inactive_weights, self.last_average = np.zeros_like(parameters), np.zeros_like(parameters)
        self.n_averaged = 0
        self.in_epoch = False

    def resume(self, previous):
        """Continue the average of an earlier call, if there is one of the same size."""
        if previous is not None and previous.inactive_weights.shape == self.inactive_weights.shape:
            self.inactive_weights, self.last_average, self.n_averaged = (
                previous.inactive_weights.copy(),
                previous.last_average.copy(),
                previous.n_averaged,
            )

    def begin_epoch(self, w):
        """Put w into the network in place of a; begin a new average if the user has set the network's weights."""
        self.in_epoch = True
        if self.n_averaged and np.array_equal(w, self.last_average):
            self._exchange(w)
        else:
            self.n_averaged = 0

    def update(self, w, scratch):
        """Move the average towards w after a step; `scratch` is memory to overwrite."""
        towards_w = np.subtract(w, self.inactive_weights, out=scratch)
        towards_w *= (1 - self.decay) / (1 - self.decay ** (self.n_averaged + 1))
        self.inactive_weights += towards_w
        self.n_averaged += 1  # last: an update that Ctrl-C interrupts does not count

    def end_epoch(self, w):
        """Put a into the network in place of w, if an epoch had begun."""
        if self.in_epoch and self.n_averaged:
            self._exchange(w)
            self.last_average[...] = w
        self.in_epoch = False

    def _exchange(self, w):
        held = w.copy()
        w[...], self.inactive_weights[...] = self.inactive_weights, held

    def forget(self):
        """Begin a new average; all earlier numbers, which may not be finite, become 0."""
        self.inactive_weights[...], self.last_average[...], self.n_averaged = 0, 0, 0


def clip(parts, max_norm):
    """Shorten a longer gradient, all parts together, to length `max_norm` in place (Pascanu et al., arXiv:1211.5063)."""
    norm = sqrt(sum(float(g @ g) for g in parts))
    if not isfinite(norm):  # the sum of squares overflows
        largest = max(float(np.abs(g).max(initial=0)) for g in parts)
        for g in parts:
            g /= largest
        norm = sqrt(sum(float(g @ g) for g in parts))
        for g in parts:
            g *= min(max_norm / norm, largest)
    elif norm > max_norm:
        for g in parts:
            g *= max_norm / norm


def decay(w, rate, weight_decay):
    """Apply decoupled weight decay, w ← w − rate · strength · w for each slice, in place."""
    for part, strength in weight_decay:
        w[part] *= 1 - rate * strength


def scale(direction, rate, relative_rates):
    """Multiply a direction by the rate and by each slice's relative rate (if any), in place."""
    if relative_rates is None:
        direction *= rate
    else:
        for part, factor in relative_rates:
            direction[part] *= rate * factor


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam}


def make_optimizer(config, network, rates_of_codes=()):
    """The optimizer that `config.solver` names, for this network's parameters; None for L-BFGS. Biases do not decay."""
    if config.solver == "lbfgs":
        return None
    kind = OPTIMIZERS[config.solver]
    return kind(
        network.parameters,
        learning_rate=config.learning_rate_init,
        weight_decay=network.decays(config.weight_decay) if np.any(config.weight_decay) else (),
        relative_rates=network.relative_rates(config.parametrization, rates_of_codes),
        **{argument: getattr(config, parameter) for argument, parameter in kind.options.items()},
    )
