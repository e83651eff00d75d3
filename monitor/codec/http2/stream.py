"""One HTTP/2 stream as an observer holds it: fields, bodies within a limit, and why not, if not.

A gRPC call whose messages stream is cut into pairs of messages as they come, so that a call which
never ends is observed too, and held in parts only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.codec.http2.fields import Fields
from monitor.codec.http2.messages import HEAD_BYTES, INFER, STREAMED, answer_id, request_id
from monitor.records.exchange import field

GRPC = b"content-type: application/grpc\r\n"
INFERENCES = frozenset({INFER, STREAMED})
MAX_UNPAIRED = 1000  # messages of one stream that wait for an answer

_WELL_FORMED_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")

Fate = tuple[str, str]


class Stream:
    """One request and its answer, as far as they have come."""

    __slots__ = (
        "_late", "_limit_bytes", "_sides", "_status_seen", "_trailers", "_unpaired",
        "answer_fields", "began_at", "fate", "method", "paired", "pairs_made",
        "request_complete", "request_fields", "target",
    )  # fmt: skip

    def __init__(self, began_at: float, limit_bytes: int, *, late: bool = False) -> None:
        self._limit_bytes = limit_bytes
        self._late = late  # on a connection that was not heard from its start
        self._sides = bytearray(), bytearray()
        self._unpaired: dict[bytes | int, bytes] = {}  # by id; by order, where messages have none
        self._trailers: Fields | None = None
        self._status_seen = b""
        self.began_at = began_at
        self.fate: Fate | None = None  # once it is known that this will not be observed
        self.method = b""
        self.target = b""  # b"" where its header block could not be read
        self.request_fields = b""
        self.answer_fields = b""
        self.paired = False  # cut into pairs of messages
        self.pairs_made = 0
        self.request_complete = False

    @property
    def held_bytes(self) -> int:
        """Of both bodies."""
        return len(self._sides[0]) + len(self._sides[1]) + sum(map(len, self._unpaired.values()))

    def asked(self, fields: Fields | None) -> bool:
        """Takes the request's fields; False where they had come before, and these are trailers."""
        if self.request_fields:
            return False
        self.request_fields = GRPC
        if fields is None:
            return True
        self.method = fields.pseudo.get(b":method", b"")
        self.target = fields.pseudo.get(b":path", b"")
        self.request_fields = self._lines(fields)
        self.paired = self.target == STREAMED
        if self.target and self.request_fields_are_grpc and self.target not in INFERENCES:
            self.refuse(("skipped", "path"))  # health, metadata, or another service's calls
        return True

    @property
    def request_fields_are_grpc(self) -> bool:
        """Whether it is a gRPC call."""
        return field(self.request_fields, b"content-type").startswith(b"application/grpc")

    def name(self, request: bytes) -> str:
        """The id that its caller gave: in the message, or in a field; "" where there is none."""
        for given in (request_id(request), field(self.request_fields, b"x-request-id")):
            if _WELL_FORMED_ID.fullmatch(given):
                return given.decode("ascii")
        return ""

    def answered(self, fields: Fields | None, *, last: bool) -> None:
        """Takes a block of the answer: its fields, its trailers, or an interim answer."""
        if self.answer_fields or last:
            self._trailers = fields
        if self.answer_fields or fields is None:
            return
        status = fields.pseudo.get(b":status", b"")
        if len(status) == 3 and status.startswith(b"1"):
            return
        self._status_seen = status
        self.answer_fields = self._lines(fields)

    def _lines(self, fields: Fields) -> bytes:
        """The field lines; a type that was said before anybody listened is nearly always gRPC's."""
        if fields.lines and not (self._late and not fields.first(b"content-type")):
            return fields.lines
        return fields.lines + GRPC

    def add(self, side: int, data: bytes) -> None:
        """Keeps a piece of a body, unless there is a reason not to."""
        if self.fate is not None:
            return
        body = self._sides[side]
        if len(body) + len(data) > self._limit_bytes + HEAD_BYTES:
            self.refuse(("skipped", "size"))
            return
        body += data

    def refuse(self, fate: Fate) -> None:
        """Keeps nothing of it from here on; the first reason stands."""
        self.fate = self.fate or fate
        self._sides = bytearray(), bytearray()
        self._unpaired.clear()

    def failure(self) -> Fate | None:
        """Why a whole answer is no prediction: its status, HTTP's or gRPC's."""
        if self._status_seen and not self._status_seen.startswith(b"2"):
            return "skipped", "status"
        for fields in (self._trailers, Fields({}, self.answer_fields)):
            if fields is not None and fields.first(b"grpc-status") not in (b"", b"0"):
                return "skipped", "status"
        if self.paired:
            return ("observed", "") if self.pairs_made else ("skipped", "empty")
        return None if self.request_complete else ("skipped", "aborted")

    def bodies(self) -> tuple[bytes, bytes]:
        """The request's and the answer's."""
        request, answer = self._sides
        return bytes(request), bytes(answer)

    def pairs(self) -> Iterator[tuple[bytes, bytes]]:
        """Each message that is answered, with the first message that answers it.

        By their ids; in their order, where they have none.
        """
        client, upstream = self._sides
        for request in _cut(client):
            self._unpaired[request_id(request) or len(self._unpaired) + self.pairs_made] = request
        if len(self._unpaired) > MAX_UNPAIRED:
            self.refuse(("dropped", "queue_full"))
        for answer in _cut(upstream):
            name = answer_id(answer) or next(iter(self._unpaired), b"")
            asked = self._unpaired.pop(name, None)
            if asked is not None:
                self.pairs_made += 1
                yield asked, answer


def _cut(body: bytearray) -> Iterator[bytes]:
    """The whole messages at a body's start, their heads included; they are taken out of it."""
    at = 0
    while len(body) - at >= HEAD_BYTES:
        end = at + HEAD_BYTES + int.from_bytes(body[at + 1 : at + HEAD_BYTES], "big")
        if end > len(body):
            break
        yield bytes(body[at:end])
        at = end
    del body[:at]
