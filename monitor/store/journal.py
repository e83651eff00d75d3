"""The journal of joins: each is written with the change that made it, until a checkpoint holds it.

So a process that begins with the last checkpoint, and adds what the journal has, has counted every
join exactly once. Knows no database: only what an entry says, and which entries were told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from monitor.records.label import Joined, Label, Prediction

GAP = b"null"  # an entry of which nothing is known: what was counted must be read from the rows
MOST_JOINS = 200_000  # beyond, without a checkpoint, reading the rows is as quick


class Journal:
    """Which entries of the journal this process has told, and no checkpoint holds yet."""

    def __init__(self) -> None:
        self._open: dict[int, int] = {}  # entry → joins
        self._fresh: list[int] = []

    def note(self, entry: int, joins: int, *, gap: bool = False) -> None:
        """Take up an entry that was committed, or read; a gap stands for all before it."""
        if gap:
            self._open.clear()
        self._open[entry] = joins
        self._fresh.append(entry)

    def told(self) -> tuple[int, ...]:
        """The entries taken up since the last call."""
        fresh, self._fresh = self._fresh, []
        return tuple(fresh)

    def covered(self, entries: Iterable[int]) -> None:
        """Forget entries that a checkpoint holds."""
        for entry in entries:
            self._open.pop(entry, None)

    def overflows(self, joins: int) -> bool:
        """Whether so many more are too many to be told one by one."""
        return sum(self._open.values()) + joins > MOST_JOINS

    @property
    def open(self) -> list[int]:
        """Entries that were told and no checkpoint holds."""
        return list(self._open)


def to_body(joined: Sequence[Joined]) -> bytes:
    """Joins as one entry has them."""
    return orjson.dumps([_told(one) for one in joined])


def from_body(body: bytes | str) -> list[Joined] | None:
    """What `to_body` wrote, or None for a gap."""
    told = orjson.loads(body)
    if told is None:
        return None
    return [_join(one) for one in (told if isinstance(told, list) else [told])]


def _told(joined: Joined) -> dict[str, Any]:
    one = joined.prediction
    return {
        "id": one.prediction_id,
        "row": one.row,
        "at": one.at,
        "value": one.value,
        "probabilities": dict(one.probabilities),
        "segments": dict(one.segments),
        "label": _cells(joined.label),
        "previous": _cells(joined.previous),
    }


def _join(told: dict[str, Any]) -> Joined:
    prediction = Prediction(
        told["id"],
        told["row"],
        told["at"],
        told["value"],
        told["probabilities"],
        told["segments"],
    )
    return Joined(prediction, _label(told, "label"), _label(told, "previous"))


def _cells(label: Label | None) -> list[object] | None:
    if label is None:
        return None
    return [label.value, label.observed_at, label.received_at, label.source]


def _label(told: dict[str, Any], which: str) -> Label | None:
    cells = told[which]
    return None if cells is None else Label(told["id"], told["row"], *cells)
