"""Answers: bytes in, bytes out, by section of RFC 9112 and RFC 9110; whole and byte by byte."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.relay.http1.answers import frame_answer, read_answer
from monitor.relay.http1.chunks import encode_chunk
from monitor.relay.http1.grammar import ProtocolError
from monitor.relay.http1.memo import Memo
from monitor.relay.http1.readers import AnswerReader

OK = b"HTTP/1.1 200 OK\r\n"


def relayed(
    pieces: list[bytes], *, head_only: bool = False, http10: bool = False, ends: bool = True
) -> tuple[bytes, bool]:
    """What the client gets for what comes from the upstream, and whether it is whole."""
    reader = AnswerReader(Memo(read_answer))
    out, begun, chunked = b"", False, False
    for data in pieces:
        try:
            if not begun:
                plan = reader.start(data, head_only=head_only)
                if plan is None:
                    continue
                begun, payload = True, reader.payload
                framed = frame_answer(
                    plan, prediction_id=b"", head_only=head_only, http10=http10, close=False
                )
                out, chunked = framed.head, framed.chunked
            elif reader.complete:
                break
            else:
                payload = reader.body(data)
        except ProtocolError:
            return out + b"!", False
        out += encode_chunk(payload, last=reader.complete) if chunked else payload
    if begun and ends and not reader.complete and reader.end() and chunked:
        out += b"0\r\n\r\n"
    return out, begun and reader.complete


def _both_ways(data: bytes, **how: bool) -> tuple[bytes, bool]:
    whole = relayed([data], **how)
    split = relayed([data[i : i + 1] for i in range(len(data))], **how)
    if b"chunked" not in whole[0]:
        assert split == whole
    assert split[1] == whole[1]
    return whole


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
OUT_CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"

# (section, what comes from the upstream, what the client gets, whether it is whole)
PASSED = [
    ("9112-6.2 length", OK + b"Content-Length: 2\r\n\r\nok", OK + b"Content-Length: 2\r\n\r\nok",
     True),
    ("9112-4 no reason", b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
     b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", True),
    ("9112-4 reason and status kept", b"HTTP/1.1 599 Odd \xe9\r\nContent-Length: 0\r\n\r\n",
     b"HTTP/1.1 599 Odd \xe9\r\nContent-Length: 0\r\n\r\n", True),
    ("9112-5.1 space before colon removed", OK + b"X : a\r\nContent-Length: 0\r\n\r\n",
     OK + b"X: a\r\nContent-Length: 0\r\n\r\n", True),
    ("9112-5.2 fold replaced", OK + b"X: a\r\n\t b\r\nContent-Length: 0\r\n\r\n",
     OK + b"X: a b\r\nContent-Length: 0\r\n\r\n", True),
    ("9112-6.3 the same length twice", OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
     OK + b"content-length: 2\r\n\r\nok", True),
    ("9112-6.3 CL and TE: chunks win", OK + b"Content-Length: 9\r\nTransfer-Encoding: "
     b"chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", OUT_CHUNKED + b"2\r\nok\r\n0\r\n\r\n", True),
    ("9112-6.3 until close", OK + b"\r\nabc", OUT_CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", True),
    ("9112-2.3 HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\nabc", OUT_CHUNKED + b"3\r\nabc\r\n0\r\n\r\n",
     True),
    ("9112-7.1.1 extension and trailer dropped", CHUNKED + b"2;a=b\r\nok\r\n0\r\nX-T: v\r\n\r\n",
     OUT_CHUNKED + b"2\r\nok\r\n0\r\n\r\n", True),
    ("9112-8 short", OK + b"Content-Length: 9\r\n\r\nok", OK + b"Content-Length: 9\r\n\r\nok",
     False),
    ("9112-8 no last chunk", CHUNKED + b"2\r\nok\r\n", OUT_CHUNKED + b"2\r\nok\r\n", False),
    ("9110-15.3.5 204", b"HTTP/1.1 204 No\r\nContent-Length: 3\r\nX: y\r\n\r\n",
     b"HTTP/1.1 204 No\r\nX: y\r\n\r\n", True),
    ("9110-15.4.5 304", b"HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n",
     b"HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n", True),
    ("9110-7.6.1 hop by hop", OK + b"Connection: X-Hop\r\nX-Hop: s\r\nKeep-Alive: timeout=5\r\n"
     b"Proxy-Connection: k\r\nUpgrade: h2\r\nX-End: 1\r\nContent-Length: 0\r\n\r\n",
     OK + b"X-End: 1\r\nContent-Length: 0\r\n\r\n", True),
    ("9110-5.3 lines stay apart", OK + b"Set-Cookie: a=1, b\r\nSet-Cookie: b=2\r\nL: "
     b"\xe9\r\nContent-Length: 0\r\n\r\n",
     OK + b"Set-Cookie: a=1, b\r\nSet-Cookie: b=2\r\nL: \xe9\r\nContent-Length: 0\r\n\r\n", True),
    ("9110-15.2.2 101", b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
     b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nconnection: Upgrade\r\n\r\n", True),
]  # fmt: skip

FAULTY = [
    ("9112-4 garbage", b"\x00\x01garbage\r\n\r\n"),
    ("9112-4 version", b"HTTP/2 200 OK\r\n\r\n"),
    ("9112-4 status", b"HTTP/1.1 20 OK\r\n\r\n"),
    ("9112-6.3 lengths differ", OK + b"Content-Length: 2\r\nContent-Length: 7\r\n\r\nok"),
    ("9110-8.6 length", OK + b"Content-Length: +2\r\n\r\nok"),
    ("9112-6.1 coding", OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n"),
    ("9112-6.1 chunks in HTTP/1.0", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("9110-5.5 NUL", OK + b"X: a\x00b\r\nContent-Length: 0\r\n\r\n"),
    ("9112-2.2 bare CR", OK + b"X: a\rY: b\r\nContent-Length: 0\r\n\r\n"),
    ("9112-2.2 bare LF", OK + b"X: a\nY: b\r\nContent-Length: 0\r\n\r\n"),
    ("limit: fields", OK + b"X: y\r\n" * 201 + b"\r\n"),
    ("limit: head", OK + b"X: " + b"y" * (64 << 10) + b"\r\n\r\n"),
]


@pytest.mark.parametrize(
    ("section", "data", "out", "whole"), PASSED, ids=[row[0] for row in PASSED]
)
def test_an_answer_reaches_the_client_canonical(
    section: str, data: bytes, out: bytes, whole: bool
) -> None:
    assert _both_ways(data) == (out, whole)


@pytest.mark.parametrize(("section", "data"), FAULTY, ids=[row[0] for row in FAULTY])
def test_a_faulty_answer_is_not_passed_on(section: str, data: bytes) -> None:
    assert _both_ways(data) == (b"!", False)


def test_a_bad_chunk_never_ends_cleanly() -> None:
    out, whole = relayed([CHUNKED, b"2\r\nok", b"X\r\nZZ\r\n0\r\n\r\n"])
    assert not whole
    assert b"0\r\n\r\n" not in out


def test_9110_9_3_2_head_keeps_its_length_and_has_no_body() -> None:
    head = OK + b"Content-Length: 12345\r\n\r\n"
    assert _both_ways(head, head_only=True) == (head, True)
    assert _both_ways(CHUNKED, head_only=True) == (OK + b"\r\n", True)


def test_9112_6_1_http10_never_gets_chunks() -> None:
    data = CHUNKED + b"2\r\nok\r\n1\r\n!\r\n0\r\n\r\n"
    assert relayed([data], http10=True) == (OK + b"connection: close\r\n\r\nok!", True)


@given(st.data())
def test_any_split_gives_the_same_answer(data: st.DataObject) -> None:
    stream = data.draw(st.sampled_from([row[1] for row in PASSED]))
    places = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=12)) | {0, len(stream)})
    out, whole = relayed([stream[a:b] for a, b in itertools.pairwise(places)], http10=True)
    assert (out, whole) == relayed([stream], http10=True)


@given(st.lists(st.binary(max_size=40), max_size=8), st.sampled_from([b"", OK, CHUNKED]))
def test_random_bytes_raise_nothing_but_the_protocol_error(
    pieces: list[bytes], lead: bytes
) -> None:
    relayed([lead, *pieces])


def test_the_upstreams_own_prediction_id_gives_way_to_ours() -> None:
    plan = read_answer(OK + b"X-Prediction-Id: theirs\r\nContent-Length: 0\r\n\r\n")
    ours = frame_answer(plan, prediction_id=b"ours", head_only=False, http10=False, close=False)
    assert ours.head == OK + b"Content-Length: 0\r\nx-prediction-id: ours\r\n\r\n"
    theirs = frame_answer(plan, prediction_id=b"", head_only=False, http10=False, close=True)
    assert b"X-Prediction-Id: theirs" in theirs.head
    assert b"connection: close" in theirs.head
