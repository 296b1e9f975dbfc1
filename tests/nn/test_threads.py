"""Limits of BLAS's threads always end as they began, and teams share the threads that the user allows."""

import os
import warnings
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from select import select
from threading import Barrier, Event, Thread, current_thread
from time import sleep

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from sksoftmax.nn import threads
from sksoftmax.nn.threads import (
    LARGE_PRODUCT,
    BlasThreadLimit,
    ThreadTeam,
    allowed_threads,
    blas_limit_for,
    limits_in_force,
    scipys_own_libraries,
)
from support.processes import forked, needs_fork


class Library:
    n_threads = 4

    def get_num_threads(self):
        return self.n_threads

    def set_num_threads(self, n_threads):
        self.n_threads = n_threads


@pytest.fixture
def library():
    return Library()


@pytest.fixture
def machine(monkeypatch):
    """A function that replaces the machine by one with these BLAS libraries and this number of processors."""

    def has(libraries, n_processors=8):
        monkeypatch.setattr(threads, "blas_libraries", lambda: libraries)
        monkeypatch.setattr(threads, "cpu_count", lambda: n_processors)

    return has


@pytest.fixture
def four_threads(library, machine):
    """A machine with eight processors, whose only BLAS library may use four threads."""
    machine([library])
    return library


# Limits


def test_the_library_is_limited_inside_and_restored_outside(library):
    with BlasThreadLimit(2, lambda: [library]):
        assert library.n_threads == 2
    assert library.n_threads == 4


def test_a_limit_never_raises_the_number_of_threads(library):
    with BlasThreadLimit(9, lambda: [library]):
        assert library.n_threads == 4


def test_no_limit_leaves_the_library_alone(library):
    with BlasThreadLimit(None, lambda: [library]):
        assert library.n_threads == 4
        assert library not in limits_in_force


def test_the_lowest_of_nested_limits_counts_and_the_outer_one_comes_back(library):
    with BlasThreadLimit(2, lambda: [library]):
        with BlasThreadLimit(1, lambda: [library]), BlasThreadLimit(3, lambda: [library]):
            assert library.n_threads == 1
        assert library.n_threads == 2
    assert library.n_threads == 4
    assert library not in limits_in_force


def test_an_error_inside_restores_too(library):
    with pytest.raises(KeyError), BlasThreadLimit(1, lambda: [library]):
        raise KeyError
    assert library.n_threads == 4


def test_an_interrupt_on_the_way_in_restores_too():
    class Interrupted(Library):
        def set_num_threads(self, n_threads):
            super().set_num_threads(n_threads)
            if n_threads == 1:
                raise KeyboardInterrupt

    library = Interrupted()
    with pytest.raises(KeyboardInterrupt), BlasThreadLimit(1, lambda: [library]):
        pass
    assert library.n_threads == 4
    assert library not in limits_in_force


def test_the_last_of_several_threads_inside_restores(library):
    both_inside, seen = Barrier(2), []

    def fit():
        with BlasThreadLimit(1, lambda: [library]):
            both_inside.wait(10)
            seen.append(library.n_threads)

    workers = [Thread(target=fit) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert seen[0] == 1
    assert library.n_threads == 4
    assert library not in limits_in_force


def test_only_large_products_may_use_more_than_one_thread():
    with threadpool_limits(2):
        before = [library["num_threads"] for library in threadpool_info()]
        for size, expected in ((LARGE_PRODUCT - 1, [1] * len(before)), (LARGE_PRODUCT, before)):
            with blas_limit_for(size):
                found = [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
                assert found == expected[: len(found)]


def test_a_limit_counts_in_every_thread_whichever_was_the_first_to_set_one():
    """threadpoolctl 3.8 lets one thread alone set OpenBLAS's number; a limit must neither obey that nor stay in force."""
    found = []

    def limited(ready, end):
        with BlasThreadLimit(1):
            found.append([library.get_num_threads() for library in threads.blas_libraries()])
            ready.set()
            end.wait(10)

    with threadpool_limits(2):
        events = [(Event(), Event()) for _ in range(2)]
        workers = [Thread(target=limited, args=pair) for pair in events]
        for worker, (ready, _) in zip(workers, events):
            worker.start()
            ready.wait(10)
        for worker, (_, end) in zip(workers, events):  # the thread that set the limit ends first
            end.set()
            worker.join()
        found.append([library.get_num_threads() for library in threads.blas_libraries()])
    n_libraries = len(threads.blas_libraries())
    assert found == [[1] * n_libraries, [1] * n_libraries, [2] * n_libraries]


def test_threads_that_search_for_libraries_at_once_find_the_same_objects(monkeypatch):
    """Limits of one library under two names would not know of each other, and one of them could stay for ever."""
    monkeypatch.setattr(threads, "search_blas", cache(lambda: (sleep(0.05), [Library()])[1]))
    together, found = Barrier(2), []

    def search():
        together.wait(10)
        found.append(threads.blas_libraries()[0])

    workers = [Thread(target=search) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found[0] is found[1]


def test_numpys_library_is_not_taken_for_scipys():
    """NumPy's wheel names its file libscipy_openblas, too."""
    assert not any("numpy" in part for library in scipys_own_libraries() for part in Path(library.filepath).parts[-2:])


# How many threads the user allows


def test_the_user_allows_as_many_threads_as_blas_was_limited_to(four_threads):
    assert allowed_threads() == 4
    with BlasThreadLimit(1):  # a limit of our own is none of the user's
        assert allowed_threads() == 4
    four_threads.set_num_threads(3)
    assert allowed_threads() == 3


def test_a_container_with_fewer_processors_allows_fewer_threads(library, machine):
    machine([library], n_processors=2)
    assert allowed_threads() == 2


@pytest.mark.parametrize(("variable", "expected"), [("3", 3), ("", 8), ("many", 8)])
def test_without_a_known_blas_the_environment_says_how_many_threads_are_allowed(variable, expected, monkeypatch, machine):
    machine([])
    monkeypatch.setenv("OMP_NUM_THREADS", variable)
    assert allowed_threads() == expected


def test_threadpoolctls_limit_is_obeyed():
    with threadpool_limits(1):
        assert allowed_threads() == 1


# Teams


def test_results_have_the_order_of_their_items(four_threads):
    with ThreadTeam() as team:
        assert team.map(lambda i: i * i, range(50)) == [i * i for i in range(50)]
        assert team.map(str, []) == []


def test_as_many_threads_work_at_once_as_are_allowed(four_threads):
    together = Barrier(4)

    def work(_):
        together.wait(10)
        return current_thread()

    with ThreadTeam() as team:
        assert len(set(team.map(work, range(4)))) == 4


def test_one_item_and_one_thread_are_for_the_caller(four_threads):
    with ThreadTeam() as team:
        assert team.map(lambda _: current_thread(), [0]) == [current_thread()]
        four_threads.set_num_threads(1)
        assert set(team.map(lambda _: current_thread(), range(5))) == {current_thread()}
        assert team.pool is None


def test_two_teams_share_the_threads(four_threads):
    inside, leave = Event(), Event()

    def wait_there(_):
        inside.set()
        leave.wait(10)

    def other_team():
        with ThreadTeam() as team:
            team.map(wait_there, range(3))

    other = Thread(target=other_team)
    other.start()
    inside.wait(10)
    with ThreadTeam() as team:
        assert set(team.map(lambda _: current_thread(), range(20))) == {current_thread()}
    leave.set()
    other.join()
    assert threads.n_threads_in_use == 0


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, IndexError])
def test_after_an_error_no_item_is_begun_any_more(error, four_threads):
    begun = []

    def fail(i):
        begun.append(i)
        raise error("of the function")

    with ThreadTeam() as team, pytest.raises(error, match="of the function"):
        team.map(fail, range(1000))
    assert len(begun) <= 4
    assert threads.n_threads_in_use == 0


def test_an_error_waits_for_the_items_that_run(four_threads):
    four_threads.set_num_threads(2)
    both_begun, ended, caller = Barrier(2), [], current_thread()

    def work(i):
        both_begun.wait(10)
        if current_thread() is caller:
            raise KeyboardInterrupt
        sleep(0.1)
        ended.append(i)

    with ThreadTeam() as team, pytest.raises(KeyboardInterrupt):
        team.map(work, range(100))
    assert len(ended) == 1


def test_threads_of_a_team_ignore_the_floating_point_errors_that_the_caller_ignores(four_threads):
    with np.errstate(over="ignore"), ThreadTeam() as team:
        assert team.map(lambda x: float(np.exp(np.float64(x))), [1000.0] * 20) == [np.inf] * 20


def test_a_team_leaves_no_thread_behind(four_threads):
    together = Barrier(4)
    with ThreadTeam() as team:
        workers = set(team.map(lambda _: (together.wait(10), current_thread())[1], range(4)))
    assert [worker for worker in workers if worker.is_alive()] == [current_thread()]


# Forked processes


@contextmanager
def in_another_thread(context):
    """Enter the context in another thread, and leave it there in the end."""
    inside, leave = Event(), Event()

    def stay():
        with context:
            inside.set()
            leave.wait(10)

    other = Thread(target=stay)
    other.start()
    inside.wait(10)
    yield
    leave.set()
    other.join()


class Work:
    """A context in which one more thread is at work."""

    def __enter__(self):
        threads.begin_work(1)

    def __exit__(self, *exception):
        threads.end_work(1)


@needs_fork
def test_a_fork_waits_for_the_lock_so_that_the_child_can_have_it(four_threads):
    inside = Event()

    def hold():
        with threads.LOCK:
            inside.set()
            sleep(0.2)

    other = Thread(target=hold)
    other.start()
    inside.wait(10)
    assert forked(allowed_threads) == 4
    other.join()
    assert allowed_threads() == 4


@needs_fork
def test_a_child_has_none_of_the_limits_and_the_work_of_its_parents_other_threads(four_threads):
    with in_another_thread(BlasThreadLimit(1, lambda: [four_threads])), in_another_thread(Work()):
        found = forked(lambda: (four_threads.n_threads, len(limits_in_force), threads.n_threads_in_use, threads.begin_work(9)))
        assert found == (4, 0, 0, 4)
        assert (four_threads.n_threads, threads.n_threads_in_use) == (1, 1)  # the parent keeps them
    assert (four_threads.n_threads, threads.n_threads_in_use) == (4, 0)


@needs_fork
def test_a_limit_that_the_parent_began_ends_without_effect_in_the_child(four_threads):
    def child():
        with BlasThreadLimit(2, lambda: [four_threads]):
            inherited.__exit__()
            inside = four_threads.n_threads
        return inside, four_threads.n_threads, len(limits_in_force)

    inherited = BlasThreadLimit(1, lambda: [four_threads])
    with inherited:
        assert forked(child) == (2, 4, 0)
        assert four_threads.n_threads == 1
    assert four_threads.n_threads == 4


@needs_fork
def test_work_that_the_parent_began_ends_without_effect_in_the_child(four_threads):
    found = []

    def work(i):
        found.append(forked(lambda: (ThreadTeam().map(str, range(2)), threads.n_threads_in_use)))

    with ThreadTeam() as team:
        team.map(work, [0])
    assert found == [(["0", "1"], 0)]


@needs_fork
def test_a_team_that_is_forked_makes_new_threads(four_threads):
    with ThreadTeam() as team:
        team.map(sleep, [0.01] * 8)  # the pool's threads exist now, and wait

        def child():
            together = Barrier(4)
            with team:
                return len(set(team.map(lambda _: (together.wait(5), current_thread().name)[1], range(4))))

        assert forked(child) == 4


@needs_fork
def test_work_that_a_fork_cuts_off_from_its_threads_raises_in_the_child(four_threads):
    caller, answers = current_thread(), []
    begun = Barrier(2)
    four_threads.set_num_threads(2)

    def work(_):
        begun.wait(5)
        if current_thread() is caller:
            answers.append(os.fork())

    reader, writer = os.pipe()
    with ThreadTeam() as team, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            team.map(work, range(2))
        except RuntimeError as error:
            os.write(writer, str(error).encode())
        finally:
            if answers[0] == 0:
                os._exit(0)
    assert select([reader], [], [], 10)[0]
    assert b"forked during work in several threads" in os.read(reader, 1000)
    os.waitpid(answers[0], 0)
