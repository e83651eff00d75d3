"""Which columns may have moved far enough, in which of many looks: bounds that cost a tenth of a
test.

For whoever looks a million times, as a simulation of a month does. A column that is left out of a
look has not moved by so much in it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monitor.profile.counts import Counts
from monitor.profile.grid import NumericGrid, PresenceGrid
from monitor.profile.layout import Layout
from monitor.statistics import divergence

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Screen:
    """Bounds of every column's effect over one reference."""

    def __init__(self, layout: Layout, reference: Counts) -> None:
        self._layout = layout
        self._reference = reference
        self._numeric: list[tuple[int, slice, Floats, Floats]] = []
        for i, profile in enumerate(layout.columns):
            if isinstance(profile.grid, NumericGrid):
                values = slice(int(layout.offsets[i]), int(layout.offsets[i + 1]) - 2)
                steps = np.diff(profile.grid.positions) / profile.grid.scale
                # Between two edges the gap is at most the mean of both its ends.
                weights = 0.5 * (np.append(steps, 0.0) + np.insert(steps, 0, 0.0))
                self._numeric.append((i, values, _below(reference.cells[values]), weights))

    def values(self, cells: Codes, least: float) -> Mask:
        """Columns whose values may have moved by `least`, `[looks, columns]`, in each of
        `cells[looks, total]`."""
        far = np.zeros((len(cells), len(self._layout.columns)), dtype=np.bool_)
        for i, part, below, weights in self._numeric:
            bound = np.abs(_below(cells[:, part]) - below) @ weights
            far[:, i] = bound >= least
        for i, profile in enumerate(self._layout.columns):
            if not isinstance(profile.grid, NumericGrid | PresenceGrid):
                part, merging = self._layout.cell_slice(i), self._layout.merging(i)
                before = (self._reference.cells[part] @ merging)[:-2]
                distance = divergence.js_distance(before, (cells[:, part] @ merging)[:, :-2])
                far[:, i] = distance >= least
        return far

    def presence(self, before: Floats, now: Floats, least: float) -> Mask:
        """Columns whose states `[looks, columns, 3]` moved by `least`, `[looks, columns]`."""
        distance = divergence.js_distance(np.broadcast_to(before, now.shape), now)
        return np.asarray((distance >= least) & ~self._layout.derived)


def _below(cells: Codes) -> Floats:
    """The share of values below each edge between cells, `[..., B − 1]`; NaN without values."""
    sums = np.cumsum(cells, axis=-1, dtype=np.float64)
    total = sums[..., -1:]
    found: Floats = sums[..., :-1] / np.where(total > 0, total, np.nan)
    return found
