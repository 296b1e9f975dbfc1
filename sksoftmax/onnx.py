"""Export to ONNX: write the fitted network as a graph that onnxruntime and others run without Python or scikit-learn.

`to_onnx` registers a converter with skl2onnx. skl2onnx then converts the classifier alone, at the end of a pipeline, or in a
meta-estimator. `convert` is that converter. The graph follows `sksoftmax.model.Model` node by node: the blocks of its
preprocessor, the layers of its network, its ensemble, and the head that reads logits.
The functions here pass outputs of nodes by name; numbers and arrays become constants.

Only operators that onnxruntime has for float32 and float64 are used. onnxruntime has LeakyRelu, Elu, Selu, Softplus, Gelu and
Mish for float32 alone, so these activations are written out. The letters are those of `sksoftmax.nn.layers`.
"""

from functools import cache, partial, reduce
from math import sqrt
from numbers import Real
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sksoftmax.classifier import SoftmaxMLPClassifier
from sksoftmax.data.blocks import BOUND, FAR, GROWTH, LIMIT, Bins, Codes, Flags, Numbers, OneHot, Sentinels
from sksoftmax.data.columns import column_of as column_of_frame
from sksoftmax.data.frames import check_names, is_frame
from sksoftmax.data.heads import BinaryHead, MultilabelHead, SoftmaxHead
from sksoftmax.nn.layers import EMBEDDING_UNITS, LEAKY_RELU_SLOPE, SELU_ALPHA, SELU_SCALE

if TYPE_CHECKING:
    from onnx import ModelProto

INPUTS = ("bool", "int8", "uint8", "int32", "int64", "float32", "float64")  # numbers that skl2onnx takes as a model's input
LARGEST_WHOLE = 2.0**53  # above this, not every whole number is a float64
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
        Example of the model's input. Only its types are used, so one row is enough. An array makes one input "X" of its
        dtype, a DataFrame one input of shape (n_samples, 1) for each column; columns of pandas' nullable types and of a polars
        frame become inputs of the plain NumPy type. The model computes in float64 if X, or the first
        column of a DataFrame, is float64, otherwise in float32. Bins are computed in the classifier's own format. If X is None,
        pass `initial_types`.

    **options : dict
        Passed to :func:`skl2onnx.to_onnx`: `target_opset`, `initial_types`, `name`, `options` and others. The default of
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
        If X and `initial_types` are both missing, if they have other columns than in `fit`, or if ONNX has no input of a dtype
        of X; or if ONNX cannot express the labels, an activation or a column's categories. ONNX can express strings in a column
        of strings, and numbers; in an embedded column the numbers must be whole.

    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    skl2onnx.to_onnx : Convert scikit-learn's own estimators, and this one after a call of `register`.

    Notes
    -----
    The graph does not check its input: for NaN it returns NaN, but `predict_proba` raises an error. ONNX has no missing strings:
    for a missing category, pass any string that `fit` did not see, such as an empty one. The graph's probabilities may round to
    0 or, for multilabel targets, to 1; those of `predict_proba` do not. In float64, 'gelu' uses onnxruntime's error function,
    which is float32 only; probabilities then agree to about 1e-7.

    skl2onnx converts all other parts of a pipeline or meta-estimator: compare predictions once. Its graph of a
    `CalibratedClassifierCV` differs from the model if the method is isotonic or the estimator is a `Pipeline`.

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
    X, options = checked(X, estimator), {"options": {"zipmap": False}, **options}
    if hasattr(X, "columns"):
        X, options = None, {"initial_types": types_of_frame(X), **options}
    return skl2onnx.to_onnx(estimator, X, **options)


def checked(X, estimator):
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
    if isinstance(head, MultilabelHead):
        label.set_type(Int64TensorType(shape))
    else:
        label.set_type((StringTensorType if labels_of(head).dtype.kind == "O" else Int64TensorType)(shape[:1]))
    probabilities.type.shape = shape


def convert(scope, operator, container):
    """Write the fitted classifier `operator.raw_operator` into skl2onnx's container: inputs → logits → label, probabilities."""
    estimator, (label, probabilities) = operator.raw_operator, operator.outputs
    model, raw = estimator._fitted_model(), container.get_options(estimator, {"raw_scores": False})["raw_scores"]
    graph = Graph(scope, container, float_dtype(probabilities))
    X = encode(graph, operator.inputs, model.preprocessor, model.network.dtype)
    logits = forward(graph, X, embed(graph, operator.inputs, model.preprocessor, model.network), model.network)
    if model.network.architecture.n_members > 1:
        logits = mix(graph, logits, model.ensemble_weights, model.head)
    to_probabilities, scores = class_scores(graph, logits, model.head)
    predict(graph, scores, model.head, label.full_name)
    graph.node("Identity" if raw else to_probabilities, scores, output=probabilities.full_name)


class Graph:
    """Adds nodes and constants to skl2onnx's container, in one floating-point format.

    Parameters
    ----------
    scope : skl2onnx.common._topology.Scope
        Holds the names in use.

    container : skl2onnx.common._container.ModelComponentContainer
        Receives nodes and constants.

    dtype : dtype
        float32 or float64: the format of all floating-point constants.
    """

    def __init__(self, scope, container, dtype):
        self.scope, self.container, self.dtype = scope, container, np.dtype(dtype)

    def node(self, operation, *inputs, output=None, **attributes):
        """Add an operation on outputs of other nodes, on numbers or on arrays; return the name of its output."""
        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        output = output or self.scope.get_unique_variable_name(operation.lower())
        name = self.scope.get_unique_operator_name(operation)
        self.container.add_node(operation, names, output, name=name, **attributes)
        return output

    def in_format(self, dtype):
        """The same graph, with constants in another floating-point format."""
        return Graph(self.scope, self.container, dtype)

    def beside(self, parts):
        """The matrices side by side; a single matrix is returned unchanged."""
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=1)

    def over_members(self, operation, Z):
        """ReduceMax or ReduceSum over the first axis; older versions of ONNX take axes as an attribute, newer ones as input."""
        if self.container.target_opset_any_domain("") >= {"ReduceMax": 18, "ReduceSum": 13}[operation]:
            return self.node(operation, Z, np.array([0]), keepdims=0)
        return self.node(operation, Z, axes=[0], keepdims=0)

    def constant(self, value):
        """Add a number or an array; return its name."""
        value = np.asarray(value)
        value = value.astype(self.dtype, copy=False) if value.dtype.kind == "f" else value
        name = self.scope.get_unique_variable_name("constant")
        self.container.add_initializer(name, tensor_type(value.dtype), value.shape, value.ravel())
        return name

    def cast(self, X, dtype, output=None):
        """X converted to numbers of this type."""
        return self.node("Cast", X, output=output, to=tensor_type(np.dtype(dtype)))


def tensor_type(dtype):
    """ONNX's number for a NumPy type; objects are strings."""
    from onnx.helper import np_dtype_to_tensor_dtype

    return np_dtype_to_tensor_dtype(dtype)


def float_dtype(variable):
    """The format to compute this output in: float64 if skl2onnx found a float64 input, else float32."""
    from skl2onnx.common.data_types import DoubleTensorType

    return np.float64 if isinstance(variable.type, DoubleTensorType) else np.float32


def encode(graph, inputs, preprocessor, dtype):
    """The network's input for the rows of these inputs, without embedded columns; None if no other column is used.

    The input is computed in the network's dtype, as in training, and then cast to the graph's.
    """
    if preprocessor.is_identity:
        return graph.beside([graph.cast(variable.full_name, graph.dtype) for variable in inputs])
    own = graph.in_format(dtype)
    X = raw_numbers(own, inputs, preprocessor) if len(preprocessor.numbers.source) else None
    Z = None if X is None else scaled(own, X, preprocessor.numbers)
    parts = []
    for block in preprocessor.blocks:
        if isinstance(block, OneHot) and len(block.codes):
            parts.append(one_hot(own, *column_of(graph, inputs, block.column), block.values, block.has_flag))
        elif isinstance(block, Numbers) and X is not None:
            parts.append(Z)
        elif isinstance(block, Bins) and len(block.source):
            parts.append(bins(own, Z, block))
        elif isinstance(block, Flags):
            parts.append(flags(own, X, block, preprocessor.numbers))
        elif isinstance(block, Sentinels):
            held = own.node("Gather", X, block.places, axis=1)
            parts.append(own.cast(are_sentinels(own, held, block.values, block.radii), dtype))
    if not parts:
        return None
    result = own.beside(parts)
    if preprocessor.factors is not None:
        result = own.node("Mul", result, preprocessor.factors)
    return graph.cast(result, graph.dtype)


def embed(graph, inputs, preprocessor, network):
    """The vectors of each embedded column's categories, (n, units); with members along a first axis."""
    vectors = []
    for block, E in zip(preprocessor.of_kind(Codes), network.embeddings):
        codes = code_numbers(graph, *column_of(graph, inputs, block.column), block.values)
        vectors.append(graph.node("Gather", E, codes, axis=E.ndim - 2))
    return vectors


def column_of(graph, inputs, position):
    """The column at this position of the inputs side by side, (n_samples, 1), and whether the column holds strings."""
    from skl2onnx.common.data_types import StringTensorType

    for variable in inputs:
        width = variable.type.shape[1]
        if width is None or position < width:
            break
        position -= width
    name = variable.full_name if width == 1 else graph.node("Gather", variable.full_name, np.array([position]), axis=1)
    return name, isinstance(variable.type, StringTensorType)


def raw_numbers(graph, inputs, preprocessor):
    """The numeric columns side by side, in float64."""
    if len(preprocessor.categories) == 0:
        X, source = graph.beside([graph.cast(variable.full_name, np.float64) for variable in inputs]), preprocessor.numbers.source
        return X if len(source) == len(preprocessor.relevance) else graph.node("Gather", X, source.astype(np.int64), axis=1)
    columns = (column_of(graph, inputs, position)[0] for position in preprocessor.numbers.source)
    return graph.beside([graph.cast(column, np.float64) for column in columns])


def scaled(graph, X, numbers):
    """The numbers scaled in float64 and then cast; a missing number and a sentinel become 0, the center."""
    if numbers.scaling is None:
        return graph.cast(X, graph.dtype)
    double = graph.in_format(np.float64)
    Z = double.node("Mul", double.node("Sub", X, numbers.center), numbers.scale)
    Z = double.node("Where", double.node("IsNaN", Z), 0.0, Z)
    for values, radii in rounds_of_sentinels(numbers):
        Z = double.node("Where", are_sentinels(graph, X, values, radii), 0.0, Z)
    Z = double.node("Min", double.node("Max", Z, -LIMIT), LIMIT)
    return graph.cast(smooth_clip(double, Z) if numbers.scaling == "robust" else Z, graph.dtype)


def flags(graph, X, block, numbers):
    """1 for each missing number of the block's columns, else 0."""
    positions = np.flatnonzero(np.isin(numbers.source, block.source))
    return graph.cast(graph.node("IsNaN", graph.node("Gather", X, positions, axis=1)), graph.dtype)


def rounds_of_sentinels(numbers):
    """Pairs of arrays with a number for each numeric column: its first sentinel and its radius, its second ones, …"""
    sentinels = numbers.sentinels
    n_rounds = 0 if sentinels is None else np.bincount(sentinels.places).max()
    values, radii = np.zeros((2, n_rounds, len(numbers.source)))  # no number is within a radius of 0
    filled = np.zeros(len(numbers.source), dtype=int)
    for place, value, radius in () if sentinels is None else zip(sentinels.places, sentinels.values, sentinels.radii):
        values[filled[place], place], radii[filled[place], place] = value, radius
        filled[place] += 1
    return list(zip(values, radii))


def are_sentinels(graph, X, values, radii):
    """Whether the numbers of each column differ from its sentinel by less than the radius."""
    double = graph.in_format(np.float64)
    return double.node("Less", double.node("Abs", double.node("Sub", X, values)), radii)


def smooth_clip(graph, Z):
    """z / √(1 + (z / 3)²); beyond ±1000, 0.1 log(|z| / 1000) further from 0."""
    bent = graph.node("Div", Z, BOUND)
    clipped = graph.node("Div", Z, graph.node("Sqrt", graph.node("Add", graph.node("Mul", bent, bent), 1.0)))
    growth = graph.node("Mul", graph.node("Log", graph.node("Max", graph.node("Div", graph.node("Abs", Z), FAR), 1.0)), GROWTH)
    return graph.node("Add", clipped, graph.node("Mul", growth, graph.node("Sign", Z)))


def bins(graph, Z, block):
    """A column for each bin of each column of Z: −1 below the bin, 1 above the bin, linear within.

    A bin may be so narrow that rounding moves a number from one side to the other. The steps are therefore those of
    `Bins.write`, in its format.
    """
    low, high = block.low.astype(graph.dtype), block.high.astype(graph.dtype)
    width = np.maximum(high - low, np.finfo(graph.dtype).tiny)
    share = graph.node("Div", graph.node("Sub", graph.node("Gather", Z, block.column, axis=1), low), width)
    share = graph.node("Min", graph.node("Max", share, 0.0), 1.0)
    return graph.node("Sub", graph.node("Mul", share, 2.0), 1.0)


def one_hot(graph, X, holds_strings, values, has_flag):
    """A column of 0 and 1 for each of these values of a column, or one column of −1 and 1 for two; other values give zeros.

    With `has_flag` a further column, for two values, is 1 for other values.
    """
    if all(isinstance(value, str) for value in values) and holds_strings:
        codes = np.arange(len(values))
        lookup = {"keys_strings": values, "values_int64s": codes.tolist(), "default_int64": -1}
        is_correct = graph.node("Equal", graph.node("LabelEncoder", X, op_domain="ai.onnx.ml", op_version=2, **lookup), codes)
    elif all(isinstance(value, Real) and float(value) == value for value in values):
        double = graph.in_format(np.float64)
        is_correct = double.node("Equal", double.cast(X, np.float64), np.array(values, np.float64))
    else:
        raise ValueError(f"Categories must be numbers, or strings in a column of strings, to be found in ONNX; got {values}.")
    is_correct = graph.cast(is_correct, graph.dtype)
    if len(values) != 2:
        return is_correct
    sign = difference(graph, is_correct)
    return graph.beside([sign, graph.node("Sub", 1.0, graph.node("Abs", sign))]) if has_flag else sign


def code_numbers(graph, X, holds_strings, values):
    """The code of each row, (n,): 1 for the first of these values of a column, 2 for the second, …; 0 for other values."""
    lookup = {"values_int64s": list(range(1, len(values) + 1)), "default_int64": 0}
    if all(isinstance(value, str) for value in values) and holds_strings:
        found = graph.node("LabelEncoder", X, op_domain="ai.onnx.ml", op_version=2, keys_strings=values, **lookup)
    elif all(isinstance(value, Real) and abs(value) < LARGEST_WHOLE and value == round(value) for value in values):
        double, keys = graph.in_format(np.float64), [int(value) for value in values]
        X = double.node("Max", double.node("Min", double.cast(X, np.float64), LARGEST_WHOLE), -LARGEST_WHOLE)
        whole = double.node("Equal", double.node("Floor", X), X)
        X = graph.cast(double.node("Where", whole, X, LARGEST_WHOLE), np.int64)
        found = graph.node("LabelEncoder", X, op_domain="ai.onnx.ml", op_version=2, keys_int64s=keys, **lookup)
    else:
        raise ValueError(
            "Categories of a column that is embedded must be whole numbers, or strings in a column of strings, to be found in "
            f"ONNX; got {values[:3]} …"
        )
    return graph.node("Reshape", found, np.array([-1]))


def forward(graph, X, vectors, network):
    """The logits for the rows of X and the embedded categories, (n, n_outputs), or (n_members, n, n_outputs) for members."""
    first, *others = zip(network.coefs, network.intercepts)
    Z = first_layer(graph, X, vectors, *first)
    for (W, b), activation in zip(others, activations_of(network)):
        Z = dense(graph, ACTIVATIONS[activation](graph, Z), W, b)
    return Z


def first_layer(graph, X, vectors, W, b):
    """X W + b, with the embedded columns' vectors as further columns of X."""
    if not vectors and X is None:
        raise ValueError("A model that uses no column of X cannot be expressed in ONNX.")
    if not vectors:
        return dense(graph, X, W, b)
    starts = range(W.shape[-2] - EMBEDDING_UNITS * len(vectors), W.shape[-2], EMBEDDING_UNITS)
    terms = [dense(graph, X, W[..., : starts[0], :], b)] if X else [b if b.ndim == 1 else b[:, None]]
    for start, H in zip(starts, vectors):
        terms.append(graph.node("MatMul", H, W[..., start : start + EMBEDDING_UNITS, :]))
    return reduce(partial(graph.node, "Add"), terms)


def dense(graph, X, W, b):
    """X W + b; for each member if W is (n_members, fan_in, fan_out)."""
    return graph.node("Gemm", X, W, b) if W.ndim == 2 else graph.node("Add", graph.node("MatMul", X, W), b[:, None])


def mix(graph, Z, ensemble_weights, head):
    """The logits of the ensemble, from the members' logits Z, (n_members, n, n_outputs)."""
    Z = graph.node("Mul", Z, ensemble_weights.inverse_temperatures[:, None, None])
    log_weights = np.log(ensemble_weights.weights)[:, None, None]
    if isinstance(head, SoftmaxHead):
        mixed = log_sum_exp(graph, graph.node("Add", graph.node("LogSoftmax", Z, axis=2), log_weights))
    else:  # log σ(z) = −softplus(−z)
        no_and_yes = (graph.node("Sub", log_weights, softplus(graph, z)) for z in (Z, graph.node("Neg", Z)))
        no, yes = (log_sum_exp(graph, log_p) for log_p in no_and_yes)
        mixed = graph.node("Sub", yes, no)
    return graph.node(
        "Add",
        graph.node("Mul", mixed, ensemble_weights.inverse_temperature),
        np.broadcast_to(ensemble_weights.bias, (head.n_outputs,)).astype(float),
    )


def log_sum_exp(graph, Z):
    """log Σ exp(z) over the members, (n, n_outputs), computed with 0 as the largest exponent."""
    largest = graph.over_members("ReduceMax", Z)
    total = graph.over_members("ReduceSum", graph.node("Exp", graph.node("Sub", Z, largest)))
    return graph.node("Add", graph.node("Log", total), largest)


def activations_of(network):
    """The name of each hidden layer's activation; raise ValueError if ONNX cannot express one."""
    for name in network.architecture.activations:
        if name not in ACTIVATIONS:
            raise ValueError(f"activation={name!r} cannot be expressed in ONNX, only {', '.join(ACTIVATIONS)}.")
    return network.architecture.activations


def class_scores(graph, Z, head):
    """The operation that turns scores into probabilities, and the scores, with a column for each class.

    For two classes the scores are [−z, z], with z the log-odds of the second class; their sigmoids are free of cancellation.
    """
    if isinstance(head, MultilabelHead):
        return "Sigmoid", Z
    if len(head.classes) == 2:
        z = Z if isinstance(head, BinaryHead) else difference(graph, Z)
        return "Sigmoid", graph.node("Concat", graph.node("Neg", z), z, axis=1)
    return "Softmax", Z


def difference(graph, Z):
    """The second of two columns minus the first."""
    return graph.node("MatMul", Z, np.array([[-1.0], [1.0]]))


def predict(graph, scores, head, output):
    """Write the label of the highest score; for multilabel targets, a 0/1 matrix with 1 for each score above 0."""
    if isinstance(head, MultilabelHead):
        graph.cast(graph.node("Greater", scores, 0.0), np.int64, output)
    else:
        graph.node("Gather", labels_of(head), graph.node("ArgMax", scores, axis=1, keepdims=0), output=output)


def labels_of(head):
    """The classes in ONNX's types: int64, or encoded strings in an array of objects; raise ValueError if they fit neither."""
    classes = np.asarray(head.classes)
    if classes.dtype.kind in "biuf":  # scikit-learn accepts float labels only if they are whole numbers
        return classes.astype(np.int64)
    if all(isinstance(label, str) for label in classes):
        return np.array([label.encode() for label in classes], dtype=object)
    raise ValueError(f"classes_ must be str, int or bool to be labels in ONNX; got {classes!r}.")


def identity(graph, Z):
    """H = Z."""
    return Z


def relu(graph, Z):
    """H = max(Z, 0)."""
    return graph.node("Relu", Z)


def leaky_relu(graph, Z):
    """H = max(Z, 0.1 Z)."""
    return graph.node("Max", Z, graph.node("Mul", Z, LEAKY_RELU_SLOPE))


def elu(graph, Z):
    """H = max(Z, 0) + E with E = exp(min(Z, 0)) − 1."""
    return graph.node("Add", graph.node("Relu", Z), exp_below_zero(graph, Z))


def selu(graph, Z):
    """H = λ (max(Z, 0) + α E), E as for elu."""
    H = graph.node("Add", graph.node("Relu", Z), graph.node("Mul", exp_below_zero(graph, Z), SELU_ALPHA))
    return graph.node("Mul", H, SELU_SCALE)


def exp_below_zero(graph, Z):
    """exp(min(Z, 0)) − 1."""
    return graph.node("Sub", graph.node("Exp", graph.node("Min", Z, 0.0)), 1.0)


def tanh(graph, Z):
    """H = tanh(Z)."""
    return graph.node("Tanh", Z)


def logistic(graph, Z):
    """H = σ(Z)."""
    return graph.node("Sigmoid", Z)


def softplus(graph, Z):
    """H = max(Z, 0) + log(1 + exp(−|Z|)): exp does not overflow."""
    E = graph.node("Exp", graph.node("Neg", graph.node("Abs", Z)))
    return graph.node("Add", graph.node("Relu", Z), graph.node("Log", graph.node("Add", E, 1.0)))


def silu(graph, Z):
    """H = Z / (1 + exp(−Z)). Older versions of onnxruntime fuse Z σ(Z) into an operation that they lack for float64."""
    return graph.node("Div", Z, graph.node("Add", graph.node("Exp", graph.node("Neg", Z)), 1.0))


def gelu(graph, Z):
    """H = Z Φ(Z) with Φ(Z) = ½ (1 + erf(Z / √2)); onnxruntime has erf only for float32."""
    erf = graph.node("Erf", graph.cast(graph.node("Mul", Z, sqrt(0.5)), np.float32))
    normal = graph.node("Mul", graph.node("Add", graph.cast(erf, graph.dtype), 1.0), 0.5)
    return graph.node("Mul", Z, normal)


def mish(graph, Z):
    """H = Z tanh(softplus(Z))."""
    return graph.node("Mul", Z, graph.node("Tanh", softplus(graph, Z)))


ACTIVATIONS = {f.__name__: f for f in (identity, relu, leaky_relu, elu, selu, tanh, logistic, softplus, silu, gelu, mish)}
