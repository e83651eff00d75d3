"""The embedded store: one SQLite file in WAL mode, written through one connection.

Knows SQLite and the join; not threads (`writer` has the one that calls), nor what joins are for.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

import orjson

from monitor.errors import StoreError
from monitor.records.batch import Batch
from monitor.records.label import Joined, Label, Outcome
from monitor.store import (
    sqlite_aliases,
    sqlite_expiry,
    sqlite_journal,
    sqlite_read,
    sqlite_withdraw,
)
from monitor.store.join import fault
from monitor.store.journal import Journal
from monitor.store.protocol import (
    DEFAULT_RESTORED_ROWS,
    Erased,
    Expired,
    JoinReport,
    Remembered,
    Resumed,
    Revoked,
    Stored,
)
from monitor.store.settings import StoreSettings
from monitor.store.sqlite_connection import SqliteFile, counted
from monitor.store.sqlite_join import Placed, place, settle_landed
from monitor.store.values import (
    key_of,
    plain,
    predicted_cells,
    probability_texts,
    segment_texts,
    to_text,
)

# SQLite lets other threads run at every statement, and waits its turn to go on: with a statement
# for each row, a busy event loop would let through one row in 5 ms.
_ROWS_PER_STATEMENT = 256
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT, _INSERT_MANY = (
    f"""INSERT INTO predictions(key, id, row, at, value, probabilities, segments, model)
    VALUES{", ".join([_ROW] * rows)} ON CONFLICT(key, row) DO NOTHING"""
    for rows in (1, _ROWS_PER_STATEMENT)
)


class SqliteStore:
    """A `Store` in one file. After an error the file is opened anew by the next call."""

    shared = False

    def __init__(
        self,
        path: Path,
        settings: StoreSettings = StoreSettings(),  # noqa: B008 - frozen
        pause: Callable[[], None] | None = None,
    ) -> None:
        """`pause` is called often within long statements, and lets others have the core."""
        model = (to_text(settings.model), to_text(settings.version))
        self._file = SqliteFile(path, model, pause)
        self._segments = settings.segments
        self._retention = sqlite_expiry.Retention(settings.label_ttl_seconds, settings.max_bytes)
        self._max_parked = settings.max_parked
        self._step = sqlite_expiry.STEP_ROWS  # of forgetting
        self._journal = Journal()
        with self._file.translated():
            self._file.opened()

    def remember(self, batches: Sequence[Batch]) -> Remembered:
        """Keep predictions; all of them or, on StoreError, none."""
        with self._file.transaction(durable=False) as connection:
            (last,) = connection.execute("SELECT max(seq) FROM predictions").fetchone()
            before = connection.total_changes
            _insert(connection, chain.from_iterable(self._cells(batch) for batch in batches))
            added = connection.total_changes - before
            conflicts = sum(len(batch) for batch in batches) - added
            names = sqlite_aliases.keep(connection, batches, all_new=not conflicts)
            erased = parked = marked = 0
            withdrawn = False
            if self._file.tallies["erased"]:
                erased, parked, marked = sqlite_aliases.withdraw(
                    connection, names, self._file.model
                )
                withdrawn = bool(erased or marked)
                erased += sqlite_withdraw.drop_erased(connection, last or 0)
            joined: list[Joined] = []
            if self._file.tallies["parked"]:
                joined, landed = settle_landed(connection, last or 0, self._file.model)
                late, unparked = sqlite_aliases.settle(connection, names, self._file.model)
                joined, parked = joined + late, parked + landed + unparked
            noted = sqlite_journal.add(connection, joined, self._journal, forgets=withdrawn)
            tallies = counted(connection, rows=added - erased, parked=-parked, erased=marked)
        self._committed(tallies, noted)
        return Remembered(tuple(joined), conflicts, erased)

    def join(self, labels: Sequence[Label]) -> JoinReport:
        """Keep labels, on the disk when this returns; all of them or, on StoreError, none."""
        placed: list[Placed] = []
        rejected: dict[int, str] = {}
        with self._file.transaction(durable=True) as connection:
            parked = self._file.tallies["parked"]
            for index, label in enumerate(labels):
                wrong = fault(label)
                one = (
                    Placed(Outcome.REJECTED, fault=wrong)
                    if wrong
                    else place(
                        connection, label, self._file.model, may_park=parked < self._max_parked
                    )
                )
                parked += one.parked
                placed.append(one)
                if one.fault:
                    rejected[index] = one.fault
            joined = tuple(one.joined for one in placed if one.joined is not None)
            noted = sqlite_journal.add(connection, joined, self._journal)
            tallies = counted(connection, parked=parked - self._file.tallies["parked"])
        self._committed(tallies, noted)
        return JoinReport(tuple(one.outcome for one in placed), joined, rejected)

    def news(self) -> tuple[Joined, ...]:
        """Nothing: nobody else writes to this file."""
        return ()

    def erase(self, prediction_id: str, now: float) -> Erased:
        """Delete all of an id, for good, on the disk when this returns."""
        with self._file.transaction(durable=True) as connection:
            connection.execute("PRAGMA secure_delete=ON")  # off by default: what is freed is kept
            erased, parked, marked = sqlite_withdraw.erase_named(
                connection, to_text(prediction_id), now, self._file.model
            )
            noted = sqlite_journal.leave_gap(connection)  # the journal may tell of it too
            tallies = counted(connection, rows=-erased.rows, parked=-parked, erased=marked)
        self._committed(tallies, noted)
        return erased

    def revoke(self, source: str, until: float, at: int = 0) -> Revoked:
        """Take out one step's worth of a source's labels; what others said counts again."""
        with self._file.transaction(durable=True) as connection:
            revoked, unparked = sqlite_withdraw.revoke(
                connection, to_text(source), until, at, self._file.model
            )
            noted = sqlite_journal.add(connection, revoked.joined, self._journal)
            tallies = counted(connection, parked=-unparked)
        self._committed(tallies, noted)
        return revoked

    def prediction(self, prediction_id: str) -> list[Stored]:
        """All rows of a request, by row; empty where the id is unknown."""
        with self._file.translated():
            return sqlite_read.stored(self._file.opened(), to_text(prediction_id))

    def joined_since(self, at: float, limit: int = DEFAULT_RESTORED_ROWS) -> Iterator[Joined]:
        """The newest `limit` joins of this model that began to count at `at` or later, oldest
        first, as they are now.
        """
        with self._file.transaction(durable=True) as connection:
            noted = sqlite_journal.leave_gap(connection)
        self._committed(self._file.tallies, noted)
        with self._file.translated():
            return sqlite_journal.rows_as_of_now(self._file.path, self._file.model, at, limit)

    def told(self) -> tuple[int, ...]:
        """The journal's entries of all joins that were told since the last call."""
        return self._journal.told()

    def checkpoint(self, documents: Mapping[str, object], entries: Sequence[int]) -> None:
        """Keep documents that hold what these entries of the journal said, in their place."""
        bodies = {key: _body(key, document) for key, document in documents.items()}
        with self._file.transaction(durable=True) as connection:
            sqlite_journal.cover(connection, bodies, entries)
        self._journal.covered(entries)

    def resume(self, prefix: str) -> Resumed:
        """The checkpoint's documents, and what came after it."""
        with self._file.translated():
            resumed, noted = sqlite_journal.resume(self._file.opened(), prefix, self._journal.open)
        for entry, joins, gap in noted:
            self._journal.note(entry, joins, gap=gap)
        return resumed

    def expire(self, now: float) -> Expired:
        """Forget one small step's worth of what is too old, or of the oldest where it is too
        much.
        """
        with self._file.transaction(durable=False) as connection:
            began = time.monotonic()
            step = self._step
            expired, steps = sqlite_expiry.expire(connection, now, self._retention, step)
            tallies = counted(connection, **steps)
        self._file.tallies = tallies
        self._step = sqlite_expiry.next_step(step, expired, time.monotonic() - began)
        return expired

    def put_document(self, key: str, document: object) -> None:
        """Keep a small JSON document under a key, on the disk when this returns; None
        removes it.
        """
        body = _body(key, document)
        with self._file.transaction(durable=True) as connection:
            sqlite_journal.put(connection, key, body)

    def get_document(self, key: str) -> Any:  # noqa: ANN401 - any JSON
        """The document under a key, or None."""
        with self._file.translated():
            found = self._file.opened().execute("SELECT body FROM documents WHERE key = ?", (key,))
            row = found.fetchone()
        return None if row is None else orjson.loads(row[0])

    def documents(self, prefix: str) -> dict[str, Any]:
        """Every document whose key begins like this, by its key."""
        with self._file.translated():
            return sqlite_journal.documents(self._file.opened(), prefix)

    def rows(self) -> int:
        """Predictions kept."""
        return self._file.tallies["rows"]

    def parked(self) -> int:
        """Labels that wait for their predictions."""
        return self._file.tallies["parked"]

    def close(self) -> None:
        """Close the file; what waits in its log is written into it."""
        self._file.close()

    def _cells(self, batch: Batch) -> Iterator[tuple[object, ...]]:
        ids = [to_text(one) for one in batch.ids]
        return zip(
            map(key_of, ids),
            ids,
            plain(batch.rows),
            plain(batch.at),
            predicted_cells(batch),
            probability_texts(batch),
            segment_texts(batch, self._segments),
            repeat(self._file.model, len(ids)),
            strict=True,
        )

    def _committed(self, tallies: dict[str, int], noted: sqlite_journal.Noted | None) -> None:
        self._file.tallies = tallies
        if noted is not None:
            entry, joins, gap = noted
            self._journal.note(entry, joins, gap=gap)


def _insert(connection: sqlite3.Connection, rows: Iterator[tuple[object, ...]]) -> None:
    block = list(islice(rows, _ROWS_PER_STATEMENT))
    while len(block) == _ROWS_PER_STATEMENT:
        connection.execute(_INSERT_MANY, list(chain.from_iterable(block)))
        block = list(islice(rows, _ROWS_PER_STATEMENT))
    connection.executemany(_INSERT, block)


def _body(key: str, document: object) -> bytes | None:
    try:
        return None if document is None else orjson.dumps(document)
    except TypeError as error:
        raise StoreError(f"document {key!r} is not JSON: {error}") from None
