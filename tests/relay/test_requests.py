"""Requests: bytes in, bytes out, by section of RFC 9112 and RFC 9110; whole and byte by byte."""

from __future__ import annotations

import itertools
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.relay.http1.chunks import encode_chunk
from monitor.relay.http1.grammar import ProtocolError
from monitor.relay.http1.memo import MAX_PLANS, Memo
from monitor.relay.http1.readers import RequestReader
from monitor.relay.http1.requests import CHUNKED, RequestPlan, read_request

HOST = b"Host: h.test\r\n"
GET = b"GET /p HTTP/1.1\r\n"
POST = b"POST /p HTTP/1.1\r\n" + HOST
CHUNKS = POST + b"Transfer-Encoding: chunked\r\n\r\n"
REFUSED = b"!"  # then the status


def _plans() -> Memo[RequestPlan]:
    return Memo(partial(read_request, authority=b"up:1", unoffered=lambda _method, _target: "path"))


def relayed(pieces: list[bytes], plans: Memo[RequestPlan] | None = None) -> bytes:
    """What goes upstream for what comes in; `!status` where it is refused."""
    reader = RequestReader(_plans() if plans is None else plans)
    out, length, within = b"", 0, False
    for piece in pieces:
        data = piece
        while True:
            try:
                if within:
                    payload = reader.body(data)
                else:
                    plan = reader.start(data)
                    if plan is None:
                        break
                    out, payload, length = out + plan.head, reader.payload, plan.length
            except ProtocolError as error:
                return out + REFUSED + b"%d" % error.status
            within = not reader.complete
            out += encode_chunk(payload, last=not within) if length == CHUNKED else payload
            if within or not reader.rest:
                break
            data = reader.rest
    return out


def _both_ways(data: bytes) -> bytes:
    whole = relayed([data])
    assert relayed([data[i : i + 1] for i in range(len(data))]) == whole
    return whole


# (section, what comes in, what goes out)
FORWARDED = [
    ("9112-2.2 leading CRLF", b"\r\n" + GET + HOST + b"\r\n", GET + HOST + b"\r\n"),
    ("9112-3.2.1 target is never normalised",
     b"GET /a%2Fb//c/./d/../e?x=%20+&y=%C3%A9 HTTP/1.1\r\n" + HOST + b"\r\n",
     b"GET /a%2Fb//c/./d/../e?x=%20+&y=%C3%A9 HTTP/1.1\r\n" + HOST + b"\r\n"),
    ("9112-3.2.2 absolute form goes to the upstream as a path",
     b"GET http://evil.test:1/p?q HTTP/1.1\r\n" + HOST + b"X: y\r\n\r\n",
     b"GET /p?q HTTP/1.1\r\nhost: evil.test:1\r\nX: y\r\n\r\n"),
    ("9112-3.2.2 absolute form without a path",
     b"GET http://h.test HTTP/1.1\r\n" + HOST + b"\r\n",
     b"GET / HTTP/1.1\r\nhost: h.test\r\n\r\n"),
    ("9112-3.2.4 asterisk form", b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
     b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n"),
    ("9112-3.2 HTTP/1.0 without Host", b"GET /p HTTP/1.0\r\n\r\n",
     b"GET /p HTTP/1.1\r\nhost: up:1\r\n\r\n"),
    ("9112-6.2 length", POST + b"Content-Length: 3\r\n\r\nabc",
     POST + b"Content-Length: 3\r\n\r\nabc"),
    ("9112-6.2 explicit zero", POST + b"Content-Length: 0\r\n\r\n",
     POST + b"Content-Length: 0\r\n\r\n"),
    ("9112-6.3 a list of the same length is one",
     POST + b"Content-Length: 3, 3\r\n\r\nabc", POST + b"content-length: 3\r\n\r\nabc"),
    ("9112-6.3 the same length twice is one",
     POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
     POST + b"content-length: 3\r\n\r\nabc"),
    ("9112-6.1 an underscore is another name",
     POST + b"Transfer_Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
     POST + b"Transfer_Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc"),
    ("9112-9.3 pipelined", POST + b"Content-Length: 3\r\n\r\nabc" + GET + HOST + b"\r\n",
     POST + b"Content-Length: 3\r\n\r\nabc" + GET + HOST + b"\r\n"),
    ("9110-5.3 order, duplicates, empty and non-ASCII values",
     GET + HOST + b"X: 1\r\nX: 2\r\nE:\r\nL: \xe9\r\nU: \xc3\xa9\r\nCookie: a=b\r\n\r\n",
     GET + HOST + b"X: 1\r\nX: 2\r\nE:\r\nL: \xe9\r\nU: \xc3\xa9\r\nCookie: a=b\r\n\r\n"),
    ("9110-7.6.1 hop by hop",
     GET + HOST + b"Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: a\r\nTE: gzip\r\n"
     b"Proxy-Connection: k\r\nTrailer: X\r\nX-End: 1\r\n\r\n",
     GET + HOST + b"X-End: 1\r\n\r\n"),
    ("9110-7.6.1 Connection does not name what is for all",
     POST + b"Connection: Host, Content-Length, close\r\nContent-Length: 3\r\n\r\nabc",
     POST + b"Content-Length: 3\r\n\r\nabc"),
    ("9110-7.8 h2c is not passed on",
     GET + HOST + b"Upgrade: h2c\r\nHTTP2-Settings: AA\r\nConnection: Upgrade, "
     b"HTTP2-Settings\r\n\r\n",
     GET + HOST + b"\r\n"),
    ("9110-7.8 websocket is",
     GET + HOST + b"Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\r\n",
     GET + HOST + b"connection: Upgrade\r\nupgrade: websocket\r\n\r\n"),
    ("9110-10.1.1 Expect", POST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\na",
     POST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\na"),
]  # fmt: skip

# (section, chunks in, chunks out or status) after a head with Transfer-Encoding: chunked
CHUNKED_BODIES = [
    ("9112-7.1 plain", b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n", b"abcdefg"),
    ("9112-7.1 upper and leading zeros", b"00A\r\n0123456789\r\n000\r\n\r\n", b"0123456789"),
    ("9112-7.1.1 extension dropped", b'3;a=b\r\nabc\r\n1 ;x="y"\r\nd\r\n0;z\r\n\r\n', b"abcd"),
    ("9112-7.1.2 trailer dropped", b"1\r\na\r\n0\r\nContent-Length: 50\r\nHost: e\r\n\r\n", b"a"),
    ("9112-7.1 0x", b"0x3\r\nabc\r\n0\r\n\r\n", None),
    ("9112-7.1 plus", b"+3\r\nabc\r\n0\r\n\r\n", None),
    ("9112-7.1 minus", b"-3\r\nabc\r\n0\r\n\r\n", None),
    ("9112-7.1 underscore", b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n", None),
    ("9112-7.1 leading space", b" 3\r\nabc\r\n0\r\n\r\n", None),
    ("9112-7.1 empty size", b"\r\nabc\r\n0\r\n\r\n", None),
    ("9112-7.1 not hex", b"3Z\r\nabc\r\n0\r\n\r\n", None),
    ("9112-7.1 overflow", b"10000000000000003\r\nabc\r\n0\r\n\r\n", None),
    ("9112-7.1 sixteen digits", b"ffffffffffffffff\r\nabc", None),
    ("9112-7.1 no CRLF after data", b"3\r\nabcXX0\r\n\r\n", None),
    ("9112-7.1 bare LF after size", b"3\nabc\r\n0\r\n\r\n", None),
    ("9112-7.1 bare LF after data", b"3\r\nabc\n0\r\n\r\n", None),
    ("9112-7.1.1 LF in extension", b"3;a\nb\r\nabc\r\n0\r\n\r\n", None),
    ("9112-7.1.1 CR in extension", b"3;a\rb\r\nabc\r\n0\r\n\r\n", None),
    ("9112-7.1 last chunk without CR", b"3\r\nabc\r\n0\n\r\n", None),
    ("9112-7.1.1 huge extension", b"3;" + b"e" * 5000 + b"\r\nabc\r\n0\r\n\r\n", None),
    ("9112-7.1.1 extensions outweigh", (b"1;" + b"e" * 4000 + b"\r\na\r\n") * 6, None),
    ("9112-7.1.2 malformed trailer", b"1\r\na\r\n0\r\nX : y\r\n\r\n", None),
    ("9112-7.1.2 huge trailer", b"0\r\n" + b"X: " + b"y" * 20000 + b"\r\n\r\n", None),
]  # fmt: skip

LENGTHS = [b"3, 5", b"+3", b"-3", b"0x3", b"3_0", b"", b"3 3", b"3Z", b"3.0", b"\xd9\xa3",
           b"18446744073709551619", b"3,"]  # fmt: skip
CODINGS = [b"xchunked", b"chunked, identity", b"identity", b",chunked", b"\x0bchunked",
           b'"chunked"', b"chunked\xa0", b"gzip", b"gzip, chunked",
           b"chunked, chunked"]  # fmt: skip

REFUSED_HEADS = [
    ("9112-3 no version", b"GET /p\r\n\r\n", 400),
    ("9112-2.3 HTTP/2.0", b"GET /p HTTP/2.0\r\n" + HOST + b"\r\n", 505),
    ("9112-2.3 HTTP/1.2", b"GET /p HTTP/1.2\r\n" + HOST + b"\r\n", 505),
    ("9112-2.3 lower case", b"GET /p http/1.1\r\n" + HOST + b"\r\n", 400),
    ("9112-2.3 more after it", b"GET /p HTTP/1.1x\r\n" + HOST + b"\r\n", 400),
    ("9112-3 two spaces", b"GET  /p HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("9112-3.2 space in target", b"GET /p q HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("9112-3.2 control in target", b"GET /p\x01 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("9112-3.2 fragment", b"GET /p#f HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("9112-3.2 no slash", b"GET p HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("9112-3.2.3 CONNECT", b"CONNECT e:443 HTTP/1.1\r\nHost: e:443\r\n\r\n", 405),
    ("9112-3.1 method", b"G(T /p HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("9112-3.2 no Host", GET + b"\r\n", 400),
    ("9112-3.2 two Hosts", GET + HOST + HOST + b"\r\n", 400),
    ("9112-3.2 Host with path", GET + b"Host: a@b/c\r\n\r\n", 400),
    ("9112-3.2 Host with space", GET + b"Host: a b\r\n\r\n", 400),
    ("9112-5.1 space before colon", GET + HOST + b"X-A : b\r\n\r\n", 400),
    ("9112-5.1 empty name", GET + HOST + b": b\r\n\r\n", 400),
    ("9112-5.1 no colon", GET + HOST + b"NoColon\r\n\r\n", 400),
    ("9112-5.2 fold", GET + HOST + b"X: b\r\n c\r\n\r\n", 400),
    ("9112-5.2 first line indented", GET + b" X: y\r\n" + HOST + b"\r\n", 400),
    ("9110-5.5 NUL", GET + HOST + b"X: a\x00b\r\n\r\n", 400),
    ("9112-2.2 bare CR", GET + HOST + b"X: a\rY: c\r\n\r\n", 400),
    ("9112-2.2 bare LF", b"GET /p HTTP/1.1\nHost: h.test\n\n", 400),
    ("9110-5.1 control in name", GET + HOST + b"X\x01A: b\r\n\r\n", 400),
    ("9110-5.1 non-ASCII name", GET + HOST + b"X\xe9: b\r\n\r\n", 400),
    ("9112-6.1 CL and TE", POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ("9112-6.1 TE twice", POST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n", 400),
    ("9112-6.1 TE in HTTP/1.0",
     b"POST /p HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n", 400),
    ("9112-6.1 TE folded", POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n", 400),
    ("9112-6.3 lengths differ", POST + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\n", 400),
    ("not HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400),
    ("limit: target", b"GET /" + b"q" * 16384 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    ("limit: fields", GET + HOST + b"X: y\r\n" * 200 + b"\r\n", 431),
]  # fmt: skip


def _ids(table: list[tuple[str, bytes, bytes | None]] | list[tuple[str, bytes, int]]) -> list[str]:
    return [row[0] for row in table]


@pytest.mark.parametrize(("section", "data", "out"), FORWARDED, ids=[row[0] for row in FORWARDED])
def test_a_request_goes_upstream_canonical(section: str, data: bytes, out: bytes) -> None:
    assert _both_ways(data) == out


@pytest.mark.parametrize(
    ("section", "data", "body"), CHUNKED_BODIES, ids=[row[0] for row in CHUNKED_BODIES]
)
def test_chunks_are_read_strictly_and_written_anew(
    section: str, data: bytes, body: bytes | None
) -> None:
    for pieces in ([CHUNKS + data], [CHUNKS, *(data[i : i + 1] for i in range(len(data)))]):
        out = relayed(pieces)
        if body is None:
            assert out.endswith(REFUSED + b"400")
            assert b"0\r\n\r\n" not in out
        else:
            plain = relayed([POST + b"Content-Length: %d\r\n\r\n" % len(body)])
            assert out.startswith(plain.replace(b"Content-Length: %d" % len(body), b"")[:-4])
            assert _dechunked(out.partition(b"\r\n\r\n")[2]) == body


def _dechunked(data: bytes) -> bytes:
    """An independent decoder of canonical chunks."""
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        assert size == b"%x" % int(size, 16)
        if size == b"0":
            assert data == b"\r\n"
            return body
        body, data = body + data[: int(size, 16)], data[int(size, 16) + 2 :]


@pytest.mark.parametrize("value", LENGTHS)
def test_9110_8_6_a_length_is_digits(value: bytes) -> None:
    assert _both_ways(POST + b"Content-Length: " + value + b"\r\n\r\nabc") == b"!400"


@pytest.mark.parametrize("value", CODINGS)
@pytest.mark.parametrize("length", [b"", b"Content-Length: 5\r\n"])
def test_9112_6_1_an_odd_transfer_coding_is_refused(value: bytes, length: bytes) -> None:
    out = _both_ways(POST + b"Transfer-Encoding: " + value + b"\r\n" + length + b"\r\n0\r\n\r\n")
    assert out in {b"!400", b"!501"}


@pytest.mark.parametrize(
    ("section", "data", "status"), REFUSED_HEADS, ids=[row[0] for row in REFUSED_HEADS]
)
def test_a_bad_head_is_refused(section: str, data: bytes, status: int) -> None:
    assert _both_ways(data) == REFUSED + b"%d" % status


def test_limit_the_head_in_one_piece_and_in_many() -> None:
    head = GET + HOST + b"X: " + b"y" * (64 << 10)
    for pieces in (
        [head + b"\r\n\r\n"],
        [head],
        [head[i : i + 1000] for i in range(0, len(head), 1000)],
    ):
        assert relayed(pieces) == b"!431"


@given(st.data())
def test_any_split_of_a_conversation_gives_the_same_bytes(data: st.DataObject) -> None:
    messages = data.draw(
        st.lists(st.sampled_from([row[1] for row in FORWARDED]), min_size=1, max_size=3)
    )
    body = data.draw(st.binary(max_size=50))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)), max_size=4)) | {0, len(body)})
    chunks = [body[a:b] for a, b in itertools.pairwise(cuts)]
    messages.append(CHUNKS + b"".join(map(encode_chunk, chunks)) + b"0\r\n\r\n")
    stream = b"".join(messages)
    places = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=12)) | {0, len(stream)})
    out = relayed([stream[a:b] for a, b in itertools.pairwise(places)])
    assert (
        out.rpartition(b"chunked\r\n\r\n")[0] == relayed([stream]).rpartition(b"chunked\r\n\r\n")[0]
    )
    assert _dechunked(out.rpartition(b"chunked\r\n\r\n")[2]) == body


@given(st.lists(st.binary(max_size=40), max_size=8), st.sampled_from([b"", GET, POST, CHUNKS]))
def test_random_bytes_raise_nothing_but_the_protocol_error(
    pieces: list[bytes], lead: bytes
) -> None:
    relayed([lead, *pieces])


def test_a_plan_is_remembered_within_bounds() -> None:
    plans = _plans()
    for number in range(3 * MAX_PLANS):
        relayed([GET + HOST + b"X: %d\r\n\r\n" % number], plans)
    assert 0 < len(plans) <= MAX_PLANS
    head = GET + HOST + b"X: 1\r\n\r\n"
    assert plans[head] is plans[head]
    long = GET + HOST + b"X: " + b"y" * 5000 + b"\r\n\r\n"
    assert relayed([long], plans) == long
    assert long not in plans


@pytest.mark.parametrize(
    ("lines", "own"),
    [(b"X-Request-Id: a.B:c_d-9\r\n", b"a.B:c_d-9"), (b"", b""), (b"X-Request-Id: a b\r\n", b""),
     (b"X-Request-Id: \xe9\r\n", b""), (b"X-Request-Id: " + b"x" * 129 + b"\r\n", b""),
     (b"X-Request-Id: a\r\nX-Request-ID: b\r\n", b"")],
)  # fmt: skip
def test_the_callers_id_is_kept_only_when_it_is_well_formed(lines: bytes, own: bytes) -> None:
    plan = _plans()[POST + b"A: 1\r\n" + lines + b"Content-Length: 0\r\n\r\n"]
    assert plan.prediction_id == own
    assert lines in plan.head
    if not own:
        assert plan.opening == POST + b"A: 1\r\nContent-Length: 0\r\nx-request-id: "
