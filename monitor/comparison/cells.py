"""How many numbers fall into each cell of a grid, a great many numbers at a time; pure.

The cells are those of `profile.tally`, by another way: to search among the edges for each number
would take most of a comparison's time. Numbers are first dropped into buckets of equal width, which
takes a multiplication; only those whose bucket an edge cuts are searched for. Dropping is monotone
in floats too, so the cells are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.profile.grid import NumericGrid
from monitor.profile.tally import LARGEST_DEVIATION

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

BUCKETS = 8192  # and one for what lies below, one for what lies above


@dataclass(frozen=True, slots=True)
class Cells:
    """How many numbers fall into each value cell, and n, Σ(x − c), Σ(x − c)²."""

    values: Codes
    moments: tuple[float, float, float]


class CellCounter:
    """The numbers of one column so far."""

    def __init__(self, grid: NumericGrid) -> None:
        self._edges, self._centre = grid.edges, grid.centre
        self._low, self._buckets_each = _scale(grid)
        self._held = np.zeros(BUCKETS + 2, np.int64)
        self._searched = np.zeros(len(grid.edges) + 1, np.int64)
        self._cut = np.ones(BUCKETS + 2, np.bool_)
        if self._buckets_each:
            self._cut[:] = False
            self._cut[self._bucket(grid.edges)] = True
        self._moments = np.zeros(3)

    def take(self, numbers: Floats) -> None:
        """Counts some; NaN where there is none. The others are finite."""
        lost = np.isnan(numbers)
        if lost.any():
            numbers = numbers[~lost]
        centre = self._centre
        deviation = np.clip(numbers, centre - LARGEST_DEVIATION, centre + LARGEST_DEVIATION)
        deviation -= centre
        squares = np.einsum("i,i->", deviation, deviation)
        self._moments += (len(numbers), deviation.sum(), squares)
        if self._buckets_each:
            bucket = self._bucket(numbers)
            self._held += np.bincount(bucket, minlength=BUCKETS + 2)
            numbers = numbers[self._cut[bucket]]
        codes = self._edges.searchsorted(numbers, side="right")
        self._searched += np.bincount(codes, minlength=len(self._searched))

    @property
    def cells(self) -> Cells:
        """What was counted."""
        count, first, second = self._moments.tolist()
        values = self._searched.copy()
        if self._buckets_each:
            whole = np.flatnonzero(~self._cut)
            cell = self._bucket(self._edges).searchsorted(whole)
            np.add.at(values, cell, self._held[whole])
        return Cells(values, (count, first, second))

    def _bucket(self, numbers: Floats) -> Codes:
        with np.errstate(over="ignore"):
            place = numbers - self._low
            place *= self._buckets_each
        np.clip(place, -1.0, BUCKETS, out=place)
        place += 1.0
        found: Codes = place.astype(np.int64)
        return found


def _scale(grid: NumericGrid) -> tuple[float, float]:
    """Where the first bucket begins, and buckets per unit; 0 where no width serves."""
    low, high = np.clip(grid.edges[[0, -1]], *grid.fences).tolist()
    each = BUCKETS / (high - low) if high > low else 0.0
    return low, each if np.isfinite(each) else 0.0
