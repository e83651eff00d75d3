"""NumPy's own file of one array (`application/x-npy`) as the JSON value that it holds.

Knows NumPy's format, version 1 to 3; no array of objects is read, since that would run what is in
it. What the header asks for is held against the bytes before anything is made of them.
"""

from __future__ import annotations

import ast
import math
import struct
from typing import Any

import numpy as np

from monitor.codec.tensors import shortest
from monitor.errors import CodecError

MAX_VALUES = 5_000_000
MAX_DIMENSIONS = 4

_MAGIC = b"\x93NUMPY"
_LENGTHS = {b"\x01\x00": "<H", b"\x02\x00": "<I", b"\x03\x00": "<I"}  # of the head, by version
_MAX_HEAD_BYTES = 10_000
_WRONG = (
    ValueError, KeyError, TypeError, SyntaxError, OverflowError, RecursionError, MemoryError,
    struct.error,
)  # fmt: skip
_NARROW = {2: "FP16", 4: "FP32"}


def document(body: bytes) -> Any:  # noqa: ANN401 - nested lists of scalars
    """The array as nested lists; of named fields, as a list of objects; CodecError `bad_tensor`.

    >>> import io
    >>> np.save(file := io.BytesIO(), np.array([[6.8, 0.1]], "f4"))
    >>> document(file.getvalue())
    [[6.8, 0.1]]
    """
    try:
        return _values(_array(body))
    except _WRONG as error:
        raise CodecError("bad_tensor", f"npy: {error}"[:100]) from None


def _values(array: np.ndarray[Any, Any]) -> Any:  # noqa: ANN401 - nested lists of scalars
    if array.dtype.names is None:
        return _plain(array)
    columns = {name: _plain(array[name]) for name in array.dtype.names}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _array(body: bytes) -> np.ndarray[Any, Any]:
    shape, is_columnwise, dtype, at = _head(body)
    if dtype.hasobject or not 0 < len(shape) <= MAX_DIMENSIONS:
        raise ValueError("an array of objects, or without rows, or of too many dimensions")
    count, left = math.prod(shape), len(body) - at
    if count * dtype.itemsize != left or count * max(1, len(dtype.names or ())) > MAX_VALUES:
        raise ValueError(f"{left} bytes for {count} values")
    flat = np.frombuffer(body, dtype, count, at)
    return flat.reshape(shape, order="F" if is_columnwise else "C")


def _head(body: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, whether columns come first, type, and where the values begin."""
    if body[:6] != _MAGIC:
        raise ValueError("no magic number")
    length_format = _LENGTHS[body[6:8]]
    start = 8 + struct.calcsize(length_format)
    (length,) = struct.unpack_from(length_format, body, 8)
    if length > min(_MAX_HEAD_BYTES, len(body) - start):
        raise ValueError("a head that is too long")
    head = ast.literal_eval(body[start : start + length].decode("utf-8").strip())
    shape, dtype = head["shape"], np.lib.format.descr_to_dtype(head["descr"])
    if type(shape) is not tuple or any(type(size) is not int or size < 0 for size in shape):
        raise ValueError("no shape")
    return shape, head["fortran_order"] is True, dtype, start + length


def _plain(array: np.ndarray[Any, Any]) -> Any:  # noqa: ANN401 - nested lists of scalars
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind in "biu" or (kind == "f" and size == 8):
        return array.tolist()
    if kind == "f" and size in _NARROW:
        flat = shortest(array.ravel().astype(f"<f{size}"), _NARROW[size])
        return np.array(flat).reshape(array.shape).tolist()
    if kind == "U":
        return array.tolist()
    raise ValueError(f"values of type {array.dtype}")
