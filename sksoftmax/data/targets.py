"""Finds the kind and the classes of the user's y, and encodes y for a head.

There are three kinds: "labels" (one label of any type for each row), "multilabel" (an (n, L) indicator matrix) and
"probabilities" ((n, K) rows that sum to 1). Labels are encoded as integers, never as one-hot rows.
"""

import warnings
from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array
from sklearn.utils.multiclass import type_of_target, unique_labels

from sksoftmax.data.heads import OUT_ACTIVATIONS, BinaryHead, MultilabelHead

ROW_SUM_TOLERANCE = 1e-3
ENOUGH_ROWS = 10  # fewer rows may be one-hot by chance
ALLOWED = "Allowed are one label a row (str, int or bool), a 0/1 indicator matrix, or rows of probabilities that sum to 1"


def target_kind(y, target_type="auto"):
    """The kind of target that y is; raise ValueError if y is of no kind.

    `target_type` is the kind of a matrix of zeros and ones. "auto" means probabilities if it holds floats and each row sums to 1,
    else multilabel; scikit-learn always takes such a matrix for multilabel.
    """
    try:
        type_ = type_of_target(y, input_name="y")
    except TypeError as error:
        raise ValueError(f"y must have labels of one type: {str(error).rstrip('.')}. {ALLOWED}.") from error
    if type_ == "multilabel-indicator":
        if target_type != "auto":
            return target_type
        return "probabilities" if y.dtype.kind == "f" and is_one_hot(y) else "multilabel"
    numbers = "iuf" if target_type == "probabilities" else "f"
    if type_ in ("continuous-multioutput", "multiclass-multioutput") and np.asarray(y).dtype.kind in numbers:
        check_probabilities(y)
        return "probabilities"
    if y.ndim == 2 and type_.endswith("multioutput"):
        raise ValueError(
            f"y has {y.shape[1]} columns of labels ({type_}). {ALLOWED}; otherwise use MultiOutputClassifier, or "
            "MultiLabelBinarizer if each row is a list of labels."
        )
    if type_ not in ("binary", "multiclass"):
        hint = " An array of objects needs a type first, as in y.astype(int) or y.astype(str)." if type_ == "unknown" else ""
        raise ValueError(f"Unknown label type: {type_}. {ALLOWED}.{hint}")
    return "labels"


def is_one_hot(y):
    """Whether each row of this matrix of zeros and ones has a single 1."""
    return bool((np.asarray(y.sum(axis=1)).ravel() == 1).all())


def warn_of_one_hot(y):
    """Warn that a one-hot y of integers or booleans is taken for independent labels."""
    columns_occur = (np.asarray(y.sum(axis=0)).ravel() > 0).all()
    if y.shape[0] >= ENOUGH_ROWS and columns_occur and is_one_hot(y):
        warnings.warn(
            "y is a one-hot matrix of integers or booleans, which is read as multilabel targets: the network may predict "
            "several labels for a row, or none. If each row has one class, pass y.argmax(axis=1), of a DataFrame "
            "y.idxmax(axis=1), or set target_type='probabilities'. Set target_type='multilabel' to turn this warning off."
        )


def check_probabilities(y):
    """Raise ValueError unless the rows of y are non-negative and sum to 1."""
    read = f"y is {'a float matrix, which is ' if y.dtype.kind == 'f' else ''}read as class probabilities"
    if (y < 0).any():
        row = int(np.flatnonzero((y < 0).any(axis=1))[0])
        raise ValueError(f"{read}, but row {row} has a negative one: {y[row]}.")
    sums = y.sum(axis=1)
    off = np.abs(sums - 1) > ROW_SUM_TOLERANCE
    if off.any():
        row = int(np.flatnonzero(off)[0])
        by_sum = "Divide each row by its sum, and leave out rows of zeros."
        advice = "For several labels in a row, set target_type='multilabel'." if np.isin(y, (0, 1)).all() else by_sum
        raise ValueError(f"{read}, so that each row must sum to 1; row {row} sums to {sums[row]:.6g}. {advice}")


def first_kind(y, target_type):
    """The kind of the first y that training sees; warn if a one-hot y is read as multilabel."""
    kind = target_kind(y, target_type)
    if kind == "multilabel" and target_type == "auto":
        warn_of_one_hot(y)
    return kind


def classes_of(y, kind, names=None):
    """The sorted distinct labels; for a matrix, the names of its columns, or their numbers if they have no names."""
    if kind == "labels":
        return unique_labels(y)
    return np.arange(y.shape[1]) if names is None else names


def column_names(y):
    """The names of the columns of a frame y, if they are distinct and all strings or all integers; else None."""
    names = list(getattr(y, "columns", ()))
    of_one_type = any(names and all(isinstance(name, type_) for name in names) for type_ in (str, Integral))
    return np.array(names) if of_one_type and len(set(names)) == len(names) else None


def labels_of(classes):
    """The sorted distinct labels of the argument `classes`; raise a ValueError that names it if there are none."""
    try:
        with np.errstate(invalid="ignore"):
            labels = unique_labels(classes)
    except (ValueError, TypeError) as error:
        raise ValueError(f"classes must be a sequence of labels of one type; got {classes!r}: {error}") from error
    if len(labels) == 0:
        raise ValueError(f"classes must have at least one label; got {classes!r}.")
    return labels


def make_head(kind, classes, out_activation):
    """The head for this kind of target; `out_activation` is "auto" or a name in `heads.OUT_ACTIVATIONS`."""
    if kind == "multilabel":
        return MultilabelHead(classes)
    if len(classes) == 2 and out_activation == "auto":
        return BinaryHead(classes)
    return OUT_ACTIVATIONS["softmax" if out_activation == "auto" else out_activation](classes)


class Targets:
    """The kind of y, the classes and their head; encodes y for the loss.

    Parameters
    ----------
    kind : {"labels", "multilabel", "probabilities"}
        The kind of the first y seen.

    classes : ndarray
        Labels in the order of the outputs.

    out_activation : {"auto", "softmax"}
        The estimator's parameter.
    """

    def __init__(self, kind, classes, out_activation):
        self.kind = kind
        self.classes = classes
        self.head = make_head(kind, classes, out_activation)

    @classmethod
    def from_y(cls, y, out_activation, target_type="auto", names=None):
        """Make the targets from all of y at once: its labels, or the names of its columns, are the classes."""
        kind = first_kind(y, target_type)
        return cls(kind, classes_of(y, kind, names), out_activation)

    @classmethod
    def from_classes(cls, y, classes, out_activation, target_type="auto", names=None):
        """Make the targets from a first part of y; if y holds labels, `classes` must be given."""
        kind = first_kind(y, target_type)
        if kind == "labels" and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        targets = cls(kind, labels_of(classes) if kind == "labels" else classes_of(y, kind, names), out_activation)
        targets.check_classes(classes)
        return targets

    def check_classes(self, classes):
        """Raise ValueError if `classes` are given and are not the known ones."""
        known = [np.sort(self.classes)] + ([np.arange(len(self.classes))] if self.kind != "labels" else [])
        if classes is not None and not any(np.array_equal(labels_of(classes), of_y) for of_y in known):
            raise ValueError(f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes!r}")

    def check_names(self, y):
        """ValueError if the user's y is a frame whose columns are not those of the first call, in their order."""
        names = None if self.kind == "labels" else column_names(y)
        if names is None or names.dtype.kind != self.classes.dtype.kind or np.array_equal(names, self.classes):
            return
        raise ValueError(f"y must have the columns {self.classes.tolist()}, in this order; got {names.tolist()}.")

    def encode(self, y, dtype):
        """y encoded for `head.loss`; raise ValueError if y does not fit the kind and the classes."""
        if self.kind == "labels":
            return self.head.from_codes(self._codes(y), dtype)
        y = y.toarray() if issparse(y) else np.asarray(y)
        if y.ndim != 2 or y.shape[1] != len(self.classes):
            raise ValueError(f"y must have shape (n_samples, {len(self.classes)}) as before; got {y.shape}.")
        if self.kind == "probabilities":
            check_probabilities(y)
            return self.head.from_probabilities(y, dtype)
        if target_kind(y, "multilabel") != "multilabel":
            raise ValueError("y must be a 0/1 indicator matrix as before; got other values.")
        if not np.isin(y, (0, 1)).all():
            raise ValueError(f"y is a matrix of two values, but only 0 and 1 make a multilabel indicator matrix. {ALLOWED}.")
        return self.head.from_indicators(y, dtype)

    def is_correct(self, logits, y):
        """Whether the prediction of each row of these logits is right, for a matrix y; see the head's `is_correct`."""
        self.check_names(y)
        y = check_array(y, accept_sparse="csr", dtype=None, input_name="y")
        if len(logits) != y.shape[0]:
            raise ValueError(f"y must have a row for each of the {len(logits)} rows of X; got {y.shape[0]}.")
        return self.head.is_correct(logits, self.encode(y, logits.dtype))

    def _codes(self, y):
        if issparse(y) or y.ndim != 1:
            raise ValueError(f"y must have one label a row as before, shape (n_samples,); got shape {y.shape}.")
        try:
            codes = np.searchsorted(self.classes, y).clip(max=len(self.classes) - 1)
        except TypeError as error:
            raise ValueError(f"y has labels that cannot be compared with `self.classes_`, {self.classes}: {error}.") from error
        unseen = self.classes[codes] != y
        if unseen.any():
            raise ValueError(
                f"`y` has classes not in `self.classes_`: {np.unique(y[unseen])}. `self.classes_` has {self.classes}."
            )
        return codes
