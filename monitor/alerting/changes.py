"""Names the kind of a change whose size is known already: a shift, another spread, another shape,
another unit, two categories that changed places.

Works on one column's cells, so one value of any size cannot speak for the others; decides nothing.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.profile.grid import CategoryGrid, Grid, NumericGrid
from monitor.statistics.divergence import total_variation

Floats = NDArray[np.float64]

LEAST_SHIFT = 0.1  # standard deviations
LEAST_SPREAD = math.log(1.1)
MOST_CUT = 0.01  # share of values beyond the outermost edges
DEVIATIONS = 3.0  # of what chance does to the figure with as many rows

# Prefixes and powers of ten, seconds to minutes or hours, inches, feet, pounds, miles.
_FACTORS = (10.0, 100.0, 1e3, 1e4, 1e6, 60.0, 3600.0, 25.4, 2.54, 3.28084, 2.20462, 1.609344)
FACTORS: Final = np.array([*_FACTORS, *(1.0 / factor for factor in _FACTORS)])
FACTOR_TOLERANCE = math.log(1.4)  # a long tail makes its standard deviation uncertain
UNIT_MISMATCH = 0.15  # total variation that a change of unit may leave unexplained
LEAST_SWAP = 0.05
SWAP_EXPLAINS = 0.8  # share of all that moved


def name_change(grid: Grid, reference: Floats, current: Floats, stddev_ratio: float) -> str:
    """The change between counts `[cells]` of one column's values; empty where it has no name.

    `stddev_ratio` is current over reference, of the raw values; it only proposes a unit.
    """
    if isinstance(grid, NumericGrid):
        return _unit(grid, reference, current, stddev_ratio) or _moved(grid, reference, current)
    if isinstance(grid, CategoryGrid):
        return _swap(grid, reference, current)
    return ""


def _moved(grid: NumericGrid, reference: Floats, current: Floats) -> str:
    """Shift and spread in the reference's standard deviations, values drawn in to the fences."""
    if current[1:-1].any() and np.count_nonzero(current) == 1:
        return ""  # all in one cell has no spread to speak of: the bins say where
    points = (_middles(grid.positions) - grid.positions[0]) / grid.scale
    rows = float(current.sum())
    p, q = reference / reference.sum(), current / rows
    before, after = float(p @ points), float(q @ points)
    spread = math.sqrt(float(p @ (points - before) ** 2))
    if spread <= 0:
        return ""
    spread_after = math.sqrt(float(q @ (points - after) ** 2))
    shift = (after - before) / spread
    growth = math.log(max(spread_after / spread, 1e-9))
    cut = float(q[0] + q[-1]) > MOST_CUT  # values drawn in: the figures are only bounds
    more = " or more" if cut else ""
    words = []
    if abs(shift) >= max(LEAST_SHIFT, DEVIATIONS / math.sqrt(rows)):
        words.append(f"mean {_way(shift)} by {abs(shift):.2g} standard deviations{more}")
    fourth = max(_kurtosis(p, points), _kurtosis(q, points))
    noise = DEVIATIONS * math.sqrt(max(fourth - 1.0, 0.0) / (4.0 * rows))
    if abs(growth) >= max(LEAST_SPREAD, noise) and not (cut and growth < 0):
        words.append(f"spread {_way(growth)} to {math.exp(growth):.2g}{more} of the reference's")
    shape = "" if cut else "shape changed, at about the same mean and spread"
    return " and ".join(words) or shape


def _kurtosis(weights: Floats, points: Floats) -> float:
    squares = (points - float(weights @ points)) ** 2
    variance = float(weights @ squares)
    return float(weights @ squares**2) / variance**2 if variance > 0 else 1.0


def _unit(grid: NumericGrid, reference: Floats, current: Floats, stddev_ratio: float) -> str:
    """The factor that would turn the reference into what is seen, if there is a usual one."""
    if not (math.isfinite(stddev_ratio) and stddev_ratio > 0):
        return ""
    near = FACTORS[np.abs(np.log(FACTORS / stddev_ratio)) <= FACTOR_TOLERANCE]
    if not len(near):
        return ""
    bins = grid.bin_of_cell[: grid.value_cells]
    with np.errstate(over="ignore"):  # beyond all floats is beyond all edges too
        values = np.outer([1.0, *near], _middles(grid.edges))
    cells = grid.edges.searchsorted(values, side="right")
    seen = _binned(bins, current, grid)
    expected = np.stack([_binned(bins[row], reference, grid) for row in cells])
    mismatch = total_variation(expected, seen)
    best = int(mismatch[1:].argmin()) + 1
    if mismatch[best] > UNIT_MISMATCH or 2.0 * mismatch[best] > mismatch[0]:
        return ""
    factor = float(near[best - 1])
    times = f"{factor:.3g} times" if factor > 1 else f"1/{1 / factor:.3g} of"
    return f"values are about {times} the reference's: another unit?"


def _binned(bins: NDArray[np.int64], counts: Floats, grid: NumericGrid) -> Floats:
    held: Floats = np.bincount(bins, weights=counts, minlength=len(grid.bins)).astype(np.float64)
    return held


def _swap(grid: CategoryGrid, reference: Floats, current: Floats) -> str:
    """Two categories, each with the share that the other had."""
    rows = float(current.sum())
    p, q = reference / reference.sum(), current / rows
    move = np.abs(q - p)
    first, second = np.argsort(-move)[:2].tolist() if len(move) > 1 else (0, 0)
    names = grid.categories
    if max(first, second) >= len(names) or first == second:
        return ""
    chance = DEVIATIONS * math.sqrt(0.25 / rows)
    exchanged = max(abs(q[first] - p[second]), abs(q[second] - p[first]))
    apart = abs(p[first] - p[second])
    main = move[first] + move[second] >= SWAP_EXPLAINS * move.sum()
    if apart < LEAST_SWAP or exchanged > min(chance, 0.5 * apart) or not main:
        return ""
    return f"{names[first]} and {names[second]} have changed places"


def _middles(edges: Floats) -> Floats:
    """Where each cell's values are taken to be; the outermost at their edges."""
    return np.concatenate([edges[:1], 0.5 * edges[:-1] + 0.5 * edges[1:], edges[-1:]])


def _way(change: float) -> str:
    return "rose" if change > 0 else "fell"
