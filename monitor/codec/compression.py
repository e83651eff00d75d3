"""Content codings undone as a stream, up to a cap; knows nothing of what the bytes mean."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

import brotli
import zstandard

from monitor.errors import CodecError

MAX_STACKED_CODINGS = 2  # `gzip, gzip` is seen behind careless proxies; more is an attack
MAX_GZIP_MEMBERS = (
    1024  # bgzip writes one for each 64 KiB; empty ones cost time without giving bytes
)
MAX_ZSTD_WINDOW_BYTES = 8 << 20  # what RFC 8878 section 3.1.1.1.2 asks every decoder to support

_PIECE_BYTES = 1 << 16
_RAW_DEFLATE = -zlib.MAX_WBITS
_GZIP = zlib.MAX_WBITS + 16


def decompress(body: bytes, content_encoding: bytes, max_bytes: int) -> bytes:
    """The body without its codings; CodecError where that fails or gives more than `max_bytes`.

    >>> decompress(zlib.compress(b"[1]"), b"deflate", 10)
    b'[1]'
    """
    codings = [name.strip().lower() for name in content_encoding.split(b",")]
    codings = [name for name in codings if name not in (b"", b"identity")]
    if len(codings) > MAX_STACKED_CODINGS:
        raise CodecError("bad_compression", f"{len(codings)} codings on one body")
    for name in reversed(codings):
        decoder = _DECODERS.get(name)
        if decoder is None:
            raise CodecError("unknown_compression", name[:32].decode("ascii", "replace"))
        try:
            body = decoder(body, max_bytes)
        except (zlib.error, brotli.error, zstandard.ZstdError, EOFError) as error:
            text = f"{name.decode()}: {error}"
            raise CodecError("bad_compression", text) from None
    if len(body) > max_bytes:
        raise CodecError("too_large", f"{len(body)} bytes, at most {max_bytes}")
    return body


class _Output:
    """Decoded pieces, counted against the cap as they come."""

    def __init__(self, max_bytes: int) -> None:
        self._pieces: list[bytes] = []
        self._left = max_bytes
        self._max_bytes = max_bytes

    @property
    def limit(self) -> int:
        """How many bytes to ask a decoder for: one more than fits, so that the excess is seen."""
        return self._left + 1

    def add(self, piece: bytes) -> None:
        """Take one piece; CodecError when the whole no longer fits."""
        self._left -= len(piece)
        if self._left < 0:
            raise CodecError("too_large", f"more than {self._max_bytes} bytes once decoded")
        self._pieces.append(piece)

    def join(self) -> bytes:
        """All pieces in one."""
        return b"".join(self._pieces)


def _gunzip(body: bytes, max_bytes: int) -> bytes:
    output = _Output(max_bytes)
    view = memoryview(body)
    members = 1
    decoder = zlib.decompressobj(_GZIP)
    for start in range(0, len(view), _PIECE_BYTES):
        # Fed in small pieces because `unused_data` copies all that follows a member, for each
        # member.
        piece: bytes | memoryview = view[start : start + _PIECE_BYTES]
        while piece:
            if decoder.eof:
                members += 1
                if members > MAX_GZIP_MEMBERS:
                    raise CodecError("bad_compression", f"more than {MAX_GZIP_MEMBERS} members")
                decoder = zlib.decompressobj(_GZIP)
            output.add(decoder.decompress(piece, output.limit))
            piece = decoder.unused_data
    if not decoder.eof:
        raise EOFError("ends before its last block")
    return output.join()


def _inflate(body: bytes, max_bytes: int) -> bytes:
    try:
        return _inflate_as(body, max_bytes, zlib.MAX_WBITS)
    except zlib.error:
        # "deflate" means zlib's wrapper, but raw streams are common (RFC 9110 section 8.4.1.2).
        return _inflate_as(body, max_bytes, _RAW_DEFLATE)


def _inflate_as(body: bytes, max_bytes: int, window_bits: int) -> bytes:
    output = _Output(max_bytes)
    decoder = zlib.decompressobj(window_bits)
    output.add(decoder.decompress(body, output.limit))
    if not decoder.eof:
        raise EOFError("ends before its last block")
    return output.join()


def _unbrotli(body: bytes, max_bytes: int) -> bytes:
    output = _Output(max_bytes)
    decoder = brotli.Decompressor()
    # In pieces because the decoder's own buffers grow with the most that it may give at once.
    output.add(decoder.process(body, output_buffer_limit=min(output.limit, _PIECE_BYTES)))
    while not decoder.is_finished():
        piece = decoder.process(b"", output_buffer_limit=min(output.limit, _PIECE_BYTES))
        if not piece:
            raise EOFError("ends before its last block")
        output.add(piece)
    return output.join()


def _unzstd(body: bytes, max_bytes: int) -> bytes:
    output = _Output(max_bytes)
    decoder = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_WINDOW_BYTES)
    with decoder.stream_reader(io.BytesIO(body), read_across_frames=True) as reader:
        while piece := reader.read(min(output.limit, _PIECE_BYTES)):
            output.add(piece)
    return output.join()


_DECODERS: dict[bytes, Callable[[bytes, int], bytes]] = {
    b"gzip": _gunzip,
    b"x-gzip": _gunzip,
    b"deflate": _inflate,
    b"br": _unbrotli,
    b"zstd": _unzstd,
}
