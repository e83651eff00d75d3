"""`ColumnProfile`: one column of the reference, all that is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.profile.derived.derivation import Derivation
from monitor.profile.grid import Grid
from monitor.profile.projection import Projection
from monitor.schema import Column

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ColumnProfile:
    """One column of the reference: what it is, its cells, and what the reference has in them."""

    column: Column
    grid: Grid
    cells: Codes
    moments: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quantiles: Mapping[str, float] | None = None
    weight: float = 1.0  # share of the reference's rows that `cells` rest on, as evidence
    derivation: Derivation | None = None  # text, moments, vectors: what becomes columns of its own
    projection: Projection | None = None  # the one column that is derived of all features
    distinct: int | None = None  # about how many different values the reference held
    importance: float | None = None  # for the prediction; 1 is the most important column's

    @property
    def bins(self) -> tuple[str, ...]:
        """Names of the published bins, in order; the last two are missing and invalid."""
        return self.grid.bins
