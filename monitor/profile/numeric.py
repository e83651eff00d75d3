"""The numeric columns of a reference as one table of cells: distances and p-values, all at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monitor.profile.counts import Counts
from monitor.profile.grid import NumericGrid
from monitor.profile.layout import Layout
from monitor.statistics import divergence, ordered

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

COARSE_SHARE = 0.5


class NumericColumns:
    """The numeric columns' fine cells, and what the reference fixes for them."""

    def __init__(self, layout: Layout, reference: Counts) -> None:
        held = {
            i: profile.grid
            for i, profile in enumerate(layout.columns)
            if isinstance(profile.grid, NumericGrid)
        }
        grids = list(held.values())
        self.which = np.array(list(held), dtype=np.int64)
        weights = np.array([layout.columns[i].weight for i in held])
        sizes = np.array([grid.value_cells for grid in grids], dtype=np.int64)
        self._cells = gather(layout.offsets[self.which], sizes)
        self._positions = padded([g.positions for g in grids], max(self._cells.shape[1] - 1, 0))
        self._scales = np.array([grid.scale for grid in grids], dtype=np.float64)
        self.centres = np.full(len(layout.columns), np.nan)
        self.centres[self.which] = [grid.centre for grid in grids]
        self._reference = take(reference.cells, self._cells) * weights[:, None]
        rows = np.maximum(self._reference.sum(axis=1), 1.0)
        # With most rows at one value, few others are expected: too few for sums of normals.
        self.coarse = self.which[self._reference.max(axis=1, initial=0.0) > COARSE_SHARE * rows]
        tails = [ordered.ad_tail(row) for row in self._reference]
        self._points = np.array([points for points, _ in tails])
        self._log_p = np.array([log_p for _, log_p in tails])
        self._inside = np.array([grid.inside for grid in grids], dtype=np.int64).reshape(-1, 2)

    def p_values(self, cells: Codes, chosen: Codes) -> Floats:
        """Of the values, `[looks, chosen]`, for `cells[looks, total]`."""
        now = ordered.without_outliers(take(cells, self._cells[chosen]), self._inside[chosen])
        before = np.broadcast_to(self._reference[chosen], now.shape)
        tails = self._points[chosen], self._log_p[chosen]
        statistic = ordered.anderson_darling(before, now)
        return np.stack([ordered.ad_p_value(a, *tails) for a in statistic])

    def score(self, current: Counts) -> dict[str, Floats]:
        """Of the numeric columns only, `[numeric columns]`."""
        if not len(self.which):
            return {}
        both = self._reference, take(current.cells, self._cells)
        distance = divergence.wasserstein(*both, self._positions, self._scales)
        calm = ordered.without_outliers(both[1], self._inside)
        statistic = ordered.anderson_darling(both[0], calm)
        return {
            "wasserstein": distance,
            "ks": divergence.ks_distance(*both),
            "p_value": ordered.ad_p_value(statistic, self._points, self._log_p),
        }


def gather(starts: Codes, sizes: Codes) -> Codes:
    """Indices into a flat vector `[columns, widest]`; −1, where a column is narrower, means the
    zero put at its end."""
    widest = int(sizes.max()) if len(sizes) else 0
    steps = np.arange(widest)
    return np.where(steps < sizes[:, None], starts[:, None] + steps, -1)


def take(flat: Codes, index: Codes) -> Floats:
    """The cells `[..., columns, widest]` of `flat[..., total]`."""
    nought = np.zeros((*flat.shape[:-1], 1), dtype=flat.dtype)
    return np.concatenate([flat, nought], axis=-1)[..., index].astype(np.float64)


def padded(parts: Sequence[NDArray[np.float64] | NDArray[np.bool_]], width: int) -> Floats:
    """Rows of different length as one table; the last value is repeated, so that its steps are
    zero."""
    table = np.zeros((len(parts), width))
    for row, part in enumerate(parts):
        table[row, : len(part)] = part
        table[row, len(part) :] = part[-1]
    return table
