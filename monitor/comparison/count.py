"""A data file as counts of a layout: plain numbers in a stream, names by SQL, the rest row by row.

The result is what `Layout.count` gives on the same rows, whichever way they came.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.comparison.database import Database
from monitor.comparison.datafile import DataFile
from monitor.comparison.names import grouped
from monitor.comparison.numbers import count
from monitor.comparison.parts import Key, sides
from monitor.profile.counts import Counts
from monitor.profile.details import Details
from monitor.profile.grid import NumericGrid
from monitor.profile.layout import Layout
from monitor.profile.values import Values

Floats = NDArray[np.float64]

ROWS = 5_000  # of the file, at random
MOST_SAMPLED = 200  # columns


@dataclass(frozen=True, slots=True)
class Counted:
    """A file's counts, what they cannot hold (names of unseen categories, for one), and plain
    numbers of some rows, NaN where missing."""

    counts: Counts
    details: Details = field(default_factory=Details)
    rows: Mapping[str, Floats] = field(default_factory=dict)


def count_file(
    database: Database,
    file: DataFile,
    layout: Layout,
    columns: Mapping[Key, str],
    asked: Collection[str] = (),
    rows: int = ROWS,
) -> Counted:
    """Every row of the file; `columns` says where each of the layout's columns is, and one that is
    nowhere is missing in every row. About so many rows are sampled of the first columns, and of
    those `asked`."""
    numeric: dict[str, NumericGrid] = {}
    places: dict[int, str] = {}
    by_name: list[list[int]] = []
    by_row: list[int] = []
    derived = _derived(layout)
    total = _Total(layout, file.rows)
    for i, profile in enumerate(layout.columns):
        column, grid = columns.get(profile.column.key), profile.grid
        if column is None and not profile.column.source:
            which = [i, *derived[profile.column.key]]
            total.lose(which)
        elif column is None:
            continue  # counted, or lost, with its source
        elif isinstance(grid, NumericGrid) and column in file.numbers:
            places[i] = column
            numeric[column] = grid
        elif column in file.numbers or column in file.names:
            by_name.append([i, *derived[profile.column.key]])
        else:
            by_row += [i, *derived[profile.column.key]]
    sampled = {*tuple(numeric)[:MOST_SAMPLED], *asked}
    held = count(database, file, numeric, sampled, rows)
    for i, name in places.items():
        one = held.cells[name]
        missing = file.rows - int(one.values.sum())
        total.put(i, np.concatenate([one.values, [missing, 0]]), one.moments)
    for which in by_name:
        key = layout.columns[which[0]].column.key
        total.count(which, ({key: some} for some in grouped(database, file, columns[key])))
    if by_row:
        total.count(by_row, _row_by_row(file, layout, by_row, columns))
    return Counted(total.counts(), total.details, held.rows)


def _derived(layout: Layout) -> dict[Key, list[int]]:
    """Where the columns are that are derived of each: they are counted with it."""
    found: dict[Key, list[int]] = {profile.column.key: [] for profile in layout.columns}
    for i, profile in enumerate(layout.columns):
        if profile.column.source:
            found[profile.column.source, profile.column.role.value].append(i)
    return found


def _row_by_row(
    file: DataFile, layout: Layout, which: list[int], columns: Mapping[Key, str]
) -> Iterator[dict[Key, Values]]:
    keys = [layout.columns[i].column.key for i in which]
    wanted = {key: columns[key] for key in keys if key in columns}
    for batch in file.table.batches(tuple(dict.fromkeys(wanted.values()))):
        yield {key: batch[column] for key, column in wanted.items()}


class _Total:
    """The counts so far, column by column."""

    def __init__(self, layout: Layout, rows: int) -> None:
        self._layout = layout
        self._rows = rows
        self._cells = np.zeros_like(layout.identity.cells)
        self._moments = np.zeros_like(layout.identity.moments)
        self.details = Details()

    def lose(self, which: Sequence[int]) -> None:
        """Columns that did not come."""
        self._cells[self._layout.offsets[np.array(which) + 1] - 2] = self._rows

    def put(
        self,
        index: int,
        held: np.ndarray[tuple[int], np.dtype[np.int64]],
        moments: tuple[float, float, float],
    ) -> None:
        """A column that is counted."""
        self._cells[self._layout.cell_slice(index)] = held
        self._moments[index] = moments

    def count(self, which: list[int], batches: Iterator[dict[Key, Values]]) -> None:
        """Columns whose rows come in batches."""
        part = Layout([self._layout.columns[i] for i in which])
        total = part.identity
        for rows in batches:
            one = sides(rows)
            counted = part.count(one.features, one.outputs, one.probabilities, one.labels)
            total = total + counted.counts
            self.details += counted.details
        for place, i in enumerate(which):
            a, b, c = total.moments[place].tolist()
            self.put(i, total.cells[part.cell_slice(place)], (a, b, c))

    def counts(self) -> Counts:
        """All columns together."""
        return Counts(self._rows, self._cells, self._moments)
