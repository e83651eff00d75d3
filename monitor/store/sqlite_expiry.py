"""Forgetting in small steps: what is past its time, the oldest where the file is too large, and
marks of both.

Knows the tables; whoever calls it begins and commits.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from monitor.store.protocol import Expired

STEP_ROWS = 2000

_OLD_PREDICTIONS = "SELECT seq, key, row, at FROM predictions WHERE at < ? ORDER BY at LIMIT ?"
_OLD_PARKED = "SELECT key, row FROM parked WHERE received_at < ? ORDER BY received_at LIMIT ?"
_MARK = "INSERT OR IGNORE INTO forgotten(key, at) VALUES(?, ?)"
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
    connection: sqlite3.Connection, now: float, retention: Retention
) -> tuple[Expired, dict[str, int]]:
    """Forget at most STEP_ROWS each of predictions, parked labels, and marks; and the tallies'
    steps.
    """
    horizon = now - retention.ttl_seconds
    is_large = used_bytes(connection) > retention.max_bytes
    before = float("inf") if is_large else horizon
    old = connection.execute(_OLD_PREDICTIONS, (before, STEP_ROWS)).fetchall()
    marks = sorted({key for _, key, _, _ in old})  # in the order of the table's pages
    connection.executemany(_MARK, ((key, now) for key in marks))
    connection.executemany("DELETE FROM predictions WHERE seq = ?", ((seq,) for seq, *_ in old))
    orphans = connection.execute(_OLD_PARKED, (horizon, STEP_ROWS)).fetchall()
    connection.executemany("DELETE FROM parked WHERE key = ? AND row = ?", orphans)
    if connection.execute(_HAS_HISTORY).fetchone() == (1,):
        gone = [(key, row) for _, key, row, _ in old] + orphans
        connection.executemany("DELETE FROM history WHERE key = ? AND row = ?", gone)
    # A name outlives its prediction as the mark of it does, so that a late label is told from an
    # early one; unless the prediction had to make room.
    names_before = horizon - retention.ttl_seconds
    if is_large and old:
        names_before = max(names_before, old[-1][3])
    names = connection.execute(_FORGET_NAMES, (names_before, 2 * STEP_ROWS)).rowcount
    unmarked = connection.execute(_UNMARK, (horizon, STEP_ROWS)).fetchall()
    if is_large:
        # Marks of the forgotten must not take the room that was made: two go for each that came.
        connection.execute(_UNMARK_OLDEST, (2 * STEP_ROWS,))
    fullest = max(len(old), len(orphans), len(unmarked), names // 2)
    steps = {
        "rows": -len(old),
        "parked": -len(orphans),
        "erased": -sum(erased for (erased,) in unmarked),
    }
    return Expired(len(old), len(orphans), more=fullest == STEP_ROWS), steps


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the file holds; pages that were freed are written anew before it grows."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * size)
