"""What compiled steps (`kernels`) do with the gradient of a `Member`, part by part: penalty, clipping, optimizers, average."""

from math import isfinite, sqrt

import numpy as np

from sksoftmax.nn.kernel_units import compiled

BIAS, TABLES = 0, 2  # kinds of `parts`; weights are 1


@compiled
def add_l2(member, strength):
    """Add the penalty's gradient to g; return the penalty."""
    squares = 0.0
    for part in range(len(member.parts)):
        start, stop, kind = member.parts[part]
        w, g = member.w[start:stop], member.g[start:stop]
        for i in range(len(w) if kind != BIAS else 0):
            g[i] += strength * w[i]
            squares += w[i] * w[i]
    return 0.5 * strength * squares


@compiled
def gradient(member, part):
    """A part of the gradient."""
    return member.g[member.parts[part, 0] : member.parts[part, 1]]


@compiled
def length(member, unit):
    """The length of the gradient, as a multiple of `unit`."""
    squares = 0.0
    for part in range(len(member.parts)):
        for number in gradient(member, part):
            squares += (number / unit) * (number / unit)
    return sqrt(squares)


@compiled
def clip(member, max_norm):
    """Shorten a longer gradient."""
    unit = 1.0
    if not isfinite(length(member, unit)):  # the sum of squares overflows
        for part in range(len(member.parts)):
            for number in gradient(member, part):
                unit = max(unit, abs(number))
    norm = length(member, unit)
    if not norm * unit <= max_norm:
        for part in range(len(member.parts)):
            g = gradient(member, part)
            for i in range(len(g)):
                g[i] = g[i] / unit * (max_norm / norm)


@compiled
def step_sizes(member, part, rate, factor):
    """Of a part: its slice, the factor of weight decay, the rate times `factor`; the relative rates of all numbers of tables."""
    start, stop, kind = member.parts[part]
    decay, relative = member.strengths[part]
    code_rates = member.code_rates if kind == TABLES else member.code_rates[:0]
    return slice(start, stop), member.w.dtype.type(1 - rate * decay), member.w.dtype.type(rate * factor * relative), code_rates


@compiled
def adam(member, rule, t, rate):
    """Decay the weights, then take Adam's step."""
    real = member.w.dtype.type
    beta_1, beta_2, epsilon = real(rule.beta_1), real(rule.beta_2), real(rule.epsilon / sqrt(1 - rule.beta_2))
    rate_of_adam = sqrt(1 - rule.beta_2**t) / (1 - rule.beta_1**t) * (1 - rule.beta_1) / sqrt(1 - rule.beta_2)
    for part in range(len(member.parts)):
        of_part, decayed, size, code_rates = step_sizes(member, part, rate, rate_of_adam)
        w, g, m, v = member.w[of_part], member.g[of_part], member.m[of_part], member.v[of_part]
        for i in range(len(code_rates)):
            w[i] = decayed * w[i] - size * code_rates[i] * direction(i, g, m, v, beta_1, beta_2, epsilon)
        for i in range(len(w) if len(code_rates) == 0 else 0):
            w[i] = decayed * w[i] - size * direction(i, g, m, v, beta_1, beta_2, epsilon)


@compiled
def direction(i, g, m, v, beta_1, beta_2, epsilon):
    """Adam's direction, as a difference to subtract, with the moments updated."""
    m[i] = beta_1 * m[i] + g[i]
    v[i] = beta_2 * v[i] + g[i] * g[i]
    return m[i] / (np.sqrt(v[i]) + epsilon)


@compiled
def sgd(member, rule, rate):
    """Decay the weights, then take SGD's step with momentum."""
    momentum = member.w.dtype.type(rule.beta_1)
    for part in range(len(member.parts)):
        of_part, decayed, size, code_rates = step_sizes(member, part, rate, 1.0)
        w, g, v = member.w[of_part], member.g[of_part], member.m[of_part]
        for i in range(len(code_rates)):
            g[i] *= code_rates[i]
        for i in range(len(w)):
            g[i] *= size
            v[i] = momentum * v[i] - g[i]
            w[i] = decayed * w[i] + (momentum * v[i] - g[i] if rule.nesterov else v[i])


@compiled
def update_average(member, decay, n_averaged):
    """Move the average towards w."""
    factor = member.w.dtype.type((1 - decay) / (1 - decay ** (n_averaged + 1)))
    for part in range(len(member.parts)):
        start, stop, _ = member.parts[part]
        w, average = member.w[start:stop], member.average[start:stop]
        for i in range(len(w)):
            average[i] += factor * (w[i] - average[i])
