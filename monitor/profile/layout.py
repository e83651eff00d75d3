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
from monitor.profile.column import ColumnProfile
from monitor.profile.counts import Counts, zero
from monitor.profile.details import Details, details_of
from monitor.profile.grid import BooleanGrid, CategoryGrid, NumericGrid
from monitor.profile.projection import Products
from monitor.profile.shapes import Key, reshape
from monitor.profile.tally import Table, number_codes
from monitor.profile.values import Values
from monitor.schema import LABEL, PROBABILITY_PREFIX, Role

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

MAX_NAMES_REPORTED = 20
FEATURE, PREDICTION = Role.FEATURE.value, Role.PREDICTION.value


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of a batch, what they cannot hold, and columns that did not come (20 at most)."""

    counts: Counts
    details: Details = field(default_factory=Details)
    absent: tuple[str, ...] = ()


class Layout:
    """Where each column's cells stand in the flat vector."""

    def __init__(self, columns: Sequence[ColumnProfile], left_out: Sequence[str] = ()) -> None:
        self.columns = tuple(columns)
        self.left_out = frozenset(left_out)  # features that are known, and not counted
        self.index: dict[Key, int] = {
            profile.column.key: i for i, profile in enumerate(self.columns)
        }
        if len(self.index) != len(self.columns):
            raise StatisticsError("two columns have one name and role")
        sizes = [profile.grid.value_cells + 2 for profile in self.columns]
        self.offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        bins = [len(profile.bins) for profile in self.columns]
        self._bin_offsets = np.concatenate([[0], np.cumsum(bins)]).astype(np.int64)
        parts = [p.grid.bin_of_cell + self._bin_offsets[i] for i, p in enumerate(self.columns)]
        self._bin_of_cell = np.concatenate([*parts, np.zeros(0, np.int64)]).astype(np.int64)
        self.derived = np.array([bool(p.column.part) for p in self.columns], dtype=np.bool_)
        self._came = frozenset(key for key, i in self.index.items() if not self.derived[i])
        self._made = {
            (p.column.source, p.column.role.value, p.column.part): p.column.key
            for p in self.columns
            if p.column.source
        }
        self.together = next((i for i, p in enumerate(self.columns) if p.projection), None)
        self._score_of_cell = self._scores()
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
        at: Sequence[float] | Floats | None = None,
    ) -> Counted:
        """Rows in column form as counts; a column that did not come counts as missing in every row.

        `at` is when each row came, in Unix seconds, where that is known. StatisticsError where
        columns differ in length: the caller's mistake, since no codec makes such a batch.
        """
        given: dict[Key, Values] = {(name, FEATURE): column for name, column in features.items()}
        given |= {(name, PREDICTION): column for name, column in outputs.items()}
        for name, column in (probabilities or {}).items():
            given[PROBABILITY_PREFIX + name, PREDICTION] = column
        if labels is not None:
            given[LABEL, Role.LABEL.value] = labels
        rows = _rows(given)
        if not rows:
            return Counted(self.identity)
        if given.keys() != self._came:
            reshape(given, self.columns, self.index)
        absent = [key[0] for key in self.index if key in self._came and key not in given]
        moments = np.zeros((len(self.columns), 3))
        codes = self.codes(given, rows, None if at is None else np.asarray(at), moments)
        scores = self.project(codes, rows, moments)
        products = None if scores is None else Products.of(scores)
        details = details_of(self.columns, self.index, given, codes, self.left_out)
        counts = Counts(rows, self._added_up(codes, rows), moments)
        return Counted(counts, details.with_products(products), tuple(absent[:MAX_NAMES_REPORTED]))

    def codes(
        self, given: Mapping[Key, Values], rows: int, at: Floats | None, moments: Floats
    ) -> dict[int, Codes]:
        """The cell of every value, by column; writes the numeric columns' moments into `moments`.

        Columns that did not come are left out, and so is what is derived of all features.
        """
        codes: dict[int, Codes] = {}
        numeric: Table = []
        known = dict(given)
        for i, profile in enumerate(self.columns):
            column = known.get(profile.column.key)
            if column is None:
                continue
            grid = profile.grid
            if isinstance(grid, NumericGrid):
                numeric.append((i, grid, column))
            elif isinstance(grid, CategoryGrid | BooleanGrid):
                codes[i] = grid.codes(column)
            elif profile.derivation is not None:
                derived = profile.derivation.derive(column, at)
                codes[i] = derived.states
                for part, values in derived.parts.items():
                    key = self._made.get((*profile.column.key, part))
                    if key is not None:
                        known[key] = values
        if numeric:
            codes |= number_codes(numeric, rows, moments)
        return codes

    def scores(self, codes: Mapping[int, Codes], rows: int) -> Floats:
        """What the projection makes of the cells of its features, `[p, rows]`."""
        scores = np.zeros((len(self._score_of_cell), rows))
        for row, (i, table) in enumerate(self._score_of_cell):
            if i in codes:
                np.take(table, codes[i], out=scores[row])
        return scores

    def project(self, codes: dict[int, Codes], rows: int, moments: Floats) -> Floats | None:
        """Adds the rows' reconstruction errors to `codes`; the scores that they are made of."""
        if self.together is None:
            return None
        profile = self.columns[self.together]
        assert profile.projection is not None  # noqa: S101 - that is how it was found
        assert isinstance(profile.grid, NumericGrid)  # noqa: S101 - a reference file is checked
        scores = self.scores(codes, rows)
        errors = profile.projection.errors(scores)
        codes |= number_codes([(self.together, profile.grid, errors)], rows, moments)
        return scores

    def _scores(self) -> list[tuple[int, Floats]]:
        """The projection's features by their place, with the score of each of their cells."""
        projection = None if self.together is None else self.columns[self.together].projection
        if projection is None:
            return []
        found = []
        for name, table in zip(projection.columns, projection.scores, strict=True):
            i = self.index.get((name, FEATURE))
            if i is None or len(table) != self.columns[i].grid.value_cells + 2:
                raise StatisticsError(f"the projection does not fit column {name}")
            found.append((i, table))
        return found

    def _added_up(self, codes: Mapping[int, Codes], rows: int) -> Codes:
        flat = [code + self.offsets[i] for i, code in codes.items()]
        size = int(self.offsets[-1])
        every = np.concatenate(flat) if flat else np.zeros(0, np.int64)
        cells = np.bincount(every, minlength=size).astype(np.int64, copy=False)
        lost = [i for i in range(len(self.columns)) if i not in codes]
        cells[self.offsets[np.array(lost, dtype=np.int64) + 1] - 2] += rows
        return cells


def _rows(given: Mapping[Key, Values]) -> int:
    lengths = {len(column) for column in given.values()}
    if len(lengths) > 1:
        raise StatisticsError(f"columns of one batch differ in length: {sorted(lengths)}")
    return lengths.pop() if lengths else 0
