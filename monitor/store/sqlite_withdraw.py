"""Taking things out again: all of one id, for good, or all that one source said.

Knows the tables and the rule of the join; whoever calls it begins and commits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace

from monitor.records.label import Joined, Label
from monitor.store.join import newest
from monitor.store.protocol import Erased, Revoked
from monitor.store.sqlite_join import (
    SET_LABEL,
    UNPARK,
    Table,
    find_alias,
    is_prediction,
    read_label,
    read_prediction,
)
from monitor.store.values import key_of, to_cell

STEP_ROWS = 20_000  # looked at in one step of revoking

_ERASED_PREDICTIONS = """DELETE FROM predictions WHERE key = ? AND id = ? RETURNING
    model, row, label, observed_at, received_at, source, at, value, probabilities, segments"""
_ERASE_PARKED = "DELETE FROM parked WHERE key = ? AND id = ?"
_ERASE_HISTORY = "DELETE FROM history WHERE key = ?"
_MARK_ERASED = "INSERT OR REPLACE INTO forgotten(key, at, erased) VALUES(?, ?, 1)"
_IS_ERASED = "SELECT 1 FROM forgotten WHERE key = ? AND erased"
_DROP_ERASED = """DELETE FROM predictions WHERE seq > ?
    AND key IN (SELECT key FROM forgotten WHERE erased)"""

_REVOKE_HISTORY = "DELETE FROM history WHERE source = ? AND received_at <= ?"
_REVOKED_PARKED = """SELECT key, row, id, label, observed_at, received_at, source FROM parked
    WHERE source = ? AND received_at <= ?"""
_REVOKED = """SELECT key, row, id, model, label, observed_at, received_at, source,
        at, value, probabilities, segments FROM predictions
    WHERE seq >= ? AND seq < ? AND source = ? AND received_at <= ?"""
_OTHERS = "SELECT label, observed_at, received_at, source FROM history WHERE key = ? AND row = ?"
_UNKEEP = """DELETE FROM history
    WHERE key = ? AND row = ? AND observed_at = ? AND label = ? AND source = ?"""


def erase_named(
    connection: sqlite3.Connection, name: str, now: float, model: int
) -> tuple[Erased, int, int]:
    """The same by an id, or by another name of its prediction; of several predictions none."""
    found = find_alias(connection, key_of(name))
    if found is None or is_prediction(connection, name):
        return erase(connection, name, now, model)
    if found.key is None:
        return Erased(ambiguous=True), 0, 0
    alone, waited, marked = erase(connection, name, now, model)
    if found.prediction_id is None:
        return alone, waited, marked
    erased, parked, others = erase(connection, found.prediction_id, now, model)
    whole = replace(erased, labels=erased.labels + alone.labels)
    return whole, parked + waited, marked + others


def erase(
    connection: sqlite3.Connection, prediction_id: str, now: float, model: int
) -> tuple[Erased, int, int]:
    """Delete all of an id and mark it; also how many labels were parked, and whether the mark is
    new.
    """
    key = key_of(prediction_id)
    rows = connection.execute(_ERASED_PREDICTIONS, (key, prediction_id)).fetchall()
    parked = connection.execute(_ERASE_PARKED, (key, prediction_id)).rowcount
    connection.execute(_ERASE_HISTORY, (key,))
    marked = connection.execute(_IS_ERASED, (key,)).fetchone() is None
    connection.execute(_MARK_ERASED, (key, now))
    labelled = [row for row in rows if row[2] is not None]
    joined = tuple(
        Joined(
            read_prediction(prediction_id, row[1], row[6:]),
            None,
            read_label(prediction_id, row[1], row[2:6]),
        )
        for row in labelled
        if row[0] == model
    )
    return Erased(len(rows), len(labelled) + parked, joined), parked, int(marked)


def drop_erased(connection: sqlite3.Connection, after: int) -> int:
    """Take out rows inserted after sequence number `after` whose ids were deleted before."""
    return connection.execute(_DROP_ERASED, (after,)).rowcount


def revoke(
    connection: sqlite3.Connection, source: str, until: float, at: int, model: int
) -> tuple[Revoked, int]:
    """One step, over the rows from sequence number `at` on; also how many labels wait no more."""
    taken = unparked = 0
    if at == 0:
        taken += connection.execute(_REVOKE_HISTORY, (source, until)).rowcount
        for key, row, prediction_id, *_ in connection.execute(
            _REVOKED_PARKED, (source, until)
        ).fetchall():
            taken += 1
            unparked += _fall_back(connection, "parked", (key, row, prediction_id)) is None
    joined: list[Joined] = []
    span = (at, at + STEP_ROWS, source, until)
    for key, row, prediction_id, owner, *cells in connection.execute(_REVOKED, span).fetchall():
        taken += 1
        label = _fall_back(connection, "predictions", (key, row, prediction_id))
        if owner == model:
            prediction = read_prediction(prediction_id, row, tuple(cells[4:]))
            previous = read_label(prediction_id, row, tuple(cells[:4]))
            joined.append(Joined(prediction, label, previous))
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM predictions").fetchone()
    following = at + STEP_ROWS if at + STEP_ROWS <= last else None
    return Revoked(taken, tuple(joined), following), unparked


def _fall_back(
    connection: sqlite3.Connection, table: Table, place: tuple[int, int, str]
) -> Label | None:
    """Let the newest label that is left count, or none."""
    key, row, prediction_id = place
    label = newest(_others(connection, key, row, prediction_id))
    if label is None:
        if table == "parked":
            connection.execute(UNPARK, (key, row))
        else:
            connection.execute(SET_LABEL[table], (None, None, None, None, key, row))
        return None
    cell = to_cell(label.value)
    connection.execute(_UNKEEP, (key, row, label.observed_at, cell, label.source))
    cells = (cell, label.observed_at, label.received_at, label.source)
    connection.execute(SET_LABEL[table], (*cells, key, row))
    return label


def _others(
    connection: sqlite3.Connection, key: int, row: int, prediction_id: str
) -> Iterable[Label]:
    for cells in connection.execute(_OTHERS, (key, row)):
        yield read_label(prediction_id, row, cells)
