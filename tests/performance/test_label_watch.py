"""When labels stay away: told where it is no chance, and never for a night without traffic."""

from __future__ import annotations

import pytest

from monitor.performance.labels import MOST_PANES, LabelWatch
from monitor.records.label import Joined, Label, Prediction

HOUR, DAY = 3600.0, 86_400.0


def joined(at: float, received: float) -> Joined:
    prediction = Prediction("p", 0, at, 1.0)
    return Joined(prediction, Label("p", 0, 1.0, received, received))


def traffic(
    watch: LabelWatch, start: float, end: float, rows: int = 10, delay: float | None = None
) -> None:
    """Predictions each minute, with their labels `delay` later."""
    at = start
    while at < end:
        watch.predicted(at, rows)
        if delay is not None and at - delay >= start:
            watch.joined([joined(at - delay, at)] * rows)
        at += 60.0


def test_labels_that_stop_are_missed_after_twice_their_delay() -> None:
    watch = LabelWatch()
    traffic(watch, 0.0, 4 * HOUR, delay=HOUR)
    assert watch.overdue(4 * HOUR) is None
    traffic(watch, 4 * HOUR, 8 * HOUR)
    silent = [hour for hour in range(4, 9) if watch.overdue(hour * HOUR) is None]
    found = watch.overdue(8 * HOUR)
    assert silent == [4, 5, 6]
    assert found is not None
    assert found.last_at == pytest.approx(4 * HOUR, abs=61)
    assert found.wait_seconds == pytest.approx(2 * HOUR + 600, rel=0.02)


def test_a_night_without_traffic_makes_nothing_overdue() -> None:
    watch = LabelWatch()
    traffic(watch, 0.0, 4 * HOUR, delay=600.0)
    assert all(watch.overdue(4 * HOUR + quarter * 900.0) is None for quarter in range(2, 48))
    traffic(watch, 16 * HOUR, 17 * HOUR, delay=600.0)
    assert watch.overdue(17 * HOUR) is None


def test_labels_of_a_nightly_batch_are_waited_for_and_then_missed() -> None:
    watch = LabelWatch()
    for day in range(4):
        traffic(watch, day * DAY, (day + 1) * DAY, rows=1)
        assert watch.overdue((day + 1) * DAY) is None
        late = (day + 1) * DAY
        watch.joined([joined(day * DAY + 60.0 * i, late) for i in range(0, 1440, 10)])
    traffic(watch, 4 * DAY, 7 * DAY, rows=1)
    quiet = [day for day in range(4, 8) if watch.overdue(day * DAY) is None]
    assert quiet == [4, 5, 6]  # the last batch came as day 4 began; two days and more are normal


def test_few_labels_of_many_predictions_are_expected_in_their_proportion() -> None:
    watch = LabelWatch()
    traffic(watch, 0.0, 10 * HOUR, rows=10)
    watch.joined([joined(at * 100.0, at * 100.0 + 10) for at in range(300, 360)])  # 1 % of 6000
    traffic(watch, 10 * HOUR, 12 * HOUR, rows=10)
    assert watch.overdue(12 * HOUR) is None  # a dozen labels at most are missing
    traffic(watch, 12 * HOUR, 24 * HOUR, rows=10)
    assert watch.overdue(24 * HOUR) is not None


def test_none_ever_came() -> None:
    silent, told, first = LabelWatch(), LabelWatch(HOUR), LabelWatch(None, DAY)
    for watch in (silent, told, first):
        traffic(watch, 0.0, 2 * DAY)
    assert silent.overdue(2 * DAY) is None  # nobody has said that there are labels
    for watch, wait in ((told, HOUR), (first, DAY)):
        assert watch.overdue(wait) is None
        found = watch.overdue(2 * DAY)
        assert found is not None
        assert (found.last_at, found.wait_seconds) == (None, wait)


def test_its_state_outlives_the_process_and_stays_bounded() -> None:
    watch = LabelWatch()
    traffic(watch, 0.0, 4 * HOUR, delay=600.0)
    traffic(watch, 4 * HOUR, 100 * HOUR)
    document = watch.to_document()
    assert len(document["panes"]) <= MOST_PANES
    assert sum(rows for _, rows in document["panes"]) == pytest.approx(96 * 600, abs=600)
    later = LabelWatch()
    later.restore(document)
    assert later.overdue(100 * HOUR) == watch.overdue(100 * HOUR) is not None
    later.joined([joined(0.0, 1.0)], restored=True)
    assert later.to_document() == document
    later.restore(None)
    for wrong in ({}, {"format": 2}, {"format": 1, "last": None, "delays": 3}):
        with pytest.raises(ValueError, match="label watch"):
            LabelWatch().restore(wrong)
