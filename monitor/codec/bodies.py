"""Bodies that are no JSON document: lines, events and forms, as the JSON values that they hold.

Knows media types, and of no wire format. `Parts` are answers whose division into rows only the
number of the request's rows can tell.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from monitor.codec import multipart, npy
from monitor.codec.cells import cell
from monitor.codec.document import parse
from monitor.errors import CodecError

MAX_PARTS = 100_000  # lines or events in one body
MAX_FIELDS = 10_000
MAX_LINE_LABEL = 256  # characters of a line of plain text that may be a label

JSON_LINES = frozenset(
    {
        "application/jsonlines", "application/jsonl", "application/x-jsonlines",
        "application/json-lines", "application/x-ndjson", "application/ndjson",
    }
)  # fmt: skip
FORM = "application/x-www-form-urlencoded"
EVENTS = "text/event-stream"
RECORDIO = "application/x-recordio-protobuf"


class Lines(list[Any]):
    """Lines of an answer in CSV: a line a row, or, as some servers join them, one line for all."""

    def for_rows(self, rows: int) -> list[Any]:
        """A scalar or a vector a row; a lone line's values, where those are as many as rows.

        >>> Lines([[1, 2, 3]]).for_rows(3), Lines([[1, 2, 3]]).for_rows(1)
        ([1, 2, 3], [[1, 2, 3]])
        """
        if len(self) == 1 and len(self[0]) == rows > 1:
            return list(self[0])
        return [line[0] if len(line) == 1 else line for line in self]


class Events(list[Any]):
    """Data of an event stream: an event a row, else the last one says what came of it."""

    def for_rows(self, rows: int) -> list[Any]:
        """As many events as rows, or the last."""
        return list(self) if len(self) == rows else self[-1:]


Parts = Lines | Events

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


def request_document(media_type: str, text: str) -> Any:  # noqa: ANN401 - any JSON value
    """A request's lines or form as JSON would write them; CodecError `not_json` for the rest."""
    return _read(_REQUESTS, media_type, text)


def answer_document(media_type: str, text: str) -> Any:  # noqa: ANN401 - any JSON value
    """An answer's lines or events as JSON would write them; CodecError `not_json` for the rest."""
    return _read(_ANSWERS, media_type, text)


def binary_document(side: str, media_type: str, body: bytes) -> Any:  # noqa: ANN401
    """What a body that is no text holds, as JSON would write it; None of another type."""
    if media_type == RECORDIO:
        from monitor.codec import recordio  # noqa: PLC0415 - protobuf: 6 MB that few need

        return recordio.request(body) if side == "request" else recordio.answer(body)
    reader = _BINARY.get(media_type)
    return None if reader is None else reader(body)


def events(text: str) -> list[str]:
    """The data of each event of a stream, as HTML's section 9.2.6 reads them.

    >>> events("data: 1\\n\\n: note\\ndata: 2\\ndata: 3\\n\\n")
    ['1', '2\\n3']
    """
    found: list[str] = []
    data: list[str] = []
    for line in (*text.splitlines(), ""):
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            found.append("\n".join(data))
            data = []
            if len(found) > MAX_PARTS:
                raise CodecError("too_many_rows", f"more than {MAX_PARTS} events")
    return found


def _read(readers: dict[str, Callable[[str], Any]], media_type: str, text: str) -> Any:  # noqa: ANN401
    reader = readers.get(media_type)
    if reader is None:
        raise CodecError("not_json", media_type[:64])
    return reader(text)


def _json_lines(text: str) -> list[Any]:
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) > MAX_PARTS:
        raise CodecError("too_many_rows", f"more than {MAX_PARTS} lines")
    return [parse(line.encode()) for line in lines]


def _form(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """The document in a form's field `json`, or the form's fields as one row."""
    try:
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise CodecError("too_many_features", str(error)[:100]) from None
    names = [name for name, _ in fields]
    if names == ["json"]:
        return parse(fields[0][1].encode())
    if not names or "=" not in text:
        raise CodecError("not_json", "a form without fields")
    return {name: cell(value) for name, value in fields}


def _csv_lines(text: str) -> Lines:
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline="")) if line]
    except csv.Error as error:
        raise CodecError("not_csv", str(error)) from None
    if not lines or len(lines) > MAX_PARTS:
        raise CodecError("not_csv", f"{len(lines)} lines")
    return Lines([cell(value.strip()) for value in line] for line in lines)


def _plain_lines(text: str) -> Lines:
    """Labels or numbers, one a line; prose is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    longest = max(map(len, lines), default=0)
    if not 0 < longest <= MAX_LINE_LABEL or len(lines) > MAX_PARTS or text.lstrip()[:1] in "{[<":
        raise CodecError("not_json", "text of no known form")
    return Lines([cell(line)] for line in lines)


def _unsaid(text: str) -> Events:
    """JSON documents one after the other, of which nobody said what they are: a stream's pieces."""
    found = Events()
    at, end = 0, len(text)
    while at < end:
        try:
            _, stop = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            raise CodecError("not_json", "neither JSON nor pieces of it") from None
        found.append(parse(text[at:stop].encode()))
        at = _SPACE.match(text, stop).end()  # type: ignore[union-attr]  # it matches nothing, too
        if len(found) > MAX_PARTS:
            raise CodecError("too_many_rows", f"more than {MAX_PARTS} pieces")
    if len(found) < 2:
        raise CodecError("not_json", "no pieces of JSON")
    return found


def _event_values(text: str) -> Events:
    found = Events()
    for data in events(text):
        try:
            found.append(parse(data.encode()))
        except CodecError:
            if data != "[DONE]":
                found.append(data)
    if not found:
        raise CodecError("empty_body", "a stream without an event")
    return found


_REQUESTS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(JSON_LINES, _json_lines),
    FORM: _form,
}
_ANSWERS: dict[str, Callable[[str], Any]] = {
    "": _unsaid,
    **dict.fromkeys(JSON_LINES, _json_lines),
    "text/csv": _csv_lines,
    "application/csv": _csv_lines,
    "text/plain": _plain_lines,
    EVENTS: _event_values,
}
_BINARY: dict[str, Callable[[bytes], Any]] = {
    "application/x-npy": npy.document,
    "multipart/form-data": multipart.document,
}
