"""Bodies of /feedback as labels: what is taken, what is rejected and where, whatever is sent."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.api.labels import MAX_ROW, Arrival, BodyError, Parsed, parse_json, parse_ndjson
from monitor.records.label import Label

NOW = 1_793_527_200.0  # 2026-11-01T10:00:00Z
ARRIVAL = Arrival(NOW, "batch-job")


def parse(document: object) -> Parsed:
    return parse_json(json.dumps(document).encode(), ARRIVAL)


def test_one_label() -> None:
    parsed = parse({"prediction_id": "abc", "label": 12.5})
    assert parsed.labels == [Label("abc", 0, 12.5, NOW, NOW, "batch-job")]
    assert parsed.indices == [0]


def test_a_request_of_three_rows() -> None:
    parsed = parse({"prediction_id": "abc", "labels": [1, False, "cat"]})
    assert [(one.row, one.value) for one in parsed.labels] == [(0, 1), (1, False), (2, "cat")]


def test_a_row_and_a_time() -> None:
    item = {"prediction_id": "abc", "row": 2, "label": "cat", "observed_at": "2026-11-01T09:00:00Z"}
    (label,) = parse(item).labels
    assert (label.row, label.observed_at, label.received_at) == (2, NOW - 3600, NOW)


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("2026-11-01T10:00:00Z", 0),
        ("2026-11-01t10:00:00z", 0),
        ("2026-11-01 12:00:00.25+02:00", 0.25),
        ("2026-11-01T10:04:59.999999999Z", 299.999999),
        ("1969-12-31T23:59:59Z", -NOW - 1),
        (None, 0),
    ],
)
def test_times(text: str | None, offset: float) -> None:
    (label,) = parse({"prediction_id": "a", "label": 1, "observed_at": text}).labels
    assert label.observed_at == pytest.approx(NOW + offset, abs=1e-6)


ILL: list[tuple[Any, str]] = [
    (3, "object"),
    (None, "object"),
    ([], "object"),
    ({"label": 1}, "prediction_id"),
    ({"prediction_id": 7, "label": 1}, "prediction_id"),
    ({"prediction_id": "", "label": 1}, "prediction_id"),
    ({"prediction_id": "a b", "label": 1}, "prediction_id"),
    ({"prediction_id": "a\n", "label": 1}, "prediction_id"),
    ({"prediction_id": "é", "label": 1}, "prediction_id"),
    ({"prediction_id": "x" * 129, "label": 1}, "prediction_id"),
    ({"prediction_id": "a"}, "missing"),
    ({"prediction_id": "a", "label": None}, "label is a finite number"),
    ({"prediction_id": "a", "label": {}}, "label is a finite number"),
    ({"prediction_id": "a", "label": "x" * 257}, "longer"),
    ({"prediction_id": "a", "label": 1, "row": -1}, "row"),
    ({"prediction_id": "a", "label": 1, "row": MAX_ROW + 1}, "row"),
    ({"prediction_id": "a", "label": 1, "row": True}, "row"),
    ({"prediction_id": "a", "label": 1, "row": 1.0}, "row"),
    ({"prediction_id": "a", "labels": []}, "list"),
    ({"prediction_id": "a", "labels": "ab"}, "list"),
    ({"prediction_id": "a", "labels": [1], "label": 1}, "alone"),
    ({"prediction_id": "a", "labels": [1], "row": 0}, "alone"),
    ({"prediction_id": "a", "label": 1, "observed_at": "2026-11-01"}, "time"),
    ({"prediction_id": "a", "label": 1, "observed_at": "2026-11-01T10:00:00"}, "time"),
    ({"prediction_id": "a", "label": 1, "observed_at": 1793527200}, "time"),
    ({"prediction_id": "a", "label": 1, "observed_at": "2026-02-30T10:00:00Z"}, "calendar"),
    ({"prediction_id": "a", "label": 1, "observed_at": "2026-11-01T10:00:00+99:99"}, "calendar"),
    ({"prediction_id": "a", "label": 1, "observed_at": "2026-11-01T10:05:01Z"}, "future"),
    ({"prediction_id": "a", "label": 1, "observedAt": "x"}, "unknown field 'observedAt'"),
]


@pytest.mark.parametrize(("item", "word"), ILL)
def test_an_ill_formed_item_is_rejected_and_its_neighbours_kept(item: Any, word: str) -> None:
    good = {"prediction_id": "good", "label": 1}
    parsed = parse([good, item, good])
    assert [one.prediction_id for one in parsed.labels] == ["good", "good"]
    assert parsed.indices == [0, 2]
    (rejection,) = parsed.rejected
    assert rejection.index == 1
    assert word in rejection.error


def test_one_bad_row_costs_one_row() -> None:
    parsed = parse([{"prediction_id": "a", "labels": [1, None, 3]}])
    assert [one.row for one in parsed.labels] == [0, 2]
    assert [(one.index, one.error[:6]) for one in parsed.rejected] == [(0, "row 1:")]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"NaN", b"[1e999", b"\xff", b"[" * 5000, b'{"label": "\\ud800"}', b"\x00", b"1 2"],
)
def test_a_body_that_is_no_json(body: bytes) -> None:
    with pytest.raises(BodyError, match="not JSON"):
        parse_json(body, ARRIVAL)


def test_numbers_of_any_size() -> None:
    body = b'[{"prediction_id":"a","label":%s}]'
    for number in (b"1" + b"0" * 5000, b"1e400", b"-1e400"):
        try:
            parsed = parse_json(body % number, ARRIVAL)
        except BodyError:
            continue
        assert not parsed.labels, "an infinite number is no label"
    (label,) = parse_json(body % str(2**70).encode(), ARRIVAL).labels
    assert label.value == 2**70


def test_lines() -> None:
    body = b'\n{"prediction_id":"a","label":1}\r\n\nnot json\n{"prediction_id":"b","labels":[1,2]}'
    parsed = parse_ndjson(body, ARRIVAL)
    assert [(one.prediction_id, one.row) for one in parsed.labels] == [("a", 0), ("b", 0), ("b", 1)]
    assert parsed.indices == [0, 2, 2]
    assert [one.index for one in parsed.rejected] == [1]


_keys = st.sampled_from(["prediction_id", "label", "labels", "row", "observed_at", "x"])
_anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(_anything, max_size=5))
def test_every_item_ends_as_labels_or_as_a_rejection(items: list[object]) -> None:
    try:
        body = json.dumps(items, allow_nan=False).encode()
        parsed = parse_json(body, ARRIVAL)
    except (ValueError, BodyError):
        return
    told = {*parsed.indices, *(one.index for one in parsed.rejected)}
    assert told == set(range(len(items)))


@given(st.binary(max_size=200))
def test_any_bytes_at_all(body: bytes) -> None:
    parse_ndjson(body, ARRIVAL)
    with contextlib.suppress(BodyError):
        parse_json(body, ARRIVAL)
