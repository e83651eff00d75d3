"""Content codings: what goes in comes out, and never more than the cap."""

from __future__ import annotations

import bz2
import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.codec import Decoder, DecoderSettings
from monitor.codec.compression import MAX_GZIP_MEMBERS, decompress
from monitor.errors import CodecError
from monitor.records.exchange import Exchange

Make = Callable[..., Exchange]

MiB = 1 << 20


def _raw_deflate(data: bytes) -> bytes:
    return zlib.compress(data, 9, -15)


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}
COMPRESS = [*CODINGS.items(), ("deflate", _raw_deflate)]


def _reason(body: bytes, coding: str, max_bytes: int = MiB) -> str:
    with pytest.raises(CodecError) as caught:
        decompress(body, coding.encode(), max_bytes)
    return caught.value.reason


@pytest.mark.parametrize(("coding", "compress"), COMPRESS)
@settings(deadline=None, max_examples=25)
@given(data=st.binary(max_size=5000), copies=st.integers(1, 40))
def test_round_trip(
    coding: str, compress: Callable[[bytes], bytes], data: bytes, copies: int
) -> None:
    data *= copies
    assert decompress(compress(data), coding.encode(), max(len(data), 1)) == data


@pytest.mark.parametrize(("coding", "compress"), COMPRESS)
def test_the_cap_is_exact(coding: str, compress: Callable[[bytes], bytes]) -> None:
    data = bytes(300_000)
    assert decompress(compress(data), coding.encode(), 300_000) == data
    assert _reason(compress(data), coding, 299_999) == "too_large"


@pytest.mark.parametrize(("coding", "compress"), COMPRESS)
def test_what_is_cut_or_broken_is_refused(coding: str, compress: Callable[[bytes], bytes]) -> None:
    whole = compress(b"[1, 2, 3]" * 1000)
    assert _reason(b"not compressed at all", coding) == "bad_compression"
    if coding != "zstd":  # a frame that is cut gives what there was, and JSON says the rest
        assert _reason(whole[:-9], coding) == "bad_compression"


def test_members_and_frames_follow_one_another() -> None:
    body = b"".join(gzip.compress(bytes([65 + i]) * 70_000) for i in range(5))
    expected = b"".join(bytes([65 + i]) * 70_000 for i in range(5))
    assert decompress(body, b"gzip", MiB) == expected
    frames = zstandard.compress(b"[1,") + zstandard.compress(b"2]")
    assert decompress(frames, b"zstd", MiB) == b"[1,2]"


def test_stacked_codings_are_undone_from_the_last() -> None:
    assert decompress(brotli.compress(gzip.compress(b"x")), b"GZIP,  br", MiB) == b"x"
    assert decompress(gzip.compress(b"x"), b"identity, gzip, ", MiB) == b"x"
    thrice = gzip.compress(gzip.compress(gzip.compress(b"x")))
    assert _reason(thrice, "gzip, gzip, gzip") == "bad_compression"
    assert _reason(bz2.compress(b"x"), "bzip2") == "unknown_compression"


BOMBS: dict[str, Callable[[], bytes]] = {
    "gzip": lambda: gzip.compress(bytes(500 * MiB), 1),
    "deflate": lambda: zlib.compress(bytes(100 * MiB), 1),
    "br": lambda: _brotli_zeros(100 * MiB),
    "zstd": lambda: zstandard.compress(bytes(500 * MiB)),
    "gzip, gzip": lambda: gzip.compress(gzip.compress(bytes(100 * MiB))),
    "gzip, br": lambda: brotli.compress(gzip.compress(bytes(100 * MiB))),
}


def _brotli_zeros(size: int) -> bytes:
    compressor = brotli.Compressor(quality=5)
    pieces = [compressor.process(bytes(MiB)) for _ in range(size // MiB)]
    return b"".join([*pieces, compressor.finish()])


@pytest.mark.parametrize("coding", BOMBS)
def test_bombs_cost_little_time_and_no_more_memory_than_the_cap(
    coding: str, exchange: Make
) -> None:
    bomb = BOMBS[coding]()
    field = b"Content-Encoding: " + coding.encode() + b"\r\n"
    decoder = Decoder(DecoderSettings(max_decoded_bytes=8 * MiB))
    for sides in ({"request_fields": field}, {"response_fields": field}):
        request, answer = (bomb, {"y": 1}) if "request_fields" in sides else ({"a": 1}, bomb)
        one = exchange(request, answer, **sides)
        tracemalloc.start()
        started = time.process_time()
        with pytest.raises(CodecError) as caught:
            decoder.decode(one)
        seconds = time.process_time() - started
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert caught.value.reason == "too_large"
        assert peak < 40 * MiB
        assert seconds < 1


def test_a_crowd_of_empty_members_is_refused_early() -> None:
    body = gzip.compress(b"") * 50_000
    started = time.process_time()
    assert _reason(body, "gzip") == "bad_compression"
    assert time.process_time() - started < 0.5
    few = gzip.compress(b"") * (MAX_GZIP_MEMBERS - 1) + gzip.compress(b"x")
    assert decompress(few, b"gzip", MiB) == b"x"


def test_a_window_beyond_what_decoders_must_support_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, compression_level=1)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = compressor.compress(bytes(1000)) + compressor.flush()
    assert _reason(body, "zstd") == "bad_compression"


@pytest.mark.parametrize("coding", CODINGS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_damaged_streams_decode_or_are_refused(coding: str, data: st.DataObject) -> None:
    body = bytearray(CODINGS[coding](b'{"instances": [[1, 2], [3, 4]]}' * 20))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert len(decompress(bytes(body), coding.encode(), 2000)) <= 2000
    except CodecError as error:
        assert error.reason in ("bad_compression", "too_large")  # noqa: PT017 - either is right


@pytest.mark.parametrize("coding", CODINGS)
def test_both_bodies_may_be_compressed(coding: str, exchange: Make) -> None:
    field = b"content-encoding: " + coding.encode() + b"\r\n"
    request, answer = CODINGS[coding](b'{"a": 1}'), CODINGS[coding](b'{"prediction": 2}')
    one = exchange(request, answer, request_fields=field, response_fields=field)
    batch = Decoder().decode(one)
    assert list(batch.features["a"]) == [1]
    assert list(batch.outputs["prediction"]) == [2]


def test_codings_may_stand_in_two_fields(exchange: Make) -> None:
    fields = b"Content-Encoding: gzip\r\nX: y\r\ncontent-encoding: br\r\n"
    body = brotli.compress(gzip.compress(b'{"a": 1}'))
    assert list(Decoder().decode(exchange(body, 1, request_fields=fields)).features) == ["a"]
