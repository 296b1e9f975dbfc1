"""Export to ONNX: write the fitted network as a graph that onnxruntime and other runtimes run without Python or scikit-learn.

`to_onnx` registers a converter with skl2onnx. skl2onnx then converts the classifier alone, at the end of a pipeline, or in a
meta-estimator. `convert` is that converter. The graph has the parts of `sksoftmax.model.Model` in the same order: the blocks of
its preprocessor, the layers of its network, its ensemble weights, and the head that computes labels and probabilities from
logits. Only operators that onnxruntime has for float32 and float64 are used.
"""

from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sksoftmax.classifier import SoftmaxMLPClassifier
from sksoftmax.data.columns import column_of as column_of_frame
from sksoftmax.data.frames import check_names, is_frame
from sksoftmax.onnx.columns import embed, encode
from sksoftmax.onnx.companion import beside_members
from sksoftmax.onnx.graph import Graph, float_dtype
from sksoftmax.onnx.network import forward, head_in_onnx, mix

if TYPE_CHECKING:
    from onnx import ModelProto

INPUTS = ("bool", "int8", "uint8", "int32", "int64", "float32", "float64")  # numbers that skl2onnx takes as a model's input
OPTIONS = {  # skl2onnx's options for classifiers, with their allowed values; meta-estimators pass them too
    "zipmap": [False, True, "columns"],
    "output_class_labels": [False, True],
    "raw_scores": [False, True],
    "nocl": [False],
}


def to_onnx(estimator: BaseEstimator, X: ArrayLike | None = None, **options: Any) -> "ModelProto":
    """Convert a fitted classifier, alone or in a pipeline, to ONNX.

    Parameters
    ----------
    estimator : estimator
        A fitted `SoftmaxMLPClassifier`, or a `Pipeline` or other meta-estimator that contains one. skl2onnx must be able to
        convert the other parts.

    X : array-like of shape (n_samples, n_features) or DataFrame, default=None
        Example of the model's input. Only its types are used, so one row is enough. For an array the model has one input "X" of
        its dtype. For a DataFrame it has one input of shape (n_samples, 1) for each column; columns of pandas' nullable types
        and of a polars frame become inputs of the plain NumPy type. The model computes in float64 if X, or the first column of
        a DataFrame, is float64, otherwise in float32. Bins are computed in the floating-point format of the classifier. If X is
        None, pass `initial_types`.

    **options : dict
        Options of :func:`skl2onnx.to_onnx`: `target_opset`, `initial_types`, `name`, `options` and others. The default of
        `options` is ``{"zipmap": False}``, which makes the probabilities an array and not a list of dictionaries. The option
        ``"raw_scores": True`` replaces the probabilities by `decision_function` z (for two classes, by the columns −z and z).

    Returns
    -------
    onnx.ModelProto
        A model with the outputs "label" (int64, or strings if the classes are strings; 0 and 1 for bool; a 0/1 matrix for
        multilabel targets) and "probabilities", shape (n_samples, n_classes). It accepts any number of rows.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    TypeError
        If X is sparse: ONNX has dense tensors only.

    ValueError
        If X and `initial_types` are both missing, if they have other columns than in `fit`, if ONNX has no input for a dtype of
        X, or if ONNX cannot express the labels, an activation or the categories of a column. Categories may be strings in a
        column of strings, or numbers; in an embedded column the numbers must be whole.

    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    skl2onnx.to_onnx : Convert scikit-learn's own estimators, and this one after a call of `register`.

    Notes
    -----
    The graph does not check its input. Missing numbers are filled in as by `predict_proba`; with `scaling=None`, where
    `predict_proba` raises an error for NaN, the graph returns NaN. ONNX has no missing strings:
    for a missing category, pass any string that `fit` did not see, such as an empty one. The graph's probabilities may round to
    0 or, for multilabel targets, to 1; those of `predict_proba` do not. In float64, 'gelu' uses onnxruntime's error function,
    which is float32 only; probabilities then agree to about 1e-7.

    skl2onnx converts all other parts of a pipeline or meta-estimator. Compare the predictions of the graph with those of the
    pipeline once. Its graph of a `CalibratedClassifierCV` differs from the model if the method is isotonic or the estimator is
    a `Pipeline`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sksoftmax import SoftmaxMLPClassifier
    >>> from sksoftmax.onnx import to_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = SoftmaxMLPClassifier((8,), solver="lbfgs", tol=1e-2, random_state=0).fit(X, y)
    >>> model = to_onnx(clf, X)
    >>> [output.name for output in model.graph.output]
    ['label', 'probabilities']
    """
    register()
    import skl2onnx

    check_is_fitted(estimator)
    if X is None and not options.get("initial_types"):
        raise ValueError(
            "X is missing, an example from which the types of the model's inputs are read: pass a row, as in "
            "to_onnx(estimator, X[:1]), or initial_types."
        )
    if options.get("initial_types") and isinstance(estimator, SoftmaxMLPClassifier):  # others check their inputs themselves
        check_shapes(options["initial_types"], estimator.n_features_in_)
    X, options = checked_example(X, estimator), {"options": {"zipmap": False}, **options}
    if hasattr(X, "columns"):
        X, options = None, {"initial_types": types_of_frame(X), **options}
    return skl2onnx.to_onnx(estimator, X, **options)


def checked_example(X, estimator):
    """The example in a form that skl2onnx accepts; raise an error if `estimator` would refuse it.

    The graph identifies columns by position, so their number and order must be those of fit.
    """
    if issparse(X):
        raise TypeError("X must be dense, as ONNX has no sparse tensors; one row is enough: X[:1].toarray().")
    if X is None:
        return None
    if is_frame(X):
        check_names(estimator, X, reset=False)
        return X
    X = np.asarray(X)
    if X.ndim != 2 or X.dtype.kind == "c":
        raise ValueError(f"X must be two-dimensional and real; got shape {X.shape}, dtype {X.dtype}.")
    check_input("X", X.dtype)
    if X.shape[1] != getattr(estimator, "n_features_in_", X.shape[1]):
        raise ValueError(f"X must have the {estimator.n_features_in_} columns of fit; got {X.shape[1]}.")
    return X


def types_of_frame(X):
    """The inputs that a frame asks for, as skl2onnx's `initial_types`: one for each column, of its NumPy type."""
    from skl2onnx.common.data_types import guess_data_type

    dtypes = [numpy_dtype(column_of_frame(X, position)) for position in range(X.shape[1])]
    for name, dtype in zip(X.columns, dtypes):
        check_input(f"Column {name!r} of X", dtype)
    return guess_data_type(SimpleNamespace(columns=list(X.columns), dtypes=dtypes))


def numpy_dtype(column):
    """The NumPy dtype of a column of a pandas or polars frame, also if its own type is nullable, sparse or Arrow's."""
    plain = getattr(column.dtype, "numpy_dtype", None) or getattr(column.dtype, "subtype", None)
    return np.asarray(column[:0]).dtype if plain is None else plain


def check_input(name, dtype):
    """ValueError if skl2onnx has no input for numbers of this dtype; others are strings."""
    if dtype.kind not in "OSU" and dtype.name not in INPUTS:
        allowed = f"{', '.join(INPUTS[:-1])} or {INPUTS[-1]}"
        raise ValueError(f"{name} has dtype {dtype}, for which there is no input in ONNX. Pass an example of dtype {allowed}.")


def check_shapes(initial_types, n_features):
    """Raise ValueError if inputs of these types do not have the columns of fit in all.

    A single input may leave its number of columns open.
    """
    shapes = [tuple(kind.shape) for _, kind in initial_types]
    if any(len(shape) != 2 for shape in shapes) or n_features != sum(width or n_features for _, width in shapes):
        raise ValueError(
            f"initial_types must have shapes (None, columns), with the {n_features} columns of fit in all; got {shapes}."
        )


@cache
def register():
    """Register the classifier with skl2onnx; if skl2onnx is missing, raise an ImportError that names the extra to install."""
    try:
        from skl2onnx import update_registered_converter
    except ImportError as error:
        raise ImportError(f"Export to ONNX needs skl2onnx: pip install 'sksoftmax[onnx]' ({error}).") from error
    name = f"Sksoftmax{SoftmaxMLPClassifier.__name__}"
    update_registered_converter(SoftmaxMLPClassifier, name, set_output_shapes, convert, options=OPTIONS)


def set_output_shapes(operator):
    """Give skl2onnx the types and shapes of "label" and "probabilities"."""
    from skl2onnx.common.data_types import Int64TensorType, StringTensorType

    head, (label, probabilities) = operator.raw_operator._fitted_model().head, operator.outputs
    shape = [operator.inputs[0].get_first_dimension(), len(head.classes)]
    dtype, is_one_a_row = head_in_onnx(head).label_type(head)
    label.set_type((StringTensorType if dtype.kind == "O" else Int64TensorType)(shape[:1] if is_one_a_row else shape))
    probabilities.type.shape = shape


def convert(scope, operator, container):
    """Write the fitted classifier `operator.raw_operator` into skl2onnx's container: inputs → logits → label, probabilities."""
    estimator, (label, probabilities) = operator.raw_operator, operator.outputs
    model, raw = estimator._fitted_model(), container.get_options(estimator, {"raw_scores": False})["raw_scores"]
    graph = Graph(scope, container, float_dtype(probabilities))
    X = encode(graph, operator.inputs, model.preprocessor, model.network.dtype)
    logits = forward(graph, X, embed(graph, operator.inputs, model.preprocessor, model.network), model.network)
    if model.companion is not None:
        logits = beside_members(graph, logits, X, model)
    if len(model.ensemble_weights.weights) > 1:
        logits = mix(graph, logits, model.ensemble_weights, model.head)
    head = head_in_onnx(model.head)
    scores, to_probabilities = head.scores(graph, logits, model.head)
    head.predict(graph, scores, model.head, label.full_name)
    graph.node("Identity" if raw else to_probabilities, scores, output=probabilities.full_name)
