"""Names by SQL: each distinct text or truth once, with how often it came, handed on as rows.

Their order is lost, and nothing that is counted depends on it; a sample of them does, and sorts.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from monitor.comparison.database import Database, as_numpy
from monitor.comparison.datafile import DataFile
from monitor.profile.values import Coded

MOST_ROWS = 1 << 17  # at a time


def grouped(
    database: Database, file: DataFile, column: str, *, sort: bool = False
) -> Iterator[Coded]:
    """All rows of a column, equal ones beside each other, some at a time."""
    order = "ORDER BY v0" if sort else ""
    sql = f"SELECT v0, count(*) FROM {file.source([column])} GROUP BY v0 {order}"
    for batch in database.batches(file.path, f"counting {file.path.name}", sql):
        yield from _rows(batch.column(0).to_pylist(), as_numpy(batch.column(1)))


def _rows(
    values: list[object], counts: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Iterator[Coded]:
    codes = np.array([-1 if value is None else i for i, value in enumerate(values)], dtype=np.int64)
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    for start in range(0, total, MOST_ROWS):
        places = np.arange(start, min(start + MOST_ROWS, total))
        yield Coded(codes[np.searchsorted(ends, places, side="right")], values)
