"""Named tensors turned into columns, and raw tensor bytes into values; knows no message format.

Serves every form of the Open Inference Protocol: JSON, the binary extension, and gRPC. A tensor's
first dimension is the batch. Two tabular layouts are told apart by shape: one wide tensor of
positional features, or one tensor a column.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.codec.columns import Columns, name_of, settle
from monitor.codec.settings import DecoderSettings
from monitor.errors import CodecError

MAX_DIMENSIONS = 16

_TYPES = {
    "BOOL": "?", "UINT8": "u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8",
    "INT8": "i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8",
    "FP16": "<f2", "FP32": "<f4", "FP64": "<f8", "BF16": "<u2",
}  # fmt: skip
DATATYPES = frozenset({*_TYPES, "BYTES"})
# Significant digits to try first (all six of a decimal survive FP32), and those enough for each.
_DIGITS = {"FP16": (1, 5), "FP32": (6, 9)}


class Tensor(NamedTuple):
    """One tensor of a message; `data` holds its scalars in row-major order."""

    name: str
    rows: int
    width: int  # values a row
    data: Sequence[Any]


def tensor(
    name: str, shape: Sequence[int], data: Sequence[Any], settings: DecoderSettings
) -> Tensor:
    """A tensor held against its shape and the bounds; CodecError where it does not keep them.

    >>> tensor("x", [2, 3], [1, 2, 3, 4, 5, 6], DecoderSettings())
    Tensor(name='x', rows=2, width=3, data=[1, 2, 3, 4, 5, 6])
    """
    if math.prod(shape[:MAX_DIMENSIONS]) != len(data) or len(shape) > MAX_DIMENSIONS:
        text = f"{name[:64]} has {len(data)} values, not those of its shape"
        raise CodecError("bad_tensor", text)
    rows = shape[0] if shape else 1
    if rows > settings.max_rows:
        raise CodecError("too_many_rows", f"{rows} rows, at most {settings.max_rows}")
    width = len(data) // rows if rows else 0
    if width > settings.max_features:
        raise CodecError("too_many_features", f"{name[:64]} has {width} values a row")
    return Tensor(name, rows, width, data)


def feature_columns(tensors: Sequence[Tensor], settings: DecoderSettings) -> tuple[Columns, int]:
    """Feature columns and their number of rows, of a request's tensors.

    >>> feature_columns([Tensor("x", 2, 2, [1, 2, 3, 4])], DecoderSettings(features=("a", "b")))
    ({'a': [1, 3], 'b': [2, 4]}, 2)
    """
    rows = tensors[0].rows
    if any(one.rows != rows for one in tensors):
        raise CodecError("ragged_rows", "input tensors of different batch sizes")
    if len(tensors) == 1 and tensors[0].width > 1:
        width, data = tensors[0].width, tensors[0].data
        columns: Columns = {
            name_of(index, width, settings.features): data[index::width] for index in range(width)
        }
    else:
        columns = {one.name: _by_row(one) for one in tensors if one.width}
    return settle(columns, rows, settings), rows


def output_columns(tensors: Sequence[Tensor], rows: int) -> Columns:
    """A column for each answer tensor with one entry a row: scalars, or vectors where wider."""
    columns = {one.name: _by_row(one) for one in tensors if one.rows == rows and one.width}
    if not columns:
        found = tensors[0].rows if tensors else 0
        raise CodecError("rows_differ", f"{rows} rows in the request, {found} in the answer")
    return columns


def _by_row(one: Tensor) -> Sequence[Any]:
    width, data = one.width, one.data
    if width == 1:
        return data
    return [list(data[row * width : (row + 1) * width]) for row in range(one.rows)]


def from_bytes(
    datatype: str, raw: bytes | memoryview, settings: DecoderSettings
) -> list[Any] | None:
    """The values of a tensor's raw little-endian bytes; None for BYTES that are no text.

    Numbers narrower than a double come as the shortest decimal that names them, as JSON and CSV
    write them: else 6.8 would fall on the other side of a bin's edge at 6.8.

    >>> from_bytes("FP32", bytes.fromhex("9a99d940"), DecoderSettings())
    [6.8]
    """
    if datatype == "BYTES":
        return _texts(memoryview(raw), settings)
    if datatype not in _TYPES:
        raise CodecError("bad_tensor", f"no datatype {datatype[:32]!r}")
    kind = np.dtype(_TYPES[datatype])
    if len(raw) % kind.itemsize:
        raise CodecError("bad_tensor", f"{len(raw)} bytes are no {datatype}s")
    if len(raw) // kind.itemsize > settings.max_values:
        raise CodecError("too_many_values", f"{len(raw)} bytes of {datatype}")
    if datatype == "BOOL":
        return [byte != 0 for byte in bytes(raw)]
    values = np.frombuffer(raw, kind)
    if datatype == "BF16":
        values = (values.astype("<u4") << 16).view("<f4")
    return shortest(values, datatype) if datatype in _DIGITS else list(values.tolist())


def shortest(values: NDArray[np.floating[Any]], datatype: str) -> list[float]:
    """FP16 or FP32 values as the doubles of their shortest decimals.

    >>> shortest(np.array([0.1, 1234.567, 3e10, 0.0], "f4"), "FP32")
    [0.1, 1234.567, 30000000000.0, 0.0]
    """
    least, most = _DIGITS[datatype]
    exact = values.astype(np.float64)
    pending = np.isfinite(exact) & (exact != 0)
    if not pending.any():
        return list(exact.tolist())
    found = exact.copy()
    magnitude = np.zeros_like(exact)
    magnitude[pending] = np.floor(np.log10(np.abs(exact[pending])))
    with np.errstate(over="ignore", invalid="ignore"):
        for digits in range(least, most + 1):
            power = digits - 1 - magnitude
            scale = 10.0 ** np.abs(power)
            rounded = np.where(
                power >= 0, np.rint(exact * scale) / scale, np.rint(exact / scale) * scale
            )
            same = pending & (rounded.astype(values.dtype) == values)
            found[same] = rounded[same]
            pending &= ~same
            if not pending.any():
                break
    return list(found.tolist())


def as_written(values: list[Any], datatype: str) -> list[Any]:
    """JSON values of a narrow datatype, where a client printed a narrow float as a double.

    >>> as_written([6.800000190734863, 0.1], "FP32"), as_written([6.800000190734863], "FP64")
    ([6.8, 0.1], [6.800000190734863])
    """
    if datatype not in _DIGITS or set(map(type, values)) != {float}:
        return values
    if [round(value, 6) for value in values] == values:
        return values  # short already, as nearly always
    doubles = np.array(values)
    with np.errstate(over="ignore"):
        narrow = doubles.astype(_TYPES[datatype])
    printed = (narrow == doubles).tolist()
    short = shortest(narrow, datatype)
    return [one if is_narrow else value
            for value, one, is_narrow in zip(values, short, printed, strict=True)]  # fmt: skip


def _texts(raw: memoryview, settings: DecoderSettings) -> list[Any] | None:
    """Elements of four length bytes and as many bytes of text each."""
    found: list[Any] = []
    at, end, is_text = 0, len(raw), True
    while at < end:
        if end - at < 4:
            raise CodecError("bad_tensor", "a BYTES element without its length")
        (length,) = struct.unpack_from("<I", raw, at)
        at += 4
        if length > end - at:
            raise CodecError("bad_tensor", "a BYTES element is longer than its tensor")
        if len(found) >= settings.max_values:
            raise CodecError("too_many_values", "elements of a BYTES tensor")
        try:
            found.append(str(raw[at : at + length], "utf-8"))
        except UnicodeDecodeError:
            is_text = False
            found.append(None)
        at += length
    return found if is_text else None
