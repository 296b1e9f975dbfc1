"""scikit-learn's callbacks: one task an epoch, stopping, models on the way, errors; its own in its meta-estimators."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksoftmax.training.callbacks import CallbackSupportMixin, NoTasks, fit_tasks
from support.callbacks import Recorder
from support.estimators import short
from support.marks import SOLVERS, STEPWISE, has_callbacks

try:
    from sklearn.callback import ProgressBar, ScoringMonitor
except ImportError:
    ProgressBar = ScoringMonitor = None


pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X = np.random.default_rng(0).normal(size=(60, 4))
y = np.array(["b", "a", "c"])[X[:, :3].argmax(axis=1)]
FRAME = pd.DataFrame(X, columns=list("abcd"))
WEIGHTS = np.linspace(0.1, 2, 60)


def epochs(n):
    return [f"{what} epoch {i}" for i in range(n) for what in ("begin", "end")]


# Tasks


@has_callbacks
@SOLVERS
@pytest.mark.parametrize("early_stopping", [False, True])
def test_each_epoch_is_one_task_within_that_of_fit(solver, early_stopping):
    recorder = Recorder()
    clf = short(solver=solver, early_stopping=early_stopping).set_callbacks(recorder).fit(X, y)
    assert clf.n_iter_ > 3
    assert recorder.events == ["setup", "begin fit 0", *epochs(clf.n_iter_), "end fit 0", "teardown"]
    fit_context = recorder.seen[-1][0]
    assert fit_context.max_subtasks == 6
    assert all(context.parent is fit_context and context.max_subtasks == 0 for context, *_ in recorder.seen[:-1])


@has_callbacks
@SOLVERS
def test_the_last_task_of_a_callback_ends_when_early_stopping_ends_training(solver):
    recorder = Recorder()
    clf = short(solver=solver, early_stopping=True, max_iter=50, tol=10.0, n_iter_no_change=2).set_callbacks(recorder)
    n_epochs = clf.fit(X, y).n_iter_
    assert n_epochs < 10
    assert recorder.events == ["setup", "begin fit 0", *epochs(n_epochs), "end fit 0", "teardown"]


@has_callbacks
@STEPWISE
def test_partial_fit_is_one_task_with_one_epoch(solver):
    recorder = Recorder()
    clf = short(solver=solver).set_callbacks(recorder)
    for _ in range(2):
        clf.partial_fit(X, y, classes=["a", "b", "c"])
    assert recorder.events == 2 * ["setup", "begin partial_fit 0", *epochs(1), "end partial_fit 0", "teardown"]
    assert [len(model.loss_curve_) for model, _ in recorder.models] == [1, 2]


@has_callbacks
@SOLVERS
def test_warm_start_counts_the_tasks_of_its_epochs_from_zero(solver):
    recorder = Recorder()
    clf = short(solver=solver, warm_start=True, max_iter=2).set_callbacks(recorder).fit(X, y).fit(X, y)
    assert recorder.events == 2 * ["setup", "begin fit 0", *epochs(2), "end fit 0", "teardown"]
    assert len(clf.loss_curve_) == 4


@has_callbacks
def test_callbacks_see_X_and_y_as_the_user_gave_them_and_the_weights():
    recorder = Recorder()
    labels = pd.Series(y)
    short(max_iter=1).set_callbacks(recorder).fit(FRAME, labels, sample_weight=WEIGHTS)
    for _, X_seen, y_seen, metadata in recorder.seen:
        assert X_seen is FRAME
        assert y_seen is labels
        assert list(metadata) == ["sample_weight"]
        assert metadata["sample_weight"] is WEIGHTS
    short(max_iter=1).set_callbacks(recorder).fit(FRAME, labels)
    assert recorder.seen[-1][3] is None


@has_callbacks
@SOLVERS
def test_callbacks_change_nothing(solver):
    one, other = short(solver=solver).set_callbacks(Recorder()).fit(X, y), short(solver=solver).fit(X, y)
    assert_array_equal(one.coefs_[0], other.coefs_[0])
    assert one.loss_curve_ == other.loss_curve_
    assert set(vars(one)) - {"_skl_callbacks"} == set(vars(other))


# Stopping


@has_callbacks
@SOLVERS
def test_a_callback_may_stop_training(solver):
    recorder = Recorder(stop_at=2)
    clf = short(solver=solver).set_callbacks(recorder).fit(X, y)
    assert clf.n_iter_ == len(clf.loss_curve_) == 3
    assert recorder.events[-3:] == ["end epoch 2", "end fit 0", "teardown"]
    assert_array_equal(clf.predict_proba(X), recorder.models[-1][1])
    assert_allclose(clf.coefs_[0], short(solver=solver, max_iter=3).fit(X, y).coefs_[0], rtol=1e-12)


@has_callbacks
@SOLVERS
def test_early_stopping_restores_the_best_weights_if_a_callback_stops_training(solver):
    clf = short(solver=solver, early_stopping=True, learning_rate_init=0.3, scoring="loss")
    clf.set_callbacks(Recorder(stop_at=4)).fit(X, y)
    assert (clf.n_iter_, len(clf.validation_scores_)) == (5, 5)
    assert clf.loss_ == clf.loss_curve_[clf.best_iter_ - 1]


@has_callbacks
@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
@SOLVERS
def test_training_stopped_by_a_callback_gives_no_warning(solver):
    assert short(solver=solver, tol=0.0).set_callbacks(Recorder(stop_at=1)).fit(X, y).n_iter_ == 2


@has_callbacks
@STEPWISE
def test_a_callback_that_stops_partial_fit_does_not_stop_the_next_call(solver):
    clf = short(solver=solver).set_callbacks(Recorder(stop_at=0))
    assert [clf.partial_fit(X, y, classes=["a", "b", "c"]).t_ for _ in range(3)] == [60, 120, 180]


# The model during training


@has_callbacks
@SOLVERS
@pytest.mark.parametrize("extra", [{}, {"ema_decay": 0.7, "dropout": 0.3}], ids=["plain", "averaged"])
def test_a_callback_gets_the_model_that_max_iter_at_its_epoch_would_give_and_it_does_not_change_later(solver, extra):
    if solver == "lbfgs":
        extra = {}
    recorder = Recorder()
    short(solver=solver, **extra).set_callbacks(recorder).fit(FRAME, y)
    assert len(recorder.models) == 6
    for n, (model, p) in enumerate(recorder.models, start=1):
        ended = short(solver=solver, max_iter=n, **extra).fit(FRAME, y)
        assert_array_equal(model.predict_proba(FRAME), p)  # unchanged by later epochs
        assert_allclose(p, ended.predict_proba(FRAME), rtol=1e-12)
        assert model.loss_curve_ == ended.loss_curve_
        assert (model.n_iter_, model.t_, model.classes_.tolist()) == (n, ended.t_, ["a", "b", "c"])


@has_callbacks
def test_a_callback_gets_at_the_beginning_of_an_epoch_the_model_of_the_end_of_the_previous_one():
    class Beginnings(Recorder):
        def on_fit_task_begin(self, estimator, context, *, X=None, fitted_estimator=None):
            if context.task_name == "epoch":
                self.events.append(fitted_estimator.predict_proba(X))

    callback = Beginnings()
    short().set_callbacks(callback).fit(X, y)
    beginnings = [event for event in callback.events if not isinstance(event, str)]
    assert len(beginnings) == 6
    for beginning, (_, end) in zip(beginnings[1:], callback.models):
        assert_array_equal(beginning, end)
    untrained = short(max_iter=1, learning_rate_init=1e-300).fit(X, y)
    assert_allclose(beginnings[0], untrained.predict_proba(X), rtol=1e-12)


@has_callbacks
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_callback_gets_the_fitted_model_at_the_end_of_fit(early_stopping):
    class End(Recorder):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            self.models = [fitted_estimator]

    callback = End()
    clf = short(early_stopping=early_stopping, learning_rate_init=0.3, max_iter=15).set_callbacks(callback).fit(X, y)
    (model,) = callback.models
    assert_array_equal(model.predict_proba(X), clf.predict_proba(X))
    assert not np.shares_memory(model.coefs_[0], clf.coefs_[0])
    assert (model.loss_, model.n_iter_) == (clf.loss_, clf.n_iter_)


class Checkpoints(Recorder):
    """Keeps copies of the model of each task, made in two ways."""

    def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None):
        p = fitted_estimator.predict_proba(X)
        for other in (pickle.loads(pickle.dumps(fitted_estimator)), copy.deepcopy(fitted_estimator)):
            assert_array_equal(other.predict_proba(X), p)
            self.models.append(other)


@has_callbacks
@SOLVERS
def test_a_callback_may_pickle_and_copy_the_model_of_an_epoch_in_a_warm_start_too(solver):
    callback = Checkpoints()
    clf = short(solver=solver, warm_start=True, max_iter=2).set_callbacks(callback).fit(X, y).fit(X, y)
    assert len(callback.models) == 2 * 2 * 3
    assert_array_equal(callback.models[-1].predict_proba(X), clf.predict_proba(X))


# Errors


@has_callbacks
@SOLVERS
@pytest.mark.parametrize("fitted", [False, True], ids=["first", "warm"])
def test_an_error_of_a_callback_is_raised_after_the_teardown_and_changes_nothing(solver, fitted):
    clf = short(solver=solver, warm_start=True)
    if fitted:
        clf.fit(X, y)
    recorder = Recorder(raise_at=1)
    clf.set_callbacks(recorder)
    before = vars(clf).copy()
    p = clf.predict_proba(X) if fitted else None
    with pytest.raises(RuntimeError, match="of the callback"):
        clf.fit(X, y)
    assert recorder.events[-2:] == ["end epoch 1", "teardown"]
    assert vars(clf).keys() == before.keys()
    assert all(vars(clf)[name] is value for name, value in before.items())
    if fitted:
        assert_array_equal(clf.predict_proba(X), p)
    assert clf.set_callbacks().fit(X, y).n_iter_ == 6


@has_callbacks
def test_an_error_of_a_callback_in_partial_fit_changes_nothing():
    clf = short(ema_decay=0.5).partial_fit(X, y, classes=["a", "b", "c"])
    before = pickle.loads(pickle.dumps(clf))
    with pytest.raises(RuntimeError, match="of the callback"):
        clf.set_callbacks(Recorder(raise_at=0)).partial_fit(X, y)
    assert_array_equal(clf.predict_proba(X), before.predict_proba(X))
    assert clf.t_ == 60
    after, expected = (each.set_callbacks().partial_fit(X, y) for each in (clf, before))  # the moments are the same
    assert_array_equal(after.predict_proba(X), expected.predict_proba(X))


@has_callbacks
@SOLVERS
def test_an_interrupt_in_a_callback_keeps_the_model_as_one_in_training_does(solver):
    recorder = Recorder(raise_at=2, error=KeyboardInterrupt)
    clf = short(solver=solver, max_iter=50).set_callbacks(recorder)
    with pytest.warns(UserWarning, match="interrupted by user"):
        clf.fit(X, y)
    assert clf.n_iter_ == 3
    assert recorder.events[-2:] == ["end fit 0", "teardown"]
    assert_array_equal(clf.predict_proba(X), recorder.models[-1][1])


@has_callbacks
def test_divergence_ends_the_callback_task_of_the_epoch_with_the_restored_weights():
    recorder = Recorder()
    clf = short(solver="sgd", learning_rate_init=1e80, batch_size=10).set_callbacks(recorder)
    with pytest.warns(UserWarning, match="diverged"):
        clf.fit(X, y)
    assert recorder.events == ["setup", "begin fit 0", *epochs(1), "end fit 0", "teardown"]
    assert_array_equal(recorder.models[0][1], clf.predict_proba(X))


@has_callbacks
@pytest.mark.parametrize("bad", [{"sample_weight": -np.ones(60)}, {"X_val": X}])
def test_a_refused_fit_leaves_the_callbacks_usable(bad):
    recorder = Recorder()
    clf = short().set_callbacks(recorder)
    with pytest.raises(ValueError, match=r"sample_weight|y_val"):
        clf.fit(X, y, **bad)
    assert recorder.events.count("setup") == recorder.events.count("teardown")
    recorder.events.clear()
    clf.fit(X, y)
    assert recorder.events == ["setup", "begin fit 0", *epochs(6), "end fit 0", "teardown"]


# scikit-learn's own callbacks


def accuracies(monitor, rows=None, **select):
    """The scores of epochs that a monitor of accuracy has logged, in order."""
    data = monitor.get_logs(**select).data
    return [
        row["accuracy"]
        for row in data
        if row["task_name"] == "epoch" and (rows is None or row["task_id_path"][: len(rows)] == rows)
    ]


@has_callbacks
@SOLVERS
@pytest.mark.parametrize("given", [X, FRAME], ids=["array", "frame"])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_a_scoring_monitor_logs_the_score_of_each_epoch(solver, given, weights):
    monitor, recorder = ScoringMonitor(scoring="accuracy"), Recorder()
    clf = short(solver=solver).set_callbacks(monitor, recorder).fit(given, y, weights)
    expected = [accuracy_score(y, model.predict(given), sample_weight=weights) for model, _ in recorder.models]
    assert accuracies(monitor) == pytest.approx(expected, rel=1e-12)
    assert expected[-1] == accuracy_score(y, clf.predict(given), sample_weight=weights)


@has_callbacks
def test_a_scoring_monitor_of_several_scores_counts_partial_fits_as_runs():
    monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    clf = short().set_callbacks(monitor)
    for _ in range(3):
        clf.partial_fit(FRAME, y, classes=["a", "b", "c"])
    logs = monitor.get_logs(select="all")
    assert len(logs) == 3
    assert all({"accuracy", "neg_log_loss"} <= set(row) for log in logs for row in log.data)


@has_callbacks
@pytest.mark.parametrize("given", [X, FRAME], ids=["array", "frame"])
def test_a_scoring_monitor_works_in_a_pipeline(given):
    monitor = ScoringMonitor(scoring="accuracy")
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), short().set_callbacks(monitor)).fit(given, y)
    assert len(accuracies(monitor)) == 6
    assert accuracies(monitor)[-1] == pipeline.score(given, y)
    assert pipeline[-1].feature_names_in_.tolist() == (list("abcd") if given is FRAME else ["x0", "x1", "x2", "x3"])


@has_callbacks
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_scoring_monitor_works_in_a_grid_search(n_jobs):
    monitor = ScoringMonitor(scoring="accuracy")
    search = GridSearchCV(
        short(max_iter=3).set_callbacks(monitor), {"alpha": [0.1, 1.0]}, cv=2, n_jobs=n_jobs, error_score="raise"
    )
    search.fit(FRAME, y)
    n_fits = 2 * 2 + 1  # with the last one on all rows
    scores = [row["accuracy"] for log in monitor.get_logs(select="all") for row in log.data if row["task_name"] == "epoch"]
    assert len(scores) == 3 * n_fits
    assert search.score(FRAME, y) in scores


@has_callbacks
@SOLVERS
def test_a_progress_bar_counts_the_epochs(solver, capsys):
    pytest.importorskip("rich", reason="rich is not installed")
    short(solver=solver).set_callbacks(ProgressBar()).fit(FRAME, y)
    out = capsys.readouterr().out
    assert "SoftmaxMLPClassifier - fit" in out
    assert "100%" in out


@has_callbacks
def test_a_progress_bar_of_a_grid_search_shows_the_fits_within(capsys):
    pytest.importorskip("rich", reason="rich is not installed")
    search = GridSearchCV(short(max_iter=2), {"alpha": [0.1, 1.0]}, cv=2, error_score="raise")
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(FRAME, y)
    out = capsys.readouterr().out
    assert "GridSearchCV - fit" in out
    assert out.count("SoftmaxMLPClassifier - fit") >= 4
    assert search.score(FRAME, y) > 0


# Without callbacks


@pytest.mark.skipif(ScoringMonitor is not None, reason="here are callbacks")
def test_older_versions_of_scikit_learn_refuse_callbacks_by_version():
    with pytest.raises(RuntimeError, match=rf"Callbacks need scikit-learn 1\.9 or newer; this is {sklearn.__version__}"):
        short().set_callbacks(Recorder())


@pytest.mark.skipif(ScoringMonitor is not None, reason="here are callbacks")
def test_older_versions_of_scikit_learn_train_without_tasks():
    assert isinstance(fit_tasks(short(), "fit", 3, None, {}), NoTasks)
    assert not hasattr(CallbackSupportMixin, "_init_callback_context")


def test_no_tasks_never_ask_to_stop():
    tasks = NoTasks()
    tasks.begin()
    assert tasks.end() is False
    assert tasks.finish() is None
