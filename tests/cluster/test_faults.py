"""Faults of workers and clients on a cluster of processes: results stay equal, waits end, and nothing stays on the workers."""

import os
import signal
import subprocess
import sys
import time
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Timer

import numpy as np
import pytest
from numpy.testing import assert_allclose

pytest.importorskip("distributed")
pytest.importorskip("dask.dataframe", exc_type=ImportError)

import dask
import dask.array as da
from distributed import Client, LocalCluster

from sksoftmax.dask import DaskSoftmaxMLPClassifier
from sksoftmax.dask import cluster as cluster_module
from sksoftmax.dask.cluster import WorkerMatrix
from sksoftmax.dask.worker import HOLDERS
from support import clusters
from support.clusters import LABELS, NUMBERS, SIZES, in_parts
from support.marks import has_callbacks
from support.processes import interrupt, watch
from support.repository import ROOT, TESTS

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop and kill a process by signals"),
]
SETTINGS = {
    "hidden_layer_sizes": (16, 8),
    "dtype": "float64",
    "random_state": 0,
    "max_iter": 3,
    "batch_size": 60,
    "companion": False,
}


@pytest.fixture(scope="module")
def cluster():
    """A client of two workers, which are processes; dask starts one that dies again, also if it dies every few seconds."""
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"}), clusters.cluster(2, processes=True) as client:
        yield client


@pytest.fixture(name="client")
def client_of_two(cluster):
    """The same once both workers are there; afterwards nothing may be left on them."""
    wait_for(cluster, n_workers=2)
    yield cluster
    assert_nothing_left(cluster)


@pytest.fixture(scope="module")
def undisturbed(cluster):
    """The weights that a fit without faults finds, with and without early stopping."""
    return {stops: fit_on_cluster(early_stopping=stops).coefs_ for stops in (False, True)}


def fit_on_cluster(**params):
    return DaskSoftmaxMLPClassifier(**SETTINGS | params).fit(in_parts(NUMBERS, SIZES), in_parts(LABELS, SIZES))


def assert_same_weights(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        assert_allclose(one, other, atol=1e-9)


def running(client):
    """The processes of the workers that dask would start again if they died, by their addresses."""
    nannies = list(client.cluster.workers.values())
    return {nanny.worker_address: nanny.pid for nanny in nannies if nanny.status.name == "running" and nanny.pid}


def wait_for(client, n_workers):
    """Wait until there are so many workers, and dask would start each of them again."""
    wait_until(lambda: len(client.nthreads()) == n_workers and set(running(client)) == set(client.nthreads()))


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "The wait has no end."
        time.sleep(0.05)


def number_of_tasks(dask_scheduler):
    return len(dask_scheduler.tasks)


def left_on_worker(dask_worker):
    return len(HOLDERS), len(dask_worker.data), len(dask_worker.state.actors)


def assert_nothing_left(client):
    """No task, actor or data on the scheduler and the workers, which hear in some milliseconds of what is released."""

    def nothing_is_left():
        on_workers = client.run(left_on_worker, on_error="ignore").values()
        return not client.run_on_scheduler(number_of_tasks) and not any(map(any, on_workers))

    wait_until(nothing_is_left, seconds=10)


def kill(client, address, seconds=0.0):
    """Kill a worker; first let it stop for these seconds, in which it is asked and does not answer."""
    wait_until(lambda: address in running(client))
    pid = running(client)[address]
    os.kill(pid, signal.SIGSTOP)
    Timer(seconds, os.kill, (pid, signal.SIGKILL)).start()


def at_question(monkeypatch, method, act, number=1):
    """Let `act` get the matrix once, before all workers are asked for this method for the nth time."""
    asked = []

    def see(matrix, asked_method, *others):
        asked.append(asked_method)
        if asked_method == method and asked.count(method) == number:
            act(matrix)

    watch(monkeypatch, WorkerMatrix, "ask", see)
    return asked


# Workers that die or join


def computed(rows, path, fatal):
    """A partition, which kills its worker when it is computed for the nth time of all."""
    with open(path, "a+") as file:
        file.write("x")
        file.seek(0)
        if len(file.read()) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
    return rows


@pytest.mark.parametrize(("stage", "fatal"), [("first pass", 1), ("load", 2)])
def test_a_worker_that_dies_of_a_partition_changes_nothing(stage, fatal, client, undisturbed, tmp_path):
    whole = in_parts(NUMBERS, SIZES)
    parts = list(whole.to_delayed().ravel())
    parts[3] = dask.delayed(computed)(parts[3], str(tmp_path / "computed"), fatal)
    X = da.concatenate([da.from_delayed(part, (size, 5), float) for part, size in zip(parts, whole.chunks[0])])
    clf = DaskSoftmaxMLPClassifier(**SETTINGS).fit(X, in_parts(LABELS, SIZES))
    assert len((tmp_path / "computed").read_text()) > 2
    assert_same_weights(clf.coefs_, undisturbed[False])


STAGES = [  # a question to all workers, the number of times that it is asked before a worker dies, early_stopping
    ("map_blocks", 2, False),
    ("begin", 1, False),
    ("gradient", 8, False),  # in the middle of the second epoch
    ("take", 1, False),  # to calibrate
    ("logits", 2, True),
]


@pytest.mark.parametrize(("method", "number", "early_stopping"), STAGES, ids=[stage[0] for stage in STAGES])
def test_a_worker_that_dies_changes_nothing(method, number, early_stopping, client, undisturbed, monkeypatch):
    killed = []

    def act(matrix):
        killed.append(matrix.held[0].address)
        kill(client, killed[0], seconds=0.2)

    at_question(monkeypatch, method, act, number)
    clf = fit_on_cluster(early_stopping=early_stopping)
    assert killed and killed[0] not in client.nthreads()
    assert_same_weights(clf.coefs_, undisturbed[early_stopping])


@pytest.mark.nightly
def test_a_worker_that_joins_takes_the_rows_of_one_that_dies(client, undisturbed, monkeypatch):
    joined = []

    def act(matrix):
        client.cluster.scale(3)
        client.wait_for_workers(3, timeout=60)
        joined.extend(set(client.nthreads()) - {held.address for held in matrix.held})
        kill(client, matrix.held[1].address)
        at_question(monkeypatch, "gradient", lambda matrix: joined.append({held.address for held in matrix.held}), number=3)

    at_question(monkeypatch, "gradient", act, number=4)
    clf = fit_on_cluster()
    client.cluster.scale(2)
    wait_for(client, n_workers=2)
    new, held = joined
    assert new in held
    assert_same_weights(clf.coefs_, undisturbed[False])


def test_three_deaths_with_the_same_rows_end_the_fit(client, monkeypatch):
    asked = []

    def act(matrix):
        asked.append(matrix.held[0].address)
        kill(client, asked[-1])

    watch(monkeypatch, WorkerMatrix, "call", lambda matrix, held, method, *others: method == "gradient" and act(matrix))
    with pytest.raises(RuntimeError, match=r"3 workers died that held rows 0 to 69 of X\. They may need more memory"):
        fit_on_cluster()
    assert len(set(asked)) == 3


@pytest.mark.nightly
def test_deaths_with_answers_in_between_do_not_end_the_fit(client, undisturbed, monkeypatch):
    for number in (3, 6, 9):
        at_question(monkeypatch, "gradient", lambda matrix: kill(client, matrix.held[0].address), number)
    assert_same_weights(fit_on_cluster().coefs_, undisturbed[False])


def test_no_worker_is_an_error_after_some_seconds(monkeypatch):
    monkeypatch.setattr(cluster_module, "PATIENCE", 0.5)
    empty = LocalCluster(n_workers=0, processes=False, dashboard_address=":0")
    with empty, Client(empty), pytest.raises(RuntimeError, match="No worker of dask is there"):
        fit_on_cluster()


def test_workers_that_all_go_are_an_error_after_some_seconds(monkeypatch):
    monkeypatch.setattr(cluster_module, "PATIENCE", 0.5)
    with LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as one, Client(one):
        at_question(monkeypatch, "gradient", lambda matrix: one.sync(one.workers[0].close, nanny=False), number=3)
        with pytest.raises(RuntimeError, match="No worker of dask is there"):
            fit_on_cluster()


# Clients


LONG_FIT = """
import sys
from distributed import Client
from pytest import MonkeyPatch
from sksoftmax.dask import DaskSoftmaxMLPClassifier
from sksoftmax.training.run import Run
from support.clusters import LABELS, NUMBERS, SIZES, in_parts
from support.processes import watch

with Client(sys.argv[1]) as client:
    watch(MonkeyPatch(), Run, "record", lambda *arguments: print("trains", flush=True))
    DaskSoftmaxMLPClassifier(companion=False, max_iter=10**6).fit(in_parts(NUMBERS, SIZES), in_parts(LABELS, SIZES))
"""


def test_a_client_that_dies_leaves_nothing(client):
    path = os.pathsep.join(map(str, (ROOT, TESTS)))
    command = [sys.executable, "-c", LONG_FIT, client.scheduler.address]
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "trains\n"
        assert client.run_on_scheduler(number_of_tasks)
        process.kill()
    assert_nothing_left(client)


@pytest.mark.nightly
def test_a_connection_that_breaks_changes_nothing(client, undisturbed, monkeypatch):
    at_question(monkeypatch, "gradient", lambda matrix: matrix.cluster.direct.scheduler_comm.comm.abort(), number=4)
    assert_same_weights(fit_on_cluster().coefs_, undisturbed[False])


def test_two_fits_at_once_do_not_disturb_each_other(client, undisturbed):
    address = client.scheduler.address
    one, other = Client(address, set_as_default=False), Client(address, set_as_default=False)
    with one, other, ThreadPoolExecutor(2) as pool:
        each = [(one, False), (other, True)]
        fits = [pool.submit(fit_on_cluster, client=client, early_stopping=stops) for client, stops in each]
        for fit, (_, stops) in zip(fits, each):
            assert_same_weights(fit.result().coefs_, undisturbed[stops])


def weights_of_fit(early_stopping):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit_on_cluster(early_stopping=early_stopping).coefs_


def test_fits_inside_tasks_that_occupy_all_threads(client, undisturbed):
    inside = client.map(weights_of_fit, [False, True], pure=False)
    for future, stops in zip(inside, (False, True)):
        assert_same_weights(future.result(timeout=60), undisturbed[stops])


# Errors of the user's code, and Ctrl-C


def fail_for_user(*arguments):
    raise ZeroDivisionError("of the user")


@pytest.mark.parametrize(
    "params",
    [{"scoring": fail_for_user, "early_stopping": True}, {"learning_rate": fail_for_user}],
    ids=["scoring", "learning_rate"],
)
def test_an_error_in_a_function_of_the_user_leaves_nothing(params, client):
    clf = DaskSoftmaxMLPClassifier(**SETTINGS | params)
    before = dict(vars(clf))
    with pytest.raises(ZeroDivisionError, match="of the user"):
        clf.fit(in_parts(NUMBERS, SIZES), in_parts(LABELS, SIZES))
    assert vars(clf) == before
    assert_nothing_left(client)  # while the error is still there


class FailsInSecondEpoch:
    """A callback that raises an error."""

    def setup(self, estimator, context):
        self.n_epochs = 0

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.n_epochs += context.task_name == "epoch"

    def on_fit_task_end(self, estimator, context):
        if self.n_epochs == 2:
            fail_for_user()


@has_callbacks
def test_an_error_of_a_callback_leaves_nothing(client):
    clf = DaskSoftmaxMLPClassifier(**SETTINGS).set_callbacks(FailsInSecondEpoch())
    before = dict(vars(clf))
    with pytest.raises(ZeroDivisionError, match="of the user"):
        clf.fit(in_parts(NUMBERS, SIZES), in_parts(LABELS, SIZES))
    assert vars(clf) == before
    assert_nothing_left(client)


def test_an_interrupt_keeps_the_weights_so_far(client, monkeypatch):
    interrupt(monkeypatch, cluster_module.Cluster, "answer", at_call=60)
    with pytest.warns(UserWarning, match="interrupted by user"):
        clf = fit_on_cluster(max_iter=1000)
    assert 0 < clf.n_iter_ == len(clf.loss_curve_) < 20
    assert np.isfinite(clf.to_local().predict_log_proba(NUMBERS)).all()


def test_an_interrupt_while_rows_are_loaded_anew_keeps_all_rows(client, monkeypatch):
    at_question(monkeypatch, "gradient", lambda matrix: kill(client, matrix.held[0].address), number=8)
    interrupt(monkeypatch, WorkerMatrix, "load", at_call=2)
    matrices = []
    at_question(monkeypatch, "take", matrices.append)
    with pytest.warns(UserWarning, match="interrupted by user"):
        clf = fit_on_cluster()
    assert clf.n_iter_ == 1
    [matrix] = matrices
    assert sum(last - first for held in matrix.held for first, last in held.bounds) == len(NUMBERS)


# Memory of the workers


def begin_to_trace(dask_worker):
    tracemalloc.start()


def traced_peak(dask_worker):
    """The most bytes that Python and NumPy held at once."""
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def slowly(rows):
    """A partition whose computing takes longer than the messages about it, so that the worker has few at once."""
    time.sleep(0.02)
    return rows


@pytest.mark.nightly
def test_a_worker_holds_no_partition_twice(client):
    n_rows, n_columns, n_rows_of_part = 160_000, 32, 4_000
    X = da.random.default_rng(0).random((n_rows, n_columns), chunks=(n_rows_of_part, -1), dtype=np.float32).map_blocks(slowly)
    fit_on_cluster()  # imports all modules
    client.run(begin_to_trace)
    DaskSoftmaxMLPClassifier((2,), n_members=1, scaling=None, batch_size=8_000, max_iter=1).fit(X, np.arange(n_rows) % 2)
    held = n_rows * n_columns * 4 / 2  # 20 partitions
    for peak in client.run(traced_peak).values():
        assert held < peak < 1.7 * held


def limit_memory(dask_worker, limit):
    dask_worker.memory_manager.memory_limit = limit


def files_of_worker(dask_worker):
    """Whether each actor holds its rows in a file, and whether there is a file with a name or one mapped into memory."""
    in_files = [isinstance(holder.X, np.memmap) for holder in HOLDERS.values()]
    folder = dask_worker.local_directory
    named = [name for name in os.listdir(folder) if os.path.isfile(os.path.join(folder, name))]
    with open("/proc/self/maps") as maps:
        mapped = any(folder in line for line in maps)
    return bool(in_files) and all(in_files), bool(named), mapped


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="this system does not tell which files are mapped")
def test_rows_that_take_much_of_the_memory_are_in_a_file_until_the_fit_ends(client, undisturbed, monkeypatch):
    seen = []
    at_question(monkeypatch, "gradient", lambda matrix: seen.extend(client.run(files_of_worker).values()))
    client.run(limit_memory, limit=10_000)
    try:
        clf = fit_on_cluster()
    finally:
        client.run(limit_memory, limit=0)
    assert seen == [(True, False, True)] * 2
    assert_same_weights(clf.coefs_, undisturbed[False])
    assert_nothing_left(client)
    assert list(client.run(files_of_worker).values()) == [(False, False, False)] * 2
