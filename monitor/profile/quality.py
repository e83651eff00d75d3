"""The data itself against the reference's: has a share of faulty rows risen, and by chance?

Pure; decides nothing. Four faults of each column, each with a test of its own, one-sided, because
data that became cleaner are no fault:

* missing, invalid: rows without a value, or with one of another type;
* outside: values far beyond the reference's range (beyond its fences too, so that a drift alone is
  no fault), or categories it never held;
* frozen: all values are one, as they were not in the reference.

Of a derived column only that it is frozen: the other faults are its source's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.profile.column import ColumnProfile
from monitor.profile.counts import Counts
from monitor.profile.grid import CategoryGrid, NumericGrid
from monitor.profile.layout import Layout
from monitor.statistics.divergence import share_effect
from monitor.statistics.significance import share_rise

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

FAULTS: Final = ("missing", "invalid", "outside", "frozen")
MISSING, INVALID, OUTSIDE, FROZEN = range(4)

# A constant's variance, by rounding: this, times rows, of its squared distance to the centre.
ROUNDING = float(np.finfo(np.float64).eps)
LEAST_ROUNDINGS = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class Quality:
    """Each `[faults, columns]`; p is NaN where there is nothing to test."""

    hits: Floats  # faulty rows now
    rows: Floats
    reference_hits: Floats
    reference_rows: Floats
    unlucky_hits: Floats  # that the reference might as well have had besides
    effect: Floats  # Cohen's h, negative where the share fell
    p_value: Floats
    frozen_cell: Codes  # `[columns]`: which of its cells holds all values, or −1

    @property
    def share(self) -> Floats:
        """Share of faulty rows now; NaN without rows."""
        return _share(self.hits, self.rows)

    @property
    def reference_share(self) -> Floats:
        """Share of faulty rows in the reference; NaN without rows."""
        return _share(self.reference_hits, self.reference_rows)

    @property
    def tested(self) -> int:
        """How many tests were made. That of a frozen column is none of its own: a column cannot be
        frozen by chance unless its values are as surprising."""
        return int(np.count_nonzero(~np.isnan(self.p_value[:FROZEN])))

    def thresholds(self, fault: Codes, column: Codes, level: float, least: Floats) -> Floats:
        """The smallest shares, of as many rows, that are as surprising as `level` and by `least`
        larger than the reference's: one for each pair of fault and column."""
        at = fault, column
        rows, before_rows = self.rows[at], self.reference_rows[at]
        usual = self.reference_share[at]
        before = np.minimum(self.reference_hits[at] + self.unlucky_hits[at], before_rows)
        low, high = np.zeros_like(rows), rows.copy()
        while np.any(high - low > 1):
            middle = np.floor(0.5 * (low + high))
            enough = (share_rise(before, before_rows, middle, rows) <= level) & (
                share_effect(usual, middle / rows) >= least
            )
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return high / rows


class QualityAssessor:
    """Tests any number of current counts against one reference."""

    def __init__(self, layout: Layout, reference: Counts) -> None:
        self._starts = layout.offsets[:-1]
        self._missing = layout.offsets[1:] - 2
        columns = layout.columns
        numeric = np.array([isinstance(p.grid, NumericGrid) for p in columns], dtype=np.bool_)
        ends = [_ends(profile, start) for profile, start in zip(columns, self._starts, strict=True)]
        self._outside = np.array(ends, dtype=np.int64).reshape(len(columns), 2)
        self._numeric = numeric
        self._derived = layout.derived
        self._cells = reference.cells
        self._reference_hits, self._reference_rows = self._hits(reference)
        self._unlucky = np.zeros_like(self._reference_hits)
        parts = [reference.cells[layout.cell_slice(i)] for i in range(len(columns))]
        self._varied = np.array([np.count_nonzero(part[:-2]) > 1 for part in parts], dtype=np.bool_)
        self._single = np.array([_single_cells(profile) for profile in columns], dtype=np.int64)
        self._unlucky[OUTSIDE] = list(map(_unlucky, columns, parts))
        self._unlucky[FROZEN] = 1.0  # the cell is not known beforehand

    def assess(self, current: Counts) -> Quality:
        """Every test of every column."""
        hits, rows = self._hits(current)
        before, rows_before = self._reference_hits.copy(), self._reference_rows
        frozen = self._frozen(current, rows[FROZEN])
        before[FROZEN] = np.where(frozen >= 0, np.append(self._cells, 0)[frozen], 0.0)
        hits[FROZEN] = np.where(frozen >= 0, rows[FROZEN], 0.0)
        p = share_rise(before + self._unlucky, rows_before, hits, rows)
        possible = before + hits > 0
        possible[OUTSIDE] = self._outside[:, 0] >= 0
        possible[:FROZEN] &= ~self._derived
        possible[FROZEN] = frozen >= 0
        return Quality(
            hits,
            rows,
            before,
            rows_before,
            self._unlucky,
            share_effect(_share(before, rows_before), _share(hits, rows)),
            np.where(possible, p, np.nan),
            np.where(frozen >= 0, frozen - self._starts, -1),
        )

    def p_values(
        self, cells: Codes, rows: Codes, least: float = 0.0
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Only the p-values of `assess`, `[looks, 3, columns]`, for many looks at once
        (`cells[looks, total]`, `rows[looks]`), and which looks may hold a frozen column. NaN where
        the effect is less than `least`, if that is above nought."""
        padded = np.concatenate([cells, np.zeros((len(cells), 1), dtype=cells.dtype)], axis=1)
        missing, invalid = padded[:, self._missing], padded[:, self._missing + 1]
        outside = padded[:, self._outside].sum(axis=-1)
        all_rows = np.broadcast_to(rows[:, None], missing.shape)
        valid = all_rows - missing - invalid
        hits = np.stack([missing, invalid, outside], axis=1).astype(np.float64)
        of = np.stack([all_rows, all_rows, valid], axis=1).astype(np.float64)
        before = (self._reference_hits + self._unlucky)[:FROZEN]
        padded[:, self._missing] = padded[:, self._missing + 1] = 0
        one = (np.maximum.reduceat(padded, self._starts, axis=1) == valid) & (valid > 1)
        rows_before = np.broadcast_to(self._reference_rows[:FROZEN], hits.shape)
        asked = np.broadcast_to(~self._derived, hits.shape)
        if least > 0:
            usual = _share(self._reference_hits, self._reference_rows)[:FROZEN]
            asked = asked & (share_effect(usual, _share(hits, of)) >= least)
        p = np.full(hits.shape, np.nan)
        before = np.broadcast_to(before, hits.shape)
        p[asked] = share_rise(before[asked], rows_before[asked], hits[asked], of[asked])
        return p, one.any(axis=1)

    def _hits(self, counts: Counts) -> tuple[Floats, Floats]:
        """Faulty rows, and the rows that they are a share of; frozen has none yet."""
        cells = np.append(counts.cells, 0)
        missing, invalid = cells[self._missing], cells[self._missing + 1]
        outside = cells[self._outside].sum(axis=1)
        rows = np.full(len(missing), counts.rows)
        valid = rows - missing - invalid
        hits = np.stack([missing, invalid, outside, np.zeros_like(rows)])
        return hits.astype(np.float64), np.stack([rows, rows, valid, valid]).astype(np.float64)

    def _frozen(self, counts: Counts, valid: Floats) -> Codes:
        """The flat cell that holds all of a column's values, if they are all equal; or −1."""
        cells = np.append(counts.cells, 0)
        cells[self._missing] = cells[self._missing + 1] = 0
        one = (np.maximum.reduceat(cells, self._starts) == valid) & (valid > 1)
        n, first, second = counts.moments.T
        weight = np.where(n > 0, n, 1.0)
        shift = first / weight
        spread = np.sqrt(np.maximum(second / weight - shift**2, 0.0))
        roundings = np.maximum(weight, LEAST_ROUNDINGS)
        equal = spread <= np.sqrt(ROUNDING * roundings) * np.abs(shift)
        found = np.full(len(valid), -1, dtype=np.int64)
        for i in np.flatnonzero(one & self._varied & (equal | ~self._numeric)).tolist():
            cell = int(cells[self._starts[i] : self._missing[i]].argmax())
            found[i] = self._starts[i] + cell if cell < self._single[i] else -1
        return found


def _ends(profile: ColumnProfile, start: int) -> tuple[int, int]:
    """Two cells that hold what the reference never held; −1 is the nought behind all cells."""
    last = int(start) + profile.grid.value_cells - 1
    if isinstance(profile.grid, NumericGrid):
        return int(start), last  # the outermost edges are the range's or the fences', if farther
    return (last, -1) if isinstance(profile.grid, CategoryGrid) else (-1, -1)


def _single_cells(profile: ColumnProfile) -> int:
    """So many cells, from the first, may hold one value only; other and unseen hold many."""
    grid = profile.grid
    return len(grid.categories) if isinstance(grid, CategoryGrid) else grid.value_cells


def _unlucky(profile: ColumnProfile, cells: Codes) -> float:
    """Rows outside of this reference that another one, as long, would have had, about."""
    if isinstance(profile.grid, NumericGrid):
        return 1.0
    if isinstance(profile.grid, CategoryGrid) and not profile.grid.known:
        return float(np.count_nonzero(cells[: len(profile.grid.categories)] == 1))
    return 0.0


def _share(hits: Floats | float, rows: Floats | float) -> Floats:
    held, of = np.asarray(hits, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    empty: Floats = np.full(np.broadcast(held, of).shape, np.nan)
    return np.asarray(np.divide(held, of, out=empty, where=of > 0))
