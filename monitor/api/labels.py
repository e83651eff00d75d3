"""Bodies of `POST /feedback` as labels: each item by itself, so that a bad one costs no good one.

Pure: bytes in, labels and rejections out. Knows nothing of HTTP, the store, or who is asking.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from monitor.api import seldon
from monitor.errors import SidelightError
from monitor.records.label import Label, Value

MAX_ROW = 1_000_000
MAX_TEXT = 256
MAX_AHEAD_SECONDS = 300.0  # clocks differ; beyond this an outcome is claimed before it happened

PREDICTION_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_KEYS = frozenset({"prediction_id", "label", "labels", "row", "observed_at", "source"})


class BodyError(SidelightError):
    """The body as a whole holds no labels."""


class _Ill(Exception):  # noqa: N818 - carries a reason from a check to its item, and never leaves this file
    """Why an item is no label."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """One thing that is no label: the item's place in the body, and what is wrong with it."""

    index: int
    error: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """When and by whom a body was posted."""

    at: float  # Unix seconds
    source: str = ""  # where the labels do not name another
    poster: str = ""  # whose own token it was: what its holder names is below that name

    def named(self, source: str) -> str:
        """The source as it is kept."""
        return f"{self.poster}:{source}" if self.poster else source


@dataclass(slots=True)
class Parsed:
    """The labels of a body; `indices[i]` is the item that `labels[i]` stood in."""

    labels: list[Label] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


def parse_json(body: bytes, arrival: Arrival) -> Parsed:
    """The labels of one JSON object, or of an array of them.

    >>> parsed = parse_json(b'{"prediction_id": "a", "labels": [1, 0]}', Arrival(0.0))
    >>> [(label.row, label.value) for label in parsed.labels]
    [(0, 1), (1, 0)]
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BodyError(f"not JSON: {error}") from None
    items = document if isinstance(document, list) else [document]
    parsed = Parsed()
    for index, item in enumerate(items):
        _take(parsed, index, item, arrival)
    return parsed


def parse_ndjson(body: bytes, arrival: Arrival) -> Parsed:
    """The labels of a body with one JSON object a line; empty lines do not count."""
    parsed = Parsed()
    lines = (line for line in body.split(b"\n") if line.strip())
    for index, line in enumerate(lines):
        try:
            item = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            parsed.rejected.append(Rejection(index, f"not JSON: {error}"))
            continue
        _take(parsed, index, item, arrival)
    return parsed


def _take(parsed: Parsed, index: int, item: object, arrival: Arrival) -> None:
    try:
        prediction_id, observed_at, rows, source = _read(item, arrival)
    except _Ill as ill:
        parsed.rejected.append(Rejection(index, str(ill)))
        return
    for row, value in rows:
        try:
            label = Label(prediction_id, row, _value(value), observed_at, arrival.at, source)
        except _Ill as ill:
            parsed.rejected.append(Rejection(index, f"row {row}: {ill}"))
            continue
        parsed.labels.append(label)
        parsed.indices.append(index)


def _read(item: object, arrival: Arrival) -> tuple[str, float, Iterator[tuple[int, object]], str]:
    if not isinstance(item, dict):
        raise _Ill("a label is an object")
    if seldon.is_feedback(item):
        try:
            item = seldon.to_item(item)
        except seldon.SeldonError as error:
            raise _Ill(str(error)) from None
    unknown = item.keys() - _KEYS
    if unknown:
        raise _Ill(f"unknown field {min(unknown)[:64]!r}")
    prediction_id = item.get("prediction_id")
    if not isinstance(prediction_id, str) or not PREDICTION_ID.fullmatch(prediction_id):
        raise _Ill("prediction_id is text of 1 to 128 letters, digits, '.', '_', ':' and '-'")
    return prediction_id, _observed_at(item, arrival), iter(_rows(item)), _source(item, arrival)


def _source(item: dict[str, object], arrival: Arrival) -> str:
    given = item.get("source")
    if given is None:
        return arrival.source
    if not isinstance(given, str) or not PREDICTION_ID.fullmatch(given):
        raise _Ill("source is text of 1 to 128 letters, digits, '.', '_', ':' and '-'")
    return arrival.named(given)


def _rows(item: dict[str, object]) -> list[tuple[int, object]]:
    if "labels" not in item:
        if "label" not in item:
            raise _Ill("label is missing")
        return [(_row(item.get("row", 0)), item["label"])]
    labels = item["labels"]
    if "label" in item or "row" in item:
        raise _Ill("labels stands alone, without label or row")
    if not isinstance(labels, list) or not 0 < len(labels) <= MAX_ROW + 1:
        raise _Ill("labels is a list of at least one label")
    return list(enumerate(labels))


def _row(row: object) -> int:
    if isinstance(row, bool) or not isinstance(row, int) or not 0 <= row <= MAX_ROW:
        raise _Ill(f"row is a whole number from 0 to {MAX_ROW}")
    return row


def _value(value: object) -> Value:
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise _Ill(f"label is longer than {MAX_TEXT} characters")
        return value
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise _Ill("label is a finite number, true, false or text")


def _observed_at(item: dict[str, object], arrival: Arrival) -> float:
    text = item.get("observed_at")
    if text is None:
        return arrival.at
    if not isinstance(text, str) or not _RFC_3339.fullmatch(text):
        raise _Ill("observed_at is a time like 2026-11-01T10:00:00Z")
    try:
        seconds = datetime.fromisoformat(text.upper()).timestamp()
    except (ValueError, OverflowError):
        raise _Ill("observed_at is no time that a calendar has") from None
    if seconds > arrival.at + MAX_AHEAD_SECONDS:
        raise _Ill("observed_at lies in the future")
    return seconds
