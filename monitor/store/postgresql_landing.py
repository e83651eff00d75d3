"""What new names of predictions set off in PostgreSQL: labels that had waited under them go on, and
what had been deleted under them stays so.

Knows the tables; whoever calls it begins and commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import psycopg

from monitor.records.label import Joined
from monitor.store.aliases import Name
from monitor.store.join import summed
from monitor.store.postgresql_aliases import find, of_kept
from monitor.store.postgresql_cells import read_label
from monitor.store.postgresql_join import Me, Telling, columns, join
from monitor.store.postgresql_withdraw import erase

PASSED_AT_ONCE = 1_000
PASSED_SECONDS = 600.0

_ERASED = "SELECT key, at FROM forgotten WHERE erased AND key = ANY(%s::bigint[])"
_IS_PREDICTION = "SELECT EXISTS(SELECT 1 FROM predictions WHERE key = %s AND at IS NOT NULL)"
_HAS_PARKED = "SELECT EXISTS(SELECT 1 FROM predictions WHERE at IS NULL)"
_PARKED = """SELECT key, row, label, observed_at, received_at, source FROM predictions
    WHERE at IS NULL AND key = ANY(%s::bigint[]) ORDER BY key, row FOR UPDATE"""
_HISTORY = """SELECT h.key, h.row, h.label, h.observed_at, h.received_at, h.source
    FROM history h JOIN unnest(%s::bigint[], %s::bigint[]) AS sought(key, row) USING(key, row)"""
_UNPARK = """DELETE FROM predictions p USING unnest(%s::bigint[], %s::bigint[]) AS w(key, row)
    WHERE p.key = w.key AND p.row = w.row AND p.at IS NULL"""
_FORGET_HISTORY = """DELETE FROM history h USING unnest(%s::bigint[], %s::bigint[]) AS w(key, row)
    WHERE h.key = w.key AND h.row = w.row"""
# A label, or a deletion, and the name it needs can pass each other in two transactions.
_PASSED = """SELECT DISTINCT p.key FROM predictions p JOIN aliases a ON a.alias = p.key
    WHERE p.at IS NULL AND p.received_at > %s AND a.key IS NOT NULL LIMIT %s"""
_MARK_PASSED = """INSERT INTO forgotten(key, at, erased)
    SELECT DISTINCT ON (a.key) a.key, f.at, true FROM forgotten f JOIN aliases a ON a.alias = f.key
    WHERE f.erased AND f.at > %s AND a.key IS NOT NULL ORDER BY a.key, f.at DESC
    ON CONFLICT(key) DO UPDATE SET erased = true"""


def withdraw(
    connection: psycopg.Connection, names: Sequence[Name], telling: Telling
) -> tuple[int, int]:
    """Delete what is there of predictions of which a name was deleted before they came: how many
    rows, and how many labels that had waited.
    """
    aliases = [one.alias for one in names]
    deleted: dict[int, float] = dict(connection.execute(_ERASED, (aliases,)).fetchall())
    concerned = [one for one in names if one.alias in deleted]
    others = {one.key for one in concerned} - {one.key for one in of_kept(connection, concerned)}
    rows = parked = 0
    for one in concerned:
        if one.key in others and _is_taken(connection, one.key):
            continue
        erased, waited = erase(connection, one.prediction_id, deleted[one.alias], telling)
        rows, parked = rows + erased.rows, parked + waited
    return rows, parked


def _is_taken(connection: psycopg.Connection, key: int) -> bool:
    return connection.execute(_IS_PREDICTION, (key,)).fetchone() == (True,)


def settle(
    connection: psycopg.Connection, aliases: Sequence[int], me: Me
) -> tuple[list[Joined], Telling, int]:
    """Let labels that waited under these names go on to their predictions: the joins to tell of,
    and by how many fewer rows wait.
    """
    telling = Telling(me)
    if not aliases or connection.execute(_HAS_PARKED).fetchone() != (True,):
        return [], telling, 0
    waiting = connection.execute(_PARKED, (list(aliases),)).fetchall()
    targets = find(connection, {alias for alias, *_ in waiting}) if waiting else {}
    moving = [cells for cells in waiting if cells[0] in targets and targets[cells[0]].key]
    if not moving:
        return [], telling, 0
    places = columns([cells[:2] for cells in moving])
    told = [*connection.execute(_HISTORY, places).fetchall(), *moving]
    connection.execute(_UNPARK, places)
    connection.execute(_FORGET_HISTORY, places)
    labels = [
        read_label(one, row, cells)
        for alias, row, *cells in told
        if (one := targets[alias].prediction_id) is not None  # else it was deleted, and so are they
    ]
    labels.sort(key=lambda label: label.received_at)
    report, telling, parked = join(connection, labels, replace(me, room=len(labels)))
    return summed(report.joined), telling, len(moving) - parked


def settle_passed(connection: psycopg.Connection, now: float, me: Me) -> int:
    """What two transactions that passed each other left apart; by how many fewer rows wait."""
    since = now - PASSED_SECONDS
    connection.execute(_MARK_PASSED, (since,))
    passed = connection.execute(_PASSED, (since, PASSED_AT_ONCE)).fetchall()
    _, telling, landed = settle(connection, [alias for (alias,) in passed], me)
    telling.later(connection)
    return landed
