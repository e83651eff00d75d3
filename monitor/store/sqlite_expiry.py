"""Forgetting in small steps: what is past its time, the oldest where the file is too large, and
marks of both.

Knows the tables; whoever calls it begins and commits.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from monitor.store.protocol import Expired

STEP_ROWS = 2000  # some 50 ms, that a label may have to wait
LONG_STEP_SECONDS = 0.3
MOST_STEP_ROWS = 20_000  # where there is more and more: pages are shared, so a row costs a third

# All in the database: rows that pass through Python cost twice as much.
_CHOOSE = """INSERT INTO temp.leaving
    SELECT seq, key, row, at FROM predictions WHERE at < ? ORDER BY at LIMIT ?"""
_OLD_PARKED = "SELECT key, row FROM parked WHERE received_at < ? ORDER BY received_at LIMIT ?"
_NEWEST = "SELECT max(at) FROM temp.leaving"
# In the order of the table's pages.
_MARK = """INSERT OR IGNORE INTO forgotten(key, at)
    SELECT DISTINCT key, ? FROM temp.leaving ORDER BY key"""
_FORGET = "DELETE FROM predictions WHERE seq IN (SELECT seq FROM temp.leaving)"
_FORGET_HISTORY = "DELETE FROM history WHERE (key, row) IN (SELECT key, row FROM temp.leaving)"
_CLEAR = "DELETE FROM temp.leaving"
_UNMARK = """DELETE FROM forgotten WHERE key IN
    (SELECT key FROM forgotten WHERE at < ? ORDER BY at LIMIT ?) RETURNING erased"""
_UNMARK_OLDEST = """DELETE FROM forgotten WHERE key IN
    (SELECT key FROM forgotten WHERE NOT erased ORDER BY at LIMIT ?)"""
_FORGET_NAMES = """DELETE FROM aliases WHERE alias IN
    (SELECT alias FROM aliases WHERE at <= ? ORDER BY at LIMIT ?)"""
_HAS_HISTORY = "SELECT EXISTS(SELECT 1 FROM history)"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long, and how much."""

    ttl_seconds: float
    max_bytes: int


def expire(
    connection: sqlite3.Connection, now: float, retention: Retention, step_rows: int = STEP_ROWS
) -> tuple[Expired, dict[str, int]]:
    """Forget at most so many each of predictions, parked labels, and marks; and the tallies'
    steps.
    """
    horizon = now - retention.ttl_seconds
    is_large = used_bytes(connection) > retention.max_bytes
    before = float("inf") if is_large else horizon
    old = connection.execute(_CHOOSE, (before, step_rows)).rowcount
    (newest,) = connection.execute(_NEWEST).fetchone()
    connection.execute(_MARK, (now,))
    connection.execute(_FORGET)
    orphans = connection.execute(_OLD_PARKED, (horizon, step_rows)).fetchall()
    connection.executemany("DELETE FROM parked WHERE key = ? AND row = ?", orphans)
    if connection.execute(_HAS_HISTORY).fetchone() == (1,):
        connection.execute(_FORGET_HISTORY)
        connection.executemany("DELETE FROM history WHERE key = ? AND row = ?", orphans)
    connection.execute(_CLEAR)
    # A name outlives its prediction as the mark of it does, so that a late label is told from an
    # early one; unless the prediction had to make room.
    names_before = horizon - retention.ttl_seconds
    if is_large and old:
        names_before = max(names_before, newest)
    names = connection.execute(_FORGET_NAMES, (names_before, 2 * step_rows)).rowcount
    unmarked = connection.execute(_UNMARK, (horizon, step_rows)).fetchall()
    if is_large:
        # Marks of the forgotten must not take the room that was made: two go for each that came.
        connection.execute(_UNMARK_OLDEST, (2 * step_rows,))
    fullest = max(old, len(orphans), len(unmarked), names // 2)
    steps = {
        "rows": -old,
        "parked": -len(orphans),
        "erased": -sum(erased for (erased,) in unmarked),
    }
    more = fullest == step_rows
    return Expired(old, len(orphans), more, over=is_large and more), steps


def next_step(step_rows: int, expired: Expired, seconds: float) -> int:
    """How many rows the next step may forget: more while there is more, but none that takes long,
    unless there is no room.

    >>> full = Expired(8000, more=True)
    >>> next_step(8000, full, 0.02), next_step(8000, full, 1.0), next_step(8000, Expired(5), 0.02)
    (16000, 4000, 2000)
    """
    if not expired.more:
        return STEP_ROWS
    quick = seconds < LONG_STEP_SECONDS or expired.over
    wanted = 2 * step_rows if quick else step_rows // 2
    return min(max(wanted, STEP_ROWS), MOST_STEP_ROWS)


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the file holds; pages that were freed are written anew before it grows."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * size)
