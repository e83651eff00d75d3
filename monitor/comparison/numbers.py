"""Plain numbers by SQL: their extremes, a sample, and how many fall into each cell of a grid.

The cells are those of `NumericGrid`: [e₀, e₁). DuckDB's histogram closes its bins above, so it is
given the float before each edge; for floats the two are the same cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from monitor.comparison.database import Database
from monitor.comparison.datafile import DataFile
from monitor.profile.grid import NumericGrid
from monitor.profile.tally import LARGEST_DEVIATION

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
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
class Cells:
    """How many numbers fall into each value cell, and n, Σ(x − c), Σ(x − c)²."""

    values: Codes
    moments: tuple[float, float, float]


def ranges(database: Database, file: DataFile, columns: Sequence[str]) -> dict[str, Range]:
    """The extremes of plain numbers, over all rows."""
    found: dict[str, Range] = {}
    for some in _chunks(columns):
        wanted = ", ".join(
            f"count(v{i}), min(v{i}), max(v{i}), bool_and(v{i} = trunc(v{i}))"
            for i in range(len(some))
        )
        sql = f"SELECT {wanted} FROM {file.source(some)}"
        (row,) = database.rows(file.path, f"surveying {file.path.name}", sql)
        for i, name in enumerate(some):
            count, low, high, integer = row[4 * i : 4 * i + 4]
            empty = not count
            found[name] = Range(
                count,
                np.inf if empty else low,
                -np.inf if empty else high,
                empty or bool(integer),
            )
    return found


def sample(
    database: Database, file: DataFile, columns: Sequence[str], rows: int = SAMPLE_ROWS
) -> Any:  # noqa: ANN401 - pyarrow has no types
    """About so many rows of plain columns, as an Arrow table with columns v0, v1, …; all of them
    where there are no more. Which rows, is fixed by their numbers."""
    import pyarrow as pa  # noqa: PLC0415 - 40 MB that only data files need

    found: dict[str, Any] = {}
    for some in _chunks(columns):
        chosen = ", ".join(f"v{i}" for i in range(len(some)))
        sql = f"SELECT {chosen} FROM {file.source(some)}"
        if file.rows > rows:
            sql += f" WHERE hash(row) < {_HASHES * rows // file.rows}::UBIGINT"
        part = database.table(file.path, f"sampling {file.path.name}", sql)
        found |= {f"v{len(found) + i}": column for i, column in enumerate(part.columns)}
    return pa.table(found)


def sample_of(database: Database, file: DataFile, column: str, numbers: int) -> Floats:
    """As `sample`, of one column's numbers, of which there are so many."""
    sql = f"SELECT v0 FROM {file.source([column])} WHERE v0 IS NOT NULL"
    if numbers > SAMPLE_ROWS:
        sql += f" AND hash(row) < {_HASHES * SAMPLE_ROWS // numbers}::UBIGINT"
    return numbers_of(database.table(file.path, f"sampling {file.path.name}", sql), 0)


def numbers_of(table: Any, index: int) -> Floats:  # noqa: ANN401 - an Arrow table
    """The finite numbers of a sampled column."""
    column = table.column(index).drop_null().to_numpy()
    found: Floats = np.asarray(column, dtype=np.float64)
    return found


def cells(database: Database, file: DataFile, grids: Mapping[str, NumericGrid]) -> dict[str, Cells]:
    """Every row of plain numbers, counted."""
    found: dict[str, Cells] = {}
    for some in _chunks(list(grids)):
        wanted = ", ".join(_counting(i, grids[name]) for i, name in enumerate(some))
        sql = f"SELECT {wanted} FROM {file.source(some)}"
        (row,) = database.rows(file.path, f"counting {file.path.name}", sql)
        for i, name in enumerate(some):
            histogram, count, first, second = row[4 * i : 4 * i + 4]
            found[name] = _cells(grids[name], histogram or {}, count, first, second)
    return found


def _counting(index: int, grid: NumericGrid) -> str:
    bounds = ", ".join(f"'{bound!r}'" for bound in _bounds(grid))
    far, value, centre = repr(LARGEST_DEVIATION), f"v{index}", f"({grid.centre!r})"
    deviation = (
        f"CASE WHEN abs({value} - {centre}) <= {far} THEN {value} - {centre} "
        f"WHEN {value} IS NOT NULL THEN sign({value} - {centre}) * {far} END"
    )
    return (
        f"histogram(v{index}, [{bounds}]::DOUBLE[]), count(v{index}), "
        f"sum({deviation}), sum({deviation} * {deviation})"
    )


def _bounds(grid: NumericGrid) -> list[float]:
    """The float before each edge; −∞ before the least one."""
    with np.errstate(over="ignore"):
        found: list[float] = np.nextafter(grid.edges, -np.inf).tolist()
    return found


def _cells(
    grid: NumericGrid,
    histogram: Mapping[float, int],
    count: int,
    first: float | None,
    second: float | None,
) -> Cells:
    bounds = _bounds(grid)
    values = np.zeros(len(bounds) + 1, dtype=np.int64)
    values[:-1] = [histogram.get(bound, 0) for bound in bounds]
    values[-1] = count - values.sum()
    return Cells(values, (float(count), first or 0.0, second or 0.0))


def _chunks(columns: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(columns), COLUMNS_A_QUERY):
        yield columns[start : start + COLUMNS_A_QUERY]
