"""A replica's journal in PostgreSQL: what it was told of its own predictions, by its own hand and
by others', until a checkpoint holds it.

Both stand in `news`: an entry that was told stays there, so that a process that ends before its
next checkpoint finds it. Knows the tables; whoever calls it begins and commits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import psycopg

from monitor.errors import StoreError
from monitor.records.label import Joined
from monitor.store.journal import GAP, from_body, to_body
from monitor.store.postgresql_join import Me
from monitor.store.protocol import Resumed

AT_ONCE = 1_000  # entries of one look

_ADD = "INSERT INTO news(replica, model, body) VALUES(%s, %s, %s) RETURNING seq"
_COVER = "DELETE FROM news WHERE seq = ANY(%s::bigint[])"
_NEWS = """SELECT seq, model, body FROM news WHERE replica = %s AND NOT seq = ANY(%s::bigint[])
    ORDER BY seq LIMIT %s"""
_ENTRIES = """SELECT seq, model, body FROM news WHERE replica = %s AND NOT seq = ANY(%s::bigint[])
    ORDER BY seq"""
_SEEN = "SELECT seq FROM news WHERE replica = %s"
_GET_ALL = "SELECT key, body FROM documents WHERE replica = %s AND starts_with(key, %s)"
_PUT = """INSERT INTO documents(replica, key, body) VALUES(%s, %s, %s)
    ON CONFLICT(replica, key) DO UPDATE SET body = excluded.body"""
_REMOVE = "DELETE FROM documents WHERE replica = %s AND key = %s"

Entry = tuple[int, list[Joined] | None]  # its number, and its joins or None for a gap


def add(connection: psycopg.Connection, joined: Sequence[Joined], me: Me) -> int:
    """Write joins down with the change that made them; the entry's number."""
    return _added(connection, to_body(joined), me)


def leave_gap(connection: psycopg.Connection, told: Sequence[int], me: Me) -> int:
    """Forget entries: until the next checkpoint, only the rows know."""
    connection.execute(_COVER, (list(told),))
    return _added(connection, GAP, me)


def news(connection: psycopg.Connection, told: Sequence[int], me: Me) -> list[Entry]:
    """Entries that were not told yet; those about another model of this replica are empty."""
    found = connection.execute(_NEWS, (me.replica, list(told), AT_ONCE)).fetchall()
    return [_entry(row, me) for row in found]


def resume(
    connection: psycopg.Connection, prefix: str, told: Sequence[int], me: Me
) -> tuple[Resumed, list[Entry]]:
    """The last checkpoint's documents, and what came after it and was not told yet."""
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    found = connection.execute(_ENTRIES, (me.replica, list(told))).fetchall()
    entries = [_entry(row, me) for row in found]
    joined: list[Joined] | None = []
    for _, one in entries:
        if one is None:
            joined = None
        elif joined is not None:
            joined += one
    kept = documents(connection, prefix, me)
    return Resumed(kept, None if joined is None else tuple(joined)), entries


def cover(
    connection: psycopg.Connection,
    bodies: Mapping[str, str | None],
    entries: Sequence[int],
    me: Me,
) -> None:
    """Put documents in place of entries that they hold."""
    for key, body in bodies.items():
        put(connection, key, body, me)
    connection.execute(_COVER, (list(entries),))


def put(connection: psycopg.Connection, key: str, body: str | None, me: Me) -> None:
    """Keep a document; None removes it."""
    if body is None:
        connection.execute(_REMOVE, (me.replica, key))
    else:
        connection.execute(_PUT, (me.replica, key, body))


def documents(connection: psycopg.Connection, prefix: str, me: Me) -> dict[str, Any]:
    """Every document of this replica whose key begins like this, by its key."""
    found = connection.execute(_GET_ALL, (me.replica, prefix)).fetchall()
    return {key: orjson.loads(body) for key, body in found}


def begin_reading(connection: psycopg.Connection, me: Me) -> list[int]:
    """Hold the rows as they are now, for this connection; the entries that they hold."""
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    return held(connection, me)


def held(connection: psycopg.Connection, me: Me) -> list[int]:
    """Every entry that there is."""
    return [int(seq) for (seq,) in connection.execute(_SEEN, (me.replica,)).fetchall()]


def _entry(row: tuple[Any, ...], me: Me) -> Entry:
    seq, model, body = row
    return int(seq), from_body(body) if model == me.model else []


def _added(connection: psycopg.Connection, body: bytes, me: Me) -> int:
    found = connection.execute(_ADD, (me.replica, me.model, body.decode())).fetchone()
    if found is None:
        raise StoreError("the database gave no number")
    return int(found[0])
