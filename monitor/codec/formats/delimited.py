"""CSV requests: with a header row as MLflow takes them, without one as SageMaker does."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from monitor.codec import answers
from monitor.codec.cells import cells
from monitor.codec.columns import Columns, from_rows
from monitor.codec.format import Format, Inputs
from monitor.codec.message import Message
from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError

_MEDIA_TYPES = frozenset({"text/csv", "application/csv"})
_HEADER = re.compile(rb";\s*header\s*=\s*\"?(present|absent)")  # RFC 4180 section 3


def matches(message: Message) -> bool:
    """Said to be CSV, and not JSON in truth."""
    if message.media_type not in _MEDIA_TYPES:
        return False
    return message.request_text.lstrip()[:1] not in ("{", "[", "")


def inputs(message: Message, settings: DecoderSettings) -> Inputs:
    """The rows below the header; the answer's row count tells whether there is one."""
    lines = _lines(message.request_text, settings)
    if not _has_header(lines, message):
        return _rows(lines, settings.features, settings)
    names = tuple(lines[0])
    if len(set(names)) != len(names):
        raise CodecError("bad_name", "two columns of one name")
    return _rows(lines[1:], names, settings)


def without_header(message: Message, settings: DecoderSettings) -> Inputs:
    """The rows of a body that never has a header."""
    return _rows(_lines(message.request_text, settings), settings.features, settings)


def _rows(lines: list[list[str]], names: Sequence[str], settings: DecoderSettings) -> Inputs:
    columns = from_rows(lines, names, settings)
    return Inputs({name: cells(column) for name, column in columns.items()}, len(lines))


def outputs(message: Message, inputs: Inputs, settings: DecoderSettings) -> Columns:
    """The answer's columns, whatever its shape."""
    return answers.columns_of(message.answer, inputs.rows, settings)


def _has_header(lines: list[list[str]], message: Message) -> bool:
    """As it is said; else there is one unless there are as many answers as lines."""
    said = _HEADER.search(message.request_value(b"content-type"))
    if said is not None:
        return said[1] == b"present"
    counts = answers.counts_of(message.answer)
    if len(lines) in counts and len(lines) - 1 in counts:  # one line of answers, as many as lines
        return all(type(value) is str for value in cells(lines[0]))
    return len(lines) not in counts


def _lines(document: str, settings: DecoderSettings) -> list[list[str]]:
    lines: list[list[str]] = []
    try:
        for line in csv.reader(io.StringIO(document.removeprefix("\ufeff"), newline="")):
            if line:
                lines.append(line)
            if len(lines) > settings.max_rows + 1:
                raise CodecError("too_many_rows", f"at most {settings.max_rows}")
    except csv.Error as error:
        raise CodecError("not_csv", str(error)) from None
    if not lines:
        raise CodecError("no_rows", "no line")
    if len(set(map(len, lines))) != 1:
        raise CodecError("ragged_rows", "lines of different lengths")
    return lines


FORMAT = Format(("csv",), None, _MEDIA_TYPES, matches, inputs, outputs)
