"""The SQLite store's journal and documents, and the rows as they were at one moment.

Knows the tables; whoever calls what changes them begins and commits.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from monitor.errors import StoreError
from monitor.records.label import Joined
from monitor.store import sqlite_read
from monitor.store.journal import GAP, Journal, from_body, to_body
from monitor.store.protocol import Resumed

_ADD = "INSERT INTO journal(body) VALUES(?)"
_FORGET = "DELETE FROM journal"
_COVER = "DELETE FROM journal WHERE entry = ?"
_ENTRIES = "SELECT entry, body FROM journal ORDER BY entry"
_DOCUMENTS = "SELECT key, body FROM documents WHERE substr(key, 1, ?) = ?"
_PUT = "INSERT OR REPLACE INTO documents VALUES(?, ?)"
_REMOVE = "DELETE FROM documents WHERE key = ?"

Noted = tuple[int, int, bool]  # entry, joins, whether it is a gap


def add(
    connection: sqlite3.Connection,
    joined: Sequence[Joined],
    journal: Journal,
    *,
    forgets: bool = False,
) -> Noted | None:
    """Write joins down with the change that made them; too many become a gap."""
    if not (joined or forgets):
        return None
    if forgets or journal.overflows(len(joined)):
        return leave_gap(connection)
    return _added(connection, to_body(joined)), len(joined), False


def leave_gap(connection: sqlite3.Connection) -> Noted:
    """Forget what was written down: until the next checkpoint, only the rows know."""
    connection.execute(_FORGET)
    return _added(connection, GAP), 0, True


def cover(
    connection: sqlite3.Connection, bodies: Mapping[str, bytes | None], entries: Sequence[int]
) -> None:
    """Put documents in place of entries that they hold."""
    for key, body in bodies.items():
        put(connection, key, body)
    connection.executemany(_COVER, ((entry,) for entry in entries))


def resume(
    connection: sqlite3.Connection, prefix: str, told: Collection[int]
) -> tuple[Resumed, list[Noted]]:
    """The last checkpoint's documents, and what came after it and was not told yet."""
    joined: list[Joined] | None = []
    noted: list[Noted] = []
    for entry, body in connection.execute(_ENTRIES):
        if entry in told:
            continue
        one = from_body(body)
        noted.append((entry, len(one or ()), one is None))
        if one is None:
            joined = None
        elif joined is not None:
            joined += one
    return Resumed(documents(connection, prefix), None if joined is None else tuple(joined)), noted


def put(connection: sqlite3.Connection, key: str, body: bytes | None) -> None:
    """Keep a document; None removes it."""
    if body is None:
        connection.execute(_REMOVE, (key,))
    else:
        connection.execute(_PUT, (key, body))


def documents(connection: sqlite3.Connection, prefix: str) -> dict[str, Any]:
    """Every document whose key begins like this, by its key."""
    found = connection.execute(_DOCUMENTS, (len(prefix), prefix)).fetchall()
    return {key: orjson.loads(body) for key, body in found}


def rows_as_of_now(path: Path, model: int, at: float, limit: int) -> Iterator[Joined]:
    """Joins since `at` as they are at this call, whatever is written while they are read."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM predictions LIMIT 1").fetchone()  # from here on
    except BaseException:
        connection.close()
        raise
    return _read(connection, model, at, limit)


def _read(connection: sqlite3.Connection, model: int, at: float, limit: int) -> Iterator[Joined]:
    with contextlib.closing(connection):
        try:
            yield from sqlite_read.joined_since(connection, model, at, limit)
        except sqlite3.Error as error:
            raise StoreError(f"rows cannot be read: {error}") from error


def _added(connection: sqlite3.Connection, body: bytes) -> int:
    entry = connection.execute(_ADD, (body,)).lastrowid
    assert entry is not None  # noqa: S101 - an INSERT gives one
    return entry
