"""Transactions on PostgreSQL: done again where another replica came in between, and never in doubt
for long.

A commit whose answer was lost may have been one. Then the journal has what it joined, and tells it
like news; of what it deleted the journal has nothing, so the database is asked what became of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import psycopg

from monitor.errors import StoreError
from monitor.records.label import Joined
from monitor.store import postgresql_journal, postgresql_upkeep
from monitor.store.journal import Journal
from monitor.store.postgresql_connection import Database
from monitor.store.postgresql_join import Me, Overtaken

ATTEMPTS = 4
_COUNT = """UPDATE tallies SET rows = rows + %s, parked = parked + %s WHERE replica = %s
    RETURNING pg_current_xact_id()::text"""
_STATUS = "SELECT pg_xact_status(%s::text::xid8)"
_AGAIN = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure, Overtaken)

T = TypeVar("T")
Noted = tuple[int, int, bool]  # an entry of the journal, its joins, whether it is a gap


@dataclass(frozen=True, slots=True)
class Doubt:
    """A deletion whose answer never came, and the joins that are to be told if it was one."""

    transaction: str
    joined: tuple[Joined, ...]


@dataclass(slots=True)
class Work:
    """One transaction: what it adds, and what is to be told once it is committed."""

    connection: psycopg.Connection
    rows: int = 0
    parked: int = 0
    joined: tuple[Joined, ...] = ()
    forgets: bool = False  # what the journal says may be just what is to be forgotten
    covers: Sequence[int] = ()  # entries of the journal that go then too


class Transactions:
    """All transactions of one replica, and what they left behind."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._me = Me(0, 0)
        self.journal = Journal()
        self._doubts: list[Doubt] = []
        self._untold: list[Joined] = []
        self.rows = 0  # of all replicas, as last read, and what was added here since
        self.parked = 0

    def begin(self, me: Me) -> None:
        """Know whose tally and journal to keep."""
        self._me = me
        self.read_tallies()

    def read_tallies(self) -> None:
        """What all replicas hold together."""
        self.rows, self.parked = self.read(postgresql_upkeep.tallies)

    def untold(self) -> list[Joined]:
        """Joins of deletions that turned out to be ones, once."""
        untold, self._untold = self._untold, []
        return untold

    def read(self, ask: Callable[[psycopg.Connection], T]) -> T:
        """Ask for something that changes nothing."""
        with self.connected() as connection:
            found = ask(connection)
            connection.commit()
        return found

    def write(self, do: Callable[[Work], T]) -> T:
        """One transaction, again where another replica came in between."""
        for _ in range(ATTEMPTS - 1):
            with contextlib.suppress(_AgainError):
                return self._attempt(do)
        return self._attempt(do)

    def _attempt(self, do: Callable[[Work], T]) -> T:
        with self.connected() as connection:
            self._resolve(connection)
            work = Work(connection)
            result = do(work)
            noted = self._journalled(work)
            doubt = Doubt(self._count(work), work.joined)
            try:
                connection.commit()
            except psycopg.OperationalError:
                if doubt.joined and work.forgets:  # else the journal tells
                    self._doubts.append(doubt)
                raise
        self._note(noted)
        self.rows += work.rows
        self.parked += work.parked
        return result

    def _journalled(self, work: Work) -> Noted | None:
        """Write joins down with what made them."""
        if work.forgets or (work.joined and self.journal.overflows(len(work.joined))):
            told = [*self.journal.open, *work.covers]
            return postgresql_journal.leave_gap(work.connection, told, self._me), 0, True
        if not work.joined:
            return None
        entry = postgresql_journal.add(work.connection, work.joined, self._me)
        return entry, len(work.joined), False

    def _note(self, noted: Noted | None) -> None:
        if noted is not None:
            entry, joins, gap = noted
            self.journal.note(entry, joins, gap=gap)

    def _count(self, work: Work) -> str:
        """Keep this replica's tally; the number of the transaction."""
        if not (work.rows or work.parked or work.joined):
            return ""
        steps = (work.rows, work.parked, self._me.replica)
        row = work.connection.execute(_COUNT, steps).fetchone()
        return str(row[0]) if row else ""

    def _resolve(self, connection: psycopg.Connection) -> None:
        for doubt in tuple(self._doubts):
            row = connection.execute(_STATUS, (doubt.transaction,)).fetchone()
            status = row[0] if row else None
            if status == "in progress":
                continue
            self._doubts.remove(doubt)
            if status == "committed":
                self._untold += doubt.joined

    @contextlib.contextmanager
    def connected(self) -> Iterator[psycopg.Connection]:
        """A connection; one on which anything failed is closed, which rolls back."""
        connection = self._database.take()
        try:
            with self.translated(connection):
                yield connection
        finally:
            self._database.give_back(connection)

    @contextlib.contextmanager
    def translated(self, connection: psycopg.Connection) -> Iterator[None]:
        """Foreign exceptions become StoreError, and a connection that failed is closed."""
        try:
            yield
        except BaseException as error:
            connection.close()
            if isinstance(error, _AGAIN):
                raise _AgainError(str(error) or "another replica was first") from error
            if isinstance(error, (psycopg.Error, OSError)):
                raise StoreError(" ".join(str(error).split())) from error
            raise


class _AgainError(StoreError):
    """To be done again, and an ordinary failure after the last attempt."""
