"""Token buckets: over any history, no more than burst + rate × time, plus the last body's debt."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.api.rates import MAX_CLIENTS, RateLimit, Room

_posts = st.lists(st.tuples(st.floats(0, 100), st.integers(1, 500)), max_size=60)


@given(_posts)
def test_what_is_let_in_is_bounded(posts: list[tuple[float, int]]) -> None:
    limit, now, before_last, total = RateLimit(rate=10, burst=50), 0.0, 0, 0
    for ahead, units in posts:
        now += ahead
        if limit.wait_seconds("a", now) == 0:
            before_last = total
            limit.charge("a", units, now)
            total += units
            assert before_last <= 50 + 10 * now + 1e-6


@given(_posts)
def test_the_wait_that_is_told_is_enough(posts: list[tuple[float, int]]) -> None:
    limit, now = RateLimit(rate=10, burst=50), 0.0
    for ahead, units in posts:
        now += ahead
        limit.charge("a", units, now)
        wait = limit.wait_seconds("a", now)
        assert limit.wait_seconds("a", now + wait) < 1e-9


def test_clients_do_not_pay_for_each_other() -> None:
    limit = RateLimit(rate=1, burst=1)
    limit.charge("a", 100, 0.0)
    assert limit.wait_seconds("a", 0.0) == 99
    assert limit.wait_seconds("b", 0.0) == 0


def test_a_clock_that_goes_back_gives_nothing() -> None:
    limit = RateLimit(rate=1, burst=1)
    limit.charge("a", 11, 100.0)
    assert limit.wait_seconds("a", 50.0) == 10


def test_so_many_clients_and_no_more_are_kept() -> None:
    limit = RateLimit(rate=1, burst=1)
    for i in range(MAX_CLIENTS + 1):
        limit.charge(str(i), 5, 0.0)
    assert limit.wait_seconds("0", 0.0) == 0, "the oldest is forgotten"
    assert limit.wait_seconds("1", 0.0) == 4


def test_room_is_given_back() -> None:
    room = Room(10)
    with room.hold() as first, room.hold() as second:
        assert first(6)
        assert not second(5)
        assert second(4)
        assert not first(1)
    with room.hold() as again:
        assert again(10)
