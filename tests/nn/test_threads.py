"""SciPy's own BLAS is limited to one thread during L-BFGS, and always gets its number of threads back."""

from pathlib import Path
from threading import Barrier, Thread

import pytest

from sksoftmax.nn.threads import OneThread, scipys_own_libraries


class Library:
    n_threads = 4

    def get_num_threads(self):
        return self.n_threads

    def set_num_threads(self, n_threads):
        self.n_threads = n_threads


@pytest.fixture
def library():
    return Library()


def test_the_library_is_limited_inside_and_restored_outside(library):
    with OneThread(lambda: [library]):
        assert library.n_threads == 1
    assert library.n_threads == 4


def test_an_error_inside_restores_too(library):
    with pytest.raises(KeyError), OneThread(lambda: [library]):
        raise KeyError
    assert library.n_threads == 4


def test_an_interrupt_on_the_way_in_restores_too(library, monkeypatch):
    def interrupted(n_threads):
        monkeypatch.undo()
        library.set_num_threads(n_threads)
        raise KeyboardInterrupt

    monkeypatch.setattr(library, "set_num_threads", interrupted)
    limit = OneThread(lambda: [library])
    with pytest.raises(KeyboardInterrupt), limit:
        pass
    assert (library.n_threads, limit.n_inside) == (4, 0)


def test_the_last_of_several_threads_inside_restores(library):
    limit, both_inside, seen = OneThread(lambda: [library]), Barrier(2), []

    def fit():
        with limit:
            both_inside.wait(10)
            seen.append(library.n_threads)

    workers = [Thread(target=fit) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert seen[0] == 1
    assert (library.n_threads, limit.n_inside) == (4, 0)


def test_numpys_library_is_not_taken_for_scipys():
    """NumPy's wheel names its file libscipy_openblas, too."""
    assert not any("numpy" in part for library in scipys_own_libraries() for part in Path(library.filepath).parts[-2:])
