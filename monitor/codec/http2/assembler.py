"""One HTTP/2 connection put together again from both sides: each stream becomes an exchange.

Knows RFC 9113's streams and gRPC's way of saying that a call failed; nothing of what bodies mean.
Bounded: bodies, header blocks, streams, and all that one connection holds together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from hyperframe.exceptions import HyperframeError
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    HeadersFrame,
    PushPromiseFrame,
    RstStreamFrame,
)

from monitor.codec.http2.fields import MAX_BLOCK_BYTES, FieldReader, Fields
from monitor.codec.http2.stream import GRPC, Stream
from monitor.errors import CodecError
from monitor.records.exchange import Exchange
from monitor.records.tunnelled import CLIENT, FRAME_HEAD_BYTES, OVERSIZE, UPSTREAM

MAX_HELD_BYTES = 32 << 20  # of one connection
MAX_STREAMS = 10_000  # under way at once

Fate = tuple[str, str]  # outcome, reason
# Method and target → why it is not offered, or ""; the target is b"" where it could not be read.
Offered = Callable[[bytes, bytes], str]

DROPPED: Fate = ("dropped", "queue_full")
ABORTED: Fate = ("skipped", "aborted")
BAD: Fate = ("failed", "bad_http2")


class Settled(NamedTuple):
    """One result: an exchange to be decoded, or the fate of one that will not be, or both.

    `counts`: whether it is a stream's one account; messages within a stream are none of their own.
    """

    exchange: Exchange | None
    fate: Fate | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class AssemblerSettings:
    """What is kept, and how exchanges are named."""

    max_body_bytes: int
    offered: Offered
    make_id: Callable[[], str]


class _Side:
    """What one side is in the middle of."""

    def __init__(self, *, fresh: bool) -> None:
        self.buffer = bytearray()
        self.fields = FieldReader(fresh=fresh)
        self.block: tuple[int, bool, bool] | None = None  # stream, ends it, is a promise
        self.fragments = bytearray()


class Assembler:
    """Feed it both sides' pieces in the order of their arrival."""

    def __init__(self, settings: AssemblerSettings, *, fresh: bool) -> None:
        self._settings = settings
        self._late = not fresh
        self._sides = _Side(fresh=fresh), _Side(fresh=fresh)
        self._streams: dict[int, Stream] = {}
        self._last_stream = 0
        self._owed = 0  # streams that were counted, and have not been seen to open yet
        self._broken = False
        self._at = 0.0

    def feed(self, side: int, data: bytes, at: float, opened: int) -> list[Settled]:
        """What these bytes complete; `opened` is how many streams whoever sent them counted."""
        self._at = at
        self._owed += opened
        results: list[Settled] = []
        if not self._broken:
            try:
                for frame in self._frames(self._sides[side], data):
                    self._frame(side, frame, results)
            except (HyperframeError, CodecError, ValueError):
                self._broken = True
        if self._broken:
            results += self._settle_all(BAD)
        return results

    def end(self, *, lost: bool) -> list[Settled]:
        """The connection is over, or no more is heard of it."""
        self._broken = True
        return self._settle_all(DROPPED if lost else ABORTED)

    def _settle_all(self, fate: Fate) -> list[Settled]:
        left, self._streams = self._streams, {}
        owed, self._owed = self._owed, 0
        settled = [Settled(None, stream.fate or fate) for stream in left.values()]
        return settled + [Settled(None, fate)] * owed

    def _frames(self, side: _Side, data: bytes) -> Iterator[Frame]:
        buffer = side.buffer
        buffer += data
        at = 0
        while len(buffer) - at >= FRAME_HEAD_BYTES:
            frame, length = Frame.parse_frame_header(
                memoryview(bytes(buffer[at : at + FRAME_HEAD_BYTES]))
            )
            end = at + FRAME_HEAD_BYTES + length
            if end > len(buffer):
                break
            frame.parse_body(memoryview(bytes(buffer[at + FRAME_HEAD_BYTES : end])))
            at = end
            yield frame
        del buffer[:at]

    def _frame(self, side: int, frame: Frame, results: list[Settled]) -> None:
        heard = self._sides[side]
        if isinstance(frame, HeadersFrame | PushPromiseFrame):
            ends = "END_STREAM" in frame.flags
            heard.block = frame.stream_id, ends, isinstance(frame, PushPromiseFrame)
            heard.fragments = bytearray(frame.data)
            if side == CLIENT and frame.stream_id > self._last_stream and self._owed:
                self._open(frame.stream_id, results)
            self._block(side, frame, results)
        elif isinstance(frame, ContinuationFrame):
            heard.fragments += frame.data
            self._block(side, frame, results)
        elif isinstance(frame, DataFrame):
            self._data(side, frame, results)
        elif isinstance(frame, RstStreamFrame):
            self._finish(frame.stream_id, ABORTED, results)
        elif isinstance(frame, ExtensionFrame) and frame.type == OVERSIZE:
            stream = self._streams.get(frame.stream_id)
            if stream is not None:
                stream.refuse(("skipped", "size"))
                self._ended(side, frame.stream_id, bool(frame.flag_byte & 1), results)

    def _open(self, number: int, results: list[Settled]) -> None:
        self._last_stream = number
        self._owed -= 1
        if len(self._streams) >= MAX_STREAMS:
            oldest = next(iter(self._streams))
            results.append(Settled(None, self._streams.pop(oldest).fate or DROPPED))
        self._streams[number] = Stream(self._at, self._settings.max_body_bytes, late=self._late)

    def _block(self, side: int, frame: Frame, results: list[Settled]) -> None:
        heard = self._sides[side]
        if len(heard.fragments) > MAX_BLOCK_BYTES:
            raise CodecError("bad_http2", "a header block is too large")
        if "END_HEADERS" not in frame.flags or heard.block is None:
            return
        (number, ends, promise), heard.block = heard.block, None
        fields = heard.fields.read(bytes(heard.fragments))
        heard.fragments = bytearray()
        stream = self._streams.get(number)
        if promise or stream is None:
            return
        if side == CLIENT:
            self._asked(stream, fields)
        else:
            stream.answered(fields, last=ends)
        self._ended(side, number, ends, results)

    def _asked(self, stream: Stream, fields: Fields | None) -> None:
        if not stream.asked(fields):
            return  # a trailer
        reason = self._settings.offered(stream.method, stream.target)
        if reason:
            stream.refuse(("skipped", reason))

    def _data(self, side: int, frame: DataFrame, results: list[Settled]) -> None:
        stream = self._streams.get(frame.stream_id)
        if stream is None:
            return
        stream.add(side, bytes(frame.data))
        if stream.paired:
            for request, answer in stream.pairs():
                results.append(Settled(self._exchange(stream, request, answer), counts=False))
        elif self._held() > MAX_HELD_BYTES:
            stream.refuse(DROPPED)
        self._ended(side, frame.stream_id, "END_STREAM" in frame.flags, results)

    def _held(self) -> int:
        if 2 * self._settings.max_body_bytes * len(self._streams) <= MAX_HELD_BYTES:
            return 0  # so few are bounded by the limit on bodies
        return sum(stream.held_bytes for stream in self._streams.values())

    def _ended(self, side: int, number: int, ends: bool, results: list[Settled]) -> None:  # noqa: FBT001 - the frame's own flag
        if not ends:
            return
        if side == UPSTREAM:
            self._finish(number, None, results)
        elif number in self._streams:
            self._streams[number].request_complete = True

    def _finish(self, number: int, fate: Fate | None, results: list[Settled]) -> None:
        """A stream is over: whole, if there is no fate."""
        stream = self._streams.pop(number, None)
        if stream is None:
            return
        fate = stream.fate or fate or stream.failure()
        if fate is not None:
            results.append(Settled(None, fate))
            return
        request, answer = stream.bodies()
        results.append(Settled(self._exchange(stream, request, answer)))

    def _exchange(self, stream: Stream, request: bytes, answer: bytes) -> Exchange:
        return Exchange(
            stream.name(request) or self._settings.make_id(),
            (stream.method or b"POST").decode("latin-1"),
            stream.target.decode("latin-1"),
            200,
            stream.began_at,
            max(0.0, self._at - stream.began_at),
            stream.request_fields or GRPC,
            request,
            stream.answer_fields or GRPC,
            answer,
        )
