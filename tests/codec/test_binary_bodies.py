"""Bodies that are no text: NumPy's arrays, SageMaker's records, forms in parts; damaged ones."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.codec import Decoder, DecoderSettings
from monitor.errors import CodecError
from monitor.records.batch import Batch
from monitor.records.exchange import Exchange
from tests.codec.binary import WHOLE, field, floats, record

Make = Callable[..., Exchange]

NPY = "application/x-npy"
RECORDIO = "application/x-recordio-protobuf"
NAMES = ("a", "b")


def npy(array: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def said(media_type: str) -> bytes:
    return f"content-type: {media_type}\r\n".encode()


def read(made: Exchange, **given: Any) -> Batch:
    return Decoder(DecoderSettings(**given)).decode(made)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["f2", "<f4", ">f4", "f8", "i1", "<i8", ">u4"])
def test_an_array_is_rows_whatever_its_type_and_order(
    exchange: Make, dtype: str, order: Any
) -> None:
    array = np.array([[1.5, 2.0], [3.0, 7.0], [0.0, 9.0]], order=order).astype(dtype)
    made = exchange(
        npy(array), npy(np.array([1, 0, 1])), "/invocations", NPY, response_fields=said(NPY)
    )
    batch = read(made, features=NAMES)
    assert list(batch.features["a"]) == [row[0] for row in array.tolist()]
    assert list(batch.features["b"]) == [2, 7, 9]
    assert batch.outputs["prediction"] == [1, 0, 1]


def test_narrow_floats_are_their_shortest_decimals_and_names_are_kept(exchange: Make) -> None:
    rows = np.array([(6.8, 1, "x"), (0.1, 2, "y")], [("w", "f4"), ("n", "i4"), ("t", "U1")])
    batch = read(exchange(npy(rows), [1, 2], content_type=NPY))
    assert batch.features == {"w": (6.8, 0.1), "n": (1, 2), "t": ("x", "y")}


@pytest.mark.parametrize(
    "body",
    [
        npy(np.array([{"a": 1}], dtype=object), allow_pickle=True),
        npy(np.zeros((2, 2)))[:-1],
        npy(np.zeros((2, 2))) + b"x",
        npy(np.zeros((2, 2))).replace(b"(2, 2)", b"(9**9,"),
        npy(np.zeros((2, 2))).replace(b"(2, 2)", b"(-2,2)"),
        npy(np.array(1.5)),
        npy(np.zeros((1, 1, 1, 1, 1))),
        npy(np.zeros((2, 2), dtype="c16")),
        b"\x93NUMPY\x01\x00",
        b"\x93NUMPY\x09\x00" + bytes(80),
        b"\x93NUM",
    ],
)
def test_arrays_that_are_not_what_they_say_are_refused(exchange: Make, body: bytes) -> None:
    with pytest.raises(CodecError) as refused:
        read(exchange(body, [1, 2], content_type=NPY))
    assert refused.value.reason == "bad_tensor"


def test_records_are_rows_and_their_labels_answers(exchange: Make) -> None:
    doubles = field(3, field(1, struct.pack("<2d", 0.25, 6.8)))
    integers = field(7, field(1, bytes([3, 4])))
    asked = record(features_values=floats(6.8, 0.1)) + record(features_values=doubles)
    asked += record(features_values=integers)
    asked += record(features_values=floats(5.0, keys=b"\x01", shape=b"\x02"))
    told = b"".join(record(label_score=floats(score)) for score in (0.5, 0.25, 0.75, 1.0))
    made = exchange(asked, told, "/invocations", RECORDIO, response_fields=said(RECORDIO))
    batch = read(made, features=NAMES, format="auto")
    assert [list(batch.features[name]) for name in NAMES] == [[6.8, 0.25, 3, 0], [0.1, 6.8, 4, 5.0]]
    assert batch.outputs["prediction"] == [0.5, 0.25, 0.75, 1.0]
    assert read(made, features=NAMES, format="sagemaker").features == batch.features


def test_named_vectors_and_labels_with_scores(exchange: Make) -> None:
    asked = record(features_width=floats(6.8), features_tall=floats(1.0))
    told = record(label_score=floats(0.75), label_predicted_label=floats(1.0))
    made = exchange(asked, told, "/invocations", RECORDIO, response_fields=said(RECORDIO))
    batch = read(made, task="binary")
    assert {name: list(values) for name, values in batch.features.items()} == {
        "width": [6.8], "tall": [1.0],
    }  # fmt: skip
    assert list(batch.outputs["prediction"]) == [1.0]
    assert list(batch.probabilities["1"]) == [0.75]


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damaged_bodies_are_read_or_refused(data: st.DataObject, exchange: Make) -> None:
    form = form_of({"a": "1"}, {"data": ("x.json", b'{"b": 2}')})
    media_type, whole = data.draw(
        st.sampled_from([(NPY, npy(np.ones((2, 2)))), (RECORDIO, WHOLE), form])
    )
    body = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    made = exchange(bytes(body[: data.draw(st.integers(1, len(body)))]), [1, 2], "/p", media_type)
    try:
        read(made)
    except CodecError as error:
        assert error.reason != "unreadable"  # noqa: PT017 - it may also be read


def form_of(fields: dict[str, str], files: dict[str, tuple[str, bytes]]) -> tuple[str, bytes]:
    """A form as a client of others writes it: its content type and body."""
    sent = httpx.Request("POST", "http://h/", data=fields, files=files)
    return sent.headers["content-type"], sent.read()


def test_a_form_in_parts_is_a_row_and_pictures_are_left_out(exchange: Make) -> None:
    picture = ("cat.png", b"\x89PNG\r\n\x1a\n\x00\xff")
    kind, body = form_of({"age": "41", "name": "é", "ok": "true"}, {"picture": picture})
    batch = read(exchange(body, {"label": "cat"}, content_type=kind))
    values = {name: list(column) for name, column in batch.features.items()}
    assert values == {"age": [41], "name": ["é"], "ok": [True]}
    assert list(batch.outputs["prediction"]) == ["cat"]


@pytest.mark.parametrize("document", [{"x": [1.5, 2.5], "y": ["a", "b"]}, [[1.5, "a"], [2.5, "b"]]])
def test_a_lone_file_of_json_is_the_body(exchange: Make, document: object) -> None:
    kind, body = form_of({}, {"data": ("rows.json", json.dumps(document).encode())})
    batch = read(exchange(body, [1, 2], "/predictions/m", kind), features=("x", "y"))
    assert {name: list(column) for name, column in batch.features.items()} == {
        "x": [1.5, 2.5], "y": ["a", "b"],
    }  # fmt: skip


def test_forms_that_are_none_are_refused(exchange: Make) -> None:
    kind, body = form_of({"a": "1"}, {"f": ("x", b"y")})
    unnamed = body.replace(b'; name="a"', b"")
    picture = form_of({}, {"picture": ("cat.png", b"\x89PNG")})[1]
    for broken in (body[:-6], b"\r\n" + body, unnamed, picture, b"--x\r\n--x--"):
        with pytest.raises(CodecError) as refused:
            read(exchange(broken, {"label": "cat"}, content_type=kind))
        assert refused.value.reason == "not_json"
    many = form_of({f"f{number}": "1" for number in range(1001)}, {"f": ("x", b"y")})[1]
    with pytest.raises(CodecError, match="parts") as refused:
        read(exchange(many, {"label": "cat"}, content_type=kind))
    assert refused.value.reason == "too_many_features"


@pytest.mark.parametrize("between", [b"\n", b"", b" \r\n"])
def test_pieces_of_json_of_which_nobody_says_what_they_are(exchange: Make, between: bytes) -> None:
    pieces = [b'{"output": 1}', b'{"output": 2}', b'{"output": {"label": "a"}}']
    made = exchange({"input": 4.0}, between.join([*pieces[:2], b""]))
    assert read(made).outputs == {"prediction": [2]}
    made = exchange({"input": 4.0}, between.join(pieces))
    assert list(read(made).outputs["prediction"]) == ["a"]
    rows = exchange([{"x": 1}, {"x": 2}], between.join(pieces[:2]))
    assert read(rows).outputs["prediction"] == [1, 2]
    for broken in (b'{"output": 1}{"out', b"{" * 100_000, b"1 " * 100_001, b"prose"):
        with pytest.raises(CodecError):
            read(exchange({"input": 4.0}, broken))
