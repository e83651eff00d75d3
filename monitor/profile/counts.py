"""`Counts`: what was counted, for all columns together, in one flat vector; two of them add up.

Knows nothing of what a cell means: that is the `Layout`'s. Memory: 8 bytes a cell and 24 a column,
whatever the number of rows. A numeric column has at most about 245 cells (typically 130: about 1 kB
a pane), a categorical one its categories and four more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.errors import StatisticsError


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Rows seen, `cells[total]` values in each cell, and `moments[columns, 3]` of the numeric ones.

    A column's moments are n, Σ(x − c) and Σ(x − c)² over its finite values, c being the column's
    centre in the reference, so that the sums stay well conditioned.
    """

    rows: int
    cells: NDArray[np.int64]
    moments: NDArray[np.float64]

    def __add__(self, other: Counts) -> Counts:
        if self.cells.shape != other.cells.shape or self.moments.shape != other.moments.shape:
            raise StatisticsError("counts of two different layouts do not add up")
        return Counts(
            self.rows + other.rows, self.cells + other.cells, self.moments + other.moments
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Counts):
            return NotImplemented
        return (
            self.rows == other.rows
            and np.array_equal(self.cells, other.cells)
            and np.array_equal(self.moments, other.moments)
        )

    __hash__ = None  # type: ignore[assignment]  # arrays inside: equal, but not a key


def zero(cells: int, columns: int) -> Counts:
    """The identity of `+`."""
    return Counts(0, np.zeros(cells, np.int64), np.zeros((columns, 3)))
