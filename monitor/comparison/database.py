"""An embedded DuckDB in bounded memory: the one place that imports it.

What does not fit is spilled into a temporary folder, which goes with the database. Every fault of a
query is one line of `DataFileError` that names the file it read.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from monitor.errors import DataFileError, SidelightError

Stage = Callable[[str, float | None], None]  # what is being done, and how much of it (0 to 1)

MOST_THREADS = 8
BASE_BYTES = 128 << 20
LEAST_BYTES = 32 << 20
THREAD_BYTES = 64 << 20
BATCH_ROWS = 65_536
POLL_SECONDS = 0.2
MISFIT = "Conversion Error"  # as DuckDB begins to tell it


class Database:
    """One connection, for as long as one comparison takes."""

    def __init__(self, stage: Stage | None = None) -> None:
        self._stage = stage
        self._tables = 0
        self._folder = tempfile.TemporaryDirectory(prefix="sidelight-compare-")
        duckdb = _duckdb()
        self._errors: type[Exception] = duckdb.Error
        threads = max(1, min(os.cpu_count() or 1, MOST_THREADS))
        self._limit = BASE_BYTES + threads * THREAD_BYTES
        spill = Path(self._folder.name) / "spill"
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": threads,
                "memory_limit": f"{self._limit >> 20}MiB",
                "temp_directory": str(spill),
                "autoinstall_known_extensions": False,  # nothing is fetched from anywhere
                "autoload_known_extensions": False,
            },
        )
        # Its own bar would be printed among the answers; ours asks how far it is.
        self._connection.execute("SET enable_progress_bar_print = false")
        self._connection.execute(f"SET enable_progress_bar = {'true' if stage else 'false'}")
        self._connection.execute("SET TimeZone = 'UTC'")  # of times that name no zone

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._folder.cleanup()

    def forget(self) -> None:
        """Give back what is held of files that were read; they can be read again."""
        import pyarrow as pa  # noqa: PLC0415 - 40 MB that only data files need

        pa.default_memory_pool().release_unused()
        for limit in (LEAST_BYTES, self._limit):
            self._connection.execute(f"SET memory_limit = '{limit >> 20}MiB'")

    @property
    def folder(self) -> Path:
        """A temporary folder, which goes with the database."""
        return Path(self._folder.name)

    def new_name(self) -> str:
        """A name that no table has yet."""
        self._tables += 1
        return f"t{self._tables}"

    def register(self, name: str, table: Any) -> None:  # noqa: ANN401 - pyarrow has no types
        """Makes an Arrow table or data set a table that can be asked."""
        self._connection.register(name, table)

    def rows(self, path: Path, doing: str, sql: str) -> list[tuple[Any, ...]]:
        """The answer to a query, whole."""
        with self.asked(path, doing):
            found: list[tuple[Any, ...]] = self._connection.execute(sql).fetchall()
        return found

    def table(self, path: Path, doing: str, sql: str) -> Any:  # noqa: ANN401 - pyarrow has no types
        """The answer as an Arrow table."""
        with self.asked(path, doing):
            return self._connection.sql(sql).to_arrow_table()

    def batches(self, path: Path, doing: str, sql: str) -> Iterator[Any]:
        """The answer as Arrow batches, never whole in memory."""
        with self.reader(path, doing, sql, BATCH_ROWS) as reader:
            yield from reader

    @contextmanager
    def reader(self, path: Path, doing: str, sql: str, rows: int) -> Iterator[Any]:
        """The answer as a reader of Arrow batches of at most so many rows."""
        with self.asked(path, doing):
            yield self._connection.sql(sql).to_arrow_reader(rows)

    @contextmanager
    def asked(self, path: Path, doing: str) -> Iterator[None]:
        """DuckDB's errors as one line; meanwhile, how far it is."""
        done = Event()
        watcher = Thread(target=self._watch, args=(doing, done), daemon=True)
        if self._stage:
            self._stage(doing, None)
            watcher.start()
        try:
            yield
        except (self._errors, OSError) as error:  # as OSError, where rows are read as Arrow batches
            raise _translated(path, error) from None
        finally:
            done.set()
            if self._stage:
                watcher.join()

    def _watch(self, doing: str, done: Event) -> None:
        while self._stage and not done.wait(POLL_SECONDS):
            percent = float(self._connection.query_progress())
            if percent >= 0:
                self._stage(doing, percent / 100)


class MisfitError(DataFileError):
    """A value does not fit its column's type."""


def _translated(path: Path, error: Exception) -> DataFileError:
    if isinstance(error, OSError) and error.strerror:
        return DataFileError(f"{path}: {error.strerror}")
    text = " ".join(str(error).partition("\n\n")[0].split())
    kind = MisfitError if text.startswith(MISFIT) else DataFileError
    return kind(f"{path}: cannot be read: {text[:300]}")


def as_numpy(column: Any) -> NDArray[Any]:  # noqa: ANN401 - an Arrow array, which has no types
    """An Arrow array of numbers without nulls, not copied."""
    # Its own `to_numpy` imports pandas, which takes longer than to count a million numbers.
    found: NDArray[Any] = np.from_dlpack(column)
    return found


def quoted(text: str) -> str:
    """A text as SQL writes it.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def _duckdb() -> Any:  # noqa: ANN401 - a module that may be absent
    try:
        import duckdb  # noqa: PLC0415 - an extra, and only comparisons need it
    except ImportError:
        raise SidelightError("duckdb is missing: pip install 'sidelight[compare]'") from None
    return duckdb
