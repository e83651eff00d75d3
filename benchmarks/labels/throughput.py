"""Predictions and labels a second, on one core, through the stores and through their databases."""

from __future__ import annotations

import os
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from benchmarks.labels.raw import RawPostgres, RawSqlite, cut
from monitor.records.batch import Batch
from monitor.records.label import Label
from monitor.store.postgresql import PostgresStore
from monitor.store.protocol import Store
from monitor.store.sqlite import SqliteStore
from tests.store.postgresql import missing, server

ROWS_AT_ONCE = 20_000
LABELS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    rows: int
    requests: int  # of labels
    rounds: int


FULL = Size(400_000, 400, 3)
QUICK = Size(60_000, 60, 1)


@dataclass(frozen=True, slots=True)
class Figure:
    """One database, one kind of work: medians over the rounds."""

    database: str
    work: str  # predictions | labels
    rows: float  # Sidelight's store, a second
    limit: float  # the database alone, a second
    rows_cpu: float  # a second of CPU time, the server's included
    limit_cpu: float

    @property
    def share(self) -> float:
        """Of the limit."""
        return self.rows / self.limit


@dataclass(frozen=True, slots=True)
class Speed:
    """Rows a second of wall clock, and of CPU time."""

    wall: float
    cpu: float


def run(size: Size) -> tuple[list[Figure], str]:
    """Figures of each database there is, and why one is missing."""
    figures: list[Figure] = []
    with one_core():
        figures += _figures("SQLite", size, _sqlite)
        if why := missing():
            return figures, why
        figures += _figures("PostgreSQL", size, _postgresql)
    return figures, ""


@contextmanager
def one_core() -> Iterator[None]:
    """This process, and what it starts, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


Round = dict[str, tuple[Speed, Speed]]  # work → the store's, the limit's


def _figures(database: str, size: Size, measure: Callable[[Size], Round]) -> list[Figure]:
    rounds = [measure(size) for _ in range(size.rounds)]
    return [
        Figure(
            database,
            work,
            statistics.median(one[work][0].wall for one in rounds),
            statistics.median(one[work][1].wall for one in rounds),
            statistics.median(one[work][0].cpu for one in rounds),
            statistics.median(one[work][1].cpu for one in rounds),
        )
        for work in ("predictions", "labels")
    ]


def _sqlite(size: Size) -> Round:
    with TemporaryDirectory(dir=Path.cwd()) as folder:  # a real disk: /tmp may be memory
        raw = RawSqlite(Path(folder))
        store = SqliteStore(Path(folder) / "store.db")
        try:
            return _round(size, store, raw)
        finally:
            raw.close()
            store.close()


def _postgresql(size: Size) -> Round:
    with server(Path.cwd(), "fsync=on", "shared_buffers=128MB", "max_wal_size=2GB") as running:
        store = PostgresStore(running.dsn, "benchmark", answer_seconds=60.0)
        raw = RawPostgres(running.dsn)
        try:
            return _round(size, store, raw, lambda: _emptied(running.dsn), running.cpu_seconds)
        finally:
            raw.close()
            store.close()


def _emptied(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE sidelight.predictions")


def _round(
    size: Size,
    store: Store,
    raw: RawSqlite | RawPostgres,
    emptied: Callable[[], None] = lambda: None,
    others: Callable[[], float] = lambda: 0.0,
) -> Round:
    """`others` is the CPU time that the database's own processes have spent."""
    ids = [uuid.uuid4().hex for _ in range(size.rows)]
    raw.ready(ids, ROWS_AT_ONCE, LABELS_AT_ONCE)
    labels = size.requests * LABELS_AT_ONCE

    def timed(work: Callable[[], object], rows: int) -> Speed:
        wall, cpu = time.perf_counter(), time.process_time() + others()
        work()
        spent = time.process_time() + others() - cpu
        return Speed(rows / (time.perf_counter() - wall), rows / spent)

    limit = timed(raw.predictions, size.rows)
    labels_limit = timed(lambda: raw.labels(size.requests), labels)
    emptied()
    batches = [_batch(part) for part in cut(ids, ROWS_AT_ONCE)]
    requests = [
        [Label(one, 0, 2.5, 1e9, 1e9) for one in part] for part in cut(ids[:labels], LABELS_AT_ONCE)
    ]
    return {
        "predictions": (timed(lambda: _each(store.remember, batches), size.rows), limit),
        "labels": (timed(lambda: _post(store, requests), labels), labels_limit),
    }


def _batch(ids: list[str]) -> Batch:
    count = len(ids)
    return Batch(ids, [0] * count, [1e9] * count, {}, {"prediction": [1.5] * count})


def _each(remember: Callable[[Sequence[Batch]], object], batches: list[Batch]) -> None:
    for batch in batches:
        remember([batch])


def _post(store: Store, requests: list[list[Label]]) -> None:
    for labels in requests:
        joined = store.join(labels).joined
        assert len(joined) == len(labels)
