"""Halves of exchanges find each other in any order, within bounds, and none is lost uncounted."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import events as room
from monitor.events import PATIENCE_SECONDS, Event, Events, Half
from monitor.records.exchange import Exchange
from monitor.records.framing import decode_exchange

REQUEST, RESPONSE = Half.REQUEST, Half.RESPONSE


def _event(id_: str, half: Half, at: float = 100.0, body: bytes = b"{}") -> Event:
    return Event(id_, half, at, b"content-type: application/json\r\n", body)


def _listening(max_body_bytes: int = 1000) -> tuple[Events, list[Exchange]]:
    found: list[Exchange] = []
    return Events(lambda _, payload: found.append(decode_exchange(payload)), max_body_bytes), found


@pytest.mark.parametrize("order", [(REQUEST, RESPONSE), (RESPONSE, REQUEST)])
def test_two_halves_are_an_exchange(order: tuple[Half, Half]) -> None:
    events, found = _listening()
    halves = {
        REQUEST: _event("a", REQUEST, 100.0, b'{"a": 1}'),
        RESPONSE: _event("a", RESPONSE, 100.5, b"[2]"),
    }
    assert [events.offer(halves[half], 101.0) for half in order] == ["waiting", "paired"]
    (one,) = found
    assert (one.prediction_id, one.started_at, one.duration_seconds) == ("a", 100.0, 0.5)
    assert (one.request_body, one.response_body) == (b'{"a": 1}', b"[2]")
    assert one.request_field(b"content-type") == b"application/json"
    events.acknowledge(Counter({("observed", ""): 1}))
    assert events.outcomes == {("observed", ""): 1}


def test_what_is_not_paired_is_counted() -> None:
    events, found = _listening(max_body_bytes=5)
    assert events.offer(_event("a b", REQUEST), 0.0) == "bad_id"
    assert events.offer(_event("a", REQUEST, body=b"123456"), 0.0) == "size"
    assert events.offer(_event("a", REQUEST), 0.0) == "waiting"
    assert events.offer(_event("a", REQUEST), 1.0) == "repeated"
    events.expire(PATIENCE_SECONDS)
    assert ("dropped", "unpaired") not in events.outcomes
    events.expire(PATIENCE_SECONDS + 1.0)
    assert events.outcomes == {
        ("skipped", "bad_id"): 1,
        ("skipped", "size"): 1,
        ("skipped", "repeated"): 1,
        ("dropped", "unpaired"): 1,
    }
    assert not found


def test_the_oldest_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_WAITING", 3)
    monkeypatch.setattr(room, "MAX_WAITING_BYTES", 20)
    events, found = _listening()
    for index in range(5):
        events.offer(_event(f"{index}", REQUEST), 0.0)
    assert events.outcomes == {("dropped", "crowded"): 2}
    events.offer(_event("big", REQUEST, body=bytes(18)), 0.0)
    assert events.outcomes == {("dropped", "crowded"): 4}
    assert events.offer(_event("4", RESPONSE), 0.0) == "paired"
    assert len(found) == 1


@given(st.permutations([(id_, half) for id_ in "abc" for half in Half]))
def test_any_order_gives_the_same_exchanges(order: list[tuple[str, Half]]) -> None:
    events, found = _listening()
    for id_, half in order:
        events.offer(_event(id_, half, body=f"{id_}{half}".encode()), 1.0)
    told = {(one.prediction_id, one.request_body, one.response_body) for one in found}
    assert told == {(i, f"{i}request".encode(), f"{i}response".encode()) for i in "abc"}
    assert events._waiting_bytes == 0
