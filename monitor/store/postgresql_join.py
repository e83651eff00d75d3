"""Labels meeting predictions inside one PostgreSQL transaction: rows locked, decided on, written
together.

Knows the tables and the rule of the join; whoever calls it begins and commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from monitor.records.label import Joined, Label, Outcome, Prediction
from monitor.store.aliases import AMBIGUOUS
from monitor.store.join import Change, change, displaced, fault, outcome
from monitor.store.journal import to_body
from monitor.store.postgresql_aliases import find
from monitor.store.postgresql_cells import (
    read_label,
    read_prediction,
    stored_text,
    to_json,
)
from monitor.store.protocol import JoinReport
from monitor.store.values import from_cell, key_of, to_cell

ABSENT_SECONDS = 300  # a replica silent for so long is gone: another counts its rows' first labels

_LOCK = f"""SELECT p.key, p.row, p.id, p.model, p.replica,
        coalesce(r.seen_at < now() - interval '{ABSENT_SECONDS} seconds', true),
        p.at, p.value, p.probabilities, p.segments, p.label, p.observed_at, p.received_at, p.source
    FROM predictions p JOIN unnest(%s::bigint[], %s::bigint[]) AS sought(key, row) USING(key, row)
        LEFT JOIN replicas r ON r.replica = p.replica
    ORDER BY p.key, p.row FOR UPDATE OF p"""  # noqa: S608 - constants only
_FORGOTTEN = "SELECT key FROM forgotten WHERE key = ANY(%s::bigint[])"
_HISTORY = """SELECT h.key, h.row, h.label, h.observed_at
    FROM history h JOIN unnest(%s::bigint[], %s::bigint[]) AS sought(key, row) USING(key, row)"""
_UPDATE = """UPDATE predictions p SET replica = w.replica, label = w.label,
        observed_at = w.observed_at, received_at = w.received_at, source = w.source
    FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::text[],
        %s::float8[], %s::float8[], %s::text[])
        AS w(key, row, replica, label, observed_at, received_at, source)
    WHERE p.key = w.key AND p.row = w.row"""
_PARK = """INSERT INTO predictions(key, row, id, label, observed_at, received_at, source)
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[],
        %s::float8[], %s::float8[], %s::text[])
    ON CONFLICT DO NOTHING"""
_KEEP = """INSERT INTO history(key, row, label, observed_at, received_at, source)
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::text[],
        %s::float8[], %s::float8[], %s::text[])
    ON CONFLICT DO NOTHING"""
_TELL = """INSERT INTO news(replica, model, body)
    SELECT * FROM unnest(%s::int[], %s::int[], %s::text[])"""

Place = tuple[int, int]  # key, row


class Overtaken(Exception):  # noqa: N818 - no fault: what it was decided on has changed meanwhile
    """Another replica put the same row first; decide again."""


@dataclass(frozen=True, slots=True)
class Me:
    """Who joins: the numbers of this model and replica, and whether more labels may be parked."""

    model: int
    replica: int
    room: int = 0  # for labels to be parked


@dataclass(slots=True)
class Row:
    """One row as it is, and then as it is to be."""

    prediction_id: str
    prediction: Prediction | None = None
    model: int | None = None
    replica: int | None = None
    is_owner_gone: bool = False
    label: Label | None = None
    known: set[tuple[object, float]] = field(default_factory=set)
    kept: list[Label] = field(default_factory=list)
    is_new: bool = False
    changed: bool = False


@dataclass(slots=True)
class Telling:
    """Joins, to whom they are to be told."""

    me: Me
    mine: list[Joined] = field(default_factory=list)
    others: dict[tuple[int, int], list[Joined]] = field(default_factory=dict)  # by replica, model

    def add(self, joined: Joined, model: int | None, replica: int | None) -> None:
        """Tell the owner of the prediction."""
        if replica is None or model is None:
            return
        if replica != self.me.replica:
            self.others.setdefault((replica, model), []).append(joined)
        elif model == self.me.model:
            self.mine.append(joined)

    def send(self, connection: psycopg.Connection) -> None:
        """Leave the others' news where they find them."""
        if self.others:
            news = [(*owner, to_body(told).decode()) for owner, told in self.others.items()]
            connection.execute(_TELL, columns(news))

    def later(self, connection: psycopg.Connection) -> None:
        """Leave what is this replica's own where it finds it, too."""
        if self.mine:
            mine = (self.me.replica, self.me.model, to_body(self.mine).decode())
            connection.execute(_TELL, columns([mine]))


def join(
    connection: psycopg.Connection, labels: Sequence[Label], me: Me
) -> tuple[JoinReport, Telling, int]:
    """Put labels where they belong; also how many were parked anew. Overtaken: roll back, try
    again.
    """
    faults = {index: wrong for index, one in enumerate(labels) if (wrong := fault(one))}
    kept = [one if index in faults else _kept(one) for index, one in enumerate(labels)]
    places = [(key_of(one.prediction_id), one.row) for one in kept]
    sought = sorted({place for index, place in enumerate(places) if index not in faults})
    rows, forgotten = _load(connection, sought)
    rejected = dict(faults)
    if len(rows) < len(sought) or any(row.prediction is None for row in rows.values()):
        rejected |= _rename(connection, (kept, places), (rows, forgotten), faults)
    telling = Telling(me)
    room = me.room
    outcomes: list[Outcome] = []
    for index, (label, place) in enumerate(zip(kept, places, strict=True)):
        if index in rejected:
            outcomes.append(Outcome.REJECTED)
            continue
        row = rows.get(place)
        if row is None and place[0] in forgotten:
            outcomes.append(Outcome.EXPIRED)
            continue
        if row is None and room <= 0:
            rejected[index] = "too many labels wait for their predictions"
            outcomes.append(Outcome.REJECTED)
            continue
        if row is None:
            row = rows[place] = Row(label.prediction_id, is_new=True)
            room -= 1
        if row.prediction_id != label.prediction_id:
            rejected[index] = "prediction_id cannot be told from another one"
            outcomes.append(Outcome.REJECTED)
            continue
        outcomes.append(_settle(row, label, telling))
    _save(connection, rows)
    telling.send(connection)
    return JoinReport(tuple(outcomes), tuple(telling.mine), rejected), telling, me.room - room


def _rename(
    connection: psycopg.Connection,
    posted: tuple[list[Label], list[Place]],
    loaded: tuple[dict[Place, Row], set[int]],
    faults: Mapping[int, str],
) -> dict[int, str]:
    """Let labels under other names of predictions go to those; and which cannot be told apart."""
    (labels, places), (rows, forgotten) = posted, loaded
    named = [
        index
        for index, place in enumerate(places)
        if index not in faults and place[0] not in forgotten and not _is_predicted(rows, place)
    ]
    targets = find(connection, {places[index][0] for index in named})
    meant = {
        index: (one.key, labels[index].row)
        for index in named
        if (one := targets.get(places[index][0])) is not None and one.key is not None
    }
    more, gone = _load(connection, sorted({*meant.values()} - rows.keys()))
    rows |= more
    forgotten |= gone
    for index, place in meant.items():
        prediction_id = targets[places[index][0]].prediction_id
        if prediction_id is not None:
            labels[index] = replace(labels[index], prediction_id=prediction_id)
        if prediction_id is not None or place[0] in forgotten:
            places[index] = place
    unclear = (index for index in named if places[index][0] in targets and index not in meant)
    return dict.fromkeys(unclear, AMBIGUOUS)


def _is_predicted(rows: Mapping[Place, Row], place: Place) -> bool:
    return place in rows and rows[place].prediction is not None


def _settle(row: Row, new: Label, telling: Telling) -> Outcome:
    """Let the rule decide, and note what it decided."""
    current = row.label
    made = change(current, new, lambda label: (label.value, label.observed_at) in row.known)
    kept = displaced(made, current, new)
    if kept is not None:
        row.kept.append(kept)
        row.known.add((kept.value, kept.observed_at))
    if made in {Change.FIRST, Change.REPLACES, Change.RENEWS}:
        received_at = (
            new.received_at
            if made is not Change.RENEWS or current is None
            else (current.received_at)
        )
        row.label = replace(new, received_at=received_at)
        row.changed = True
    if row.prediction is None:
        return outcome(made, parked=True)
    if made is Change.FIRST and row.is_owner_gone and row.model == telling.me.model:
        row.replica = telling.me.replica
    if made in {Change.FIRST, Change.REPLACES}:
        telling.add(Joined(row.prediction, new, current), row.model, row.replica)
    return outcome(made, parked=False)


def _load(connection: psycopg.Connection, sought: list[Place]) -> tuple[dict[Place, Row], set[int]]:
    rows = {
        (cells[0], cells[1]): _row(cells)
        for cells in connection.execute(_LOCK, columns(sought, width=2))
    }
    absent = [key for key, row in sought if (key, row) not in rows]
    forgotten = {key for (key,) in connection.execute(_FORGOTTEN, (absent,))} if absent else set()
    labelled = [place for place, row in rows.items() if row.label is not None]
    if labelled:
        for key, row, text, observed_at in connection.execute(_HISTORY, columns(labelled)):
            label = read_label("", row, (text, observed_at, observed_at, ""))
            rows[key, row].known.add((label.value, observed_at))
    return rows, forgotten


def _row(cells: tuple[Any, ...]) -> Row:
    _, row, prediction_id, model, replica, is_owner_gone, *rest = cells
    prediction = None if rest[0] is None else read_prediction(prediction_id, row, rest[:4])
    label = None if rest[4] is None else read_label(prediction_id, row, rest[4:])
    return Row(prediction_id, prediction, model, replica, is_owner_gone, label)


def _save(connection: psycopg.Connection, rows: dict[Place, Row]) -> None:
    changed: list[tuple[object, ...]] = []
    parked: list[tuple[object, ...]] = []
    kept: list[tuple[object, ...]] = []
    for (key, number), row in sorted(rows.items(), key=lambda item: item[0]):
        kept += [(key, number, *label_cells(one)) for one in row.kept]
        if row.label is None or not row.changed:
            continue
        if row.is_new:
            parked.append((key, number, row.prediction_id, *label_cells(row.label)))
        else:
            changed.append((key, number, row.replica, *label_cells(row.label)))
    if changed:
        connection.execute(_UPDATE, columns(changed))
    if parked and connection.execute(_PARK, columns(parked)).rowcount != len(parked):
        raise Overtaken
    if kept:
        connection.execute(_KEEP, columns(kept))


def label_cells(label: Label) -> tuple[object, ...]:
    """A label's columns label, observed_at, received_at, source."""
    return to_json(label.value), label.observed_at, label.received_at, label.source


def columns(rows: Iterable[Sequence[object]], width: int = 0) -> list[list[object]]:
    """Rows as one list a column, which `unnest` makes rows of again."""
    listed = list(rows)
    return [list(column) for column in zip(*listed, strict=True)] or [[] for _ in range(width)]


def _kept(label: Label) -> Label:
    """The label as the database gives it back, so that what is told now and after a restart is the
    same.
    """
    value = from_cell(to_cell(label.value))
    return replace(
        label,
        prediction_id=stored_text(label.prediction_id),
        value=label.value if value is None else value,
        source=stored_text(label.source),
    )
