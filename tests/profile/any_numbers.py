"""Numbers of every size, and those on, just below and just above the edges of a grid."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.profile.edges import LARGEST, numeric_grid
from monitor.profile.grid import NumericGrid

Floats = NDArray[np.float64]
FINITE = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-5, 5).map(float),
    st.sampled_from([1e308, -1e308, 1.7976931348623157e308, 5e-324, 1e16, 1e16 + 2]),
)


def around_edges(reference: list[float], current: list[float]) -> tuple[NumericGrid, Floats]:
    """The grid of the reference, and finite numbers of both and about each edge."""
    grid = numeric_grid(np.array(reference))
    below, above = (np.nextafter(grid.edges, side * LARGEST) for side in (-1.0, 1.0))
    return grid, np.concatenate([reference, current, grid.edges, below, above])
