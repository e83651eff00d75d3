"""Cuts a connection's bytes into messages: bytes in, plans and body pieces out, whatever the
pieces' size.

Knows no sockets and no time. The server and the upstream pool each drive one reader for a
connection's life.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from monitor.relay.http1.answers import AnswerPlan
from monitor.relay.http1.chunks import ChunkedBody
from monitor.relay.http1.grammar import (
    BARE_LF,
    CRLF,
    HEAD_END,
    MAX_HEAD_BYTES,
    TOKEN_START,
    ProtocolError,
)
from monitor.relay.http1.memo import Memo
from monitor.relay.http1.requests import CHUNKED, UNTIL_CLOSE, RequestPlan

PlanT = TypeVar("PlanT")

MAX_LEADING_CRLF = 8  # RFC 9112 section 2.2 asks to ignore at least one before a request


class _MessageReader(Generic[PlanT]):
    """What requests and answers have in common: a head, then a body whose end the head tells."""

    __slots__ = ("_chunks", "_left", "_partial", "_plans", "complete", "payload", "rest")

    def __init__(self, plans: Memo[PlanT]) -> None:
        self._plans = plans
        self._partial = b""  # the beginning of a head
        self._left = 0
        self._chunks: ChunkedBody | None = None
        self.complete = True  # the message has been read to its end
        self.payload = b""  # what came of the body together with its head
        self.rest = b""  # what followed a complete message

    @property
    def idle(self) -> bool:
        """Whether nothing of a next message has come."""
        return self.complete and not self._partial

    def _begin(self, length: int, data: bytes) -> None:
        """Expects a body of this length; `data` is what followed the head."""
        if length == len(data):
            self.payload = data
            self.rest = b""
            return
        self._chunks = ChunkedBody() if length == CHUNKED else None
        self._left = length
        self.complete = length == 0
        self.payload = b""
        self.rest = data if length == 0 else b""
        if data and length:
            self.payload = self.body(data)

    def body(self, data: bytes) -> bytes:
        """The payload in `data`; `complete` and `rest` tell whether the message ended in it."""
        chunks = self._chunks
        if chunks is not None:
            payload = chunks.feed(data)
            if chunks.complete:
                self.complete = True
                self.rest = chunks.rest
                self._chunks = None
            return payload
        left = self._left
        if left == UNTIL_CLOSE:
            return data
        size = len(data)
        if size < left:
            self._left = left - size
            return data
        self.complete = True
        self._left = 0
        if size == left:
            self.rest = b""
            return data
        self.rest = data[left:]
        return data[:left]

    def _gather(self, data: bytes) -> int:
        """Joins `data` to the head's beginning; the head's length once its end has come, else
        -1.
        """
        scanned = max(0, len(self._partial) - 3)
        self._partial += data
        end = self._partial.find(HEAD_END, scanned)
        if end >= 0:
            if end + 4 > MAX_HEAD_BYTES:
                raise ProtocolError(f"the head is longer than {MAX_HEAD_BYTES} bytes", 431)
            return end + 4
        if len(self._partial) > MAX_HEAD_BYTES:
            raise ProtocolError(f"the head is longer than {MAX_HEAD_BYTES} bytes", 431)
        if BARE_LF.search(self._partial, max(0, scanned - 1)):
            raise ProtocolError("a line ends in LF without CR")
        return -1


class RequestReader(_MessageReader[RequestPlan]):
    """Reads the requests of one client connection."""

    __slots__ = ("_blank_lines",)

    def __init__(self, plans: Memo[RequestPlan]) -> None:
        super().__init__(plans)
        self._blank_lines = 0

    def start(self, data: bytes) -> RequestPlan | None:
        """The plan of the next request once its head is whole, with `payload` after it; else
        None.
        """
        end = data.find(HEAD_END) + 4
        if end == 3 or self._partial or end > MAX_HEAD_BYTES or data.startswith(CRLF):
            return self._start_slowly(data)
        self.rest = rest = data[end:]
        plan = self._plans[data[:end]]
        if plan.length == len(rest):  # the usual request, whole in one piece
            self.payload = rest
            self.rest = b""
        else:
            self._begin(plan.length, rest)
        return plan

    def _start_slowly(self, data: bytes) -> RequestPlan | None:
        if not self._partial or self._partial == b"\r":
            data = self._partial + data
            self._partial = b""
            while data.startswith(CRLF) and self._blank_lines < MAX_LEADING_CRLF:
                data = data[2:]
                self._blank_lines += 1
            if data and data != b"\r" and not TOKEN_START.match(data):
                raise ProtocolError("this port speaks HTTP/1.1, and this is not its beginning")
        end = self._gather(data)
        if end < 0:
            return None
        data = self._partial
        self._partial = b""
        self._blank_lines = 0
        self.rest = data[end:]
        plan = self._plans[data[:end]]
        self._begin(plan.length, self.rest)
        return plan


class AnswerReader(_MessageReader[AnswerPlan]):
    """Reads the answers on one upstream connection."""

    __slots__ = ()

    def start(self, data: bytes, *, head_only: bool) -> AnswerPlan | None:
        """The plan of the next answer once its head is whole, with `payload` after it; else
        None.
        """
        end = data.find(HEAD_END) + 4
        if end == 3 or self._partial or end > MAX_HEAD_BYTES:
            end = self._gather(data)
            if end < 0:
                return None
            data = self._partial
            self._partial = b""
        plan = self._plans[data[:end]]
        self._begin(0 if head_only else plan.length, data[end:])
        return plan

    def end(self) -> bool:
        """Whether the end of the connection is this answer's proper end; RFC 9112 section 8."""
        if self._left == UNTIL_CLOSE and not self.complete and self._chunks is None:
            self.complete = True
        return self.complete
