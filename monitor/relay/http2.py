"""One direction of a tunnelled HTTP/2 connection, cut at its frames: what of it an observer needs.

Sans-io, and no more of RFC 9113 than its frame header (section 4.1): header blocks and data are
copied as they are, flow control and pings are left out, and so is data beyond a limit. What passes
through the tunnel itself is never touched.
"""

from __future__ import annotations

from monitor.records.tunnelled import FRAME_HEAD_BYTES, OVERSIZE

_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PUSH_PROMISE, _CONTINUATION = 0, 1, 3, 4, 5, 9
_KEPT = frozenset({_HEADERS, _RST_STREAM, _SETTINGS, _PUSH_PROMISE, _CONTINUATION})
_END_STREAM, _END_HEADERS = 0x1, 0x4
_PREFACE_BYTES = 24  # RFC 9113 section 3.4
_MOST_STREAMS = 10_000  # of which sizes are known; servers allow some hundred at once


class FrameCopy:
    """Copies frames from one side; `limit_bytes` is the most data of a stream in one go.

    In one go means: since the other side last sent data on it. So a stream of small messages goes
    on for ever, and one large message is not held.
    """

    __slots__ = (
        "_client", "_copying", "_head", "_in_block", "_last_stream", "_left", "_limit_bytes",
        "_preface_left", "_sizes", "spoke",
    )  # fmt: skip

    def __init__(self, limit_bytes: int, *, client: bool) -> None:
        self._client = client
        self._limit_bytes = limit_bytes
        self._preface_left = _PREFACE_BYTES if client else 0
        self._head = bytearray()
        self._left = 0  # of the payload of the frame under way
        self._copying = False
        self._in_block = False  # of header fields, which goes on in the next frame
        self._last_stream = 0
        self._sizes: dict[int, int] = {}
        self.spoke: set[int] = set()  # streams on which data came in the last `feed`

    @property
    def at_boundary(self) -> bool:
        """Whether whoever begins to listen now understands what comes next."""
        return not (self._left or self._head or self._in_block or self._preface_left)

    def heard(self, streams: set[int]) -> None:
        """The other side has sent data on these streams."""
        for stream in streams:
            self._sizes.pop(stream, None)

    def feed(self, data: bytes) -> tuple[list[bytes], int]:
        """What is to be copied of `data`, and how many streams it opens."""
        pieces: list[bytes] = []
        opened = 0
        at = min(self._preface_left, len(data))
        self._preface_left -= at
        self.spoke = set()
        while at < len(data):
            if self._left:
                end = min(at + self._left, len(data))
                if self._copying:
                    pieces.append(data[at:end])
                self._left -= end - at
                at = end
                continue
            end = at + FRAME_HEAD_BYTES - len(self._head)
            self._head += data[at:end]
            at = end
            if len(self._head) == FRAME_HEAD_BYTES:
                head, self._head = bytes(self._head), bytearray()
                opened += self._begin(head, pieces)
        return pieces, opened

    def _begin(self, head: bytes, pieces: list[bytes]) -> int:
        """Decides what becomes of a frame; 1 where it opens a stream."""
        self._left, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
        stream = int.from_bytes(head[5:], "big") & 0x7FFFFFFF
        if kind == _DATA:
            self._data(head, stream, pieces)
            return 0
        self._copying = kind in _KEPT
        if self._copying:
            pieces.append(head)
        if kind in (_HEADERS, _PUSH_PROMISE, _CONTINUATION):
            self._in_block = not flags & _END_HEADERS
        if kind == _RST_STREAM or (kind == _HEADERS and flags & _END_STREAM):
            self._sizes.pop(stream, None)
        if kind == _HEADERS and self._client and stream > self._last_stream:
            self._last_stream = stream
            return 1
        return 0

    def _data(self, head: bytes, stream: int, pieces: list[bytes]) -> None:
        before = self._sizes.get(stream, 0)
        size = before + self._left
        ends = head[4] & _END_STREAM
        self._copying = size <= self._limit_bytes
        self.spoke.add(stream)
        if self._copying:
            pieces.append(head)
        elif before <= self._limit_bytes or ends:
            pieces.append(b"\x00\x00\x00" + bytes((OVERSIZE, ends)) + head[5:])
        self._sizes.pop(stream, None)
        if not ends:
            if len(self._sizes) >= _MOST_STREAMS:
                self._sizes.clear()
            self._sizes[stream] = size
