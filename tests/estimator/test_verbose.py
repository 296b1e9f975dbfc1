"""The parameter `verbose`: MLPClassifier's lines, and the table that verbose=2 prints."""

import numpy as np
import pytest

from sksoftmax import SoftmaxMLPClassifier
from sksoftmax.training.progress import HEADINGS
from support.data import MULTICLASS, X
from support.estimators import converged, plain
from support.marks import SOLVERS, STEPWISE

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def printing(**params):
    defaults = {"hidden_layer_sizes": (5,), "learning_rate_init": 0.3, "max_iter": 8, "random_state": 0, "verbose": 2}
    return plain(**{**defaults, **params})


def table(out):
    """The rows below the headings, cut into cells where the columns of the headings end; other lines are messages."""
    lines = out.splitlines()
    headings = lines[0]
    ends = [headings.index(name) + len(name) for name in (headings.split()[0], *HEADINGS)]
    rows = [line for line in lines if line != headings and line.lstrip()[:1].isdigit()]
    starts = [0, *ends[:-1]]
    for row in rows:
        assert len(row) == len(headings)
        assert all(row[end : end + 2].strip() == "" for end in ends[:-1])
    return [[row[start:end].strip() for start, end in zip(starts, ends)] for row in rows]


@SOLVERS
@pytest.mark.parametrize("early_stopping", [False, True])
def test_verbose_2_prints_a_table_with_the_numbers_of_the_curves(solver, early_stopping, capsys):
    clf = printing(solver=solver, early_stopping=early_stopping, scoring="loss").fit(X, MULTICLASS)
    out = capsys.readouterr().out
    assert out.splitlines()[0].split() == ["iteration" if solver == "lbfgs" else "epoch", *" ".join(HEADINGS).split()]
    rows = table(out)
    assert [row[0] for row in rows] == [f"{i}/8" for i in range(1, clf.n_iter_ + 1)]
    assert {row[1] for row in rows} == {"all rows"}
    assert [row[2] for row in rows] == [f"{loss:.6f}" for loss in clf.loss_curve_]
    if early_stopping:
        assert [row[3] for row in rows] == [f"{loss:.6f}" for loss in clf.validation_loss_curve_]
        assert [row[4] for row in rows] == [f"{score:.6f}" for score in clf.validation_scores_]
    else:
        assert {cell for row in rows for cell in row[3:5]} == {"–"}
    assert {row[5] for row in rows} == {"–" if solver == "lbfgs" else "0.3"}
    seconds = [float(row[6]) for row in rows]
    assert seconds == sorted(seconds)
    assert all(float(row[7]) >= 0 for row in rows)


@SOLVERS
@pytest.mark.parametrize("early_stopping", [False, True])
def test_verbose_2_marks_each_epoch_that_is_the_best_so_far(solver, early_stopping, capsys):
    clf = printing(solver=solver, early_stopping=early_stopping, validation_fraction=0.4, batch_size=10).fit(X, MULTICLASS)
    marks = [row[8] == "*" for row in table(capsys.readouterr().out)]
    values = np.array(clf.validation_scores_ if early_stopping else -np.array(clf.loss_curve_))
    assert marks == [True] + [bool(values[i] > values[:i].max()) for i in range(1, len(values))]
    if early_stopping:
        assert max(i for i, mark in enumerate(marks, start=1) if mark) == clf.best_iter_
        assert not all(marks)


@STEPWISE
def test_verbose_2_shows_the_learning_rate_of_the_epochs_last_step(solver, capsys):
    printing(solver=solver, learning_rate="cosine", max_iter=4, batch_size=30).fit(X, MULTICLASS)
    rates = [float(row[5]) for row in table(capsys.readouterr().out)]
    expected = [0.3 * 0.5 * (1 + np.cos(np.pi * (epoch + 0.5) / 4)) for epoch in range(4)]
    assert rates == pytest.approx(expected, rel=1e-2)


def test_verbose_2_shows_a_lowered_learning_rate_and_its_message(capsys):
    params = {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "tol": 10.0, "n_iter_no_change": 2}
    printing(**params).fit(X, MULTICLASS)
    out = capsys.readouterr().out
    assert [row[5] for row in table(out)] == ["0.1"] * 4 + ["0.02"] * 3 + ["0.004"]
    assert "Setting learning rate to 0.020000" in out


def test_verbose_2_repeats_the_headings_every_25_rows(capsys):
    printing(max_iter=60, tol=0.0, n_iter_no_change=100, learning_rate_init=0.01).fit(X, MULTICLASS)
    lines = capsys.readouterr().out.splitlines()
    assert [i for i, line in enumerate(lines) if "training loss" in line] == [0, 26, 52]


def test_verbose_2_numbers_the_calls_of_partial_fit(capsys):
    clf = printing()
    for _ in range(4):
        clf.partial_fit(X, MULTICLASS, classes=[0, 1, 2])
    rows = table(capsys.readouterr().out)
    assert [(row[0], row[7]) for row in rows] == [("1", "–"), ("2", "–"), ("3", "–"), ("4", "–")]  # nobody knows how many follow
    assert [row[2] for row in rows] == [f"{loss:.6f}" for loss in clf.loss_curve_]


@pytest.mark.parametrize(("early_stopping", "what"), [(False, "Training loss"), (True, "Validation score")])
def test_verbose_2_ends_with_the_reason_for_stopping(early_stopping, what, capsys):
    printing(tol=10.0, n_iter_no_change=2, max_iter=50, early_stopping=early_stopping).fit(X, MULTICLASS)
    reason = f"{what} did not improve more than tol=10.000000 for 2 consecutive epochs. Stopping."
    assert capsys.readouterr().out.splitlines()[-1] == reason


@pytest.mark.parametrize("verbose", [False, 0])
def test_verbose_0_prints_nothing(verbose, capsys):
    printing(verbose=verbose, early_stopping=True).fit(X, MULTICLASS)
    assert capsys.readouterr().out == ""


@SOLVERS
@pytest.mark.parametrize("early_stopping", [False, True])
def test_verbose_prints_each_iteration_and_verbose_false_prints_none(solver, early_stopping, capsys):
    params = {"solver": solver, "early_stopping": early_stopping, "tol": 1e-2}
    clf = converged(verbose=True, **params).fit(X, MULTICLASS)
    out = capsys.readouterr().out
    assert out.count("Iteration ") == clf.n_iter_
    assert f"Iteration {clf.n_iter_}, loss = {clf.loss_curve_[-1]:.8f}" in out
    assert out.count("Validation score: ") == (clf.n_iter_ if early_stopping else 0)
    converged(**params).fit(X, MULTICLASS)
    assert capsys.readouterr().out == ""


ROWS = np.random.default_rng(0).normal(size=(600, 3))


def fit_committee(**params):
    params = {"hidden_layer_sizes": (4,), "max_iter": 10, "random_state": 0, **params}
    return SoftmaxMLPClassifier(**params).fit(ROWS, (ROWS[:, 0] > 0).astype(int))


def test_verbose_2_shows_the_phase_and_explains_the_end_of_the_folds(capsys):
    fit_committee(verbose=2)
    out = capsys.readouterr().out
    assert [row[:2] for row in table(out)] == [[f"{i}/10", "folds" if i < 6 else "all rows"] for i in range(1, 11)]
    lines = out.splitlines()
    words = next(i for i, line in enumerate(lines) if line.startswith("The fold phase is over"))
    assert lines[words - 1].lstrip().startswith("5/10") and "all rows" in lines[words] and "rate" in lines[words]


def test_verbose_2_numbers_the_epochs_of_warm_starts_on(capsys):
    clf = fit_committee(verbose=2, warm_start=True)
    capsys.readouterr()
    clf.fit(ROWS, (ROWS[:, 0] > 0).astype(int))
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines() if "all rows" in line]
    assert rows == [f"{i}/20" for i in range(11, 21)]


def test_verbose_2_names_no_folds_of_one_network_that_is_not_calibrated(capsys):
    fit_committee(verbose=2, n_members=1, ema_decay=0.9)
    out = capsys.readouterr().out
    assert "folds" not in out and "10/10" in out


def test_verbose_2_estimates_the_seconds_left_from_the_epochs_so_far(monkeypatch, capsys):
    times = iter(range(100))
    monkeypatch.setattr("sksoftmax.training.progress.perf_counter", lambda: next(times))
    fit_committee(verbose=2, n_members=1)
    assert [row[7] for row in table(capsys.readouterr().out)] == [f"{10 - i}.0" for i in range(1, 11)]


def test_verbose_1_of_a_committee_keeps_the_lines_of_mlpclassifier(capsys):
    clf = fit_committee(verbose=1)
    expected = [f"Iteration {i}, loss = {loss:.8f}" for i, loss in enumerate(clf.loss_curve_, start=1)]
    assert capsys.readouterr().out.splitlines() == expected
