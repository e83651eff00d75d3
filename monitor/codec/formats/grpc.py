"""gRPC calls of the Open Inference Protocol: `ModelInfer`, `ModelStreamInfer`; a message each way.

A message is framed (gRPC over HTTP/2, "Length-Prefixed-Message") and may be compressed by itself.
Tensors hold typed contents or come raw, as in the binary extension over HTTP.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from monitor.codec.columns import Columns
from monitor.codec.compression import decompress
from monitor.codec.format import Format, Inputs
from monitor.codec.http2.messages import HEAD_BYTES, STREAMED
from monitor.codec.message import Message
from monitor.codec.names import Ids
from monitor.codec.settings import DecoderSettings
from monitor.codec.tensors import (
    Tensor,
    feature_columns,
    from_bytes,
    output_columns,
    shortest,
    tensor,
)
from monitor.errors import CodecError

_REQUEST, _ANSWER = "grpc request", "grpc answer"
_STREAMED = STREAMED.decode()


def matches(message: Message) -> bool:
    """By its media type alone: nothing else is framed like this."""
    return message.media_type.startswith("application/grpc")


def request(message: Message, settings: DecoderSettings) -> Any:  # noqa: ANN401 - a message class
    """The ModelInferRequest."""

    def read() -> Any:  # noqa: ANN401
        from monitor.codec import inference_messages as known  # noqa: PLC0415 - protobuf: 6 MB that only gRPC needs
        from monitor.codec.protobuf import parsed  # noqa: PLC0415

        coding = message.request_value(b"grpc-encoding")
        body = _unframed(message.request_body, coding, settings)
        return parsed(known.ModelInferRequest, body)

    return message.kept(_REQUEST, read)


def answer(message: Message, settings: DecoderSettings) -> Any:  # noqa: ANN401 - a message class
    """The ModelInferResponse, out of its envelope where it was streamed."""

    def read() -> Any:  # noqa: ANN401
        from monitor.codec import inference_messages as known  # noqa: PLC0415 - as above
        from monitor.codec.protobuf import parsed  # noqa: PLC0415

        coding = message.answer_value(b"grpc-encoding")
        body = _unframed(message.answer_body, coding, settings)
        if message.path != _STREAMED:
            return parsed(known.ModelInferResponse, body)
        streamed = parsed(known.ModelStreamInferResponse, body)
        if streamed.error_message:
            raise CodecError("model_error", streamed.error_message[:200])
        return streamed.infer_response

    return message.kept(_ANSWER, read)


def inputs(message: Message, settings: DecoderSettings) -> Inputs:
    """The rows of the input tensors; their first dimension is the batch."""
    asked = request(message, settings)
    tensors = _tensors(asked.inputs, asked.raw_input_contents, settings)
    features, rows = feature_columns(tensors, settings)
    return Inputs(features, rows)


def outputs(message: Message, inputs: Inputs, settings: DecoderSettings) -> Columns:
    """A column for each output tensor with one entry a row."""
    told = answer(message, settings)
    tensors = _tensors(told.outputs, told.raw_output_contents, settings)
    return output_columns(tensors, inputs.rows)


def ids(message: Message) -> Ids:
    """The `id` of either message."""
    return _id(message.kept(_REQUEST, lambda: None)), _id(message.kept(_ANSWER, lambda: None))


def _id(read: Any) -> tuple[object, ...]:  # noqa: ANN401 - a message, where it has been read
    return () if read is None else (read.id,)


def _unframed(body: bytes, coding: bytes, settings: DecoderSettings) -> bytes:
    length = int.from_bytes(body[1:HEAD_BYTES], "big")
    if len(body) < HEAD_BYTES or len(body) != HEAD_BYTES + length:
        raise CodecError("bad_grpc", f"{len(body)} bytes are not one message")
    if body[0] == 0:
        return body[HEAD_BYTES:]
    return decompress(body[HEAD_BYTES:], coding or b"unnamed", settings.max_decoded_bytes)


def _tensors(given: Any, raw: Any, settings: DecoderSettings) -> list[Tensor]:  # noqa: ANN401
    if not given:
        raise CodecError("no_tensors", "no tensors in the message")
    if len(given) > settings.max_features:
        raise CodecError("too_many_features", f"{len(given)} tensors")
    if raw and len(raw) != len(given):
        raise CodecError("bad_tensor", f"{len(raw)} raw contents of {len(given)} tensors")
    return [_tensor(one, raw[index] if raw else None, settings) for index, one in enumerate(given)]


def _tensor(one: Any, raw: bytes | None, settings: DecoderSettings) -> Tensor:  # noqa: ANN401
    shape = list(one.shape)
    if not one.name or any(size < 0 for size in shape):
        raise CodecError("bad_tensor", "a tensor without a name, or without a shape")
    data = _contents(one, settings) if raw is None else from_bytes(one.datatype, raw, settings)
    if data is None:  # pictures and the like are no features
        rows = shape[0] if shape else 1
        if rows > settings.max_rows:
            raise CodecError("too_many_rows", f"{rows} rows, at most {settings.max_rows}")
        return Tensor(one.name, rows, 0, ())
    return tensor(one.name, shape, data, settings)


def _contents(one: Any, settings: DecoderSettings) -> list[Any] | None:  # noqa: ANN401
    from monitor.codec.inference_messages import CONTENTS  # noqa: PLC0415 - as above

    kept_in = CONTENTS.get(one.datatype)
    if kept_in is None:
        raise CodecError("bad_tensor", f"no typed contents for {one.datatype[:32]!r}")
    values = getattr(one.contents, kept_in)
    if len(values) > settings.max_values:
        raise CodecError("too_many_values", f"{len(values)} values in one tensor")
    if one.datatype == "FP32":
        return shortest(np.array(values, dtype="<f4"), "FP32")
    if one.datatype != "BYTES":
        return list(values)
    try:
        return [value.decode("utf-8") for value in values]
    except UnicodeDecodeError:
        return None


FORMAT = Format(
    ("grpc", "open_inference_grpc"),
    None,
    frozenset({"application/grpc", "application/grpc+proto"}),
    matches,
    inputs,
    outputs,
    ids=ids,
)
