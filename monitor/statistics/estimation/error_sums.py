"""What a model of the errors leads one to expect of a regression, as sums that add up.

Knows nothing of that model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ErrorSums:
    """Expected Σ|e| and Σe² over rows, of which `evaluated` were looked at, each standing for
    others."""

    rows: float = 0.0
    evaluated: int = 0
    absolute: float = 0.0
    squared: float = 0.0

    def __add__(self, other: ErrorSums) -> ErrorSums:
        return ErrorSums(
            self.rows + other.rows,
            self.evaluated + other.evaluated,
            self.absolute + other.absolute,
            self.squared + other.squared,
        )

    def metrics(self) -> dict[str, float]:
        """mae = Σ|e|/n and rmse = √(Σe²/n), as expected.

        >>> ErrorSums(4.0, 2, 8.0, 36.0).metrics()
        {'rmse': 3.0, 'mae': 2.0}
        """
        if self.rows <= 0:
            return {}
        return {"rmse": math.sqrt(self.squared / self.rows), "mae": self.absolute / self.rows}


def error_sums(absolute: Floats, squared: Floats, weight: float = 1.0) -> ErrorSums:
    """The sums of rows with the expected |e| `[rows]` and e² `[rows]`, each row standing for
    `weight` rows; an expectation below 0 is 0.
    """
    return ErrorSums(
        weight * len(absolute),
        len(absolute),
        weight * float(np.maximum(absolute, 0.0).sum()),
        weight * float(np.maximum(squared, 0.0).sum()),
    )
