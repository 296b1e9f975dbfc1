"""Prints what a bug report needs to say of an installation."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from joblib import cpu_count
from threadpoolctl import threadpool_info

from sksoftmax.engines.compiled_engine import why_not_built
from sksoftmax.nn.threads import allowed_threads
from sksoftmax.version import __version__

PACKAGES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "joblib",
    "threadpoolctl",
    "pandas",
    "polars",
    "matplotlib",
    "onnx",
    "skops",
)


def show_versions() -> None:
    """Print the versions of packages, the engine, and the threads that training may use: please add this to a bug report.

    See Also
    --------
    sklearn.show_versions : The same for scikit-learn, with its libraries.

    Notes
    -----
    OMP_NUM_THREADS, `threadpoolctl.threadpool_limits` and joblib's limits of inner threads choose the number of threads.

    Examples
    --------
    >>> import sksoftmax
    >>> sksoftmax.show_versions()  # doctest: +SKIP
    """
    lines = {"sksoftmax": __version__, "python": sys.version.split()[0], "system": platform.platform()}
    lines |= {name: installed_version(name) for name in PACKAGES}
    lines["engine"] = "compiled" if (reason := why_not_built()) is None else f"numpy: {reason}"
    lines["threads"] = f"{allowed_threads()} allowed, on {cpu_count()} processors"
    for library in threadpool_info():
        lines[library["user_api"]] = f"{library['internal_api']} {library['version']}, {library['num_threads']} thread(s)"
    print("\n".join(f"{name:>13s}: {value}" for name, value in lines.items()))


def installed_version(name):
    """The version of an installed package, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
