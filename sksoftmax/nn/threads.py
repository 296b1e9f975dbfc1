"""A context that keeps two pools of BLAS threads from waiting for each other.

NumPy's and SciPy's wheels each bring an OpenBLAS of their own, whose idle threads wait in a busy loop. L-BFGS calls both in turn,
so every matrix product waits for the other pool's threads. On two cores this makes L-BFGS 3 to 6 times slower.
"""

from functools import cache
from pathlib import Path
from threading import Lock

from threadpoolctl import ThreadpoolController  # a dependency of scikit-learn


@cache
def scipys_own_libraries():
    """The BLAS libraries in SciPy's wheel, if any; the search takes milliseconds, so its result is cached."""
    libraries = ThreadpoolController().select(user_api="blas").lib_controllers
    return [library for library in libraries if {"scipy", "scipy.libs"} & set(Path(library.filepath).parts)]


class OneThread:
    """A context in which the libraries that `find` returns use one thread. Several fits may be inside at the same time."""

    def __init__(self, find):
        self.find = find
        self.lock, self.n_inside, self.before = Lock(), 0, []

    def __enter__(self):
        libraries = self.find()  # slow, so it comes before anything that would have to be undone
        entered = False
        try:
            with self.lock:
                self.n_inside, entered = self.n_inside + 1, True
                if self.n_inside == 1:
                    self.before = [(library, library.get_num_threads()) for library in libraries]
                    for library, _ in self.before:
                        library.set_num_threads(1)
        except BaseException:  # Ctrl-C
            if entered:
                self.__exit__()
            raise

    def __exit__(self, *exception):
        with self.lock:
            self.n_inside -= 1
            if self.n_inside == 0:
                for library, n_threads in self.before:
                    library.set_num_threads(n_threads)


one_thread_for_scipy = OneThread(scipys_own_libraries)
