"""The tap: offers exchanges to the monitor over a unix socket, bounded in bytes, never waited for.

What does not fit is dropped and counted; so is what a monitor that died had not acknowledged, and
what comes until there is another. Only the first monitor is waited for, with what fits: it starts
more slowly than a relay does. Knows nothing of HTTP, and of the monitor only its socket's path.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from monitor.records.framing import (
    ACK,
    COUNTERS,
    FrameReader,
    decode_json,
    encode_json,
    pack_exchange,
)
from monitor.relay.counters import Counters

FLUSH_SECONDS = 0.005
FLUSH_BYTES = 64 << 10
RECONNECT_SECONDS = 0.1
BURST_BYTES = 4 << 20  # who held so much for a monitor that was behind gives it back afterwards


class Tap(asyncio.Protocol):
    """One worker's side of the wire; `describe` gives the payload of a COUNTERS frame."""

    def __init__(
        self,
        path: str,
        limit_bytes: int,
        counters: Counters,
        describe: Callable[[], dict[str, Any]],
    ) -> None:
        self._path = path
        self._limit_bytes = limit_bytes
        self._counters = counters
        self._describe = describe
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader = FrameReader()
        self._frames: list[bytes] = []
        self._frame_bytes = 0
        self._buffered_bytes = 0  # in the transport, when last looked at
        self.held_bytes = 0  # all that this process holds for observation
        self._burst = False
        self._written_bytes = 0  # over this connection's life
        self._described_at_bytes = 0  # where the last COUNTERS frame ends
        self._flush_due = False
        self._closing = False
        self._connecting: asyncio.Task[None] | None = None
        self._attempt_after_seconds = 0.0  # a monitor may also accept, and hang up at once
        self.unacknowledged = 0
        self.life = 0  # which monitor this is: a new one knows nothing of what the last was told

    @property
    def _abandoned(self) -> bool:
        """Where no monitor is there: whether one was, or none is to come."""
        return self.life > 0 or not self._path

    @property
    def connected(self) -> bool:
        """Whether a monitor is there to take anything."""
        return self._transport is not None

    def start(self) -> None:
        """Begins to look for the monitor, and never stops until `close`."""
        if self._path:
            self._connecting = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        while not self._closing:
            await asyncio.sleep(self._attempt_after_seconds - self._loop.time())
            self._attempt_after_seconds = self._loop.time() + RECONNECT_SECONDS
            try:
                await self._loop.create_unix_connection(lambda: self, self._path)
            except OSError:
                continue
            return

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The monitor is there: it first hears where the accounts stand."""
        self._transport = cast("asyncio.Transport", transport)
        self._reader = FrameReader()
        self._written_bytes = self._described_at_bytes = 0
        self.life += 1
        self.describe()

    def data_received(self, data: bytes) -> None:
        """Books acknowledgements; a monitor that does not keep to the wire is hung up on."""
        try:
            for kind, payload in self._reader.feed(data):
                if kind == ACK:
                    message = decode_json(payload)
                    self.unacknowledged -= self._counters.acknowledge(message, self.unacknowledged)
        except (ValueError, AttributeError, RecursionError):
            if self._transport:
                self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The monitor is gone, and with it whatever it had not acknowledged."""
        if self.unacknowledged:
            self._counters.dropped["monitor_lost"] += self.unacknowledged
        self.unacknowledged = 0
        self._frames.clear()
        self.held_bytes -= self._frame_bytes + self._buffered_bytes
        self._frame_bytes = self._buffered_bytes = 0
        self._transport = None
        if not self._closing:
            self._connecting = self._loop.create_task(self._connect())

    def reserve(self, size_bytes: int) -> bool:
        """Makes room for a piece of an exchange that is under way; False when there is none."""
        if self.held_bytes + size_bytes > self._limit_bytes and not self._has_room(size_bytes):
            return False
        self.held_bytes += size_bytes
        return True

    def release(self, size_bytes: int) -> None:
        """Gives back what `reserve` took."""
        self.held_bytes -= size_bytes

    def offer(
        self,
        prediction_id: bytes,
        method: bytes,
        target: bytes,
        outcome: tuple[int, float, float, float],
        request: tuple[bytes, bytes],
        response: tuple[bytes, bytes],
    ) -> None:
        """Takes one exchange if there is room, else counts it as dropped; see `pack_exchange`."""
        if self._transport is None and self._abandoned:
            self._counters.dropped["no_monitor"] += 1
            return
        frame = pack_exchange(prediction_id, method, target, outcome, request, response)
        refused = self.take(frame, 1)
        if refused:
            self._counters.dropped[refused] += 1

    def take(self, frame: bytes, exchanges: int) -> str:
        """Takes a frame, to be acknowledged as so many exchanges; why it does not, or ""."""
        if self._transport is None and self._abandoned:
            return "no_monitor"
        size = len(frame)
        if self.held_bytes + size > self._limit_bytes and not self._has_room(size):
            return "queue_full"
        self.unacknowledged += exchanges
        self.insist(frame)
        return ""

    def insist(self, frame: bytes) -> None:
        """Takes a frame, whether there is room or not: a few bytes that settle an account."""
        self.held_bytes += len(frame)
        self._frames.append(frame)
        self._frame_bytes += len(frame)
        if self._frame_bytes >= FLUSH_BYTES:
            self.flush()
        elif not self._flush_due:
            self._flush_due = True
            self._loop.call_later(FLUSH_SECONDS, self._flush_on_time)

    def _has_room(self, size_bytes: int) -> bool:
        """Looks again at what the transport still holds."""
        self._recount()
        return self.held_bytes + size_bytes <= self._limit_bytes

    def _recount(self) -> None:
        buffered = self._transport.get_write_buffer_size() if self._transport else 0
        self.held_bytes += buffered - self._buffered_bytes
        self._buffered_bytes = buffered

    def _flush_on_time(self) -> None:
        self._flush_due = False
        self.flush()

    def flush(self) -> None:
        """Hands what has gathered to the socket, which takes what it can and keeps the rest."""
        if not self._frames or self._transport is None:
            return
        self._transport.write(b"".join(self._frames))
        self._frames.clear()
        self._written_bytes += self._frame_bytes
        self._buffered_bytes += self._frame_bytes
        self._frame_bytes = 0
        self._recount()

    def subsided(self) -> bool:
        """Whether a burst was held, and is no longer; True once for each."""
        self._recount()
        if self._burst and self.held_bytes < BURST_BYTES // 4:
            self._burst = False
            return True
        self._burst = self._burst or self.held_bytes >= BURST_BYTES
        return False

    def describe(self) -> None:
        """Sends the accounts, unless the last ones still wait: a stopped monitor must not fill
        memory.
        """
        if self._transport is None:
            return
        self._recount()
        if self._written_bytes - self._buffered_bytes < self._described_at_bytes:
            return
        self.flush()
        frame = encode_json(COUNTERS, self._describe())
        self._transport.write(frame)
        self._written_bytes += len(frame)
        self._described_at_bytes = self._written_bytes
        self._recount()

    async def close(self, patience_seconds: float) -> None:
        """Hands over all that is held, waits a little for its acknowledgement, and says goodbye."""
        self._closing = True
        if self._connecting:
            self._connecting.cancel()
        self.flush()
        deadline = self._loop.time() + patience_seconds
        while self._transport and self.unacknowledged and self._loop.time() < deadline:  # noqa: ASYNC110 - once a life
            await asyncio.sleep(0.01)
        self._counters.dropped["monitor_lost"] += self.unacknowledged
        self.unacknowledged = 0
        self.describe()
        if self._transport:
            self._transport.close()
        while self._transport and self._loop.time() < deadline + 0.2:  # noqa: ASYNC110 - once a life
            await asyncio.sleep(0.01)
