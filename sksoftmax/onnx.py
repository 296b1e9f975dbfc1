"""Export to ONNX: the fitted network as a graph that onnxruntime and others run without Python or scikit-learn.

`to_onnx` registers a converter with skl2onnx, which then converts the classifier wherever it stands: alone, at the end of a
pipeline, in a meta-estimator. `convert` is that converter; the graph is the forward pass of `sksoftmax.network` and the reading
of logits of `sksoftmax.heads`, node by node. Outputs of nodes are known by name; numbers and arrays become constants.

Only operators that onnxruntime has for float32 and float64 are used. LeakyRelu, Elu, Selu, Softplus, Gelu and Mish it has for
float32 alone, so that these activations are written out. Letters are those of `sksoftmax.layers`.
"""

from functools import cache
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sksoftmax.classifier import SoftmaxMLPClassifier
from sksoftmax.heads import BinaryHead, MultilabelHead
from sksoftmax.layers import LEAKY_RELU_SLOPE, SELU_ALPHA, SELU_SCALE
from sksoftmax.preprocessing import BOUND, LIMIT

if TYPE_CHECKING:
    from onnx import ModelProto

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
        its dtype, a DataFrame one input of shape (n_samples, 1) for each column. The model computes in float64 where X is
        float64, otherwise in float32. None needs `initial_types`.

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
        If the labels, an activation or categorical columns cannot be expressed in ONNX.

    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    skl2onnx.to_onnx : Does the same for scikit-learn's own estimators, once `register` has been called for this one too.

    Notes
    -----
    The graph does not check its input: NaN gives NaN, where `predict_proba` raises. Its probabilities may round to 0 or, of
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
    if issparse(X):
        raise TypeError("X must be dense, as ONNX has no sparse tensors; one row is enough: X[:1].toarray().")
    example = X if X is None or hasattr(X, "columns") else np.asarray(X)
    return skl2onnx.to_onnx(estimator, example, **{"options": {"zipmap": False}, **options})


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
    X = encode(graph, single_input(graph, operator.inputs), estimator._preprocessor)
    logits = forward(graph, X, estimator._current_network(encoder))
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


def single_input(graph, variables):
    """The inputs, which are several for a DataFrame, side by side as one matrix of floating-point numbers."""
    columns = [graph.cast(variable.full_name, graph.dtype) for variable in variables]
    return columns[0] if len(columns) == 1 else graph.node("Concat", *columns, axis=1)


def encode(graph, X, preprocessor):
    """The network's input for the rows of X, scaled in float64; ValueError where columns are categorical."""
    if preprocessor.changes_nothing:
        return X
    if len(preprocessor.categories):
        raise ValueError("categorical_features cannot be expressed in ONNX: encode them in the pipeline, with OneHotEncoder.")
    double = Graph(graph.scope, graph.container, np.float64)
    X = double.cast(X, np.float64)
    missing = double.node("IsNaN", X)
    Z = double.node("Mul", double.node("Sub", X, preprocessor.center), preprocessor.scale)
    Z = double.node("Where", missing, 0.0, Z)
    Z = graph.cast(smooth_clip(double, Z) if preprocessor.scaling == "robust" else Z, graph.dtype)
    if len(preprocessor.flagged) == 0:
        return Z
    flags = graph.node("Gather", graph.cast(missing, graph.dtype), preprocessor.flagged.astype(np.int64), axis=1)
    return graph.node("Concat", Z, flags, axis=1)


def smooth_clip(graph, Z):
    """z / √(1 + (z / 3)²)."""
    Z = graph.node("Min", graph.node("Max", Z, -LIMIT), LIMIT)
    bent = graph.node("Mul", Z, 1 / BOUND)
    return graph.node("Div", Z, graph.node("Sqrt", graph.node("Add", graph.node("Mul", bent, bent), 1.0)))


def forward(graph, X, network):
    """Logits of the rows of X."""
    *hidden, last = zip(network.coefs, network.intercepts)
    for (W, b), activation in zip(hidden, activations_of(network)):
        X = ACTIVATIONS[activation](graph, graph.node("Gemm", X, W, b))
    return graph.node("Gemm", X, *last)


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
        z = Z if isinstance(head, BinaryHead) else graph.node("MatMul", Z, np.array([[-1.0], [1.0]]))
        return "Sigmoid", graph.node("Concat", graph.node("Neg", z), z, axis=1)
    return "Softmax", Z


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
