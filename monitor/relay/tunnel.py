"""Bytes both ways, untouched, between two transports: WebSockets after 101, and HTTP/2 from its
preface on.

Knows nothing of what it carries. Back-pressure and half-closes pass from one side to the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

FLUSH_SECONDS = 5.0  # for the last bytes to a peer that no longer reads


class Listener(Protocol):
    """Whoever hears what passes; it is called once the bytes are on their way."""

    def from_client(self, data: bytes, /) -> None:
        """The client sent this."""

    def from_upstream(self, data: bytes, /) -> None:
        """The upstream sent this."""

    def ended(self) -> None:
        """The tunnel is over."""


class _End(asyncio.Protocol):
    """One side; what it reads, the other writes."""

    __slots__ = ("_ended", "_tunnel", "heard", "other", "transport")

    def __init__(self, tunnel: Tunnel, transport: asyncio.Transport) -> None:
        self._tunnel = tunnel
        self._ended = False  # the peer sends no more
        self.transport = transport
        self.other: _End = cast("_End", None)
        self.heard: Callable[[bytes], None] | None = None

    def data_received(self, data: bytes) -> None:
        self._tunnel.moved()
        self.other.transport.write(data)
        if self.heard is not None:
            self.heard(data)

    def eof_received(self) -> bool:
        """A half-close passes through; when both have, it is over."""
        self._ended = True
        if self.other._ended or not self.other.transport.can_write_eof():  # noqa: SLF001 - its own other half
            self._tunnel.close()
            return False
        self.other.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        if not self.other._ended:  # noqa: SLF001
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        self._tunnel.moved()
        if not self.other._ended:  # noqa: SLF001
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._ended = True
        self._tunnel.end_lost()


class Tunnel:
    """Two transports bound together until both have ended."""

    __slots__ = (
        "_client", "_ends_open", "_idle_seconds", "_listener", "_moved", "_on_end", "_open",
        "_since_seconds", "_upstream",
    )  # fmt: skip

    def __init__(
        self,
        client: asyncio.Transport,
        upstream: asyncio.Transport,
        idle_seconds: float,
        on_end: Callable[[Tunnel], None],
    ) -> None:
        self._client = _End(self, client)
        self._upstream = _End(self, upstream)
        self._client.other, self._upstream.other = self._upstream, self._client
        self._idle_seconds = idle_seconds
        self._on_end = on_end
        self._open = True
        self._ends_open = 2
        self._moved = True
        self._since_seconds = 0.0
        self._listener: Listener | None = None

    def overheard_by(self, listener: Listener) -> None:
        """From now on, `listener` hears what passes."""
        self._listener = listener
        self._client.heard, self._upstream.heard = listener.from_client, listener.from_upstream

    def start(self, from_client: bytes, from_upstream: bytes) -> None:
        """Takes both transports over, and passes on what had been read of each already."""
        for end in (self._client, self._upstream):
            end.transport.set_protocol(end)
        for end, data in ((self._client, from_client), (self._upstream, from_upstream)):
            if data:
                end.data_received(data)
        self._client.transport.resume_reading()
        self._upstream.transport.resume_reading()

    def moved(self) -> None:
        """Something passed."""
        self._moved = True

    def check(self, now_seconds: float) -> None:
        """Ends a tunnel through which nothing has passed for too long."""
        if self._moved:
            self._moved = False
            self._since_seconds = now_seconds
        elif not self._open and now_seconds - self._since_seconds > FLUSH_SECONDS:
            self.abort()
        elif now_seconds - self._since_seconds > self._idle_seconds:
            self.close()

    def retire(self, _now_seconds: float) -> None:
        """Ends the tunnel once nothing passes through it: HTTP/2 cannot be told from here to say
        goodbye.
        """
        self._idle_seconds = min(self._idle_seconds, 1.0)

    def close(self) -> None:
        """Closes both sides, once what was written before has gone out."""
        if self._open:
            self._open = False
            self._moved = True
            self._client.transport.close()
            self._upstream.transport.close()

    def abort(self) -> None:
        """Closes both sides at once."""
        self._open = False
        self._client.transport.abort()
        self._upstream.transport.abort()

    def end_lost(self) -> None:
        """One side is gone, and so must be the other."""
        self.close()
        self._ends_open -= 1
        if not self._ends_open:
            if self._listener is not None:
                self._listener.ended()
            self._on_end(self)
