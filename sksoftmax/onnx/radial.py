"""The radial network of an ensemble in ONNX."""

import numpy as np

from sksoftmax.onnx.network import head_in_onnx
from sksoftmax.radial import LEAST


def beside_members(graph, Z, X, radial, head):
    """The members' logits Z, (n_members, n, n_outputs), with those of the radial network for the rows of X as last ones."""
    H = graph.node("Exp", graph.node("Mul", distances(graph, X, radial), -1 / radial.width))
    f = graph.node("Gemm", H, radial.W, radial.offset)
    p = graph.node("Min", graph.node("Max", f, LEAST), 1 - LEAST)
    logits = head_in_onnx(head).logits_of_p(graph, p)
    return graph.node("Concat", Z, graph.node("Reshape", logits, np.array([1, -1, head.n_outputs])), axis=0)


def distances(graph, X, radial):
    """‖x − c‖₁ for each row x and each center c, (n, n_units): column by column, so that no array is larger."""
    total, *others = (difference(graph, X, radial.first + j, of_centers) for j, of_centers in enumerate(radial.centers.T))
    for term in others:
        total = graph.node("Add", total, term)
    return total


def difference(graph, X, column, of_centers):
    """|x − c| in one column, (n, n_units)."""
    x = graph.node("Gather", X, np.array([column]), axis=1)
    return graph.node("Abs", graph.node("Sub", x, of_centers[None]))
