"""Gradient descent, in place on a network's flat vectors; averaging of its weights, clipping of its gradient.

`w` are the parameters, `g` the gradient, `rate` the learning rate of this step. `step` may use the gradient's memory
as scratch: after it, the gradient is spent. `learning_rate` is the current base rate, which schedules lower;
`relative_rates`, pairs of a slice of w and a factor (or an array of them) that together cover w, make it each part's own.

`weight_decay` is decoupled (Loshchilov & Hutter, arXiv:1711.05101): w ← w − rate · decay · w, beside the gradient step and not
through its moments. It is a list of pairs, a slice of w and its strength, and leaves the rest of w free; under momentum μ it is
weaker than the same coupled L2 by the factor 1 − μ.
"""

from copy import copy
from math import isfinite, sqrt

import numpy as np


class Optimizer:
    """What the optimizers share: a base learning rate, and going on from an earlier one's state."""

    state: tuple[str, ...] = ()

    def resume(self, previous, keep_rate):
        """Copy the moments of an optimizer of the same kind and size, and its rate if the initial one is the same."""
        if type(previous) is not type(self) or any(
            np.shape(getattr(previous, name)) != np.shape(getattr(self, name)) for name in self.state
        ):
            return
        for name in self.state:
            setattr(self, name, copy(getattr(previous, name)))
        if keep_rate and previous.learning_rate_init == self.learning_rate_init:
            self.learning_rate = previous.learning_rate

    def overflowed(self):
        """Whether a moment has become too large to go on, without the parameters showing it."""
        return False

    def forget(self):
        """Set the moments and the step count to zero."""
        for name in self.state:
            value = getattr(self, name)
            setattr(self, name, np.zeros_like(value) if isinstance(value, np.ndarray) else 0)

    def begin_epoch(self, w):
        """Put into w what the steps change; see `Averaged`."""

    def end_epoch(self, w):
        """Put into w what is to be evaluated."""


class SGD(Optimizer):
    """Stochastic gradient descent with momentum, plain or Nesterov's.

    v ← μ v − rate · g;  w ← w + v, or with Nesterov's momentum w ← w + μ v − rate · g.
    (Sutskever et al., 2013, "On the importance of initialization and momentum in deep learning".)
    """

    state = ("velocity",)

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

    Kept are m / (1 − β₁) and v / (1 − β₂), which saves two passes over the vector; the constants move into the rate and ε.
    """

    state = ("m", "v", "t")

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
        """Also where β₁ or β₂ has changed since, m and v stay what they were."""
        super().resume(previous, keep_rate)
        if self.t > 0:
            self.m *= (1 - previous.beta_1) / (1 - self.beta_1)
            self.v *= (1 - previous.beta_2) / (1 - self.beta_2)

    def step(self, w, g, rate):
        """Move w against the gradient's running mean over its running size, overwriting w and g."""
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
        """Whether v is infinite: the parameters would stand still."""
        return not isfinite(np.maximum.reduce(self.v))


class Averaged(Optimizer):
    """Another optimizer whose weights are averaged exponentially (Polyak & Juditsky, 1992), as Adam averages gradients.

    a ← a + (1 − d) / (1 − dᵗ) · (w − a), which corrects the start as Adam does: after the first step a = w.

    The steps change w; what is evaluated and kept is a. Between epochs the network holds a, and `other` holds w; `shown` is a
    copy of a, by which weights that were set from outside are known.
    """

    state = ("other", "shown", "n_averaged")

    def __init__(self, optimizer, parameters, decay):
        self.optimizer = optimizer
        self.decay = decay
        self.other, self.shown = np.zeros_like(parameters), np.zeros_like(parameters)
        self.n_averaged = 0
        self.in_epoch = False

    @property
    def learning_rate(self):
        """The current base rate of the optimizer whose weights are averaged."""
        return self.optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, rate):
        self.optimizer.learning_rate = rate

    @property
    def weight_decay(self):
        """That of the optimizer whose weights are averaged."""
        return self.optimizer.weight_decay

    @weight_decay.setter
    def weight_decay(self, weight_decay):
        self.optimizer.weight_decay = weight_decay

    @property
    def learning_rate_init(self):
        """The base rate that it began with."""
        return self.optimizer.learning_rate_init

    def resume(self, previous, keep_rate):
        """Go on with the other's average too, if it has one."""
        self.optimizer.resume(getattr(previous, "optimizer", previous), keep_rate)
        super().resume(previous, keep_rate=False)

    def begin_epoch(self, w):
        """Exchange a for w; begin afresh from a that was set from outside."""
        self.in_epoch = True
        if self.n_averaged and np.array_equal(w, self.shown):
            self._exchange(w)
        else:
            self.n_averaged = 0

    def end_epoch(self, w):
        """Exchange w for a, if an epoch had begun."""
        if self.in_epoch and self.n_averaged:
            self._exchange(w)
            self.shown[...] = w
        self.in_epoch = False

    def _exchange(self, w):
        held = w.copy()
        w[...], self.other[...] = self.other, held

    def step(self, w, g, rate):
        """Move w as the optimizer does, and the average towards it."""
        self.optimizer.step(w, g, rate)
        towards_w = np.subtract(w, self.other, out=g)
        towards_w *= (1 - self.decay) / (1 - self.decay ** (self.n_averaged + 1))
        self.other += towards_w
        self.n_averaged += 1  # last: an average that Ctrl-C interrupts does not count

    def overflowed(self):
        """Whether one of the optimizer's moments has."""
        return self.optimizer.overflowed()

    def forget(self):
        """Begin afresh, the average too."""
        self.optimizer.forget()
        super().forget()


def clip(g, max_norm):
    """Shorten the gradient in place to length `max_norm` if it is longer (Pascanu et al., arXiv:1211.5063); None leaves it."""
    if max_norm is None:
        return
    norm = sqrt(float(g @ g))
    if not isfinite(norm):  # its square overflows
        largest = float(np.abs(g).max())
        g /= largest
        norm = sqrt(float(g @ g))
        g *= min(max_norm / norm, largest)
    elif norm > max_norm:
        g *= max_norm / norm


def decay(w, rate, weight_decay):
    """Decoupled weight decay, w ← w − rate · strength · w for each slice, in place."""
    for part, strength in weight_decay:
        w[part] *= 1 - rate * strength


def scale(direction, rate, relative_rates):
    """Multiply a direction by the rate and, if there are any, by each slice's relative rate, in place."""
    if relative_rates is None:
        direction *= rate
    else:
        for part, factor in relative_rates:
            direction[part] *= rate * factor


def make_optimizer(options, network):
    """The optimizer that `options.solver` names, for this network's parameters; biases do not decay."""
    common = {
        "learning_rate": options.learning_rate_init,
        "weight_decay": network.weight_parts(options.weight_decay) if np.any(options.weight_decay) else (),
        "relative_rates": network.relative_rates(options.parametrization),
    }
    if options.solver == "sgd":
        optimizer = SGD(network.parameters, momentum=options.momentum, nesterov=options.nesterovs_momentum, **common)
    else:
        betas = {"beta_1": options.beta_1, "beta_2": options.beta_2, "epsilon": options.epsilon}
        optimizer = Adam(network.parameters, **betas, **common)
    return Averaged(optimizer, network.parameters, options.ema_decay) if options.ema_decay else optimizer
