"""Moments in time: their hour and weekday, and how old they are when a request holds them.

Where a moment stands on the calendar always moves, and says nothing. Where it follows the clock (a
time of the event, of the booking), its hour is the hour of the window, so only its age is watched;
where it does not (a birthday, a departure), hour and weekday are what can drift.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from monitor.profile.derived.derivation import INVALID, MISSING, PRESENT, Derived, Floats, each
from monitor.profile.values import Coded, Values
from monitor.schema import Kind

PARTS: Final = ("hour", "weekday", "age")
WEEKDAYS: Final = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
HOUR, DAY = 3600.0, 86_400.0

SPAN_FOR_HOURS = 2 * DAY
SPAN_FOR_WEEKDAYS = 14 * DAY
FOLLOWING_STEPS = 0.9  # share of rows no earlier than the row before: a log, in its own order
FOLLOWING_AGE = DAY  # the middle half of all ages within so much: it follows the clock
LEAST_MOMENTS = 10

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIRST_THURSDAY = 3  # 1 January 1970
_SHORTEST = len("20140102T")
# A number is a moment in the largest unit that makes it a year from 1973 to 5138.
_UNITS: Final = ((1e8, 1e11, 1.0), (1e11, 1e14, 1e-3), (1e14, 1e17, 1e-6), (1e17, 1e20, 1e-9))


@dataclass(frozen=True, slots=True)
class MomentParts:
    """Moments, and which of the parts can say something about them."""

    parts: tuple[str, ...]

    kind = Kind.DATETIME

    def derive(self, values: Values, at: Floats | None) -> Derived:
        """The chosen parts of each moment, in UTC."""
        states, seconds = each(values, _state_and_seconds, 2)
        found: dict[str, Values] = {}
        if "hour" in self.parts:
            found["hour"] = np.floor(seconds % DAY / HOUR)
        if "weekday" in self.parts:
            days = np.where(np.isnan(seconds), 0.0, np.floor(seconds / DAY)).astype(np.int64)
            codes = np.where(np.isnan(seconds), -1, (days + _FIRST_THURSDAY) % 7)
            found["weekday"] = Coded(codes, WEEKDAYS)
        if "age" in self.parts and at is not None:
            found["age"] = (at - seconds) / DAY
        return Derived(states.astype(np.int64), found)

    def document(self) -> Mapping[str, Any]:
        """Which parts."""
        return {"parts": list(self.parts)}


def seconds(values: Values) -> Floats:
    """Unix seconds of moments `[rows]`; NaN where there is none.

    >>> seconds(["1970-01-02", None, 1_700_000_000_000, "soon"]).tolist()
    [86400.0, nan, 1700000000.0, nan]
    """
    found: Floats = each(values, _state_and_seconds, 2)[1]
    return found


class Span:
    """The first and the last of many moments."""

    def __init__(self) -> None:
        self.found: tuple[int, int] | None = None  # whole Unix seconds around them

    def look(self, at: Sequence[float] | Floats | None) -> None:
        """Takes in some; those that are not known say nothing."""
        known = np.asarray([] if at is None else at, dtype=np.float64)
        known = known[np.isfinite(known)]
        if not len(known):
            return
        first, last = math.floor(known.min()), math.ceil(known.max())
        if self.found is not None:
            first, last = min(first, self.found[0]), max(last, self.found[1])
        self.found = first, last


def fit(values: Values, at: Floats | None) -> MomentParts:
    """The parts that can say something, from rows in the order in which they came."""
    found = seconds(values)
    known = ~np.isnan(found)
    moments = found[known]
    if len(moments) < LEAST_MOMENTS:
        return MomentParts(())
    follows = float(np.mean(np.diff(moments) >= 0)) >= FOLLOWING_STEPS
    parts: list[str] = []
    ages = np.zeros(0) if at is None else at[known] - moments
    ages = ages[~np.isnan(ages)]
    if len(ages) >= LEAST_MOMENTS:
        parts.append("age")
        low, high = np.quantile(ages, [0.25, 0.75])
        follows = follows or bool(high - low <= FOLLOWING_AGE)
    low, high = np.quantile(moments, [0.05, 0.95])
    hours = np.floor(moments % DAY / HOUR)
    if not follows and high - low >= SPAN_FOR_HOURS and hours.min() < hours.max():
        parts.append("hour")
    if not follows and high - low >= SPAN_FOR_WEEKDAYS:
        parts.append("weekday")
    return MomentParts(tuple(part for part in PARTS if part in parts))


def moment(text: str) -> float:
    """Unix seconds of an ISO 8601 text (UTC where it names no zone); NaN where it is none.

    >>> moment("1970-01-02"), moment("19700101T010000"), moment("1970-01-01T01:00:00+01:00")
    (86400.0, 3600.0, 0.0)
    >>> moment("12345678"), moment("May"), moment("10:00")
    (nan, nan, nan)
    """
    if "-" not in text and len(text) < _SHORTEST:
        return math.nan  # eight digits may be a number of anything
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return math.nan
    if found.tzinfo is None:
        found = found.replace(tzinfo=dt.UTC)
    return (found - _EPOCH).total_seconds()


def _state_and_seconds(value: object) -> tuple[float, float]:
    if isinstance(value, str):
        if not value or value == "NaT":
            return MISSING, math.nan
        seconds = moment(value)
        return (INVALID if math.isnan(seconds) else PRESENT), seconds
    if value is None:
        return MISSING, math.nan
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _since_epoch(value)
    return INVALID, math.nan


def _since_epoch(value: float) -> tuple[float, float]:
    """A number in seconds, milliseconds, microseconds or nanoseconds, by its size."""
    if not math.isfinite(value):
        return MISSING, math.nan
    for low, high, unit in _UNITS:
        if low <= value < high:
            return PRESENT, value * unit
    return INVALID, math.nan
