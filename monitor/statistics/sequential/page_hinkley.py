"""Page–Hinkley: sums how far values lie from their mean, and tells when the sum has turned.

Knows nothing of what the values are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from monitor.errors import StatisticsError
from monitor.statistics.sequential.detector import at_least, finite, probability

Direction = Literal["up", "down", "both"]
DIRECTIONS: tuple[Direction, ...] = ("up", "down", "both")


@dataclass(frozen=True, slots=True)
class PageHinkleySettings:
    """`least_values` before the first answer; `allowance` a value may lie off for nothing;
    `threshold` of the sum, in units of the values; `memory`, the share of the sum kept at each
    value; the `direction` of changes that count."""

    least_values: int = 30
    allowance: float = 0.005
    threshold: float = 50.0
    memory: float = 0.9999
    direction: Direction = "both"

    def __post_init__(self) -> None:
        at_least("least_values", self.least_values, 1)
        at_least("allowance", self.allowance, 0.0)
        at_least("threshold", self.threshold, 0.0)
        if self.memory != 1.0:
            probability("memory", self.memory)
        if self.direction not in DIRECTIONS:
            raise StatisticsError(f"direction is one of {', '.join(DIRECTIONS)}")


class PageHinkley:
    """The Page–Hinkley test for a change of the mean, in both directions.

    With m the mean of all values so far, α `memory` and δ `allowance`:

    U ← α·U + (x − m − δ), alarm when U − min U > `threshold` (the mean rose);
    V ← α·V + (x − m + δ), alarm when max V − V > `threshold` (the mean fell).

    A value costs a few additions; the state is five numbers. The threshold is in units of the
    values: with errors of 0 and 1, fifty errors beyond the expected.

    StatisticsError for values that are not finite, and for settings out of range.

    Source: Page, Continuous Inspection Schemes (1954); Hinkley (1971).

    >>> detector = PageHinkley(PageHinkleySettings(threshold=10.0))
    >>> [place for place in range(200) if detector.update(float(place >= 100))]
    [110]
    """

    def __init__(self, settings: PageHinkleySettings | None = None) -> None:
        self.settings = settings or PageHinkleySettings()
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._values = 0
        self._mean = 0.0
        self._rising = self._falling = 0.0
        self._lowest, self._highest = math.inf, -1.0

    def update(self, value: float) -> bool:
        """Take one value; whether the mean has changed."""
        x, held = finite(value), self.settings
        self._values += 1
        self._mean += (x - self._mean) / self._values
        off = x - self._mean
        self._rising = held.memory * self._rising + off - held.allowance
        self._falling = held.memory * self._falling + off + held.allowance
        self._lowest = min(self._lowest, self._rising)
        self._highest = max(self._highest, self._falling)
        if self._values < held.least_values or not self._turned():
            return False
        self.reset()
        return True

    def _turned(self) -> bool:
        limit, direction = self.settings.threshold, self.settings.direction
        rose = direction != "down" and self._rising - self._lowest > limit
        fell = direction != "up" and self._highest - self._falling > limit
        return rose or fell
