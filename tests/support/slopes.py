"""The gradient of a network against central differences of its loss."""

import numpy as np
import pytest

STEP = 1e-6


def assert_gradient_is_the_slope(network, forward, loss, strengths=0.0):
    """The gradient is the slope of the loss along a random direction, in which weights that members skip stay 0.

    `forward()` returns logits and backprop. `loss(logits)` returns the loss, and its derivative, for the logits of all members
    one below the other. `strengths` are those of the members' penalties, or one for all.
    """
    network.allocate_gradient()
    strengths = np.broadcast_to(strengths, network.architecture.n_members)

    def loss_and_gradient(parameters):
        network.parameters[...] = parameters
        logits, backprop = forward()
        value, d_logits = loss(logits.reshape(-1, logits.shape[-1]))
        backprop(d_logits.reshape(logits.shape))
        return value + network.add_l2(strengths).sum(), network.gradient.copy()

    w, direction = network.parameters.copy(), np.random.RandomState(2).normal(size=network.parameters.shape)
    members, columns = network.architecture.skip
    network.architecture.split(direction)[0][:members, :columns] = 0  # these weights stay 0
    slope = (loss_and_gradient(w + STEP * direction)[0] - loss_and_gradient(w - STEP * direction)[0]) / (2 * STEP)
    assert loss_and_gradient(w)[1] @ direction == pytest.approx(slope, rel=1e-6)
