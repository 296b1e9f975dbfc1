"""The network in ONNX: layers, activations, ensemble weights and heads. The letters are those of `sksoftmax.nn.layers`.

onnxruntime has LeakyRelu, Elu, Selu, Softplus, Gelu and Mish for float32 alone, so these activations are written out.
"""

from math import sqrt

import numpy as np

from sksoftmax.data.heads import BinaryHead, MultilabelHead, SoftmaxHead
from sksoftmax.layout import EMBEDDING_UNITS
from sksoftmax.nn.layers import LEAKY_RELU_SLOPE, SELU_ALPHA, SELU_SCALE


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
    total, *others = terms
    for term in others:
        total = graph.node("Add", total, term)
    return total


def dense(graph, X, W, b):
    """X W + b; for each member if W is (n_members, fan_in, fan_out)."""
    return graph.node("Gemm", X, W, b) if W.ndim == 2 else graph.node("Add", graph.node("MatMul", X, W), b[:, None])


def mix(graph, Z, ensemble_weights, head):
    """One set of logits, from the members' logits Z, (n_members, n, n_outputs)."""
    Z = graph.node("Mul", Z, ensemble_weights.inverse_temperatures[:, None, None])
    mixed = head_in_onnx(head).mix(graph, Z, np.log(ensemble_weights.weights)[:, None, None])
    scaled = graph.node("Mul", mixed, ensemble_weights.inverse_temperature)
    return graph.node("Add", scaled, np.broadcast_to(ensemble_weights.bias, (head.n_outputs,)).astype(float))


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


class Softmax:
    """The nodes of a `SoftmaxHead`."""

    @staticmethod
    def mix(graph, Z, log_weights):
        """The log-probabilities of the ensemble."""
        return log_sum_exp(graph, graph.node("Add", graph.node("LogSoftmax", Z, axis=2), log_weights))

    @staticmethod
    def logits_of_p(graph, p):
        """log p."""
        return graph.node("Log", p)

    @staticmethod
    def scores(graph, Z, head):
        """The scores, with a column for each class, and the operation that makes probabilities of them.

        For two classes the scores are [−z, z], with z the log-odds of the second class; their sigmoids are free of cancellation.
        """
        if len(head.classes) == 2:
            return both_sides(graph, graph.difference(Z)), "Sigmoid"
        return Z, "Softmax"

    @staticmethod
    def label_type(head):
        """The type of the labels, and whether there is one for each row."""
        return labels_in_onnx(head).dtype, True

    @staticmethod
    def predict(graph, scores, head, output):
        """Write the label of the highest score."""
        graph.node("Gather", labels_in_onnx(head), graph.node("ArgMax", scores, axis=1, keepdims=0), output=output)


class Binary(Softmax):
    """The nodes of a `BinaryHead`."""

    @staticmethod
    def mix(graph, Z, log_weights):
        """The log-odds of the ensemble, with log σ(z) = −softplus(−z)."""
        no_and_yes = (graph.node("Sub", log_weights, softplus(graph, z)) for z in (Z, graph.node("Neg", Z)))
        no, yes = (log_sum_exp(graph, log_p) for log_p in no_and_yes)
        return graph.node("Sub", yes, no)

    @staticmethod
    def logits_of_p(graph, p):
        """The log-odds."""
        return graph.node("Sub", graph.node("Log", p), graph.node("Log", graph.node("Sub", 1.0, p)))

    @staticmethod
    def scores(graph, Z, head):
        """The scores [−z, z], and the operation that makes probabilities of them."""
        return both_sides(graph, Z), "Sigmoid"


class Multilabel(Binary):
    """The nodes of a `MultilabelHead`."""

    @staticmethod
    def scores(graph, Z, head):
        """The logits, and the operation that makes probabilities of them."""
        return Z, "Sigmoid"

    @staticmethod
    def label_type(head):
        """The type of the labels, and whether there is one for each row."""
        return np.dtype(np.int64), False

    @staticmethod
    def predict(graph, scores, head, output):
        """Write a 0/1 matrix with 1 for each score above 0."""
        graph.cast(graph.node("Greater", scores, 0.0), np.int64, output)


HEADS = {SoftmaxHead: Softmax, BinaryHead: Binary, MultilabelHead: Multilabel}


def head_in_onnx(head):
    """The nodes of this head; ValueError if ONNX cannot express it."""
    if type(head) not in HEADS:
        raise ValueError(f"{type(head).__name__}, which reads answers from logits, cannot be expressed in ONNX.")
    return HEADS[type(head)]


def both_sides(graph, z):
    """The columns −z and z."""
    return graph.node("Concat", graph.node("Neg", z), z, axis=1)


def labels_in_onnx(head):
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
