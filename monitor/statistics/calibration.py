"""Whether what is predicted with 80 % comes true in 80 %: sums over ten bins of probability.

Knows one class against all others, and nothing of ranks or decisions.
"""

from __future__ import annotations

import math
from bisect import bisect_left

import numpy as np

from monitor.statistics.summation import ExactSum

BINS = 10
_INNER_EDGES = np.linspace(0.0, 1.0, BINS + 1)[1:-1].tolist()


class CalibrationSums:
    """Rows, rows of the class, and the sum of probabilities, in bins ((m−1)/10, m/10].

    expected calibration error = Σ over bins |Σp − rows of the class| / n: exact, as all sums are.

    Source: Guo, Pleiss, Sun & Weinberger (2017), "On calibration of modern neural networks",
    equation 3, for one class's probability.

    >>> sums = CalibrationSums()
    >>> for share, of_class in ((0.75, True), (0.75, False), (0.25, False)):
    ...     sums.count(share, of_class, 1)
    >>> round(sums.error(), 6)
    0.25
    """

    __slots__ = ("of_class", "rows", "shares")

    def __init__(self) -> None:
        self.rows = [0] * BINS
        self.of_class = [0] * BINS
        self.shares = [ExactSum() for _ in range(BINS)]

    def count(self, share: float, of_class: bool, step: int) -> None:  # noqa: FBT001 - the fact itself
        """Count a row's probability, or with step -1 take it back."""
        place = bisect_left(_INNER_EDGES, share)
        self.rows[place] += step
        self.of_class[place] += step * of_class
        (ExactSum.add if step > 0 else ExactSum.subtract)(self.shares[place], share)

    def __add__(self, other: CalibrationSums) -> CalibrationSums:
        total = CalibrationSums()
        for place in range(BINS):
            total.rows[place] = self.rows[place] + other.rows[place]
            total.of_class[place] = self.of_class[place] + other.of_class[place]
            total.shares[place] = self.shares[place] + other.shares[place]
        return total

    def error(self) -> float | None:
        """The expected calibration error, or None without rows."""
        rows = sum(self.rows)
        if rows <= 0:
            return None
        gaps = (
            abs(share.value() - of_class)
            for share, of_class in zip(self.shares, self.of_class, strict=True)
        )
        return math.fsum(gaps) / rows
