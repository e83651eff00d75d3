"""A window of panes is what brute force over its rows says, whatever the clock does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import StatisticsError
from monitor.windows import Window

HOUR, MINUTE = 3600.0, 60.0
ROWS = st.lists(st.tuples(st.floats(0, 3 * HOUR), st.integers(1, 9)), max_size=60)


@given(ROWS, st.floats(0, 4 * HOUR))
def test_the_total_is_that_of_the_rows_in_the_span(
    rows: list[tuple[float, int]], now: float
) -> None:
    window = Window(0, HOUR, MINUTE)
    for at, value in sorted(rows):
        window.total(min(at, now))
        assert window.add(at, value)
    start, end = window.span(now)
    assert end - start == HOUR
    assert start <= now < end
    # Rows ahead of the clock by a whole window are forgotten; none of them is inside anyway.
    assert window.total(now) == sum(value for at, value in rows if start <= at < end)
    assert window.total(now) == sum(value for at, value in rows if start <= at < end)


@given(ROWS, st.randoms())
def test_the_order_of_arrival_does_not_matter(
    rows: list[tuple[float, int]], random: object
) -> None:
    assert hasattr(random, "shuffle")
    one, other = Window(0, 3 * HOUR, MINUTE), Window(0, 3 * HOUR, MINUTE)
    shuffled = list(rows)
    random.shuffle(shuffled)
    for at, value in rows:
        one.add(at, value)
    for at, value in shuffled:
        other.add(at, value)
    assert one.total(3 * HOUR - 1) == other.total(3 * HOUR - 1)


def test_a_late_row_counts_in_its_own_pane_while_that_is_inside() -> None:
    window = Window(0, HOUR, MINUTE)
    window.add(10_000.0, 1)
    assert window.total(10_000.0) == 1
    assert window.add(10_000.0 - 59 * MINUTE, 2)
    assert window.total(10_000.0) == 3
    assert window.total(10_000.0 + MINUTE) == 1  # its pane has left


def test_a_row_older_than_the_window_is_refused_and_counted() -> None:
    window = Window(0, HOUR, MINUTE)
    window.total(10_000.0)
    assert not window.add(10_000.0 - HOUR - MINUTE, 2)
    assert window.refused == 1
    assert window.total(10_000.0) == 0


def test_the_clock_jumps_an_hour_back() -> None:
    window = Window(0, HOUR, MINUTE)
    for minute in range(60):
        window.add(100_000.0 + minute * MINUTE, 1)
    assert window.total(100_000.0 + 59 * MINUTE) == 60
    before = 100_000.0 - MINUTE
    assert window.total(before) == 0
    assert window.add(before, 1)
    assert window.total(before) == 1
    assert window.refused == 0
    assert 0 <= window.total(100_000.0 + 30 * MINUTE) <= 61


def test_the_clock_jumps_a_day_on_and_comes_back() -> None:
    window = Window(0, HOUR, MINUTE)
    window.add(0.0, 1)
    window.add(86_400.0, 5)  # one row from the wrong day
    assert window.total(30.0) == 1  # does not disturb the present
    assert len(window) == 1
    assert window.total(86_400.0) == 0
    assert window.total(60.0) == 0
    assert window.add(60.0, 2)
    assert window.total(60.0) == 2


def test_times_before_the_epoch_are_times_like_others() -> None:
    window = Window(0, 2 * MINUTE, MINUTE)
    assert window.add(-30.0, 1)
    assert window.total(10.0) == 1
    assert window.span(-30.0) == (-120.0, 0.0)


def test_panes_are_bounded_though_nobody_asks_for_a_total() -> None:
    window = Window(0, HOUR, MINUTE)
    for minute in range(10_000):
        assert window.add(minute * MINUTE, 1)
        assert len(window) <= 121
    assert window.total(9_999 * MINUTE) == 60


def test_a_pane_that_lasts_the_whole_window() -> None:
    window = Window(0, MINUTE, MINUTE)
    window.add(5.0, 1)
    assert window.total(59.0) == 1
    assert window.total(60.0) == 0


@pytest.mark.parametrize(("size", "pane"), [(60.0, 0.0), (60.0, 7.0), (30.0, 60.0), (60.0, -1.0)])
def test_a_window_is_a_whole_number_of_panes(size: float, pane: float) -> None:
    with pytest.raises(StatisticsError):
        Window(0, size, pane)
