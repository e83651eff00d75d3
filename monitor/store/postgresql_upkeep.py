"""What a PostgreSQL store does from time to time: say that it is alive, forget.

Knows the tables; whoever calls it begins and commits.
"""

from __future__ import annotations

import psycopg

from monitor.store.postgresql_join import Me
from monitor.store.postgresql_landing import settle_passed
from monitor.store.protocol import Expired

STEP_ROWS = 5_000
ROW_BYTES = 150  # of a row in heap and indexes, beside its own values: headers, keys, pointers

_ALIVE = "UPDATE replicas SET seen_at = now() WHERE replica = %s"
_TALLIES = "SELECT coalesce(sum(rows), 0), coalesce(sum(parked), 0) FROM tallies"

_TURN = "SELECT pg_try_advisory_xact_lock(%s)"
_TURN_LOCK = 0x51DE11648  # one replica forgets at a time
_OLD = """DELETE FROM predictions WHERE (key, row) IN (
        SELECT key, row FROM predictions WHERE at < %s ORDER BY at LIMIT %s)
    RETURNING key, row, at"""
_ORPHANS = """DELETE FROM predictions WHERE (key, row) IN (
        SELECT key, row FROM predictions WHERE at IS NULL AND received_at < %s
        ORDER BY received_at LIMIT %s) AND at IS NULL
    RETURNING key, row"""
_MARK = """INSERT INTO forgotten(key, at) SELECT DISTINCT key, %s::float8 FROM
    unnest(%s::bigint[]) AS w(key) ON CONFLICT DO NOTHING"""
_FORGET_HISTORY = """DELETE FROM history h
    USING unnest(%s::bigint[], %s::bigint[]) AS w(key, row) WHERE h.key = w.key AND h.row = w.row"""
_FORGET_NAMES = """DELETE FROM aliases WHERE alias IN
    (SELECT alias FROM aliases WHERE at <= %s ORDER BY at LIMIT %s)"""
_UNMARK = """DELETE FROM forgotten WHERE key IN
    (SELECT key FROM forgotten WHERE at < %s ORDER BY at LIMIT %s)"""
_UNMARK_OLDEST = """DELETE FROM forgotten WHERE key IN
    (SELECT key FROM forgotten WHERE NOT erased ORDER BY at LIMIT %s)"""
# A prediction and the deletion of its id can pass each other in two transactions.
_ERASED_MEANWHILE = """DELETE FROM predictions p USING forgotten f
    WHERE f.erased AND f.at > %s AND f.key = p.key"""
_ABSENT = """DELETE FROM replicas WHERE seen_at < now() - make_interval(secs => %s)
    AND replica <> %s RETURNING replica"""
_WIDTH = """SELECT coalesce(sum(avg_width), 0) FROM pg_stats
    WHERE schemaname = 'sidelight' AND tablename = 'predictions'"""


def say_alive(connection: psycopg.Connection, me: Me) -> None:
    """Keep this replica's rows its own."""
    connection.execute(_ALIVE, (me.replica,))


def tallies(connection: psycopg.Connection) -> tuple[int, int]:
    """Predictions kept, and labels that wait, over all replicas."""
    found = connection.execute(_TALLIES).fetchone() or (0, 0)
    return int(found[0]), int(found[1])


def expire(
    connection: psycopg.Connection, now: float, ttl_seconds: float, most_rows: float, me: Me
) -> tuple[Expired, int, int]:
    """Forget at most STEP_ROWS each, where no other replica is about it; also how many rows that
    were, and how many labels wait no more.
    """
    if connection.execute(_TURN, (_TURN_LOCK,)).fetchone() != (True,):
        return Expired(), 0, 0
    horizon = now - ttl_seconds
    is_large = tallies(connection)[0] > most_rows
    before = float("inf") if is_large else horizon
    old = connection.execute(_OLD, (before, STEP_ROWS)).fetchall()
    orphans = connection.execute(_ORPHANS, (horizon, STEP_ROWS)).fetchall()
    if old:
        connection.execute(_MARK, (now, [key for key, *_ in old]))
    if gone := [cells[:2] for cells in old] + orphans:
        keys, rows = zip(*gone, strict=True)
        connection.execute(_FORGET_HISTORY, (list(keys), list(rows)))
    # A name outlives its prediction as the mark of it does, so that a late label is told from an
    # early one; unless the prediction had to make room.
    names_before = horizon - ttl_seconds
    if is_large and old:
        names_before = max(names_before, *(at for *_, at in old))
    names = connection.execute(_FORGET_NAMES, (names_before, 2 * STEP_ROWS)).rowcount
    unmarked = connection.execute(_UNMARK, (horizon, STEP_ROWS)).rowcount
    if is_large:
        connection.execute(_UNMARK_OLDEST, (2 * STEP_ROWS,))
    landed = settle_passed(connection, now, me)
    late = connection.execute(_ERASED_MEANWHILE, (now - 600.0,)).rowcount
    for (replica,) in connection.execute(_ABSENT, (ttl_seconds, me.replica)).fetchall():
        for table in ("news", "documents"):
            connection.execute(f"DELETE FROM {table} WHERE replica = %s".encode(), (replica,))  # noqa: S608 - constants
    fullest = max(len(old), len(orphans), unmarked, names // 2)
    expired = Expired(len(old), len(orphans), more=fullest == STEP_ROWS)
    return expired, len(old) + late, len(orphans) + landed


def rows_in(connection: psycopg.Connection, max_bytes: int) -> float:
    """About how many rows fit: by the width of a row as the database last measured it.

    Never by the size of the tables, which does not fall when rows go: it would forget everything.
    """
    found = connection.execute(_WIDTH).fetchone() or (0,)
    return max_bytes / (ROW_BYTES + float(found[0]))
