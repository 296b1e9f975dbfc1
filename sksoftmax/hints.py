"""Types of the public signatures. A type checker sees Any for everything that scikit-learn and SciPy leave untyped."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import sparray, spmatrix

Floats: TypeAlias = NDArray[np.floating[Any]]
MatrixLike: TypeAlias = ArrayLike | sparray | spmatrix
LayerSizes: TypeAlias = int | str | Sequence[int] | NDArray[np.integer[Any]]
RandomState: TypeAlias = int | np.random.RandomState | None

Activation: TypeAlias = Literal[
    "identity", "relu", "leaky_relu", "elu", "selu", "tanh", "logistic", "softplus", "silu", "gelu", "mish"
]
Solver: TypeAlias = Literal["lbfgs", "sgd", "adam"]
Schedule: TypeAlias = Literal["constant", "invscaling", "adaptive", "cosine", "one_cycle", "coslog4"]
OutActivation: TypeAlias = Literal["auto", "softmax"]

Losses: TypeAlias = Sequence[float] | Floats

Method = TypeVar("Method", bound=Callable[..., Any])
