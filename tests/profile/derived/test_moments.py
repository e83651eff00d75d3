"""Moments in time: what they are read from, and which of their parts can say something."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from monitor.profile.derived.derivation import INVALID, MISSING, PRESENT
from monitor.profile.derived.moments import DAY, MomentParts, fit
from monitor.profile.values import Coded

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)  # a Monday
SECONDS = NOON.timestamp()
ALL = MomentParts(("hour", "weekday", "age"))


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-02T12:00:00Z", "2026-03-02 12:00", "20260302T120000", "2026-03-02T13:00:00+01:00",
        "2026-03-02T12:00:00.000000000", SECONDS, SECONDS * 1e3, SECONDS * 1e6, SECONDS * 1e9,
    ],
)  # fmt: skip
def test_one_moment_in_many_forms(value: object) -> None:
    found = ALL.derive([value], np.array([SECONDS + 3 * DAY]))
    assert found.states.tolist() == [PRESENT]
    assert np.asarray(found.parts["hour"]).tolist() == [12]
    assert list(found.parts["weekday"]) == ["Monday"]
    assert np.asarray(found.parts["age"])[0] == pytest.approx(3)


def test_what_is_no_moment_is_missing_or_invalid() -> None:
    values = [None, "", "NaT", float("nan"), "soon", 3, True, [1], "10:00", "2026-13-01"]
    found = ALL.derive(values, np.zeros(len(values)))
    assert found.states.tolist() == [MISSING] * 4 + [INVALID] * 6
    for part in found.parts.values():
        assert all(value is None or value != value for value in part)  # noqa: PLR0124 - NaN


def test_hours_and_weekdays_are_the_calendars() -> None:
    random = np.random.default_rng(0)
    moments = [NOON + dt.timedelta(seconds=int(s)) for s in random.integers(-(10**9), 10**9, 500)]
    found = ALL.derive([one.isoformat() for one in moments], None)
    assert np.asarray(found.parts["hour"]).tolist() == [one.hour for one in moments]
    assert list(found.parts["weekday"]) == [one.strftime("%A") for one in moments]
    assert "age" not in found.parts  # no one said when the rows came


def _texts(seconds: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[str]:
    return [dt.datetime.fromtimestamp(s, dt.UTC).isoformat() for s in seconds.tolist()]


def test_only_parts_that_can_say_something_are_watched() -> None:
    random = np.random.default_rng(0)
    at = SECONDS + np.arange(1000.0)
    anywhere = SECONDS + random.uniform(0, 60 * DAY, 1000)
    days = np.floor(anywhere / DAY) * DAY
    assert fit(_texts(anywhere), at).parts == ("hour", "weekday", "age")
    assert fit(_texts(anywhere), None).parts == ("hour", "weekday")
    assert fit(_texts(days), None).parts == ("weekday",)  # all at midnight
    assert fit(_texts(SECONDS + random.uniform(0, 5 * DAY, 1000)), None).parts == ("hour",)
    assert fit(_texts(SECONDS + random.uniform(0, DAY, 1000)), None).parts == ()


def test_of_moments_that_follow_the_clock_only_the_age_is_watched() -> None:
    random = np.random.default_rng(0)
    at = SECONDS + np.arange(1000.0) * 6000  # some weeks
    behind = at - random.uniform(0, 3600 * 5, 1000)
    assert fit(_texts(behind), at).parts == ("age",)
    assert fit(_texts(at), None).parts == ()  # a log in its own order
    assert fit(Coded(np.zeros(1000, np.int64), _texts(at[:1])), at).parts == ("age",)
    assert fit(["2026-03-02"] * 5, None).parts == ()
