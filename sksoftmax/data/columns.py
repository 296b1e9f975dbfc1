"""Finds the categorical columns of the user's X, and turns their categories into codes.

pandas and polars frames, arrays and lists are all read one column at a time. Code k means the k-th of a column's sorted
categories, and −1 means anything else: a missing value, or a category that was not seen in fit.
"""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import _safe_indexing, check_array

UNKNOWN = -1.0
CATEGORICAL_TYPES = (  # prefixes of type names in pandas, polars and Arrow; not "str", which is also a prefix of "struct"
    "category",
    "categorical",
    "enum",
    "dictionary",
    "string",
    "large_string",
    "utf8",
    "bool",
)


class Categories:
    """The categories of the categorical columns, by position.

    Parameters
    ----------
    of_column : dict of int to list
        The sorted categories of each categorical column; empty if all columns are numeric.
    """

    def __init__(self, of_column):
        self.of_column = of_column
        self._codes = {column: {value: code for code, value in enumerate(values)} for column, values in of_column.items()}

    def __getstate__(self):
        return {"of_column": self.of_column}

    def __setstate__(self, state):
        """Rebuild the code of each category, which is not saved."""
        self.__init__(**state)

    @classmethod
    def from_X(cls, X, categorical_features):
        """Find the categorical columns of X and their categories, as HistGradientBoosting does."""
        if categorical_features is None or (isinstance(categorical_features, str) and not hasattr(X, "dtypes")):
            return cls({})
        if issparse(X):
            raise ValueError("categorical_features must be None or 'from_dtype' for a sparse X, whose columns are numbers.")
        X = with_shape(X)
        if len(X.shape) != 2:  # scikit-learn's validation will raise the error
            return cls({})
        positions = categorical_positions(X, categorical_features, getattr(X, "columns", None))
        return cls({column: _categories_of(X, column) for column in positions})

    def __len__(self):
        return len(self.of_column)

    def matrix(self, X):
        """X as a float64 matrix, with codes in the categorical columns and NaN for a missing number."""
        if issparse(X):
            raise ValueError("X must be dense, because it has categorical columns; got a sparse one. Use X.toarray().")
        X = with_shape(X)
        result = np.empty(X.shape)
        numeric = [column for column in range(X.shape[1]) if column not in self.of_column]
        if numeric:
            part = nan_for_NA(_safe_indexing(X, numeric, axis=1))
            numbers = check_array(part, dtype=np.float64, ensure_all_finite=False, accept_sparse=True)  # a frame may be sparse
            result[:, numeric] = numbers.toarray() if issparse(numbers) else numbers
        for column, codes in self._codes.items():
            result[:, column] = [codes.get(value, UNKNOWN) for value in values_of(X, column)]
        return result


def categorical_positions(X, categorical_features, names):
    """The positions of the categorical columns; raise ValueError if `categorical_features` does not fit X."""
    n_features = X.shape[1]
    if categorical_features is None:
        return []
    if isinstance(categorical_features, str):  # "from_dtype"
        return [column for column in range(n_features) if _is_categorical(X, column)]
    given = np.asarray(categorical_features, dtype=object).ravel().tolist()
    if given and all(isinstance(value, bool | np.bool_) for value in given):
        if len(given) != n_features:
            raise ValueError(f"categorical_features as a mask must have {n_features} entries, one a column; got {len(given)}.")
        return [column for column, chosen in enumerate(given) if chosen]
    return sorted({_position(value, n_features, names) for value in given})


def _position(value, n_features, names):
    if isinstance(value, str):
        names = None if names is None else list(names)
        if names is None or names.count(value) != 1:
            known = "X has no column names" if names is None else f"the columns are {names}"
            raise ValueError(f"categorical_features must name columns, each once; got {value!r}, but {known}.")
        return names.index(value)
    if isinstance(value, Integral) and not isinstance(value, bool) and 0 <= value < n_features:
        return int(value)
    raise ValueError(
        f"categorical_features must have column names, positions 0 … {n_features - 1} or a mask of {n_features} booleans; "
        f"got {value!r}."
    )


def nan_for_NA(X):
    """X, unless it is a pandas frame with object columns: then a copy with NaN for pandas.NA, which is no number for NumPy."""
    if not hasattr(X, "isna") or not hasattr(X, "columns") or np.dtype(object) not in list(X.dtypes):
        return X
    return type(X)(X.to_numpy(dtype=object, na_value=np.nan), index=X.index, columns=X.columns)


def with_shape(X):
    """X; lists become an array of objects, with one axis if their rows differ in length."""
    return X if hasattr(X, "shape") else np.asarray(X, dtype=object)


def column_of(X, position):
    """A column as the frame's own series, or as an array."""
    return _safe_indexing(X, position, axis=1)


def values_of(X, position):
    """The values of a column as Python objects, with None for missing values."""
    column = column_of(X, position)
    if hasattr(column, "isna"):  # pandas
        return [None if missing else value for value, missing in zip(column.tolist(), column.isna().tolist())]
    values = column.to_list() if hasattr(column, "to_list") else column.tolist()
    return [None if value is None or value != value else value for value in values]  # NaN differs from itself


def _is_categorical(X, position):
    name = str(column_of(X, position).dtype).lower()  # a string, because pandas and polars need not be installed
    if name == "object":
        present = [value for value in values_of(X, position) if value is not None]
        return bool(present) and all(isinstance(value, str | bool) for value in present)
    return name == "str" or name.startswith(CATEGORICAL_TYPES)


def _categories_of(X, position):
    try:
        return _sorted(set(values_of(X, position)) - {None})
    except TypeError as error:  # values that cannot be hashed or compared
        name = repr(X.columns[position]) if hasattr(X, "columns") else position
        raise ValueError(f"Column {name} of X holds values that cannot be categories: {error}.") from error


def _sorted(values):
    """The values sorted by type and then by value, because a column may hold strings and numbers."""
    return sorted(values, key=lambda value: (type(value).__name__, value))
