"""Which cell of a numeric grid a number falls into, without a search for most numbers; pure.

To search among the edges takes most of the time that counting takes: the processor cannot guess
which way a search turns. So numbers are first dropped into buckets of equal width, which takes a
multiplication; only those whose bucket an edge cuts are searched for. Dropping is monotone in
floats too, so the cells are exact.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from monitor.profile.grid import NumericGrid

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

BUCKETS = 4096  # and one for what lies below, one for what lies above
MOST_CUT = 0.5  # of the numbers: where more are searched for, all are


class Buckets:
    """The buckets of one grid: 36 kB."""

    def __init__(self, grid: NumericGrid) -> None:
        self._edges = grid.edges
        low, high = np.clip(grid.edges[[0, -1]], *grid.fences).tolist()
        each = BUCKETS / (high - low) if high > low else 0.0
        self._low, self._each = low, each if np.isfinite(each) else 0.0
        bucket = self._bucket(grid.edges)
        cell = bucket.searchsorted(np.arange(BUCKETS + 2))
        cell[bucket] = -1
        self._cell: Codes = cell
        self._serves = self._each > 0 and _share_cut(grid.edges, 1.0 / self._each) <= MOST_CUT

    def codes(self, numbers: Floats) -> Codes:
        """Each number's cell, as `searchsorted` would say; any cell for NaN."""
        if not self._serves:
            return self._edges.searchsorted(numbers, side="right")
        codes: Codes = self._cell.take(self._bucket(numbers))
        cut = np.flatnonzero(codes < 0)
        codes[cut] = self._edges.searchsorted(numbers.take(cut), side="right")
        return codes

    def _bucket(self, numbers: Floats) -> Codes:
        with np.errstate(over="ignore"):
            place = numbers - self._low
            place *= self._each
        np.fmax(place, -1.0, out=place)  # NaN too
        np.fmin(place, BUCKETS, out=place)
        place += 1.0
        found: Codes = place.astype(np.int64)
        return found


_made: WeakKeyDictionary[NumericGrid, Buckets] = WeakKeyDictionary()


def buckets(grid: NumericGrid) -> Buckets:
    """The buckets of a grid: made once, and gone with it."""
    found = _made.get(grid)
    if found is None:
        found = _made[grid] = Buckets(grid)
    return found


def _share_cut(edges: Floats, width: float) -> float:
    """About what share of numbers is searched for, were all cells equally full."""
    with np.errstate(over="ignore"):
        return float(np.minimum(width / np.diff(edges), 1.0).mean())
