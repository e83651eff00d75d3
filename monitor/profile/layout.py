"""`Layout`: all columns of a reference as one flat vector of cells, and the one pass that counts
rows into it.

The same layout counts the reference, a live batch, and a file, so their counts can be compared and
added. Knows nothing of time: the rows of one call belong to one pane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.errors import StatisticsError
from monitor.profile import values as read
from monitor.profile.counts import Counts, zero
from monitor.profile.grid import BooleanGrid, CategoryGrid, Grid, NumericGrid
from monitor.profile.values import Values
from monitor.schema import LABEL, PROBABILITY_PREFIX, Column, Role

Codes = NDArray[np.int64]

MAX_NAMES_REPORTED = 20
MOST_ROWS_NAMED = 1000  # rows of unseen categories that are read for names
LARGEST_DEVIATION = 1e140  # its square is still finite, and so is the sum of many


@dataclass(frozen=True, slots=True, eq=False)
class ColumnProfile:
    """One column of the reference: what it is, its cells, and what the reference has in them."""

    column: Column
    grid: Grid
    cells: Codes
    moments: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quantiles: Mapping[str, float] | None = None
    weight: float = 1.0  # share of the reference's rows that `cells` rest on, as evidence

    @property
    def bins(self) -> tuple[str, ...]:
        """Names of the published bins, in order; the last two are missing and invalid."""
        return self.grid.bins


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of a batch, and the columns that came without being expected, or did not come (20
    at most), and categories that the reference does not hold, by column and role (20 of each)."""

    counts: Counts
    unexpected: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    unseen: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)


class Layout:
    """Where each column's cells stand in the flat vector."""

    def __init__(self, columns: Sequence[ColumnProfile]) -> None:
        self.columns = tuple(columns)
        self.index = {profile.column.key: i for i, profile in enumerate(self.columns)}
        if len(self.index) != len(self.columns):
            raise StatisticsError("two columns have one name and role")
        sizes = [profile.grid.value_cells + 2 for profile in self.columns]
        self.offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        bins = [len(profile.bins) for profile in self.columns]
        self._bin_offsets = np.concatenate([[0], np.cumsum(bins)]).astype(np.int64)
        parts = [p.grid.bin_of_cell + self._bin_offsets[i] for i, p in enumerate(self.columns)]
        self._bin_of_cell = np.concatenate([*parts, np.zeros(0, np.int64)]).astype(np.int64)
        self._numeric = {
            i: p.grid for i, p in enumerate(self.columns) if isinstance(p.grid, NumericGrid)
        }
        self._named = {
            i: p.grid
            for i, p in enumerate(self.columns)
            if isinstance(p.grid, (CategoryGrid, BooleanGrid))
        }
        self.identity = zero(int(self.offsets[-1]), len(self.columns))

    def cell_slice(self, index: int) -> slice:
        """A column's part of `Counts.cells`."""
        return slice(int(self.offsets[index]), int(self.offsets[index + 1]))

    def bin_slice(self, index: int) -> slice:
        """A column's part of `bin_counts`."""
        return slice(int(self._bin_offsets[index]), int(self._bin_offsets[index + 1]))

    def bin_counts(self, counts: Counts) -> Codes:
        """The published bins of all columns `[total bins]`: cells added up, exact below 2⁵³."""
        size = int(self._bin_offsets[-1])
        merged = np.bincount(self._bin_of_cell, weights=counts.cells, minlength=size)
        return merged.astype(np.int64)

    def merging(self, index: int) -> Codes:
        """A column's cells as its published bins, `[cells, bins]`: a one where they belong."""
        profile = self.columns[index]
        return np.eye(len(profile.bins), dtype=np.int64)[profile.grid.bin_of_cell]

    def count(
        self,
        features: Mapping[str, Values],
        outputs: Mapping[str, Values],
        probabilities: Mapping[str, Values] | None = None,
        labels: Values | None = None,
    ) -> Counted:
        """Rows in column form as counts; a column that did not come counts as missing in every row.

        StatisticsError where columns differ in length: the caller's mistake, since no codec makes
        such a batch.
        """
        given: dict[tuple[str, str], Values] = {
            (name, Role.FEATURE.value): column for name, column in features.items()
        }
        given |= {(name, Role.PREDICTION.value): column for name, column in outputs.items()}
        for name, column in (probabilities or {}).items():
            given[PROBABILITY_PREFIX + name, Role.PREDICTION.value] = column
        if labels is not None:
            given[LABEL, Role.LABEL.value] = labels
        rows = _rows(given)
        if not rows:
            return Counted(self.identity)
        unseen: dict[tuple[str, str], tuple[str, ...]] = {}
        counts = self._count(given, rows, unseen)
        unexpected = [name for name, role in given if (name, role) not in self.index]
        absent = [name for name, role in self.index if (name, role) not in given]
        return Counted(
            counts,
            tuple(unexpected[:MAX_NAMES_REPORTED]),
            tuple(absent[:MAX_NAMES_REPORTED]),
            unseen,
        )

    def _count(
        self,
        given: Mapping[tuple[str, str], Values],
        rows: int,
        unseen: dict[tuple[str, str], tuple[str, ...]],
    ) -> Counts:
        """The counts; writes the names of unseen categories into `unseen`."""
        codes: list[Codes] = []
        lost: list[int] = []  # columns that did not come
        numeric: list[tuple[int, Values]] = []
        for i, profile in enumerate(self.columns):
            column = given.get(profile.column.key)
            if column is None:
                lost.append(i)
            elif i in self._numeric:
                numeric.append((i, column))
            else:
                found = self._named[i].codes(column)
                codes.append(found + self.offsets[i])
                if names := _unseen(profile.grid, found, column):
                    unseen[profile.column.key] = names
        moments = np.zeros((len(self.columns), 3))
        if numeric:
            codes.append(self._count_numbers(numeric, rows, moments))
        flat = np.concatenate(codes) if codes else np.zeros(0, np.int64)
        cells = np.bincount(flat, minlength=int(self.offsets[-1])).astype(np.int64, copy=False)
        for i in lost:
            cells[self.offsets[i + 1] - 2] += rows
        return Counts(rows, cells, moments)

    def _count_numbers(
        self, columns: list[tuple[int, Values]], rows: int, moments: NDArray[np.float64]
    ) -> Codes:
        """The cells of all numeric columns, as one flat vector; writes their moments into
        `moments`."""
        table = np.empty((len(columns), rows))
        codes = np.empty((len(columns), rows), dtype=np.int64)
        wrong: list[tuple[int, NDArray[np.bool_]]] = []
        for row, (i, column) in enumerate(columns):
            table[row], invalid = read.numbers(column)
            codes[row] = self._numeric[i].edges.searchsorted(table[row], side="right")
            if invalid is not None:
                wrong.append((row, invalid))
        which = np.array([i for i, _ in columns])
        missing_cell = self.offsets[which + 1] - 2
        codes += self.offsets[which][:, None]
        finite = np.isfinite(table)
        if not finite.all():
            codes = np.where(finite, codes, missing_cell[:, None])
            for row, invalid in wrong:
                codes[row, invalid] = missing_cell[row] + 1
        centre = np.array([self._numeric[i].centre for i, _ in columns])[:, None]
        near = np.clip(table, centre - LARGEST_DEVIATION, centre + LARGEST_DEVIATION)
        deviation = np.where(finite, near, centre) - centre
        moments[which, 0] = finite.sum(axis=1)
        moments[which, 1] = deviation.sum(axis=1)
        moments[which, 2] = np.einsum("ij,ij->i", deviation, deviation)
        return codes.ravel()


def _unseen(grid: Grid, codes: Codes, values: Values) -> tuple[str, ...]:
    """The first categories that the reference does not hold, each once."""
    if not isinstance(grid, CategoryGrid):
        return ()
    rows = np.flatnonzero(codes == len(grid.categories) + 1)
    if not len(rows):
        return ()
    names = (read.category(values[row]) for row in rows[:MOST_ROWS_NAMED].tolist())
    return tuple(dict.fromkeys(names))[:MAX_NAMES_REPORTED]


def _rows(given: Mapping[tuple[str, str], Values]) -> int:
    lengths = {len(column) for column in given.values()}
    if len(lengths) > 1:
        raise StatisticsError(f"columns of one batch differ in length: {sorted(lengths)}")
    return lengths.pop() if lengths else 0
