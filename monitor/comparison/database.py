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
from types import TracebackType
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


class Database:
    """One connection, for as long as one comparison takes."""

    def __init__(self, stage: Stage | None = None) -> None:
        self._stage = stage
        self._tables = 0
        self._folder = tempfile.TemporaryDirectory(prefix="sidelight-compare-")
        duckdb = _duckdb()
        self._errors: type[Exception] = duckdb.Error
        self._misfit: type[Exception] = duckdb.ConversionException
        threads = max(1, min(os.cpu_count() or 1, MOST_THREADS))
        spill = Path(self._folder.name) / "spill"
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": threads,
                "memory_limit": f"{(BASE_BYTES + threads * THREAD_BYTES) >> 20}MiB",
                "temp_directory": str(spill),
                "autoinstall_known_extensions": False,  # nothing is fetched from anywhere
                "autoload_known_extensions": False,
            },
        )
        # Its own bar would be printed among the answers; ours asks how far it is.
        self._connection.execute("SET enable_progress_bar_print = false")
        self._connection.execute(f"SET enable_progress_bar = {'true' if stage else 'false'}")
        self._connection.execute("SET TimeZone = 'UTC'")  # of times that name no zone
        scratch = Path(self._folder.name) / "scratch.db"
        self._connection.execute(f"ATTACH {quoted(str(scratch))} AS scratch")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._folder.cleanup()

    def forget(self) -> None:
        """Give back what is held of files that were read; they can be read again."""
        self._connection.execute(f"SET memory_limit = '{LEAST_BYTES >> 20}MiB'")

    def new_table(self) -> str:
        """A name that no scratch table has yet."""
        self._tables += 1
        return f"scratch.t{self._tables}"

    def rows(self, path: Path, doing: str, sql: str) -> list[tuple[Any, ...]]:
        """The answer to a query, whole."""
        with self._asked(path, doing):
            found: list[tuple[Any, ...]] = self._connection.execute(sql).fetchall()
        return found

    def holds(self, path: Path, doing: str, sql: str) -> bool:
        """Runs a statement; False where a value does not fit its column's type."""
        with self._asked(path, doing):
            try:
                self._connection.execute(sql)
            except self._misfit:
                return False
        return True

    def table(self, path: Path, doing: str, sql: str) -> Any:  # noqa: ANN401 - pyarrow has no types
        """The answer as an Arrow table."""
        with self._asked(path, doing):
            return self._connection.sql(sql).to_arrow_table()

    def batches(self, path: Path, doing: str, sql: str) -> Iterator[Any]:
        """The answer as Arrow batches, never whole in memory."""
        with self._asked(path, doing):
            reader = self._connection.sql(sql).to_arrow_reader(BATCH_ROWS)
            yield from reader

    @contextmanager
    def _asked(self, path: Path, doing: str) -> Iterator[None]:
        """DuckDB's errors as one line; meanwhile, how far it is."""
        done = Event()
        watcher = Thread(target=self._watch, args=(doing, done), daemon=True)
        if self._stage:
            self._stage(doing, None)
            watcher.start()
        try:
            yield
        except self._errors as error:
            text = " ".join(str(error).partition("\n\n")[0].split())
            raise DataFileError(f"{path}: cannot be read: {text[:300]}") from None
        except OSError as error:
            raise DataFileError(f"{path}: {error.strerror or error}") from None
        finally:
            done.set()
            if self._stage:
                watcher.join()

    def _watch(self, doing: str, done: Event) -> None:
        while self._stage and not done.wait(POLL_SECONDS):
            percent = float(self._connection.query_progress())
            if percent >= 0:
                self._stage(doing, percent / 100)


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
