"""The gRPC messages of the Open Inference Protocol, as far as they are read here.

The service's published field numbers, handed to the protobuf library as a descriptor; what else a
message holds is kept as unknown fields, and costs nothing. Imported when the first gRPC call comes.

Source: open-inference-protocol, specification/protocol/open_inference_grpc.proto.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from monitor.codec.protobuf import MANY as _MANY
from monitor.codec.protobuf import ONE as _ONE
from monitor.codec.protobuf import Row as _Row
from monitor.codec.protobuf import classes

_F = FieldDescriptorProto

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


_CLASSES = classes("inference", _MESSAGES)
ModelInferRequest: Final = _CLASSES["ModelInferRequest"]
ModelInferResponse: Final = _CLASSES["ModelInferResponse"]
ModelStreamInferResponse: Final = _CLASSES["ModelStreamInferResponse"]
