"""Recorded requests and answers of each wire format against the columns a person reads in them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.codec import Decoder, DecoderSettings
from monitor.codec.bodies import EVENTS
from monitor.codec.format import Format
from monitor.codec.formats.table import FORMATS, candidates
from monitor.codec.message import Message
from monitor.errors import CodecError
from monitor.records.batch import Batch
from monitor.records.exchange import Exchange

Make = Callable[..., Exchange]


@dataclass(frozen=True, slots=True)
class Case:
    """One exchange and what it says."""

    name: str
    format: str
    path: str
    request: str
    answer: str
    features: dict[str, list[Any]]
    outputs: dict[str, list[Any]]
    probabilities: dict[str, list[Any]] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    content_type: str = "application/json"
    answer_type: str = ""
    task: str | None = None


_RECORDED = [
    one
    for path in sorted(Path(__file__).parent.glob("recorded*.yaml"))
    for one in yaml.safe_load(path.read_text("utf-8"))
]
CASES = [Case(**{**one, "names": tuple(one.get("names", ()))}) for one in _RECORDED]
by_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def _exchange(make: Make, case: Case, path: str | None = None) -> Exchange:
    request, answer = _bytes(case.request), _bytes(case.answer)
    said = f"Content-Type: {case.answer_type}\r\n" if case.answer_type else ""
    return make(
        request, answer, path or case.path, case.content_type, response_fields=said.encode()
    )


def _bytes(text: str) -> bytes:
    """As it is written, or in base64 where it says so."""
    coded = text.removeprefix("base64:")
    return text.encode() if coded == text else base64.b64decode(coded)


def _columns(columns: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Lists, with NaN written as a word: it equals nothing, itself included."""
    return {
        name: ["nan" if value != value else value for value in values]  # noqa: PLR0124 - NaN
        for name, values in columns.items()
    }


def _claims(format_: Format, message: Message) -> bool:
    try:
        return format_.matches(message)
    except CodecError:
        return False


def _check(batch: Batch, case: Case) -> None:
    rows = len(next(iter(case.outputs.values())))
    assert _columns(batch.features) == _columns(case.features)
    assert _columns(batch.outputs) == _columns(case.outputs)
    assert next(iter(batch.outputs)) == "prediction"
    assert _columns(batch.probabilities) == case.probabilities
    assert list(batch.ids) == ["abc"] * rows
    assert list(batch.rows) == list(range(rows))
    assert list(batch.at) == [1767225600.0] * rows


@by_case
def test_columns_are_those_a_person_reads(case: Case, exchange: Make) -> None:
    one = _exchange(exchange, case)
    _check(Decoder(DecoderSettings(features=case.names, task=case.task)).decode(one), case)
    # The same where the format is set, and by a decoder that has seen the route before.
    named = Decoder(DecoderSettings(case.format, case.names, task=case.task))
    _check(named.decode(one), case)
    _check(named.decode(one), case)


@by_case
def test_the_table_chooses_the_format(case: Case, exchange: Make) -> None:
    message = Message(_exchange(exchange, case), 1 << 20)
    asked = candidates(message.path, message.media_type)
    assert next(one for one in asked if _claims(one, message)).names[0] == case.format


@by_case
def test_what_came_before_on_a_path_changes_no_reading(case: Case, exchange: Make) -> None:
    for before in CASES:
        decoder = Decoder(DecoderSettings(features=case.names, task=case.task))
        decoder.decode(_exchange(exchange, before, "/same"))
        _check(decoder.decode(_exchange(exchange, case, "/same")), case)


def test_every_format_has_a_case() -> None:
    assert {one.names[0] for one in FORMATS} == {case.format for case in CASES}


SAID = [None, "text/plain", "application/x-www-form-urlencoded", "", "application/problem; =;"]


@pytest.mark.parametrize("content_type", SAID)
def test_json_is_read_whatever_it_is_said_to_be(content_type: str | None, exchange: Make) -> None:
    batch = Decoder().decode(exchange({"a": 1}, {"prediction": 2}, content_type=content_type))
    assert _columns(batch.features) == {"a": [1]}
    assert _columns(batch.outputs) == {"prediction": [2]}


def test_json_said_to_be_csv_is_json(exchange: Make) -> None:
    batch = Decoder().decode(exchange([{"a": 1}], [2], content_type="text/csv"))
    assert _columns(batch.features) == {"a": [1]}


def test_an_absolute_target_is_read_by_its_path(exchange: Make) -> None:
    path = "http://model:8080/v1/models/m:predict?x=/invocations"
    batch = Decoder().decode(exchange({"instances": [[1]]}, {"predictions": [2]}, path))
    assert _columns(batch.features) == {"f0": [1]}


@pytest.mark.parametrize(
    ("kind", "answer", "rows", "first_byte_seconds", "expected"),
    [
        (EVENTS, b"data: 1\n\ndata: 2\n\n", [{"x": 1}, {"x": 2}], 0.25, [0.25, 0.25]),
        (EVENTS, b'data: {"prediction": 2}\n\n', {"x": 1}, 0.5, [0.5]),
        (EVENTS, b"data: 1\n\n", {"x": 1}, 0.0, None),  # not known
        ("application/json", b"[1]", {"x": 1}, 0.25, None),
    ],
)
def test_a_stream_of_events_tells_when_it_began(
    exchange: Make,
    kind: str,
    answer: bytes,
    rows: object,
    first_byte_seconds: float,
    expected: list[float] | None,
) -> None:
    made = exchange(rows, answer, response_fields=f"content-type: {kind}\r\n".encode())
    batch = Decoder().decode(replace(made, first_byte_seconds=first_byte_seconds))
    assert batch.outputs.get("time_to_first_token_seconds") == expected
    assert next(iter(batch.outputs)) == "prediction"
