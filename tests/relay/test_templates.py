"""Heads that are filled in are what reading each in full would have given, whatever varies."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.records.selection import Selection
from monitor.relay.http1.grammar import ProtocolError
from monitor.relay.http1.requests import RequestPlan, read_request
from monitor.relay.http1.templates import TemplateReader

READ = partial(read_request, authority=b"upstream:80", unoffered=Selection([]))

NAMES = st.sampled_from(
    ["Content-Length", "content-length", "X-Request-ID", "x-request-id", "Traceparent", "Host",
     "traceparent", "Connection", "Transfer-Encoding", "X-Other", "x-request-id ", "Expect", "TE"]
)  # fmt: skip
VALUES = st.sampled_from(
    ["0", "1", "17", "017", "17 ", "+1", "17, 17", "99999999999999999999", "abc", "a b", "a%bc%d",
     "x" * 128, "x" * 129, "00-ab-cd-01", "close", "traceparent", "x-request-id, close", "chunked",
     "", "100-continue", "id\x00", "é"]
)  # fmt: skip
COLONS = st.sampled_from([":", ": ", ":  ", ":\t"])
METHODS = st.sampled_from(["GET", "POST", "CONNECT"])
TARGETS = st.sampled_from(["/p", "/%20?x=%b", "http://h/p", "nonsense"])
FIELD = st.tuples(NAMES, COLONS, VALUES)


def _outcome(read: Any, head: bytes) -> object:
    """Everything that a plan says, or how it was refused."""
    try:
        plan: RequestPlan = read(head)
    except ProtocolError as error:
        return error.status, error.code, str(error)
    return tuple(getattr(plan, name) for name in RequestPlan.__slots__)


def _head(method: str, target: str, fields: list[tuple[str, str, str]]) -> bytes:
    lines = "".join(f"{name}{colon}{value}\r\n" for name, colon, value in fields)
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


@given(METHODS, TARGETS, st.lists(FIELD, max_size=6), st.lists(VALUES, min_size=6, max_size=6))
@example("POST", "/p", [("Host", ": ", "h"), ("traceparent", ": ", "abc")], ["17"] * 6)
@example("GET", "/p", [("Host", ": ", "h"), ("Content-Length", ": ", "17")], ["1"] * 6)
@example(
    "POST", "/p",
    [("Host", ": ", "h"), ("Connection", ": ", "traceparent"), ("traceparent", ": ", "abc")],
    ["17"] * 6,
)  # fmt: skip
def test_a_filled_plan_is_the_plan_that_reading_gives(
    method: str, target: str, fields: list[tuple[str, str, str]], others: list[str]
) -> None:
    read = TemplateReader(READ)
    fields = [("Host", ": ", "h"), *fields]
    changed = [
        (name, colon, value if name in {"Host", "Connection"} else other)
        for (name, colon, value), other in zip(fields, ["h", *others], strict=False)
    ]
    for one in (fields, fields, changed, fields, changed):
        head = _head(method, target, one)
        assert _outcome(read, head) == _outcome(READ, head)


HEAD = (
    b"POST /p%%b HTTP/1.1\r\nHost: h\r\nX-Request-Id: %b\r\nTraceparent: 00-%b-01\r\n"
    b"Content-Length: %d\r\nAccept: */*\r\n\r\n"
)


def test_after_two_of_a_shape_nothing_is_read_any_more() -> None:
    read: list[bytes] = []

    def counted(head: bytes) -> RequestPlan:
        read.append(head)
        return READ(head)

    reader = TemplateReader(counted)
    for count in range(1, 50):
        head = HEAD % (b"id-%d" % count, b"%032x" % count, count)
        assert _outcome(reader, head) == _outcome(READ, head)
        assert reader(head).prediction_id == b"id-%d" % count
    assert len(read) <= 4


@pytest.mark.parametrize("kind", ["shapes", "refused"])
def test_what_never_repeats_is_not_kept_without_bound(kind: str) -> None:
    reader = TemplateReader(READ)
    length = b"Content-Length: 1\r\n" * (1 if kind == "shapes" else 2)
    for count in range(2000):
        head = b"POST /%d HTTP/1.1\r\nHost: h\r\n%b\r\n" % (count, length)
        for _ in range(3):
            assert _outcome(reader, head) == _outcome(READ, head)
    assert len(reader._templates) <= 256
    assert len(reader._seen_once) <= 256
