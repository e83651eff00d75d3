"""Transactions on PostgreSQL: done again where another replica came in between, and never in doubt
for long.

A commit whose answer was lost may have been one. The database knows: it is asked when it answers
again, so that what became of it is told once and not missed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import psycopg

from monitor.errors import StoreError
from monitor.records.label import Joined
from monitor.store import postgresql_upkeep
from monitor.store.postgresql_connection import Database
from monitor.store.postgresql_join import Overtaken

ATTEMPTS = 4
_COUNT = """UPDATE tallies SET rows = rows + %s, parked = parked + %s WHERE replica = %s
    RETURNING pg_current_xact_id()::text"""
_STATUS = "SELECT pg_xact_status(%s::text::xid8)"
_AGAIN = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure, Overtaken)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A commit whose answer never came, and the joins that are to be told if it was one."""

    transaction: str
    joined: tuple[Joined, ...]


@dataclass(slots=True)
class Work:
    """One transaction: what it adds, and what is to be told once it is committed."""

    connection: psycopg.Connection
    rows: int = 0
    parked: int = 0
    joined: tuple[Joined, ...] = ()


class Transactions:
    """All transactions of one replica, and what they left behind."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._replica = 0
        self._doubts: list[Doubt] = []
        self._untold: list[Joined] = []
        self.rows = 0  # of all replicas, as last read, and what was added here since
        self.parked = 0

    def begin(self, replica: int) -> None:
        """Know whose tally to keep."""
        self._replica = replica
        self.read_tallies()

    def read_tallies(self) -> None:
        """What all replicas hold together."""
        self.rows, self.parked = self.read(postgresql_upkeep.tallies)

    def untold(self) -> list[Joined]:
        """Joins of commits that turned out to be ones, once."""
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
            doubt = Doubt(self._count(work), work.joined)
            try:
                connection.commit()
            except psycopg.OperationalError:
                if doubt.joined:
                    self._doubts.append(doubt)
                raise
        self.rows += work.rows
        self.parked += work.parked
        return result

    def _count(self, work: Work) -> str:
        """Keep this replica's tally; the number of the transaction."""
        if not (work.rows or work.parked or work.joined):
            return ""
        steps = (work.rows, work.parked, self._replica)
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
            yield connection
        except BaseException as error:
            connection.close()
            if isinstance(error, _AGAIN):
                raise _AgainError(str(error) or "another replica was first") from error
            if isinstance(error, (psycopg.Error, OSError)):
                raise StoreError(" ".join(str(error).split())) from error
            raise
        finally:
            self._database.give_back(connection)


class _AgainError(StoreError):
    """To be done again, and an ordinary failure after the last attempt."""
