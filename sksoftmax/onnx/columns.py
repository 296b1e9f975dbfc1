"""The network's input in ONNX: the preprocessor's blocks, each by a function in `BLOCKS`, and embedded columns."""

from numbers import Real
from typing import NamedTuple

import numpy as np

from sksoftmax.data.blocks import BOUND, FAR, GROWTH, LIMIT, Bins, Codes, Flags, Numbers, OneHot, Sentinels
from sksoftmax.onnx.graph import Graph

LARGEST_WHOLE = 2.0**53  # above this, not every whole number is a float64


class Columns(NamedTuple):
    """The columns that blocks are made of, in a graph of the network's dtype.

    `inputs` are skl2onnx's; `numbers` is the block of numbers; X has the numeric columns, in float64, and Z the scaled ones: both
    are None if there are none.
    """

    graph: Graph
    inputs: list
    numbers: Numbers
    X: str | None
    Z: str | None


def encode(graph, inputs, preprocessor, dtype):
    """The network's input for the rows of these inputs, without embedded columns; None if no other column is used.

    The input is computed in the network's dtype, as in training, and then cast to the graph's.
    """
    if readers := preprocessor.categories.readers:
        held = " or ".join(sorted({reader.what for reader in readers.values()}))
        raise ValueError(
            f"ONNX has no way to read {held}: turn columns {list(readers)} of X into numbers first, in fit and predict alike."
        )
    if preprocessor.is_identity:
        return graph.beside([graph.cast(variable.full_name, graph.dtype) for variable in inputs])
    in_dtype, numbers = graph.in_format(dtype), preprocessor.numbers
    X = raw_numbers(in_dtype, inputs, preprocessor) if len(numbers.source) else None
    columns = Columns(in_dtype, inputs, numbers, X, None if X is None else scaled_numbers(in_dtype, X, numbers))
    parts = [part for block in preprocessor.blocks if (part := encoded_block(columns, block)) is not None]
    if not parts:
        return None
    result = in_dtype.beside(parts)
    if preprocessor.factors is not None:
        result = in_dtype.node("Mul", result, preprocessor.factors)
    return graph.cast(result, graph.dtype)


def encoded_block(columns, block):
    """The columns of a block side by side, or None if it has none here; ValueError for a block of an unknown type."""
    if type(block) not in BLOCKS:
        raise ValueError(f"{type(block).__name__}, a part of the network's input, cannot be expressed in ONNX.")
    return BLOCKS[type(block)](columns, block)


def numbers(columns, block):
    """The scaled numbers."""
    return columns.Z


def bins(columns, block):
    """A column for each bin of each column of Z: −1 below the bin, 1 above the bin, linear within.

    A bin may be so narrow that rounding moves a number from one side to the other. The steps are therefore those of
    `Bins.write`, in its format.
    """
    if not len(block.source):
        return None
    graph = columns.graph
    low, high = block.low.astype(graph.dtype), block.high.astype(graph.dtype)
    width = np.maximum(high - low, np.finfo(graph.dtype).tiny)
    share = graph.node("Div", graph.node("Sub", graph.node("Gather", columns.Z, block.places, axis=1), low), width)
    share = graph.node("Min", graph.node("Max", share, 0.0), 1.0)
    return graph.node("Sub", graph.node("Mul", share, 2.0), 1.0)


def flags(columns, block):
    """1 for each missing number of the block's columns, else 0."""
    graph, positions = columns.graph, np.flatnonzero(np.isin(columns.numbers.source, block.source))
    return graph.cast(graph.node("IsNaN", graph.node("Gather", columns.X, positions, axis=1)), graph.dtype)


def sentinels(columns, block):
    """1 for each sentinel that its column holds, else 0."""
    graph = columns.graph
    held = graph.node("Gather", columns.X, block.places, axis=1)
    return graph.cast(are_sentinels(graph, held, block.values, block.radii), graph.dtype)


def one_hot(columns, block):
    """A column of 0 and 1 for each category, or one column of −1 and 1 for two; other values give zeros.

    If the block has a flag, a further column, for two categories, is 1 for other values.
    """
    if not len(block.codes):
        return None
    graph, values = columns.graph, block.values
    X, holds_strings = input_column(graph, columns.inputs, block.column)
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
    if len(values) != 2:
        return hits
    sign = graph.difference(hits)
    return graph.beside([sign, graph.node("Sub", 1.0, graph.node("Abs", sign))]) if block.has_flag else sign


def codes(columns, block):
    """None: the network embeds these codes, see `embed`."""
    return


BLOCKS = {Numbers: numbers, Bins: bins, Flags: flags, Sentinels: sentinels, OneHot: one_hot, Codes: codes}


def embed(graph, inputs, preprocessor, network):
    """The vectors of each embedded column's categories, (n, units); with members along a first axis."""
    vectors = []
    for block, E in zip((block for block in preprocessor.blocks if block.is_embedded), network.embeddings):
        codes = code_numbers(graph, *input_column(graph, inputs, block.column), block.values)
        vectors.append(graph.node("Gather", E, codes, axis=E.ndim - 2))
    return vectors


def input_column(graph, inputs, position):
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
    columns = (input_column(graph, inputs, position)[0] for position in preprocessor.numbers.source)
    return graph.beside([graph.cast(column, np.float64) for column in columns])


def scaled_numbers(graph, X, numbers):
    """The numbers scaled in float64 and then cast; a missing number and a sentinel become 0, the center."""
    if numbers.scaling is None:
        return graph.cast(X, graph.dtype)
    double = graph.in_format(np.float64)
    Z = double.node("Mul", double.node("Sub", X, numbers.center), numbers.scale)
    Z = double.node("Where", double.node("IsNaN", Z), 0.0, Z)
    for values, radii in rounds_of_sentinels(numbers):
        Z = double.node("Where", are_sentinels(graph, X, values, radii), 0.0, Z)
    Z = double.node("Min", double.node("Max", Z, -LIMIT), LIMIT)
    return graph.cast(clipped(double, Z) if numbers.scaling == "robust" else Z, graph.dtype)


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


def clipped(graph, Z):
    """z / √(1 + (z / 3)²); beyond ±1000, 0.1 log(|z| / 1000) further from 0."""
    bent = graph.node("Div", Z, BOUND)
    clipped = graph.node("Div", Z, graph.node("Sqrt", graph.node("Add", graph.node("Mul", bent, bent), 1.0)))
    growth = graph.node("Mul", graph.node("Log", graph.node("Max", graph.node("Div", graph.node("Abs", Z), FAR), 1.0)), GROWTH)
    return graph.node("Add", clipped, graph.node("Mul", growth, graph.node("Sign", Z)))


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
