"""Bodies beside JSON: Parquet, forms, lines, chats: what they hold, what they cannot ask for."""

from __future__ import annotations

import io
import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.codec import Decoder, DecoderSettings
from monitor.errors import CodecError
from monitor.records.batch import Batch
from monitor.records.exchange import Exchange

Make = Callable[..., Exchange]

PARQUET = "application/vnd.apache.parquet"
EVENTS = b"Content-Type: text/event-stream\r\n"


def _parquet(columns: dict[str, Any], **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, **options)
    return sink.getvalue()


def _reason(one: Exchange, **settings_: Any) -> str:
    with pytest.raises(CodecError) as caught:
        Decoder(DecoderSettings(**settings_)).decode(one)
    return caught.value.reason


def _columns(batch: Batch) -> dict[str, list[Any]]:
    return {name: list(values) for name, values in batch.features.items()}


TABLE = {"a": [1, 2], "b": ["x", None], "c": [1.5, -2.5], "d": [True, False]}


def test_a_parquet_table_is_rows(exchange: Make) -> None:
    body = _parquet({**TABLE, "at": pa.array([0, 1], pa.timestamp("s")), "raw": [b"1", b"2"],
                     "__index_level_0__": [0, 1]})  # fmt: skip
    one = exchange(body, {"predictions": [5, 6]}, "/invocations", PARQUET)
    batch = Decoder().decode(one)
    times = ["1970-01-01 00:00:00", "1970-01-01 00:00:01"]
    assert _columns(batch) == {**TABLE, "at": times, "raw": [None, None]}
    assert list(batch.outputs["prediction"]) == [5, 6]


@pytest.mark.parametrize(
    ("body", "limits", "reason"),
    [
        (lambda: _parquet({"a": [1] * 100}), {"max_rows": 99}, "too_many_rows"),
        (lambda: _parquet({f"c{i}": [1] for i in range(9)}), {"max_features": 8},
         "too_many_features"),
        (lambda: _parquet({"a": [1] * 50, "b": [1] * 50}), {"max_values": 99}, "too_many_values"),
        (lambda: _parquet({"a": [1]}, compression="zstd"), {}, "bad_compression"),
        (lambda: _parquet({"a": [1]}, compression="gzip"), {}, "bad_compression"),
        (lambda: _parquet({"a": [1, 2]})[:-6], {}, "not_parquet"),
        (lambda: b"PAR1" + bytes(100), {}, "not_parquet"),
    ],
)  # fmt: skip
def test_parquet_that_asks_for_too_much_is_refused(
    body: Callable[[], bytes], limits: dict[str, int], reason: str, exchange: Make
) -> None:
    one = exchange(body(), {"predictions": [5, 6]}, "/invocations", PARQUET)
    assert _reason(one, **limits) == reason


def test_one_long_text_in_every_row_is_held_once(exchange: Make) -> None:
    body = _parquet({"a": ["x" * 500_000] * 2000}, compression="snappy")
    assert len(body) < 200_000
    one = exchange(body, [1] * 2000, "/invocations", PARQUET)
    Decoder().decode(one)  # what importing costs is not this body's
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    started = time.process_time()
    batch = Decoder().decode(one)
    assert time.process_time() - started < 2
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(batch) == 2000
    assert peak < 20 << 20
    assert pa.total_allocated_bytes() - before < 20 << 20


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_damaged_parquet_is_read_or_refused(data: st.DataObject, exchange: Make) -> None:
    body = bytearray(_parquet(TABLE))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    one = exchange(bytes(body), {"predictions": [5, 6]}, "/invocations", PARQUET)
    try:
        Decoder(DecoderSettings(max_values=1000)).decode(one)
    except CodecError as error:
        assert error.reason != "unreadable"  # noqa: PT017 - it may also be read


CHAT = {"model": "m", "messages": [{"role": "user", "content": "Say hello"}]}


def _stream(*pieces: Any) -> bytes:
    lines = [piece if isinstance(piece, str) else json.dumps(piece) for piece in pieces]
    return "".join(f"data: {line}\n\n" for line in lines).encode()


def test_a_text_is_a_column_only_where_it_is_asked_for(exchange: Make) -> None:
    choice = {"index": 0, "message": {"content": "hello"}, "finish_reason": "stop"}
    one = exchange(CHAT, {"choices": [choice]}, "/v1/chat/completions")
    batch = Decoder().decode(one)
    told = {str(value[0]) for part in (batch.features, batch.outputs) for value in part.values()}
    assert told.isdisjoint({"hello", "Say hello"})
    batch = Decoder(DecoderSettings(text=True)).decode(one)
    assert list(batch.features["prompt"]) == ["Say hello"]
    assert list(batch.outputs["answer"]) == ["hello"]


def test_a_streams_second_choice_is_not_mixed_into_the_first(exchange: Make) -> None:
    pieces = [
        {"choices": [{"index": index, "delta": {"content": text}, "finish_reason": None}]}
        for index, text in ((0, "he"), (1, "other"), (0, "llo"))
    ]
    ends = [{"choices": [{"index": 1, "delta": {}, "finish_reason": "length"}]},
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]  # fmt: skip
    one = exchange(CHAT, _stream(*pieces, *ends, "[DONE]"), "/v1/chat/completions",
                   response_fields=EVENTS)  # fmt: skip
    batch = Decoder(DecoderSettings(text=True)).decode(one)
    outputs = {name: values[0] for name, values in batch.outputs.items()}
    assert outputs["prediction"] == "stop"
    assert outputs["answer"] == "hello"
    assert outputs["choices"] == 2
    assert outputs["answer_pieces"] == 2
    assert outputs["completion_tokens"] is None


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"", "no_outputs"),
        (b"data: [DONE]\n\n", "no_outputs"),
        (b"data: {\n\n", "not_json"),
        (b'data: {"choices": [1]}\n\n', "no_outputs"),
        (b'data: {"error": "overloaded"}\n\n', "no_outputs"),
    ],
)
def test_streams_that_are_no_completion(stream: bytes, reason: str, exchange: Make) -> None:
    one = exchange(CHAT, stream, "/v1/chat/completions", response_fields=EVENTS)
    assert _reason(one) == reason


def test_a_picture_is_told_apart_and_its_answer_read_where_that_is_set(exchange: Make) -> None:
    one = exchange(b"\xff\xd8\xff\xe0" * 9, {"class": "cat", "score": 0.5}, "/predictions/m",
                   "image/jpeg")  # fmt: skip
    assert _reason(one) in {"not_json", "bad_charset"}
    batch = Decoder(DecoderSettings(format="raw")).decode(one)
    assert _columns(batch) == {"body_bytes": [36]}
    assert list(batch.outputs["prediction"]) == ["cat"]


def test_a_form_cannot_have_fields_without_end(exchange: Make) -> None:
    body = b"&".join(b"k%d=1" % i for i in range(20_000))
    one = exchange(body, 1, content_type="application/x-www-form-urlencoded")
    assert _reason(one) == "too_many_features"


CELL = st.text(alphabet='a1,."\n\r\0é -[{:', max_size=40)


@settings(deadline=None, max_examples=150)
@given(
    request=CELL,
    answer=CELL,
    said=st.sampled_from(
        ["application/jsonlines", "application/x-www-form-urlencoded", "text/csv", "text/plain"]
    ),
    answered=st.sampled_from(
        ["application/jsonlines", "text/csv", "text/plain", "text/event-stream"]
    ),
)
def test_any_text_of_any_type(
    request: str, answer: str, said: str, answered: str, exchange: Make
) -> None:
    fields = f"Content-Type: {answered}\r\n".encode()
    for body in (answer, f"data: {answer}\n\n"):
        one = exchange(request.encode(), body.encode(), "/invocations", said, b"", fields)
        try:
            Decoder(DecoderSettings(max_rows=16, max_features=8)).decode(one)
        except CodecError as error:
            assert error.reason != "unreadable"  # noqa: PT017 - it may also be read
