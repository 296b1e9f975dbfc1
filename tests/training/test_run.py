"""Runs: validation scores, and the losses of members that are trained side by side."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import accuracy_score, log_loss

from sksoftmax.training.divergence import initial_loss
from support.networks import forward
from support.runs import WEIGHTS, X, run_on_all_rows, y


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_validation_is_the_weighted_loss_and_the_weighted_accuracy_or_minus_the_loss(weights):
    run = run_on_all_rows(weights)
    logits = forward(run.model.network, X)[0][0]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    loss = log_loss(y, p, sample_weight=weights)
    assert_allclose(run.validate(), [loss, accuracy_score(y, logits.argmax(axis=1), sample_weight=weights)], rtol=1e-12)
    assert_allclose(run_on_all_rows(weights, scoring="loss").validate(), [loss, -loss], rtol=1e-12)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_loss_of_the_initial_weights_is_a_weighted_mean(weights):
    run = run_on_all_rows(weights)
    assert initial_loss(run) == pytest.approx(run.validate()[0], rel=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_a_member_with_sample_weight_trains_as_if_it_were_alone(alpha):
    run, alone = run_on_all_rows(WEIGHTS, n_members=4, alpha=alpha), run_on_all_rows(WEIGHTS, alpha=alpha)
    rows = np.random.default_rng(2).permutation(len(X))[:28].reshape(4, 7)
    network, losses = run.model.network, []
    network.allocate_gradient()
    batch = run.training.batch(rows, run.workspace)
    logits, backprop = network.forward(batch.X, run.workspace)
    loss, d_logits = run.loss(logits, batch.targets, batch.weights)
    backprop(d_logits)
    loss += network.add_l2(alpha / batch.totals).mean()
    for member in range(4):
        one = alone.model.network
        one.parameters[...] = network.member(member).parameters
        one.allocate_gradient()
        batch = alone.training.batch(rows[[member]], alone.workspace)
        logits, backprop = one.forward(batch.X, alone.workspace)
        value, d_logits = alone.loss(logits, batch.targets, batch.weights)
        backprop(d_logits)
        losses.append(value + one.add_l2(alpha / batch.totals).sum())
        for ours, theirs in zip(network.architecture.split(network.gradient), one.architecture.split(one.gradient)):
            assert_allclose(ours[member], theirs[0], rtol=1e-10, atol=1e-14)
    assert loss == pytest.approx(np.mean(losses), rel=1e-12)
