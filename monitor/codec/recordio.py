"""Records of SageMaker's built-in models (`application/x-recordio-protobuf`) as their JSON says it.

RecordIO frames each record (a magic number, a length, and up to three bytes of padding); a record
is a protobuf message of named vectors, dense or sparse. Source: SageMaker's "Common Data Formats".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from monitor.codec.protobuf import MANY, ONE, Row, classes, parsed
from monitor.codec.tensors import shortest
from monitor.errors import CodecError

MAX_RECORDS = 100_000

_HEAD = struct.Struct("<II")
_MAGIC = 0xCED7230A
_PARTIAL = 0xE0000000  # upper three bits of the length: a record in several pieces
_ALL = "values"  # the name of a record's only vector

_F = FieldDescriptorProto


def _vector(kind: Any) -> Sequence[Row]:  # noqa: ANN401 - a number of protobuf's
    return (
        ("values", 1, kind, MANY),
        ("keys", 2, _F.TYPE_UINT64, MANY),
        ("shape", 3, _F.TYPE_UINT64, MANY),
    )


_KINDS = ("float32_tensor", "float64_tensor", "int32_tensor")
_MESSAGES: dict[str, Sequence[Row]] = {
    "Float32Tensor": _vector(_F.TYPE_FLOAT),
    "Float64Tensor": _vector(_F.TYPE_DOUBLE),
    "Int32Tensor": _vector(_F.TYPE_INT32),
    "Value": (
        ("float32_tensor", 2, "Float32Tensor", ONE),
        ("float64_tensor", 3, "Float64Tensor", ONE),
        ("int32_tensor", 7, "Int32Tensor", ONE),
    ),
    # A map's entries, as the wire has them.
    "Entry": (("key", 1, _F.TYPE_STRING, ONE), ("value", 2, "Value", ONE)),
    "Record": (("features", 1, "Entry", MANY), ("label", 2, "Entry", MANY)),
}
_RECORD = classes("aialgs.data", _MESSAGES)["Record"]


def request(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The records' features as `instances`."""
    rows = [_named(record.features, "features") for record in _records(body)]
    return {"instances": [{"data": row} for row in rows]}


def answer(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The records' labels as `predictions`."""
    rows = [_named(record.label, "score") for record in _records(body)]
    return {"predictions": [{name: _lone(value) for name, value in row.items()} for row in rows]}


def _records(body: bytes) -> Iterator[Any]:
    at = count = 0
    while at < len(body):
        if len(body) - at < _HEAD.size or count == MAX_RECORDS:
            raise CodecError("bad_tensor", f"recordio: {count} records, and no end")
        magic, length = _HEAD.unpack_from(body, at)
        at += _HEAD.size
        if magic != _MAGIC or length & _PARTIAL or length > len(body) - at:
            raise CodecError("bad_tensor", "recordio: not the head of a whole record")
        yield parsed(_RECORD, body[at : at + length])
        at += length + -length % 4
        count += 1


def _named(entries: Any, only: str) -> dict[str, Any]:  # noqa: ANN401 - a message's field
    """Vectors by name; the only one, where it has none of its own, is named like this."""
    found = {entry.key: _element(entry.value) for entry in entries}
    return {only: found[_ALL]} if found.keys() == {_ALL} else found


def _element(value: Any) -> Any:  # noqa: ANN401 - a message, and any JSON value
    kind = next((one for one in _KINDS if value.HasField(one)), None)
    if kind is None:
        return None  # bytes: a picture
    vector = getattr(value, kind)
    values: list[Any] = list(vector.values)
    if kind == "float32_tensor" and values:
        values = shortest(np.array(values, dtype="<f4"), "FP32")
    if not vector.keys:
        return values
    return {"keys": list(vector.keys), "values": values, "shape": list(vector.shape)}


def _lone(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return value[0] if type(value) is list and len(value) == 1 else value
