"""The chunked transfer coding (RFC 9112 section 7.1): decoded strictly, encoded anew.

Extensions and trailers are dropped: nothing that a peer hides there reaches the other side.
"""

from __future__ import annotations

from monitor.relay.http1.grammar import (
    CHUNK_LINE,
    CRLF,
    HEX_DIGIT,
    MAX_CHUNK_EXCESS_BYTES,
    MAX_CHUNK_LINE_BYTES,
    MAX_TRAILER_BYTES,
    TRAILER_LINE,
    ProtocolError,
)

LAST_CHUNK = b"0\r\n\r\n"

_SIZE, _DATA, _DATA_END, _TRAILER, _DONE = range(5)


def encode_chunk(payload: bytes, *, last: bool = False) -> bytes:
    """One chunk, and the end of the body after the last; no empty chunk, because that is the end.

    >>> encode_chunk(b"hello"), encode_chunk(b""), encode_chunk(b"", last=True)
    (b'5\\r\\nhello\\r\\n', b'', b'0\\r\\n\\r\\n')
    """
    chunk = b"%x\r\n%b\r\n" % (len(payload), payload) if payload else b""
    return chunk + LAST_CHUNK if last else chunk


class ChunkedBody:
    """Decodes one chunked body from pieces of any size.

    >>> body = ChunkedBody()
    >>> body.feed(b"3;x=y\\r\\nab"), body.feed(b"c\\r\\n0\\r\\n\\r\\nrest")
    (b'ab', b'c')
    >>> body.complete, body.rest
    (True, b'rest')
    """

    __slots__ = ("_excess", "_left", "_line", "_state", "_trailer_bytes", "complete", "rest")

    def __init__(self) -> None:
        self.complete = False
        self.rest = b""  # what came after the body
        self._state = _SIZE
        self._line = b""  # of a line, what has come so far
        self._left = 0
        self._excess = 0
        self._trailer_bytes = 0

    def feed(self, data: bytes) -> bytes:
        """The payload in `data`; ProtocolError on what is not a chunked body."""
        if self._line:
            data = self._line + data
            self._line = b""
        payload: list[bytes] = []
        at = 0
        end = len(data)
        while at < end and self._state != _DONE:
            if self._state == _DATA:
                piece = data[at : at + self._left]
                payload.append(piece)
                at += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._state = _DATA_END
                continue
            stop = data.find(CRLF, at)
            if stop < 0:
                self._keep(data[at:])
                return b"".join(payload)
            self._take_line(data[at:stop])
            at = stop + 2
        if self._state == _DONE:
            self.complete = True
            self.rest = data[at:]
        return payload[0] if len(payload) == 1 else b"".join(payload)

    def _take_line(self, line: bytes) -> None:
        if self._state == _SIZE:
            self._take_size(line)
        elif self._state == _DATA_END:
            if line:
                raise ProtocolError("a chunk is longer than its size")
            self._state = _SIZE
        elif not line:
            self._state = _DONE
        else:
            self._trailer_bytes += len(line) + 2
            if self._trailer_bytes > MAX_TRAILER_BYTES or not TRAILER_LINE.fullmatch(line):
                raise ProtocolError("the trailer section is malformed")

    def _take_size(self, line: bytes) -> None:
        match = CHUNK_LINE.fullmatch(line)
        if not match or len(line) > MAX_CHUNK_LINE_BYTES:
            raise ProtocolError("a chunk size is malformed")
        self._left = size = int(match[1], 16)
        self._excess = max(0, self._excess + len(line) - 16 - 2 * size)
        if self._excess > MAX_CHUNK_EXCESS_BYTES:
            raise ProtocolError("chunk extensions outweigh the body")
        if size >= 1 << 63:
            raise ProtocolError("a chunk size is too large")
        self._state = _DATA if size else _TRAILER

    def _keep(self, line: bytes) -> None:
        """Holds the beginning of a line, if it can still become one: a peer must not be waited
        for in vain.
        """
        if self._state == _SIZE:
            possible = HEX_DIGIT.match(line) is not None and len(line) <= MAX_CHUNK_LINE_BYTES
        elif self._state == _DATA_END:
            possible = line == b"\r"
        else:
            possible = len(line) + self._trailer_bytes <= MAX_TRAILER_BYTES
        if not possible or b"\n" in line:
            raise ProtocolError("a chunk is malformed")
        self._line = line
