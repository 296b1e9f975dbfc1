"""The record of training: curves, the best epoch, and epochs without an improvement."""

from types import SimpleNamespace

import numpy as np
import pytest

from sksoftmax.nn.ensemble_weights import EnsembleWeights
from sksoftmax.training.progress import Progress

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_an_epoch_counts_for_n_iter_no_change_unless_its_loss_is_lower_than_the_best_by_tol():
    progress = Progress()
    stale = []
    for loss in (1.0, 0.5, 0.45, 0.41, 0.39, 0.2):
        progress.record(loss, tol=0.1)
        stale.append(progress.stale_epochs)
    assert stale == [0, 0, 1, 2, 3, 0]
    assert (progress.best_loss, progress.loss, progress.kept_epoch) == (0.2, 0.2, 5)


def test_a_scored_epoch_counts_for_n_iter_no_change_unless_its_score_is_higher_than_the_best_by_tol():
    progress, stale, w = Progress(), [], np.zeros(2)
    model = SimpleNamespace(network=SimpleNamespace(parameters=w), ensemble_weights=None)
    for epoch, score in enumerate((0.5, 0.55, 0.7, 0.6, 0.7)):
        w[:], model.ensemble_weights = epoch, f"of epoch {epoch}"
        progress.record_scored(1.0 / (epoch + 1), 0.3, score, model, tol=0.1)
        stale.append(progress.stale_epochs)
    assert stale == [0, 1, 0, 1, 2]
    assert (progress.best_score, progress.best_epoch) == (0.7, 2)  # the first of two equal ones
    np.testing.assert_array_equal(progress.best_parameters, 2)  # a copy: w went on
    assert progress.best_ensemble_weights == "of epoch 2"


def model_in_training():
    """What the record sees of a model: the network's parameters and the ensemble."""
    return SimpleNamespace(network=SimpleNamespace(parameters=np.zeros(2)), ensemble_weights=EnsembleWeights.equal(4))


def test_the_restored_model_of_an_earlier_call_stays_the_best_until_a_score_is_higher():
    model, progress = model_in_training(), Progress(best_score=0.7, best_epoch=2, kept_epoch=2)
    progress.begin_call(model, validation=object())
    restored, model.ensemble_weights = model.ensemble_weights, EnsembleWeights.equal(4)
    model.network.parameters += 1
    progress.record_scored(1.0, 0.3, 0.6, model, tol=0.1)
    assert progress.best_ensemble_weights is restored
    np.testing.assert_array_equal(progress.best_parameters, 0)
    progress.record_scored(1.0, 0.3, 0.8, model, tol=0.1)
    assert progress.best_ensemble_weights is model.ensemble_weights
    np.testing.assert_array_equal(progress.best_parameters, 1)


def test_a_call_without_validation_rows_forgets_scores_and_the_best_model():
    model, progress = model_in_training(), Progress()
    progress.record_scored(1.0, 0.3, 0.6, model, tol=0.1)
    progress.begin_call(model, validation=None)
    assert progress.validation_scores == progress.validation_loss_curve == []
    assert (progress.best_score, progress.best_epoch) == (-np.inf, -1)
    assert progress.best_parameters is progress.best_ensemble_weights is None


def test_a_copy_of_the_record_is_independent():
    progress = Progress()
    progress.record(1.0, 0.1)
    copied = progress.copy()
    copied.record(0.5, 0.1)
    assert (progress.loss_curve, copied.loss_curve) == ([1.0], [1.0, 0.5])
    assert np.isnan(Progress().loss)
