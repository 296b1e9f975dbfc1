"""The rule that ends training before `max_iter`."""

import pytest

from sksoftmax.training.progress import Progress
from sksoftmax.training.stopping import Stopping

RULE = {"tol": 0.1, "patience": 2, "is_scored": False, "is_off": False}


def after(losses, **rule):
    progress, stopping = Progress(), Stopping(**{**RULE, **rule})
    reasons = []
    for loss in losses:
        progress.record(loss, stopping.tol)
        reasons.append(stopping.after_epoch(progress))
    return reasons


def test_training_ends_once_more_than_n_iter_no_change_epochs_in_a_row_do_not_improve_by_tol():
    *earlier, last = after([1.0, 0.95, 0.9, 0.85])
    assert earlier == [None] * 3
    assert last == "Training loss did not improve more than tol=0.100000 for 2 consecutive epochs."
    assert after([1.0, 0.95, 0.9, 0.5, 0.5, 0.5]) == [None] * 6


@pytest.mark.parametrize("patience, is_off", [(float("inf"), False), (2, True)])
def test_an_infinite_patience_or_a_planned_end_never_ends_training(patience, is_off):
    assert after([1.0] * 9, patience=patience, is_off=is_off) == [None] * 9


def test_the_reason_names_the_score_if_rows_are_scored():
    assert after([1.0] * 4, is_scored=True)[-1].startswith("Validation score did not improve")
