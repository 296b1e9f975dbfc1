"""The gradient of a network against central differences of its loss."""

import numpy as np
import pytest

STEP = 1e-6


def assert_gradient_is_the_slope(network, forward, loss, strength=0.0):
    """The gradient is the slope of the loss along a random direction, in which weights that members skip stay 0.

    `forward()` returns logits and backprop, `loss(logits)` the loss and its derivative; `strength` is that of the penalty.
    """
    network.allocate_gradient()

    def loss_and_gradient(parameters):
        network.parameters[...] = parameters
        logits, backprop = forward()
        value, d_logits = loss(logits)
        backprop(d_logits)
        return value + network.add_l2(strength), network.gradient.copy()

    w, direction = network.parameters.copy(), np.random.RandomState(2).normal(size=network.parameters.shape)
    members, columns = network.n_skipped
    network._matrices(direction)[0][:members, :columns] = 0  # these weights stay 0
    slope = (loss_and_gradient(w + STEP * direction)[0] - loss_and_gradient(w - STEP * direction)[0]) / (2 * STEP)
    assert loss_and_gradient(w)[1] @ direction == pytest.approx(slope, rel=1e-6)
