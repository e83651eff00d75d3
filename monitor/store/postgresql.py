"""The shared store: one PostgreSQL database for many sidecars.

Knows PostgreSQL and the join; not threads (`writer` has the one that calls), nor what joins are
for. A prediction belongs to the replica that saw it, and every join is told to its owner, once: at
once where the owner made it, else by a line in `news` that is written in the same transaction. An
owner reads its news about once a second; a notification would come sooner, but it is lost when
nobody listens.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
import psycopg

from monitor.errors import StoreError
from monitor.records.batch import Batch
from monitor.records.label import Joined, Label
from monitor.store import (
    postgresql_journal,
    postgresql_read,
    postgresql_remember,
    postgresql_upkeep,
    postgresql_withdraw,
)
from monitor.store.postgresql_cells import stored_text
from monitor.store.postgresql_connection import Database
from monitor.store.postgresql_join import Me, Telling, join
from monitor.store.postgresql_schema import enrol, prepare
from monitor.store.postgresql_transactions import Transactions, Work
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

ALIVE_SECONDS = 5.0
_GET = "SELECT body FROM documents WHERE replica = %s AND key = %s"


class PostgresStore:
    """A `Store` in a database that other replicas use too."""

    shared = True

    def __init__(
        self,
        url: str,
        replica: str,
        settings: StoreSettings = StoreSettings(),  # noqa: B008 - frozen
        *,
        answer_seconds: float = 5.0,
    ) -> None:
        self._settings = settings
        self._alive_at = float("-inf")
        self._database = Database(url, answer_seconds)
        self._transactions = Transactions(self._database)
        try:
            with self._transactions.connected() as connection:
                prepare(connection)
                model = (stored_text(settings.model), stored_text(settings.version))
                self._me = Me(*enrol(connection, model, stored_text(replica)))
            self._transactions.begin(self._me)
        except BaseException:
            self._database.close()
            raise

    def remember(self, batches: Sequence[Batch]) -> Remembered:
        """Keep predictions; all of them or, on StoreError, none."""

        def keep(work: Work) -> Remembered:
            placed = postgresql_remember.remember(
                work.connection, batches, self._settings.segments, self._me
            )
            work.rows, work.parked = placed.rows - placed.withdrawn, -placed.landed
            work.joined, work.forgets = placed.joined, placed.withdrawn > 0
            offered = sum(len(batch) for batch in batches)
            return Remembered(work.joined, offered - placed.rows - placed.erased, placed.erased)

        return self._transactions.write(keep)

    def join(self, labels: Sequence[Label]) -> JoinReport:
        """Keep labels, committed when this returns; all of them or, on StoreError, none."""

        def keep(work: Work) -> JoinReport:
            me = Me(
                self._me.model,
                self._me.replica,
                self._settings.max_parked - self._transactions.parked,
            )
            report, _, work.parked = join(work.connection, labels, me)
            work.joined = report.joined
            return report

        return self._transactions.write(keep)

    def news(self) -> tuple[Joined, ...]:
        """What others did to my predictions since the last call; also says that I am alive."""

        def ask(work: Work) -> list[postgresql_journal.Entry]:
            if time.monotonic() >= self._alive_at:
                postgresql_upkeep.say_alive(work.connection, self._me)
            told = self._transactions.journal.open
            return postgresql_journal.news(work.connection, told, self._me)

        fresh = self._transactions.write(ask)
        self._note(fresh)
        if time.monotonic() >= self._alive_at:
            self._alive_at = time.monotonic() + ALIVE_SECONDS
            self._transactions.read_tallies()
        told = (join for _, joined in fresh for join in joined or ())
        return (*self._transactions.untold(), *told)

    def erase(self, prediction_id: str, now: float) -> Erased:
        """Delete all of an id, for good, committed when this returns."""

        def forget(work: Work) -> Erased:
            telling = Telling(self._me)
            erased, parked = postgresql_withdraw.erase_named(
                work.connection, stored_text(prediction_id), now, telling
            )
            work.rows, work.parked, work.joined = -erased.rows, -parked, erased.joined
            work.forgets = True
            return erased

        return self._transactions.write(forget)

    def revoke(self, source: str, until: float, at: int = 0) -> Revoked:
        """Take out one step's worth of a source's labels; what others said counts again."""

        def take_out(work: Work) -> Revoked:
            revoked, unparked = postgresql_withdraw.revoke(
                work.connection, stored_text(source), until, at, Telling(self._me)
            )
            work.parked, work.joined = -unparked, revoked.joined
            return revoked

        return self._transactions.write(take_out)

    def prediction(self, prediction_id: str) -> list[Stored]:
        """All rows of a request, by row; empty where the id is unknown."""
        one = stored_text(prediction_id)
        return self._transactions.read(lambda connection: postgresql_read.stored(connection, one))

    def joined_since(self, at: float, limit: int = DEFAULT_RESTORED_ROWS) -> Iterator[Joined]:
        """The newest `limit` joins of my predictions that began to count at `at` or later, as they
        are now.

        What the journal tells of these rows goes, and what came to it meanwhile counts as told.
        """

        def leave_gap(work: Work) -> None:
            work.covers, work.forgets = postgresql_journal.held(work.connection, self._me), True

        self._transactions.write(leave_gap)
        connection = self._database.take()
        try:
            with self._transactions.translated(connection):
                held = postgresql_journal.begin_reading(connection, self._me)
        except BaseException:
            self._database.give_back(connection)
            raise
        journal = self._transactions.journal
        self._note([(entry, []) for entry in set(held).difference(journal.open)])
        return self._read(connection, at, limit)

    def _read(self, connection: psycopg.Connection, at: float, limit: int) -> Iterator[Joined]:
        try:
            with self._transactions.translated(connection):
                yield from postgresql_read.joined_since(connection, self._me, at, limit)
                connection.commit()
        finally:
            self._database.give_back(connection)

    def told(self) -> tuple[int, ...]:
        """The journal's entries of all joins that were told since the last call."""
        return self._transactions.journal.told()

    def checkpoint(self, documents: Mapping[str, object], entries: Sequence[int]) -> None:
        """Keep documents that hold what these entries of the journal said, in their place."""
        bodies = {key: _body(key, document) for key, document in documents.items()}

        def keep(work: Work) -> None:
            postgresql_journal.cover(work.connection, bodies, entries, self._me)

        self._transactions.write(keep)
        self._transactions.journal.covered(entries)

    def resume(self, prefix: str) -> Resumed:
        """The checkpoint's documents, and what came after it."""
        told = self._transactions.journal.open
        resumed, entries = self._transactions.read(
            lambda connection: postgresql_journal.resume(connection, prefix, told, self._me)
        )
        self._note(entries)
        return resumed

    def _note(self, entries: Sequence[postgresql_journal.Entry]) -> None:
        for entry, joined in entries:
            self._transactions.journal.note(entry, len(joined or ()), gap=joined is None)

    def expire(self, now: float) -> Expired:
        """Forget one small step's worth of what is too old, or of the oldest where it is too
        much.
        """

        def forget(work: Work) -> Expired:
            most_rows = postgresql_upkeep.rows_in(work.connection, self._settings.max_bytes)
            expired, rows, landed = postgresql_upkeep.expire(
                work.connection, now, self._settings.label_ttl_seconds, most_rows, self._me
            )
            work.rows, work.parked = -rows, -landed
            return expired

        return self._transactions.write(forget)

    def put_document(self, key: str, document: object) -> None:
        """Keep a small JSON document of this replica; None removes it."""
        body = _body(key, document)

        def put(work: Work) -> None:
            postgresql_journal.put(work.connection, key, body, self._me)

        self._transactions.write(put)

    def get_document(self, key: str) -> Any:  # noqa: ANN401 - any JSON
        """The document under a key, or None."""
        row = self._transactions.read(
            lambda connection: connection.execute(_GET, (self._me.replica, key)).fetchone()
        )
        return None if row is None else orjson.loads(row[0])

    def documents(self, prefix: str) -> dict[str, Any]:
        """Every document of this replica whose key begins like this, by its key."""
        return self._transactions.read(
            lambda connection: postgresql_journal.documents(connection, prefix, self._me)
        )

    def rows(self) -> int:
        """Predictions kept, of all replicas."""
        return self._transactions.rows

    def parked(self) -> int:
        """Labels that wait for their predictions, of all replicas."""
        return self._transactions.parked

    def close(self) -> None:
        """Release the connections."""
        self._database.close()


def _body(key: str, document: object) -> str | None:
    try:
        return None if document is None else orjson.dumps(document).decode()
    except TypeError as error:
        raise StoreError(f"document {key!r} is not JSON: {error}") from None
