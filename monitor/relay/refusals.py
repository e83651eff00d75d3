"""The answers that the relay makes itself: JSON, marked by `x-sidelight-error`, and never a 500.

A 500 would look like the model's own error.
"""

from __future__ import annotations

import json

_REASONS = {
    400: b"Bad Request",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    414: b"URI Too Long",
    431: b"Request Header Fields Too Large",
    501: b"Not Implemented",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
    505: b"HTTP Version Not Supported",
}
_MORE = {
    405: b"allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n",
    503: b"retry-after: 1\r\n",
}


def refusal(status: int, code: str, detail: str, *, close: bool, head_only: bool = False) -> bytes:
    """A whole answer with the error's code in a field and its detail in the body."""
    body = json.dumps({"error": detail}).encode() + b"\n"
    head = (
        b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
        b"x-sidelight-error: %b\r\n%b%b\r\n"
    ) % (
        status,
        _REASONS[status],
        len(body),
        code.encode(),
        _MORE.get(status, b""),
        b"connection: close\r\n" if close else b"",
    )
    return head if head_only else head + body
