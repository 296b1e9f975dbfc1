"""Checks X, y and sample_weight, with errors that name the column or row, and makes the validation split."""

from contextlib import contextmanager
from math import ceil, isfinite
from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, column_or_1d
from sklearn.utils import check_X_y as sklearn_check_X_y
from sklearn.utils.validation import validate_data

from sksoftmax.data.columns import are_numbers, categorical_by_type, column_of, nan_for_NA, with_shape
from sksoftmax.data.dates import is_date_type
from sksoftmax.data.frames import all_in_memory, check_names, in_memory, is_frame
from sksoftmax.data.groups import never_left_out, renumbered, strata_of_groups

FLOATS = (np.float64, np.float32)
OPTIONS = {"accept_sparse": "csr", "dtype": FLOATS, "ensure_all_finite": False}
BLOCK = 2**20  # numbers checked at once
ADVICE = (
    "Name them in categorical_features, if they are categories, or turn them into numbers: categories with OneHotEncoder, for "
    "example, dates into days."
)
DATES_ADVICE = (
    "Turn the dates and durations in {names} into numbers first, in fit and predict alike: for example X['date'].dt.year and "
    "X['date'].dt.month in pandas, pl.col('date').dt.year() in polars, or skrub's DatetimeEncoder."
)
COLLECTIONS = list | tuple | set | frozenset | np.ndarray  # of labels
NAMING = {"X", "y", "feature", "features", "Expected", "Found"}  # a message with one of these words names its argument


class FitArguments(NamedTuple):
    """The arguments that the user passed to fit or partial_fit."""

    X: object
    y: object
    sample_weight: object = None
    X_val: object = None
    y_val: object = None
    sample_weight_val: object = None
    classes: object = None
    groups: object = None

    def in_memory(self):
        """The arguments as arrays, or as pandas or polars frames; TypeError for collections of dask."""
        self.check_weighted()
        for name, value in self._asdict().items():
            if type(value).__module__.startswith("dask"):
                raise TypeError(
                    f"{name} must be in memory, but it is a dask {type(value).__name__}. Pass {name}.compute(), or train on all "
                    "workers by sksoftmax.dask.DaskSoftmaxMLPClassifier."
                )
        return FitArguments(**all_in_memory(self._asdict()))

    def check_weighted(self):
        """ValueError for weights of validation rows without rows."""
        if self.sample_weight_val is not None and self.X_val is None:
            raise ValueError("sample_weight_val is provided, but X_val and y_val, the rows to weight, were not provided.")


def check_X(estimator, X, categories, accepts_missing):
    """X for a prediction, as a float array or CSR matrix with the columns of fit and categories as codes."""
    X = in_memory(X, "X")
    with np.errstate(over="ignore", invalid="ignore"):
        if categories or categories.readers or not _needs_no_conversion(estimator, X):
            _check_matrix(X)
            is_compared = _compare_columns(estimator, X, categories, reset=False)
            with naming_columns(estimator, X, categories, "They held numbers in fit."):
                X = _as_numbers(X, categories, estimator.handle_unknown)
                if not is_compared:
                    X = validate_data(estimator, X, reset=False, **OPTIONS)
                elif not categories.read_columns:  # otherwise X is a matrix of floats by now
                    X = check_array(X, estimator=estimator, input_name="X", **OPTIONS)
        _check_finite(estimator, X, accepts_missing)
    return _without_duplicates(X)


def _needs_no_conversion(estimator, X):
    """Whether X needs no validation by scikit-learn, which takes longer than predicting a few rows."""
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype.char in "fd"  # float32 or float64
        and X.shape[0] > 0
        and X.shape[1] == estimator.n_features_in_
        and not hasattr(estimator, "feature_names_in_")
    )


def check_X_y(estimator, X, y, categories, accepts_missing, reset):
    """X as a float array or CSR matrix with categories as codes, and y as labels (n,) or a matrix (n, L)."""
    _check_matrix(X)  # before y, which may be as empty as X
    y = _array_of_y(y)
    with np.errstate(over="ignore", invalid="ignore"):
        is_compared = _compare_columns(estimator, X, categories, reset)
        with naming_columns(estimator, X, categories, None if reset else "They held numbers in fit."):
            X = _as_numbers(X, categories, estimator.handle_unknown)
            if is_compared:
                X, y = sklearn_check_X_y(X, y, estimator=estimator, multi_output=True, **OPTIONS)
            else:
                X, y = validate_data(estimator, X, y, reset=reset, multi_output=True, **OPTIONS)
        _check_finite(estimator, X, accepts_missing)
    return _without_duplicates(X), _without_one_column(y)


def check_y(estimator, y, n_rows):
    """y as `check_X_y` returns it, for X of so many rows."""
    X = np.broadcast_to(np.float32(0), (n_rows, 1))
    return _without_one_column(sklearn_check_X_y(X, _array_of_y(y), estimator=estimator, multi_output=True, **OPTIONS)[1])


def _without_one_column(y):
    """y, or, if it is a matrix of one column, this column, with a warning."""
    if y.ndim == 2 and y.shape[1] == 1:
        return column_or_1d(y.toarray() if issparse(y) else y, warn=True)
    return y


def _check_matrix(X):
    """Raise ValueError if X is None, a dict or a list of dicts, empty or complex, of which scikit-learn says less."""
    first, shape = X[0] if isinstance(X, list) and X else X, getattr(X, "shape", ())
    if X is None or (isinstance(first, dict) and not issparse(first)):  # SciPy's dok_matrix is a dict
        got = "None" if X is None else "dicts. Pass pandas.DataFrame(X)"
        raise ValueError(f"X must be an array, a sparse matrix or a frame, shape (n_samples, n_features); got {got}.")
    if len(shape) == 2 and 0 in shape:
        found = f"Found array with 0 {'sample' if shape[1] else 'feature'}(s) (shape={shape})"  # scikit-learn's words
        raise ValueError(f"X must have rows and columns. {found} while a minimum of 1 is required.")
    _check_real(X, "X")


def _check_real(array, name):
    """Raise ValueError if this array or sparse matrix is complex; scikit-learn's error would print its numbers."""
    if getattr(getattr(array, "dtype", None), "kind", "") == "c":
        raise ValueError(f"{name} must not be complex; got {array.dtype}. Complex data not supported.")


def _array_of_y(y):
    """y as scikit-learn reads it, with errors that name y. scikit-learn later refuses None and numbers that are not finite."""
    if y is None:
        return None
    _check_real(y, "y")
    if _holds_rows_of_labels(y):
        raise ValueError(
            "y must be one label a row, or a matrix with a row for each of X; it holds a collection of labels for each row. "
            "For several labels in a row pass sklearn.preprocessing.MultiLabelBinarizer().fit_transform(y)."
        )
    try:
        y = check_array(_with_numpy_dtype(y), accept_sparse="csr", ensure_2d=False, ensure_all_finite=False, dtype=None)
    except (ValueError, TypeError) as error:
        raise ValueError(f"y must be one label a row, or a matrix with a row for each of X: {error}") from error
    if y.dtype == object:
        for row, labels in enumerate(y.reshape(len(y), -1)):
            if any(_is_missing(label) for label in labels):
                raise ValueError(
                    f"Input y contains missing labels, first in row {row}: leave such rows out, or give them a label."
                )
    return y


def _holds_rows_of_labels(y):
    """Whether y has a list, a set or the like for each row, which make no matrix."""
    if isinstance(y, list | tuple):
        lengths = {len(labels) if isinstance(labels, COLLECTIONS) else None for labels in y}
        return (len(lengths) > 1) or any(isinstance(labels, set | frozenset) for labels in y)
    if len(getattr(y, "shape", ())) != 1 or not str(getattr(y, "dtype", "")).lower().startswith(("object", "list", "array")):
        return False
    return any(isinstance(labels, COLLECTIONS) or hasattr(labels, "to_list") for labels in y)


def _with_numpy_dtype(y):
    """y, with pandas' nullable integers and booleans as NumPy's: scikit-learn would convert them to floats."""
    dtype = getattr(getattr(y, "dtype", None), "numpy_dtype", None)
    return y.to_numpy(dtype) if dtype is not None and dtype.kind in "iub" and not y.isna().any() else y


def _is_missing(label):
    """Whether this is None, NaN, NaT or pandas.NA."""
    return label is None or type(label).__name__ in ("NAType", "NaTType") or (isinstance(label, float) and label != label)


def check_validation_pair(X_val, y_val, early_stopping):
    """Whether validation rows were passed; raise ValueError if X_val or y_val is missing, or if early_stopping is off."""
    if X_val is None and y_val is None:
        return False
    if y_val is None:
        raise ValueError("X_val is provided, but y_val was not provided.")
    if X_val is None:
        raise ValueError("y_val is provided, but X_val was not provided.")
    if not early_stopping:
        raise ValueError(
            "X_val and y_val are passed to fit while at the same time early_stopping is False. When passing X_val and y_val "
            "to fit, early_stopping should be set to either 'auto' or True."
        )
    return True


def check_sample_weight(sample_weight, n_samples):
    """The weights in float64, or None; raise ValueError if one is negative or not finite, or the shape is wrong."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, sample_weight)
    try:
        weights = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    except (ValueError, TypeError) as error:
        raise ValueError(f"sample_weight must be an array of finite numbers, shape ({n_samples},): {error}") from error
    if weights.shape != (n_samples,):
        raise ValueError(f"sample_weight must have shape ({n_samples},), one weight a row of X; got {weights.shape}.")
    if (weights < 0).any():
        row = int(np.flatnonzero(weights < 0)[0])
        raise ValueError(f"sample_weight must be non-negative; got {weights[row]} in row {row}.")
    if not weights.any():
        raise ValueError("Sample weights must contain at least one number above zero; all of sample_weight are zero.")
    return weights


def weights_in(dtype, weights):
    """The checked weights in this dtype, or None for None; raise ValueError if it cannot hold their sum."""
    if weights is None:
        return None
    with np.errstate(over="ignore", under="ignore"):
        weights = weights.astype(dtype, copy=False)
        total = weights.sum()
    if not np.finfo(dtype).tiny <= total < np.inf:
        raise ValueError(f"sample_weight must have a sum that {np.dtype(dtype)} holds; got {total}. Multiply it by a constant.")
    return weights


def split_by_class(samples, fraction, kind, rng):
    """Training and validation parts, drawn within each class: of two rows or more, at least one goes to each part.

    Classes count if the targets are of the kind "labels". The only row of a class is trained on. If this leaves fewer than two
    rows to score, classes do not count. If the samples have groups, groups are drawn in place of rows, within their most frequent
    class, so that each class is trained on.
    """
    _check_fraction(fraction)
    labels = samples.strata if kind == "labels" else np.zeros(len(samples), dtype=np.intp)
    if samples.groups is None:
        counts = np.bincount(labels)
        n_validation = np.clip(np.round(fraction * counts).astype(int), 1, np.maximum(counts - 1, 0))
        n_validation[counts < 2] = 0
        _check_sizes(len(samples), max(int(n_validation.sum()), 2))
        if n_validation.sum() < 2:
            labels, n_validation = np.zeros_like(labels), np.clip([round(fraction * len(labels))], 2, len(labels) - 1)
        is_validation = _drawn(labels, n_validation, rng)
    else:
        is_validation = _drawn_groups(labels, renumbered(samples.groups)[0], fraction, rng)
    return samples[np.flatnonzero(~is_validation)], samples[np.flatnonzero(is_validation)]


def _drawn(labels, n_of_label, rng):
    """Whether each row is drawn, (n,); `n_of_label` has the number of rows to draw of each label."""
    order, counts = rng.permutation(len(labels)), np.bincount(labels)
    order = order[np.argsort(labels[order], kind="stable")]
    rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    is_drawn = np.empty(len(labels), dtype=bool)
    is_drawn[order] = rank < np.asarray(n_of_label)[labels[order]]
    return is_drawn


def _drawn_groups(labels, groups, fraction, rng):
    """Whether each row's group is drawn, (n,); at least one group is, and rows of each label stay."""
    free = np.flatnonzero(~never_left_out(labels, groups))
    if not len(free):
        raise ValueError(
            "early_stopping sets whole groups aside, but groups has none that can be: there is one group, or each has a class "
            "that no other has, or most of the rows. Pass X_val and y_val."
        )
    of_free = np.unique(strata_of_groups(labels, groups)[free], return_inverse=True)[1].ravel()
    n_drawn = np.round(fraction * np.bincount(of_free)).astype(int)
    if not n_drawn.any():
        of_free, n_drawn = np.zeros_like(of_free), [max(1, round(fraction * len(free)))]
    is_drawn = np.zeros(groups.max() + 1, dtype=bool)
    is_drawn[free] = _drawn(of_free, n_drawn, rng)
    for label in np.setdiff1d(labels, labels[~is_drawn[groups]]):
        is_drawn[groups[labels == label][0]] = False
    return is_drawn[groups]


def split_like_mlp(samples, fraction, targets, rng):
    """Training and validation parts as MLPClassifier draws them, stratified if there are two classes."""
    _check_fraction(fraction)
    strata = samples.strata if targets.kind == "labels" and len(targets.classes) == 2 else None
    n_validation = max(ceil(fraction * len(samples)), 2, 0 if strata is None else len(np.unique(strata)))
    _check_sizes(len(samples), n_validation)
    rows = np.arange(len(samples))
    try:
        train, validation = train_test_split(rows, test_size=n_validation, random_state=rng, stratify=strata)
    except ValueError as error:
        raise ValueError(f"early_stopping cannot set validation rows of each class aside: {error}") from error
    return samples[train], samples[validation]


def _check_fraction(fraction):
    if fraction == 0:
        raise ValueError("validation_fraction must be in (0, 1) if early_stopping is on; got 0.")


def _check_sizes(n_samples, n_validation):
    if n_samples <= n_validation:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your dataset. "
            f"early_stopping needs at least {n_validation} rows to score and one to train on; got n_samples = {n_samples}."
        )


def _compare_columns(estimator, X, categories, reset):
    """Store the names and the number of columns in fit, compare them later; return whether this is done here.

    scikit-learn's validation does it for arrays that it reads itself.
    """
    if is_frame(X):
        _check_names(estimator, X, reset)
    elif _has_codes(X, categories):
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    return is_frame(X) or _has_codes(X, categories)


def _has_codes(X, categories):
    """Whether columns of X must be read one by one; scikit-learn refuses other shapes, and columns of sparse rows are numbers."""
    return (
        bool(categories.read_columns)
        and len(with_shape(X).shape) == 2
        and (bool(categories) or bool(categories.readers) or not issparse(X))
    )


def _as_numbers(X, categories, handle_unknown):
    """X as scikit-learn can read it, with codes in its categorical columns."""
    if _has_unreal_columns(X, categories.read_columns):
        raise TypeError("dates, durations and complex numbers are not real numbers")
    return categories.matrix(X, handle_unknown) if _has_codes(X, categories) else nan_for_NA(X)


@contextmanager
def naming_columns(estimator, X, categories, advice=None):
    """A context whose errors name the columns of X that are not numeric, or X; None advises what to do in fit."""
    try:
        yield
    except (ValueError, TypeError, OverflowError) as error:
        columns = _columns_not_numeric(X, categories.read_columns)
        if not columns and _names_an_argument(error):
            raise  # not "from error": dask would follow the causes of an error that is its own cause without end
        if not columns:
            raise _with_X_named(error, X) from error
        advice = _advice(X, columns, estimator.categorical_features) if advice is None else advice
        kind = TypeError if isinstance(error, TypeError) and isinstance(X, np.ndarray | list) else ValueError
        raise kind(f"X must be numeric; these columns are not: {columns}. {advice} ({error})") from error


def _check_names(estimator, X, reset):
    """`check_names`, with an error that names X and the columns that share a name, which scikit-learn 1.9 refuses."""
    try:
        check_names(estimator, X, reset)
    except ValueError as error:
        names = list(X.columns)
        repeated = list(dict.fromkeys(name for name in names if names.count(name) > 1))
        if not repeated:
            raise
        raise ValueError(f"Columns of X must have different names, but these occur more than once: {repeated}.") from error


def _without_duplicates(X):
    """X, or, if X is sparse with duplicate or unsorted entries, a copy with each entry once and in order."""
    if issparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def _names_an_argument(error):
    """Whether the message names its argument, as scikit-learn's messages do."""
    return not NAMING.isdisjoint(str(error).split())


def _with_X_named(error, X):
    """The error with a message that begins with "X"."""
    kind = TypeError if isinstance(error, TypeError) else ValueError
    got = f"shape {X.shape}" if hasattr(X, "shape") else f"a {type(X).__name__}"
    return kind(f"X must be a matrix of numbers, or a frame; got {got}: {error}")


def _check_finite(estimator, X, accepts_missing):
    values = X.data if issparse(X) else X
    if isfinite(np.add.reduce(values, axis=None, dtype=np.float64)):
        return
    where = _first_bad(values, accepts_missing and not issparse(X))
    if where is None:
        return
    value = values[tuple(where)]
    row, column = (np.searchsorted(X.indptr, where[0], "right") - 1, X.indices[where[0]]) if issparse(X) else where
    names = getattr(estimator, "feature_names_in_", None)
    name = f"column {column}" if names is None else f"column {names[column]!r}"
    what = "NaN" if np.isnan(value) else "infinity"
    advice = "fill it in first, for example with SimpleImputer" if what == "NaN" else "values must be finite"
    if what == "NaN" and not issparse(X):
        advice += ", or leave it to the estimator with scaling='robust'"
    raise ValueError(
        f"Input X contains {what} in {name} (first in row {row}). {type(estimator).__name__} does not accept {what}: {advice}."
    )


def _first_bad(values, accepts_missing):
    """The index of the first number that is not finite (nor an accepted NaN), or None; search block by block."""
    step = max(1, BLOCK // max(values[:1].size, 1))
    for start in range(0, len(values), step):
        block = values[start : start + step]
        bad = np.isinf(block) if accepts_missing else ~np.isfinite(block)
        if bad.any():
            first, *others = np.argwhere(bad)[0]
            return np.array([start + first, *others])
    return None


def _has_unreal_columns(X, categorical):
    """Whether a non-categorical column has dates, durations or complex numbers, which NumPy would silently convert."""
    if isinstance(X, np.ndarray):
        return X.dtype.kind in "mM" and len(categorical) < X.shape[-1]
    dtypes = list(X.dtypes) if is_frame(X) else []
    unreal = {dtype for dtype in set(dtypes) if _is_unreal(dtype)}
    return any(dtype in unreal for column, dtype in enumerate(dtypes) if column not in categorical) if unreal else False


def _is_unreal(dtype):
    """Whether this dtype of pandas, polars or Arrow means dates, durations or complex numbers."""
    return is_date_type(dtype) or str(dtype).lower().startswith("complex")


def _columns_not_numeric(X, categorical):
    """The names or positions of columns that are neither numeric nor categorical, in a frame or an array of objects."""
    X = nan_for_NA(with_shape(X))
    if not is_frame(X) and not (isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "OSU"):
        return []
    names = [str(name) for name in X.columns] if is_frame(X) else range(X.shape[1])
    return [name for column, name in enumerate(names) if column not in categorical and not _is_numeric(column_of(X, column))]


def _is_numeric(column):
    return not _is_unreal(column.dtype) and are_numbers(column)


def _advice(X, columns, categorical_features):
    """Advice on columns that are not numeric in fit."""
    if not is_frame(X):
        return ADVICE
    of_times = [str(name) for name, dtype in zip(X.columns, X.dtypes) if is_date_type(dtype)]
    if of_times := [name for name in of_times if name in columns]:
        return DATES_ADVICE.format(names=of_times)
    named = [] if categorical_features is None else np.asarray(categorical_features, dtype=object).ravel().tolist()
    texts = [str(X.columns[column]) for column in categorical_by_type(X)]
    if set(columns) <= set(texts) and "from_dtype" not in named and not any(isinstance(value, bool) for value in named):
        added = repr(["from_dtype", *named]) if named else "'from_dtype'"
        return f"To find columns of text by their type, use categorical_features={added}. {ADVICE}"
    return ADVICE
