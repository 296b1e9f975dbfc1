"""Export to ONNX: the fitted network as a graph that onnxruntime and others run without Python or scikit-learn.

`to_onnx` registers a converter with skl2onnx, which then converts the classifier wherever it stands: alone, at the end of a
pipeline, in a meta-estimator. `convert` is that converter; the graph is the encoding of `sksoftmax.data.preprocessing`, the
forward pass of `sksoftmax.nn.network`, the mixture of `sksoftmax.training.committee` and the reading of logits of
`sksoftmax.data.heads`, node by node.
Outputs of nodes are known by name; numbers and arrays become constants.

Only operators that onnxruntime has for float32 and float64 are used. LeakyRelu, Elu, Selu, Softplus, Gelu and Mish it has for
float32 alone, so that these activations are written out. Letters are those of `sksoftmax.nn.layers`.
"""

from functools import cache, partial, reduce
from math import sqrt
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from sksoftmax.classifier import SoftmaxMLPClassifier
from sksoftmax.data.heads import BinaryHead, MultilabelHead, SoftmaxHead
from sksoftmax.data.preprocessing import BOUND, LIMIT
from sksoftmax.nn.layers import EMBEDDING_UNITS, LEAKY_RELU_SLOPE, SELU_ALPHA, SELU_SCALE

if TYPE_CHECKING:
    from onnx import ModelProto

LARGEST_WHOLE = 2.0**53  # from here on not every whole number is a float64
OPTIONS = {  # of a classifier in skl2onnx, with what is allowed; meta-estimators ask for them too
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
        A fitted `SoftmaxMLPClassifier`, or a `Pipeline` or other meta-estimator that has one in it and otherwise holds what
        skl2onnx can convert.

    X : array-like of shape (n_samples, n_features) or DataFrame, default=None
        Input as the model will get it, of which only the types are used; one row is enough. An array makes one input "X" of
        its dtype, a DataFrame one input of shape (n_samples, 1) for each column. The model computes in float64 where X, or the
        first column of a DataFrame, is float64, otherwise in float32; bins in the classifier's own format. None needs
        `initial_types`.

    **options : dict
        Passed to :func:`skl2onnx.to_onnx`: `target_opset`, `initial_types`, `name`, `options` and others. `options` takes the
        place of ``{"zipmap": False}``, which makes the probabilities an array and not a list of dictionaries; in it,
        ``"raw_scores": True`` puts `decision_function` in their place (its negative beside it for two classes).

    Returns
    -------
    onnx.ModelProto
        A model with the outputs "label" (int64, or strings where the classes are; 0 and 1 for bool; a 0/1 matrix for
        multilabel targets) and "probabilities", shape (n_samples, n_classes). The number of rows is free.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    TypeError
        If X is sparse: ONNX has dense tensors only.

    ValueError
        If X or `initial_types` have other columns than in `fit`, or the labels, an activation or a column's categories cannot be
        expressed in ONNX: categories are strings in a column of strings, or numbers, whole ones in a column that is embedded.

    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    skl2onnx.to_onnx : Does the same for scikit-learn's own estimators, once `register` has been called for this one too.

    Notes
    -----
    The graph does not check its input: NaN gives NaN, where `predict_proba` raises. A missing category is any string that `fit`
    did not see, such as an empty one, as ONNX has no missing strings. The graph's probabilities may round to 0 or, of
    multilabel targets, to 1, where `predict_proba` stays between. In float64, 'gelu' takes the normal distribution
    function from float32, because onnxruntime has no other; probabilities then agree to about 1e-7.

    What else is in a pipeline or around it is skl2onnx's to convert: compare predictions once. Its graph of a
    `CalibratedClassifierCV` differs from the model where the method is isotonic or the estimator a `Pipeline`.

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
    if options.get("initial_types") and isinstance(estimator, SoftmaxMLPClassifier):  # others look at their inputs themselves
        check_shapes(options["initial_types"], estimator.n_features_in_)
    return skl2onnx.to_onnx(estimator, checked(X, estimator), **{"options": {"zipmap": False}, **options})


def checked(X, estimator):
    """The example as skl2onnx takes it; an error where `estimator` would refuse it, as columns are told apart by position."""
    if issparse(X):
        raise TypeError("X must be dense, as ONNX has no sparse tensors; one row is enough: X[:1].toarray().")
    if X is None:
        return None
    if hasattr(X, "columns"):
        return validate_data(estimator, X, reset=False, skip_check_array=True)
    X = np.asarray(X)
    if X.ndim != 2 or X.dtype.kind == "c":
        raise ValueError(f"X must be two-dimensional and real; got shape {X.shape}, dtype {X.dtype}.")
    if X.shape[1] != getattr(estimator, "n_features_in_", X.shape[1]):
        raise ValueError(f"X must have the {estimator.n_features_in_} columns of fit; got {X.shape[1]}.")
    return X


def check_shapes(initial_types, n_features):
    """ValueError where inputs of these types have other columns, in all, than in fit; a single one may leave it open."""
    shapes = [tuple(kind.shape) for _, kind in initial_types]
    if any(len(shape) != 2 for shape in shapes) or n_features != sum(width or n_features for _, width in shapes):
        raise ValueError(
            f"initial_types must have shapes (None, columns), with the {n_features} columns of fit in all; got {shapes}."
        )


@cache
def register():
    """Make the classifier known to skl2onnx; ImportError, which names the extra to install, without it."""
    try:
        from skl2onnx import update_registered_converter
    except ImportError as error:
        raise ImportError(f"Export to ONNX needs skl2onnx: pip install 'sksoftmax[onnx]' ({error}).") from error
    name = f"Sksoftmax{SoftmaxMLPClassifier.__name__}"
    update_registered_converter(SoftmaxMLPClassifier, name, set_output_shapes, convert, options=OPTIONS)


def set_output_shapes(operator):
    """Give skl2onnx the types and shapes of "label" and "probabilities"."""
    from skl2onnx.common.data_types import Int64TensorType, StringTensorType

    head, (label, probabilities) = operator.raw_operator._encoder.head, operator.outputs
    shape = [operator.inputs[0].get_first_dimension(), len(head.classes)]
    Labels = StringTensorType if labels_of(head).dtype.kind == "O" else Int64TensorType
    label.set_type(Labels(shape if isinstance(head, MultilabelHead) else shape[:1]))
    probabilities.type.shape = shape


def convert(scope, operator, container):
    """Write the fitted classifier `operator.raw_operator` into skl2onnx's container: inputs → logits → label, probabilities."""
    estimator, (label, probabilities) = operator.raw_operator, operator.outputs
    encoder, raw = estimator._encoder, container.get_options(estimator, {"raw_scores": False})["raw_scores"]
    graph = Graph(scope, container, float_dtype(probabilities))
    network = estimator._current_network(encoder)
    X = encode(graph, operator.inputs, estimator._preprocessor, network.dtype)
    logits = forward(graph, X, embed(graph, operator.inputs, estimator._preprocessor, network), network)
    if network.n_members is not None:
        logits = mix(graph, logits, estimator._mixture, encoder.head)
    to_probabilities, scores = class_scores(graph, logits, encoder.head)
    predict(graph, scores, encoder.head, label.full_name)
    graph.node("Identity" if raw else to_probabilities, scores, output=probabilities.full_name)


class Graph:
    """Nodes and constants for skl2onnx's container, with one floating-point format.

    Parameters
    ----------
    scope : skl2onnx.common._topology.Scope
        Knows the names in use.

    container : skl2onnx.common._container.ModelComponentContainer
        Takes nodes and constants.

    dtype : dtype
        float32 or float64, of every constant that is not an integer or a string.
    """

    def __init__(self, scope, container, dtype):
        self.scope, self.container, self.dtype = scope, container, np.dtype(dtype)

    def node(self, operation, *inputs, output=None, **attributes):
        """Add an operation on outputs of other nodes, numbers or arrays; return the name of its output."""
        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        output = output or self.scope.get_unique_variable_name(operation.lower())
        name = self.scope.get_unique_operator_name(operation)
        self.container.add_node(operation, names, output, name=name, **attributes)
        return output

    def in_format(self, dtype):
        """The same graph, for constants of another floating-point format."""
        return Graph(self.scope, self.container, dtype)

    def beside(self, parts):
        """Matrices side by side; one alone as it is."""
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=1)

    def over_members(self, operation, Z):
        """ReduceMax or ReduceSum over the first axis, an input or, in ONNX's older versions, an attribute."""
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
        """X as numbers of this type."""
        return self.node("Cast", X, output=output, to=tensor_type(np.dtype(dtype)))


def tensor_type(dtype):
    """ONNX's number for a NumPy type; objects are strings."""
    from onnx.helper import np_dtype_to_tensor_dtype

    return np_dtype_to_tensor_dtype(dtype)


def float_dtype(variable):
    """The format to compute in where this is the output: float64 if skl2onnx found the input to be so."""
    from skl2onnx.common.data_types import DoubleTensorType

    return np.float64 if isinstance(variable.type, DoubleTensorType) else np.float32


def encode(graph, inputs, preprocessor, dtype):
    """The network's input for the rows of these inputs, but for embedded columns: computed in the network's dtype as in training,
    then as the graph's; None where there is none.
    """
    if preprocessor.changes_nothing:
        return graph.beside([graph.cast(variable.full_name, graph.dtype) for variable in inputs])
    own = graph.in_format(dtype)
    parts = numeric_parts(own, numbers(own, inputs, preprocessor), preprocessor) if len(preprocessor.numeric) else []
    for column, codes in preprocessor.levels.items():
        if len(codes):
            values = [preprocessor.categories.of_column[column][int(code)] for code in codes]
            parts.append(one_hot(own, *column_of(graph, inputs, column), values))
    if not parts:
        return None
    result = own.beside(parts)
    if preprocessor.factors is not None:
        result = own.node("Mul", result, preprocessor.factors)
    return graph.cast(result, graph.dtype)


def embed(graph, inputs, preprocessor, network):
    """The vectors of the embedded columns' categories, (n, units), those of members one behind the other."""
    vectors = []
    for (column, known), E in zip(preprocessor.embedded.items(), network.embeddings):
        values = [preprocessor.categories.of_column[column][int(code)] for code in known]
        vectors.append(graph.node("Gather", E, code_numbers(graph, *column_of(graph, inputs, column), values), axis=E.ndim - 2))
    return vectors


def column_of(graph, inputs, position):
    """A column, (n_samples, 1), of the inputs, which stand side by side; and whether it holds strings."""
    from skl2onnx.common.data_types import StringTensorType

    for variable in inputs:
        width = variable.type.shape[1]
        if width is None or position < width:
            break
        position -= width
    name = variable.full_name if width == 1 else graph.node("Gather", variable.full_name, np.array([position]), axis=1)
    return name, isinstance(variable.type, StringTensorType)


def numbers(graph, inputs, preprocessor):
    """The numeric columns side by side, in float64."""
    if len(preprocessor.categories) == 0:
        return graph.beside([graph.cast(variable.full_name, np.float64) for variable in inputs])
    columns = (column_of(graph, inputs, position)[0] for position in preprocessor.numeric)
    return graph.beside([graph.cast(column, np.float64) for column in columns])


def numeric_parts(graph, X, preprocessor):
    """What numeric columns become: bins, scaled numbers and flags of missing ones."""
    if preprocessor.scaling is None:
        return [graph.cast(X, graph.dtype)]
    Z = graph.cast(scaled(graph.in_format(np.float64), X, preprocessor), graph.dtype)
    parts = [bins(graph, Z, preprocessor.edges), Z] if preprocessor.n_bin_columns else [Z]
    if len(preprocessor.flagged):
        missing = graph.cast(graph.node("IsNaN", X), graph.dtype)
        parts.append(graph.node("Gather", missing, preprocessor.flagged.astype(np.int64), axis=1))
    return parts


def scaled(graph, X, preprocessor):
    """Numbers scaled; the center, 0, for those that are missing."""
    Z = graph.node("Mul", graph.node("Sub", X, preprocessor.center), preprocessor.scale)
    Z = graph.node("Where", graph.node("IsNaN", Z), 0.0, Z)
    Z = graph.node("Min", graph.node("Max", Z, -LIMIT), LIMIT)
    return smooth_clip(graph, Z) if preprocessor.scaling == "robust" else Z


def smooth_clip(graph, Z):
    """z / √(1 + (z / 3)²)."""
    bent = graph.node("Div", Z, BOUND)
    return graph.node("Div", Z, graph.node("Sqrt", graph.node("Add", graph.node("Mul", bent, bent), 1.0)))


def bins(graph, Z, edges):
    """A column for each bin of each column of Z: −1 below it, 1 above it, linear within.

    Bins may be so narrow that rounding moves a number from one side to the other: the steps are those of `piecewise_linear`,
    in its format.
    """
    edges = [column.astype(graph.dtype) for column in edges]
    column = np.repeat(np.arange(len(edges)), [len(column) - 1 for column in edges])
    lower = np.concatenate([column[:-1] for column in edges])
    width = np.maximum(np.concatenate([np.diff(column) for column in edges]), np.finfo(graph.dtype).tiny)
    share = graph.node("Div", graph.node("Sub", graph.node("Gather", Z, column, axis=1), lower), width)
    share = graph.node("Min", graph.node("Max", share, 0.0), 1.0)
    return graph.node("Sub", graph.node("Mul", share, 2.0), 1.0)


def one_hot(graph, X, holds_strings, values):
    """A column of 0 and 1 for each of these values of a column; for two values one column of −1 and 1; zeros for others."""
    if all(isinstance(value, str) for value in values) and holds_strings:
        codes = np.arange(len(values))
        lookup = {"keys_strings": values, "values_int64s": codes.tolist(), "default_int64": -1}
        hits = graph.node("Equal", graph.node("LabelEncoder", X, op_domain="ai.onnx.ml", op_version=2, **lookup), codes)
    elif all(isinstance(value, Real) and float(value) == value for value in values):
        double = graph.in_format(np.float64)
        hits = double.node("Equal", double.cast(X, np.float64), np.array(values, np.float64))
    else:
        raise ValueError(f"Categories must be numbers, or strings in a column of strings, to be found in ONNX; got {values}.")
    hits = graph.cast(hits, graph.dtype)
    return difference(graph, hits) if len(values) == 2 else hits


def code_numbers(graph, X, holds_strings, values):
    """The code of each row, (n,): 1 for the first of these values of a column, 2 for the second …; 0 for others."""
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
    """Logits of the rows of X and of embedded categories; those of members one behind the other, (n_members, n, n_outputs)."""
    first, *others = zip(network.coefs, network.intercepts)
    Z = first_layer(graph, X, vectors, *first)
    for (W, b), activation in zip(others, activations_of(network)):
        Z = dense(graph, ACTIVATIONS[activation](graph, Z), W, b)
    return Z


def first_layer(graph, X, vectors, W, b):
    """X W + b, with what the embedded columns' part of W adds."""
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
    """X W + b, for each member where W is (n_members, fan_in, fan_out)."""
    return graph.node("Gemm", X, W, b) if W.ndim == 2 else graph.node("Add", graph.node("MatMul", X, W), b[:, None])


def mix(graph, Z, mixture, head):
    """The logits of the mixture of the members' answers, of their logits, (n_members, n, n_outputs)."""
    Z = graph.node("Mul", Z, mixture.sharpness[:, None, None])
    log_weights = np.log(mixture.weights)[:, None, None]
    if isinstance(head, SoftmaxHead):
        mixed = log_sum_exp(graph, graph.node("Add", graph.node("LogSoftmax", Z, axis=2), log_weights))
    else:  # log σ(z) = −softplus(−z)
        no_and_yes = (graph.node("Sub", log_weights, softplus(graph, z)) for z in (Z, graph.node("Neg", Z)))
        no, yes = (log_sum_exp(graph, log_p) for log_p in no_and_yes)
        mixed = graph.node("Sub", yes, no)
    return graph.node("Mul", mixed, mixture.final)


def log_sum_exp(graph, Z):
    """log Σ exp(z) over the members, (n, n_outputs); the largest exponent is 0."""
    largest = graph.over_members("ReduceMax", Z)
    total = graph.over_members("ReduceSum", graph.node("Exp", graph.node("Sub", Z, largest)))
    return graph.node("Add", graph.node("Log", total), largest)


def activations_of(network):
    """The name of each hidden layer's activation; ValueError if ONNX has no graph for one."""
    for name in network.activations:
        if name not in ACTIVATIONS:
            raise ValueError(f"activation={name!r} cannot be expressed in ONNX, only {', '.join(ACTIVATIONS)}.")
    return network.activations


def class_scores(graph, Z, head):
    """Which operation makes probabilities of scores, and the scores, one column a class.

    Those of two classes are [−z, z] with z the log-odds of the second; their sigmoids are free of cancellation.
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
    """The label of the highest score; for multilabel targets a 0/1 matrix of the scores above 0."""
    if isinstance(head, MultilabelHead):
        graph.cast(graph.node("Greater", scores, 0.0), np.int64, output)
    else:
        graph.node("Gather", labels_of(head), graph.node("ArgMax", scores, axis=1, keepdims=0), output=output)


def labels_of(head):
    """The classes as ONNX has them: int64, or str in an array of objects; ValueError if they are neither."""
    classes = np.asarray(head.classes)
    if classes.dtype.kind in "biuf":  # float labels are whole numbers, or scikit-learn would not take them for labels
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
    """H = Z / (1 + exp(−Z)): Z σ(Z) becomes, in older versions of onnxruntime, an operation that they lack for float64."""
    return graph.node("Div", Z, graph.node("Add", graph.node("Exp", graph.node("Neg", Z)), 1.0))


def gelu(graph, Z):
    """H = Z Φ(Z) with Φ(Z) = ½ (1 + erf(Z / √2)); onnxruntime has erf for float32 alone."""
    erf = graph.node("Erf", graph.cast(graph.node("Mul", Z, sqrt(0.5)), np.float32))
    normal = graph.node("Mul", graph.node("Add", graph.cast(erf, graph.dtype), 1.0), 0.5)
    return graph.node("Mul", Z, normal)


def mish(graph, Z):
    """H = Z tanh(softplus(Z))."""
    return graph.node("Mul", Z, graph.node("Tanh", softplus(graph, Z)))


ACTIVATIONS = {f.__name__: f for f in (identity, relu, leaky_relu, elu, selu, tanh, logistic, softplus, silu, gelu, mish)}
