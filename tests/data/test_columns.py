"""Which columns are categorical, and their categories as codes, from every kind of X."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix

from sksoftmax.data.columns import UNKNOWN, Categories, nan_for_NA

COLOURS = ["red", "blue", None, "red"]
CODES = [1, 0, UNKNOWN, 1]  # of the sorted categories blue, red
MISSING = {"None": None, "NaN": np.nan, "pandas.NA": pd.NA}


def in_polars(values, dtype=None):
    polars = pytest.importorskip("polars")
    types = {"string": polars.String, "categorical": polars.Categorical, "enum": polars.Enum(["blue", "red"])}
    return polars.DataFrame({"color": polars.Series(values, dtype=types.get(dtype))})


def in_pandas(values, dtype=None):
    return pd.DataFrame({"color": pd.Series(values, dtype=dtype)})


def codes(X, fitted_on=None, categorical_features="from_dtype"):
    """The only column of X as codes."""
    fitted_on = X if fitted_on is None else fitted_on
    return Categories.from_X(fitted_on, categorical_features).matrix(X)[:, 0]


# From dtypes


@pytest.mark.parametrize("dtype", ["category", "object", "str", "string"])
def test_strings_of_pandas_are_categories(dtype):
    assert_array_equal(codes(in_pandas(["red", "blue", "blue", "red"], dtype)), [1, 0, 0, 1])


@pytest.mark.parametrize("dtype", ["category", "object", "string"])
def test_missing_strings_of_pandas_have_no_category(dtype):
    assert_array_equal(codes(in_pandas(COLOURS, dtype)), CODES)


@pytest.mark.parametrize("dtype", ["string", "categorical", "enum"])
def test_strings_of_polars_are_categories(dtype):
    assert_array_equal(codes(in_polars(COLOURS, dtype)), CODES)


@pytest.mark.parametrize("missing", MISSING.values(), ids=MISSING)
def test_a_missing_value_among_objects_has_no_category(missing):
    assert_array_equal(codes(in_pandas(["red", "blue", missing, "red"], object)), CODES)


@pytest.mark.parametrize(("dtype", "missing"), [("bool", False), ("boolean", None), (object, None)])
def test_booleans_of_pandas_are_categories(dtype, missing):
    expected = 0 if missing is False else UNKNOWN
    assert_array_equal(codes(in_pandas([True, False, missing], dtype)), [1, 0, expected])


def test_booleans_of_polars_are_categories():
    assert_array_equal(codes(in_polars([True, False, None])), [1, 0, UNKNOWN])


def test_many_booleans_get_the_codes_of_the_values_that_fit_saw():
    seen = {"both": [True, False], "one": [True, True], "other": [False, False], "n": [0.5, 1.5]}
    asked = pd.DataFrame({"both": [True, False], "one": [False, True], "other": [True, False], "n": [2.5, 3.5]})
    found = Categories.from_X(pd.DataFrame(seen), "from_dtype").matrix(asked)
    assert_array_equal(found, [[1, UNKNOWN, UNKNOWN, 2.5], [0, 0, 0, 3.5]])


@pytest.mark.parametrize("name", ["string", "large_string", "dictionary", "bool"])
def test_strings_dictionaries_and_booleans_of_arrow_are_categories(name):
    pyarrow = pytest.importorskip("pyarrow")
    types = {"string": pyarrow.string(), "large_string": pyarrow.large_string(), "bool": pyarrow.bool_()}
    dtype = pd.ArrowDtype(types.get(name, pyarrow.dictionary(pyarrow.int32(), pyarrow.string())))
    values = [True, False, None, True] if name == "bool" else COLOURS
    assert_array_equal(codes(pd.DataFrame({"color": pd.array(values, dtype=dtype)})), CODES)


@pytest.mark.parametrize(
    "values",
    [
        [3, 1, 3],
        ["x", "y", "x"],
        pd.to_datetime(["2021", "2020", "2021"]),
        [(1, 2), (0, 5), (1, 2)],
        pd.cut([9.0, 1.0, 9.0], [0, 5, 10]),
    ],
    ids=["ints", "strings", "dates", "tuples", "intervals"],
)
def test_a_category_column_may_hold_values_of_any_type(values):
    X = pd.DataFrame({"a": pd.Categorical(values)})
    assert len(set(codes(X))) == 2
    assert codes(X)[0] == codes(X)[2]


def test_codes_do_not_depend_on_the_order_that_a_frame_lists_its_categories_in():
    X = pd.DataFrame({"a": pd.Categorical(["s", "m"], categories=["s", "m", "l"], ordered=True)})
    fitted_on = pd.DataFrame({"a": pd.Categorical(["m", "s"], categories=["m", "s"])})
    assert_array_equal(codes(X, fitted_on), codes(X.astype(object), fitted_on))
    assert Categories.from_X(X, "from_dtype").of_column == {0: ["m", "s"]}


@pytest.mark.parametrize(
    "values",
    [[1.5, 2.5], [1, None], pd.array([1, None], dtype="Int64"), np.array([1, 2], dtype=object), [None, None]],
    ids=["floats", "missing", "Int64", "objects", "nothing"],
)
def test_numbers_are_not_categories(values):
    assert len(Categories.from_X(pd.DataFrame({"a": values}), "from_dtype")) == 0


def test_objects_that_are_not_all_strings_or_booleans_are_not_categories_by_their_type():
    assert len(Categories.from_X(in_pandas(["red", 1], object), "from_dtype")) == 0


@pytest.mark.parametrize(
    "X", [np.array([["a", "1"], ["b", "2.5"]]), np.array([["a", 1], ["b", "2.5"]], dtype=object), [["a", 1], ["b", 2.5]]]
)
def test_columns_of_an_array_are_categorical_if_they_hold_text_that_is_no_number(X):
    assert Categories.from_X(X, "from_dtype").of_column == {0: ["a", "b"]}


def test_sparse_X_has_no_categorical_columns():
    assert len(Categories.from_X(csr_matrix(np.eye(2)), "from_dtype")) == 0


def test_no_column_is_categorical_without_categorical_features():
    assert len(Categories.from_X(in_pandas(["red", "blue"]), None)) == 0


@pytest.mark.parametrize("dtype", ["string", "categorical"])
def test_polars_and_pandas_give_equal_matrices(dtype):
    polars = pytest.importorskip("polars")
    columns = {"n": [1, None, 3, 4], "color": COLOURS, "x": [0.5, 1.5, None, np.nan], "b": [True, None, False, True]}
    theirs = polars.DataFrame(columns, schema_overrides={"color": {"string": polars.String}.get(dtype, polars.Categorical)})
    ours = pd.DataFrame(columns).astype({"color": {"string": "string"}.get(dtype, "category"), "n": "Int64", "b": "boolean"})
    assert Categories.from_X(theirs, "from_dtype").of_column == Categories.from_X(ours, "from_dtype").of_column
    matrix = Categories.from_X(ours, "from_dtype").matrix(ours)
    assert_array_equal(matrix[:, 2], [0.5, 1.5, np.nan, np.nan])
    assert_array_equal(Categories.from_X(theirs, "from_dtype").matrix(theirs), matrix)


# Masks, positions, names


TABLE = pd.DataFrame({"size": [3, 1, 3], "mass": [0.5, 1.5, 2.5], "color": ["red", "blue", "red"]})


@pytest.mark.parametrize(
    "categorical_features",
    [
        [True, False, True],
        np.array([True, False, True]),
        pd.Series([True, False, True]),
        [0, 2],
        (2, 0),
        [2, 0, 2],
        np.array([0, 2]),
        ["size", "color"],
        pd.Index(["color", "size"]),
    ],
    ids=str,
)
def test_categorical_features_may_be_a_mask_positions_or_names(categorical_features):
    assert Categories.from_X(TABLE, categorical_features).of_column == {0: [1, 3], 2: ["blue", "red"]}


def test_categorical_features_of_polars_may_be_names_or_positions():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(TABLE.to_dict("list"))
    for chosen in (["color", "size"], [0, 2], ["size", 2]):
        assert Categories.from_X(frame, chosen).of_column == {0: [1, 3], 2: ["blue", "red"]}


@pytest.mark.parametrize("categorical_features", [[], [False, False, False], np.array([], dtype=int)], ids=str)
def test_categorical_features_may_be_empty(categorical_features):
    assert len(Categories.from_X(TABLE, categorical_features)) == 0


@pytest.mark.parametrize(
    ("categorical_features", "message"),
    [
        ([True, False], "as a mask must have 3 entries, one a column; got 2"),
        ([3], r"positions 0 … 2 .*; got 3"),
        ([-1], r"positions 0 … 2 .*; got -1"),
        ([0.0], r"got 0\.0"),
        ([0, True], "got True"),
        (["weight"], r"got 'weight', but the columns are \['size', 'mass', 'color'\]"),
        ([None], "got None"),
    ],
    ids=str,
)
def test_categorical_features_that_do_not_fit_are_refused_with_what_would_fit(categorical_features, message):
    with pytest.raises(ValueError, match=f"categorical_features.*{message}"):
        Categories.from_X(TABLE, categorical_features)


def test_categorical_features_by_name_need_a_frame():
    with pytest.raises(ValueError, match="got 'size', but X has no column names"):
        Categories.from_X(TABLE.to_numpy(), ["size"])


def test_categorical_features_refuse_a_name_that_two_columns_have():
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(ValueError, match=re.escape("each once; got 'a', but the columns are ['a', 'a']")):
        Categories.from_X(frame, ["a"])


def test_categorical_features_are_refused_for_a_sparse_matrix():
    with pytest.raises(ValueError, match="categorical_features must be None or 'from_dtype' for a sparse X"):
        Categories.from_X(csr_matrix(np.eye(2)), [0])


def test_a_sparse_matrix_is_refused_if_there_are_categorical_features():
    with pytest.raises(ValueError, match="X must be dense, because it has categorical columns"):
        Categories.from_X(np.eye(2), [0]).matrix(csr_matrix(np.eye(2)))


@pytest.mark.parametrize("values", [[[1], [2]], [1j, 2j]], ids=["lists", "complex"])
def test_categorical_features_with_values_that_cannot_be_categories_are_named(values):
    frame = pd.DataFrame({"size": [1, 2], "odd": values})
    with pytest.raises(ValueError, match="Column 'odd' of X holds values that cannot be categories"):
        Categories.from_X(frame, ["odd"])
    with pytest.raises(ValueError, match="Column 1 of X holds values"):
        Categories.from_X(frame.to_numpy(), [1])


# Codes


@pytest.mark.parametrize(
    "X",
    [
        np.array([[1.0, 7.0], [3.0, 8.0]]),
        np.array([["1", 7], ["3", 8.0]], dtype=object),
        [["a", 7], ["b", 8]],
        [[True, 7], [None, 8]],
        np.array([["a", "7"], ["b", "8"]]),
    ],
    ids=["floats", "objects", "lists", "None", "text"],
)
def test_arrays_and_lists_are_read_as_frames_are(X):
    categories = Categories.from_X(X, [0])
    assert len(categories.of_column) == 1
    assert_array_equal(categories.matrix(X)[:, 1], [7, 8])
    assert_array_equal(categories.matrix(X), Categories.from_X(pd.DataFrame(np.array(X, dtype=object)), [0]).matrix(X))


@pytest.mark.parametrize("value", [np.nan, 2.5, 0.0])
def test_floats_in_an_array_have_the_codes_of_their_order_and_others_none(value):
    X = np.array([[3.0], [1.0], [np.nan], [-2.0]])
    assert_array_equal(codes(np.array([[1.0], [value], [3.0]]), X, [0]), [1, UNKNOWN, 2])


def test_a_column_may_mix_types():
    X = in_pandas(["b", 2, "a", 1, None, 1.5, True], object)
    categories = Categories.from_X(X, ["color"])
    found = categories.matrix(X)[:, 0]
    assert sorted({*found} - {UNKNOWN}) == [0, 1, 2, 3, 4]
    assert found[4] == UNKNOWN


@pytest.mark.parametrize("value", ["green", "", np.nan, None, pd.NA], ids=repr)
def test_an_unseen_category_gives_no_error(value):
    assert codes(in_pandas([value], object), in_pandas(["red", "blue"])) == UNKNOWN


@pytest.mark.parametrize("value", [0, 1, True, ("red",)], ids=repr)
def test_an_unseen_category_of_a_type_that_fit_did_not_see_is_an_error_if_no_other_value_is_known(value):
    with pytest.raises(ValueError, match=r"Column 'color' of X holds values of type .* In fit it held values of type str"):
        codes(in_pandas([value], object), in_pandas(["red", "blue"]))
    assert_array_equal(codes(in_pandas([value, "red"], object), in_pandas(["red", "blue"])), [UNKNOWN, 1])


def test_a_category_is_known_by_its_value_in_another_type_of_column():
    fitted_on = in_pandas(["red", "blue"], "category")
    for X in (in_pandas(["blue"], object), in_pandas(["blue"], "string"), np.array([["blue"]]), [["blue"]]):
        assert codes(X, fitted_on) == 0
    assert codes(in_pandas([1], "category"), in_pandas([0.0, 1.0]), [0]) == 1
    assert codes(in_pandas([1]), in_pandas([True, False])) == 1


@pytest.mark.parametrize("missing", MISSING.values(), ids=MISSING)
@pytest.mark.parametrize("beside", ["red", None], ids=["with categories", "numbers only"])
def test_missing_numbers_are_nan(missing, beside):
    X = pd.DataFrame({"a": pd.Series([1.5, missing, 2], dtype=object), "b": [1.0, 2.0, 3.0], "color": beside})
    matrix = Categories({2: ["red"]}).matrix(X)
    assert_array_equal(matrix, np.column_stack([[1.5, np.nan, 2], [1, 2, 3], [0 if beside else UNKNOWN] * 3]))


@pytest.mark.parametrize("dtype", ["Int64", "Float32", "boolean", "UInt8"])
def test_missing_values_of_pandas_number_types_are_nan(dtype):
    X = pd.DataFrame({"a": pd.array([1, None, 0], dtype=dtype), "color": "red"})
    assert_array_equal(Categories({1: ["red"]}).matrix(X)[:, 0], [1, np.nan, 0])


@pytest.mark.parametrize("columns", [["a"], ["a", "color"]], ids=str)
def test_reading_categorical_features_does_not_change_the_users_frame(columns):
    X = pd.DataFrame({"a": pd.Series([1.5, pd.NA], dtype=object), "color": ["red", None]})[columns]
    before = X.copy()
    Categories.from_X(X, "from_dtype").matrix(X)
    assert nan_for_NA(X)["a"].tolist()[1] is not pd.NA
    pd.testing.assert_frame_equal(X, before)


def test_a_pickle_holds_the_categories_once_and_reads_the_same():
    categories = Categories({0: [f"color {i}" for i in range(1000)]})
    data = pickle.dumps(categories)
    assert len(data) < 1.2 * len(pickle.dumps(categories.of_column))
    X = in_pandas(["color 7", "other", None], object)
    assert_array_equal(pickle.loads(data).matrix(X), [[7], [UNKNOWN], [UNKNOWN]])
    assert_array_equal(categories.matrix(X), [[7], [UNKNOWN], [UNKNOWN]])
