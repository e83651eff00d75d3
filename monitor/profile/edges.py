"""Chooses the cells of a column from a sample of the reference: fine cells to compute with, bins to
publish.

Pure; knows nothing of files or windows. Fine cells stand at the reference's percentiles and finer
in its tails, so Kolmogorov–Smirnov on cells is within one percent of that on raw values. A value
that many rows share has a cell of its own. Numeric columns of at most 20 values, each seen several
times, have one cell a value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monitor.profile.grid import INVALID, MISSING, OTHER, NumericGrid

Floats = NDArray[np.float64]

BODY_CELLS = 125  # a share of .008 each, so that rounding stays under .01
TAIL_SHARES = (0.0005, 0.001, 0.002, 0.004)
OUTWARD_CELLS = 4  # between the range's end and the fence, so that a large shift is still measured
BINS = 10

DISCRETE_VALUES = 20
DISCRETE_REPEATS = 5  # rows a value, on average, before few values are taken for all there are
ATOM_SHARE = 1.0 / BODY_CELLS
BIN_ATOM_SHARE = 1.0 / BINS

FENCE_TRIM = (
    0.001  # share of rows at each end that must not set the scale, and never fewer than one
)
FENCE_MARGIN = 0.25  # of the trimmed range, beyond it
FARTHEST = 1e140  # its square is still finite, and so is the sum of many
LARGEST = float(np.finfo(np.float64).max)


def numeric_grid(sample: Floats) -> NumericGrid:
    """The grid of a column from its finite values: all of them, or a sample with both extremes."""
    ordered = np.sort(np.asarray(sample, dtype=np.float64)) + 0.0  # −0 and 0 are one value
    if not len(ordered):
        return _empty_grid()
    distinct, repeats = np.unique(ordered, return_counts=True)
    fences = _fences(ordered)
    spread = float(np.clip(ordered, *fences).std())
    scale = spread if spread > 0 else 0.5 * (fences[1] - fences[0])
    discrete = len(distinct) <= DISCRETE_VALUES and len(ordered) >= DISCRETE_REPEATS * len(distinct)
    shared = (repeats > 1) & (repeats >= ATOM_SHARE * len(ordered))
    atoms = distinct if discrete else distinct[shared]
    edges = _edges(ordered, distinct if discrete else None, atoms, fences)
    low, high = float(ordered[0]), float(ordered[-1])
    if discrete:
        bin_of_cell, names = _discrete_bins(edges, distinct)
    else:
        large = distinct[(repeats > 1) & (repeats >= BIN_ATOM_SHARE * len(ordered))]
        bin_of_cell, names = _quantile_bins(edges, ordered, large)
    start = int(edges.searchsorted(low, side="right"))
    stop = int(edges.searchsorted(high, side="right")) + 1
    centre = float(ordered[len(ordered) // 2])  # the median: one huge value must not spoil the sums
    return NumericGrid(edges, bin_of_cell, names, (start, stop), fences, scale, centre)


def after(value: float) -> float:
    """The next float, if there is one: the open end of a cell that holds one value."""
    return min(math.nextafter(value, math.inf), LARGEST)


def _ends(values: Floats) -> Floats:
    """`after` each value."""
    below_largest = np.minimum(values, np.nextafter(LARGEST, 0.0))
    ends: Floats = np.nextafter(below_largest, np.inf)
    return ends


def _empty_grid() -> NumericGrid:
    """No reference values: whatever number comes is beyond it."""
    edges = np.array([0.0])
    bins = np.array([0, 1, 2, 3])
    names = ("< 0", ">= 0", MISSING, INVALID)
    return NumericGrid(edges, bins, names, (1, 1), (-1.0, 1.0), 1.0, 0.0)


def _fences(ordered: Floats) -> tuple[float, float]:
    """How far a value may pull: the trimmed range and a margin; around a constant, its own size."""
    rows = len(ordered)
    trim = min(1 + math.ceil(FENCE_TRIM * rows), (rows - 1) // 2) if rows > 2 else 0
    low, high = np.clip(ordered[[trim, rows - 1 - trim]], -FARTHEST, FARTHEST).tolist()
    reach = FENCE_MARGIN * (high - low) or abs(low) or 1.0
    return low - reach, high + reach


def _edges(
    ordered: Floats, values: Floats | None, atoms: Floats, fences: tuple[float, float]
) -> Floats:
    low, high = float(ordered[0]), after(float(ordered[-1]))
    beyond = np.concatenate(
        [
            np.linspace(fences[0], low, OUTWARD_CELLS + 1)[:-1] if fences[0] < low else [],
            np.linspace(high, fences[1], OUTWARD_CELLS + 1)[1:] if fences[1] > high else [],
        ]
    )
    inner = _percentiles(ordered) if values is None else values
    ends = _ends(atoms)
    merged = np.unique(np.concatenate([beyond, [low, high], inner, atoms, ends]))
    finite: Floats = merged[np.isfinite(merged)]
    return finite


def _percentiles(ordered: Floats) -> Floats:
    tails = np.array(TAIL_SHARES)
    shares = np.concatenate([tails, np.arange(1, BODY_CELLS) / BODY_CELLS, 1.0 - tails])
    ranks = np.floor(shares * (len(ordered) - 1)).astype(np.int64)
    chosen: Floats = ordered[ranks]
    return chosen


def _discrete_bins(edges: Floats, values: Floats) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """A bin a value, both sides beyond, and `other` for what lies between two values."""
    texts = labels(values)
    names = [f"< {texts[0]}", *texts, f"> {texts[-1]}"]
    lower = np.concatenate([[-np.inf], edges])
    place = np.searchsorted(values, lower, side="right")  # 0: below all; i: at or above value i
    at_value = np.isin(lower, values)
    beyond = lower > values[-1]
    gap = ~at_value & (place > 0) & ~beyond
    if gap.any():
        names.append(OTHER)
    bins = np.where(beyond, len(values) + 1, np.where(gap, len(names) - 1, place))
    return np.concatenate([bins, [len(names), len(names) + 1]]), (*names, MISSING, INVALID)


def _quantile_bins(
    edges: Floats, ordered: Floats, atoms: Floats
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """About ten bins of equal share between the reference's ends, both sides beyond, atoms
    apart."""
    low, high = float(ordered[0]), after(float(ordered[-1]))
    ranks = np.floor(np.arange(1, BINS) / BINS * (len(ordered) - 1)).astype(np.int64)
    # Percentile edges need not hold the deciles: the nearest edge at or under each does.
    deciles = edges[np.maximum(edges.searchsorted(ordered[ranks], side="right") - 1, 0)]
    ends = _ends(atoms)
    bounds = np.unique(np.concatenate([[low], deciles[deciles > low], atoms, ends, [high]]))
    bounds = bounds[(bounds >= low) & (bounds <= high)]
    lower = np.concatenate([[-np.inf], edges])
    bins = np.searchsorted(bounds, lower, side="right")
    names = _interval_names(bounds, atoms)
    return np.concatenate([bins, [len(names), len(names) + 1]]), (*names, MISSING, INVALID)


def _interval_names(bounds: Floats, atoms: Floats) -> list[str]:
    """`< a`, then `[a, b)` (or `(a, b)` after a value with its own bin, which is named by the
    value), then `> z`."""
    ends = set(_ends(atoms).tolist())
    exact = [math.nextafter(b, -math.inf) if b in ends else b for b in bounds.tolist()]
    top = math.nextafter(bounds[-1], -math.inf)  # the maximum itself
    texts = labels([*exact[:-1], top])
    names = [f"< {texts[0]}"]
    for i in range(len(bounds) - 1):
        if exact[i] == exact[i + 1] or (i == len(bounds) - 2 and exact[i] == top):
            names.append(texts[i])  # a cell of one value
            continue
        left = "(" if bounds[i] in ends else "["
        right = "]" if i == len(bounds) - 2 else ")"
        names.append(f"{left}{texts[i]}, {texts[i + 1]}{right}")
    return [*names, f"> {texts[-1]}"]


def labels(values: Sequence[float] | Floats) -> list[str]:
    """Numbers as short texts that still tell different ones apart.

    >>> labels([1.0, 2.5, 1234567.0]), labels([0.12341, 0.12342])
    (['1', '2.5', '1234567'], ['0.12341', '0.12342'])
    """
    wanted = [float(value) for value in values]
    distinct = len(set(wanted))
    texts = [f"{value:.4g}" for value in wanted]
    for digits in range(4, 18):
        texts = [_label(value, digits) for value in wanted]
        if len(set(texts)) == distinct:
            break
    return texts


def _label(value: float, digits: int) -> str:
    if value.is_integer() and abs(value) < 1e9:
        return str(int(value))
    return f"{value:.{digits}g}"
