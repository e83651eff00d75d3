"""gRPC's messages, written with the protobuf library, read back as columns."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.codec import Decoder, DecoderSettings
from monitor.codec.http2.messages import answer_id, request_id
from monitor.codec.inference_messages import (
    ModelInferRequest,
    ModelInferResponse,
    ModelStreamInferResponse,
)
from monitor.errors import CodecError
from monitor.records.batch import Batch
from monitor.records.exchange import Exchange

INFER = "/inference.GRPCInferenceService/ModelInfer"
STREAM = "/inference.GRPCInferenceService/ModelStreamInfer"
GRPC = b"content-type: application/grpc\r\n"


def framed(message: bytes, *, packed: bool = False) -> bytes:
    return bytes([packed]) + len(message).to_bytes(4, "big") + message


def exchange(request: bytes, answer: bytes, path: str = INFER, fields: bytes = GRPC) -> Exchange:
    return Exchange("p", "POST", path, 200, 1.0, 0.1, fields, request, fields, answer)


def read(asked: Any, told: Any, **settings: Any) -> Batch:
    given = exchange(framed(asked.SerializeToString()), framed(told.SerializeToString()))
    return Decoder(DecoderSettings(**settings)).decode(given)


def answered(values: list[float]) -> Any:
    told = ModelInferResponse(model_name="m")
    told.outputs.add(name="predict", datatype="FP64", shape=[len(values), 1])
    told.outputs[0].contents.fp64_contents.extend(values)
    return told


def test_columns_of_every_type_typed_and_raw() -> None:
    asked = ModelInferRequest(model_name="m", id="x")
    columns: list[tuple[str, str, str, list[Any]]] = [
        ("BOOL", "bool_contents", "?", [True, False]),
        ("INT8", "int_contents", "b", [-1, 7]),
        ("INT32", "int_contents", "i", [-(2**31), 3]),
        ("INT64", "int64_contents", "q", [2**62, -3]),
        ("UINT16", "uint_contents", "H", [65535, 0]),
        ("UINT64", "uint64_contents", "Q", [2**63, 1]),
        ("FP32", "fp32_contents", "f", [6.8, 0.1]),
        ("FP64", "fp64_contents", "d", [1 / 3, 2.5]),
    ]
    for datatype, contents, _, values in columns:
        tensor = asked.inputs.add(name=datatype, datatype=datatype, shape=[2, 1])
        getattr(tensor.contents, contents).extend(values)
    tensor = asked.inputs.add(name="BYTES", datatype="BYTES", shape=[2])
    tensor.contents.bytes_contents.extend([b"a", "é".encode()])
    told = answered([1.0, 2.0])
    typed = read(asked, told)

    for tensor in asked.inputs:
        tensor.ClearField("contents")
    for _, _, kind, values in columns:
        asked.raw_input_contents.append(struct.pack(f"<2{kind}", *values))
    texts = b"".join(struct.pack("<I", len(one)) + one for one in (b"a", "é".encode()))
    asked.raw_input_contents.append(texts)
    raw = read(asked, told)

    wanted = {datatype: values for datatype, _, _, values in columns} | {"BYTES": ["a", "é"]}
    for batch in (typed, raw):
        assert {name: list(column) for name, column in batch.features.items()} == wanted
        assert list(batch.outputs["prediction"]) == [1.0, 2.0]


def test_one_tensor_of_positional_features() -> None:
    asked = ModelInferRequest()
    asked.inputs.add(name="x", datatype="FP64", shape=[2, 2])
    asked.inputs[0].contents.fp64_contents.extend([1.0, 2.0, 3.0, 4.0])
    batch = read(asked, answered([0.0, 0.0]), features=("a", "b"))
    assert {name: list(column) for name, column in batch.features.items()} == {
        "a": [1.0, 3.0],
        "b": [2.0, 4.0],
    }


@pytest.mark.parametrize(
    ("coding", "pack"), [(b"gzip", gzip.compress), (b"deflate", zlib.compress)]
)
def test_compressed_messages(coding: bytes, pack: Callable[[bytes], bytes]) -> None:
    asked = ModelInferRequest()
    asked.inputs.add(name="x", datatype="FP64", shape=[1]).contents.fp64_contents.append(3.0)
    fields = GRPC + b"grpc-encoding: " + coding + b"\r\n"
    given = exchange(
        framed(pack(asked.SerializeToString()), packed=True),
        framed(pack(answered([9.0]).SerializeToString()), packed=True),
        fields=fields,
    )
    batch = Decoder().decode(given)
    assert list(batch.features["x"]) == [3.0]
    assert list(batch.outputs["prediction"]) == [9.0]


def test_a_bomb_is_refused() -> None:
    bomb = framed(gzip.compress(bytes(1 << 22)), packed=True)
    given = exchange(bomb, bomb, fields=GRPC + b"grpc-encoding: gzip\r\n")
    with pytest.raises(CodecError) as error:
        Decoder(DecoderSettings(max_decoded_bytes=1 << 16)).decode(given)
    assert error.value.reason == "too_large"


def test_a_streamed_answer_is_in_an_envelope_and_may_be_an_error() -> None:
    asked = ModelInferRequest(id="s")
    asked.inputs.add(name="x", datatype="FP64", shape=[1]).contents.fp64_contents.append(3.0)
    request = framed(asked.SerializeToString())
    told = ModelStreamInferResponse(infer_response=answered([4.0])).SerializeToString()
    batch = Decoder().decode(exchange(request, framed(told), STREAM))
    assert list(batch.outputs["prediction"]) == [4.0]
    failed = ModelStreamInferResponse(error_message="no memory").SerializeToString()
    with pytest.raises(CodecError, match="no memory"):
        Decoder().decode(exchange(request, framed(failed), STREAM))


def test_ids_are_found_without_reading_the_rest() -> None:
    asked = ModelInferRequest(model_name="a long name", model_version="3", id="wanted")
    asked.inputs.add(name="x", datatype="FP64", shape=[1]).contents.fp64_contents.append(3.0)
    assert request_id(framed(asked.SerializeToString())) == b"wanted"
    told = answered([1.0])
    told.id = "mine"
    streamed = ModelStreamInferResponse(infer_response=told).SerializeToString()
    assert answer_id(framed(streamed)) == b"mine"
    assert request_id(framed(ModelInferRequest(model_name="m").SerializeToString())) == b""


@given(
    body=st.binary(max_size=200),
    answer=st.binary(max_size=200),
    path=st.sampled_from([INFER, STREAM, ""]),
)
def test_any_bytes_are_a_batch_or_a_counted_reason(body: bytes, answer: bytes, path: str) -> None:
    for request in (body, framed(body)):
        with pytest.raises(CodecError):
            Decoder().decode(exchange(request, framed(answer), path))
    request_id(framed(body))
    answer_id(framed(body))


@pytest.mark.parametrize(
    ("shape", "values"), [([-1, 2], 2), ([3], 2), ([1 << 62], 2), ([1] * 40, 1)]
)
def test_a_shape_that_lies_is_refused(shape: list[int], values: int) -> None:
    asked = ModelInferRequest()
    tensor = asked.inputs.add(name="x", datatype="FP64", shape=shape)
    tensor.contents.fp64_contents.extend([1.0] * values)
    with pytest.raises(CodecError) as error:
        read(asked, answered([1.0]))
    assert error.value.reason == "bad_tensor"
