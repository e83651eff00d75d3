"""Connections to the upstream: a pool of idle ones, the last used first, and what is read on each.

Knows nothing of clients: whoever calls is a `Caller`, and is told what came.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, Protocol, cast

from monitor.relay import sockets
from monitor.relay.dial import Address, Failure, Opening, Securable, dial
from monitor.relay.http1.answers import AnswerPlan
from monitor.relay.http1.grammar import ProtocolError
from monitor.relay.http1.memo import Memo
from monitor.relay.http1.readers import AnswerReader

MAX_IDLE_CONNECTIONS = 256
_JOIN_BYTES = 64 << 10  # up to here one copy is cheaper than a vector of buffers


class Caller(Protocol):
    """The exchange that an upstream connection works for."""

    head_only: bool

    def connected(self, upstream: UpstreamConnection) -> None:
        """A new connection is there."""

    def unreachable(self, code: str, detail: str) -> None:
        """No connection could be made, twice; `code` is the error's, as a client is told it."""

    def interim(self, plan: AnswerPlan) -> None:
        """An answer with a status below 200 came, other than 101."""

    def answered(self, plan: AnswerPlan, payload: bytes, started: float) -> None:
        """The answer's head came, with what followed it; `started` is when, on the monotonic
        clock.
        """

    def answer_data(self, payload: bytes) -> None:
        """More of the answer's body came."""

    def upstream_lost(self) -> None:
        """The connection ended before the answer did."""

    def upstream_fault(self, error: ProtocolError) -> None:
        """What came is not HTTP/1.x."""

    def upstream_full(self) -> None:
        """The upstream reads more slowly than the client sends."""

    def upstream_drained(self) -> None:
        """The upstream has caught up."""


class UpstreamConnection(asyncio.Protocol, Securable):
    """One connection to the upstream, at work for one caller at a time."""

    __slots__ = (
        "_pool", "_reading_answer", "_under_tls", "caller", "idle_since_seconds", "reader",
        "reused", "transport", "write_paused",
    )  # fmt: skip

    def __init__(self, pool: Pool, answers: Memo[AnswerPlan]) -> None:
        self._pool = pool
        self._reading_answer = False  # its head has come
        self.reader = AnswerReader(answers)
        self.caller: Caller | None = None
        self.reused = False
        self.idle_since_seconds = 0.0
        self.write_paused = False
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._under_tls: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer that vanished without a word is found out after a minute, however long the
        model thinks.
        """
        self.transport = cast("asyncio.Transport", transport)
        sockets.keep_alive(transport)

    def secured(self, transport: asyncio.Transport) -> None:
        """From here on in TLS."""
        self._under_tls, self.transport = self.transport, transport

    def pause_reading(self) -> None:
        """Reads no more for now.

        Nor does what is under TLS: an end of the connection that is read while decrypted bytes
        wait would take them with it.
        """
        self.transport.pause_reading()
        if self._under_tls is not None:
            self._under_tls.pause_reading()

    def resume_reading(self) -> None:
        """Reads on: first what has been decrypted already."""
        self.transport.resume_reading()
        if self._under_tls is not None:
            self._under_tls.resume_reading()

    def begin(self, caller: Caller, parts: tuple[bytes, ...]) -> None:
        """Sends a request's head and the beginning of its body, the last part, in one system
        call.
        """
        self.caller = caller
        self._reading_answer = False
        if len(parts[-1]) <= _JOIN_BYTES:
            self.transport.write(b"".join(parts))
        else:
            self.transport.writelines(parts)

    def data_received(self, data: bytes) -> None:
        """Tells the caller what came; nobody asked for bytes on an idle connection."""
        started = monotonic()
        caller = self.caller
        if caller is None:
            self.drop()
            return
        reader = self.reader
        try:
            if self._reading_answer:
                if reader.complete:
                    self.pause_reading()  # more than one answer: not pooled again
                    reader.rest += data
                else:
                    caller.answer_data(reader.body(data))
                return
            plan = reader.start(data, head_only=caller.head_only)
            while plan is not None and plan.status < 200 and plan.status != 101:
                caller.interim(plan)
                plan = reader.start(reader.rest, head_only=caller.head_only)
            if plan is None:
                return
        except ProtocolError as error:
            caller.upstream_fault(error)
            return
        self._reading_answer = True
        caller.answered(plan, reader.payload, started)

    def eof_received(self) -> None:
        """The end of the connection is the end of a body that has no other; else
        `connection_lost` follows.
        """
        if self.caller is None:
            self._pool.forget(self)
        elif self._reading_answer and not self.reader.complete and self.reader.end():
            self.caller.answer_data(b"")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Whoever waits for an answer hears of it."""
        caller, self.caller = self.caller, None
        if caller is None:
            self._pool.forget(self)
        else:
            caller.upstream_lost()

    def pause_writing(self) -> None:
        """Back-pressure towards the client."""
        self.write_paused = True
        if self.caller is not None:
            self.caller.upstream_full()

    def resume_writing(self) -> None:
        """The client may go on."""
        self.write_paused = False
        if self.caller is not None:
            self.caller.upstream_drained()

    @property
    def clean(self) -> bool:
        """Whether nothing is left over of a complete answer and the request before it."""
        return not (self.reader.rest or self.write_paused)

    def drop(self) -> None:
        """Ends the connection at once: the model can stop working on what nobody waits for."""
        self.caller = None
        self._pool.forget(self)
        self.transport.abort()


_Done = Callable[[UpstreamConnection | Failure], None]


class Pool:
    """Idle connections to one upstream, and the way to new ones."""

    def __init__(
        self, address: Address, tls: ssl.SSLContext | None, answers: Memo[AnswerPlan],
        connect_seconds: float, http2_tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self._address = address
        self.tls = tls  # of connections made from now on; None: plain
        self._http2_tls = http2_tls
        self._answers = answers
        self._connect_seconds = connect_seconds
        self._idle: list[UpstreamConnection] = []
        self._connecting: set[asyncio.Task[None]] = set()

    def take(self) -> UpstreamConnection | None:
        """An idle connection, or None; the last used is the least likely to be stale."""
        idle = self._idle
        while idle:
            upstream = idle.pop()
            if not upstream.transport.is_closing():
                return upstream
        return None

    def give(self, upstream: UpstreamConnection, now_seconds: float) -> None:
        """Takes a connection back that stands between two answers."""
        upstream.caller = None
        if len(self._idle) >= MAX_IDLE_CONNECTIONS:
            upstream.transport.close()
            return
        upstream.reused = True
        upstream.idle_since_seconds = now_seconds
        self._idle.append(upstream)

    def forget(self, upstream: UpstreamConnection) -> None:
        """An idle connection has ended."""
        if upstream in self._idle:
            self._idle.remove(upstream)

    def connect(self, caller: Caller) -> None:
        """Makes a new connection for a caller, who is told of it or of the failure."""

        def done(outcome: UpstreamConnection | Failure) -> None:
            if isinstance(outcome, Failure):
                caller.unreachable(*outcome)
            else:
                caller.connected(outcome)

        self._spawn(self._connect(done))

    def dial(self, bind: Callable[[Opening | None], None]) -> None:
        """Makes a new connection that is never pooled, for HTTP/2; None when it fails."""
        self._spawn(self._open(bind))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, done: _Done) -> None:
        done(await dial(self._address, self.tls, self._connect_seconds, self._make))

    async def _open(self, bind: Callable[[Opening | None], None]) -> None:
        outcome = await dial(self._address, self._http2_tls, self._connect_seconds, Opening)
        bind(None if isinstance(outcome, Failure) else outcome)

    def _make(self) -> UpstreamConnection:
        return UpstreamConnection(self, self._answers)

    def sweep(self, oldest_seconds: float) -> None:
        """Closes what has been idle since before `oldest_seconds`; the oldest stand first."""
        while self._idle and self._idle[0].idle_since_seconds < oldest_seconds:
            self._idle.pop(0).transport.close()

    def renew(self, tls: ssl.SSLContext | None, http2_tls: ssl.SSLContext | None) -> None:
        """Makes connections under other contexts from now on; those at work go on to their end."""
        self.tls, self._http2_tls = tls, http2_tls
        self.sweep(float("inf"))

    async def close(self) -> None:
        """Closes every idle connection, and gives up those that are being made."""
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        for upstream in self._idle:
            upstream.transport.abort()
        self._idle.clear()
