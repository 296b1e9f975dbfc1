"""Who may use how many threads.

BLAS's own threads bring little for the small products of a network, and beside other work they cost many times more than they
bring, as they wait for each other in busy loops. So small products run on one BLAS thread (`AtMost`), and the threads that BLAS
was allowed are given to members and to chunks of rows (`Team`). Both count for the whole process: fits and predictions that run
at once share the threads instead of multiplying them.
"""

from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import cache
from os import environ
from pathlib import Path
from threading import Lock

from joblib import cpu_count
from threadpoolctl import ThreadpoolController  # a dependency of scikit-learn

LARGE = 2**25  # multiplications of a product from which on BLAS's threads pay: those of `image` in benchmarks/speed.py
LOCK = Lock()
LIMITS: dict[object, list[int]] = {}  # those in force, for each BLAS library
BEFORE: dict[object, int] = {}  # the number of threads of these libraries before the first limit
at_work = 0  # threads of all teams, those that called among them


@cache
def blas_libraries():
    """The BLAS libraries of this process; the search takes milliseconds, so its result is cached."""
    return ThreadpoolController().select(user_api="blas").lib_controllers


@cache
def scipys_own_libraries():
    """The BLAS libraries in SciPy's wheel, if any."""
    return [library for library in blas_libraries() if {"scipy", "scipy.libs"} & set(Path(library.filepath).parts)]


class AtMost:
    """A context in which the libraries that `find` returns use at most so many threads; None sets no limit.

    It holds for the whole process, and the lowest of all limits counts. The last one to end gives back what was before.
    """

    def __init__(self, n_threads, find=blas_libraries):
        self.n_threads, self.find, self.entered = n_threads, find, []

    def __enter__(self):
        libraries = [] if self.n_threads is None else self.find()
        try:
            with LOCK:
                for library in libraries:
                    if library not in LIMITS:
                        BEFORE[library], LIMITS[library] = library.get_num_threads(), []
                    LIMITS[library].append(self.n_threads)
                    self.entered.append(library)
                    if self.n_threads < BEFORE[library]:
                        library.set_num_threads(min(LIMITS[library]))
        except BaseException:  # Ctrl-C
            self.__exit__()
            raise

    def __exit__(self, *exception):
        with LOCK:
            while self.entered:
                library = self.entered.pop()
                LIMITS[library].remove(self.n_threads)
                if self.n_threads < BEFORE[library]:
                    library.set_num_threads(min([BEFORE[library], *LIMITS[library]]))
                if not LIMITS[library]:
                    del LIMITS[library], BEFORE[library]


def at_most_for(n_multiplications):
    """The limit for products of up to so many multiplications: one thread, unless they are large."""
    return AtMost(None if n_multiplications >= LARGE else 1)


def allowed_threads():
    """How many threads the user allows: as many as BLAS was limited to, and as there are processors in this container."""
    with LOCK:
        numbers = [BEFORE[library] if library in BEFORE else library.get_num_threads() for library in blas_libraries()]
    if not numbers and environ.get("OMP_NUM_THREADS", "").isdigit():
        numbers = [int(environ["OMP_NUM_THREADS"])]
    return max(1, min([cpu_count(), *numbers]))


class Team:
    """Threads that share the work of one call, beside the thread that calls; they end with the context.

    The pool is no longer-lived than this: a process that is forked has none of its parent's threads.
    """

    def __init__(self):
        self.pool = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.pool is not None:
            self.pool.shutdown()

    def map(self, function, items):
        """The function's results for all items, in their order; as many at once as are allowed and not used by other teams.

        After an error, or Ctrl-C, no item is begun any more; it is raised when those that run have ended.
        """
        items = list(items)
        n_threads = begin_work(len(items))
        try:
            if n_threads == 1:
                return [function(item) for item in items]
            return self._share(function, items, n_threads - 1)
        finally:
            end_work(n_threads)

    def _share(self, function, items, n_helpers):
        results, left = [None] * len(items), deque(enumerate(items))

        def work():
            try:
                while (task := pop(left)) is not None:
                    index, item = task
                    results[index] = function(item)
            finally:
                left.clear()  # after an error nobody begins another item

        if self.pool is None:
            self.pool = ThreadPoolExecutor(allowed_threads())
        helpers = [self.pool.submit(copy_context().run, work) for _ in range(n_helpers)]
        try:
            work()
        finally:
            left.clear()
            wait(helpers)
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
    global at_work
    allowed = allowed_threads() if n_wanted > 1 else 1
    with LOCK:
        n_threads = max(1, min(n_wanted, allowed - at_work))
        at_work += n_threads
    return n_threads


def end_work(n_threads):
    """Give the threads back."""
    global at_work
    with LOCK:
        at_work -= n_threads
