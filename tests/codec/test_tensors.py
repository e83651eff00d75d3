"""Raw tensors against what wrote them, and messages of the binary extension."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.codec import Decoder, DecoderSettings
from monitor.codec.settings import SchemaField
from monitor.codec.tensors import from_bytes
from monitor.errors import CodecError
from monitor.records.exchange import Exchange

Make = Callable[..., Exchange]

SETTINGS = DecoderSettings()
INTEGERS = {
    "INT8": "b", "INT16": "h", "INT32": "i", "INT64": "q",
    "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q",
}  # fmt: skip


@given(st.data())
def test_integers_come_back(data: st.DataObject) -> None:
    datatype = data.draw(st.sampled_from(sorted(INTEGERS)))
    code = INTEGERS[datatype]
    bits = 8 * struct.calcsize(f"<{code}")
    low, high = (0, 2**bits - 1) if code.isupper() else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    values = data.draw(st.lists(st.integers(low, high), max_size=20))
    assert from_bytes(datatype, struct.pack(f"<{len(values)}{code}", *values), SETTINGS) == values


@given(st.lists(st.floats(), max_size=20))
def test_doubles_come_back(values: list[float]) -> None:
    found = from_bytes("FP64", struct.pack(f"<{len(values)}d", *values), SETTINGS)
    assert found is not None
    assert list(map(str, found)) == list(map(str, values))


@pytest.mark.parametrize(("datatype", "kind"), [("FP32", np.float32), ("FP16", np.float16)])
@given(st.data())
def test_narrow_floats_are_what_their_shortest_decimals_say(
    datatype: str, kind: type[np.floating[Any]], data: st.DataObject
) -> None:
    width = 8 * np.dtype(kind).itemsize
    floats = st.floats(width=width, allow_subnormal=width == 16)  # type: ignore[arg-type]  # 16, 32
    values = data.draw(st.lists(floats, min_size=1, max_size=20))
    array = np.array(values, kind)
    found = from_bytes(datatype, array.tobytes(), SETTINGS)
    assert found is not None
    for value, original in zip(found, array, strict=True):
        if math.isnan(value):
            assert np.isnan(original)
            continue
        assert kind(value) == original  # the same number to the model
        if abs(np.frexp(original)[0]) == 0.5:
            continue  # a power of two has a nearer neighbour below: two decimals are as short
        # numpy's own shortest decimal of the narrow number, to a last bit of a double
        assert value == pytest.approx(float(str(original)), rel=4e-16)


@given(st.lists(st.decimals(-9999, 9999, places=2), min_size=1, max_size=20))
def test_decimals_of_six_digits_survive_a_narrow_float(values: list[Any]) -> None:
    doubles = [float(value) for value in values]
    assert from_bytes("FP32", np.array(doubles, "f4").tobytes(), SETTINGS) == doubles


@given(st.lists(st.text(max_size=8), max_size=20))
def test_texts_come_back(values: list[str]) -> None:
    raw = b"".join(struct.pack("<I", len(v.encode())) + v.encode() for v in values)
    assert from_bytes("BYTES", raw, SETTINGS) == values


def test_other_types() -> None:
    assert from_bytes("BOOL", b"\0\1\2", SETTINGS) == [False, True, True]
    assert from_bytes("BF16", struct.pack("<2H", 0x40DA, 0x3F80), SETTINGS) == [6.8125, 1.0]
    assert from_bytes("BYTES", b"\2\0\0\0\xff\xfe", SETTINGS) is None


@pytest.mark.parametrize(
    ("datatype", "raw", "reason"),
    [
        ("FP32", b"abc", "bad_tensor"),
        ("FP31", b"abcd", "bad_tensor"),
        ("BYTES", b"\5\0\0\0abc", "bad_tensor"),
        ("BYTES", b"\5\0", "bad_tensor"),
        ("BYTES", bytes(4 * 100), "too_many_values"),
        ("INT8", bytes(100), "too_many_values"),
    ],
)
def test_bytes_that_are_no_tensor(datatype: str, raw: bytes, reason: str) -> None:
    with pytest.raises(CodecError) as caught:
        from_bytes(datatype, raw, DecoderSettings(max_values=64))
    assert caught.value.reason == reason


def _binary(document: dict[str, Any], *raw: bytes) -> tuple[bytes, bytes]:
    head = json.dumps(document).encode()
    field = f"Inference-Header-Content-Length: {len(head)}\r\n".encode()
    return head + b"".join(raw), field


def _raw(name: str, shape: list[int], datatype: str, raw: bytes) -> dict[str, Any]:
    size = {"binary_data_size": len(raw)}
    return {"name": name, "shape": shape, "datatype": datatype, "parameters": size}


def _texts(*values: str) -> bytes:
    return b"".join(struct.pack("<I", len(v.encode())) + v.encode() for v in values)


FLOATS, NAMES = np.array([[6.8, 2.8], [6.0, 3.4]], "<f4").tobytes(), _texts("x", "yé")
LABELS, SHARES = (
    np.array([1, 0], "<i8").tobytes(),
    np.array([0.25, 0.75, 0.9, 0.1], "<f4").tobytes(),
)


def test_binary_both_ways(exchange: Make) -> None:
    request, said = _binary({"inputs": [_raw("x", [2, 2], "FP32", FLOATS)], "id": "7"}, FLOATS)
    answer, answered = _binary(
        {
            "model_name": "m",
            "outputs": [
                _raw("label", [2, 1], "INT64", LABELS),
                _raw("probabilities", [2, 2], "FP32", SHARES),
            ],
        },
        LABELS,
        SHARES,
    )
    one = exchange(
        request, answer, "/v2/models/m/infer", "application/octet-stream", said, answered
    )
    batch = Decoder(DecoderSettings(features=("w", "h"), prediction_id="$.id")).decode(one)
    assert list(batch.ids) == ["7", "7"]  # the JSON part's own
    assert dict(batch.features) == {"w": [6.8, 6.0], "h": [2.8, 3.4]}
    assert dict(batch.outputs) == {"prediction": [1, 0]}
    assert {k: list(v) for k, v in batch.probabilities.items()} == {
        "0": [0.25, 0.9],
        "1": [0.75, 0.1],
    }


def test_columns_of_both_kinds_and_bytes_that_are_pictures(exchange: Make) -> None:
    picture = _texts("a") + b"\2\0\0\0\xff\xfe"
    request, said = _binary(
        {
            "inputs": [
                {"name": "a", "shape": [2, 1], "datatype": "FP64", "data": [1.5, 2.5]},
                _raw("name", [2], "BYTES", NAMES),
                _raw("picture", [2], "BYTES", picture),
            ]
        },
        NAMES,
        picture,
    )
    answer = {"outputs": [{"name": "y", "shape": [2], "datatype": "FP32", "data": [7, 8]}]}
    batch = Decoder().decode(exchange(request, answer, "/v2/models/m/infer", None, said))
    assert dict(batch.features) == {"a": [1.5, 2.5], "name": ["x", "yé"]}


def test_classification_asked_of_triton(exchange: Make) -> None:
    classes = _texts("0.75:1:dog", "0.25:0:cat", "0.875:0:cat", "0.125:1:dog")
    request = {
        "inputs": [{"name": "x", "shape": [2, 1], "datatype": "FP32", "data": [1, 2]}],
        "outputs": [{"name": "y", "parameters": {"classification": 2}}],
    }
    answer, answered = _binary({"outputs": [_raw("y", [2, 2], "BYTES", classes)]}, classes)
    one = exchange(request, answer, "/v2/models/m/infer", response_fields=answered)
    batch = Decoder().decode(one)
    assert dict(batch.outputs) == {"prediction": ["dog", "cat"]}
    assert dict(batch.probabilities) == {"dog": [0.75, 0.125], "cat": [0.25, 0.875]}
    top = {
        "outputs": [{"name": "y", "shape": [2, 1], "datatype": "BYTES", "data": ["9.5:3", "8:1"]}]
    }
    batch = Decoder().decode(exchange(request, top, "/v2/models/m/infer"))
    assert dict(batch.outputs) == {"prediction": ["3", "1"], "y.score": [9.5, 8.0]}
    # The same texts where no classes were asked for are texts.
    plain = {"inputs": request["inputs"]}
    batch = Decoder().decode(exchange(plain, top, "/v2/models/m/infer"))
    assert dict(batch.outputs) == {"prediction": ["9.5:3", "8:1"]}


def test_a_raw_body_is_read_by_the_models_metadata(exchange: Make) -> None:
    answer = {"outputs": [{"name": "y", "shape": [2], "datatype": "FP32", "data": [7, 8]}]}
    one = exchange(
        FLOATS, answer, "/v2/models/m/infer", None, b"Inference-Header-Content-Length: 0\r\n"
    )
    with pytest.raises(CodecError, match="binary_tensor"):
        Decoder().decode(one)
    schema = (SchemaField("x", "FP32", 2),)
    batch = Decoder(DecoderSettings(schema=schema)).decode(one)
    assert dict(batch.features) == {"f0": [6.8, 6.0], "f1": [2.8, 3.4]}


@pytest.mark.parametrize(
    ("said", "size", "extra"),
    [("0x10", 16, b""), ("99999", 16, b""), ("", 16, b""), (None, 15, b""), (None, 17, b""),
     (None, 16, b"more"), ("-1", 16, b"")],
)  # fmt: skip
def test_sizes_that_lie(said: str | None, size: int, extra: bytes, exchange: Make) -> None:
    tensor = {**_raw("x", [2, 2], "FP32", FLOATS), "parameters": {"binary_data_size": size}}
    request, field = _binary({"inputs": [tensor]}, FLOATS, extra)
    if said is not None:
        field = f"Inference-Header-Content-Length: {said}\r\n".encode()
    with pytest.raises(CodecError) as caught:
        Decoder().decode(exchange(request, {"outputs": []}, "/v2/models/m/infer", None, field))
    assert caught.value.reason in {"bad_tensor", "not_json", "bad_charset"}


@given(request=st.binary(max_size=80), answer=st.binary(max_size=80), cut=st.integers(0, 90))
def test_any_bytes_after_any_header(
    request: bytes, answer: bytes, cut: int, exchange: Make
) -> None:
    head = json.dumps({"inputs": [_raw("x", [1, 2], "INT8", b"ab")]}).encode()
    field = f"Inference-Header-Content-Length: {cut}\r\n".encode()
    for body in (request, head[:cut] + request):
        one = exchange(body, answer, "/v2/models/m/infer", None, field, field)
        with pytest.raises(CodecError) as caught:
            Decoder().decode(one)
        assert caught.value.reason != "unreadable"
