"""Threads, processes and clusters: whatever runs the work, the result is that of one thread."""

import copy
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from threading import Event, Thread
from time import sleep

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV, cross_validate
from threadpoolctl import threadpool_info, threadpool_limits

from sksoftmax.nn import threads
from support.estimators import short, short_default
from support.processes import forked, needs_fork, run_script

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X = np.random.default_rng(0).normal(size=(120, 4))
y = np.array(["b", "a", "c"])[X[:, :3].argmax(axis=1)]


# Threads


@pytest.mark.parametrize("make", [short, short_default])
def test_eight_threads_on_one_estimator_get_the_bits_of_one_a_thousand_times(make):
    clf = make().fit(X, y)
    methods = [clf.predict_proba, clf.predict_log_proba, clf.decision_function, clf.predict]
    calls = [(method, X[first:]) for method in methods for first in range(7)]  # threads at once work on different numbers of rows
    expected = [method(rows) for method, rows in calls]
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda call: calls[call % 28][0](calls[call % 28][1]), range(1000))
        for call, answer in enumerate(found):
            assert_array_equal(answer, expected[call % 28], strict=True)


FITS = [
    *(lambda seed=seed: short(random_state=seed, dropout=0.2) for seed in range(3)),
    *(lambda seed=seed: short(random_state=seed, solver="lbfgs", max_iter=30) for seed in range(3)),
    lambda: short(solver="sgd", early_stopping=True),
    lambda: short(ema_decay=0.9, scoring="f1_macro", early_stopping=True),
    short_default,
    lambda: short_default(random_state=1, early_stopping=True),
]


def test_fits_in_threads_equal_those_one_after_the_other():
    def fitted(make):
        clf = make().fit(X, y)
        return [*clf.coefs_, *clf.intercepts_, clf.loss_curve_, clf.predict_proba(X)]

    expected = [fitted(make) for make in FITS]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(fitted, FITS * 3))
    for arrays, right in zip(found, expected * 3, strict=True):
        for array, same in zip(arrays, right, strict=True):
            assert_array_equal(array, same)


def test_threads_that_train_copies_of_one_estimator_leave_it_alone():
    clf = short().partial_fit(X, y, classes=list("abc"))
    expected = copy.deepcopy(clf).partial_fit(X, y).coefs_[0]
    with ThreadPoolExecutor(4) as pool:
        for trained in pool.map(lambda _: copy.deepcopy(clf).partial_fit(X, y), range(12)):
            assert_array_equal(trained.coefs_[0], expected)
    assert_array_equal(clf.partial_fit(X, y).coefs_[0], expected)


def numbers_of_threads():
    return [library["num_threads"] for library in threadpool_info()]


def failing_fit(clf):
    with pytest.raises(RuntimeError, match="of the schedule"):
        clf.fit(X, y)


def broken_schedule(progress):
    raise RuntimeError("of the schedule")


@pytest.mark.parametrize("n_threads", [1, 2])
def test_every_call_gives_the_libraries_their_threads_back(n_threads):
    rows = np.tile(X, (100, 1))
    with threadpool_limits(n_threads):
        before, clf = numbers_of_threads(), short_default()
        clf.fit(X, y).predict_proba(rows)
        clf.partial_fit(X, y).predict(X[:1])
        failing_fit(short_default(learning_rate=broken_schedule))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda seed: short_default(random_state=seed).fit(X, y).predict(rows), range(8)))
            list(pool.map(lambda seed: short(random_state=seed, solver="lbfgs").fit(X, y), range(12)))
        assert numbers_of_threads() == before
    assert not threads.limits_in_force
    assert threads.n_threads_in_use == 0


def test_predictions_of_many_rows_are_the_same_to_the_bit_on_one_thread_and_on_eight(monkeypatch):
    rows, clf = np.tile(X, (200, 1)), short_default().fit(X, y)
    found = []
    for n_threads in (1, 8):
        monkeypatch.setattr(threads, "allowed_threads", lambda n_threads=n_threads: n_threads)
        found.append(clf.predict_proba(rows))
    assert_array_equal(*found)


# joblib's backends


GRID = {"alpha": [0.01, 1.0], "solver": ["adam", "lbfgs"]}


def searched(clf=None, grid=GRID):
    search = GridSearchCV(clf or short(), grid, cv=3, scoring="neg_log_loss", n_jobs=2, error_score="raise").fit(X, y)
    return search.cv_results_["mean_test_score"], search.best_estimator_.predict_proba(X)


def assert_equal_to_sequential(backend):
    """Scores and the refitted winner of a search, and a cross-validation of an ensemble."""
    with joblib.parallel_config("sequential"):
        expected = [*searched(), cross_validate(short_default(), X, y, cv=3)["test_score"]]
    with joblib.parallel_config(backend, n_jobs=2):
        found = [*searched(), cross_validate(short_default(), X, y, cv=3, error_score="raise")["test_score"]]
    for array, right in zip(found, expected, strict=True):
        assert_array_equal(array, right)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_search_is_the_same_in_processes_and_threads(backend):
    assert_equal_to_sequential(backend)


@pytest.fixture(scope="module")
def client():
    """A dask cluster within this process."""
    distributed = pytest.importorskip("distributed")
    with distributed.Client(processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0") as client:
        yield client


def test_a_search_is_the_same_on_dask(client):
    assert_equal_to_sequential("dask")


# Forked processes


def calls_in_the_background(clf, stop):
    """Threads that fit and predict over and over until `stop` is set."""

    def repeat(call):
        while not stop.is_set():
            call()

    calls = [lambda: clf.predict_proba(np.tile(X, (200, 1))), lambda: short(max_iter=2).fit(X, y)]
    return [Thread(target=repeat, args=[call]) for call in calls]


def answers_and_threads(clf):
    """Probabilities before and after a fit, and the numbers of threads before, between and after them."""
    found = [numbers_of_threads()]
    probabilities = [clf.predict_proba(X)]
    found.append(numbers_of_threads())
    short(max_iter=2).fit(X, y)
    probabilities.append(clf.predict_proba(X))
    found += [numbers_of_threads(), threads.n_threads_in_use, len(threads.limits_in_force)]
    return probabilities, found


@needs_fork
@pytest.mark.parametrize("n_children", [5, pytest.param(300, marks=pytest.mark.nightly)])
def test_processes_that_are_forked_during_fits_and_predictions_answer_with_all_their_threads(n_children):
    with threadpool_limits(2):
        clf, stop, allowed = short_default().fit(X, y), Event(), numbers_of_threads()
        expected, workers, rng = clf.predict_proba(X), calls_in_the_background(clf, stop), np.random.default_rng(0)
        for worker in workers:
            worker.start()
        try:
            for _ in range(n_children):
                sleep(rng.uniform(0, 0.01))
                probabilities, found = forked(lambda: answers_and_threads(clf))
                assert_array_equal(probabilities, [expected] * 2)
                assert found == [allowed] * 3 + [0, 0]
        finally:
            stop.set()
            for worker in workers:
                worker.join()
        assert numbers_of_threads() == allowed


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", *(pytest.param(name, marks=pytest.mark.nightly) for name in ("forkserver", "spawn"))])
def test_a_pool_of_processes_answers_after_the_parent_has_predicted(method):
    clf = short_default().fit(X, y)
    expected = clf.predict_proba(X)
    with ProcessPoolExecutor(2, get_context(method)) as pool:
        for probabilities in pool.map(clf.predict_proba, [X] * 4, timeout=60):
            assert_array_equal(probabilities, expected)


# Workers that die


@pytest.mark.nightly
def test_a_worker_that_dies_changes_nothing(tmp_path):
    pytest.importorskip("distributed")
    output = run_script(
        "examples/cluster.py", "--workers", "2", "--rows", "300", "--epochs", "2", "--timeout", "240", folder=tmp_path
    )
    assert output.count("one was killed in the middle") == 2
    assert output.endswith("All results are equal.\n")
