"""The grammar of HTTP/1.x heads as compiled patterns, the limits on them, and the one protocol
error.

Patterns are possessive (`*+`), so that no input makes them backtrack.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from monitor.errors import SidelightError

MAX_HEAD_BYTES = 64 << 10  # Envoy's limit is 60 KiB; nginx and HAProxy refuse from 16 KiB
MAX_FIELDS = 200
MAX_TARGET_BYTES = 16 << 10
MAX_CHUNK_LINE_BYTES = 4 << 10
MAX_CHUNK_EXCESS_BYTES = 16 << 10  # over a whole body: Go's answer to CVE-2023-39326
MAX_TRAILER_BYTES = 16 << 10

CRLF = b"\r\n"
HTTP2_PREFACE = (
    b"PRI * HTTP/2.0\r\n\r\n"  # and then SM CRLF CRLF, which is the tunnel's first freight
)
HEAD_END = b"\r\n\r\n"

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_FIELDS = rb"(?:" + _TOKEN + rb"++:[^\x00\r\n]*+\r\n)*+"

# RFC 9112 section 3; bytes above 0x7f pass, as nginx lets them, because a target is never
# normalised here.
REQUEST_HEAD = re.compile(
    rb"(" + _TOKEN + rb"++) ([!\"$-~\x80-\xff]++) HTTP/1\.([01])\r\n(" + _FIELDS + rb")\r\n"
)
# RFC 9112 section 4; the reason phrase may be missing, and so may the space before it.
ANSWER_HEAD = re.compile(
    rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([^\x00\r\n]*+))?\r\n(" + _FIELDS + rb")\r\n"
)
TRAILER_LINE = re.compile(_TOKEN + rb"++:[^\x00\r\n]*+")
TOKEN_START = re.compile(_TOKEN)
VERSION = re.compile(rb"[^ \r\n]* [^\r\n]* HTTP/([0-9])\.([0-9])\r\n")
BARE_LF = re.compile(rb"(?:^|[^\r])\n")

# RFC 9112 section 7.1: at most 16 digits, so that no arithmetic of a peer overflows on what it
# reads.
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*+;[^\x00-\x08\x0a-\x1f\x7f]*+)?")
HEX_DIGIT = re.compile(rb"[0-9A-Fa-f]")

# RFC 9110 section 8.6: digits only. int() would also take "+3", "3_0" and other scripts' digits.
LENGTH = re.compile(rb"[0-9]{1,18}")
# RFC 3986 section 3.2.2 without userinfo (RFC 9110 section 7.2); empty is allowed by RFC 9112
# section 3.2.
HOST = re.compile(rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=%]*+|\[[0-9A-Fa-f:.]++\])(?::[0-9]*+)?")
ABSOLUTE_FORM = re.compile(rb"https?://([^/?@]++)([/?].*+)?", re.IGNORECASE | re.DOTALL)

# A caller's identifier that is kept; anything else is replaced (see the security page of the
# documentation).
IDENTIFIER = re.compile(rb"[A-Za-z0-9._:-]{1,128}")

# RFC 9110 section 7.6.1, and what Go's ReverseProxy and Envoy remove besides.
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
    }
)
# RFC 9110 section 7.6.1 forbids naming a field in Connection that is meant for all recipients: the
# name is ignored.
NEVER_NOMINATED = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"cookie",
        b"host",
        b"transfer-encoding",
        b"x-request-id",
    }
)


def _named(names: frozenset[bytes]) -> re.Pattern[bytes]:
    """Finds the field lines of these names in a lower-case block that starts with a CRLF.

    Without IGNORECASE, because the engine then skips an alternative by its first letter: four times
    as fast.
    """
    alternatives = b"|".join(re.escape(name) for name in sorted(names))
    return re.compile(rb"\r\n(" + alternatives + rb"):([^\r\n]*+)")


REQUEST_NAMES = _named(HOP_BY_HOP | {b"host", b"content-length", b"expect", b"x-request-id"})
ANSWER_NAMES = _named(HOP_BY_HOP | {b"content-length", b"x-prediction-id"})


class ProtocolError(SidelightError):
    """A peer broke HTTP/1.x; `status` and `code` are what its client is answered with."""

    def __init__(self, detail: str, status: int = 400, code: str = "bad_request") -> None:
        self.status = status
        self.code = code
        super().__init__(detail)


class Http2PrefaceError(ProtocolError):
    """The connection opens as HTTP/2 does (RFC 9113 section 3.4): not to be read here at all."""

    def __init__(self) -> None:
        super().__init__("HTTP/2 can only begin a connection", 505)


class Line(NamedTuple):
    """One field line that matters: its value without white space around it, and where it stands."""

    value: bytes
    start: int  # of the CRLF before it
    end: int  # of the line, before the CRLF after it


Lines = dict[bytes, list[Line]]


def named_lines(pattern: re.Pattern[bytes], head: bytes, start: int) -> Lines:
    """The field lines of `head` that `pattern` names, by lower-case name; `start` is the first
    line's CRLF.
    """
    found: Lines = {}
    for match in pattern.finditer(head.lower(), start):
        begin, end = match.span(2)
        line = Line(head[begin:end].strip(b" \t"), match.start(), end)
        name = match[1]
        if name in found:
            found[name].append(line)
        else:
            found[name] = [line]
    return found


def without(head: bytes, start: int, cuts: list[Line]) -> bytes:
    """The field lines from `start`, each led by its CRLF, without `cuts` and without the head's
    last CRLF CRLF.
    """
    if not cuts:
        return head[start:-4]
    if len(cuts) > 1:
        cuts = sorted(set(cuts), key=lambda line: line.start)
    kept = []
    for line in cuts:
        kept.append(head[start : line.start])
        start = line.end
    kept.append(head[start:-4])
    return b"".join(kept)


class Connection(NamedTuple):
    """What a Connection field says."""

    options: frozenset[bytes]
    nominated: re.Pattern[bytes] | None  # finds the fields it names that are removed for it


_NO_CONNECTION = Connection(frozenset(), None)


def connection(lines: Lines) -> Connection:
    """What the Connection fields say together."""
    found = lines.get(b"connection")
    if not found:
        return _NO_CONNECTION
    value = found[0].value if len(found) == 1 else b",".join(line.value for line in found)
    return _read_connection(value) if len(value) > 256 else _remember_connection(value)


def _read_connection(value: bytes) -> Connection:
    options = frozenset(option.strip(b" \t").lower() for option in value.split(b","))
    names = options - HOP_BY_HOP - NEVER_NOMINATED - {b"close", b""}
    names = frozenset(name for name in names if TRAILER_LINE.fullmatch(name + b":"))
    return Connection(options, _named(names) if names else None)


_remember_connection = lru_cache(maxsize=64)(_read_connection)


def hop_by_hop(lines: Lines, options: Connection, head: bytes, start: int) -> list[Line]:
    """The lines that end here: those that always do, and those that Connection names."""
    cuts = []
    for name, found in lines.items():
        if name in HOP_BY_HOP:
            cuts += found
    if options.nominated is not None:
        for found in named_lines(options.nominated, head, start).values():
            cuts += found
    return cuts


def content_length(lines: list[Line]) -> int:
    """The one length that these Content-Length lines agree on; ProtocolError when they do not or it
    is none.

    RFC 9112 section 6.3 lets a list of identical values count as one.
    """
    if len(lines) == 1 and LENGTH.fullmatch(lines[0].value):
        return int(lines[0].value)
    values = {value.strip(b" \t") for line in lines for value in line.value.split(b",")}
    if len(values) != 1:
        raise ProtocolError("Content-Length fields differ")
    value = values.pop()
    if not LENGTH.fullmatch(value):
        raise ProtocolError("Content-Length is not a number")
    return int(value)
