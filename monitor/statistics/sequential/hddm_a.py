"""HDDM-A: tells by Hoeffding's bound when the mean of all values has left its lowest.

Knows nothing of what the values are, but that they lie between 0 and 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from monitor.statistics.sequential.detector import bounded, probability


@dataclass(frozen=True, slots=True)
class HddmASettings:
    """`delta`, the chance of a false alarm at one comparison; whether a fall of the mean counts
    as well (`two_sided`)."""

    delta: float = 0.001
    two_sided: bool = False

    def __post_init__(self) -> None:
        probability("delta", self.delta)


class HddmA:
    """Hoeffding's drift detection with averages: good for abrupt changes of an error rate.

    The cut is the value c at which mean_c + √(ln(1/δ) / 2c) was lowest: there the rate was surely
    low. The rate has risen where, n values in all,

    mean_n − mean_c ≥ √( (n − c) / (2·c·n) · ln(2/δ) ),

    and fallen likewise from the highest cut. The state is six numbers.

    StatisticsError for values outside [0, 1], and for settings out of range.

    Source: Frías-Blanco and others, Online and Non-Parametric Drift Detection Methods Based on
    Hoeffding's Bounds (2015), the A-test.

    >>> detector = HddmA()
    >>> [place for place in range(400) if detector.update(float(place >= 200))]
    [203]
    """

    def __init__(self, settings: HddmASettings | None = None) -> None:
        self.settings = settings or HddmASettings()
        self._doubt = math.log(1.0 / self.settings.delta)
        self._wider_doubt = math.log(2.0 / self.settings.delta)
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._values, self._mean = 0, 0.0
        self._low_values, self._low_mean, self._low_bound = 0, 0.0, math.inf
        self._high_values, self._high_mean, self._high_bound = 0, 0.0, -math.inf

    def update(self, value: float) -> bool:
        """Take one value; whether the mean has risen, or fallen where that counts."""
        x = bounded(value)
        self._values += 1
        self._mean += (x - self._mean) / self._values
        margin = math.sqrt(self._doubt / (2.0 * self._values))
        if self._mean + margin <= self._low_bound:
            self._low_values, self._low_mean = self._values, self._mean
            self._low_bound = self._mean + margin
        if self._mean - margin >= self._high_bound:
            self._high_values, self._high_mean = self._values, self._mean
            self._high_bound = self._mean - margin
        risen = self._apart(self._low_values, self._mean - self._low_mean)
        fallen = self.settings.two_sided and self._apart(
            self._high_values, self._high_mean - self._mean
        )
        if not risen and not fallen:
            return False
        self.reset()
        return True

    def _apart(self, cut: int, gap: float) -> bool:
        n = self._values
        return cut < n and gap >= math.sqrt((n - cut) / (2.0 * cut * n) * self._wider_doubt)
