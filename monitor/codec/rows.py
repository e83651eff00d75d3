"""Rows in any JSON value of a request: objects, lists, scalars, or columns by name.

Knows the shapes in which servers wrap a row, not which server it is.
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
from monitor.codec.format import Inputs
from monitor.codec.message import Message
from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError

# Under one of these alone, a list of scalars is a row of positional features; under any other name
# it is one feature that is a vector.
_ROW_NAMES = frozenset(
    {
        "features", "feature_vector", "input", "inputs", "data", "instance", "row", "record", "x",
        "values",
    }
)  # fmt: skip
_RECORD = frozenset({"data", "configuration"})  # of a row, as SageMaker's built-in models take it
_BYTES = frozenset({"b64"})  # a row that is one binary value, as TensorFlow Serving writes it


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
    return of_list(value, settings)


def of_list(rows: list[Any], settings: DecoderSettings) -> Inputs:
    """Rows of a list, whatever a single row is wrapped in."""
    first = rows[0] if rows else None
    if type(first) is dict and len(first) <= 2:
        if "features" in first or "data" in first:
            rows = [_record(row, settings) for row in rows]
        elif first.keys() == _BYTES:
            return Inputs({}, len(rows))
    return Inputs(from_rows(rows, settings.features, settings), len(rows))


def tensor_rows(value: Any, settings: DecoderSettings) -> Inputs:  # noqa: ANN401 - any JSON value
    """Rows of a list (the first dimension is the batch), or of an object of columns."""
    if type(value) is list:
        return of_list(value, settings)
    if type(value) is not dict or not value:
        raise CodecError("no_rows", "neither rows nor columns")
    if SCALARS.issuperset(map(type, value.values())):
        return Inputs(from_object(value, settings), 1)
    columns: Columns = {}
    for name, column in value.items():
        if type(column) is not list or (
            columns and len(column) != len(next(iter(columns.values())))
        ):
            raise CodecError("ragged_rows", "columns of different lengths")
        columns[name] = column
    rows = len(next(iter(columns.values())))
    return _settled(columns, rows, settings)


def _settled(columns: Columns, rows: int, settings: DecoderSettings) -> Inputs:
    if rows > settings.max_rows:
        raise CodecError("too_many_rows", f"{rows} rows, at most {settings.max_rows}")
    return Inputs(settle(columns, rows, settings), rows)


def _record(row: object, settings: DecoderSettings) -> object:
    """A row out of SageMaker's wrappings: `{"features": […]}`, `{"data": {field: element}}`.

    Elements are lists, `{"values": […]}`, or sparse: `{"keys": […], "values": […], "shape": [n]}`.
    """
    if type(row) is not dict:
        return row
    if row.keys() <= _RECORD and type(row.get("data")) is dict:
        row = {name: _element(value, settings) for name, value in row["data"].items()}
    features = row.get("features") if len(row) == 1 else None
    features = _element(features, settings)
    return features if type(features) is list else row


def _element(value: object, settings: DecoderSettings) -> object:
    """A list of values, whichever way it is written."""
    if type(value) is not dict or type(value.get("values")) is not list:
        return value
    values, keys, shape = value["values"], value.get("keys"), value.get("shape")
    if type(keys) is not list:
        return values
    if len(keys) != len(values) or type(shape) is not list or len(shape) != 1:
        raise CodecError("bad_tensor", "keys and values of no vector")
    width = shape[0]
    if type(width) is not int or any(type(key) is not int for key in keys):
        raise CodecError("bad_tensor", "keys and shape are whole numbers")
    if width > settings.max_features:
        raise CodecError("too_many_features", f"{width} values a row")
    if keys and not 0 <= min(keys) <= max(keys) < width:
        raise CodecError("bad_tensor", "a key outside of the shape")
    dense: list[object] = [0] * max(width, 0)
    for key, one in zip(keys, values, strict=True):
        dense[key] = one
    return dense


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
    row = _lone_row(value)
    count = answers.count_of(message.answer)
    if row is not None and (count == 1 or count != len(row)):
        return Inputs(from_rows([row], settings.features, settings), 1, lone=True)
    argument = _rows_among_arguments(value)
    if argument is not None and count == len(value[argument]):
        return _with_arguments(value, argument, settings)
    length = _common_length(value)
    if length is not None and length in (1, count):
        return _settled(value, length, settings)
    indexed = _indexed(value)
    if indexed is not None:
        rows = len(next(iter(indexed.values())))
        if count == rows:
            return _settled(indexed, rows, settings)
    return Inputs(from_object(value, settings), 1, lone=True)


def _lone_row(value: dict[str, Any]) -> list[Any] | None:
    """The row of `{"features": [5.1, 3.5]}`."""
    if len(value) != 1:
        return None
    ((name, row),) = value.items()
    return row if name.lower() in _ROW_NAMES and type(row) is list and len(row) > 1 else None


def _rows_among_arguments(value: dict[str, Any]) -> str | None:
    """The only argument that holds rows, where all others are scalars (BentoML)."""
    nested = [name for name, one in value.items() if type(one) not in SCALARS]
    if len(value) < 2 or len(nested) != 1:
        return None
    rows = value[nested[0]]
    is_rows = type(rows) is list and rows and set(map(type, rows)) in ({dict}, {list})
    return nested[0] if is_rows else None


def _with_arguments(value: dict[str, Any], argument: str, settings: DecoderSettings) -> Inputs:
    """The rows of one argument, each with the others beside it."""
    inputs = of_list(value[argument], settings)
    others = {name: [one] * inputs.rows for name, one in value.items() if name != argument}
    columns = {**others, **inputs.features}
    return Inputs(settle(columns, inputs.rows, settings), inputs.rows)


def _common_length(value: dict[str, Any]) -> int | None:
    """The length of an object's values where all are lists of one length: maybe columns."""
    if any(type(column) is not list for column in value.values()):
        return None
    lengths = {len(column) for column in value.values()}
    return lengths.pop() if len(lengths) == 1 else None


def _indexed(value: dict[str, Any]) -> Columns | None:
    """Columns whose rows have names "0", "1", …: how pandas writes a frame if nothing is said."""
    columns: Columns = {}
    for name, column in value.items():
        if type(column) is not dict or list(column) != list(map(str, range(len(column)))):
            return None
        columns[name] = list(column.values())
    lengths = {len(column) for column in columns.values()}
    return columns if len(lengths) == 1 and lengths != {0} else None
