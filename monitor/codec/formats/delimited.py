"""CSV requests: with a header row as MLflow takes them, without one as SageMaker does; JSON
answers.

Cells are read one by one, so that a value means the same in every batch: as an integer, a number,
true or false where they look it, as missing where pandas would read them so, else as text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from monitor.codec import answers
from monitor.codec.columns import Columns, from_rows
from monitor.codec.format import Format, Inputs
from monitor.codec.message import Message
from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError

_MEDIA_TYPES = frozenset({"text/csv", "application/csv"})
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?|[+-]?inf(?:inity)?", re.IGNORECASE
)
_NUMERIC = frozenset("0123456789+-.")
_EXACT_DIGITS = 18
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(
        (
            "", "NA", "N/A", "n/a", "nan", "NaN", "-nan", "-NaN", "null", "NULL", "None", "<NA>",
            "#N/A", "#NA", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "#N/A N/A",
        )
    ),
}  # fmt: skip


def matches(message: Message) -> bool:
    """Said to be CSV, and not JSON in truth."""
    if message.media_type not in _MEDIA_TYPES:
        return False
    return message.request_text.lstrip()[:1] not in ("{", "[", "")


def inputs(message: Message, settings: DecoderSettings) -> Inputs:
    """The rows below the header; the answer's row count tells whether there is one."""
    lines = _lines(message.request_text, settings)
    if len(lines) == 0:
        raise CodecError("no_rows", "no line")
    if len(set(map(len, lines))) != 1:
        raise CodecError("ragged_rows", "lines of different lengths")
    names = settings.features
    if answers.count_of(message.answer) != len(lines):
        names, lines = tuple(lines[0]), lines[1:]
        if len(set(names)) != len(names):
            raise CodecError("bad_name", "two columns of one name")
    columns = from_rows(lines, names, settings)
    return Inputs({name: cells(column) for name, column in columns.items()}, len(lines))


def outputs(message: Message, inputs: Inputs, settings: DecoderSettings) -> Columns:
    """The answer's columns, whatever its shape."""
    return answers.columns_of(message.answer, inputs.rows, settings)


def cell(text: str) -> object:
    """One cell's value.

    >>> [cell(text) for text in ("12", "1.5", "true", "", "NaN", "1_000", "Ünal")]
    [12, 1.5, True, None, None, '1_000', 'Ünal']
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def cells(column: Sequence[str]) -> list[object]:
    """Each cell's value, as `cell` gives it.

    >>> cells(["1", "-2.5", "NA"])
    [1, -2.5, None]
    """
    kinds = set("".join(column))
    if kinds <= _NUMERIC and max(map(len, column)) <= _EXACT_DIGITS:
        # Nothing but digits, signs and points: Python's own reading agrees with `cell`, or refuses.
        try:
            if kinds.isdisjoint("."):
                return list(map(int, column))
            return [float(text) if "." in text else int(text) for text in column]
        except ValueError:
            pass
    return list(map(cell, column))


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
    return lines


FORMAT = Format(("csv",), None, _MEDIA_TYPES, matches, inputs, outputs)
