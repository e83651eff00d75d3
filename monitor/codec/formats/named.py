"""Named-field JSON, as plain web services speak it: an object is a row, or columns; a list is rows.

Knows the request's shapes only; any JSON answer is read by `monitor.codec.answers`.
"""

from __future__ import annotations

from typing import Any

from monitor.codec import answers
from monitor.codec.columns import (
    MAX_DEPTH,
    SCALARS,
    Columns,
    from_object,
    from_rows,
    of_scalars,
    settle,
)
from monitor.codec.format import Format, Inputs
from monitor.codec.message import Message
from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError

# Keys that belong to other formats: an object with one of them is never a row of named fields.
RESERVED = frozenset({"instances", "inputs", "dataframe_split", "dataframe_records"})


def matches(message: Message) -> bool:
    """Any JSON object or list that no other format claims."""
    request = message.request
    return type(request) is list or (type(request) is dict and RESERVED.isdisjoint(request))


def inputs(message: Message, settings: DecoderSettings) -> Inputs:
    """The rows of the request."""
    return rows_in(message.request, message, settings)


def outputs(message: Message, inputs: Inputs, settings: DecoderSettings) -> Columns:
    """The answer's columns, whatever its shape."""
    return answers.columns_of(message.answer, inputs.rows, settings, lone=inputs.lone)


def rows_in(value: object, message: Message, settings: DecoderSettings) -> Inputs:
    """Rows in any JSON value: objects, lists, scalars, or an object of columns."""
    for _ in range(MAX_DEPTH):
        inner = _wrapped(value)
        if inner is None:
            break
        value = inner
    if type(value) is dict:
        return _of_object(value, message, settings)
    if type(value) is not list:
        raise CodecError("no_rows", "a lone value is no row")
    is_vector = len(value) > 1 and SCALARS.issuperset(map(type, value))
    if is_vector and answers.count_of(message.answer) == 1:
        return Inputs(from_rows([value], settings.features, settings), 1, lone=True)
    return Inputs(from_rows(value, settings.features, settings), len(value))


def _wrapped(value: object) -> list[Any] | dict[str, Any] | None:
    """What stands under an object's only key (an argument's name, `data`, …): rows, or a row."""
    if type(value) is not dict or len(value) != 1:
        return None
    (inner,) = value.values()
    if type(inner) is dict:
        return inner
    is_rows = type(inner) is list and inner and not SCALARS.issuperset(map(type, inner))
    return inner if is_rows else None


def _of_object(value: dict[str, Any], message: Message, settings: DecoderSettings) -> Inputs:
    if SCALARS.issuperset(map(type, value.values())):
        return Inputs(of_scalars(value, settings), 1, lone=True)
    length = _common_length(value)
    if length is not None and (length == 1 or answers.count_of(message.answer) == length):
        if length > settings.max_rows:
            raise CodecError("too_many_rows", f"{length} rows, at most {settings.max_rows}")
        return Inputs(settle(value, length, settings), length)
    return Inputs(from_object(value, settings), 1, lone=True)


def _common_length(value: dict[str, Any]) -> int | None:
    """The length of an object's values where all are lists of one length: maybe columns."""
    if any(type(column) is not list for column in value.values()):
        return None
    lengths = {len(column) for column in value.values()}
    return lengths.pop() if len(lengths) == 1 else None


FORMAT = Format(("named", "json"), None, frozenset(), matches, inputs, outputs)
