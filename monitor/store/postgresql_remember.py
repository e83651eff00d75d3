"""Predictions into PostgreSQL: copied into a table of the connection's own, then put in place.

Knows the tables; whoever calls it begins and commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from monitor.records.batch import Batch
from monitor.records.label import Joined
from monitor.store import postgresql_landing
from monitor.store.aliases import Name, listed
from monitor.store.postgresql_aliases import keep, of_kept
from monitor.store.postgresql_cells import copy_lines, read_label, read_prediction, stored_text
from monitor.store.postgresql_join import Me, Telling

_INCOMING = """CREATE TEMPORARY TABLE IF NOT EXISTS incoming(
    n integer, key bigint, row bigint, id text, at double precision,
    value text, probabilities text, segments text) ON COMMIT DELETE ROWS"""
_COPY = "COPY incoming FROM STDIN"
_HAS_ERASED = "SELECT EXISTS(SELECT 1 FROM forgotten WHERE erased)"
_DROP_ERASED = """DELETE FROM incoming i USING forgotten f WHERE f.erased AND f.key = i.key"""
# In the order of the keys, so that two replicas never wait for each other; the first of a pair
# counts. A row that holds only a label takes its prediction up, and is told of.
_PLACE = """WITH placed AS (
    INSERT INTO predictions AS p(
        key, row, id, model, replica, at, value, probabilities, segments)
    SELECT DISTINCT ON (i.key, i.row)
        i.key, i.row, i.id, %(model)s::int, %(replica)s::int,
        i.at, i.value, i.probabilities, i.segments
    FROM incoming i
    ORDER BY i.key, i.row, i.n
    ON CONFLICT (key, row) DO UPDATE SET
        model = excluded.model, replica = excluded.replica, at = excluded.at,
        value = excluded.value, probabilities = excluded.probabilities,
        segments = excluded.segments
        WHERE p.at IS NULL AND p.id = excluded.id
    RETURNING id, row, at, value, probabilities, segments, label, observed_at, received_at, source)
SELECT (SELECT count(*) FROM placed), p.*
FROM (SELECT 1) always LEFT JOIN placed p ON p.label IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class Placed:
    """What came of it: rows that are kept, rows of deleted ids, and what that meant for labels."""

    joined: tuple[Joined, ...]
    rows: int  # that were placed
    erased: int  # that were left out, since their ids were deleted
    withdrawn: int  # that were taken out, since another name was deleted
    landed: int  # rows of labels that wait no more


def remember(
    connection: psycopg.Connection, batches: Sequence[Batch], segments: Sequence[str], me: Me
) -> Placed:
    """Put predictions and their names in place, and let labels that had waited meet them."""
    names: Sequence[Name] = listed(batches, stored_text)
    telling = Telling(me)
    erased = withdrawn = waited = 0
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL client_min_messages = warning")  # that it exists is no news
        cursor.execute(_INCOMING)
        with cursor.copy(_COPY) as copy:
            for piece in copy_lines(batches, segments):
                copy.write(piece)
        if cursor.execute(_HAS_ERASED).fetchone() == (True,):
            withdrawn, waited = postgresql_landing.withdraw(connection, names, telling)
            erased = cursor.execute(_DROP_ERASED).rowcount
        found = cursor.execute(_PLACE, {"model": me.model, "replica": me.replica}).fetchall()
        rows = int(found[0][0])
        late, landed = _named(connection, names, me, all_new=rows == sum(map(len, batches)))
        if found[0][1] is None and not landed and not withdrawn:
            # No label is concerned: a crash of the server may take the last moments with it.
            cursor.execute("SET LOCAL synchronous_commit = off")
    telling.send(connection)
    joined = [
        Joined(read_prediction(one, row, cells[:4]), read_label(one, row, cells[4:]))
        for _, one, row, *cells in found
        if one is not None
    ]
    landed += waited + len(joined)
    return Placed((*joined, *late, *telling.mine), rows, erased, withdrawn, landed)


def _named(
    connection: psycopg.Connection, names: Sequence[Name], me: Me, *, all_new: bool
) -> tuple[list[Joined], int]:
    """Keep the names of what was placed; the joins of labels that had waited under them."""
    if not names:
        return [], 0
    if not all_new:
        names = of_kept(connection, names)
    keep(connection, names)
    joined, _, landed = postgresql_landing.settle(connection, [one.alias for one in names], me)
    return joined, landed
