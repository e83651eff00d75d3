"""The one connection that writes a SQLite file: opened when needed, dropped after any fault.

Knows the schema and the tallies; nothing of labels.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from monitor.errors import StoreError
from monitor.store.sqlite_schema import model_number, prepare

_BUSY_SECONDS = 1.0
_PAUSE_STEPS = 500  # of SQLite's virtual machine: about 100 µs
_TALLIES = ("rows", "parked", "erased")
_FOREIGN_ERRORS = (sqlite3.Error, OSError, OverflowError, UnicodeError)


class SqliteFile:
    """After an error the file is opened anew by the next call."""

    def __init__(
        self, path: Path, model: tuple[str, str], pause: Callable[[], None] | None = None
    ) -> None:
        self.path = path
        self._pause = pause
        self.model = 0  # the number by which its name and version are known here
        self.tallies = dict.fromkeys(_TALLIES, 0)
        self._model_name = model
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    @contextlib.contextmanager
    def transaction(self, *, durable: bool) -> Iterator[sqlite3.Connection]:
        """Commit what is done inside, or on any error nothing of it."""
        with self.translated():
            connection = self.opened()
            connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                self._drop()  # which rolls back
                raise

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Foreign exceptions become StoreError, and a connection that failed is not used again."""
        try:
            yield
        except (*_FOREIGN_ERRORS, StoreError) as error:
            self._drop()
            raise StoreError(f"{self.path}: {error}") from error

    def opened(self) -> sqlite3.Connection:
        """The connection; the file is made, or migrated, if need be."""
        if self._connection is None:
            if self._closed:
                raise StoreError("it is closed")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,  # one at a time: opened in one, used in another
            )
            try:
                connection.set_progress_handler(self._pause, _PAUSE_STEPS)
                prepare(connection)
                self.model = model_number(connection, *self._model_name)
                tallies = connection.execute("SELECT name, value FROM tallies").fetchall()
            except BaseException:
                _close(connection)
                raise
            self.tallies = dict(tallies)
            self._connection = connection
        return self._connection

    def close(self) -> None:
        """Close for good; what waits in the log is written into the file."""
        self._closed = True
        self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            _close(connection)


def counted(connection: sqlite3.Connection, **steps: int) -> dict[str, int]:
    """The tallies after this transaction, written with it."""
    for name, step in steps.items():
        if step:
            connection.execute("UPDATE tallies SET value = value + ? WHERE name = ?", (step, name))
    return dict(connection.execute("SELECT name, value FROM tallies").fetchall())


def _close(connection: sqlite3.Connection) -> None:
    """Close, which rolls back what was begun."""
    with contextlib.suppress(sqlite3.Error):
        connection.close()
