"""The gRPC messages of the Open Inference Protocol, as far as they are read here.

The service's published field numbers, handed to the protobuf library as a descriptor; what else a
message holds is kept as unknown fields, and costs nothing. Imported when the first gRPC call comes.

Source: open-inference-protocol, specification/protocol/open_inference_grpc.proto.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from monitor.errors import CodecError

_PACKAGE = "inference"
_F = FieldDescriptorProto
_ONE, _MANY = _F.LABEL_OPTIONAL, _F.LABEL_REPEATED

# Type-specific contents, by the datatypes that use them.
CONTENTS: Final = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}

_Row = tuple[str, int, Any, Any]  # name, number, type (or a message's name), label

_CONTENTS: Sequence[_Row] = (
    ("bool_contents", 1, _F.TYPE_BOOL, _MANY),
    ("int_contents", 2, _F.TYPE_INT32, _MANY),
    ("int64_contents", 3, _F.TYPE_INT64, _MANY),
    ("uint_contents", 4, _F.TYPE_UINT32, _MANY),
    ("uint64_contents", 5, _F.TYPE_UINT64, _MANY),
    ("fp32_contents", 6, _F.TYPE_FLOAT, _MANY),
    ("fp64_contents", 7, _F.TYPE_DOUBLE, _MANY),
    ("bytes_contents", 8, _F.TYPE_BYTES, _MANY),
)
_TENSOR: Sequence[_Row] = (
    ("name", 1, _F.TYPE_STRING, _ONE),
    ("datatype", 2, _F.TYPE_STRING, _ONE),
    ("shape", 3, _F.TYPE_INT64, _MANY),
    ("contents", 5, "InferTensorContents", _ONE),
)
_REQUEST: Sequence[_Row] = (
    ("model_name", 1, _F.TYPE_STRING, _ONE),
    ("model_version", 2, _F.TYPE_STRING, _ONE),
    ("id", 3, _F.TYPE_STRING, _ONE),
    ("inputs", 5, "InferTensor", _MANY),
    ("raw_input_contents", 7, _F.TYPE_BYTES, _MANY),
)
_ANSWER: Sequence[_Row] = (
    ("model_name", 1, _F.TYPE_STRING, _ONE),
    ("model_version", 2, _F.TYPE_STRING, _ONE),
    ("id", 3, _F.TYPE_STRING, _ONE),
    ("outputs", 5, "InferTensor", _MANY),
    ("raw_output_contents", 6, _F.TYPE_BYTES, _MANY),
)
_STREAMED: Sequence[_Row] = (
    ("error_message", 1, _F.TYPE_STRING, _ONE),
    ("infer_response", 2, "ModelInferResponse", _ONE),
)
_MESSAGES = {
    "InferTensorContents": _CONTENTS,
    "InferTensor": _TENSOR,
    "ModelInferRequest": _REQUEST,
    "ModelInferResponse": _ANSWER,
    "ModelStreamInferResponse": _STREAMED,
}


def _message(name: str, rows: Sequence[_Row]) -> DescriptorProto:
    message = DescriptorProto(name=name)
    for field, number, kind, label in rows:
        if isinstance(kind, str):
            below = f".{_PACKAGE}.{kind}"
            message.field.add(
                name=field, number=number, type=_F.TYPE_MESSAGE, type_name=below, label=label
            )
        else:
            message.field.add(name=field, number=number, type=kind, label=label)
    return message


def _classes() -> dict[str, Any]:
    """In a pool of their own: a process may hold another copy of the published ones."""
    pool = DescriptorPool()
    file = FileDescriptorProto(name="inference.proto", package=_PACKAGE, syntax="proto3")
    file.message_type.extend(_message(name, rows) for name, rows in _MESSAGES.items())
    pool.Add(file)
    return {
        name: GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        for name in _MESSAGES
    }


_CLASSES = _classes()
ModelInferRequest: Final = _CLASSES["ModelInferRequest"]
ModelInferResponse: Final = _CLASSES["ModelInferResponse"]
ModelStreamInferResponse: Final = _CLASSES["ModelStreamInferResponse"]


def parsed(kind: Any, data: bytes) -> Any:  # noqa: ANN401 - classes made at run time
    """The message in some bytes; CodecError `bad_protobuf` where there is none."""
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise CodecError("bad_protobuf", str(error)[:200]) from None
