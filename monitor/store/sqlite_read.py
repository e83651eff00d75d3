"""What the SQLite store is asked: a request's rows with their labels, and the joins of a span of
time.

Knows the tables; changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from monitor.records.label import Joined, Label
from monitor.store.protocol import Stored
from monitor.store.sqlite_join import find_alias, is_prediction, read_label, read_prediction
from monitor.store.values import key_of

_PREDICTIONS = """SELECT row, at, value, probabilities, segments,
        label, observed_at, received_at, source
    FROM predictions WHERE key = ? AND id = ? ORDER BY row"""
_PARKED = """SELECT row, label, observed_at, received_at, source
    FROM parked WHERE key = ? AND id = ? ORDER BY row"""
_HISTORY = """SELECT row, label, observed_at, received_at, source
    FROM history WHERE key = ? ORDER BY row, observed_at DESC, received_at DESC"""
_COUNTED = "received_at IS NOT NULL AND max(at, received_at) >= ?"
_FIRST_OF_NEWEST = f"""SELECT max(at, received_at) FROM predictions WHERE {_COUNTED}
    ORDER BY max(at, received_at) DESC LIMIT 1 OFFSET ?"""  # noqa: S608 - constants only
_JOINED = f"""SELECT id, row, at, value, probabilities, segments,
        label, observed_at, received_at, source
    FROM predictions WHERE {_COUNTED} AND model = ? ORDER BY max(at, received_at), seq"""  # noqa: S608


def stored(connection: sqlite3.Connection, prediction_id: str) -> list[Stored]:
    """All rows of a request, by row; `prediction_id` may be another name of it."""
    found = find_alias(connection, key_of(prediction_id))
    if found is not None and found.prediction_id and not is_prediction(connection, prediction_id):
        return _of(connection, found.prediction_id)
    return _of(connection, prediction_id)


def _of(connection: sqlite3.Connection, prediction_id: str) -> list[Stored]:
    key = key_of(prediction_id)
    history: dict[int, list[Label]] = {}
    for row, *cells in connection.execute(_HISTORY, (key,)):
        history.setdefault(row, []).append(read_label(prediction_id, row, tuple(cells)))
    found: list[Stored] = []
    for row, *cells in connection.execute(_PREDICTIONS, (key, prediction_id)):
        prediction = read_prediction(prediction_id, row, tuple(cells[:4]))
        label = None if cells[4] is None else read_label(prediction_id, row, tuple(cells[4:]))
        found.append(Stored(prediction, label, tuple(history.get(row, ()))))
    for row, *cells in connection.execute(_PARKED, (key, prediction_id)):
        label = read_label(prediction_id, row, tuple(cells))
        found.append(Stored(None, label, tuple(history.get(row, ()))))
    return found


def joined_since(
    connection: sqlite3.Connection, model: int, at: float, limit: int
) -> Iterator[Joined]:
    """The newest `limit` joins that began to count at `at` or later, oldest first."""
    first = connection.execute(_FIRST_OF_NEWEST, (at, max(0, limit - 1))).fetchone()
    since = at if first is None else first[0]
    for prediction_id, row, *cells in connection.execute(_JOINED, (since, model)):
        yield Joined(
            read_prediction(prediction_id, row, tuple(cells[:4])),
            read_label(prediction_id, row, tuple(cells[4:])),
        )
