"""The companion of an ensemble in ONNX: a radial network, or boosted trees."""

import numpy as np

from sksoftmax.boosted import BoostedTrees
from sksoftmax.onnx.network import head_in_onnx
from sksoftmax.radial import LEAST, RadialNetwork


def beside_members(graph, Z, X, model):
    """The members' logits Z, (n_members, n, n_outputs), with those of the model's companion for the rows of X as last ones."""
    head, companion = model.head, model.companion
    if type(companion) not in LOGITS:
        raise ValueError(f"{type(companion).__name__}, the companion of the networks, cannot be expressed in ONNX.")
    logits = LOGITS[type(companion)](graph, X, companion, head)
    sizes = (model.network.architecture.n_members, Z), (1, logits)
    parts = (graph.node("Reshape", part, np.array([size, -1, head.n_outputs])) for size, part in sizes)
    return graph.node("Concat", *parts, axis=0)


def radial_logits(graph, X, radial, head):
    """The logits of a radial network."""
    H = graph.node("Exp", graph.node("Mul", distances(graph, X, radial), -1 / radial.width))
    f = graph.node("Gemm", H, radial.W, radial.offset)
    p = graph.node("Min", graph.node("Max", f, LEAST), 1 - LEAST)
    return head_in_onnx(head).logits_of_p(graph, p)


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


def tree_logits(graph, X, trees, head):
    """The logits of boosted trees, computed in the format of their thresholds.

    ONNX keeps nodes as lists: of each node its tree, its number in the tree, and what it does.
    """
    from onnx.numpy_helper import from_array

    dtype = trees.offset.dtype if graph.dtype == np.float64 else np.dtype(np.float32)
    nodes, is_leaf = trees.nodes, trees.nodes["feature"] < 0
    sizes = np.diff([*trees.roots, len(is_leaf)])
    tree, start = np.repeat(np.arange(len(sizes)), sizes), np.repeat(trees.roots, sizes)
    number = np.arange(len(is_leaf)) - start
    integers = {
        "nodes_treeids": tree,
        "nodes_nodeids": number,
        "nodes_featureids": np.where(is_leaf, 0, nodes["feature"] + trees.first),
        "nodes_truenodeids": np.where(is_leaf, 0, nodes["left"] - start),
        "nodes_falsenodeids": np.where(is_leaf, 0, nodes["right"] - start),
        "target_treeids": tree[is_leaf],
        "target_nodeids": number[is_leaf],
        "target_ids": np.repeat(trees.outputs, sizes)[is_leaf],
    }
    floats = {"nodes_values": nodes["threshold"], "target_weights": nodes["value"][is_leaf], "base_values": trees.offset}
    attributes = {name: values.tolist() for name, values in integers.items()}
    for name, values in floats.items():
        values = values.astype(dtype)
        attributes |= {f"{name}_as_tensor": from_array(values)} if dtype == np.float64 else {name: values.tolist()}
    found = graph.node(
        "TreeEnsembleRegressor",
        graph.cast(X, dtype),
        op_domain="ai.onnx.ml",
        op_version=3 if dtype == np.float64 else 1,
        nodes_modes=["LEAF" if leaf else "BRANCH_LEQ" for leaf in is_leaf],
        n_targets=head.n_outputs,
        post_transform="NONE",
        **attributes,
    )
    return graph.cast(found, graph.dtype)


LOGITS = {RadialNetwork: radial_logits, BoostedTrees: tree_logits}
