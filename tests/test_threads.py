"""Training limits BLAS to one thread where more would lose, and always gives back what it found."""

from contextlib import nullcontext
from threading import Barrier, Thread

import pytest

from sksoftmax import threads


class Library:
    def __init__(self, filepath, n_threads):
        self.filepath, self.n_threads = filepath, n_threads

    def get_num_threads(self):
        return self.n_threads

    def set_num_threads(self, n_threads):
        self.n_threads = n_threads


@pytest.fixture
def libraries(monkeypatch):
    found = [Library("/site/numpy.libs/libopenblas.so", 4), Library("/site/scipy.libs/libopenblas.so", 3)]
    monkeypatch.setattr(threads, "blas_libraries", lambda: found)
    return found


@pytest.mark.parametrize("of_scipy, inside", [(False, [1, 3]), (True, [4, 1])])
def test_one_of_the_two_libraries_is_limited_and_restored(libraries, of_scipy, inside):
    with threads.OneThread(of_scipy):
        assert [library.n_threads for library in libraries] == inside
    assert [library.n_threads for library in libraries] == [4, 3]


def test_an_error_inside_restores_too(libraries):
    with pytest.raises(KeyError), threads.OneThread(of_scipy=True):
        raise KeyError
    assert libraries[1].n_threads == 3


def test_the_last_of_several_threads_inside_restores(libraries):
    limit, both_inside, seen = threads.OneThread(of_scipy=False), Barrier(2), []

    def fit():
        with limit:
            both_inside.wait(10)
            seen.append(libraries[0].n_threads)

    workers = [Thread(target=fit) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert seen[0] == 1
    assert (libraries[0].n_threads, limit.n_inside) == (4, 0)


def test_only_small_products_are_limited():
    assert isinstance(threads.threads_for_products(200, 64 * 100), threads.OneThread)
    assert isinstance(threads.threads_for_products(256, 256 * 256), nullcontext)


def test_the_libraries_of_this_process_are_found():
    assert all(library.get_num_threads() >= 1 for library in threads.blas_libraries())
