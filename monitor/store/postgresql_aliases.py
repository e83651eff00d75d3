"""Other names of predictions in PostgreSQL: kept and found.

Knows the tables and the rule of aliases; whoever calls it begins and commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import psycopg

from monitor.store.aliases import RENEWED_SECONDS, Name, kept, meanings
from monitor.store.values import key_of

_FIND = """SELECT a.alias, a.key, (
        SELECT p.id FROM predictions p WHERE p.key = a.key AND p.at IS NOT NULL LIMIT 1)
    FROM aliases a WHERE a.alias = ANY(%s::bigint[])"""
_IS_PREDICTION = """SELECT EXISTS(
    SELECT 1 FROM predictions WHERE key = %s AND id = %s AND at IS NOT NULL)"""
_BEGAN = "SELECT key, at FROM predictions WHERE key = ANY(%s::bigint[]) AND at IS NOT NULL"
# In the order of the names, so that two replicas never wait for each other.
_KEEP = f"""INSERT INTO aliases AS a(alias, key, rank, at)
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::smallint[], %s::float8[])
    ON CONFLICT(alias) DO UPDATE SET
        key = CASE WHEN excluded.rank < a.rank THEN excluded.key
            WHEN excluded.rank > a.rank OR excluded.key = a.key THEN a.key END,
        rank = least(a.rank, excluded.rank), at = greatest(a.at, excluded.at)
    WHERE excluded.rank < a.rank
        OR (excluded.rank = a.rank AND a.key IS NOT NULL AND excluded.key IS DISTINCT FROM a.key)
        OR excluded.at > a.at + {RENEWED_SECONDS}"""  # noqa: S608 - constants only


class Target(NamedTuple):
    """What a name stands for."""

    key: int | None  # of the prediction; None where there is more than one
    prediction_id: str | None  # None where it was forgotten


def find(connection: psycopg.Connection, aliases: Iterable[int]) -> dict[int, Target]:
    """The predictions that names stand for, by the names' digests."""
    found = connection.execute(_FIND, (list(aliases),))
    return {alias: Target(key, prediction_id) for alias, key, prediction_id in found}


def named(connection: psycopg.Connection, name: str) -> Target | None:
    """The prediction that a name stands for, unless one has it for its id."""
    found = find(connection, [key_of(name)]).get(key_of(name))
    if found is None or connection.execute(_IS_PREDICTION, (key_of(name), name)).fetchone() == (
        True,
    ):
        return None
    return found


def of_kept(connection: psycopg.Connection, names: Sequence[Name]) -> list[Name]:
    """The names of predictions that are kept, not of those whose id was taken."""
    return kept(names, dict(connection.execute(_BEGAN, (list({one.key for one in names}),))))


def keep(connection: psycopg.Connection, names: Sequence[Name]) -> None:
    """Keep names; what each stands for is then what the rule says."""
    rows = sorted((alias, *meaning) for alias, meaning in meanings(names).items())
    if rows:
        connection.execute(_KEEP, [list(column) for column in zip(*rows, strict=True)])
