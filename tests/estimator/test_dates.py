"""Columns of dates, and columns that give the network no input."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sksoftmax import SoftmaxMLPClassifier
from support.quick_fits import FRAME, N, small, y

WHEN = pd.Series(pd.date_range("2024-01-01", periods=N, freq="7h"))
LATE = (WHEN.dt.hour >= 12).astype(int).to_numpy()


def test_from_dtype_and_named_columns_stand_together_in_categorical_features():
    frame = FRAME.assign(day=WHEN.dt.day_of_week)
    clf = small(categorical_features=["from_dtype", "day"]).fit(frame, y)
    names = [name for name in clf.encoded_feature_names_ if "bin" not in name]
    assert names == ["length", "color_blue", "color_green", "color_red", *(f"day_{day}" for day in range(7))]
    assert clf.score(frame, y) > 0.5


@pytest.mark.parametrize(
    ("X", "named"), [(FRAME.assign(day=1), [2]), (FRAME, np.array(["from_dtype"], dtype=object))], ids=["positions", "array"]
)
def test_from_dtype_in_a_list_of_categorical_features_takes_positions_and_arrays_too(X, named):
    named = ["from_dtype", *named] if isinstance(named, list) else named
    assert "color_red" in small(categorical_features=named).fit(X, y).encoded_feature_names_


def test_categorical_features_that_leave_text_out_say_how_to_add_from_dtype():
    frame = FRAME.assign(day=WHEN.dt.day_of_week)
    with pytest.raises(ValueError, match=r"\['color'\].*categorical_features=\['from_dtype', 'day'\]"):
        small(categorical_features=["day"]).fit(frame, y)


DATES = {
    "naive": WHEN,
    "with a zone": WHEN.dt.tz_localize("UTC"),
    "of seconds": WHEN.astype("datetime64[s]"),
    "as objects": WHEN.astype(object),
    "periods": WHEN.dt.to_period("h"),
}


def after_the_advice(X, labels):
    """X after the statements in the error of a fit on it."""
    with pytest.raises(ValueError, match="in fit and predict alike") as error:
        SoftmaxMLPClassifier().fit(X, labels)
    names = {"X": X, "pd": pd, "pl": pl}
    exec(re.search(r"predict alike: (X.*) \([^()]*(\(\)[^()]*)?\)$", str(error.value))[1], names)
    return names["X"]


@pytest.mark.parametrize("when", DATES.values(), ids=list(DATES))
def test_dates_in_X_are_refused_with_the_line_that_encodes_them(when):
    X = after_the_advice(FRAME.assign(when=when), LATE)
    assert SoftmaxMLPClassifier(random_state=0).fit(X, LATE).score(X, LATE) == 1


@pytest.mark.parametrize("name", ["when", "class", "self", "the day", "it's", 3])
def test_the_line_that_encodes_dates_and_durations_works_for_every_name_and_for_several_columns(name):
    values = {name: WHEN, "date": WHEN.dt.date, "period": WHEN.dt.to_period("D"), "wait": WHEN - WHEN[0], f"{name}_month": LATE}
    X = pd.DataFrame(values)
    if name == 3:
        X.columns = range(3, 8)
    encoded = after_the_advice(X, LATE)
    assert encoded.shape == (N, 2 + 3 * 5)
    np.testing.assert_array_equal(encoded["7" if name == 3 else f"{name}_month"], LATE)
    small().fit(encoded, LATE)


def test_the_line_that_encodes_dates_and_durations_works_in_polars():
    X = pl.DataFrame({"self": WHEN.to_list(), "class": WHEN.dt.date.to_list()})
    encoded = after_the_advice(X.with_columns(wait=pl.col("self") - pl.col("self").first()), LATE)
    assert encoded.shape == (N, 5 + 4 + 1)
    assert SoftmaxMLPClassifier(random_state=0).fit(encoded, LATE).score(encoded, LATE) == 1


@pytest.mark.parametrize("values", [WHEN, WHEN.astype(str)], ids=["dates", "text"])
def test_a_column_of_X_that_gives_no_input_is_told_by_name(values):
    frame = pd.DataFrame({"when": pd.concat([values] * 3, ignore_index=True), "length": np.tile(FRAME["length"], 3)})
    frame["when"] = [f"{value} {row}" for row, value in enumerate(frame["when"])]  # 360 values, each in one row
    with pytest.warns(UserWarning, match=r"'when'.*360"):
        clf = small(categorical_features=["when"]).fit(frame, np.tile(y, 3))
    assert not any("when" in name for name in clf.encoded_feature_names_)


def test_X_without_any_column_that_gives_an_input_is_refused():
    frame = pd.DataFrame({"when": pd.date_range("2024-01-01", periods=300)})
    with pytest.raises(ValueError, match=r"X.*'when'"):
        small(categorical_features=["when"]).fit(frame, np.arange(300) % 2)
