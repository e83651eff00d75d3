"""A column's two distributions as bars that can be drawn side by side; pure.

A numeric column's cells are many and narrow: they are added up into bars of equal width between the
reference's fences, a cell that a bar's edge cuts being shared out evenly. What lies beyond has a
bar at each end.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from monitor.profile.column import ColumnProfile
from monitor.profile.counts import Counts
from monitor.profile.edges import labels
from monitor.profile.grid import NumericGrid
from monitor.profile.layout import Layout

Floats = NDArray[np.float64]

BARS = 32
MOST_NAMES = 24
LEAST_SHARE = 1e-9


@dataclass(frozen=True, slots=True)
class Bars:
    """Shares of all rows, bar by bar."""

    names: tuple[str, ...]
    reference: tuple[float, ...]
    current: tuple[float, ...]
    ordered: bool  # numbers, from left to right


def bars(layout: Layout, index: int, reference: Counts, current: Counts) -> Bars:
    """How a column is drawn."""
    profile, part = layout.columns[index], layout.cell_slice(index)
    before, now = (side.cells[part] / max(side.rows, 1) for side in (reference, current))
    grid = profile.grid
    if isinstance(grid, NumericGrid) and len(grid.edges) > BARS:
        return _histogram(grid, before, now)
    return _by_name(profile, before, now)


def _histogram(grid: NumericGrid, before: Floats, now: Floats) -> Bars:
    low, high = (float(np.clip(end, *grid.fences)) for end in (grid.edges[0], grid.edges[-1]))
    ends = np.linspace(low, high, BARS + 1)
    texts = labels(ends)
    names = [
        f"< {texts[0]}",
        *(f"{a} – {b}" for a, b in pairwise(texts)),
        f"> {texts[-1]}",
        "missing",
        "invalid",
    ]
    sides = [_shares(grid, ends, side) for side in (before, now)]
    return _without_empty_ends(names, *sides, inner=BARS)


def _shares(grid: NumericGrid, ends: Floats, cells: Floats) -> Floats:
    """Shares of a side in the bars: the distribution function at their ends, cut into steps."""
    below = np.cumsum(cells[:-2])[:-1]  # at each edge: the rows under it
    at = np.interp(ends, grid.edges, below)
    total = float(cells[:-2].sum())
    return np.concatenate([[at[0]], np.diff(at), [total - at[-1]], cells[-2:]])


def _by_name(profile: ColumnProfile, before: Floats, now: Floats) -> Bars:
    """The published bins; of many names those with the largest shares, and the others together."""
    names = list(profile.bins)
    merged: list[Floats] = [
        np.bincount(profile.grid.bin_of_cell, weights=side, minlength=len(names)).astype(np.float64)
        for side in (before, now)
    ]
    if isinstance(profile.grid, NumericGrid) or len(names) <= MOST_NAMES:
        return _without_empty_ends(names, *merged, inner=0)
    largest = np.argsort(-np.maximum(*merged), kind="stable")
    kept = np.sort(largest[:MOST_NAMES])
    rest = np.sort(largest[MOST_NAMES:])
    sides = [np.append(side[kept], side[rest].sum()) for side in merged]
    chosen = [names[i] for i in kept.tolist()]
    return _without_empty_ends([*chosen, f"{len(rest)} others"], *sides, inner=0)


def _without_empty_ends(names: list[str], before: Floats, now: Floats, *, inner: int) -> Bars:
    """Bars that neither side fills are left out, but for those between two that are filled."""
    filled = np.maximum(before, now) > LEAST_SHARE
    held = np.flatnonzero(filled[1 : 1 + inner]) + 1
    if len(held):
        filled[held[0] : held[-1] + 1] = True
    kept = np.flatnonzero(filled).tolist()
    return Bars(
        tuple(names[i] for i in kept),
        tuple(float(before[i]) for i in kept),
        tuple(float(now[i]) for i in kept),
        inner > 0,
    )
