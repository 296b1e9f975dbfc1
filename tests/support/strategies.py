"""Hypothesis strategies: data as people have it, well-formed or not, and the estimator's parameters.

The shapes, kinds and seeds are drawn by hypothesis, so that a failure shrinks to few rows and plain kinds; the numbers come from
NumPy's generator with a drawn seed, which is much faster than drawing each of them.
"""

import tempfile
import warnings

import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse as sp
from hypothesis import strategies as st

from sksoftmax.nn.layers import ACTIVATIONS
from sksoftmax.nn.schedules import PLANNED

MAX_ROWS, MAX_COLUMNS, MAX_CLASSES = 300, 50, 30

SEEDS = st.integers(0, 2**32 - 1)
ROWS = st.one_of(st.integers(1, 12), st.integers(2, 60), st.integers(95, 130), st.integers(190, MAX_ROWS))
COLUMNS = st.one_of(st.integers(1, 6), st.integers(1, MAX_COLUMNS))
CLASSES = st.one_of(st.just(2), st.integers(2, 5), st.integers(1, MAX_CLASSES))


def generators():
    """NumPy's generators."""
    return SEEDS.map(np.random.default_rng)


# Columns of numbers: (rng, n) → n numbers

FINITE = {
    "normal": lambda rng, n: rng.normal(size=n),
    "constant": lambda rng, n: np.full(n, rng.normal()),
    "zero": lambda rng, n: np.zeros(n),
    "small integers": lambda rng, n: rng.integers(-3, 4, n).astype(float),
    "0 and 1": lambda rng, n: rng.integers(0, 2, n).astype(float),
    "mostly zero": lambda rng, n: rng.exponential(size=n) * (rng.random(n) < 0.1),
    "heavy tails": lambda rng, n: rng.standard_cauchy(n) ** 3,
    "offset": lambda rng, n: 1e9 + rng.normal(size=n),
    "one outlier": lambda rng, n: np.where(np.arange(n) == rng.integers(n), 1e12, rng.normal(size=n)),
    "tiny": lambda rng, n: 1e-30 * rng.normal(size=n),
}
EXTREME = {
    "huge": lambda rng, n: 1e300 * rng.normal(size=n),
    "both ends of float64": lambda rng, n: np.finfo(np.float64).max * rng.choice([-1.0, 1.0], n),
    "denormal": lambda rng, n: 5e-324 * rng.integers(-9, 10, n),
    "one huge": lambda rng, n: np.where(np.arange(n) == rng.integers(n), 1e300, rng.normal(size=n)),
    "all sizes": lambda rng, n: 10.0 ** rng.uniform(-300, 300, n),
}
MISSING = {
    "some missing": lambda rng, n: np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
    "all missing": lambda rng, n: np.full(n, np.nan),
}
INFINITE = {"one infinite": lambda rng, n: np.where(np.arange(n) == rng.integers(n), -np.inf, rng.normal(size=n))}
ANYTHING = FINITE | EXTREME | MISSING | INFINITE


@st.composite
def matrices(draw, n, kinds):
    """A float64 matrix of n rows whose columns are of a few of these kinds; some may be copies of others."""
    d, rng = draw(COLUMNS), draw(generators())
    chosen = draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, max_size=4))
    X = np.column_stack([kinds[chosen[column % len(chosen)]](rng, n) for column in range(d)])
    return X[:, rng.integers(0, d, d)] if draw(st.booleans()) else X


# X as arrays: numbers → X


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def single(X):
    """In float32, what is too large for it at its end."""
    return np.clip(X, *np.finfo(np.float32).max * np.array([-1, 1])).astype(np.float32)


def mapped(X):
    with tempfile.TemporaryFile() as file:
        result = np.memmap(file, X.dtype, "w+", shape=X.shape)
    result[...] = X
    return result


def padded(X):
    """A view with gaps between its rows and columns."""
    wide = np.zeros((2 * X.shape[0], 3 * X.shape[1]), X.dtype)
    wide[::2, ::3] = X
    return wide[::2, ::3]


FLOATS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "float32": single,
    "float32 Fortran": lambda X: np.asfortranarray(single(X)),
    "big endian": lambda X: X.astype(">f8"),
    "long double": lambda X: X.astype(np.longdouble),
    "reversed": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "padded": padded,
    "read-only": read_only,
    "memory map": mapped,
    "list": lambda X: X.tolist(),
    "objects": lambda X: X.astype(object),
    "None for NaN": lambda X: np.where(np.isnan(X), None, X.astype(object)),
    "masked array": np.ma.masked_array,
    "frame": lambda X: pd.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])]),
    "frame float32": lambda X: pd.DataFrame(single(X)),
    "nullable frame": lambda X: pd.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])]).convert_dtypes(),
    "frame of objects": lambda X: pd.DataFrame(X.astype(object)).where(~np.isnan(X), pd.NA),
    "polars": lambda X: pl.DataFrame({f"c{i}": column for i, column in enumerate(X.T)}, nan_to_null=True),
}
WHOLE = {  # of which little is left of the numbers
    "int8": lambda X: small_integers(X).astype(np.int8),
    "uint16": lambda X: abs(small_integers(X)).astype(np.uint16),
    "int64": lambda X: small_integers(X).astype(np.int64),
    "bool": lambda X: small_integers(X) > 0,
    "float16": lambda X: small_integers(X).astype(np.float16),
    "frame of int": lambda X: pd.DataFrame(small_integers(X).astype(int)),
}
SPARSE = {
    f"{form}_{kind}": getattr(sp, f"{form}_{kind}")
    for form in ("csr", "csc", "coo", "bsr", "dok", "lil", "dia")
    for kind in ("matrix", "array")
}


def small_integers(X):
    return np.clip(np.nan_to_num(X), -99, 99).round()


def sparse_form(name):
    """Mostly zeros, in this format."""

    def build(X):
        kept = np.add.outer(np.arange(X.shape[0]), np.arange(X.shape[1])) % 3 == 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sp.SparseEfficiencyWarning)  # DIA's, of many diagonals
            return SPARSE[name](sp.coo_array(np.where(kept, X, 0)))

    return build


def unsorted(X):
    """CSR that nothing can be written to, with its column numbers in falling order and the first entry in two parts."""
    coo = sp.coo_array(np.where(X > 0, X, 0))
    data, columns = [np.append(part, part[:1])[::-1] for part in (coo.data, coo.col)]
    order = np.argsort(np.append(coo.row, coo.row[:1])[::-1], kind="stable")
    row_ends = np.cumsum(np.bincount(np.append(coo.row, coo.row[:1]), minlength=X.shape[0]))
    parts = [read_only(part) for part in (data[order] / 2, columns[order], np.append(0, row_ends).astype(columns.dtype))]
    return sp.csr_matrix(tuple(parts), shape=X.shape)


ODD_FORMS = {
    "ragged list": lambda X: [row[: 1 + i % 2] for i, row in enumerate(X.tolist())],
    "cube": lambda X: X[:, :, None],
    "one column": lambda X: X[:, 0],
    "no columns": lambda X: X[:, :0],
    "frame without columns": lambda X: pd.DataFrame(X[:, :0]),
    "complex": lambda X: X.astype(complex),
    "text": lambda X: X.astype(str),
    "words": lambda X: np.full(X.shape, "word"),
    "dates": lambda X: np.full(X.shape, np.datetime64("2020-01-01")),
    "bytes": lambda X: np.full(X.shape, b"word"),
    "series": lambda X: pd.Series(X[:, 0]),
    "polars series": lambda X: pl.Series("x", X[:, 0]),
    "dict": lambda X: {"x": X[:, 0]},
    "number": lambda X: X[0, 0],
    "None": lambda X: None,
    "generator": lambda X: (row for row in X),
    "records": lambda X: np.rec.fromarrays(X.T),
    "sparse complex": lambda X: sp.csr_matrix(small_integers(X) * 1j),
    "frame with NaN as filling": lambda X: pd.DataFrame({"x": pd.arrays.SparseArray(X[:, 0], fill_value=np.nan)}),
    "frame of int names": lambda X: pd.DataFrame(X, columns=[f"c{i}" if i else 0 for i in range(X.shape[1])]),
    "frame of one name": lambda X: pd.DataFrame(X, columns=["c"] * X.shape[1]),
    "frame of two levels": lambda X: pd.DataFrame(X, columns=pd.MultiIndex.from_product([["a"], range(X.shape[1])])),
}
FORMS = FLOATS | WHOLE | {name: sparse_form(name) for name in SPARSE} | {"unsorted CSR": unsorted}


# X as frames of several types

CELLS = {  # (rng, n) → values for a pandas column
    "float": lambda rng, n: rng.normal(size=n),
    "float with NaN": MISSING["some missing"],
    "int": lambda rng, n: rng.integers(-5, 6, n),
    "bool": lambda rng, n: rng.random(n) < 0.5,
    "text": lambda rng, n: pd.Series(rng.choice(["red", "green", "blue"], n)),
    "text with None": lambda rng, n: pd.Series(rng.choice(np.array(["red", "", None], object), n), dtype=object),
    "text with NA": lambda rng, n: pd.Series(rng.choice(["a", "b", "naïve"], n), dtype="string").where(rng.random(n) < 0.7),
    "names": lambda rng, n: pd.Series([f"name {i}" for i in range(n)]),
    "category": lambda rng, n: pd.Categorical(rng.choice(["x", "y", "z"], n), categories=["z", "y", "x", "never"]),
    "category of int": lambda rng, n: pd.Categorical(rng.integers(0, 4, n)),
    "category all missing": lambda rng, n: pd.Categorical([None] * n, categories=["x"]),
    "ordered category": lambda rng, n: pd.Categorical(rng.choice(["low", "high"], n), ["low", "high"], ordered=True),
    "Int64 with NA": lambda rng, n: pd.Series(rng.integers(0, 9, n), dtype="Int64").where(rng.random(n) < 0.7),
    "boolean with NA": lambda rng, n: pd.Series(rng.random(n) < 0.5, dtype="boolean").where(rng.random(n) < 0.7),
    "Float32 with NA": lambda rng, n: pd.Series(rng.normal(size=n), dtype="Float32").where(rng.random(n) < 0.7),
    "bool with None": lambda rng, n: pd.Series(rng.choice(np.array([True, False, None], object), n), dtype=object),
    "all None": lambda rng, n: pd.Series([None] * n, dtype=object),
    "sparse": lambda rng, n: pd.arrays.SparseArray(FINITE["mostly zero"](rng, n), fill_value=0.0),
}
ODD_CELLS = {
    "dates": lambda rng, n: pd.date_range("2020-01-01", periods=n),
    "durations": lambda rng, n: pd.to_timedelta(np.arange(n), unit="h"),
    "complex": lambda rng, n: rng.normal(size=n) * 1j,
    "text and numbers": lambda rng, n: pd.Series([["a", 1, 2.5, None][i % 4] for i in range(n)], dtype=object),
    "lists": lambda rng, n: pd.Series([[1, 2]] * n, dtype=object),
    "infinite": INFINITE["one infinite"],
    "intervals": lambda rng, n: pd.cut(np.arange(n), 2) if n > 1 else np.zeros(n),
}


@st.composite
def frames(draw, n, cells):
    """A pandas frame, or a polars frame made of it, with columns of a few of these kinds."""
    rng = draw(generators())
    kinds = draw(st.lists(st.sampled_from(sorted(cells)), min_size=1, max_size=8))
    columns = {f"{kind} {i}": pd.Series(cells[kind](rng, n)) for i, kind in enumerate(kinds)}
    frame = pd.concat(columns, axis=1)
    frame.index = draw(st.sampled_from([frame.index, frame.index[::-1], pd.Index([7] * n)]))
    if draw(st.booleans()):
        return frame
    try:
        return pl.DataFrame({name: polars_column(name, values) for name, values in columns.items()}, strict=False)
    except (TypeError, ValueError, pl.exceptions.PolarsError):  # of what polars has no type for
        return frame


def polars_column(name, values):
    values = [None if value is pd.NA or value is None or value != value else value for value in values.tolist()]
    return pl.Series(name, values, dtype=pl.Categorical if name.startswith("category") and "int" not in name else None)


# y

LABELS = {  # codes → labels
    "int": lambda codes: codes,
    "negative": lambda codes: -3 * codes,
    "uint8": lambda codes: codes.astype(np.uint8),
    "float": lambda codes: codes.astype(float),
    "text": lambda codes: np.array([f"class {code}" for code in codes]),
    "objects": lambda codes: np.array([f"class {code}" for code in codes], dtype=object),
    "list": lambda codes: codes.tolist(),
    "list of text": lambda codes: [f"ß{code}" for code in codes],
    "bool": lambda codes: codes % 2 == 0,
    "series": lambda codes: pd.Series(codes, index=codes),
    "series of text": lambda codes: pd.Series([f"class {code}" for code in codes]),
    "string series": lambda codes: pd.Series([f"class {code}" for code in codes], dtype="string"),
    "categories": lambda codes: pd.Series(pd.Categorical([f"class {code}" for code in codes])),
    "Int64 series": lambda codes: pd.Series(codes, dtype="Int64"),
    "polars": lambda codes: pl.Series("y", codes),
    "polars text": lambda codes: pl.Series("y", [f"class {code}" for code in codes]),
    "column": lambda codes: codes[:, None],
    "frame": lambda codes: pd.DataFrame({"y": codes}),
    "read-only": read_only,
    "huge int": lambda codes: codes + 2**62,
}
WRONG_LABELS = {
    "NaN": lambda codes: np.where(np.arange(len(codes)) == 0, np.nan, codes),
    "continuous": lambda codes: codes + 0.5,
    "None": lambda codes: np.array([None, *codes[1:]], dtype=object),
    "NA": lambda codes: pd.Series([pd.NA, *codes[1:]], dtype="Int64"),
    "text and numbers": lambda codes: np.array(["a", *codes[1:]], dtype=object),
    "short": lambda codes: codes[:-1],
    "long": lambda codes: np.append(codes, 0),
    "cube": lambda codes: codes[:, None, None],
    "scalar": lambda codes: 1,
    "dates": lambda codes: pd.Series(pd.to_datetime(codes)),
    "lists": lambda codes: [[int(code)] * (1 + code % 2) for code in codes],
    "two columns": lambda codes: np.column_stack([codes, codes + 1, codes + 2]),
    "complex": lambda codes: codes * 1j,
    "bytes": lambda codes: np.array([b"class %d" % code for code in codes]),
    "missing": lambda codes: None,
}
MATRICES = {  # (rng, n, k) → indicators or probabilities
    "multilabel": lambda rng, n, k: rng.integers(0, 2, (n, k)),
    "multilabel bool": lambda rng, n, k: rng.random((n, k)) < 0.3,
    "multilabel float32": lambda rng, n, k: rng.integers(0, 2, (n, k)).astype(np.float32),
    "multilabel sparse": lambda rng, n, k: sp.csr_matrix(rng.integers(0, 2, (n, k))),
    "multilabel frame": lambda rng, n, k: pd.DataFrame(rng.integers(0, 2, (n, k))),
    "multilabel constant": lambda rng, n, k: np.tile(np.arange(k) % 2, (n, 1)),
    "soft": lambda rng, n, k: rng.dirichlet(np.ones(k), n),
    "soft float32": lambda rng, n, k: rng.dirichlet(np.ones(k), n).astype(np.float32),
    "soft frame": lambda rng, n, k: pd.DataFrame(rng.dirichlet(np.ones(k), n)),
    "soft list": lambda rng, n, k: rng.dirichlet(np.ones(k), n).tolist(),
}
WRONG_MATRICES = {
    "sums": lambda rng, n, k: rng.random((n, k)) + 0.1,
    "negative": lambda rng, n, k: np.tile([1.5, -0.5, *[0.0] * (k - 2)], (n, 1)),
    "NaN": lambda rng, n, k: np.full((n, k), np.nan),
    "two values": lambda rng, n, k: np.where(rng.random((n, k)) < 0.5, -1, 1),
}


@st.composite
def class_codes(draw, n):
    """Whole numbers from 0; drawn evenly, or one class with most rows, or one row a class, or a class of one row."""
    k, rng = min(draw(CLASSES), n), draw(generators())
    shares = draw(st.sampled_from(["even", "rare", "own"]))
    if shares == "own":
        return rng.permutation(n) % MAX_CLASSES
    codes = rng.integers(0, k, n)
    if shares == "rare":
        codes = np.where(rng.random(n) < 0.9, 0, codes)
        codes[rng.integers(n)] = k - 1
    return codes


@st.composite
def targets(draw, n, labels=LABELS, matrices=MATRICES):
    """y for n rows: labels, or a matrix of indicators or probabilities."""
    if draw(st.integers(0, 3)):
        return labels[draw(st.sampled_from(sorted(labels)))](draw(class_codes(n)))
    k = draw(st.integers(2, 6))
    return matrices[draw(st.sampled_from(sorted(matrices)))](draw(generators()), n, k)


# sample_weight: (rng, n) → weights

WEIGHTS = {
    "none": lambda rng, n: None,
    "ones": lambda rng, n: np.ones(n),
    "integers": lambda rng, n: rng.integers(1, 4, n),
    "random": lambda rng, n: rng.exponential(size=n) + 1e-9,
    "some zero": lambda rng, n: np.maximum(rng.integers(0, 3, n), np.arange(n) == 0),
    "all but one zero": lambda rng, n: (np.arange(n) == n // 2) * 1.0,
    "huge": lambda rng, n: 1e30 * rng.random(n) + 1,
    "tiny": lambda rng, n: 1e-30 * (rng.random(n) + 0.1),
    "of all sizes": lambda rng, n: 10.0 ** rng.uniform(-30, 30, n),
    "a number": lambda rng, n: 2.5,
    "list": lambda rng, n: rng.random(n).tolist(),
    "series": lambda rng, n: pd.Series(rng.random(n), index=np.arange(n)[::-1]),
    "read-only": lambda rng, n: read_only(rng.random(n)),
    "every other": lambda rng, n: rng.random(2 * n)[::2],
}
ODD_WEIGHTS = {
    "too large": lambda rng, n: np.full(n, 1e308),
    "too small": lambda rng, n: np.full(n, 1e-310),
    "extremes": lambda rng, n: np.where(np.arange(n) % 2, 1e300, 1e-300),
    "denormal beside one": lambda rng, n: np.where(np.arange(n) == 0, 1.0, 5e-324),
    "zero": lambda rng, n: np.zeros(n),
    "negative": lambda rng, n: np.where(np.arange(n) == n - 1, -1.0, 1.0),
    "NaN": lambda rng, n: np.full(n, np.nan),
    "infinite": lambda rng, n: np.full(n, np.inf),
    "short": lambda rng, n: np.ones(n - 1),
    "column": lambda rng, n: np.ones((n, 1)),
    "text": lambda rng, n: ["heavy"] * n,
    "a text": lambda rng, n: "balanced",
    "objects": lambda rng, n: np.array([1.0, None] * n, dtype=object)[:n],
    "complex": lambda rng, n: np.full(n, 1j),
    "NA": lambda rng, n: pd.Series([pd.NA] * n, dtype="Float64"),
}


@st.composite
def weights(draw, n, kinds=WEIGHTS):
    """sample_weight for n rows."""
    return kinds[draw(st.sampled_from(sorted(kinds)))](draw(generators()), n)


# Parameters


def no_number(*arguments):
    return np.nan


def numbers(low, high, **kwargs):
    return st.floats(low, high, **kwargs)


PARAMETERS = {
    "alpha": st.sampled_from([0, 1e-4, 0.1, 10]),
    "batch_size": st.one_of(st.just("auto"), st.integers(1, 400)),
    "learning_rate": st.sampled_from(["constant", "invscaling", "adaptive", *PLANNED, float]),
    "learning_rate_init": st.sampled_from([1e-4, 0.01, 0.1]),
    "power_t": numbers(0, 2),
    "shuffle": st.booleans(),
    "random_state": st.one_of(st.none(), st.integers(0, 99), st.builds(np.random.RandomState, st.integers(0, 99))),
    "tol": st.sampled_from([0, 1e-4, 10]),
    "momentum": numbers(0, 1),
    "nesterovs_momentum": st.booleans(),
    "early_stopping": st.sampled_from([False, True, "auto"]),
    "validation_fraction": numbers(0.01, 0.9),
    "beta_1": st.sampled_from([0, 0.5, 0.999]),
    "beta_2": st.sampled_from([0, 0.5, 0.9999]),
    "epsilon": st.sampled_from([1e-300, 1e-8, 1.0]),
    "n_iter_no_change": st.sampled_from([1, 2, np.inf]),
    "max_fun": st.integers(1, 20),
    "out_activation": st.sampled_from(["auto", "softmax"]),
    "scoring": st.sampled_from(["accuracy", "loss", "f1_macro", "neg_log_loss"]),
    "restore_best": st.booleans(),
    "label_smoothing": st.sampled_from([0, 0.05, 0.5, 0.999]),
    "scaling": st.sampled_from(["robust", "standard", None]),
    "categorical_features": st.sampled_from(["from_dtype", None, [0]]),
    "dtype": st.sampled_from(["auto", "float32", "float64"]),
    "parametrization": st.sampled_from(["standard", "ntk"]),
    "n_bins": st.integers(0, 70),
    "relevance": st.sampled_from(["auto", None]),
    "class_weight": st.sampled_from([None, None, None, "balanced"]),
    "warm_start": st.booleans(),
}
OF_STEPS = {  # which L-BFGS has none of
    "weight_decay": st.sampled_from(["auto", 0.0, 0.01, 1.0]),
    "dropout": st.sampled_from(["auto", 0.0, 0.5, 0.99]),
    "clip_norm": st.sampled_from([None, 1e-9, 1.0, 1e9]),
    "ema_decay": st.sampled_from([0.0, 0.5, 0.999]),
    "warmup": st.sampled_from([0.0, 0.5, 0.999]),
    "n_members": st.sampled_from([1, 4, 6, 8]),
}
CLASSES_GIVEN = [None, [0, 1, 2], range(40), ["a", "b"], [0, "a"], [], 3, [[0, 1]], [np.nan, 1], "ab", [None], [[0], []]]
CLASS_WEIGHTS = [None, None, "balanced", {0: 2.0, 1: 0.5}, {0: 0.0}, {}, {"class 0": 1e9}, [{0: 1, 1: 2}] * 2, [{}] * 3]
WRONG_PARAMETERS = {
    "hidden_layer_sizes": [None, 0, (2, 0), "2-x", (True,), 2.5, [[2]]],
    "activation": [None, "relu6", ["relu"] * 9, 1],
    "solver": ["rmsprop", None],
    "alpha": [-1, np.nan, "1", np.inf],
    "batch_size": [0, 2.5, "all"],
    "learning_rate": ["linear", None, 0.1, no_number, np.negative, str],
    "learning_rate_init": [0, -1, np.inf, "0.1"],
    "max_iter": [0, 1.5, None],
    "random_state": [-1, "seed", 0.5],
    "tol": [-1, np.nan],
    "verbose": [-1, "yes"],
    "momentum": [-0.1, 1.1, np.nan],
    "validation_fraction": [1.0, -0.1],
    "beta_1": [1.0, np.nan],
    "epsilon": [0.0],
    "n_iter_no_change": [0, 2.5],
    "class_weight": ["even", {"no such class": 1.0}, {0: -1.0}, {0: np.nan}, [{0: 1}], 3],
    "scoring": ["precise", None, no_number],
    "dropout": [1.0, -0.1, [0.5] * 9, ["0.1"], np.nan],
    "label_smoothing": [1.0, -0.1],
    "clip_norm": [0.0, -1.0, np.nan],
    "ema_decay": [1.0],
    "warmup": [1.0],
    "scaling": ["minmax", True],
    "categorical_features": ["all", [99], ["no such column"], [True], 3, [[0]], [-1], [0.5], [None]],
    "dtype": ["float16", None],
    "parametrization": ["mup"],
    "n_members": [2, 5, 0, 1.5],
    "n_bins": [-1, 2.5],
    "relevance": ["forest", 2, [1.0] * 99, [-1.0], [np.nan], ["a"]],
    "weight_decay": [-1.0, "some"],
}


@st.composite
def parameters(draw, **fixed):
    """Valid parameters of a small estimator: a few changed, the others at their defaults."""
    solver = draw(st.sampled_from(["adam", "adam", "sgd", "lbfgs"]))
    allowed = PARAMETERS if solver == "lbfgs" else PARAMETERS | OF_STEPS
    names = draw(st.lists(st.sampled_from(sorted(set(allowed) - set(fixed))), unique=True, max_size=8))
    sizes = draw(st.lists(st.integers(1, 6), max_size=2))
    activations = st.sampled_from(sorted(ACTIVATIONS))
    activation = st.one_of(activations, st.lists(activations, min_size=len(sizes), max_size=len(sizes)))
    params = {"random_state": 0, **{name: draw(allowed[name]) for name in names}, **fixed}
    if params.get("categorical_features") == [0] and "scaling" in params:
        params["categorical_features"] = np.array([0])
    form = draw(st.sampled_from([tuple, list, lambda sizes: "-".join(map(str, sizes))]))
    return {
        "hidden_layer_sizes": form(sizes),
        "activation": draw(activation),
        "solver": solver,
        "max_iter": draw(st.integers(1, 3)),
        **params,
    }


@st.composite
def wrong_parameters(draw):
    """Valid parameters but for one."""
    name = draw(st.sampled_from(sorted(WRONG_PARAMETERS)))
    params = draw(parameters())
    params[name] = draw(st.sampled_from(WRONG_PARAMETERS[name]))
    return params
