"""Engines: what trains a network's steps and computes its logits.

`numpy_engine` is the reference, and always there. `compiled_engine` is faster, and trains what it knows to the last part: it says
why not if it does not know one, and then NumPy trains.
"""

from os import environ

from sksoftmax.data.rows import is_remote
from sksoftmax.engines.compiled_engine import CompiledEngine, why_not
from sksoftmax.engines.numpy_engine import NumpyEngine

ENGINES = ("numpy", "compiled")


def engine_for(run, state, bits=None):
    """The engine that trains this run: the compiled one, or NumPy's for the reason that it notes. `bits` are for dropout.

    If other processes hold the rows, it is theirs.

    The environment variable SKSOFTMAX_ENGINE may be "numpy", or "compiled", which raises ValueError where it cannot train.
    """
    if is_remote(run.training.X):
        return run.training.X.X.engine(run, state, bits)
    asked = environ.get("SKSOFTMAX_ENGINE", "")
    if asked and asked not in ENGINES:
        raise ValueError(f"SKSOFTMAX_ENGINE must be one of {ENGINES} or empty; got {asked!r}.")
    reason = "SKSOFTMAX_ENGINE asks for it" if asked == "numpy" else why_not(run, state)
    if reason is None:
        return CompiledEngine(run, state, bits)
    if asked == "compiled":
        raise ValueError(f"SKSOFTMAX_ENGINE asks for the compiled engine, which cannot train here: {reason}.")
    return NumpyEngine(run, state, bits, reason)


def described(engine):
    """The engine's name, and the reason if it is not the compiled one."""
    return engine.name if engine.reason is None else f"{engine.name}: {engine.reason}"
