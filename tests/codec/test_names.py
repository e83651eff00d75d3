"""What an exchange calls its prediction: ids in bodies, in fields and in traces, in their order."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from monitor.codec import Decoder, DecoderSettings
from monitor.codec.inference_messages import ModelInferRequest, ModelInferResponse
from monitor.records.alias import Alias, Given
from monitor.records.exchange import Exchange

Make = Callable[..., Exchange]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
BODY, REQUEST, EVENT, ANSWER, WHOLE = Given
TENSOR = {"name": "x", "shape": [1, 1], "datatype": "FP64", "data": [1.5]}
CHAT = {"messages": [{"role": "user", "content": "Hi"}]}


def names(exchange: Exchange, **settings: Any) -> dict[str, Given]:
    batch = Decoder(DecoderSettings(**settings)).decode(exchange)
    assert all(one[1] == batch.ids[0] and one[3] == exchange.started_at for one in batch.aliases)
    return {one.name: one.given for one in batch.aliases}


def test_plain_traffic_has_no_other_name(exchange: Make) -> None:
    asked = exchange({"x": 1, "identity": "a"}, {"prediction": 2})
    assert Decoder().decode(asked).aliases == ()
    fields = b"X-Request-Id: abc\r\nUser-Agent: x\r\nforce-id-check: 7\r\n"
    assert names(exchange({"x": 1}, {"p": 2}, request_fields=fields, response_fields=fields)) == {}


def test_every_place_is_looked_in_and_values_keep_their_case(exchange: Make) -> None:
    asked = exchange(
        {"id": "Order-7", "x": 1.0},
        {"prediction": 0.5, "id": "ANSWER.1", "request_id": 17},
        request_fields=(
            b"X-Request-ID: Client-3\r\nCE-Id: Event-9\r\nCe-RequestId: E10\r\n"
            b"TraceParent: 00-" + TRACE.encode() + b"-00f067aa0ba902b7-01\r\n"
        ),
        response_fields=b"x-bentoml-request-id: BENTO\r\nx-request-id: Order-7\r\n",
    )
    assert names(asked) == {
        "Order-7": BODY, "Client-3": REQUEST, "Event-9": EVENT, "E10": EVENT,
        "ANSWER.1": ANSWER, "17": ANSWER, "BENTO": ANSWER, TRACE: WHOLE,
    }  # fmt: skip
    assert names(asked, aliases=False) == {}
    assert set(names(asked, body_ids=False)) == {
        "Client-3",
        "Event-9",
        "E10",
        "BENTO",
        "Order-7",
        TRACE,
    }


@pytest.mark.parametrize(
    "value",
    [None, True, 1.5, "", "a b", "é", "x" * 129, ["a"], {"a": 1}, "a\r\nb", -(10**200)],
)
def test_what_could_not_be_posted_as_an_id_is_none(exchange: Make, value: object) -> None:
    assert names(exchange({"id": value, "x": 1}, {"prediction": 2})) == {}


@pytest.mark.parametrize(
    "trace",
    [
        b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01", b"00-abc-00f067aa0ba902b7-01", b"",
        TRACE.encode(),
    ],
)  # fmt: skip
def test_a_trace_without_an_id_is_none(exchange: Make, trace: bytes) -> None:
    fields = b"traceparent: " + trace + b"\r\n"
    assert names(exchange({"x": 1}, {"prediction": 2}, request_fields=fields)) == {}


def test_each_format_says_where_its_ids_are(exchange: Make) -> None:
    seldon = {"data": {"ndarray": [[1.0]]}, "meta": {"puid": "s"}}
    assert names(exchange(seldon, seldon)) == {"s": BODY}
    answer = {"outputs": [TENSOR], "id": "made-there"}
    assert names(exchange({"inputs": [TENSOR], "id": "v"}, answer)) == {
        "v": BODY, "made-there": ANSWER,
    }  # fmt: skip
    finished = {"index": 0, "finish_reason": "stop", "message": {"content": "x"}}
    assert names(exchange(CHAT, {"id": "chatcmpl-1", "choices": [finished]})) == {
        "chatcmpl-1": ANSWER
    }


def test_ids_before_raw_tensors_in_streams_and_in_protobuf(exchange: Make) -> None:
    body = json.dumps(
        {"id": "v", "inputs": [{**TENSOR, "data": None} | {"parameters": {"binary_data_size": 8}}]}
    ).encode()
    said = b"Inference-Header-Content-Length: %d\r\n" % len(body)
    answer = {"outputs": [TENSOR], "id": "v"}
    assert names(exchange(body + bytes(8), answer, request_fields=said)) == {"v": BODY}

    piece = {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"content": "x"}}]}
    stream = b"data: " + json.dumps(piece).encode() + b"\n\ndata: [DONE]\n\n"
    kind = b"content-type: text/event-stream\r\n"
    assert names(exchange(CHAT, stream, response_fields=kind)) == {"chatcmpl-1": ANSWER}

    asked, told = ModelInferRequest(id="g"), ModelInferResponse(id="h")
    for tensors in (asked.inputs, told.outputs):
        one = tensors.add(name="x", datatype="FP64", shape=[1])
        one.contents.fp64_contents.append(1.5)
    framed = [
        b"\0" + len(text).to_bytes(4, "big") + text
        for text in (asked.SerializeToString(), told.SerializeToString())
    ]
    made = exchange(*framed, "/inference.GRPCInferenceService/ModelInfer", "application/grpc")
    assert names(made) == {"g": BODY, "h": ANSWER}


def test_bodies_without_documents_and_ids_of_rows_name_no_exchange(exchange: Make) -> None:
    assert (
        names(exchange(b"id,x\na,1\nb,2\n", {"predictions": [1, 2]}, content_type="text/csv")) == {}
    )
    assert names(exchange([{"id": "a", "x": 1}, {"id": "b", "x": 2}], [1, 2])) == {}
    assert names(exchange({"id": ["a", "b"], "x": [1, 2]}, {"predictions": [1, 2]})) == {}


def test_a_configured_id_makes_the_one_that_the_client_was_told_another_name(
    exchange: Make,
) -> None:
    asked = exchange({"order": "o", "id": "i", "x": 1}, {"prediction": 2})
    batch = Decoder(DecoderSettings(prediction_id="$.order")).decode(asked)
    assert batch.ids == ["o"]
    at = asked.started_at
    assert batch.aliases == [Alias("i", "o", BODY, at), Alias("abc", "o", REQUEST, at)]
    rows = exchange([{"order": "o", "x": 1}, {"order": "p", "x": 2}], {"predictions": [1, 2]})
    assert Decoder(DecoderSettings(prediction_id="$[*].order")).decode(rows).aliases == ()


def test_a_body_that_a_setting_reads_instead_has_no_names_and_is_read(exchange: Make) -> None:
    wrong = b"inference-header-content-length: 99\r\n"
    asked = exchange({"inputs": [TENSOR], "id": "v"}, b"7", response_fields=wrong)
    assert names(asked, outputs="$") == {}
