"""The graph in skl2onnx's container. Outputs of nodes are passed by name; numbers and arrays become constants."""

import numpy as np


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

    def difference(self, Z):
        """The second of two columns minus the first."""
        return self.node("MatMul", Z, np.array([[-1.0], [1.0]]))

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
