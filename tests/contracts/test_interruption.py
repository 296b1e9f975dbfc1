"""Ctrl-C keeps what fit has learned; any other error, wherever it occurs, leaves the estimator unchanged."""

import os
import pickle
import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV

from sksoftmax import classifier
from sksoftmax.nn.network import Network
from sksoftmax.nn.optimizers import SGD, Adam, WeightAverage
from sksoftmax.training import ensemble, fresh
from sksoftmax.training.progress import Progress
from sksoftmax.training.run import Run
from support.callbacks import Recorder
from support.estimators import converged, planned, short, short_default
from support.interrupted_fits import N_EPOCHS, SETTINGS, X, assert_usable, y
from support.marks import SOLVERS, has_callbacks
from support.networks import form_of, initialized
from support.processes import interrupt, run_out_of_memory, watch
from support.repository import ROOT, TESTS

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("numpy_steps"),  # the compiled ones: engines/test_compiled_engine.py
]
SETTING = pytest.mark.parametrize("make", SETTINGS.values(), ids=SETTINGS)


def fit_interrupted(clf, X=X, y=y):
    """Fit and expect the warning of an interrupt; a KeyboardInterrupt that is raised fails one test, not the whole run."""
    try:
        with pytest.warns(UserWarning, match="interrupted by user"):
            return clf.fit(X, y)
    except KeyboardInterrupt:
        pytest.fail("KeyboardInterrupt came through")


# Ctrl-C in fit


@pytest.mark.parametrize(("solver", "optimizer"), [("adam", Adam), ("sgd", SGD)])
def test_an_interrupt_keeps_a_usable_model_with_a_warning(solver, optimizer, monkeypatch):
    interrupt(monkeypatch, optimizer, "step", at_call=14)
    clf = planned(solver=solver, batch_size=20, max_iter=100)
    fit_interrupted(clf)
    assert clf.n_iter_ == len(clf.loss_curve_) == 2
    assert np.isfinite(clf.predict_log_proba(X)).all()
    assert clf.partial_fit(X, y).loss_ < clf.loss_curve_[0]


def test_an_interrupt_with_early_stopping_keeps_the_best_weights(monkeypatch):
    interrupt(monkeypatch, Adam, "step", at_call=6)
    clf = planned(early_stopping=True, max_iter=100)
    fit_interrupted(clf)
    assert clf.loss_ == clf.loss_curve_[int(np.argmax(clf.validation_scores_))]


def test_an_interrupt_in_the_first_step_keeps_a_model_that_predicts(monkeypatch):
    interrupt(monkeypatch, Adam, "step", at_call=1)
    clf = planned()
    fit_interrupted(clf)
    assert clf.n_iter_ == 0
    assert clf.predict_proba(X).shape == (120, 3)


def test_an_interrupt_of_lbfgs_keeps_the_last_accepted_weights(monkeypatch):
    interrupt(monkeypatch, Network, "forward", at_call=10)
    clf = converged()
    fit_interrupted(clf)
    monkeypatch.undo()
    penalty = 0.5 * clf.alpha * sum((W**2).sum() for W in clf.coefs_) / len(X)
    assert 0 < clf.n_iter_ < 10
    assert clf.loss_ == pytest.approx(log_loss(y, clf.predict_proba(X)) + penalty, rel=1e-9)


@SOLVERS
def test_an_interrupt_in_the_first_evaluation_keeps_a_model_that_predicts(solver, monkeypatch):
    interrupt(monkeypatch, Network, "forward", at_call=1)
    clf = planned(solver=solver)
    fit_interrupted(clf)
    assert clf.predict_proba(X).shape == (120, 3)


@SETTING
@pytest.mark.parametrize("epoch", [1, 3, N_EPOCHS], ids=["first", "middle", "last"])
def test_an_interrupt_at_any_epoch_keeps_a_usable_model(make, epoch, monkeypatch):
    interrupt(monkeypatch, Run, "record", at_call=epoch)
    clf = fit_interrupted(make())
    assert clf.n_iter_ == epoch - 1
    monkeypatch.undo()
    assert_usable(clf)


@has_callbacks
@SETTING
@pytest.mark.parametrize("epoch", [0, 2, N_EPOCHS - 1], ids=["first", "middle", "last"])
def test_an_interrupt_in_a_callback_at_any_epoch_keeps_the_best_weights_so_far(make, epoch):
    recorder = Recorder(raise_at=epoch, error=KeyboardInterrupt)
    clf = fit_interrupted(make().set_callbacks(recorder))
    assert clf.n_iter_ == epoch + 1
    best = -1 if clf.validation_scores_ is None else int(np.argmax(clf.validation_scores_))
    if clf.n_members == 1:  # the callback sees members before they are weighed
        assert_array_equal(clf.predict_proba(X), recorder.models[best][1])
    assert clf.loss_ == clf.loss_curve_[best]
    assert_usable(clf.set_callbacks())


@SETTING
@pytest.mark.parametrize("at_call", [1, 3])
def test_an_interrupt_before_an_epoch_has_ended_keeps_a_model_that_predicts(make, at_call, monkeypatch):
    interrupt(monkeypatch, Network, "forward", 1 if "lbfgs" in make().solver else at_call)
    clf = fit_interrupted(make(batch_size=20))
    monkeypatch.undo()
    assert clf.n_iter_ == 0
    assert_usable(clf)


def test_an_interrupt_while_the_mixture_is_fitted_ends_training(monkeypatch):
    interrupt(monkeypatch, ensemble, "fit_ensemble_weights", at_call=1)
    rows = np.tile(X, (5, 1)) + np.random.RandomState(0).normal(size=(5 * len(X), X.shape[1]))
    clf = fit_interrupted(short_default(), rows, np.tile(y, 5))
    monkeypatch.undo()
    assert clf.n_iter_ == 3
    assert np.ptp(clf.member_weights_) > 0
    assert_usable(clf)


def test_an_interrupt_while_the_mixture_is_fitted_after_training_keeps_equal_weights(monkeypatch):
    interrupt(monkeypatch, ensemble, "fit_ensemble_weights", at_call=1)
    clf = fit_interrupted(short_default(max_iter=1))
    monkeypatch.undo()
    assert_array_equal(clf.member_weights_, 1 / 9)  # eight networks and a radial network
    for mine, theirs in zip(clf.coefs_, short_default(max_iter=1).fit(X, y).coefs_, strict=True):
        assert_array_equal(mine, theirs)
    assert_usable(clf)


@SETTING
@pytest.mark.parametrize("fitted", [False, True], ids=["unfitted", "fitted"])
def test_an_interrupt_before_there_is_a_network_is_raised_and_changes_nothing(make, fitted, monkeypatch):
    clf = make()
    if fitted:
        clf.fit(X, y)
    before = pickle.dumps(clf)
    interrupt(monkeypatch, fresh, "fit_preprocessor", at_call=1)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X[:, ::-1], y)
    assert pickle.dumps(clf) == before


def test_an_interrupt_with_weights_that_are_not_finite_restores_the_last_good_ones(monkeypatch):
    """The last step before the interrupt diverged."""
    calls = []

    def diverge(self, w, g, rate):
        calls.append(1)
        if len(calls) == 8:
            w[...] = np.nan
            raise KeyboardInterrupt

    watch(monkeypatch, SGD, "step", diverge)
    clf = fit_interrupted(short(solver="sgd", batch_size=20))
    monkeypatch.undo()
    assert clf.n_iter_ == 1
    assert clf.loss_ == clf.loss_curve_[0]
    assert_usable(clf)


def test_an_interrupt_between_a_step_and_its_ema_decay_average_does_not_count_the_step(monkeypatch):
    parameters = initialized(form_of(4, (), 3)).parameters
    average = WeightAverage(parameters, decay=0.9)
    average.begin_epoch(parameters)
    SGD(parameters).step(parameters, np.ones_like(parameters), 0.1)
    after_the_step = parameters.copy()
    interrupt(monkeypatch, np, "subtract", at_call=1)
    with pytest.raises(KeyboardInterrupt):
        average.update(parameters, scratch=np.empty_like(parameters))
    average.end_epoch(parameters)
    assert average.n_averaged == 0
    assert_array_equal(parameters, after_the_step)


SIGNALLED = """
import os, pickle, signal, sys, warnings
import numpy as np
from support.interrupted_fits import N_EPOCHS, SETTINGS, X, y

class Killer:
    def __init__(self): self.seen = 0
    def write(self, text):
        self.seen += text.startswith("Iteration")
        if self.seen == 3:
            self.seen = 4
            os.kill(os.getpid(), signal.SIGINT)
    def flush(self): pass

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a process in the background is started without
for name, make in SETTINGS.items():
    clf, stdout = make(verbose=1), sys.stdout
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sys.stdout = Killer()
        clf.fit(X, y)
        sys.stdout = stdout
    interrupted = sum("interrupted by user" in str(warning.message) for warning in caught)
    print(name, "|", interrupted, clf.n_iter_ < N_EPOCHS, np.isfinite(clf.predict_proba(X)).all())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has another Ctrl-C")
def test_a_real_ctrl_c_ends_each_fit_and_not_the_program():
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(TESTS)])}
    command = [sys.executable, "-c", SIGNALLED]
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{name} | 1 True True" for name in SETTINGS]


# Ctrl-C in a search


def test_an_interrupt_in_a_search_in_one_process_ends_one_fit_and_the_search_continues(monkeypatch):
    """As with MLPClassifier."""
    interrupt(monkeypatch, Run, "record", at_call=4)
    search = GridSearchCV(short(), {"alpha": [0.1, 1.0, 10.0]}, cv=2, error_score="raise")
    with pytest.warns(UserWarning, match="interrupted by user") as caught:
        search.fit(X, y)
    assert sum("interrupted" in str(warning.message) for warning in caught) == 1
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.n_iter_ == N_EPOCHS


def test_an_interrupt_ends_a_search_if_its_warning_is_an_error(monkeypatch):
    interrupt(monkeypatch, Run, "record", at_call=4)
    search = GridSearchCV(short(), {"alpha": [0.1, 1.0, 10.0]}, cv=2, error_score="raise")
    with warnings.catch_warnings(), pytest.raises(UserWarning, match="interrupted by user"):
        warnings.filterwarnings("error", message="Training interrupted")
        search.fit(X, y)
    assert not hasattr(search, "best_estimator_")


SEARCH = """
import signal, sys
import numpy as np
from sklearn.model_selection import GridSearchCV
from sksoftmax import SoftmaxMLPClassifier

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    X = np.random.default_rng(0).normal(size=(60, 4))
    clf = SoftmaxMLPClassifier(n_members=1, max_iter=1_000_000, verbose=1)
    try:
        GridSearchCV(clf, {"alpha": [0.1, 1.0]}, cv=2, n_jobs=2).fit(X, X[:, 0] > 0)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has another Ctrl-C")
def test_a_real_ctrl_c_ends_a_search_in_several_processes(tmp_path):
    """The terminal sends it to all of them."""
    (tmp_path / "search.py").write_text(SEARCH)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "search.py"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        start_new_session=True,
    ) as search:
        for line in search.stdout:  # of the workers, once they train
            if line.startswith("Iteration 2,"):
                break
        os.killpg(search.pid, signal.SIGINT)
        rest = search.stdout.read()
        assert search.wait(60) == 0
    assert "interrupted" in rest


# Errors in the middle


POINTS = {  # the function in which memory runs out, and at which call
    "preprocessing": (fresh, "fit_preprocessor", 1),
    "the network": (Network, "__init__", 1),
    "the gradient": (Network, "allocate_gradient", 1),
    "the first step": (Network, "forward", 1),
    "the second epoch": (Network, "forward", 4),
    "an optimizer's step": (Adam, "step", 3),
    "the scoring": (Run, "validate", 2),
    "the record": (Progress, "record_scored", 2),
    "the best weights": (Run, "restore_best", 1),
    "the ensemble": (ensemble, "fit_ensemble_weights", 1),
    "the attributes": (classifier, "fitted_attributes", 1),
}


def reached(make, point):
    """Whether training goes through this point."""
    return not (point == "the ensemble" and make is not short_default)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("make", [short, short_default])
@pytest.mark.parametrize("state", ["unfitted", "fitted", "warm start"])
def test_running_out_of_memory_anywhere_in_fit_changes_nothing(make, state, point, monkeypatch):
    clf = make(early_stopping=True, warm_start=state == "warm start")
    if state != "unfitted":
        clf.fit(X, y)
    if not reached(make, point) or (state == "warm start" and point in ("preprocessing", "the ensemble")):
        pytest.skip("training does not go there")
    before, attributes = pickle.dumps(clf), vars(clf).copy()
    run_out_of_memory(monkeypatch, *POINTS[point])
    with pytest.raises((MemoryError, ValueError), match="memory"):
        clf.fit(X[::-1], y[::-1])
    monkeypatch.undo()
    assert pickle.dumps(clf) == before
    assert vars(clf).keys() == attributes.keys()
    assert all(vars(clf)[name] is value for name, value in attributes.items())
    if state == "unfitted":
        with pytest.raises(NotFittedError):
            clf.predict(X)


@pytest.mark.parametrize("point", ["preprocessing", "the network", "the first step", "an optimizer's step", "the attributes"])
@pytest.mark.parametrize("make", [short, short_default])
def test_running_out_of_memory_in_the_first_partial_fit_leaves_it_unfitted(make, point, monkeypatch):
    clf = make(batch_size=20)
    before = vars(clf).copy()
    run_out_of_memory(monkeypatch, *POINTS[point])
    with pytest.raises((MemoryError, ValueError), match="memory"):
        clf.partial_fit(X, y, classes=list("abc"))
    assert vars(clf) == before


@pytest.mark.parametrize("point", ["the network", "the first step", "an optimizer's step", "the attributes"])
@pytest.mark.parametrize("params", [{}, {"solver": "sgd"}, {"ema_decay": 0.9}, {"dropout": 0.2}])
def test_partial_fit_after_an_error_continues_as_if_there_had_been_none(params, point, monkeypatch):
    """Weights, moments, curves, and the draws of the random generator, too."""
    if params.get("solver") == "sgd" and point == "an optimizer's step":
        pytest.skip("of Adam")
    clf = short(batch_size=20, **params).partial_fit(X, y, classes=list("abc"))
    before = pickle.dumps(clf)
    expected = pickle.loads(before).partial_fit(X, y)
    with monkeypatch.context() as patched:
        run_out_of_memory(patched, *POINTS[point])
        with pytest.raises((MemoryError, ValueError), match="memory"):
            clf.partial_fit(X, y)
    assert pickle.dumps(clf) == before
    clf.partial_fit(X, y)
    for mine, theirs in zip(clf.coefs_, expected.coefs_, strict=True):
        assert_array_equal(mine, theirs)


@has_callbacks
@SETTING
@pytest.mark.parametrize("fitted", [False, True], ids=["unfitted", "fitted"])
def test_an_error_of_a_callback_leaves_every_kind_of_estimator_unchanged(make, fitted):
    clf = make()
    if fitted:
        clf.fit(X, y)
    clf.set_callbacks(Recorder(raise_at=2))
    before = vars(clf).copy()
    with pytest.raises(RuntimeError, match="of the callback"):
        clf.fit(X[::-1], y[::-1])
    assert vars(clf).keys() == before.keys()
    assert all(vars(clf)[name] is value for name, value in before.items())
    assert clf.__sklearn_is_fitted__() is fitted
