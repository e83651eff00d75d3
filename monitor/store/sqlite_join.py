"""Labels meeting predictions inside one SQLite transaction.

Knows the tables and the rule of the join; whoever calls it begins and commits.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from monitor.records.label import Joined, Label, Outcome, Prediction
from monitor.store.aliases import AMBIGUOUS
from monitor.store.join import Change, change, displaced, outcome
from monitor.store.values import (
    Cell,
    from_cell,
    from_probability_text,
    from_segment_text,
    key_of,
    to_cell,
    to_text,
)

_FIND_PREDICTION = """SELECT id, label, observed_at, received_at, source, model, at, value,
    probabilities, segments FROM predictions WHERE key = ? AND row = ?"""
_FIND_PARKED = (
    "SELECT id, label, observed_at, received_at, source FROM parked WHERE key = ? AND row = ?"
)
_FIND_ALIAS = """SELECT a.key, (SELECT p.id FROM predictions p WHERE p.key = a.key LIMIT 1)
    FROM aliases a WHERE a.alias = ?"""
_IS_PREDICTION = "SELECT 1 FROM predictions WHERE key = ? AND id = ? LIMIT 1"
_IS_FORGOTTEN = "SELECT 1 FROM forgotten WHERE key = ?"
_IS_IN_HISTORY = "SELECT 1 FROM history WHERE key = ? AND row = ? AND observed_at = ? AND label = ?"
_PARK = """INSERT INTO parked(key, row, id, label, observed_at, received_at, source)
    VALUES(?, ?, ?, ?, ?, ?, ?)"""
_KEEP = """INSERT INTO history(key, row, observed_at, label, received_at, source)
    VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
SET_LABEL = {
    "predictions": """UPDATE predictions SET label = ?, observed_at = ?, received_at = ?, source = ?
        WHERE key = ? AND row = ?""",
    "parked": """UPDATE parked SET label = ?, observed_at = ?, received_at = ?, source = ?
        WHERE key = ? AND row = ?""",
}
_LANDED = """SELECT p.id, p.row, p.key, p.model, k.label, k.observed_at, k.received_at, k.source,
        p.at, p.value, p.probabilities, p.segments
    FROM predictions p CROSS JOIN parked k ON k.key = p.key AND k.row = p.row AND k.id = p.id
    WHERE p.seq > ?"""
UNPARK = "DELETE FROM parked WHERE key = ? AND row = ?"

Table = Literal["predictions", "parked"]


@dataclass(frozen=True, slots=True)
class Placed:
    """What one label did: its outcome, whether it was parked anew, and the join to tell of,
    if any.
    """

    outcome: Outcome
    joined: Joined | None = None
    parked: bool = False
    fault: str = ""


class Target(NamedTuple):
    """What a name stands for."""

    key: int | None  # of the prediction; None where there is more than one
    prediction_id: str | None  # None where it was forgotten


def place(connection: sqlite3.Connection, label: Label, model: int, *, may_park: bool) -> Placed:
    """Put one label where it belongs; a join is told of only for predictions of `model`."""
    label = _kept(label)
    key = key_of(label.prediction_id)
    placed = _placed(connection, key, label, model)
    if placed is not None:
        return placed
    if _is_forgotten(connection, key):
        return Placed(Outcome.EXPIRED)
    found = find_alias(connection, key)
    if found is None:
        return _park(connection, key, label, may_park=may_park)
    if found.key is None:
        return Placed(Outcome.REJECTED, fault=AMBIGUOUS)
    if found.prediction_id is not None:
        key, label = found.key, replace(label, prediction_id=found.prediction_id)
        placed = _placed(connection, key, label, model)
    elif _is_forgotten(connection, found.key):
        placed = Placed(Outcome.EXPIRED)
    return placed or _park(connection, key, label, may_park=may_park)


def find_alias(connection: sqlite3.Connection, alias: int) -> Target | None:
    """The prediction that a name stands for, by the name's digest."""
    found = connection.execute(_FIND_ALIAS, (alias,)).fetchone()
    return None if found is None else Target(*found)


def is_prediction(connection: sqlite3.Connection, prediction_id: str) -> bool:
    """Whether a prediction has this very id."""
    sought = (key_of(prediction_id), prediction_id)
    return connection.execute(_IS_PREDICTION, sought).fetchone() is not None


def _is_forgotten(connection: sqlite3.Connection, key: int) -> bool:
    return connection.execute(_IS_FORGOTTEN, (key,)).fetchone() is not None


def _placed(connection: sqlite3.Connection, key: int, label: Label, model: int) -> Placed | None:
    """Join it with its prediction; None where there is none."""
    found = connection.execute(_FIND_PREDICTION, (key, label.row)).fetchone()
    if found is None or found[0] != label.prediction_id:
        return None
    current = None if found[1] is None else read_label(label.prediction_id, label.row, found[1:5])
    made = _settle(connection, "predictions", key, current, label)
    tells = made in {Change.FIRST, Change.REPLACES} and found[5] == model
    told = Joined(read_prediction(found[0], label.row, found[6:]), label, current)
    return Placed(outcome(made, parked=False), told if tells else None)


def _park(connection: sqlite3.Connection, key: int, label: Label, *, may_park: bool) -> Placed:
    found = connection.execute(_FIND_PARKED, (key, label.row)).fetchone()
    if found is None:
        if not may_park:
            return Placed(Outcome.REJECTED, fault="too many labels wait for their predictions")
        cells = (to_cell(label.value), label.observed_at, label.received_at, label.source)
        connection.execute(_PARK, (key, label.row, label.prediction_id, *cells))
        return Placed(Outcome.PENDING, parked=True)
    current = read_label(found[0], label.row, found[1:])
    return Placed(outcome(_settle(connection, "parked", key, current, label), parked=True))


def _settle(
    connection: sqlite3.Connection, table: Table, key: int, current: Label | None, new: Label
) -> Change:
    """Let the rule decide, and write what it decided."""
    cell = to_cell(new.value)

    def is_known(label: Label) -> bool:
        sought = (key, label.row, label.observed_at, cell)
        return connection.execute(_IS_IN_HISTORY, sought).fetchone() is not None

    made = change(current, new, is_known)
    kept = displaced(made, current, new)
    if kept is not None:
        said = (kept.observed_at, to_cell(kept.value), kept.received_at, kept.source)
        connection.execute(_KEEP, (key, new.row, *said))
    if made in {Change.FIRST, Change.REPLACES, Change.RENEWS}:
        counted = current if made is Change.RENEWS and current is not None else new
        cells = (cell, new.observed_at, counted.received_at, new.source)
        connection.execute(SET_LABEL[table], (*cells, key, new.row))
    return made


def settle_landed(
    connection: sqlite3.Connection, after: int, model: int
) -> tuple[list[Joined], int]:
    """Join parked labels with the predictions inserted after sequence number `after`; and
    how many.
    """
    landed = connection.execute(_LANDED, (after,)).fetchall()
    for row in landed:
        connection.execute(SET_LABEL["predictions"], (*row[4:8], row[2], row[1]))
        connection.execute(UNPARK, (row[2], row[1]))
    told = [
        Joined(read_prediction(row[0], row[1], row[8:]), read_label(row[0], row[1], row[4:8]))
        for row in landed
        if row[3] == model
    ]
    return told, len(landed)


def read_prediction(
    prediction_id: str, row: int, cells: tuple[float, Cell, str | None, str | None]
) -> Prediction:
    """A prediction from its columns at, value, probabilities, segments."""
    at, value, probabilities, segments = cells
    return Prediction(
        prediction_id,
        row,
        at,
        from_cell(value),
        from_probability_text(probabilities),
        from_segment_text(segments),
    )


def read_label(prediction_id: str, row: int, cells: tuple[Cell, float, float, str]) -> Label:
    """A label from its columns label, observed_at, received_at, source."""
    cell, observed_at, received_at, source = cells
    value = from_cell(cell)
    if value is None:
        raise sqlite3.DatabaseError(f"a label without a value, of prediction {prediction_id!r}")
    return Label(prediction_id, row, value, observed_at, received_at, source)


def _kept(label: Label) -> Label:
    """The label as the database gives it back, so that what is told now and after a restart is the
    same.
    """
    value = from_cell(to_cell(label.value))
    return replace(
        label,
        prediction_id=to_text(label.prediction_id),
        value=label.value if value is None else value,
        source=to_text(label.source),
    )
