"""The embedded store: one SQLite file in WAL mode, written through one connection.

Knows SQLite and the join; not threads (`writer` has the one that calls), nor what joins are for.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

import orjson

from monitor.errors import StoreError
from monitor.records.batch import Batch
from monitor.records.label import Joined, Label, Outcome
from monitor.store import sqlite_aliases, sqlite_expiry, sqlite_read, sqlite_withdraw
from monitor.store.join import fault
from monitor.store.protocol import (
    DEFAULT_RESTORED_ROWS,
    Erased,
    Expired,
    JoinReport,
    Remembered,
    Revoked,
    Stored,
)
from monitor.store.settings import StoreSettings
from monitor.store.sqlite_join import Placed, place, settle_landed
from monitor.store.sqlite_schema import model_number, prepare
from monitor.store.values import (
    key_of,
    plain,
    predicted_cells,
    probability_texts,
    segment_texts,
    to_text,
)

_BUSY_SECONDS = 1.0
# SQLite lets other threads run at every statement, and waits its turn to go on: with a statement
# for each row, a busy event loop would let through one row in 5 ms.
_ROWS_PER_STATEMENT = 256
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT, _INSERT_MANY = (
    f"""INSERT INTO predictions(key, id, row, at, value, probabilities, segments, model)
    VALUES{", ".join([_ROW] * rows)} ON CONFLICT(key, row) DO NOTHING"""
    for rows in (1, _ROWS_PER_STATEMENT)
)
_DOCUMENTS = "SELECT key, body FROM documents WHERE substr(key, 1, ?) = ?"
_TALLIES = ("rows", "parked", "erased")
_FOREIGN_ERRORS = (sqlite3.Error, OSError, OverflowError, UnicodeError)


class SqliteStore:
    """A `Store` in one file. After an error the file is opened anew by the next call."""

    shared = False

    def __init__(self, path: Path, settings: StoreSettings = StoreSettings()) -> None:  # noqa: B008 - frozen
        self._path = path
        self._model_name = (to_text(settings.model), to_text(settings.version))
        self._segments = settings.segments
        self._retention = sqlite_expiry.Retention(settings.label_ttl_seconds, settings.max_bytes)
        self._max_parked = settings.max_parked
        self._model = 0
        self._tallies = dict.fromkeys(_TALLIES, 0)
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        with self._translated():
            self._opened()

    def remember(self, batches: Sequence[Batch]) -> Remembered:
        """Keep predictions; all of them or, on StoreError, none."""
        with self._transaction(durable=False) as connection:
            (last,) = connection.execute("SELECT max(seq) FROM predictions").fetchone()
            before = connection.total_changes
            _insert(connection, chain.from_iterable(self._cells(batch) for batch in batches))
            added = connection.total_changes - before
            conflicts = sum(len(batch) for batch in batches) - added
            names = sqlite_aliases.keep(connection, batches, all_new=not conflicts)
            erased = parked = marked = 0
            if self._tallies["erased"]:
                erased, parked, marked = sqlite_aliases.withdraw(connection, names, self._model)
                erased += sqlite_withdraw.drop_erased(connection, last or 0)
            joined: list[Joined] = []
            if self._tallies["parked"]:
                joined, landed = settle_landed(connection, last or 0, self._model)
                late, unparked = sqlite_aliases.settle(connection, names, self._model)
                joined, parked = joined + late, parked + landed + unparked
            tallies = self._counted(connection, rows=added - erased, parked=-parked, erased=marked)
        self._tallies = tallies
        return Remembered(tuple(joined), conflicts, erased)

    def join(self, labels: Sequence[Label]) -> JoinReport:
        """Keep labels, on the disk when this returns; all of them or, on StoreError, none."""
        placed: list[Placed] = []
        rejected: dict[int, str] = {}
        with self._transaction(durable=True) as connection:
            parked = self._tallies["parked"]
            for index, label in enumerate(labels):
                wrong = fault(label)
                one = (
                    Placed(Outcome.REJECTED, fault=wrong)
                    if wrong
                    else place(connection, label, self._model, may_park=parked < self._max_parked)
                )
                parked += one.parked
                placed.append(one)
                if one.fault:
                    rejected[index] = one.fault
            tallies = self._counted(connection, parked=parked - self._tallies["parked"])
        self._tallies = tallies
        joined = tuple(one.joined for one in placed if one.joined is not None)
        return JoinReport(tuple(one.outcome for one in placed), joined, rejected)

    def news(self) -> tuple[Joined, ...]:
        """Nothing: nobody else writes to this file."""
        return ()

    def erase(self, prediction_id: str, now: float) -> Erased:
        """Delete all of an id, for good, on the disk when this returns."""
        with self._transaction(durable=True) as connection:
            connection.execute("PRAGMA secure_delete=ON")  # off by default: what is freed is kept
            erased, parked, marked = sqlite_withdraw.erase_named(
                connection, to_text(prediction_id), now, self._model
            )
            tallies = self._counted(connection, rows=-erased.rows, parked=-parked, erased=marked)
        self._tallies = tallies
        return erased

    def revoke(self, source: str, until: float, at: int = 0) -> Revoked:
        """Take out one step's worth of a source's labels; what others said counts again."""
        with self._transaction(durable=True) as connection:
            revoked, unparked = sqlite_withdraw.revoke(
                connection, to_text(source), until, at, self._model
            )
            tallies = self._counted(connection, parked=-unparked)
        self._tallies = tallies
        return revoked

    def prediction(self, prediction_id: str) -> list[Stored]:
        """All rows of a request, by row; empty where the id is unknown."""
        with self._translated():
            return sqlite_read.stored(self._opened(), to_text(prediction_id))

    def joined_since(self, at: float, limit: int = DEFAULT_RESTORED_ROWS) -> Iterator[Joined]:
        """The newest `limit` joins of this model that began to count at `at` or later, oldest
        first.
        """
        with self._translated():
            yield from sqlite_read.joined_since(self._opened(), self._model, at, limit)

    def expire(self, now: float) -> Expired:
        """Forget one small step's worth of what is too old, or of the oldest where it is too
        much.
        """
        with self._transaction(durable=False) as connection:
            expired, steps = sqlite_expiry.expire(connection, now, self._retention)
            tallies = self._counted(connection, **steps)
        self._tallies = tallies
        return expired

    def put_document(self, key: str, document: object) -> None:
        """Keep a small JSON document under a key, on the disk when this returns; None
        removes it.
        """
        try:
            body = None if document is None else orjson.dumps(document)
        except TypeError as error:
            raise StoreError(f"document {key!r} is not JSON: {error}") from None
        with self._transaction(durable=True) as connection:
            if body is None:
                connection.execute("DELETE FROM documents WHERE key = ?", (key,))
            else:
                connection.execute("INSERT OR REPLACE INTO documents VALUES(?, ?)", (key, body))

    def get_document(self, key: str) -> Any:  # noqa: ANN401 - any JSON
        """The document under a key, or None."""
        with self._translated():
            found = self._opened().execute("SELECT body FROM documents WHERE key = ?", (key,))
            row = found.fetchone()
        return None if row is None else orjson.loads(row[0])

    def documents(self, prefix: str) -> dict[str, Any]:
        """Every document whose key begins like this, by its key."""
        with self._translated():
            found = self._opened().execute(_DOCUMENTS, (len(prefix), prefix)).fetchall()
        return {key: orjson.loads(body) for key, body in found}

    def rows(self) -> int:
        """Predictions kept."""
        return self._tallies["rows"]

    def parked(self) -> int:
        """Labels that wait for their predictions."""
        return self._tallies["parked"]

    def close(self) -> None:
        """Close the file; what waits in its log is written into it."""
        self._closed = True
        self._drop()

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
            repeat(self._model, len(ids)),
            strict=True,
        )

    def _counted(self, connection: sqlite3.Connection, **steps: int) -> dict[str, int]:
        """The tallies after this transaction, written with it."""
        for name, step in steps.items():
            if step:
                connection.execute(
                    "UPDATE tallies SET value = value + ? WHERE name = ?", (step, name)
                )
        return dict(connection.execute("SELECT name, value FROM tallies").fetchall())

    @contextlib.contextmanager
    def _transaction(self, *, durable: bool) -> Iterator[sqlite3.Connection]:
        with self._translated():
            connection = self._opened()
            connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                self._drop()  # which rolls back
                raise

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Foreign exceptions become StoreError, and a connection that failed is not used again."""
        try:
            yield
        except (*_FOREIGN_ERRORS, StoreError) as error:
            self._drop()
            raise StoreError(f"{self._path}: {error}") from error

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            if self._closed:
                raise StoreError("it is closed")
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self._path,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,  # one at a time: opened in one, used in another
            )
            try:
                prepare(connection)
                self._model = model_number(connection, *self._model_name)
                tallies = connection.execute("SELECT name, value FROM tallies").fetchall()
            except BaseException:
                _close(connection)
                raise
            self._tallies = dict(tallies)
            self._connection = connection
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            _close(connection)


def _insert(connection: sqlite3.Connection, rows: Iterator[tuple[object, ...]]) -> None:
    block = list(islice(rows, _ROWS_PER_STATEMENT))
    while len(block) == _ROWS_PER_STATEMENT:
        connection.execute(_INSERT_MANY, list(chain.from_iterable(block)))
        block = list(islice(rows, _ROWS_PER_STATEMENT))
    connection.executemany(_INSERT, block)


def _close(connection: sqlite3.Connection) -> None:
    """Close, which rolls back what was begun."""
    with contextlib.suppress(sqlite3.Error):
        connection.close()
