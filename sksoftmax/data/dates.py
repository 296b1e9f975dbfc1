"""Columns of dates and of numbers with units, in types that hold them or as text: how they are found, and read as numbers.

A date becomes the days since 1970-01-01, in UTC if it has a zone, and each of its parts that varies (year, month, weekday, hour)
a column of its own. Text is a column of dates if all its values have one format, with a year of four digits, in which day and
month cannot be mistaken for each other, and a column of quantities such as "1,230", "12.3 %" or "$5" if all have the same units.
Decimals such as "12.3" are read too, but not "8001.0", nor "3.9" beside "3.10". All other text is left to be categories: a code
that is read as a number would lose its meaning.
"""

import re
from datetime import UTC, date, datetime, time
from itertools import islice, product
from numbers import Real
from typing import NamedTuple

import numpy as np

EPOCH, DAY = np.datetime64("1970-01-01", "us"), 86_400e6  # in microseconds
ISO = "iso"
CLOCKS = ("", " %H:%M", " %H:%M:%S")
DAYS = ("%d.%m.%Y", "%Y/%m/%d", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y")
MONTH_FIRST, DAY_FIRST = "%m/%d/%Y", "%d/%m/%Y"  # only one of them may fit
FORMATS = (ISO, *("".join(both) for both in product((*DAYS, MONTH_FIRST, DAY_FIRST), CLOCKS)))
YEAR = re.compile(r"(?<!\d)(?:1[89]|2[01])\d\d(?!\d)")
DATE_TYPES = ("date", "time", "duration", "period")  # how the names of types of dates and durations begin
UNITS = "%|°|kg|g|mg|lb|lbs|oz|km|m|cm|mm|mi|ft|ml|kWh|kW|hp|mph|GB|MB|TB|m²|USD|EUR|GBP|CHF"
DIGITS = r"(?:0|[1-9]\d*|[1-9]\d{0,2}(?:,\d{3})+)(?:\.\d+)?(?:e[+-]\d+)?"
QUANTITY = re.compile(rf"([+-]?) ?([$€£¥]?) ?({DIGITS}) ?({UNITS})?")
LONGEST = 40  # characters of a date or a quantity
N_TRIED = 7  # values whose formats and units are tried on the others


class Dates:
    """A column of dates: `form` is a format of text, or None for a type of dates; `parts` are the names of those that vary."""

    def __init__(self, form=None, parts=()):
        self.form, self.parts = form, parts

    @property
    def what(self):
        """What the column held in fit."""
        return "dates" if self.form is None else "dates in ISO format" if self.form == ISO else f"dates in the format {self.form}"

    def numbers(self, column):
        """The days since 1970-01-01 of each row, (n,); NaN for what is no date."""
        return days_of_type(column) if self.form is None else read_values(column, self.number)

    def number(self, value):
        """The days since 1970-01-01 of a text; NaN for what is no date."""
        return day_of(value, self.form) if is_text(value) else np.nan

    def with_parts(self, days):
        """The same with the parts that vary over these days."""
        known = days[~np.isnan(days)]
        return Dates(self.form, tuple(name for name, part in PARTS.items() if len(known) and np.ptp(part(known))))


class Quantities:
    """A column of text with numbers, between two units that may be empty."""

    form, parts = "", ()

    def __init__(self, before, after):
        self.before, self.after = before, after

    @property
    def what(self):
        """What the column held in fit."""
        return f"numbers as {self.before}1,000{self.after}" if self.before or self.after else "numbers as text"

    def numbers(self, column):
        """The number of each row, (n,); NaN for text that has other units."""
        return read_values(column, self.number)

    def with_parts(self, numbers):
        """The same: numbers have no parts."""
        return self

    def number(self, value):
        """The number in a text, NaN if it has other units. Without units a number is read too, and all text that Python reads."""
        found = quantity_of(value) if is_text(value) else None
        if found is not None:
            return found.number if found.units == (self.before, self.after) else np.nan
        return np.nan if self.before or self.after else plain_number(value)


class Quantity(NamedTuple):
    """A number in a text, and the units before and after it."""

    number: float
    units: tuple[str, str]


def read_values(column, number_of):
    """The numbers that `number_of` makes of a column's text and numbers, each distinct one once; NaN for all else."""
    values = column.tolist() if hasattr(column, "tolist") else column.to_list()
    numbers = {value: number_of(value) for value in set(filter(is_text_or_number, values))}
    return np.array([numbers[value] if is_text_or_number(value) else np.nan for value in values], dtype=np.float64)


def is_text_or_number(value):
    """Whether this is a string, or a number that is not a boolean."""
    return isinstance(value, str | Real) and not isinstance(value, bool)


def plain_number(value):
    """The number that Python reads from a text, NaN if it reads none; or a number itself."""
    try:
        return float(value)
    except ValueError:
        return np.nan


def is_text(value):
    """Whether this is a string."""
    return isinstance(value, str)


def year(days):
    """The year of each day."""
    return _months(days) // 12 + 1970


def month(days):
    """1 to 12."""
    return _months(days) % 12 + 1


def weekday(days):
    """0 for Monday to 6."""
    return (np.floor(days) + 3) % 7  # 1970-01-01 was a Thursday


def hour(days):
    """0 to 23."""
    return np.floor(days * 24 + 1e-6) % 24  # days are rounded


PARTS = {function.__name__: function for function in (year, month, weekday, hour)}


def _months(days):
    return np.floor(days).astype(np.int64).astype("datetime64[D]").astype("datetime64[M]").astype(np.float64)


def part_of(name, days):
    """A part of each day, (n,); NaN stays NaN."""
    known = ~np.isnan(days)
    result = np.full(len(days), np.nan)
    result[known] = PARTS[name](days[known])
    return result


def is_date_type(dtype):
    """Whether this dtype of NumPy, pandas, polars or Arrow means dates or durations."""
    return str(dtype).lower().startswith(DATE_TYPES)


def reader_of(distinct):
    """The `Dates` or `Quantities` that read these distinct values, none of them missing; None if they are neither."""
    if distinct and all(isinstance(value, date | time) for value in distinct):
        return Dates()
    if not distinct or not all(map(is_text, distinct)):
        return None
    return dates_of_text(distinct) or quantities_of(distinct)


def dates_of_text(distinct):
    """`Dates` with the format that all of these values have, or None if there is none, or if day and month may be mistaken."""
    if not all(len(value) <= LONGEST and YEAR.search(value) for value in distinct):
        return None
    for form in FORMATS:
        if are_dates(distinct, form):
            swapped = form.replace(MONTH_FIRST, DAY_FIRST)
            return Dates(form) if swapped == form or not are_dates(distinct, swapped) else None
    return None


def nearly_read(distinct, most_unread):
    """Find a reader that reads these texts except at most `most_unread` of them; return it and a list of the others.

    It tries the formats and units of a few of the texts, but not plain numbers. It returns None and an empty list if none fits.
    """
    for value in distinct[:: max(1, len(distinct) // N_TRIED)]:
        found = quantity_of(value)
        readers = [Dates(form) for form in FORMATS if are_dates([value], form)]
        if found is not None and (any(found.units) or "," in value):
            readers.append(Quantities(*found.units))
        for reader in readers:
            unread = list(islice((text for text in distinct if np.isnan(reader.number(text))), most_unread + 1))
            if len(unread) <= most_unread:
                return reader, unread
    return None, []


def are_dates(distinct, form):
    """Whether all of these values have this format."""
    return not any(np.isnan(day_of(value, form)) for value in distinct)


def quantities_of(distinct):
    """`Quantities` if all of these values have the same units, and units, separators or decimals show that they are not codes."""
    units = None
    for value in distinct:
        found = quantity_of(value)
        if found is None or found.units != (units or found.units):
            return None
        units = found.units
    is_marked = any(units) or any("," in value for value in distinct)
    return Quantities(*units) if is_marked or are_decimals(distinct) else None


def are_decimals(distinct):
    """Whether these numbers have fractions unlike those of codes: not only zeros, nor 0 at the end of some that are longer."""
    fractions = {value.partition(".")[2].partition("e")[0].strip() for value in distinct} - {""}
    is_padded = len(set(map(len, fractions))) > 1 and any(len(digits) > 1 and digits.endswith("0") for digits in fractions)
    return any(digits.strip("0") for digits in fractions) and not is_padded


def quantity_of(value):
    """The `Quantity` in this text; None if it is something else."""
    value = value.strip()
    found = QUANTITY.fullmatch(value) if len(value) <= LONGEST else None
    if found is None:
        return None
    number = float(found[1] + found[3].replace(",", ""))
    return Quantity(number, (found[2], found[4] or "")) if np.isfinite(number) else None


def day_of(value, form):
    """The days since 1970-01-01 of this text; NaN if it does not have this format."""
    try:
        if form == ISO:
            when = datetime.fromisoformat(value.strip()) if "-" in value else None
        else:
            when = datetime.strptime(value.strip(), form)
        when = None if when is None else naive(when)
    except (ValueError, OverflowError):
        return np.nan
    return np.nan if when is None else float((np.datetime64(when, "us") - EPOCH).astype(np.int64) / DAY)


def naive(when):
    """A time without a zone, in UTC; an hour of no day is one of 1970-01-01."""
    if isinstance(when, time):
        return datetime.combine(date(1970, 1, 1), when)
    return when.astimezone(UTC).replace(tzinfo=None) if getattr(when, "tzinfo", None) is not None else when


def days_of_type(column):
    """The days of a column whose type holds dates or durations, or of one of Python's dates; NaN for missing ones."""
    if str(column.dtype).lower().startswith("period"):
        column = column.dt.to_timestamp()
    if getattr(column.dtype, "tz", None) is not None:
        column = column.dt.tz_convert(None)
    values = column.to_numpy() if hasattr(column, "to_numpy") else np.asarray(column)
    if values.dtype.kind == "O":  # Python's own dates
        values = np.array(
            [naive(value) if isinstance(value, date | time) and value == value else None for value in values], "M8[us]"
        )
    is_missing = np.isnat(values)
    numbers = values.astype("m8[us]" if values.dtype.kind == "m" else "M8[us]").astype(np.int64) / DAY
    return np.where(is_missing, np.nan, numbers)
