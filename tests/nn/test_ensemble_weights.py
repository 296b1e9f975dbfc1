"""The ensemble of an ensemble's answers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksoftmax.data.heads import BinaryHead, SoftmaxHead
from sksoftmax.nn.ensemble_weights import EnsembleWeights, mixed
from support.networks import HEADS, random_logits


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("n_members", [1, 4, 16])
def test_the_equal_mixture_of_identical_members_is_the_member(name, n_members):
    head, one = HEADS[name], random_logits(HEADS[name])
    logits = EnsembleWeights.equal(n_members).logits(np.stack([one] * n_members), head)
    assert_allclose(head.probabilities(logits), head.probabilities(one), rtol=1e-13)


@pytest.mark.parametrize("name", HEADS)
def test_the_mixture_s_probabilities_are_the_weighted_mean_of_the_sharpened_members(name):
    head, logits = HEADS[name], random_logits(HEADS[name], n_members=4)
    weights, inverse_temperatures = np.array([0.4, 0.3, 0.2, 0.1]), np.array([1.0, 0.5, 2.0, 3.0])
    answer = EnsembleWeights(weights, inverse_temperatures).logits(logits, head)
    expected = sum(w * head.probabilities(s * z) for w, s, z in zip(weights, inverse_temperatures, logits))
    assert_allclose(head.probabilities(answer), expected, rtol=1e-12)


@pytest.mark.parametrize("name", HEADS)
def test_the_final_sharpness_multiplies_the_mixture_s_logits(name):
    head, logits = HEADS[name], random_logits(HEADS[name], n_members=2)
    soft, sharp = (
        EnsembleWeights(np.array([0.7, 0.3]), np.ones(2), inverse_temperature).logits(logits, head)
        for inverse_temperature in (1.0, 2.5)
    )
    assert_allclose(sharp, 2.5 * soft, rtol=1e-13)


@pytest.mark.parametrize("name", HEADS)
def test_the_bias_is_added_to_the_mixture_s_logits_after_they_are_sharpened(name):
    head, logits = HEADS[name], random_logits(HEADS[name], n_members=2)
    bias, weights = np.linspace(-1.0, 2.0, head.n_outputs), np.array([0.7, 0.3])
    without, with_it = (EnsembleWeights(weights, np.ones(2), 2.5, b).logits(logits, head) for b in (0.0, bias))
    assert_allclose(with_it, without + bias, rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", HEADS)
def test_logits_far_from_zero_stay_finite_and_keep_their_dtype(name, dtype):
    head = HEADS[name]
    logits = np.full((4, 6, head.n_outputs), 1e4, dtype)
    logits[::2, ::2] *= -1
    logits[1:, :, :1] *= -1
    answer = EnsembleWeights(np.array([0.7, 0.1, 0.1, 0.1]), np.full(4, 2.0), 1.5, np.ones(head.n_outputs)).logits(logits, head)
    assert answer.dtype == dtype
    assert np.isfinite(answer).all()
    assert np.isfinite(head.log_probabilities(answer)).all()


def test_one_logistic_unit_is_mixed_as_two_softmax_units_are():
    head, pair = BinaryHead(np.arange(2)), SoftmaxHead(np.arange(2))
    z = random_logits(head, n_members=4)
    ensemble_weights = EnsembleWeights(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.5, 1.0, 1.5, 2.0]), 0.8)
    one, two = ensemble_weights.logits(z, head), ensemble_weights.logits(np.concatenate([np.zeros_like(z), z], axis=2), pair)
    assert_allclose(head.probabilities(one), pair.probabilities(two), rtol=1e-12)


@pytest.mark.parametrize("name", HEADS)
def test_mixing_weights_may_differ_from_row_to_row(name):
    head, logits = HEADS[name], random_logits(HEADS[name], n_rows=2, n_members=2)
    answer = mixed(logits, np.log([[1.0, 1e-300], [1e-300, 1.0]]), head)
    expected = np.stack([logits[0, 0], logits[1, 1]])
    assert_allclose(head.probabilities(answer), head.probabilities(expected), rtol=1e-12)
