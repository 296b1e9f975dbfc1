"""The user's dask collections: their partitions, the number of rows of each, and a few rows that stand for all of X.

The few rows hold each value of each column that may be categorical. So what `fit` learns of columns from all rows, it learns from
these: which are categories, of which values, and which hold dates.
"""

import warnings

import dask
import numpy as np
import pandas as pd
from dask.base import is_dask_collection
from dask.delayed import Delayed
from pandas.api.types import is_bool_dtype, is_numeric_dtype, union_categoricals
from scipy.sparse import issparse
from scipy.sparse import vstack as stacked

from sksoftmax.data.columns import categorical_positions
from sksoftmax.data.frames import is_frame, take_rows

MOST_DATES = 10_000  # distinct dates of a partition that tell which parts of dates vary


class Partitions:
    """A dask frame or array of two dimensions as partitions of rows, in order.

    `parts` are the partitions, delayed; `n_rows` has the number of rows of each. `sample` has a few rows that stand for all of X.
    """

    def __init__(self, cluster, collection, parts, n_rows, sample):
        self.cluster, self.collection, self.parts, self.n_rows, self.sample = cluster, collection, parts, n_rows, sample
        self.first_rows = np.cumsum([0, *n_rows])
        self.shape = (int(self.first_rows[-1]), sample.shape[1])

    @classmethod
    def of(cls, cluster, collection, name, categorical_features):
        """Compute each partition of a dask collection once, to learn its number of rows and the values of its columns."""
        parts = partitions_of(collection, name)
        found = cluster.computed([dask.delayed(described)(part, categorical_features) for part in parts])
        n_rows = [n for n, _ in found]
        samples = {number: sample for number, (n, sample) in enumerate(found) if n}
        if not samples:
            raise ValueError(f"{name} must have rows; got {len(parts)} partitions without any.")
        check_same_columns(samples, name)
        return cls(cluster, collection, parts, n_rows, joined(list(samples.values())))

    def take_rows(self, rows):
        """These rows, in order, in memory."""
        owners = np.searchsorted(self.first_rows, rows, side="right") - 1
        chosen = [(number, rows[owners == number] - self.first_rows[number]) for number in np.unique(owners)]
        return joined(self.cluster.computed([dask.delayed(take_rows)(self.parts[number], of_part) for number, of_part in chosen]))


def partitions_of(collection, name):
    """The partitions of a dask frame or array, delayed; TypeError for anything else."""
    is_collection = is_dask_collection(collection) and not isinstance(collection, Delayed)  # which seems to have any attribute
    if not is_collection or not hasattr(collection, "to_delayed") or getattr(collection, "ndim", 0) != 2:
        advice = {"X_val": "For data in memory, pass dask.dataframe.from_pandas(X_val) or dask.array.from_array(X_val)."}
        raise TypeError(
            f"{name} must be a dask DataFrame, or a dask array of two dimensions; got a {type(collection).__name__}. "
            + advice.get(name, "SoftmaxMLPClassifier trains on data in memory.")
        )
    if hasattr(collection, "rechunk") and collection.numblocks[1] > 1:
        collection = collection.rechunk({1: -1})
    return list(np.ravel(collection.to_delayed()))


def described(X, categorical_features):
    """The number of rows of a partition, and a few rows that hold each value of each column that may be categorical."""
    n_rows = X.shape[0]
    if not n_rows or not X.shape[1] or issparse(X):
        return n_rows, X[: min(n_rows, 1)]
    if is_frame(X):
        named = set(categorical_positions(X, categorical_features, X.columns)[1])
        columns = [values_of_interest(X.iloc[:, i], i in named).reset_index(drop=True) for i in range(X.shape[1])]
        length = max(map(len, columns))
        columns = [column.iloc[np.minimum(np.arange(length), len(column) - 1)].reset_index(drop=True) for column in columns]
        return n_rows, pd.concat(columns, axis=1)
    named = set(range(X.shape[1])) if X.dtype.kind in "OUT" else set(categorical_positions(X, categorical_features, None)[1])
    columns = [pd.unique(X[:, i]) if i in named else X[:1, i] for i in range(X.shape[1])]
    length = max(map(len, columns))
    return n_rows, np.stack([column[np.minimum(np.arange(length), len(column) - 1)] for column in columns], axis=1)


def values_of_interest(column, is_named):
    """The distinct values of a pandas column that may be categorical; one number, if it has any, of a column of numbers."""
    if is_named or not is_numeric_dtype(column.dtype) or is_bool_dtype(column.dtype):
        distinct = column.drop_duplicates()
        if column.dtype.kind in "mM" and not is_named and len(distinct) > MOST_DATES:
            distinct = distinct.sort_values().iloc[np.linspace(0, len(distinct) - 1, MOST_DATES).astype(int)]
        return distinct
    place = int(
        (column.notna() & ~column.isin([np.inf, -np.inf])).to_numpy().argmax()
    )  # of the first finite number, if there is one
    return column.iloc[place : place + 1]


def check_same_columns(samples, name):
    """ValueError if a partition has other columns than the first one with rows, or has them in another order."""
    (first, expected), *others = samples.items()
    names = list(getattr(expected, "columns", range(expected.shape[1])))
    for number, sample in others:
        found = list(getattr(sample, "columns", range(sample.shape[1])))
        if found != names:
            raise ValueError(
                f"All partitions of {name} must have the same columns in the same order: partition {first} has {names}, "
                f"partition {number} has {found}."
            )


def joined(parts):
    """Frames, arrays or sparse matrices below each other; categories of frames are united."""
    if not isinstance(parts[0], pd.DataFrame | pd.Series):
        return stacked(parts, format="csr") if issparse(parts[0]) else np.concatenate(parts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # pandas 2 warns of columns without values in some parts
        result = pd.concat(parts, ignore_index=True)
    if result.ndim == 1:
        return result
    columns = [[part.iloc[:, i] for part in parts] for i in range(result.shape[1])]
    for i, of_parts in enumerate(columns):
        if all(isinstance(column.dtype, pd.CategoricalDtype) for column in of_parts):
            result.isetitem(i, united(of_parts))
    return result


def united(columns):
    """Categorical columns below each other. Their categories may differ in dtype, as those of a column without values do."""
    try:
        return union_categoricals(columns, ignore_order=True)
    except TypeError:  # what pandas raises then
        return pd.Categorical(pd.concat([column.astype(object) for column in columns]))


def in_memory(cluster, collection, n_rows, name):
    """A dask collection with an entry for each row in memory; anything else unchanged. ValueError for another number of rows."""
    values = cluster.computed([collection])[0] if is_dask_collection(collection) else collection
    length = values.shape[0] if hasattr(values, "shape") and np.ndim(values) else None
    if length is not None and length != n_rows:
        raise ValueError(f"{name} must have an entry for each of the {n_rows} rows of X; got {length}.")
    return values


def check_order(compute, X, values, name):
    """ValueError if values of pandas have the index of a dask frame X in another order; `compute` computes collections."""
    index = values.index if isinstance(values, pd.Series | pd.DataFrame) else None
    if index is None or index.is_monotonic_increasing or not getattr(X, "known_divisions", False):
        return
    of_X = compute([X.index])[0]
    if len(of_X) == len(index) and not of_X.equals(index) and of_X.isin(index).all() and index.isin(of_X).all():
        raise ValueError(
            f"{name} has the index of X in another order. dask.dataframe.from_pandas sorts rows by index, unless sort=False. "
            f"Pass {name} by from_pandas too, or {name}.to_numpy() if its rows are in the order of those of X."
        )
