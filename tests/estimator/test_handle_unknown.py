"""Categories that fit did not see, and the parameter handle_unknown."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from support.estimators import small


def towns(values, n=200):
    """A frame with a column of categories, and a y that depends on it alone."""
    code = np.random.default_rng(0).integers(0, 4, n)
    return pd.DataFrame({"zip": np.array(values, dtype=object)[code], "noise": np.zeros(n)}), (code > 1).astype(int)


TEXT, NUMBERS = ["10115", "20095", "50667", "80331"], [10115, 20095, 50667, 80331]
CHANGES = {
    "str to int": lambda X: X.astype({"zip": int}),
    "str to float": lambda X: X.astype({"zip": float}),
    "str to nullable int": lambda X: X.astype({"zip": int}).astype({"zip": "Int64"}),
    "str to category of int": lambda X: X.astype({"zip": int}).astype({"zip": "category"}),
    "str to bytes": lambda X: X.assign(zip=[value.encode() for value in X["zip"]]),
    "str to polars int": lambda X: pl.DataFrame({"zip": X["zip"].astype(int).to_list(), "noise": X["noise"].to_list()}),
}


def assert_names_column_and_types(error, *types):
    message = str(error.value)
    assert "zip" in message
    for name in types:
        assert name in message


@pytest.mark.parametrize("change", CHANGES)
def test_a_categorical_column_of_another_type_than_in_fit_is_refused(change):
    X, y = towns(TEXT)
    clf = small().fit(X, y)
    with pytest.raises(ValueError) as error:
        clf.predict(CHANGES[change](X))
    assert_names_column_and_types(error, "str", change.split()[-1] if change != "str to nullable int" else "int")


def test_a_named_categorical_column_of_numbers_that_became_text_is_refused():
    X, y = towns(NUMBERS)
    clf = small(categorical_features=["zip"]).fit(X, y)
    clf.predict(X.astype({"zip": float}))  # equal numbers are the same category
    with pytest.raises(ValueError) as error:
        clf.predict(X.astype(str))
    assert_names_column_and_types(error, "int", "str")


def test_a_categorical_column_of_an_array_that_changes_type_is_refused():
    X, y = towns(TEXT)
    clf = small(categorical_features=[0]).fit(X.to_numpy(dtype=object), y)
    with pytest.raises(ValueError, match=r"(?i)column 0.*int"):
        clf.predict(X.astype({"zip": int}).to_numpy(dtype=object))


def test_a_categorical_column_that_changes_type_is_refused_in_partial_fit_and_X_val():
    X, y = towns(TEXT)
    changed = CHANGES["str to int"](X)
    with pytest.raises(ValueError, match=r"zip.*int.*str"):
        small().partial_fit(X, y, classes=[0, 1]).partial_fit(changed, y)
    with pytest.raises(ValueError, match=r"In X_val.*zip"):
        small(early_stopping=True).fit(X, y, X_val=changed, y_val=y)


def test_a_categorical_column_that_changes_type_is_refused_but_unknown_and_missing_categories_of_its_type_are_not():
    X, y = towns(TEXT)
    clf = small().fit(X, y)
    for value in ("99999", None):
        clf.predict(X.assign(zip=pd.Series([value] * len(X), dtype=object)))
    clf.predict(X.assign(zip=[10115, *X["zip"][1:]]))  # one number among known text
    with pytest.raises(ValueError):
        clf.predict(CHANGES["str to int"](X))


@pytest.mark.parametrize("value", ["10115 ", "Berlin"])
def test_handle_unknown_error_refuses_an_unknown_category_and_names_it(value):
    X, y = towns(TEXT)
    clf = small(handle_unknown="error").fit(X, y)
    clf.predict(X)
    with pytest.raises(ValueError, match=rf"zip.*{value}"):
        clf.predict(X.assign(zip=[value, *X["zip"][1:]]))


def test_handle_unknown_error_promises_to_ignore_only_what_it_would():
    X, y = towns(TEXT)
    clf = small(handle_unknown="error").fit(X, y)
    with pytest.raises(ValueError, match=r"1 category that fit did not see: 'Bonn' .*handle_unknown='ignore' accepts it\."):
        clf.predict(X.assign(zip="Bonn"))
    with pytest.raises(ValueError, match=r"2 categories .* 'Bonn', 'Trier' .*handle_unknown='ignore' accepts them\."):
        clf.predict(X.assign(zip=["Bonn", "Trier"] * 100))
    with pytest.raises(ValueError, match=r"type int.*In fit it held values of type str") as error:
        clf.predict(X.assign(zip=1))
    assert "ignore" not in str(error.value)


def test_handle_unknown_takes_only_what_it_knows():
    X, y = towns(TEXT)
    with pytest.raises(ValueError, match="handle_unknown"):
        small(handle_unknown="raise").fit(X, y)
