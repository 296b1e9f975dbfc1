"""When training has diverged."""

import numpy as np

from sksoftmax.nn.optimizers import SGD, Adam
from sksoftmax.training.divergence import diverged
from support.runs import untrained_network


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
