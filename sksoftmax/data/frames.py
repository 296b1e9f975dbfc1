"""Frames of any library: read into memory as arrays or as pandas or polars frames, and their column names.

The other modules know pandas and polars frames by their attributes `columns` and `dtypes`. No library is imported unless an
argument needs it.
"""

import warnings

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

CONVERSIONS = ("collect", "to_pandas", "toPandas", "as_data_frame", "df", "to_arrow", "compute", "to_numpy")


def all_in_memory(arguments):
    """These arguments, by name, each as `in_memory` reads it."""
    return {name: in_memory(value, name) for name, value in arguments.items()}


def in_memory(X, name):
    """X as an array, a list, a sparse matrix, or a pandas or polars frame or series; `name` is the argument's name.

    Other frames that speak the Arrow or the narwhals interface, and dask's, are read. TypeError, with the call that converts X,
    for a polars LazyFrame and for frames that cannot be read.
    """
    if X is None or type(X) is np.ndarray or isinstance(X, list | tuple) or issparse(X):
        return _text_as_objects(X)
    library, kind = type(X).__module__.partition(".")[0], type(X).__name__
    if library == "narwhals":
        return in_memory(X.to_native(), name)
    if kind == "LazyFrame":
        raise TypeError(f"{name} must be in memory, but it is a {library} LazyFrame. Pass {name}.collect().")
    if library.startswith("dask"):
        return in_memory(X.compute(), name)
    if library == "polars" or hasattr(X, "iloc") or (hasattr(X, "__array__") and not hasattr(X, "column_names")):
        return X
    if hasattr(X, "__arrow_c_stream__"):
        return _from_arrow(X, name, f"{library} {kind}")
    if hasattr(X, "columns"):
        raise _unreadable(X, name, f"{library} {kind}")
    return X


def _text_as_objects(X):
    """X, or, if it has NumPy's StringDType, which scikit-learn cannot read, an array of objects."""
    return X.astype(object) if isinstance(X, np.ndarray) and X.dtype.kind == "T" else X


def _from_arrow(X, name, kind):
    for read in (_with_pyarrow, _with_polars):
        try:
            return read(X)
        except ImportError:  # of the library, or of pandas in pyarrow
            continue
    raise TypeError(f"{name} is a {kind}. Install pyarrow and pandas, or polars, which can read it.")


def _with_pyarrow(X):
    """X in pandas, with the index and the categories of a frame that was one of pandas."""
    import pyarrow

    return pyarrow.table(X).to_pandas()


def _with_polars(X):
    import polars

    return polars.DataFrame(X)


def _unreadable(X, name, kind):
    """The error for a frame that cannot be read, with the call that converts it, if it has one."""
    call = next((call for call in CONVERSIONS if callable(getattr(X, call, None))), None)
    advice = f" Pass {name}.{call}()." if call else ""
    return TypeError(f"{name} must be an array, a sparse matrix, or a pandas, polars or Arrow frame; got a {kind}.{advice}")


def take_rows(data, rows):
    """These rows of X or y, which `in_memory` returned, or of what has such a method of its own."""
    if hasattr(data, "take_rows"):
        return data.take_rows(rows)
    if hasattr(data, "iloc"):
        return data.iloc[rows]
    if isinstance(data, list | tuple):
        return [data[row] for row in rows]
    return (data.tocsr() if issparse(data) else data)[rows]


def is_frame(X):
    """Whether X is a pandas or polars frame, or one with the same attributes."""
    return hasattr(X, "columns") and (hasattr(type(X), "dtypes") or hasattr(X, "dtypes"))  # pandas makes new dtypes when asked


def check_names(estimator, X, reset):
    """Store the column names and the number of columns of a frame, or compare them with those of fit.

    scikit-learn does this, but its versions before 1.7 find no names in frames of polars 2.
    """
    names = list(X.columns) if all(isinstance(name, str) for name in X.columns) else None
    fitted = getattr(estimator, "feature_names_in_", None)
    if reset:
        validate_data(estimator, X, reset=True, skip_check_array=True)
        if names and not hasattr(estimator, "feature_names_in_"):
            estimator.feature_names_in_ = np.array(names, dtype=object)
    elif names is None or fitted is None:
        validate_data(estimator, X, reset=False, skip_check_array=True)
    elif names != list(fitted):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            validate_data(estimator, X, reset=False, skip_check_array=True)  # raises the error, if it finds the names
        raise ValueError(f"The feature names should match those that were passed during fit: {list(fitted)}; got {names}.")
