"""Forgetting in small steps: predictions past their time, labels that waited in vain, and marks of
both.

Knows the tables; whoever calls it begins and commits.
"""

from __future__ import annotations

import sqlite3

from monitor.store.protocol import Expired

STEP_ROWS = 2000

_OLD_PREDICTIONS = "SELECT seq, key, row FROM predictions WHERE at < ? ORDER BY at LIMIT ?"
_OLD_PARKED = "SELECT key, row FROM parked WHERE received_at < ? ORDER BY received_at LIMIT ?"
_MARK = "INSERT OR REPLACE INTO forgotten(key, at) VALUES(?, ?)"
_UNMARK = """DELETE FROM forgotten WHERE key IN
    (SELECT key FROM forgotten WHERE at < ? ORDER BY at LIMIT ?)"""


def expire(connection: sqlite3.Connection, now: float, ttl_seconds: float) -> Expired:
    """Forget at most STEP_ROWS each of predictions, parked labels, and marks of forgotten ids."""
    horizon = now - ttl_seconds
    old = connection.execute(_OLD_PREDICTIONS, (horizon, STEP_ROWS)).fetchall()
    connection.executemany(_MARK, ((key, now) for key in {key for _, key, _ in old}))
    connection.executemany("DELETE FROM predictions WHERE seq = ?", ((seq,) for seq, _, _ in old))
    orphans = connection.execute(_OLD_PARKED, (horizon, STEP_ROWS)).fetchall()
    connection.executemany("DELETE FROM parked WHERE key = ? AND row = ?", orphans)
    gone = [(key, row) for _, key, row in old] + orphans
    connection.executemany("DELETE FROM history WHERE key = ? AND row = ?", gone)
    unmarked = connection.execute(_UNMARK, (horizon, STEP_ROWS)).rowcount
    fullest = max(len(old), len(orphans), unmarked)
    return Expired(len(old), len(orphans), more=fullest == STEP_ROWS)
