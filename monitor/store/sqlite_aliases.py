"""Other names of predictions in SQLite: kept, found, and labels that had waited under one.

Knows the tables and the rule of aliases; whoever calls it begins and commits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from monitor.records.batch import Batch
from monitor.records.label import Joined
from monitor.store.aliases import RENEWED_SECONDS, Name, kept, listed, meanings
from monitor.store.join import summed
from monitor.store.sqlite_join import UNPARK, find_alias, place, read_label
from monitor.store.sqlite_withdraw import erase
from monitor.store.values import to_text

_AT_ONCE = 256  # in one statement: see the store's own rows

_KEEP = f"""INSERT INTO aliases(alias, key, rank, at) VALUES %s
    ON CONFLICT(alias) DO UPDATE SET
        key = CASE WHEN excluded.rank < rank THEN excluded.key
            WHEN excluded.rank > rank OR excluded.key IS key THEN key END,
        rank = min(rank, excluded.rank), at = max(at, excluded.at)
    WHERE excluded.rank < rank
        OR (excluded.rank = rank AND key IS NOT NULL AND excluded.key IS NOT key)
        OR excluded.at > at + {RENEWED_SECONDS}"""  # noqa: S608 - constants only
_BEGAN = "SELECT key, at FROM predictions WHERE key IN (%s)"
_ERASED = "SELECT key, at FROM forgotten WHERE erased AND key IN (%s)"
_PARKED = "SELECT key, row, label, observed_at, received_at, source FROM parked WHERE key IN (%s)"
_HISTORY = "SELECT label, observed_at, received_at, source FROM history WHERE key = ? AND row = ?"
_FORGET_HISTORY = "DELETE FROM history WHERE key = ? AND row = ?"


def keep(
    connection: sqlite3.Connection, batches: Sequence[Batch], *, all_new: bool
) -> Sequence[Name]:
    """Keep the other names of predictions that were put in place just now, and tell them.

    `all_new`: no prediction was left out since its id was taken.
    """
    names = listed(batches, to_text)
    if names and not all_new:
        names = kept(names, dict(_among(connection, _BEGAN, [one.key for one in names])))
    rows = [(alias, *meaning) for alias, meaning in meanings(names).items()]
    for start in range(0, len(rows), _AT_ONCE):
        block = rows[start : start + _AT_ONCE]
        values = ", ".join(["(?, ?, ?, ?)"] * len(block))
        connection.execute(_KEEP % values, list(chain.from_iterable(block)))
    return names


def withdraw(
    connection: sqlite3.Connection, names: Sequence[Name], model: int
) -> tuple[int, int, int]:
    """Delete predictions of which a name had been deleted before they came: how many rows that
    were, how many labels had waited for them, and how many ids are marked anew.
    """
    deleted = dict(_among(connection, _ERASED, [one.alias for one in names]))
    rows = parked = marked = 0
    for one in names:
        if one.alias in deleted:
            erased, unparked, fresh = erase(
                connection, one.prediction_id, deleted[one.alias], model
            )
            rows, parked, marked = rows + erased.rows, parked + unparked, marked + fresh
    return rows, parked, marked


def settle(
    connection: sqlite3.Connection, names: Sequence[Name], model: int
) -> tuple[list[Joined], int]:
    """Let labels that waited under these names go on to their predictions: the joins to tell of,
    and by how many fewer rows wait.
    """
    joined: list[Joined] = []
    landed = 0
    for alias, row, *cells in list(_among(connection, _PARKED, [one.alias for one in names])):
        found = find_alias(connection, alias)
        if found is None or found.key is None:
            continue
        told = [*connection.execute(_HISTORY, (alias, row)).fetchall(), tuple(cells)]
        connection.execute(UNPARK, (alias, row))
        connection.execute(_FORGET_HISTORY, (alias, row))
        landed += 1
        if found.prediction_id is None:
            continue  # it was deleted, and so are its labels
        labels = [read_label(found.prediction_id, row, one) for one in told]
        for label in sorted(labels, key=lambda one: one.received_at):
            placed = place(connection, label, model, may_park=True)
            landed -= placed.parked
            joined += [placed.joined] if placed.joined is not None else []
    return summed(joined), landed


def _among(connection: sqlite3.Connection, query: str, keys: Sequence[int]) -> Iterator[Any]:
    """The rows with these keys, some keys at a time."""
    distinct = list(dict.fromkeys(keys))
    for start in range(0, len(distinct), _AT_ONCE):
        block = distinct[start : start + _AT_ONCE]
        yield from connection.execute(query % ", ".join("?" * len(block)), block).fetchall()
