"""How values, ids and probabilities become what a database column holds, and come back as they
were.

Knows no database. Nothing that a model or a client sends may fail on the way in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import repeat

import orjson

from monitor.profile.values import INVALID, MISSING, category
from monitor.records.batch import PREDICTION, Batch
from monitor.records.label import Value

Cell = float | int | str | bytes | None

_LEAST, _MOST = -(2**63), 2**63 - 1
_TRUE, _FALSE = b"1", b"0"  # a BLOB: told from the number 1, and 1 all the same when SQL casts it


def to_cell(value: object) -> Cell:
    """A value as a column of any type holds it; what is missing, not finite, or no single value is
    NULL.

    >>> to_cell(2.5), to_cell(True), to_cell(float("nan")), to_cell(2**70)
    (2.5, b'1', None, '1180591620717411303424')
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    if isinstance(value, int):
        return value if _LEAST <= value <= _MOST else _long_number(value)
    return to_text(value) if isinstance(value, str) else None


def from_cell(cell: Cell) -> Value | None:
    """The value that `to_cell` was given."""
    return cell == _TRUE if isinstance(cell, bytes) else cell


def to_text(text: str) -> str:
    """The text with "?" for every lone surrogate, which no database takes.

    >>> to_text("caf\\u00e9"), to_text("a\\ud800")
    ('café', 'a?')
    """
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def key_of(prediction_id: str) -> int:
    """A signed 64-bit digest of an id: an index of these is a third of the size of one of
    the ids.
    """
    digest = blake2b(prediction_id.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def predicted_cells(batch: Batch) -> list[Cell]:
    """The predicted value of each row."""
    column = batch.outputs.get(PREDICTION)
    return [None] * len(batch) if column is None else [to_cell(value) for value in plain(column)]


def probability_texts(batch: Batch) -> Iterable[str | None]:
    """Each row's probabilities as a JSON object, or None for a batch without any."""
    if not batch.probabilities:
        return repeat(None, len(batch))
    names = [to_text(name) for name in batch.probabilities]
    columns = [plain(column) for column in batch.probabilities.values()]
    return [_object(names, row) for row in zip(*columns, strict=True)]


def from_probability_text(text: str | None) -> dict[str, float]:
    """What `probability_texts` wrote; classes without a probability are left out."""
    if not text:
        return {}
    return {name: share for name, share in orjson.loads(text).items() if share is not None}


def segment_texts(batch: Batch, names: Sequence[str]) -> Iterable[str | None]:
    """Each row's values of the columns `names` as a JSON object; missing and invalid values are
    left out.
    """
    held = [(name, plain(batch.features[name])) for name in names if name in batch.features]
    if not held:
        return repeat(None, len(batch))
    texts: dict[tuple[str, ...], str | None] = {}  # few distinct segments, many rows
    columns = [map(category, column) for _, column in held]
    return [
        texts[row] if row in texts else texts.setdefault(row, _segments(held, row))
        for row in zip(*columns, strict=True)
    ]


def _segments(held: Sequence[tuple[str, object]], row: tuple[str, ...]) -> str | None:
    named = zip((to_text(name) for name, _ in held), row, strict=True)
    known = {name: text for name, text in named if text not in {MISSING, INVALID}}
    return orjson.dumps(known).decode() if known else None


def from_segment_text(text: str | None) -> dict[str, str]:
    """What `segment_texts` wrote."""
    return orjson.loads(text) if text else {}


def plain(column: Sequence[object]) -> Sequence[object]:
    """A column as a sequence of Python's own values, also where it is an array."""
    as_list = getattr(column, "tolist", None)
    return column if as_list is None else as_list()


def _object(names: list[str], row: Sequence[object]) -> str:
    try:
        return orjson.dumps(dict(zip(names, row, strict=True))).decode()
    except TypeError:  # a probability that is no JSON value, or too long a number
        shares = [share if isinstance(share, float) else None for share in row]
        return orjson.dumps(dict(zip(names, shares, strict=True))).decode()


def _long_number(value: int) -> str:
    return str(value) if value.bit_length() < 10_000 else f"{value:#x}"  # beyond, str() refuses
