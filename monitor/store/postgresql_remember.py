"""Predictions into PostgreSQL: copied into a table of the connection's own, then put in place.

Knows the tables; whoever calls it begins and commits.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from monitor.records.batch import Batch
from monitor.records.label import Joined
from monitor.store.postgresql_cells import copy_lines, read_label, read_prediction
from monitor.store.postgresql_join import Me

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


def remember(
    connection: psycopg.Connection, batches: Sequence[Batch], segments: Sequence[str], me: Me
) -> tuple[list[Joined], int, int]:
    """Put predictions in place: labels that had waited, rows placed, and rows of erased ids."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL client_min_messages = warning")  # that it exists is no news
        cursor.execute(_INCOMING)
        with cursor.copy(_COPY) as copy:
            for piece in copy_lines(batches, segments):
                copy.write(piece)
        erased = 0
        if cursor.execute(_HAS_ERASED).fetchone() == (True,):
            erased = cursor.execute(_DROP_ERASED).rowcount
        found = cursor.execute(_PLACE, {"model": me.model, "replica": me.replica}).fetchall()
        if found[0][1] is None:
            # No label is concerned: a crash of the server may take the last moments with it.
            cursor.execute("SET LOCAL synchronous_commit = off")
    joined = [
        Joined(read_prediction(one, row, cells[:4]), read_label(one, row, cells[4:]))
        for _, one, row, *cells in found
        if one is not None
    ]
    return joined, int(found[0][0]), erased
