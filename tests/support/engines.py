"""Training with the compiled engine and with NumPy's."""

import pytest

from sksoftmax.engines.compiled_engine import CompiledEngine

try:
    from sksoftmax.engines import _kernels
except ImportError:
    _kernels = None

needs_compiler = pytest.mark.skipif(_kernels is None, reason="the package was built without a C compiler")


def trained_by(monkeypatch, engine, fit):
    """What `fit()` returns if it trains with this engine."""
    with monkeypatch.context() as patched:
        patched.setenv("SKSOFTMAX_ENGINE", engine)
        clf = fit()
    assert clf.engine_.split(":")[0] == engine
    return clf


def calls_of_at_most(monkeypatch, n_epochs, fit):
    """What `fit()` returns if the compiled engine gets at most so many epochs in a call; and how many it got in each."""
    sizes, train = [], CompiledEngine.train

    def watched(self, epochs):
        sizes.append(len(epochs))
        return train(self, epochs)

    with monkeypatch.context() as patched:
        patched.setattr(CompiledEngine, "most_epochs", n_epochs)
        patched.setattr(CompiledEngine, "train", watched)
        return trained_by(patched, "compiled", fit), sizes
