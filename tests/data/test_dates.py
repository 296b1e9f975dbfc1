"""Readers of dates and of quantities: which text they take, and the numbers that they make."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksoftmax.data.dates import Dates, Quantities, day_of, part_of, quantity_of, reader_of

DAYS = pd.to_datetime(["1969-12-31 23:59:59", "1970-01-01 00:00:00", "2000-02-29 12:30:00", "2024-12-31 23:00:00"])
NUMBERS = (DAYS - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2024-01-31", "iso"),
        ("2024-01-31T10:20:30+02:00", "iso"),
        ("31.01.2024", "%d.%m.%Y"),
        ("01/31/2024 10:20", "%m/%d/%Y %H:%M"),
        ("31/01/2024", "%d/%m/%Y"),
        ("31 January 2024", "%d %B %Y"),
        ("Jan 31, 2024", "%b %d, %Y"),
    ],
)
def test_text_of_dates_is_read_by_its_format(text, form):
    found = reader_of([text])
    assert isinstance(found, Dates) and found.form == form
    assert np.isfinite(found.numbers(np.array([text], dtype=object))).all()


@pytest.mark.parametrize(
    "values",
    [
        ["1-2", "3-5", "10-19"],
        ["2024", "2023"],
        ["20240101"],
        ["red", "blue"],
        ["1", "2"],
        ["3.9", "3.10"],
        ["8001.0", "8002.0"],
        ["1e+400", "1.5"],
        ["12e4", "1.5"],
        ["2024-01-01", "red", "blue"],
        ["A1", "B2"],
        ["10L", "12L"],
        ["007 kg", "7 kg"],
        ["4711-03-01"],
        ["2021.1.5"],
        ["01/02/2024", "03/04/2024"],
        ["2024-01-01", "never"],
        ["9" * 400 + "%"],
        [" " * 3000 + "5" + " " * 3000 + "!"],
        ["0001-01-01T00:00:00+01:00"],
        ["1st", "2nd"],
        ["3 rooms of 4"],
        [1, "2024-01-01"],
        [],
    ],
    ids=lambda values: str(values)[:30],
)
def test_ranges_years_codes_and_words_are_categories(values):
    assert reader_of(values) is None


def test_later_text_that_is_no_date_is_missing():
    values = [f"2024-01-{day:02}" for day in range(1, 31)]
    numbers = reader_of(values).numbers(np.array([*values, "unknown", None], dtype=object))
    assert np.isnan(numbers[-2:]).all() and np.isfinite(numbers[:-2]).all()


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (["1,230", "4", "-1,000,000.5"], [1230, 4, -1000000.5]),
        (["12.3 %", "0.5 %"], [12.3, 0.5]),
        (["-$5", "$1,000"], [-5, 1000]),
        (["10kg", "2.5kg"], [10, 2.5]),
        (["101.2", "98", "-0.5"], [101.2, 98, -0.5]),
        (["1.5e+20", "1e-05"], [1.5e20, 1e-5]),
        (["0.0", "-0.0", "0", "2.25"], [0, 0, 0, 2.25]),
        (["1.50", "2.25", "3"], [1.5, 2.25, 3]),
    ],
    ids=str,
)
def test_numbers_with_one_unit_or_separators_are_read(values, numbers):
    found = reader_of(values)
    assert isinstance(found, Quantities)
    assert_array_equal(found.numbers(np.array([*values, "5 miles", None], dtype=object)), [*numbers, np.nan, np.nan])


def test_numbers_without_units_are_read_later_in_any_spelling():
    later = np.array(["1.25E+00", "0001.25", "1.25" + 60 * "0", ".5", 1.25, 1, "unknown", None, True], dtype=object)
    expected = [1.25, 1.25, 1.25, 0.5, 1.25, 1, np.nan, np.nan, np.nan]
    assert_array_equal(reader_of(["1.25", "2.5"]).numbers(later), expected)
    assert np.isnan(reader_of(["$1.25", "$2.5"]).numbers(later)).all()
    assert np.isnan(reader_of(["2024-01-31"]).numbers(later)).all()


@pytest.mark.parametrize("text", ["12 % off", "1,23", "5 $", "", "five"])
def test_text_that_is_no_quantity_is_none(text):
    assert quantity_of(text) is None


@pytest.mark.parametrize(
    "column", [pd.Series(DAYS), pd.Series(DAYS.tz_localize("UTC")), DAYS.to_numpy()], ids=["naive", "zone", "array"]
)
def test_types_of_dates_become_days_since_1970(column):
    assert_allclose(Dates().numbers(column), NUMBERS, rtol=1e-12)


def test_zones_count_and_missing_dates_are_nan():
    assert day_of("2024-01-01T01:00:00+01:00", "iso") == day_of("2024-01-01", "iso")
    assert_array_equal(Dates().numbers(pd.Series([pd.NaT, DAYS[1]])), [np.nan, 0])


@pytest.mark.parametrize("name", ["year", "month", "weekday", "hour"])
def test_parts_of_days_are_those_of_pandas(name):
    expected = getattr(DAYS, {"weekday": "day_of_week"}.get(name, name))
    assert_array_equal(part_of(name, np.array([*NUMBERS, np.nan])), [*expected, np.nan])


def test_parts_that_do_not_vary_are_left_out():
    assert Dates().with_parts(np.array([0.0, 1.0, np.nan])).parts == ("weekday",)
    assert Dates().with_parts(np.array([np.nan])).parts == ()
