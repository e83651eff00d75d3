"""Requests and answers that come as events, one by one: paired by id into exchanges; no I/O.

A cluster whose traffic cannot be proxied can log it (KServe's logger): each half of an exchange is
an event of its own, in any order. What finds no other half in time is counted.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.records.exchange import Exchange
from monitor.records.framing import encode_exchange

MAX_WAITING = 10_000
MAX_WAITING_BYTES = 64 << 20
PATIENCE_SECONDS = 120.0
FRAME_PREFIX_BYTES = 5  # the observer takes a frame's payload

_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class Half(StrEnum):
    """Which side of an exchange an event holds."""

    REQUEST = "request"
    RESPONSE = "response"


@dataclass(frozen=True, slots=True)
class Event:
    """One half of an exchange."""

    id: str
    half: Half
    at: float  # Unix seconds
    fields: bytes  # field lines, each ended by CRLF
    body: bytes
    target: str = "/"


class Events:
    """Halves that wait for each other, bounded in number, bytes and time."""

    def __init__(self, arrived: Callable[[Events, bytes], None], max_body_bytes: int) -> None:
        """`arrived` takes each whole exchange, as a frame's payload, and who is told its fate."""
        self._arrived = arrived
        self._max_body_bytes = max_body_bytes
        self._waiting: OrderedDict[str, tuple[Event, float]] = OrderedDict()
        self._waiting_bytes = 0
        self._outcomes: Counter[tuple[str, str]] = Counter()

    @property
    def outcomes(self) -> Mapping[tuple[str, str], int]:
        """(outcome, reason) → events that ended so; pairs are counted once, as exchanges."""
        return dict(self._outcomes)

    def offer(self, event: Event, now: float) -> str:
        """Take one event; what became of it: `paired`, `waiting`, or why it is not used."""
        self.expire(now)
        reason = self._fault(event)
        if reason:
            self._outcomes["skipped", reason] += 1
            return reason
        found = self._waiting.pop(event.id, None)
        if found is None:
            self._wait(event, now)
            return "waiting"
        other, _ = found
        self._waiting_bytes -= len(other.body)
        if other.half is event.half:
            self._outcomes["skipped", "repeated"] += 1
            self._wait(event, now)
            return "repeated"
        sides = {other.half: other, event.half: event}
        exchange = _exchange(sides[Half.REQUEST], sides[Half.RESPONSE])
        self._arrived(self, encode_exchange(exchange)[FRAME_PREFIX_BYTES:])
        return "paired"

    def acknowledge(self, fates: Counter[tuple[str, str]]) -> None:
        """What became of paired exchanges."""
        self._outcomes += fates

    def expire(self, now: float) -> None:
        """Give up what has waited for too long."""
        while self._waiting:
            _, since = next(iter(self._waiting.values()))
            if now - since < PATIENCE_SECONDS:
                return
            self._give_up("unpaired")

    def _fault(self, event: Event) -> str:
        if not _ID.fullmatch(event.id):
            return "bad_id"
        return "size" if len(event.body) > self._max_body_bytes else ""

    def _wait(self, event: Event, now: float) -> None:
        self._waiting[event.id] = (event, now)
        self._waiting_bytes += len(event.body)
        while len(self._waiting) > MAX_WAITING or self._waiting_bytes > MAX_WAITING_BYTES:
            self._give_up("crowded")

    def _give_up(self, reason: str) -> None:
        _, (event, _) = self._waiting.popitem(last=False)
        self._waiting_bytes -= len(event.body)
        self._outcomes["dropped", reason] += 1


def _exchange(request: Event, response: Event) -> Exchange:
    return Exchange(
        request.id, "POST", request.target, 200, request.at, max(0.0, response.at - request.at),
        request.fields, request.body, response.fields, response.body,
    )  # fmt: skip
