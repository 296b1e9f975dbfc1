"""Finds the categorical columns of the user's X, and turns their categories into codes.

pandas and polars frames, arrays and lists are read: numbers and booleans as blocks, other columns one at a time. Code k means the
k-th of a column's sorted categories, and −1 means anything else: a missing value, or a category that was not seen in fit.
"""

from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array

from sksoftmax.data.dates import Dates, is_date_type, part_of, reader_of
from sksoftmax.data.frames import is_frame

UNKNOWN = -1.0
DURATION_TYPES = ("timedelta", "duration")
TEXT_TYPES = ("object", "str", "string", "large_string", "utf8", "<u")  # how the names of types of text begin
HOLDS_NA = {"object", "string"}  # dtypes of pandas that may hold pandas.NA, which NumPy is handed
FEW_ROWS = 1000  # up to this many values are looked up one by one, above that only distinct ones
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

    empty : list of int, default=()
        The numeric columns that held no value in fit. Text that a later X holds there becomes NaN.

    found_as_text : iterable of int, default=()
        The categorical columns that hold text and that the user did not name; known in `fit` only, and not saved.

    readers : dict of int to Dates or Quantities, default=None
        What reads the columns of dates, and of text with numbers and units; None for no such column. The parts of dates are
        further columns behind those of X.
    """

    def __init__(self, of_column, empty=(), readers=None, found_as_text=()):
        self.of_column, self.found_as_text = of_column, set(found_as_text)
        self.empty = list(empty)
        self.readers = {} if readers is None else readers
        self.read_columns = {*of_column, *empty, *self.readers}  # NumPy and scikit-learn may be unable to read them
        self.parts = [(column, part) for column, reader in self.readers.items() for part in reader.parts]
        self._codes = {
            column: CodeOf((value, float(code)) for code, value in enumerate(values)) for column, values in of_column.items()
        }

    def __getstate__(self):
        return {"of_column": self.of_column, "empty": self.empty, "readers": self.readers}

    def __setstate__(self, state):
        """Rebuild the code of each category, which is not saved."""
        self.__init__(**state)

    @classmethod
    def from_X(cls, X, categorical_features, reads_dates=False):
        """Find the categorical columns of X and their categories, as HistGradientBoosting does; on request those of dates too.

        Columns that `categorical_features` names are categories, whatever they hold.
        """
        if issparse(X):
            if categorical_features is None or isinstance(categorical_features, str):
                return cls({})
            raise ValueError("categorical_features must be None or 'from_dtype' for a sparse X, whose columns are numbers.")
        X = with_shape(X)
        if len(X.shape) != 2:  # scikit-learn's validation will raise the error
            return cls({})
        by_type, named = categorical_positions(X, categorical_features, getattr(X, "columns", None))
        readers = find_readers(X, by_type, named) if reads_dates else {}
        positions = sorted({*by_type, *named} - readers.keys())
        found = _categories_of_booleans(X, positions)
        found |= {column: _categories_of(X, column) for column in positions if column not in found}
        types = type_names(X)
        found_as_text = [column for column in positions if column not in named and types[column].startswith(TEXT_TYPES)]
        return cls(dict(sorted(found.items())), empty_columns(X, others(X, [*positions, *readers])), readers, found_as_text)

    def __len__(self):
        return len(self.of_column)

    @property
    def part_sources(self):
        """The column of X behind each column of a part."""
        return np.array([column for column, _ in self.parts], dtype=np.intp)

    def names(self, names):
        """The names of all columns that are read, given those of X, as 'when' and 'when_month'."""
        return [*names, *(f"{names[column]}_{part}" for column, part in self.parts)]

    def matrix(self, X, handle_unknown="ignore"):
        """X as a float64 matrix, with codes in the categorical columns, NaN for a missing number, and parts of dates at the end.

        ValueError if no value of a categorical column is known and none has a type that fit saw; if `handle_unknown` is "error",
        already if one value is unknown.
        """
        if issparse(X):
            raise ValueError("X must be dense, because it has categorical columns; got a sparse one. Use X.toarray().")
        X = with_shape(X)
        result = np.empty((X.shape[0], X.shape[1] + len(self.parts)))
        if numeric := others(X, self.read_columns):
            result[:, numeric] = _floats(X, numeric)
        for column in self.empty:
            result[:, column] = _floats_or_nan(X, column, handle_unknown)
        for column, reader in self.readers.items():
            result[:, column] = _read(X, column, reader, handle_unknown)
        for i, (column, part) in enumerate(self.parts, X.shape[1]):
            result[:, i] = part_of(part, result[:, column])
        booleans = boolean_columns(X, self.of_column)
        if booleans:
            result[:, as_slice(booleans)] = self._codes_of_booleans(_floats(X, booleans), booleans)
        for column in self.of_column.keys() - set(booleans):
            result[:, column] = codes_of(column_of(X, column), self._codes[column])
        self._check_known(X, result, handle_unknown)
        return result

    def _codes_of_booleans(self, values, columns):
        """The codes of columns of 0, 1 and NaN."""
        of_false, of_true = (np.array([self._codes[column][value] for column in columns]) for value in (False, True))
        if (of_false != 0).any() or (of_true != 1).any():  # fit saw one value only of a column
            values = values * (of_true - of_false) + of_false
        return np.where(np.isnan(values), UNKNOWN, values) if np.isnan(np.add.reduce(values, axis=None)) else values

    def _check_known(self, X, codes, handle_unknown):
        """Raise ValueError for values that `matrix` refuses."""
        columns = np.array(list(self.of_column), dtype=np.intp)
        if not len(codes) or not len(columns):
            return
        if handle_unknown == "error":
            columns = columns[(codes[:, as_slice(columns)] < 0).any(axis=0)]
        else:
            columns = columns[codes[0, columns] < 0]
            columns = columns[(codes[:, columns] < 0).all(axis=0)]
        for column in columns.tolist():
            values = values_of(X, column)
            unknown = [row for row, value in enumerate(values) if value is not None and codes[row, column] < 0]
            if unknown and (codes[:, column] < 0).all():
                _check_types(name_of(X, column), [values[row] for row in unknown], self.of_column[column])
            if unknown and handle_unknown == "error":
                shown = list(dict.fromkeys(repr(values[row]) for row in unknown))
                count, them = ("1 category", "it") if len(shown) == 1 else (f"{len(shown)} categories", "them")
                raise ValueError(
                    f"Column {name_of(X, column)} of X has {count} that fit did not see: {', '.join(shown[:5])} "
                    f"(first in row {unknown[0]}). handle_unknown='ignore' accepts {them}."
                )


class CodeOf(dict):
    """The code of each category; −1 for anything else."""

    def __missing__(self, value):
        return UNKNOWN


def _check_types(name, values, categories):
    """Raise ValueError if fit saw categories, but none of the type of one of these values, which are all unknown."""
    seen = {_kind(category) for category in categories}
    if not seen or any(_kind(value) in seen for value in values):
        return
    raise ValueError(
        f"Column {name} of X holds values of type {type(values[0]).__name__}, such as {values[0]!r}. In fit it held values of "
        f"type {type(categories[0]).__name__}, such as {categories[0]!r}, and no value is equal to one of these. "
        "Convert the column to the type that it had in fit."
    )


def _kind(value):
    """The type of a value, where all real numbers are one type."""
    kinds = {str: "text", bool | np.bool_: "bool", Real: "number"}
    return next((kind for types, kind in kinds.items() if isinstance(value, types)), type(value).__name__)


def categorical_positions(X, categorical_features, names):
    """The positions of the columns that are categorical by their type, and of those that `categorical_features` names.

    Raise ValueError if it does not fit X.
    """
    n_features = X.shape[1]
    if categorical_features is None:
        return [], []
    if isinstance(categorical_features, str):  # "from_dtype"
        return categorical_by_type(X), []
    given, found = np.asarray(categorical_features, dtype=object).ravel().tolist(), []
    if "from_dtype" in given and "from_dtype" not in list(() if names is None else names):
        found, given = categorical_by_type(X), [value for value in given if value != "from_dtype"]
    elif given and all(isinstance(value, bool | np.bool_) for value in given):
        if len(given) != n_features:
            raise ValueError(f"categorical_features as a mask must have {n_features} entries, one a column; got {len(given)}.")
        return [], [column for column, chosen in enumerate(given) if chosen]
    return found, [_position(value, n_features, names) for value in given]


def find_readers(X, by_type, named):
    """What reads each column of dates, or of text in `by_type` with numbers and units, unless the column is `named`."""
    readers = {}
    for column, name in enumerate(type_names(X)):
        if column in named:
            continue
        if is_date_type(name):
            has_parts = not name.startswith(DURATION_TYPES)
            readers[column] = Dates().with_parts(Dates().numbers(column_of(X, column))) if has_parts else Dates()
        elif name == "object" or (column in by_type and name.startswith(TEXT_TYPES)):  # objects may be Python's dates
            try:
                reader = reader_of(_distinct(X, column))
            except Exception:  # whatever a frame says of values that it cannot compare
                continue
            if reader is not None and (column in by_type or reader.form is None):
                readers[column] = reader.with_parts(reader.numbers(column_of(X, column)))
    return readers


def type_names(X):
    """The name of the type of each column, in lower case: strings, because pandas and polars need not be installed."""
    return [str(dtype).lower() for dtype in X.dtypes] if is_frame(X) else [str(X.dtype).lower()] * X.shape[1]


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


def categorical_by_type(X):
    """The columns of text, categories and booleans in a frame, or those of text in an array of objects or text."""
    if is_frame(X):
        return [column for column, name in enumerate(type_names(X)) if _is_categorical(X, column, name)]
    if X.dtype.kind not in "OU":
        return []
    return [column for column in range(X.shape[1]) if _holds_text(values_of(X, column))]


def _is_categorical(X, column, type_name):
    if type_name == "object":
        present = [value for value in values_of(X, column) if value is not None]
        return bool(present) and all(isinstance(value, str | bool) for value in present)
    return type_name == "str" or type_name.startswith(CATEGORICAL_TYPES)


def _holds_text(values):
    """Whether these values of an array are text or booleans, and not all are numbers, or numbers as text."""
    present = [value for value in values if value is not None]
    return bool(present) and all(isinstance(value, str | bool) for value in present) and not are_numbers(present)


def are_numbers(values):
    """Whether NumPy reads all these values, text or not, as real numbers."""
    try:
        np.asarray(values, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def boolean_columns(X, columns):
    """Those of these columns that a frame holds as booleans."""
    types = list(X.dtypes) if is_frame(X) else []
    return [column for column in columns if types and str(types[column]).lower().startswith("bool")]


def empty_columns(X, columns):
    """Those of these columns that hold no value, in a frame or an array of objects."""
    if not X.shape[0] or not (is_frame(X) or X.dtype == object):
        return []
    first = X.iloc[0].tolist() if hasattr(X, "iloc") else X.row(0) if hasattr(X, "row") else X[0]
    missing = [column for column in columns if is_missing(first[column])]
    return [column for column in missing if all(value is None for value in values_of(X, column))]


def as_slice(columns):
    """These positions in order, as a slice if they are adjacent: NumPy reads and writes it much faster."""
    first, last = int(columns[0]), int(columns[-1])
    return slice(first, last + 1) if last - first + 1 == len(columns) else columns


def others(X, columns):
    """The positions of all columns but these."""
    columns = set(columns)
    return [column for column in range(X.shape[1]) if column not in columns]


def nan_for_NA(X):
    """X, or, if it holds objects, a copy with NaN for pandas.NA, which is no number for NumPy."""
    if isinstance(X, np.ndarray) and X.dtype == object:
        missing = np.asarray(np.frompyfunc(_is_NA, 1, 1)(X), dtype=bool)  # of one value, it is a scalar
        return np.where(missing, np.nan, X) if missing.any() else X
    if not hasattr(X, "isna") or not hasattr(X, "columns") or HOLDS_NA.isdisjoint(map(str, set(X.dtypes))):
        return X
    return type(X)(X.to_numpy(dtype=object, na_value=np.nan), index=X.index, columns=X.columns)


def with_shape(X):
    """X; lists become an array of objects, with one axis if their rows differ in length."""
    return X if hasattr(X, "shape") else np.asarray(X, dtype=object)


def name_of(X, column):
    """The name of a column in an error message, or its position in an array."""
    return repr(X.columns[column]) if hasattr(X, "columns") else str(column)


def column_of(X, columns):
    """A column as the frame's own series, or as an array; or, for a list of positions, a frame or a matrix of these columns."""
    return X.iloc[:, columns] if hasattr(X, "iloc") else X[:, columns]


def _floats(X, columns):
    """These columns as numbers, (n, len(columns)); a pandas frame may hold sparse columns."""
    part = column_of(X, columns)
    if hasattr(part, "to_numpy") and all(isinstance(dtype, np.dtype) and dtype.kind in "fiub" for dtype in part.dtypes):
        return part.to_numpy(dtype=np.float64)  # what `check_array` would do after many questions
    part = nan_for_NA(part)
    numbers = check_array(part, dtype=np.float64, ensure_all_finite=False, accept_sparse=True, ensure_min_samples=0)
    return numbers.toarray() if issparse(numbers) else numbers


def _floats_or_nan(X, column, handle_unknown):
    """A column that was empty in fit: its numbers, or, if it holds anything else, NaN for all."""
    try:
        return _floats(X, [column])[:, 0]
    except (ValueError, TypeError, OverflowError):
        if handle_unknown == "error":
            name = name_of(X, column)
            raise ValueError(f"Column {name} of X was empty in fit, and handle_unknown='error' refuses what it holds.") from None
        return np.nan


def _read(X, column, reader, handle_unknown):
    """The numbers of a column of dates or quantities; NaN for other text.

    ValueError if the column holds no value of the type that fit saw, or, if `handle_unknown` is "error", any other text.
    """
    try:
        numbers = reader.numbers(column_of(X, column))
    except (AttributeError, TypeError, ValueError, OverflowError):  # of another type than in fit
        numbers = np.full(X.shape[0], np.nan)
    if np.isnan(numbers).any():
        held = [value for value, number in zip(values_of(X, column), numbers) if value is not None and np.isnan(number)]
        is_of_type = reader.form is not None and any(isinstance(value, str) for value in held)
        if held and (handle_unknown == "error" or (np.isnan(numbers).all() and not is_of_type)):
            raise ValueError(f"Column {name_of(X, column)} of X held {reader.what} in fit; {held[0]!r} is something else.")
    return numbers


def values_of(X, column):
    """The values of a column as Python objects, with None for missing values."""
    values = column_of(X, column)
    if hasattr(values, "isna"):  # pandas
        return [None if missing else value for value, missing in zip(values.tolist(), values.isna().tolist())]
    return [None if is_missing(value) else value for value in _as_list(values)]


def is_missing(value):
    """Whether a value is None, NaN, NaT or pandas.NA."""
    return value is None or _is_NA(value) or (not isinstance(value, str) and value != value)  # NaN and NaT differ from themselves


def _is_NA(value):
    return type(value).__name__ == "NAType"


def _as_list(column):
    return column.tolist() if hasattr(column, "tolist") else column.to_list()


def codes_of(column, codes):
    """The code of each value of a column."""
    if len(column) > FEW_ROWS and hasattr(column, "factorize"):  # pandas
        position, distinct = column.factorize()
        return np.array([*map(codes.__getitem__, distinct.tolist()), UNKNOWN])[position]  # −1, the last, is missing
    if len(column) > FEW_ROWS and hasattr(column, "replace_strict") and _is_text(column.dtype):  # polars
        known = {value: code for value, code in codes.items() if isinstance(value, str)} or {"": UNKNOWN}
        return column.cast(str).replace_strict(list(known), list(known.values()), default=UNKNOWN).to_numpy()
    return np.fromiter(map(codes.__getitem__, _as_list(column)), np.float64, len(column))


def _is_text(dtype):
    return str(dtype).lower().startswith(("string", "utf8", "categorical", "enum"))


def _categories_of_booleans(X, positions):
    """The sorted categories of those of these columns that a frame holds as booleans, by position."""
    columns = boolean_columns(X, positions)
    if not columns or not X.shape[0]:
        return {}
    values = _floats(X, columns)
    pairs = zip((values == 0).any(axis=0), (values == 1).any(axis=0))
    return {column: [False] * bool(no) + [True] * bool(yes) for column, (no, yes) in zip(columns, pairs)}


def _categories_of(X, position):
    try:
        return _sorted(set(_distinct(X, position)))
    except TypeError as error:  # values that cannot be hashed or compared
        raise ValueError(f"Column {name_of(X, position)} of X holds values that cannot be categories: {error}.") from error


def _distinct(X, position):
    """The distinct values of a column that are not missing."""
    column = column_of(X, position)
    distinct = _as_list(column.unique()) if hasattr(column, "unique") else dict.fromkeys(_as_list(column))
    return [value for value in distinct if not is_missing(value)]


def _sorted(values):
    """The values sorted by type and then by value, because a column may hold strings and numbers."""
    return sorted(values, key=lambda value: (type(value).__name__, value))
