"""Frames: whatever the cut, the same exchanges come out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.records.exchange import Exchange, field
from monitor.records.framing import (
    ACK,
    EXCHANGE,
    FrameReader,
    decode_exchange,
    decode_json,
    encode_exchange,
    encode_json,
)

latin = st.text(st.characters(max_codepoint=255), max_size=40)
exchanges = st.builds(
    Exchange,
    prediction_id=latin,
    method=latin,
    target=latin,
    status=st.integers(100, 599),
    started_at=st.floats(0, 4e9),
    duration_seconds=st.floats(0, 1e6),
    request_fields=st.binary(max_size=60),
    request_body=st.binary(max_size=60),
    response_fields=st.binary(max_size=60),
    response_body=st.binary(max_size=60),
    first_byte_seconds=st.floats(0, 1e6),
)


@given(st.lists(exchanges, max_size=5), st.integers(1, 30))
def test_any_cut_gives_the_same_exchanges(sent: list[Exchange], step: int) -> None:
    stream = b"".join(encode_exchange(exchange) for exchange in sent)
    reader = FrameReader()
    received: list[Exchange] = []
    for at in range(0, len(stream), step):
        for kind, payload in reader.feed(stream[at : at + step]):
            assert kind == EXCHANGE
            received.append(decode_exchange(payload))
    assert received == sent


def test_messages_and_exchanges_share_the_stream() -> None:
    stream = encode_json(ACK, {"observed": 1}) + encode_json(ACK, {"observed": 2})
    frames = FrameReader().feed(stream)
    assert [decode_json(payload)["observed"] for _, payload in frames] == [1, 2]


@pytest.mark.parametrize("prefix", [b"\x00\x00\x00\x00\x01", b"\xff\xff\xff\xff\x01"])
def test_an_impossible_length_is_refused(prefix: bytes) -> None:
    with pytest.raises(ValueError, match="frame of"):
        FrameReader().feed(prefix)


@pytest.mark.parametrize(
    ("block", "value"),
    [
        (b"Content-Type: text/csv\r\n", b"text/csv"),
        (b"A: 1\r\ncontent-type:\tx \r\nB: 2\r\n", b"x"),
        (b"X-Content-Type: no\r\n", b""),
        (b"A: content-type: no\r\n", b""),
        (b"", b""),
    ],
)
def test_a_field_is_found_by_its_whole_name(block: bytes, value: bytes) -> None:
    assert field(block, b"content-type") == value
