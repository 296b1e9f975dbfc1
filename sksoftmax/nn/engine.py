"""Which engine trains: NumPy, or the same steps compiled by Numba (`kernels`, extra `fast`).

The environment variable SKSOFTMAX_ENGINE chooses: "numpy", "numba", or "auto", the default, which means Numba where it is
installed and the training is long enough to repay loading it. The choice depends on nothing that ran before: the same seed gives
the same model.
"""

import warnings
from functools import cache
from importlib.util import find_spec
from os import environ

VARIABLE, ENGINES = "SKSOFTMAX_ENGINE", ("auto", "numpy", "numba")
LONG = 4_000  # steps of all members that repay loading Numba and its kernels, half a second


def asked_engine():
    """The engine that the environment asks for; ValueError if there is none of that name."""
    engine = environ.get(VARIABLE) or "auto"
    if engine not in ENGINES:
        raise ValueError(f"The environment variable {VARIABLE} must be one of {', '.join(ENGINES)}; got {engine!r}.")
    return engine


def trainer_for(dtype, n_steps):
    """`kernels.trainer` of this dtype if the engine for so many steps, of all members together, is Numba; None if it is NumPy.

    ImportError if Numba is asked for and cannot be used.
    """
    asked = asked_engine()
    if asked == "numpy" or (asked == "auto" and n_steps < LONG):
        return None
    trainer, error = load(dtype.name)
    if error is not None and asked == "numba":
        raise ImportError(
            f"{VARIABLE} asks for Numba, which cannot be used: {str(error).rstrip('.')}. Install it by `pip install numba`."
        ) from error
    return trainer


def import_kernels():
    """The module `kernels`, which needs Numba."""
    from sksoftmax.nn import kernels

    return kernels


@cache
def load(dtype):
    """`kernels.trainer` of this dtype and None; or None and the error that prevents it, with a warning if Numba is installed."""
    try:
        return import_kernels().trainer(dtype), None
    except Exception as error:  # whatever an installation that is broken or does not fit NumPy raises
        if find_spec("numba") is not None:
            warnings.warn(f"Numba cannot be used, so NumPy trains, more slowly: {type(error).__name__}: {error}", RuntimeWarning)
        return None, error


def describe_engine():
    """What trains long fits here, in words."""
    asked = asked_engine()
    if asked == "numpy":
        return f"NumPy, as {VARIABLE} asks"
    if find_spec("numba") is None:
        return "NumPy (Numba is not installed)"
    trainer, error = load("float32")
    return f"NumPy (Numba cannot be used: {error})" if trainer is None else "Numba"
