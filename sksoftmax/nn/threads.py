"""Threads of BLAS, of members and of chunks of rows.

BLAS's own threads bring little for the small products of a network, and beside other work they cost many times more than they
bring, as they wait for each other in busy loops. So small products run on one BLAS thread (`BlasThreadLimit`), and the threads
that BLAS was allowed are given to members and to chunks of rows (`ThreadTeam`). Both count for the whole process: fits and
predictions that run at once share the threads instead of multiplying them.

A forked process has only the thread that called fork, so it begins anew: with a lock of its own, without its parent's limits and
teams. The end of a limit or of a team's work that the parent began (`n_forks` says so) changes nothing in the child.
"""

import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import cache
from os import environ
from pathlib import Path
from threading import RLock

from joblib import cpu_count
from threadpoolctl import ThreadpoolController  # a dependency of scikit-learn

if sys.platform != "win32":  # Windows has no fork
    from os import register_at_fork

LARGE_PRODUCT = 2**25  # multiplications of a product from which on BLAS's threads pay: those of `image` in benchmarks/speed.py
LOCK = RLock()  # a signal handler that forks may interrupt the thread that holds the lock
limits_in_force: dict[object, list[int]] = {}  # those in force, for each BLAS library
threads_before: dict[object, int] = {}  # the number of threads of these libraries before the first limit
n_threads_in_use = 0  # threads of all teams, those that called among them
n_forks = 0  # forks between the first process and this one


def blas_libraries():
    """The BLAS libraries of this process, the same objects for all threads: limits are kept by them."""
    with LOCK:  # `cache` alone lets two threads search at once, and gives each its own result
        return search_blas()


@cache
def search_blas():
    """The BLAS libraries of this process; the search takes milliseconds, so its result is cached."""
    return ThreadpoolController().select(user_api="blas").lib_controllers


@cache
def scipys_own_libraries():
    """The BLAS libraries in SciPy's wheel, if any."""
    return [library for library in blas_libraries() if {"scipy", "scipy.libs"} & set(Path(library.filepath).parts)]


@cache
def numpys_own_libraries():
    """The BLAS libraries of this process but SciPy's own, if it has any."""
    own = scipys_own_libraries()
    return [library for library in blas_libraries() if library not in own] if own else []


def set_threads(library, n_threads):
    """Set the number of threads of a BLAS library, from any thread.

    threadpoolctl 3.8 ignores `set_num_threads` of OpenBLAS by all threads but the first one that called it. Limits that count for
    the whole process, under a lock of their own, need no such protection.
    """
    getattr(library, "_real_set_num_threads", library.set_num_threads)(n_threads)


class BlasThreadLimit:
    """A context in which the libraries that `find` returns use at most so many threads; None sets no limit.

    It holds for the whole process, and the lowest of all limits counts. The last one to end gives back what was before.
    """

    def __init__(self, n_threads, find=blas_libraries):
        self.n_threads, self.find, self.entered, self.n_forks = n_threads, find, [], n_forks

    def __enter__(self):
        libraries, self.n_forks = [] if self.n_threads is None else self.find(), n_forks
        try:
            with LOCK:
                for library in libraries:
                    if library not in limits_in_force:
                        threads_before[library], limits_in_force[library] = library.get_num_threads(), []
                    limits_in_force[library].append(self.n_threads)
                    self.entered.append(library)
                    if self.n_threads < threads_before[library]:
                        set_threads(library, min(limits_in_force[library]))
        except BaseException:  # Ctrl-C
            self.__exit__()
            raise

    def __exit__(self, *exception):
        if self.n_forks != n_forks:
            self.entered.clear()  # this process has never had the limit
        with LOCK:
            while self.entered:
                library = self.entered.pop()
                limits_in_force[library].remove(self.n_threads)
                if self.n_threads < threads_before[library]:
                    set_threads(library, min([threads_before[library], *limits_in_force[library]]))
                if not limits_in_force[library]:
                    del limits_in_force[library], threads_before[library]


def blas_limit_for(n_multiplications):
    """The limit for products of up to so many multiplications: one thread, unless they are large."""
    return BlasThreadLimit(None if n_multiplications >= LARGE_PRODUCT else 1)


def allowed_threads():
    """The number of threads that the user allows: at most BLAS's limit, and at most the processors of this container."""
    with LOCK:
        numbers = [
            threads_before[library] if library in threads_before else library.get_num_threads() for library in blas_libraries()
        ]
    if not numbers and environ.get("OMP_NUM_THREADS", "").isdigit():
        numbers = [int(environ["OMP_NUM_THREADS"])]
    return max(1, min([cpu_count(), *numbers]))


class ThreadTeam:
    """Threads that share the work of one call, beside the thread that calls; they end with the context.

    A process that is forked has none of its parent's threads, so a team that the fork copied makes a pool of its own.
    """

    def __init__(self):
        self.pool, self.n_forks = None, n_forks

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.pool is not None and self.n_forks == n_forks:
            self.pool.shutdown()

    def map(self, function, items):
        """The function's results for all items, in their order; as many at once as are allowed and not used by other teams.

        After an error, or Ctrl-C, no item is begun any more; it is raised when those that run have ended.
        """
        items, began = list(items), n_forks
        n_threads = begin_work(len(items))
        try:
            if n_threads == 1:
                return [function(item) for item in items]
            return self._share(function, items, n_threads - 1)
        finally:
            if began == n_forks:
                end_work(n_threads)

    def _share(self, function, items, n_helpers):
        results, left, began = [None] * len(items), deque(enumerate(items)), n_forks

        def work():
            try:
                while (task := pop(left)) is not None:
                    index, item = task
                    results[index] = function(item)
            finally:
                left.clear()  # after an error nobody begins another item

        if self.pool is None or self.n_forks != began:
            self.pool, self.n_forks = ThreadPoolExecutor(allowed_threads()), began
        helpers = [self.pool.submit(copy_context().run, work) for _ in range(n_helpers)]
        try:
            work()
        finally:
            left.clear()
            if began == n_forks:
                wait(helpers)
        if began != n_forks:
            raise RuntimeError("A process that was forked during work in several threads lacks these threads and their results.")
        for helper in helpers:
            helper.result()
        return results


def pop(tasks):
    """Take the first of what is left; None if another thread has taken the last."""
    try:
        return tasks.popleft()
    except IndexError:
        return None


def begin_work(n_wanted):
    """The number of threads that a team may use for so many items: those that are allowed, less those that are at work."""
    global n_threads_in_use
    allowed = allowed_threads() if n_wanted > 1 else 1
    with LOCK:
        n_threads = max(1, min(n_wanted, allowed - n_threads_in_use))
        n_threads_in_use += n_threads
    return n_threads


def end_work(n_threads):
    """Give the threads back."""
    global n_threads_in_use
    with LOCK:
        n_threads_in_use -= n_threads


def begin_anew():
    """In a process that was forked: free the lock, give BLAS back the threads from before all limits, and count no work."""
    global LOCK, n_threads_in_use, n_forks
    LOCK, n_threads_in_use, n_forks = RLock(), 0, n_forks + 1
    for library, n_threads in threads_before.items():
        if library.get_num_threads() != n_threads:
            set_threads(library, n_threads)
    limits_in_force.clear()
    threads_before.clear()


if sys.platform != "win32":
    register_at_fork(before=lambda: LOCK.acquire(), after_in_parent=lambda: LOCK.release(), after_in_child=begin_anew)
