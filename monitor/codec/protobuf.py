"""Classes of protobuf messages, made of published field numbers at run time.

Imported when the first such message comes: the library takes 6 MB that only those need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from monitor.errors import CodecError

ONE, MANY = FieldDescriptorProto.LABEL_OPTIONAL, FieldDescriptorProto.LABEL_REPEATED

Row = tuple[str, int, Any, Any]  # name, number, type (or a message's name), label


def classes(package: str, messages: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    """In a pool of their own: a process may hold another copy of the published ones."""
    pool = DescriptorPool()
    file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    file.message_type.extend(_message(package, name, rows) for name, rows in messages.items())
    pool.Add(file)
    return {
        name: GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in messages
    }


def parsed(kind: Any, data: bytes) -> Any:  # noqa: ANN401 - classes made at run time
    """The message in some bytes; CodecError `bad_protobuf` where there is none."""
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise CodecError("bad_protobuf", str(error)[:200]) from None


def _message(package: str, name: str, rows: Sequence[Row]) -> DescriptorProto:
    message = DescriptorProto(name=name)
    for field, number, kind, label in rows:
        if isinstance(kind, str):
            below = f".{package}.{kind}"
            message.field.add(
                name=field,
                number=number,
                type=FieldDescriptorProto.TYPE_MESSAGE,
                type_name=below,
                label=label,
            )
        else:
            message.field.add(name=field, number=number, type=kind, label=label)
    return message
