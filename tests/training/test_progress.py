"""The record of training: curves, the best epoch, and epochs without an improvement."""

import numpy as np
import pytest

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
    for epoch, score in enumerate((0.5, 0.55, 0.7, 0.6, 0.7)):
        w[:] = epoch
        progress.record_scored(1.0 / (epoch + 1), 0.3, score, w, tol=0.1)
        stale.append(progress.stale_epochs)
    assert stale == [0, 1, 0, 1, 2]
    assert (progress.best_score, progress.best_epoch) == (0.7, 2)  # the first of two equal ones
    np.testing.assert_array_equal(progress.best_parameters, 2)  # a copy: w went on


def test_a_copy_of_the_record_is_independent():
    progress = Progress()
    progress.record(1.0, 0.1)
    copied = progress.copy()
    copied.record(0.5, 0.1)
    assert (progress.loss_curve, copied.loss_curve) == ([1.0], [1.0, 0.5])
    assert np.isnan(Progress().loss)
