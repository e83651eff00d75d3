"""How many numbers fall into each cell of a grid, a great many numbers at a time; pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.profile.buckets import Buckets
from monitor.profile.grid import NumericGrid
from monitor.profile.tally import LARGEST_DEVIATION

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cells:
    """How many numbers fall into each value cell, and n, Σ(x − c), Σ(x − c)²."""

    values: Codes
    moments: tuple[float, float, float]


class CellCounter:
    """The numbers of one column so far: those of `profile.tally`, without a cell for each."""

    def __init__(self, grid: NumericGrid) -> None:
        self._buckets, self._centre = Buckets(grid), grid.centre
        self._values = np.zeros(grid.value_cells, np.int64)
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
        codes = self._buckets.codes(numbers)
        self._values += np.bincount(codes, minlength=len(self._values))

    @property
    def cells(self) -> Cells:
        """What was counted."""
        count, first, second = self._moments.tolist()
        return Cells(self._values.copy(), (count, first, second))
