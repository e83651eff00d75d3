"""What of a tunnelled HTTP/2 connection is offered for observation, and its streams' account.

Each stream is one exchange: counted when it opens, and acknowledged by the monitor or dropped here.
Where the copy breaks off (no room, no monitor), it goes on at the next boundary between frames,
with the streams that open from there on: what header compression knew before is then missing.
"""

from __future__ import annotations

import itertools
from time import monotonic

from monitor.records.tunnelled import (
    CLIENT,
    HTTP2,
    UPSTREAM,
    Piece,
    TunnelEnd,
    pack_end,
    pack_piece,
)
from monitor.relay.http2 import FrameCopy
from monitor.relay.state import State

_MOST_OPENED = 0xFFFF  # in one piece

_numbers = itertools.count(1)


class Eavesdropper:
    """Hears both sides of one connection."""

    __slots__ = ("_fresh", "_life", "_sides", "_state", "_told", "_tunnel")

    def __init__(self, state: State) -> None:
        limit = state.settings.max_body_bytes
        self._state = state
        self._sides = FrameCopy(limit, client=True), FrameCopy(limit, client=False)
        self._fresh = True
        self._tunnel = next(_numbers)  # 0 while nothing is told
        self._told = False  # whether the monitor has heard of it
        self._life = state.tap.life

    def from_client(self, data: bytes) -> None:
        """The client sent this."""
        self._heard(CLIENT, data)

    def from_upstream(self, data: bytes) -> None:
        """The model server sent this."""
        self._heard(UPSTREAM, data)

    def ended(self) -> None:
        """The connection is over."""
        if self._life == self._state.tap.life:
            self._end(lost=False)

    def _heard(self, side: int, data: bytes) -> None:
        copy = self._sides[side]
        pieces, opened = copy.feed(data)
        if copy.spoke:
            self._sides[1 - side].heard(copy.spoke)
        if opened:
            self._state.counters.requests[HTTP2] += opened
        if self._tunnel and self._life != self._state.tap.life:
            self._tunnel, self._told = 0, False  # the monitor that knew it is gone
        if self._tunnel:
            self._tell(side, opened, b"".join(pieces))
        elif opened:
            self._state.counters.dropped["no_monitor"] += opened
        if not self._tunnel:
            self._try_again()

    def _tell(self, side: int, opened: int, data: bytes) -> None:
        if not data:
            return
        state = self._state
        at = monotonic() + state.wall_offset_seconds
        frame = pack_piece(Piece(self._tunnel, side, self._fresh, opened, at, data))
        refused = state.tap.take(frame, opened) if opened <= _MOST_OPENED else "queue_full"
        self._told = self._told or not refused
        if refused:
            state.counters.dropped[refused] += opened
            self._end(lost=True)

    def _end(self, *, lost: bool) -> None:
        if self._told and self._state.tap.connected:
            self._state.tap.insist(pack_end(TunnelEnd(self._tunnel, lost)))
        self._tunnel, self._told = 0, False

    def _try_again(self) -> None:
        tap = self._state.tap
        if tap.connected and all(side.at_boundary for side in self._sides):
            self._tunnel, self._fresh, self._life = next(_numbers), False, tap.life
