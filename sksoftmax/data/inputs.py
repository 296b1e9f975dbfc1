"""What the user passes: X, y and sample_weight, checked, with errors that name the column or row; the validation split."""

from dataclasses import replace
from functools import partial
from math import ceil, isfinite
from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, column_or_1d
from sklearn.utils import check_X_y as sklearn_check_X_y
from sklearn.utils.validation import validate_data

from sksoftmax.data.columns import column_of, nan_for_NA, with_shape

FLOATS = (np.float64, np.float32)
BLOCK = 2**20  # numbers looked at together
ADVICE = (
    "Name them in categorical_features, if they are categories, or turn them into numbers: categories with OneHotEncoder, for "
    "example, dates into days."
)
NAMING = {"X", "y", "feature", "features", "Expected", "Found"}  # a word of these says what an error is about


class Given(NamedTuple):
    """What the user passed to fit or partial_fit, as it is."""

    X: object
    y: object
    sample_weight: object = None
    X_val: object = None
    y_val: object = None
    sample_weight_val: object = None


def check_X(estimator, X, preprocessor):
    """X for a prediction, as a float array or CSR matrix with the columns that were fitted, categories as codes."""
    if not preprocessor.categories and _needs_no_conversion(estimator, X):
        _check_finite(estimator, X, preprocessor.accepts_missing)
        return X
    return _check(estimator, X, "no_validation", preprocessor, reset=False)


def _needs_no_conversion(estimator, X):
    """Whether X is already what scikit-learn's validation would return: it takes longer than predicting a few rows."""
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype.char in "fd"  # float32 or float64
        and X.shape[0] > 0
        and X.shape[1] == estimator.n_features_in_
        and not hasattr(estimator, "feature_names_in_")
    )


def check_X_y(estimator, X, y, preprocessor, reset):
    """X as a float array or CSR matrix, categories as codes, and y as labels (n,) or a matrix (n, L)."""
    with np.errstate(over="ignore", invalid="ignore"):
        X, y = _check(estimator, X, _array_of_y(y), preprocessor, reset, multi_output=True)
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y.toarray() if issparse(y) else y, warn=True)
    return X, y


def _array_of_y(y):
    """y as scikit-learn reads it, so that an error names it; None, and numbers not finite, are left to scikit-learn to refuse."""
    if y is None:
        return None
    try:
        y = check_array(_of_own_kind(y), accept_sparse="csr", ensure_2d=False, ensure_all_finite=False, dtype=None)
    except (ValueError, TypeError) as error:
        raise ValueError(f"y must be one label a row, or a matrix with a row for each of X: {error}") from error
    if y.dtype == object:
        for row, labels in enumerate(y.reshape(len(y), -1)):
            if any(_is_missing(label) for label in labels):
                raise ValueError(
                    f"Input y contains missing labels, first in row {row}: leave such rows out, or give them a label."
                )
    return y


def _of_own_kind(y):
    """y; integers and booleans in pandas' nullable types as NumPy's, where scikit-learn would make them floats."""
    dtype = getattr(getattr(y, "dtype", None), "numpy_dtype", None)
    return y.to_numpy(dtype) if dtype is not None and dtype.kind in "iub" and not y.isna().any() else y


def _is_missing(label):
    """Whether this is None, NaN, NaT or pandas.NA."""
    return label is None or type(label).__name__ in ("NAType", "NaTType") or (isinstance(label, float) and label != label)


def check_validation_pair(X_val, y_val, early_stopping):
    """Whether validation rows were passed; ValueError if only half of them were, or early_stopping is off."""
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


def check_sample_weight(sample_weight, n_samples, dtype):
    """Weights as an array of this dtype, or None; ValueError if negative, of a wrong shape or all zero."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, sample_weight)
    try:
        with np.errstate(over="ignore"):
            weights = check_array(sample_weight, ensure_2d=False, dtype=dtype, input_name="sample_weight")
    except (ValueError, TypeError) as error:
        raise ValueError(f"sample_weight must be an array of finite numbers, shape ({n_samples},): {error}") from error
    if weights.shape != (n_samples,):
        raise ValueError(f"sample_weight must have shape ({n_samples},), one weight a row of X; got {weights.shape}.")
    if (weights < 0).any():
        row = int(np.flatnonzero(weights < 0)[0])
        raise ValueError(f"sample_weight must be non-negative; got {weights[row]} in row {row}.")
    if not weights.any():
        raise ValueError(
            f"Sample weights must contain at least one number above zero; all of sample_weight are zero as {np.dtype(dtype)}."
        )
    with np.errstate(over="ignore"):
        total = weights.sum()
    if not np.finfo(dtype).tiny <= total < np.inf:
        raise ValueError(f"sample_weight must have a sum that {np.dtype(dtype)} holds; got {total}. Multiply it by a constant.")
    return weights


def without_zero_weights(samples):
    """The samples that count, None for None: a row of weight 0 is a row that is absent, in batches and splits too.

    Where all other weights are 1, none are needed.
    """
    if samples is None or samples.weights is None:
        return samples
    if not samples.weights.all():
        samples = samples[np.flatnonzero(samples.weights)]
    return replace(samples, weights=None) if (samples.weights == 1).all() else samples


def split_validation(samples, fraction, stratify, rng):
    """Training and validation parts, by one draw from rng; `stratify` has a label a row, or is None."""
    if fraction == 0:
        raise ValueError("validation_fraction must be in (0, 1) where early_stopping is on; got 0.")
    n_validation = max(ceil(fraction * len(samples)), 2, 0 if stratify is None else len(np.unique(stratify)))
    if len(samples) <= n_validation:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your dataset. "
            f"early_stopping needs at least {n_validation} rows to score and one to train on; got n_samples = {len(samples)}."
        )
    rows = np.arange(len(samples))
    try:
        train, validation = train_test_split(rows, test_size=n_validation, random_state=rng, stratify=stratify)
    except ValueError as error:
        raise ValueError(f"early_stopping cannot set validation rows of each class aside: {error}") from error
    return samples[train], samples[validation]


def _check(estimator, X, y, preprocessor, reset, **kwargs):
    options = {"accept_sparse": "csr", "dtype": FLOATS, "ensure_all_finite": False, **kwargs}
    categories = preprocessor.categories
    coded = bool(categories) and len(with_shape(X).shape) == 2  # other shapes are left to scikit-learn's validation to refuse
    if coded:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    try:
        if _has_no_reals(X, categories.of_column):
            raise TypeError("dates, durations and complex numbers are not real numbers")
        if coded:
            check = check_array if isinstance(y, str) else partial(sklearn_check_X_y, y=y)
            checked = check(categories.matrix(X), estimator=estimator, **options)
        else:
            checked = validate_data(estimator, nan_for_NA(X), y, reset=reset, **options)
    except (ValueError, TypeError, OverflowError) as error:
        columns = _columns_not_numeric(X, categories.of_column)
        if not columns:
            raise _naming_X(error, X) from error
        advice = ADVICE if reset else "They held numbers in fit."
        kind = TypeError if isinstance(error, TypeError) and isinstance(X, np.ndarray | list) else ValueError
        raise kind(f"X must be numeric; these columns are not: {columns}. {advice} ({error})") from error
    X, y = (checked, None) if isinstance(y, str) else checked
    _check_finite(estimator, X, preprocessor.accepts_missing)
    X = _without_duplicates(X)
    return X if y is None else (X, y)


def _without_duplicates(X):
    """X; a sparse one that stores an entry in several parts, or out of order, as a copy that does not."""
    if issparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def _naming_X(error, X):
    """The error itself if it says what it is about, as scikit-learn's do; NumPy's, SciPy's and pandas' with X in front."""
    if not NAMING.isdisjoint(str(error).split()):
        return error
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
    """The index of the first number that is not finite (and not NaN where that may be), or None; block by block."""
    step = max(1, BLOCK // max(values[:1].size, 1))
    for start in range(0, len(values), step):
        block = values[start : start + step]
        bad = np.isinf(block) if accepts_missing else ~np.isfinite(block)
        if bad.any():
            first, *others = np.argwhere(bad)[0]
            return np.array([start + first, *others])
    return None


def _has_no_reals(X, categorical):
    """Whether X has columns, not categorical, of a type that NumPy would make other numbers of: see `_is_no_real`."""
    if isinstance(X, np.ndarray):
        return X.dtype.kind in "mM"
    dtypes = X.dtypes if hasattr(X, "columns") and hasattr(X, "dtypes") else ()
    return any(_is_no_real(dtype) for column, dtype in enumerate(dtypes) if column not in categorical)


def _is_no_real(dtype):
    """Whether this is a type, of pandas, polars or Arrow, of dates, durations (counted in nanoseconds) or complex numbers."""
    return str(dtype).lower().startswith(("date", "time", "duration", "complex"))


def _columns_not_numeric(X, categorical):
    """The columns, by name or position, of a frame or of an array of objects that are neither numbers nor categorical."""
    X = nan_for_NA(with_shape(X))
    is_frame = hasattr(X, "columns") and hasattr(X, "dtypes")
    if not is_frame and not (isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "OSU"):
        return []
    names = [str(name) for name in X.columns] if is_frame else range(X.shape[1])
    return [name for column, name in enumerate(names) if column not in categorical and not _is_numeric(column_of(X, column))]


def _is_numeric(column):
    if _is_no_real(column.dtype):
        return False
    try:
        np.asarray(column, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        return False
    return True
