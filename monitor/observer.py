"""Drains the tap: frames in, decoded batches out, an account of every loss back to the relay.

The only place that turns a failure to understand traffic into a number. It runs on the monitor's
event loop in small slices, and stops reading when it falls behind: the relay's bounded queue then
drops the newest and counts them, so that a slow observer costs observations and nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol, cast

from monitor.accounts import Accounts, Conversation
from monitor.errors import CodecError
from monitor.records.batch import Batch, concatenate
from monitor.records.exchange import Exchange
from monitor.records.framing import (
    ACK,
    COUNTERS,
    EXCHANGE,
    FrameReader,
    decode_exchange,
    decode_json,
    encode_json,
    status_of,
)
from monitor.records.selection import OverheardSettings
from monitor.records.tunnelled import TUNNEL_END, TUNNELLED

GATHER_SECONDS = (
    0.05  # work per batch (arrays, one transaction) is shared by what arrives in this time
)
SLICE_EXCHANGES = 128  # decoded between two turns of the event loop, and counted in one piece
SLICE_ROWS = 1500  # so few are still in the processor's cache when they are counted
SLICE_SECONDS = 0.02
HIGH_WATER_BYTES = 8 << 20  # undecoded frames held here before reading stops


class Decodes(Protocol):
    """A codec."""

    def decode(self, exchange: Exchange) -> Batch:
        """The rows of an exchange; CodecError where they cannot be read."""
        ...


class Sender(Protocol):
    """Whoever sent an exchange, and is told what became of it."""

    def acknowledge(self, fates: Counter[tuple[str, str]], /) -> None:
        """So many of its exchanges had these fates."""
        ...


class HearsTunnels(Protocol):
    """Whoever makes exchanges of tunnelled HTTP/2."""

    def piece(self, payload: bytes, opened: Callable[[str], None], /) -> None:
        """Some bytes of a connection."""
        ...

    def end(self, payload: bytes, /) -> None:
        """A connection is over."""
        ...

    def end_all(self) -> None:
        """All of them are."""
        ...


class _Nobody:
    """For exchanges that are part of another's account: messages within one streamed call."""

    def acknowledge(self, fates: Counter[tuple[str, str]], /) -> None:
        pass


_NOBODY = _Nobody()
_OBSERVED = ("observed", "")


class Observer:
    """Every tap connection feeds one queue; one task empties it."""

    def __init__(
        self,
        decoder: Decodes,
        take: Callable[[Batch], None],
        accounts: Accounts,
        overheard: OverheardSettings = OverheardSettings(),  # noqa: B008 - frozen
        behind: Callable[[], int] = lambda: 0,
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        """`behind` tells how many rows too many wait for whoever `take` gives them to; `pause` is
        called between pieces of work, and lets others have the core.
        """
        self.decoder = decoder
        self.overheard = overheard
        self._take = take
        self._accounts = accounts
        self._behind = behind
        self.pause = pause
        self._waiting: list[tuple[Sender, bytes]] = []
        self._waiting_bytes = 0
        self._connections: set[TapConnection] = set()
        self._wake = asyncio.Event()
        self.lag_seconds = 0.0
        self.failures: Counter[str] = Counter()

    def connection(self) -> TapConnection:
        """A protocol for one relay worker's connection."""
        return TapConnection(self)

    async def run(self) -> None:
        """Empty the queue, slice by slice, until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()
            while self._waiting:
                self._slice()
                await asyncio.sleep(0)
                await self._catch_up()

    async def _catch_up(self) -> None:
        """Let the rows be kept before more are decoded, for as long as that makes progress."""
        before, left = 0, self._behind()
        while left and (not before or left < before):
            await asyncio.sleep(GATHER_SECONDS)
            before, left = left, self._behind()

    def drain(self) -> None:
        """Decode everything that has arrived, before the end."""
        while self._waiting:
            self._slice()

    def arrived(self, connection: Sender, payload: bytes) -> None:
        """Queue one undecoded exchange."""
        self._waiting.append((connection, payload))
        self._waiting_bytes += len(payload)
        self._wake.set()

    def counted(self, conversation: Conversation, payload: bytes) -> None:
        """Take a worker's own counters."""
        message = decode_json(payload)
        self._accounts.report(message, time.monotonic())
        conversation.reported(message)

    def ended(self, conversation: Conversation) -> None:
        """A worker's connection has ended, and nothing of it waits any more."""
        self._accounts.bury(conversation)

    def joined(self, connection: TapConnection) -> None:
        """A relay worker has connected."""
        self._connections.add(connection)

    def left(self, connection: TapConnection) -> None:
        """A relay worker has gone; what it sent is still decoded."""
        self._connections.discard(connection)

    @property
    def full(self) -> bool:
        """Whether reading should stop for now."""
        return self._waiting_bytes > HIGH_WATER_BYTES

    def _slice(self) -> None:
        """Decode some exchanges, hand their rows over, and tell the relays what became of them."""
        until = time.monotonic() + SLICE_SECONDS
        batches: list[Batch] = []
        fates: dict[Sender, Counter[tuple[str, str]]] = {}
        done = rows = 0
        last: Exchange | None = None
        for connection, payload in self._waiting[:SLICE_EXCHANGES]:
            done += 1
            self._waiting_bytes -= len(payload)
            fate, last = self._decode(payload, batches)
            if connection not in fates:
                fates[connection] = Counter()
            fates[connection][fate] += 1
            rows += len(batches[-1]) if fate == _OBSERVED else 0
            self.pause()
            if rows >= SLICE_ROWS or time.monotonic() > until:
                break
        del self._waiting[:done]
        for batch in concatenate(batches):
            self.pause()
            self._take(batch)
        for connection, counts in fates.items():
            connection.acknowledge(counts)
        if last is not None:
            ended_at = last.started_at + last.duration_seconds
            self.lag_seconds = max(0.0, time.time() - ended_at)
        if not self.full:
            for connection in self._connections:
                connection.resume()

    def _decode(self, payload: bytes, batches: list[Batch]) -> tuple[tuple[str, str], Exchange]:
        exchange = decode_exchange(payload)
        try:
            batches.append(self.decoder.decode(exchange))
        except CodecError as error:
            self.failures[error.reason] += 1
            return ("failed", error.reason), exchange
        return _OBSERVED, exchange


class TapConnection(asyncio.Protocol):
    """One relay worker's end of the tap."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._frames = FrameReader()
        self._conversation = Conversation()
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._overheard: HearsTunnels | None = None  # until the first tunnel: it needs imports

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A worker has connected."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class, unrelated
        self._observer.joined(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The worker has gone, or is being replaced."""
        self._transport = None
        self._observer.left(self)
        if self._overheard is not None:
            self._overheard.end_all()
        self._end()

    def data_received(self, data: bytes) -> None:
        """Some bytes of frames."""
        assert self._transport is not None  # noqa: S101 - data comes after connection_made
        try:
            for kind, payload in self._frames.feed(data):
                self._frame(kind, payload)
        except ValueError:
            self._transport.abort()  # not a relay of ours
            return
        self._observer.pause()
        if self._observer.full and not self._paused:
            self._transport.pause_reading()
            self._paused = True

    def _frame(self, kind: int, payload: bytes) -> None:
        if kind == EXCHANGE:
            self._conversation.came(status_of(payload))
            self._observer.arrived(self, payload)
        elif kind == COUNTERS:
            self._observer.counted(self._conversation, payload)
        elif kind == TUNNELLED:
            self._tunnels().piece(payload, self._conversation.came)
            self._observer.pause()
        elif kind == TUNNEL_END:
            self._tunnels().end(payload)

    def _tunnels(self) -> HearsTunnels:
        if self._overheard is None:
            from monitor.overheard import Overheard  # noqa: PLC0415 - hpack: 50 ms of a start

            observer = self._observer
            self._overheard = Overheard(
                observer.overheard,
                lambda payload: observer.arrived(self, payload),
                lambda payload: observer.arrived(_NOBODY, payload),
                self.acknowledge,
            )
        return self._overheard

    def resume(self) -> None:
        """Read on after a pause."""
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def _end(self) -> None:
        if not self._conversation.waiting:
            self._observer.ended(self._conversation)

    def acknowledge(self, fates: Counter[tuple[str, str]]) -> None:
        """Tell the worker what became of its exchanges since the last time."""
        self._conversation.told(fates)
        if self._transport is None:
            self._end()
            return
        message: dict[str, dict[str, int] | int]
        message = {"observed": 0, "skipped": {}, "failed": {}, "dropped": {}}
        for (outcome, reason), count in fates.items():
            below = message[outcome]
            if isinstance(below, dict):
                below[reason] = count
            else:
                message[outcome] = count
        self._transport.write(encode_json(ACK, message))
