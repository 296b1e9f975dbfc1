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
    "ISO text": WHEN.astype(str),
    "text of days": WHEN.dt.strftime("%d.%m.%Y %H:%M"),
    "text with months": WHEN.dt.strftime("%d %B %Y %H:%M:%S"),
    "objects": pd.Series([when.to_pydatetime() for when in WHEN], dtype=object),
}


@pytest.mark.parametrize("when", DATES.values(), ids=list(DATES))
def test_dates_of_every_form_become_the_days_and_the_parts_that_vary(when):
    frame = pd.DataFrame({"when": when, "length": FRAME["length"]})
    clf = SoftmaxMLPClassifier(random_state=0, max_iter=20, n_bins=0).fit(frame, LATE)
    assert clf.encoded_feature_names_.tolist()[:4] == ["when", "length", "when_month", "when_weekday"]
    assert clf.encoded_feature_names_[4] == "when_hour"
    assert clf.score(frame, LATE) == 1
    assert clf.relevance_.shape == (2,)
    assert clf.predict(frame.iloc[:1]) == LATE[0]


def test_dates_in_polars_and_in_arrays_of_objects_are_read_too():
    X = pl.DataFrame({"when": WHEN.to_list(), "day": WHEN.dt.date.to_list(), "clock": WHEN.dt.time.to_list()})
    X = X.with_columns(wait=pl.col("when") - pl.col("when").first())
    clf = small(n_bins=0).fit(X, LATE)
    assert {"when_hour", "day_weekday", "clock_hour", "wait"} <= set(clf.encoded_feature_names_)
    objects = np.column_stack([WHEN.astype(str).to_numpy(dtype=object), FRAME["length"].to_numpy(dtype=object)])
    assert "x0_hour" in small(n_bins=0).fit(objects, LATE).encoded_feature_names_


def test_a_missing_date_and_text_that_is_none_are_missing_unless_unknown_values_are_refused():
    frame = pd.DataFrame({"when": WHEN.astype(str), "length": FRAME["length"]})
    clf = small().fit(frame.assign(when=frame["when"].where(frame.index > 5)), LATE)
    assert "missingindicator_when" in clf.encoded_feature_names_
    later = frame.assign(when=frame["when"].where(frame.index % 2 > 0, "soon"))
    assert np.isfinite(clf.predict_proba(later)).all()
    assert np.isfinite(clf.predict_proba(later[:1])).all()
    assert "dates in ISO format" in clf.summary()
    with pytest.raises(ValueError, match="'when' of X held dates in ISO format in fit; 'soon' is something else"):
        clf.set_params(handle_unknown="error").predict(later)
    with pytest.raises(ValueError, match=r"'when' of X held dates in ISO format in fit; 3\.5 is something else"):
        clf.set_params(handle_unknown="ignore").predict(frame.assign(when=3.5))


def test_columns_of_dates_that_categorical_features_names_are_categories():
    clf = small(categorical_features=["from_dtype", "when"]).fit(FRAME.assign(when=WHEN.dt.strftime("%Y-%m-01")), y)
    assert "when" in clf.categories_


def test_the_users_relevance_of_a_date_is_that_of_its_parts():
    frame = pd.DataFrame({"when": WHEN, "length": FRAME["length"]})
    clf = small(relevance=[0, 1], n_bins=0).fit(frame, LATE)
    assert set(clf.unused_columns_) == {"when"}
    assert clf.relevance_.tolist() == [0, 1]


def test_onnx_refuses_dates_with_advice():
    pytest.importorskip("skl2onnx")
    from sksoftmax.onnx import to_onnx

    frame = pd.DataFrame({"when": WHEN.astype(str), "length": FRAME["length"]})
    with pytest.raises(ValueError, match="ONNX has no way to read dates in ISO format: turn columns"):
        to_onnx(small().fit(frame, LATE), frame)


@pytest.mark.parametrize("values", [WHEN, WHEN.astype(str)], ids=["dates", "text"])
def test_a_column_of_X_that_gives_no_input_is_told_by_name(values):
    frame = pd.DataFrame({"when": pd.concat([values] * 3, ignore_index=True), "length": np.tile(FRAME["length"], 3)})
    frame["when"] = [f"{value} {row}" for row, value in enumerate(frame["when"])]  # 360 values, each in one row
    with pytest.warns(UserWarning, match=r"'when'.*360"):
        clf = small(categorical_features=["when"]).fit(frame, np.tile(y, 3))
    assert not any("when" in name for name in clf.encoded_feature_names_)


def test_X_without_any_column_that_gives_an_input_is_refused():
    frame = pd.DataFrame({"when": [f"{day} at noon" for day in pd.date_range("2024-01-01", periods=300)]})
    with pytest.raises(ValueError, match=r"X.*'when'"):
        small(categorical_features=["when"]).fit(frame, np.arange(300) % 2)


LENGTHS = FRAME["length"].round(2)


@pytest.mark.parametrize("later", [LENGTHS, LENGTHS.astype(str), LENGTHS.astype(object)], ids=["floats", "text", "objects"])
def test_decimals_as_text_are_learned_as_numbers_and_read_later_as_text_or_numbers(later):
    as_text, as_numbers = pd.DataFrame({"length": LENGTHS.astype(str)}), pd.DataFrame({"length": LENGTHS})
    clf = small().fit(as_text, y)
    assert "length: numbers as text" in clf.summary()
    np.testing.assert_array_equal(
        clf.predict_proba(pd.DataFrame({"length": later})), small().fit(as_numbers, y).predict_proba(as_numbers)
    )


def test_integers_as_text_are_categories_with_a_warning_that_naming_the_column_ends():
    codes = FRAME.assign(code=(np.arange(N) % 60).astype(str))
    with pytest.warns(UserWarning, match=r"'code' of X holds numbers as text .* \['from_dtype', 'code'\]"):
        assert "code" in small().fit(codes, y).categories_
    small(categorical_features=["from_dtype", "code"]).fit(codes, y)
