"""Reads an answer's head strictly and rewrites it for the client: pure functions of bytes.

Knows nothing of bodies or sockets. An answer that cannot be read is the upstream's fault, a 502.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from monitor.relay.http1 import grammar
from monitor.relay.http1.grammar import (
    ANSWER_HEAD,
    ANSWER_NAMES,
    CRLF,
    HEAD_END,
    MAX_FIELDS,
    Line,
    Lines,
    ProtocolError,
    hop_by_hop,
    named_lines,
    without,
)
from monitor.relay.http1.requests import CHUNKED, UNTIL_CLOSE

_FOLD = re.compile(rb"\r\n[ \t]++")
_SPACE_BEFORE_COLON = re.compile(rb"(\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]++)[ \t]++:")
_BODILESS = frozenset({204, 304})


@dataclass(slots=True, eq=False)  # `frozen` would cost 2 µs for every head that never repeats
class AnswerPlan:
    """All that the relay does with an answer, decided from its head alone."""

    status: Final[int]
    fields: Final[bytes]  # field lines as received, each ended by CRLF
    # of the body in bytes, or CHUNKED, or UNTIL_CLOSE; of HEAD's answer: as if it had been GET
    length: Final[int]
    keep_alive: Final[bool]  # the upstream's connection can be used again
    lead: Final[bytes]  # status line and end-to-end fields, without the CRLF CRLF after them
    unnamed: Final[bytes]  # the same without the upstream's own x-prediction-id


def read_answer(head: bytes) -> AnswerPlan:
    """The plan for a complete head (CRLF CRLF included); ProtocolError says what was wrong with
    it.
    """
    match = ANSWER_HEAD.fullmatch(head)
    if not match:
        # RFC 9112 sections 5.1 and 5.2 ask a gateway to mend these two in answers, and only there.
        head = _SPACE_BEFORE_COLON.sub(rb"\1:", _FOLD.sub(b" ", head))
        match = ANSWER_HEAD.fullmatch(head)
        if not match:
            raise _fault("its head is malformed")
    minor, code, reason, fields = match.groups()
    if fields.count(CRLF) > MAX_FIELDS:
        raise _fault(f"more than {MAX_FIELDS} header fields")
    status = int(code)
    start = match.start(4) - 2
    lines = named_lines(ANSWER_NAMES, head, start)
    connection = grammar.connection(lines)
    cuts = hop_by_hop(lines, connection, head, start)
    length, tail = _framing(lines, status, cuts, http10=minor == b"0")
    if status == 101:
        cuts = [line for line in cuts if line not in lines.get(b"upgrade", ())]
        tail = b"\r\nconnection: Upgrade"
    ambiguous = b"content-length" in lines and b"transfer-encoding" in lines
    lead = b"HTTP/1.1 " + code + b" " + (reason or b"")
    kept = lead + without(head, start, cuts) + tail
    named = lines.get(b"x-prediction-id")
    return AnswerPlan(
        status, fields, length,
        minor == b"1" and b"close" not in connection.options and not ambiguous, kept,
        lead + without(head, start, cuts + named) + tail if named else kept,
    )  # fmt: skip


def _fault(detail: str) -> ProtocolError:
    return ProtocolError(detail, 502, "upstream_protocol")


def _framing(lines: Lines, status: int, cuts: list[Line], *, http10: bool) -> tuple[int, bytes]:
    """RFC 9112 section 6.3 for answers: the body's length, and the line to add for those cut."""
    lengths = lines.get(b"content-length", [])
    codings = lines.get(b"transfer-encoding")
    if status < 200 or status in _BODILESS:
        if status != 304:
            cuts += lengths
        return 0, b""
    if codings:
        if http10 or len(codings) != 1 or codings[0].value.lower() != b"chunked":
            raise _fault("it has a transfer coding that was not asked for")
        cuts += lengths
        return CHUNKED, b""
    if not lengths:
        return UNTIL_CLOSE, b""
    length = grammar.content_length(lengths)
    canonical = b"%d" % length
    if len(lengths) == 1 and lengths[0].value == canonical:
        return length, b""
    cuts += lengths
    return length, b"\r\ncontent-length: " + canonical


class Framed(NamedTuple):
    """A head for the client, and how the body after it is sent."""

    head: bytes
    chunked: bool
    close: bool


def frame_answer(
    plan: AnswerPlan, *, prediction_id: bytes, head_only: bool, http10: bool, close: bool
) -> Framed:
    """The head as this client must get it: RFC 9112 6.1 (no chunks to HTTP/1.0) and 9.6."""
    unmeasured = plan.length < 0 and not head_only
    close = close or (unmeasured and http10)
    chunked = unmeasured and not http10
    parts = [plan.unnamed if prediction_id else plan.lead]
    if chunked:
        parts.append(b"\r\ntransfer-encoding: chunked")
    if close:
        parts.append(b"\r\nconnection: close")
    if prediction_id:
        parts.append(b"\r\nx-prediction-id: " + prediction_id)
    parts.append(HEAD_END)
    return Framed(b"".join(parts), chunked, close)
