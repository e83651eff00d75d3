"""One request with its answer, as bytes: what the relay saw, before anyone reads a meaning in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Exchange:
    """A relayed request and its whole 2xx answer; bodies are de-chunked, still content-encoded."""

    prediction_id: str
    method: str
    target: str
    status: int
    started_at: float  # Unix seconds, when the request's head had arrived
    duration_seconds: float  # until the answer's last byte
    request_fields: bytes  # field lines as received, each ended by CRLF
    request_body: bytes
    response_fields: bytes
    response_body: bytes
    first_byte_seconds: float = 0.0  # until the first of a body in pieces; 0: in one, or not known

    def request_field(self, name: bytes) -> bytes:
        """The first value of a request field, or b"" without it; `name` in lower case."""
        return field(self.request_fields, name)

    def response_field(self, name: bytes) -> bytes:
        """The first value of an answer's field, or b"" without it; `name` in lower case."""
        return field(self.response_fields, name)


def field(fields: bytes, name: bytes) -> bytes:
    """The first value of `name` (lower case) in a block of CRLF-ended field lines, or b"".

    >>> field(b"Host: a\\r\\nContent-Type: text/csv\\r\\n", b"content-type")
    b'text/csv'
    """
    found = _pattern(name).search(fields)
    return found.group(1) if found else b""


@lru_cache(maxsize=64)
def _pattern(name: bytes) -> re.Pattern[bytes]:
    return re.compile(
        rb"(?:^|\n)" + re.escape(name) + rb":[ \t]*([^\r\n]*?)[ \t]*\r\n", re.IGNORECASE
    )
