"""How many BLAS threads training uses: one, where more would only wait for each other.

Two cases, both measured on two cores. Small products lose more to handing out the work than they gain. And NumPy's and SciPy's
wheels each bring an OpenBLAS of their own, whose idle threads wait in a busy loop: L-BFGS calls both in turn, so that every
product waits for the other pool's threads, 3 to 6 times slower.
"""

from contextlib import nullcontext
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController

SMALL_PRODUCT = 1_500_000  # multiplications in a product that two threads compute no faster than one


@cache
def blas_libraries():
    """The BLAS libraries of this process; looking for them takes milliseconds, so that it is done once."""
    return ThreadpoolController().select(user_api="blas").lib_controllers


class OneThread:
    """A context in which a BLAS works with one thread; fits in several threads may be inside at once."""

    def __init__(self, of_scipy):
        self.of_scipy = of_scipy
        self.lock, self.n_inside, self.before = Lock(), 0, []

    def __enter__(self):
        with self.lock:
            self.n_inside += 1
            if self.n_inside == 1:
                libraries = [library for library in blas_libraries() if ("scipy" in library.filepath) == self.of_scipy]
                self.before = [(library, library.get_num_threads()) for library in libraries]
                for library, _ in self.before:
                    library.set_num_threads(1)

    def __exit__(self, *exception):
        with self.lock:
            self.n_inside -= 1
            if self.n_inside == 0:
                for library, n_threads in self.before:
                    library.set_num_threads(n_threads)


one_thread_for_scipy = OneThread(of_scipy=True)
_one_thread_for_products = OneThread(of_scipy=False)


def threads_for_products(n_rows, largest_matrix):
    """A context with as many threads for products of `n_rows` by a matrix of this size as pay off."""
    return _one_thread_for_products if n_rows * largest_matrix <= SMALL_PRODUCT else nullcontext()
