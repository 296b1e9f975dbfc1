"""The fit of the mixture takes bounded memory."""

import tracemalloc

import numpy as np
from numpy.testing import assert_allclose

from support.quick_fits import small


def test_the_mixture_of_n_members_on_many_classes_takes_bounded_memory():
    n_rows, n_classes = 4_000, 400
    X = np.random.default_rng(0).normal(size=(n_rows, 4))
    tracemalloc.start()
    try:
        params = {"n_members": 4, "max_iter": 1, "relevance": None, "n_bins": 0}
        clf = small(**params).fit(X, np.arange(n_rows) % n_classes)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 60e6
    assert_allclose(clf.predict_proba(X[:5]).sum(axis=1), 1, rtol=1e-5)
