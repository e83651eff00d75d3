"""Reads a request's head strictly and rewrites it for the upstream: a pure function of the head's
bytes.

Knows nothing of bodies, sockets or of which requests are observed; because it is pure, its plans
can be kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from monitor.relay.http1 import grammar
from monitor.relay.http1.grammar import (
    ABSOLUTE_FORM,
    CRLF,
    HEAD_END,
    HOST,
    IDENTIFIER,
    MAX_FIELDS,
    MAX_TARGET_BYTES,
    REQUEST_HEAD,
    REQUEST_NAMES,
    Connection,
    Line,
    Lines,
    ProtocolError,
    hop_by_hop,
    named_lines,
    without,
)

CHUNKED = -1  # a length: the body comes in chunks
UNTIL_CLOSE = -2  # a length: the body ends with the connection; only answers have it

# RFC 9110 section 9.2.2: a request that reached a dying connection may be sent again without asking
# anyone.
_RETRIABLE = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE"})


@dataclass(slots=True, eq=False)  # `frozen` would cost 3 µs for every head that never repeats
class RequestPlan:
    """All that the relay does with a request, decided from its head alone."""

    method: Final[bytes]
    target: Final[bytes]  # as received
    fields: Final[bytes]  # field lines as received, each ended by CRLF
    length: Final[int]  # of the body in bytes, or CHUNKED
    http10: Final[bool]
    keep_alive: Final[bool]
    upgrade: Final[bool]  # asks for a WebSocket
    expects: Final[bool]  # waits for 100 (Continue)
    retriable: Final[bool]
    unoffered: Final[str]  # why it is not offered for observation, or "" when it is
    head: Final[bytes]  # what goes upstream when it is not observed
    # what goes upstream, up to the value of x-request-id, when the id is made here
    opening: Final[bytes]
    prediction_id: Final[bytes]  # the caller's own id, or b"" when one has to be made


def read_request(
    head: bytes, authority: bytes, unoffered: Callable[[bytes, bytes], str]
) -> RequestPlan:
    """The plan for a complete head (CRLF CRLF included); ProtocolError says how to refuse it.

    `authority` is the Host for a client of HTTP/1.0 that sent none; `unoffered` tells, from method
    and target,
    why a request is not to be observed.
    """
    match = REQUEST_HEAD.fullmatch(head)
    if not match:
        raise _diagnose(head)
    method, target, minor, fields = match.groups()
    _within_limits(method, target, fields)
    http10 = minor == b"0"
    start = match.start(4) - 2
    lines = named_lines(REQUEST_NAMES, head, start)
    path, host = _route(method, target, lines, authority, http10=http10)
    length = _body_length(lines, http10=http10)
    connection = grammar.connection(lines)
    upgrade = _is_websocket(method, lines, connection) and not http10 and length == 0

    cuts = hop_by_hop(lines, connection, head, start)
    lead = method + b" " + path + b" HTTP/1.1"
    if host is not None:
        cuts += lines.get(b"host", [])
        lead += b"\r\nhost: " + host
    tail = _framing_lines(lines, length, cuts)
    if upgrade:
        tail += b"\r\nconnection: Upgrade\r\nupgrade: websocket"
    plain, opening, prediction_id = _identify(head, start, lines, cuts, lead, tail)
    return RequestPlan(
        method, target, fields, length, http10, not http10 and b"close" not in connection.options,
        upgrade,
        _expects_continue(lines), method in _RETRIABLE and length == 0, unoffered(method, target),
        plain, opening, prediction_id,
    )  # fmt: skip


def _diagnose(head: bytes) -> ProtocolError:
    """Why the strict pattern did not match, as far as a client can use it."""
    if head == grammar.HTTP2_PREFACE:
        return grammar.Http2PrefaceError()
    version = grammar.VERSION.match(head)
    if version and version[1] != b"1":
        return ProtocolError("only HTTP/1.1 and HTTP/1.0 are spoken here", 505)
    if version and version[2] not in b"01":
        return ProtocolError("this minor version of HTTP/1 does not exist", 505)
    if not version:
        return ProtocolError("the request line is malformed")
    return ProtocolError("the request's head is malformed")


def _within_limits(method: bytes, target: bytes, fields: bytes) -> None:
    if method == b"CONNECT":
        raise ProtocolError("this is not a forward proxy: CONNECT is refused", 405)
    if len(target) > MAX_TARGET_BYTES:
        raise ProtocolError(f"the target is longer than {MAX_TARGET_BYTES} bytes", 414)
    if fields.count(CRLF) > MAX_FIELDS:
        raise ProtocolError(f"more than {MAX_FIELDS} header fields", 431)


def _route(
    method: bytes, target: bytes, lines: Lines, authority: bytes, *, http10: bool
) -> tuple[bytes, bytes | None]:
    """The target in origin form, and the Host that must replace the client's, if one must."""
    hosts = lines.get(b"host", ())
    if len(hosts) > 1:
        raise ProtocolError("more than one Host field")
    if not hosts and not http10:
        raise ProtocolError("the Host field is missing")
    if hosts and not HOST.fullmatch(hosts[0].value):
        raise ProtocolError("the Host field is malformed")
    if target.startswith(b"/") or (target == b"*" and method == b"OPTIONS"):
        return target, None if hosts else authority
    absolute = ABSOLUTE_FORM.fullmatch(target)
    if not absolute or not HOST.fullmatch(absolute[1]):
        raise ProtocolError("the target is neither a path nor an absolute URL")
    # RFC 9112 section 3.2.2: the URL's own host replaces Host. It never decides where the request
    # goes.
    path = absolute[2] or b"/"
    return (path if path.startswith(b"/") else b"/" + path), absolute[1]


def _body_length(lines: Lines, *, http10: bool) -> int:
    """RFC 9112 section 6.3 for requests, refusing whatever two servers might read differently."""
    codings = lines.get(b"transfer-encoding")
    lengths = lines.get(b"content-length")
    if codings is None:
        return grammar.content_length(lengths) if lengths else 0
    if lengths:
        raise ProtocolError("both Transfer-Encoding and Content-Length")
    if http10:
        raise ProtocolError("Transfer-Encoding in HTTP/1.0")
    if len(codings) != 1 or codings[0].value.lower() != b"chunked":
        known = all(line.value.lower() == b"chunked" for line in codings)
        raise ProtocolError("only the transfer coding chunked is known", 400 if known else 501)
    return CHUNKED


def _framing_lines(lines: Lines, length: int, cuts: list[Line]) -> bytes:
    """What must be added so that the framing is canonical; a single plain Content-Length stays
    where it is.
    """
    if length == CHUNKED:
        return b"\r\ntransfer-encoding: chunked"
    lengths = lines.get(b"content-length")
    if not lengths or (len(lengths) == 1 and lengths[0].value == b"%d" % length):
        return b""
    cuts += lengths
    return b"\r\ncontent-length: %d" % length


def _is_websocket(method: bytes, lines: Lines, connection: Connection) -> bool:
    upgrades = lines.get(b"upgrade")
    return (
        upgrades is not None
        and method == b"GET"
        and b"upgrade" in connection.options
        and [line.value.lower() for line in upgrades] == [b"websocket"]
    )


def _expects_continue(lines: Lines) -> bool:
    expect = lines.get(b"expect")
    return expect is not None and expect[0].value.lower() == b"100-continue"


def _identify(
    head: bytes, start: int, lines: Lines, cuts: list[Line], lead: bytes, tail: bytes
) -> tuple[bytes, bytes, bytes]:
    """The head as it passes unobserved, its opening when an id is made here, and the caller's
    own id.
    """
    fields = without(head, start, cuts)
    plain = lead + fields + tail + HEAD_END
    identifiers = lines.get(b"x-request-id")
    if identifiers is None:
        return plain, lead + fields + tail + b"\r\nx-request-id: ", b""
    if len(identifiers) == 1 and IDENTIFIER.fullmatch(identifiers[0].value):
        return plain, b"", identifiers[0].value
    fields = without(head, start, cuts + identifiers)
    return plain, lead + fields + tail + b"\r\nx-request-id: ", b""
