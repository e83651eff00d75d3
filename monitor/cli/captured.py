"""Captured traffic as exchanges: HAR files, JSON, `curl --trace`, raw HTTP; bytes in, no I/O."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from monitor.errors import SidelightError
from monitor.records.exchange import Exchange, field

MAX_EXCHANGES = 1000
CAPTURED_ID = "captured"

_STATUS_LINE = re.compile(rb"(?:^|\n)HTTP/1\.[01] (\d{3})[^\n]*\n")
_TRACE_SECTION = re.compile(rb"^(=>|<=|==) (Send|Recv|Info)[^\n]*$")
_TRACE_BYTES = re.compile(rb"^[0-9a-f]{4,8}: ((?:[0-9a-f]{2} ?){1,16})")


def exchanges(content: bytes) -> list[Exchange]:
    """Every exchange in a file's content; SidelightError where it holds none."""
    text = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] in (b"{", b"["):
        return _from_json(text)
    if text[:2] in (b"==", b"=>"):
        sent, received = _traced(text)
        return [_from_http(sent, received)]
    request, answer = _halves(text)
    return [_from_http(request, answer)]


def pair(request: bytes, answer: bytes) -> Exchange:
    """An exchange from two files: raw HTTP each, or an answer's body alone."""
    if not _STATUS_LINE.match(answer):
        answer = b"HTTP/1.1 200 OK\r\n\r\n" + answer
    return _from_http(request, answer)


def exchange(
    method: str,
    target: str,
    request: tuple[Iterable[tuple[str, str]], bytes],
    status: int,
    answer: tuple[Iterable[tuple[str, str]], bytes],
    seconds: float = 0.0,
) -> Exchange:
    """An exchange from its parts; each side is (fields, body)."""
    return Exchange(
        CAPTURED_ID, method, target, status, 0.0, seconds,
        _fields(request[0]), request[1], _fields(answer[0]), answer[1],
    )  # fmt: skip


def _fields(pairs: Iterable[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in pairs).encode("latin-1", "replace")


def _from_json(text: bytes) -> list[Exchange]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SidelightError(f"neither JSON nor HTTP: {error}") from None
    try:
        if isinstance(document, dict) and isinstance(document.get("log"), dict):
            entries = document["log"]["entries"][:MAX_EXCHANGES]
            return [_from_har(entry) for entry in entries]
        many = document if isinstance(document, list) else [document]
        return [_from_simple(one) for one in many[:MAX_EXCHANGES]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SidelightError(
            f"JSON, but neither a HAR file nor {{request, response}}: {error!r}"
        ) from None


def _from_simple(one: Mapping[str, Any]) -> Exchange:
    """`{"request": {method, path, headers, body}, "response": {status, headers, body}}`."""
    request, answer = one["request"], one["response"]
    return exchange(
        str(request.get("method", "POST")),
        str(request.get("path", "/")),
        _side(request),
        int(answer.get("status", 200)),
        _side(answer),
    )


def _side(side: Mapping[str, Any]) -> tuple[list[tuple[str, str]], bytes]:
    """Fields and body; a body that is no text is JSON itself."""
    fields = [(str(name), str(value)) for name, value in (side.get("headers") or {}).items()]
    if "body_base64" in side:
        return fields, base64.b64decode(side["body_base64"], validate=True)
    body = side.get("body", "")
    if isinstance(body, str):
        return fields, body.encode()
    if not any(name.lower() == "content-type" for name, _ in fields):
        fields.append(("content-type", "application/json"))
    return fields, json.dumps(body).encode()


def _from_har(entry: Mapping[str, Any]) -> Exchange:
    """One entry of a HAR file (version 1.2); its bodies are no longer compressed."""
    request, answer = entry["request"], entry["response"]
    post = request.get("postData") or {}
    content = answer.get("content") or {}
    body = (content.get("text") or "").encode()
    if content.get("encoding") == "base64":
        body = base64.b64decode(body)
    url = str(request["url"])
    target = "/" + url.partition("//")[2].partition("/")[2] if "//" in url else url
    return exchange(
        str(request["method"]),
        target,
        (_plain(request.get("headers")), (post.get("text") or "").encode()),
        int(answer["status"]),
        (_plain(answer.get("headers")), body),
        float(entry.get("time") or 0) / 1000,
    )


def _plain(headers: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - any JSON value
    left_out = {"content-encoding", "transfer-encoding"}
    pairs = [(str(one["name"]), str(one["value"])) for one in headers or ()]
    return [
        (name, value)
        for name, value in pairs
        if name.lower() not in left_out and not name.startswith(":")
    ]


def _traced(text: bytes) -> tuple[bytes, bytes]:
    """What was sent and received, from the hexadecimal dump of `curl --trace FILE`."""
    sides = {b"=>": bytearray(), b"<=": bytearray(), b"==": bytearray()}
    side = sides[b"=="]
    for line in text.splitlines():
        section = _TRACE_SECTION.match(line)
        found = _TRACE_BYTES.match(line)
        if section:
            side = sides[section[1]] if section[2] != b"Info" else sides[b"=="]
        elif found:
            side += binascii.unhexlify(found[1].replace(b" ", b""))
    return bytes(sides[b"=>"]), bytes(sides[b"<="])


def _halves(text: bytes) -> tuple[bytes, bytes]:
    """A request and the answer that follows it in one file."""
    found = None
    for found in _STATUS_LINE.finditer(text):
        if found[1] != b"100":
            break
    if found is None:
        raise SidelightError(
            "no exchange: a HAR file, JSON with request and response, `curl --trace`, or a raw "
            "HTTP request with its answer is understood"
        )
    start = found.start() + (text[found.start() : found.start() + 1] == b"\n")
    return text[:start], text[start:]


def _from_http(request: bytes, answer: bytes) -> Exchange:
    line, request_fields, body = _parts(request)
    words = line.split(b" ")
    if len(words) < 2:
        raise SidelightError(f"not a request line: {line[:60].decode('latin-1')!r}")
    status_line, answer_fields, answer_body = _parts(_final(answer))
    found = re.match(rb"HTTP/\d(?:\.\d)? (\d{3})", status_line)
    if found is None:
        raise SidelightError(f"not a status line: {status_line[:60].decode('latin-1')!r}")
    return Exchange(
        CAPTURED_ID, words[0].decode("latin-1"), words[1].decode("latin-1"), int(found[1]), 0.0,
        0.0, request_fields, body, answer_fields, answer_body,
    )  # fmt: skip


def _final(answer: bytes) -> bytes:
    """The answer without interim ones (1xx) before it."""
    while re.match(rb"HTTP/1\.[01] 1\d\d", answer):
        answer = re.split(rb"\r?\n\r?\n", answer, maxsplit=1)[-1]
    return answer


def _parts(message: bytes) -> tuple[bytes, bytes, bytes]:
    """First line, field lines ended by CRLF, and the body, cut to its length and de-chunked."""
    head, _, body = re.sub(rb"\r?\n\r?\n", b"\0\0", message, count=1).partition(b"\0\0")
    lines = head.splitlines()
    fields = b"".join(line.strip() + b"\r\n" for line in lines[1:])
    if field(fields, b"transfer-encoding").lower() == b"chunked":
        body = _dechunked(body)
    length = field(fields, b"content-length")
    if length.isdigit() and len(body) > int(length):
        body = body[: int(length)]
    return (lines[0].strip() if lines else b""), fields, body


def _dechunked(body: bytes) -> bytes:
    """A chunked body's content; itself where a tool has put it together already."""
    pieces: list[bytes] = []
    at = 0
    while found := re.compile(rb"([0-9a-fA-F]{1,8})[^\n]*\n").match(body, at):
        size, at = int(found[1], 16), found.end()
        if size == 0:
            return b"".join(pieces)
        if at + size > len(body):
            return body
        pieces.append(body[at : at + size])
        at += size
        at += len(re.match(rb"\r?\n?", body[at : at + 2])[0])  # type: ignore[index]  # matches ""
    return body
