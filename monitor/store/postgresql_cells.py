"""Facts as PostgreSQL's columns hold them, and back: JSON text for values, lines for COPY.

Knows no connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import orjson

from monitor.records.batch import Batch
from monitor.records.label import Label, Prediction, Value
from monitor.store.values import (
    from_cell,
    from_probability_text,
    from_segment_text,
    key_of,
    plain,
    predicted_cells,
    probability_texts,
    segment_texts,
    to_cell,
    to_text,
)

_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def stored_text(text: str) -> str:
    """The text as a text column takes it: without lone surrogates and NUL."""
    return to_text(text).replace("\x00", "?")


def to_json(value: object) -> str | None:
    """A value as its column holds it; None where it is missing."""
    cell = from_cell(to_cell(value))
    return None if cell is None else orjson.dumps(cell).decode()


def from_json(text: str | None) -> Value | None:
    """What `to_json` wrote."""
    return None if text is None else orjson.loads(text)


def copy_lines(batches: Sequence[Batch], segments: Sequence[str]) -> Iterator[bytes]:
    """One piece of COPY's text format for each batch: its rows in the columns of `incoming`."""
    numbers = count()
    for batch in batches:
        ids = [stored_text(one) for one in batch.ids]
        rows = zip(
            map(key_of, ids),
            plain(batch.rows),
            ids,
            plain(batch.at),
            predicted_cells(batch),
            probability_texts(batch),
            segment_texts(batch, segments),
            strict=True,
        )
        lines = [
            f"{next(numbers)}\t{key}\t{row}\t{_escaped(one)}\t{at!r}\t{_json_field(value)}"
            f"\t{_field(shares)}\t{_field(named)}\n"
            for key, row, one, at, value, shares, named in rows
        ]
        yield "".join(lines).encode()


def _escaped(text: str) -> str:
    return text if text.isalnum() else text.translate(_ESCAPES)


def _field(text: str | None) -> str:
    return _NULL if text is None else text.replace("\\", "\\\\")  # JSON: no other sign to escape


def _json_field(cell: object) -> str:
    if isinstance(cell, float):
        return repr(cell)
    return _field(to_json(from_cell(cell)))  # type: ignore[arg-type]  # made by predicted_cells


def read_prediction(prediction_id: str, row: int, cells: Sequence[Any]) -> Prediction:
    """A prediction from its columns at, value, probabilities, segments."""
    at, value, probabilities, segments = cells
    return Prediction(
        prediction_id,
        row,
        at,
        from_json(value),
        from_probability_text(probabilities),
        from_segment_text(segments),
    )


def read_label(prediction_id: str, row: int, cells: Sequence[Any]) -> Label:
    """A label from its columns label, observed_at, received_at, source."""
    text, observed_at, received_at, source = cells
    return Label(prediction_id, row, orjson.loads(text), observed_at, received_at, source)
