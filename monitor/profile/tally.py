"""The cells and moments of numeric columns, many columns at a time: where most of the counting
goes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monitor.profile import values as read
from monitor.profile.buckets import buckets
from monitor.profile.grid import NumericGrid
from monitor.profile.values import Values

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Table = list[tuple[int, NumericGrid, Values]]  # a column's place in the layout, its grid, its rows

MANY_ROWS = 256  # fewer are searched for sooner than dropped into buckets
LARGEST_DEVIATION = 1e140  # its square is still finite, and so is the sum of many


def number_codes(columns: Table, rows: int, moments: Floats) -> dict[int, Codes]:
    """The cell of every value, by column; writes the columns' moments into `moments`."""
    table = np.empty((len(columns), rows))
    codes = np.empty((len(columns), rows), dtype=np.int64)
    wrong: list[tuple[int, NDArray[np.bool_]]] = []
    for row, (_, grid, column) in enumerate(columns):
        table[row], invalid = read.numbers(column)
        if rows >= MANY_ROWS:
            codes[row] = buckets(grid).codes(table[row])
        else:
            codes[row] = grid.edges.searchsorted(table[row], side="right")
        if invalid is not None:
            wrong.append((row, invalid))
    finite = np.isfinite(table)
    if not finite.all():
        missing_cell = np.array([grid.value_cells for _, grid, _ in columns])
        codes = np.where(finite, codes, missing_cell[:, None])
        for row, invalid in wrong:
            codes[row, invalid] = missing_cell[row] + 1
    centre = np.array([grid.centre for _, grid, _ in columns])[:, None]
    near = np.clip(table, centre - LARGEST_DEVIATION, centre + LARGEST_DEVIATION)
    deviation = np.where(finite, near, centre) - centre
    which = [i for i, _, _ in columns]
    moments[which, 0] = finite.sum(axis=1)
    moments[which, 1] = deviation.sum(axis=1)
    moments[which, 2] = np.einsum("ij,ij->i", deviation, deviation)
    return dict(zip(which, codes, strict=True))
