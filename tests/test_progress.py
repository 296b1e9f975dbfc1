"""The record of training, and what of it verbose=2 prints."""

import numpy as np
import pytest
from neutral import plain

from sksoftmax.training.progress import HEADINGS, Progress

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(60, 4))
y = X[:, :3].argmax(axis=1)
SOLVERS = pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])


def small(**params):
    defaults = {"hidden_layer_sizes": (5,), "learning_rate_init": 0.3, "max_iter": 8, "random_state": 0, "verbose": 2}
    return plain(**{**defaults, **params})


def table(out):
    """The rows below the headings, cut into cells where the columns of the headings end; other lines are messages."""
    lines = out.splitlines()
    headings = lines[0]
    ends = [headings.index(name) + len(name) for name in HEADINGS]
    rows = [line for line in lines if line != headings and line.lstrip()[:1].isdigit()]
    starts = [0, *ends[:-1]]
    for row in rows:
        assert len(row) == len(headings)
        assert all(row[end : end + 2].strip() == "" for end in ends[:-1])
    return [[row[start:end].strip() for start, end in zip(starts, ends)] for row in rows]


# The table


@SOLVERS
@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_table_has_aligned_columns_with_the_numbers_of_the_curves(solver, early_stopping, capsys):
    clf = small(solver=solver, early_stopping=early_stopping, scoring="loss").fit(X, y)
    out = capsys.readouterr().out
    assert out.splitlines()[0].split() == " ".join(HEADINGS).split()
    rows = table(out)
    assert [row[0] for row in rows] == [str(i) for i in range(1, clf.n_iter_ + 1)]
    assert [row[1] for row in rows] == [f"{loss:.6f}" for loss in clf.loss_curve_]
    if early_stopping:
        assert [row[2] for row in rows] == [f"{loss:.6f}" for loss in clf.validation_loss_curve_]
        assert [row[3] for row in rows] == [f"{score:.6f}" for score in clf.validation_scores_]
    else:
        assert {cell for row in rows for cell in row[2:4]} == {"–"}
    assert {row[4] for row in rows} == {"–" if solver == "lbfgs" else "0.3"}
    seconds = [float(row[5]) for row in rows]
    assert seconds == sorted(seconds)


@SOLVERS
@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_table_marks_each_epoch_that_is_the_best_so_far(solver, early_stopping, capsys):
    clf = small(solver=solver, early_stopping=early_stopping, validation_fraction=0.4, batch_size=10).fit(X, y)
    marks = [row[6] == "*" for row in table(capsys.readouterr().out)]
    values = np.array(clf.validation_scores_ if early_stopping else -np.array(clf.loss_curve_))
    assert marks == [True] + [bool(values[i] > values[:i].max()) for i in range(1, len(values))]
    if early_stopping:
        assert max(i for i, mark in enumerate(marks, start=1) if mark) == clf.best_iter_
        assert not all(marks)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_the_rate_is_that_of_the_epochs_last_step(solver, capsys):
    small(solver=solver, learning_rate="cosine", max_iter=4, batch_size=30).fit(X, y)
    rates = [float(row[4]) for row in table(capsys.readouterr().out)]
    expected = [0.3 * 0.5 * (1 + np.cos(np.pi * (epoch + 0.5) / 4)) for epoch in range(4)]
    assert rates == pytest.approx(expected, rel=1e-2)


def test_lowered_rates_are_shown_beside_the_message_that_lowers_them(capsys):
    params = {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "tol": 10.0, "n_iter_no_change": 2}
    small(**params).fit(X, y)
    out = capsys.readouterr().out
    assert [row[4] for row in table(out)] == ["0.1"] * 4 + ["0.02"] * 3 + ["0.004"]
    assert "Setting learning rate to 0.020000" in out


def test_headings_come_again_every_25_rows(capsys):
    small(max_iter=60, tol=0.0, n_iter_no_change=100, learning_rate_init=0.01).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert [i for i, line in enumerate(lines) if "training loss" in line] == [0, 26, 52]


def test_the_table_numbers_the_calls_of_partial_fit(capsys):
    clf = small()
    for _ in range(4):
        clf.partial_fit(X, y, classes=[0, 1, 2])
    rows = table(capsys.readouterr().out)
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]
    assert [row[1] for row in rows] == [f"{loss:.6f}" for loss in clf.loss_curve_]


@pytest.mark.parametrize(("early_stopping", "what"), [(False, "Training loss"), (True, "Validation score")])
def test_the_table_ends_with_the_reason_for_stopping(early_stopping, what, capsys):
    small(tol=10.0, n_iter_no_change=2, max_iter=50, early_stopping=early_stopping).fit(X, y)
    reason = f"{what} did not improve more than tol=10.000000 for 2 consecutive epochs. Stopping."
    assert capsys.readouterr().out.splitlines()[-1] == reason


@pytest.mark.parametrize("verbose", [False, 0])
def test_without_verbose_nothing_is_printed(verbose, capsys):
    small(verbose=verbose, early_stopping=True).fit(X, y)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("verbose", [True, 1])
def test_verbose_1_prints_mlpclassifiers_lines(verbose, capsys):
    clf = small(verbose=verbose, max_iter=2).fit(X, y)
    assert capsys.readouterr().out.splitlines() == [
        f"Iteration {i}, loss = {loss:.8f}" for i, loss in enumerate(clf.loss_curve_, start=1)
    ]


# The record


def test_an_epoch_is_stale_unless_its_loss_is_lower_than_the_best_by_tol():
    progress = Progress()
    stale = []
    for loss in (1.0, 0.5, 0.45, 0.41, 0.39, 0.2):
        progress.record(loss, tol=0.1)
        stale.append(progress.stale_epochs)
    assert stale == [0, 0, 1, 2, 3, 0]
    assert (progress.best_loss, progress.loss, progress.kept_epoch) == (0.2, 0.2, 5)


def test_a_scored_epoch_is_stale_unless_its_score_is_higher_than_the_best_by_tol():
    progress, stale, w = Progress(), [], np.zeros(2)
    for epoch, score in enumerate((0.5, 0.55, 0.7, 0.6, 0.7)):
        w[:] = epoch
        progress.record_scored(1.0 / (epoch + 1), 0.3, score, w, tol=0.1)
        stale.append(progress.stale_epochs)
    assert stale == [0, 1, 0, 1, 2]
    assert (progress.best_score, progress.best_epoch) == (0.7, 2)  # the first of two equal ones
    np.testing.assert_array_equal(progress.best_parameters, 2)  # a copy: w went on


def test_a_copy_of_the_record_goes_on_by_itself():
    progress = Progress()
    progress.record(1.0, 0.1)
    copied = progress.copy()
    copied.record(0.5, 0.1)
    assert (progress.loss_curve, copied.loss_curve) == ([1.0], [1.0, 0.5])
    assert np.isnan(Progress().loss)
