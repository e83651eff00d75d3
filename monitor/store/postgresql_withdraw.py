"""Taking things out again, in PostgreSQL: all of one id, for good, or all that one source said.

Knows the tables and the rule of the join; whoever calls it begins and commits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg

from monitor.records.label import Joined, Label
from monitor.store.join import newest
from monitor.store.postgresql_aliases import named
from monitor.store.postgresql_cells import read_label, read_prediction
from monitor.store.postgresql_join import Telling, columns, label_cells
from monitor.store.protocol import Erased, Revoked
from monitor.store.values import key_of

STEP_ROWS = 5_000

_ERASE = """DELETE FROM predictions WHERE key = %s AND id = %s RETURNING row, model, replica,
    at, value, probabilities, segments, label, observed_at, received_at, source"""
_ERASE_HISTORY = "DELETE FROM history WHERE key = %s"
_MARK = """INSERT INTO forgotten(key, at, erased) VALUES(%s, %s, true)
    ON CONFLICT(key) DO UPDATE SET at = excluded.at, erased = true"""

_REVOKE_HISTORY = "DELETE FROM history WHERE source = %s AND received_at <= %s"
_REVOKED = """SELECT key, row, id, model, replica, at, value, probabilities, segments,
        label, observed_at, received_at, source
    FROM predictions WHERE source = %s AND received_at <= %s
    ORDER BY key, row LIMIT %s FOR UPDATE"""
_OTHERS = """SELECT h.key, h.row, h.label, h.observed_at, h.received_at, h.source
    FROM history h JOIN unnest(%s::bigint[], %s::bigint[]) AS sought(key, row) USING(key, row)"""
_FALL_BACK = """UPDATE predictions p SET label = w.label, observed_at = w.observed_at,
        received_at = w.received_at, source = w.source
    FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::float8[], %s::float8[], %s::text[])
        AS w(key, row, label, observed_at, received_at, source)
    WHERE p.key = w.key AND p.row = w.row"""
_UNKEEP = """DELETE FROM history h
    USING unnest(%s::bigint[], %s::bigint[], %s::text[], %s::float8[], %s::text[])
        AS w(key, row, label, observed_at, source)
    WHERE (h.key, h.row, h.observed_at, md5(h.label), h.source)
        = (w.key, w.row, w.observed_at, md5(w.label), w.source)"""
_UNPARK = """DELETE FROM predictions p USING unnest(%s::bigint[], %s::bigint[]) AS w(key, row)
    WHERE p.key = w.key AND p.row = w.row AND p.at IS NULL"""

Place = tuple[int, int]


def erase_named(
    connection: psycopg.Connection, name: str, now: float, telling: Telling
) -> tuple[Erased, int]:
    """The same by an id, or by another name of its prediction; of several predictions none."""
    found = named(connection, name)
    if found is not None and found.key is None:
        return Erased(ambiguous=True), 0
    alone, waited = erase(connection, name, now, telling)
    if found is None or found.prediction_id is None:
        return alone, waited
    erased, parked = erase(connection, found.prediction_id, now, telling)
    return replace(erased, labels=erased.labels + alone.labels), parked + waited


def erase(
    connection: psycopg.Connection, prediction_id: str, now: float, telling: Telling
) -> tuple[Erased, int]:
    """Delete all of an id and mark it; also how many labels had been parked."""
    key = key_of(prediction_id)
    connection.execute(_MARK, (key, now))
    found = connection.execute(_ERASE, (key, prediction_id)).fetchall()
    connection.execute(_ERASE_HISTORY, (key,))
    rows = labels = 0
    for row, model, replica, *cells in found:
        rows += cells[0] is not None
        if cells[4] is None:
            continue
        labels += 1
        if cells[0] is not None:
            prediction = read_prediction(prediction_id, row, cells[:4])
            gone = read_label(prediction_id, row, cells[4:])
            telling.add(Joined(prediction, None, gone), model, replica)
    telling.send(connection)
    return Erased(rows, labels, tuple(telling.mine)), len(found) - rows


def revoke(
    connection: psycopg.Connection, source: str, until: float, at: int, telling: Telling
) -> tuple[Revoked, int]:
    """One step of at most STEP_ROWS rows; also how many labels wait no more."""
    taken = connection.execute(_REVOKE_HISTORY, (source, until)).rowcount
    found = connection.execute(_REVOKED, (source, until, STEP_ROWS)).fetchall()
    others = _others(connection, [(key, row) for key, row, *_ in found])
    fallen: list[tuple[object, ...]] = []
    unparked: list[Place] = []
    for key, row, prediction_id, model, replica, *cells in found:
        label = newest(others.get((key, row), ()))
        if cells[0] is None and label is None:
            unparked.append((key, row))
            continue
        told = (None, None, None, None) if label is None else label_cells(label)
        fallen.append((key, row, *told))
        if cells[0] is not None:
            prediction = read_prediction(prediction_id, row, cells[:4])
            previous = read_label(prediction_id, row, cells[4:])
            telling.add(Joined(prediction, _of(label, prediction_id), previous), model, replica)
    _write(connection, fallen, unparked)
    telling.send(connection)
    more = at + 1 if len(found) == STEP_ROWS else None
    return Revoked(taken + len(found), tuple(telling.mine), more), len(unparked)


def _others(connection: psycopg.Connection, places: list[Place]) -> dict[Place, list[Label]]:
    others: dict[Place, list[Label]] = {}
    if places:
        for key, row, *cells in connection.execute(_OTHERS, columns(places)):
            others.setdefault((key, row), []).append(read_label("", row, cells))
    return others


def _write(
    connection: psycopg.Connection, fallen: list[tuple[Any, ...]], unparked: list[Place]
) -> None:
    if fallen:
        connection.execute(_FALL_BACK, columns(fallen))
    counted = [(*one[:4], one[5]) for one in fallen if one[2] is not None]
    if counted:
        connection.execute(_UNKEEP, columns(counted))
    if unparked:
        connection.execute(_UNPARK, columns(unparked))


def _of(label: Label | None, prediction_id: str) -> Label | None:
    if label is None:
        return None
    return Label(
        prediction_id, label.row, label.value, label.observed_at, label.received_at, label.source
    )
