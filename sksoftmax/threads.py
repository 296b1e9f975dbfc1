"""Keeps two pools of BLAS threads from fighting over the same processors.

NumPy's and SciPy's wheels each bring an OpenBLAS of their own, whose idle threads wait in a busy loop. L-BFGS calls both in turn,
so that every matrix product waits for the other pool's threads: measured 3 to 6 times slower on two cores.
"""

from contextlib import contextmanager
from threading import Lock

from threadpoolctl import ThreadpoolController

_lock = Lock()
_restore = []  # how to undo the limit, kept while any fit is inside
_n_inside = 0


@contextmanager
def one_thread_for_scipy():
    """SciPy's own BLAS, if it has one, works with one thread; fits in several threads may be inside at once."""
    global _n_inside
    with _lock:
        if _n_inside == 0:
            _limit()
        _n_inside += 1
    try:
        yield
    finally:
        with _lock:
            _n_inside -= 1
            if _n_inside == 0:
                while _restore:
                    library, n_threads = _restore.pop()
                    library.set_num_threads(n_threads)


def _limit():
    for library in ThreadpoolController().select(user_api="blas").lib_controllers:
        if "scipy" in library.filepath:
            _restore.append((library, library.get_num_threads()))
            library.set_num_threads(1)
