"""The client's side: one connection, its requests in order, and every way in which a client can
leave.

Reads through `http1`, hands each request to a `Transaction`, and knows nothing of upstreams or
observation.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import cast

from monitor.relay import sockets
from monitor.relay.binding import bind, dial_http2
from monitor.relay.http1.grammar import HTTP2_PREFACE, Http2PrefaceError, ProtocolError
from monitor.relay.http1.readers import RequestReader
from monitor.relay.refusals import refusal
from monitor.relay.state import State
from monitor.relay.transaction import Transaction
from monitor.relay.upstream import UpstreamConnection

MAX_AHEAD_BYTES = 64 << 10  # of pipelined requests, while one is under way
LINGER_SECONDS = 2.0  # RFC 9112 section 9.6: until the client has read the answer and stops sending
PROBE_SECONDS = 0.3  # after a client's end of sending: has it left, or does it only send no more?
RETIRE_SECONDS = 0.5
_PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"

_AHEAD, _UPSTREAM = 1, 2  # why reading is held


class ClientConnection(asyncio.Protocol):
    """One connection of a client."""

    __slots__ = (
        "_ahead", "_fresh", "_half_closed", "_holds", "_in_head", "_leaving", "_reader", "_state",
        "_transaction", "active_at_seconds", "last_answer", "transport", "write_paused",
    )  # fmt: skip

    def __init__(self, state: State) -> None:
        self._state = state
        self._reader = RequestReader(state.requests)
        self._transaction: Transaction | None = None
        self._ahead = b""
        self._fresh = True  # nothing has been read as HTTP/1 yet
        self._half_closed = False
        self._holds = 0
        self._in_head = False
        self._leaving = False  # the last answer is written
        self.active_at_seconds = state.now_seconds
        self.last_answer = False
        self.write_paused = False
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)

    # -- what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """One more, or one too many."""
        self.transport = cast("asyncio.Transport", transport)
        state = self._state
        state.guests.add(self)
        if len(state.guests) > state.most_guests:
            state.counters.refuse(503)
            self.transport.abort()
        elif len(state.guests) > state.max_connections:
            self._refuse(503, "overloaded", "too many connections")

    def data_received(self, data: bytes) -> None:
        """A new request, more of its body, or what is to be read after it."""
        transaction = self._transaction
        if transaction is None:
            if self.write_paused:
                self._put_ahead(data)
            elif not self._leaving:
                self._open(data)
        elif transaction.request_complete:
            self._put_ahead(data)
        else:
            self._continue(transaction, data)

    def eof_received(self) -> bool:
        """The client sends no more; whatever it has asked for in full is still answered."""
        transaction = self._transaction
        if transaction is None:
            return False
        whole = transaction.request_complete and not self._leaving
        if whole and self.transport.can_write_eof():  # an end of sending in TLS is a goodbye
            self._half_closed = True
            if not self._ahead:
                self.last_answer = True
            asyncio.get_running_loop().call_later(PROBE_SECONDS, self._probe, transaction)
            return True
        self._transaction = None
        transaction.client_gone()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The client is gone."""
        self._state.guests.discard(self)
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            transaction.client_gone()

    def pause_writing(self) -> None:
        """Back-pressure towards the upstream."""
        self.write_paused = True
        upstream = self._upstream()
        if upstream is not None:
            upstream.pause_reading()

    def resume_writing(self) -> None:
        """The client has read: on with the answer, or with the next request."""
        self.write_paused = False
        self.active_at_seconds = self._state.now_seconds
        upstream = self._upstream()
        if upstream is not None:
            upstream.resume_reading()
        elif self._transaction is None and self._ahead and not self._leaving:
            self._next()

    def _upstream(self) -> UpstreamConnection | None:
        return None if self._transaction is None else self._transaction.upstream

    # -- requests

    def _open(self, data: bytes) -> None:
        started = monotonic()
        reader = self._reader
        try:
            plan = reader.start(data)
        except ProtocolError as error:
            self._bad_request(error)
            return
        if plan is None:
            self._begin_head()
            return
        complete = reader.complete
        if complete and reader.rest:
            self._ahead = reader.rest
        self._fresh = self._in_head = False
        self.active_at_seconds = self._state.now_seconds
        self.last_answer = not plan.keep_alive or (self._half_closed and not self._ahead)
        self._transaction = transaction = Transaction(self._state, self, plan, started)
        transaction.open(reader.payload, complete=complete)

    def _begin_head(self) -> None:
        if not self._in_head and not self._reader.idle:
            self._in_head = True
            self.active_at_seconds = self._state.now_seconds

    def _continue(self, transaction: Transaction, data: bytes) -> None:
        reader = self._reader
        try:
            payload = reader.body(data)
        except ProtocolError as error:
            transaction.fail(error.status, error.code, str(error))
            return
        complete = reader.complete
        if complete and reader.rest:
            self._ahead = reader.rest
        self.active_at_seconds = self._state.now_seconds
        transaction.request_data(payload, complete=complete)

    def _put_ahead(self, data: bytes) -> None:
        self._ahead += data
        if len(self._ahead) > MAX_AHEAD_BYTES or self.write_paused:
            self._hold(_AHEAD)

    def _next(self) -> None:
        data, self._ahead = self._ahead, b""
        self._unhold(_AHEAD)
        self._open(data)

    def _bad_request(self, error: ProtocolError) -> None:
        if isinstance(error, Http2PrefaceError) and self._fresh:
            self._become_http2()
            return
        self._refuse(error.status, error.code, str(error))

    # -- what the transaction tells

    def finished(self, *, close: bool) -> None:
        """An answer is complete: the next request, or the end."""
        transaction, self._transaction = self._transaction, None
        self.active_at_seconds = self._state.now_seconds
        if self._holds:
            self._unhold(_UPSTREAM)
        if close:
            self._leave(
                linger=bool(self._ahead) or not (transaction and transaction.request_complete)
            )
        elif self._ahead:
            if not self.write_paused:
                self._next()
        elif self._half_closed:
            self.transport.close()
        elif self._holds:
            self._unhold(_AHEAD)

    def truncate(self, *, reset: bool) -> None:
        """The answer is not whole: what is missing shows by its framing, or by a reset."""
        self._transaction = None
        self._leaving = True
        if reset:
            sockets.reset(self.transport)
        else:
            self.transport.close()

    def hold(self) -> None:
        """The upstream is behind."""
        self._hold(_UPSTREAM)

    def unhold(self) -> None:
        """The upstream has caught up."""
        self._unhold(_UPSTREAM)

    def _hold(self, why: int) -> None:
        self._holds |= why
        self.transport.pause_reading()

    def _unhold(self, why: int) -> None:
        if self._holds:
            self._holds &= ~why
            if not self._holds and not self._half_closed:
                self.transport.resume_reading()

    def become_tunnel(self, upstream: asyncio.Transport, from_upstream: bytes) -> None:
        """A WebSocket from here on; what the client sent ahead is the tunnel's."""
        self._transaction = None
        self._state.guests.discard(self)
        bind(self._state, self.transport, upstream, (self._ahead, from_upstream))

    def _become_http2(self) -> None:
        self._leaving = True
        self._state.guests.discard(self)
        dial_http2(self._state, self.transport, HTTP2_PREFACE + self._reader.rest)

    # -- the end

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """Answers what could not become a transaction."""
        self._state.counters.refuse(status)
        self.transport.write(refusal(status, code, detail, close=True))
        self._leave(linger=True)

    def _leave(self, *, linger: bool) -> None:
        """Closes; who may still be sending gets time to read, lest a reset lose the answer."""
        self._leaving = True
        self._ahead = b""
        self.active_at_seconds = self._state.now_seconds
        if not linger or self._half_closed or not self.transport.can_write_eof():
            self.transport.close()
            return
        self.transport.write_eof()
        self._unhold(_AHEAD | _UPSTREAM)

    def _probe(self, transaction: Transaction) -> None:
        """Only a client that has left answers an interim answer (RFC 9110, 15.2) with a reset."""
        if self._transaction is transaction and transaction.waits_for_model:
            self.transport.write(_PROCESSING)
            asyncio.get_running_loop().call_later(PROBE_SECONDS, self._look, transaction)

    def _look(self, transaction: Transaction) -> None:
        if self._transaction is transaction and sockets.is_reset(self.transport):
            self.transport.abort()

    def check(self, now_seconds: float) -> None:
        """Ends what has waited for too long."""
        timeouts = self._state.settings.timeouts
        waited = now_seconds - self.active_at_seconds
        transaction = self._transaction
        if self._leaving:
            flushing = self.transport.get_write_buffer_size() > 0
            if waited > (timeouts.stream_idle if flushing else LINGER_SECONDS):
                self.transport.abort()
        elif transaction is not None:
            if waited > timeouts.stream_idle:
                transaction.stalled()
            elif self._holds or self._half_closed:
                self._look(transaction)
        elif self._in_head:
            if waited > timeouts.header:
                self._refuse(408, "request_timeout", "the request's head did not come in time")
        elif waited > (timeouts.stream_idle if self._ahead else timeouts.client_idle):
            self.transport.close()

    def retire(self, now_seconds: float) -> None:
        """Closes between requests, but not on one that may be on its way."""
        waited = now_seconds - self.active_at_seconds
        if self._transaction is None and not self._leaving and waited > RETIRE_SECONDS:
            self._leave(linger=False)

    def abort(self) -> None:
        """Closes at once."""
        self.transport.abort()
