"""Plain numbers of a file, streamed once: their extremes and a sample, or how many fall into each
cell of a grid.

SQL reads, and says which rows are sampled; numpy counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from monitor.comparison.cells import CellCounter, Cells
from monitor.comparison.database import Database, as_numpy
from monitor.comparison.datafile import DataFile
from monitor.comparison.spool import Spool
from monitor.profile.grid import NumericGrid

Floats = NDArray[np.float64]
T = TypeVar("T")

COLUMNS_A_QUERY = 8  # a Parquet reader holds a chunk of each column for each thread
SAMPLE_ROWS = 100_000
_HASHES = 2**64


@dataclass(frozen=True, slots=True)
class Range:
    """What all rows of a column say of its numbers."""

    numbers: int  # finite ones
    minimum: float
    maximum: float
    integer: bool


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A column's extremes over all rows, about 100,000 rows' finite numbers, and some rows, NaN
    where missing."""

    range: Range
    sample: Floats
    rows: Floats


@dataclass(frozen=True, slots=True)
class Counted:
    """Every row's cells by column, and some rows of some columns, NaN where missing."""

    cells: dict[str, Cells]
    rows: dict[str, Floats]


def survey(
    database: Database, file: DataFile, columns: Sequence[str], rows: int
) -> dict[str, Surveyed]:
    """What there is of plain numbers; about so many rows, those that `count` samples."""
    found: dict[str, Surveyed] = {}
    for some in _chunks(columns):
        looks = [_Look() for _ in some]
        for held, picked in _stream(database, file, some, "surveying", (SAMPLE_ROWS, rows)):
            for look, numbers in zip(looks, held, strict=True):
                look.take(numbers, picked)
        found |= {name: look.seen for name, look in zip(some, looks, strict=True)}
    return found


def count(
    database: Database,
    file: DataFile,
    grids: Mapping[str, NumericGrid],
    sampled: Collection[str] = (),
    rows: int = 0,
) -> Counted:
    """Every row of plain numbers, counted; of the columns `sampled`, about so many rows too."""
    found = Counted({}, {})
    for some in _chunks(list(grids)):
        counters = [CellCounter(grids[name]) for name in some]
        kept: dict[str, list[Floats]] = {name: [] for name in some if name in sampled}
        for held, picked in _stream(database, file, some, "counting", (rows,)):
            for name, counter, numbers in zip(some, counters, held, strict=True):
                counter.take(numbers)
                if name in kept:
                    kept[name].append(numbers[picked > 0])
        found.cells.update(
            (name, counter.cells) for name, counter in zip(some, counters, strict=True)
        )
        found.rows.update((name, _joined(parts)) for name, parts in kept.items())
    return found


def names_of_rows(
    database: Database, file: DataFile, columns: Sequence[str], rows: int
) -> list[list[Any]]:
    """The rows that `count` samples when asked for so many, of columns of names."""
    found: list[list[Any]] = []
    for some in _chunks(columns):
        chosen = ", ".join(f"v{i}" for i in range(len(some)))
        sql = f"SELECT {chosen} FROM {file.source(some)} WHERE {_picked(file.rows, rows)}"
        table = database.table(file.path, f"sampling {file.path.name}", sql)
        found += [column.to_pylist() for column in table.columns]
    return found


def sample_of(database: Database, file: DataFile, column: str, numbers: int) -> Floats:
    """About 100,000 of one column's numbers, of which there are so many."""
    sql = (
        f"SELECT v0 FROM {file.source([column])} "
        f"WHERE v0 IS NOT NULL AND {_picked(numbers, SAMPLE_ROWS)}"
    )
    doing = f"sampling {file.path.name}"
    parts = [as_numpy(batch.column(0)) for batch in database.batches(file.path, doing, sql)]
    return _joined(parts)


class _Look:
    """What was seen of a column so far."""

    def __init__(self) -> None:
        self._count = 0
        self._ends = (np.inf, -np.inf)
        self._integer = True
        self._sample: list[Floats] = []
        self._rows: list[Floats] = []

    def take(self, numbers: Floats, picked: NDArray[np.int8]) -> None:
        """Takes in some rows, NaN where there is no number."""
        self._rows.append(numbers[picked > 1])
        lost = np.isnan(numbers)
        if lost.any():
            numbers, picked = numbers[~lost], picked[~lost]
        if not len(numbers):
            return
        low, high = self._ends
        self._count += len(numbers)
        self._ends = min(low, float(numbers.min())), max(high, float(numbers.max()))
        self._integer = self._integer and bool((numbers == np.trunc(numbers)).all())
        self._sample.append(numbers[picked > 0])

    @property
    def seen(self) -> Surveyed:
        """All of it."""
        known = Range(self._count, *self._ends, self._integer)
        return Surveyed(known, _joined(self._sample), _joined(self._rows))


def _stream(
    database: Database, file: DataFile, columns: Sequence[str], doing: str, samples: Sequence[int]
) -> Iterator[tuple[list[Floats], NDArray[np.int8]]]:
    """Every row of some columns, a batch at a time, and in how many of the samples each row is: a
    small sample is part of a large one."""
    if file.spool is not None:
        yield from _spooled(database, file, file.spool, columns, doing, samples)
        return
    numbers = ", ".join(f"coalesce(v{i}, 'NaN'::DOUBLE)" for i in range(len(columns)))
    picked = " + ".join(f"({_picked(file.rows, rows)})::TINYINT" for rows in samples)
    sql = f"SELECT {numbers}, {picked} FROM {file.source(columns)}"
    for batch in database.batches(file.path, f"{doing} {file.path.name}", sql):
        *held, chosen = (as_numpy(column) for column in batch.columns)
        yield held, chosen


def _spooled(
    database: Database,
    file: DataFile,
    spool: Spool,
    columns: Sequence[str],
    doing: str,
    samples: Sequence[int],
) -> Iterator[tuple[list[Floats], NDArray[np.int8]]]:
    """The same, of a file whose numbers are at hand."""
    doing = f"{doing} {file.path.name}"
    rows = [_rows_picked(database, file, doing, size) for size in samples]
    start = 0
    with database.asked(file.path, doing):
        for held in spool.numbers([file.numbers[name] for name in columns]):
            end = start + len(held[0])
            picked = np.zeros(end - start, np.int8)
            for chosen in rows:
                picked[chosen[slice(*chosen.searchsorted([start, end]))] - start] += 1
            yield held, picked
            start = end


def _rows_picked(database: Database, file: DataFile, doing: str, rows: int) -> NDArray[np.int64]:
    """The numbers of the rows in a sample, in order."""
    sql = f"SELECT row FROM range({file.rows}) AS t(row) WHERE {_picked(file.rows, rows)}"
    parts = [as_numpy(batch.column(0)) for batch in database.batches(file.path, doing, sql)]
    return np.sort(np.concatenate([np.zeros(0, np.int64), *parts]))


def _picked(of: int, rows: int) -> str:
    """SQL of whether a row is sampled, by its number: about so many, or all of no more."""
    return "true" if of <= rows else f"hash(row) < {_HASHES * rows // of}::UBIGINT"


def _joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate([np.zeros(0), *parts])


def _chunks(columns: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(columns), COLUMNS_A_QUERY):
        yield columns[start : start + COLUMNS_A_QUERY]
