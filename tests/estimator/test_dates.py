"""Columns of dates, and columns that give the network no input."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sksoftmax import SoftmaxMLPClassifier
from support.data import MIXED_FRAME as FRAME
from support.data import N_MIXED as N
from support.data import MIXED_y as y
from support.estimators import small

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
    "periods": WHEN.dt.to_period("h"),
}


@pytest.mark.parametrize("when", DATES.values(), ids=list(DATES))
def test_dates_in_X_are_refused_by_name_with_an_example_of_numbers(when):
    X = FRAME.assign(when=when, wait=WHEN - WHEN[0])
    with pytest.raises(ValueError, match=r"dates and durations in \['when', 'wait'\] into numbers .* X\['date'\]\.dt\.year"):
        small().fit(X, LATE)
    encoded = X.assign(hour=X["when"].dt.hour).drop(columns=["when", "wait"])
    assert SoftmaxMLPClassifier(random_state=0).fit(encoded, LATE).score(encoded, LATE) == 1


def test_dates_in_a_polars_frame_are_refused_by_name():
    X = pl.DataFrame({"self": WHEN.to_list(), "class": WHEN.dt.date.to_list()})
    X = X.with_columns(wait=pl.col("self") - pl.col("self").first())
    with pytest.raises(ValueError, match=r"\['self', 'class', 'wait'\] into numbers .* pl\.col\('date'\)\.dt\.year"):
        small().fit(X, LATE)


def test_dates_that_are_objects_are_refused_by_name():
    with pytest.raises(ValueError, match=r"\['when'\].*dates into days"):
        small().fit(FRAME.assign(when=WHEN.dt.date), LATE)


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
