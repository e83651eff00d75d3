"""A map from scores to probabilities as thresholds, so that it can be kept as numbers.

Knows nothing of how it was fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.errors import StatisticsError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Piecewise linear between `scores[n]`, which rise, and `shares[n]`, which do not fall; flat
    beyond both ends, as an isotonic regression is that clips.

    StatisticsError where the thresholds are not so.

    >>> calibration = Calibration(np.array([0.0, 0.5, 1.0]), np.array([0.1, 0.1, 0.9]))
    >>> calibration.apply([0.2, 0.75]).tolist()
    [0.1, 0.5]
    """

    scores: Floats
    shares: Floats

    def __post_init__(self) -> None:
        if self.scores.shape != self.shares.shape or self.scores.ndim != 1 or not self.scores.size:
            raise StatisticsError("a calibration has as many scores as shares")
        if np.any(np.diff(self.scores) <= 0) or np.any(np.diff(self.shares) < 0):
            raise StatisticsError("a calibration's scores rise, and its shares do not fall")
        if self.shares[0] < 0 or self.shares[-1] > 1:
            raise StatisticsError("a calibration's shares lie between 0 and 1")

    def apply(self, scores: ArrayLike) -> Floats:
        """The probability of each score `[rows]`."""
        found: Floats = np.interp(np.asarray(scores, dtype=np.float64), self.scores, self.shares)
        return found


def equal_count_error(shares: ArrayLike, of_class: ArrayLike, bins: int = 10) -> float:
    """The expected calibration error over `bins` bins of equally many rows, by probability.

    Formula: Σ over bins |Σp − rows of the class| / n. Parameters: `shares[rows]`,
    `of_class[rows]` 0 or 1. StatisticsError without rows.

    >>> equal_count_error([0.25, 0.25, 0.75, 0.75], [0, 0, 1, 1], bins=2)
    0.25
    """
    p, y = np.asarray(shares, dtype=np.float64), np.asarray(of_class, dtype=np.float64)
    if not p.size or p.shape != y.shape:
        raise StatisticsError("a calibration error needs rows, and as many labels")
    gaps = (p - y)[np.argsort(p, kind="stable")]
    return float(sum(abs(part.sum()) for part in np.array_split(gaps, bins)) / p.size)
