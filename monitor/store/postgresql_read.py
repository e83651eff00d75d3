"""What the PostgreSQL store is asked: a request's rows with their labels, and the joins of a span
of time.

Knows the tables; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from monitor.records.label import Joined, Label
from monitor.store.postgresql_aliases import named
from monitor.store.postgresql_cells import read_label, read_prediction
from monitor.store.postgresql_join import Me
from monitor.store.protocol import Stored
from monitor.store.values import key_of

FETCH_ROWS = 5_000

_ROWS = """SELECT row, at, value, probabilities, segments, label, observed_at, received_at, source
    FROM predictions WHERE key = %s AND id = %s ORDER BY row"""
_HISTORY = """SELECT row, label, observed_at, received_at, source
    FROM history WHERE key = %s ORDER BY row, observed_at DESC, received_at DESC"""
_MINE = """label IS NOT NULL AND at IS NOT NULL AND greatest(at, received_at) >= %s
    AND replica = %s AND model = %s"""
_FIRST_OF_NEWEST = f"""SELECT greatest(at, received_at) FROM predictions WHERE {_MINE}
    ORDER BY greatest(at, received_at) DESC LIMIT 1 OFFSET %s"""  # noqa: S608 - constants only
_JOINED = f"""SELECT id, row, at, value, probabilities, segments,
        label, observed_at, received_at, source
    FROM predictions WHERE {_MINE} ORDER BY greatest(at, received_at), key, row"""  # noqa: S608


def stored(connection: psycopg.Connection, prediction_id: str) -> list[Stored]:
    """All rows of a request, by row; `prediction_id` may be another name of it."""
    found = named(connection, prediction_id)
    if found is not None and found.prediction_id:
        prediction_id = found.prediction_id
    key = key_of(prediction_id)
    history: dict[int, list[Label]] = {}
    for row, *cells in connection.execute(_HISTORY, (key,)):
        history.setdefault(row, []).append(read_label(prediction_id, row, cells))
    return [
        Stored(
            None if cells[0] is None else read_prediction(prediction_id, row, cells[:4]),
            None if cells[4] is None else read_label(prediction_id, row, cells[4:]),
            tuple(history.get(row, ())),
        )
        for row, *cells in connection.execute(_ROWS, (key, prediction_id))
    ]


def joined_since(connection: psycopg.Connection, me: Me, at: float, limit: int) -> Iterator[Joined]:
    """The newest `limit` joins of my predictions that began to count at `at` or later, oldest
    first.
    """
    mine = (at, me.replica, me.model)
    first = connection.execute(_FIRST_OF_NEWEST, (*mine, max(0, limit - 1))).fetchone()
    since = at if first is None else first[0]
    with connection.cursor("joined") as cursor:
        cursor.itersize = FETCH_ROWS
        for prediction_id, row, *cells in cursor.execute(_JOINED, (since, *mine[1:])):
            yield Joined(
                read_prediction(prediction_id, row, cells[:4]),
                read_label(prediction_id, row, cells[4:]),
            )
