"""HDDM-W: as HDDM-A, with averages that forget, and so quicker for slow changes.

Knows nothing of what the values are, but that they lie between 0 and 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from monitor.statistics.sequential.detector import bounded, probability


@dataclass(frozen=True, slots=True)
class HddmWSettings:
    """`delta`, the chance of a false alarm at one comparison; `weight` of the latest value in the
    averages; whether a fall of the mean counts as well (`two_sided`)."""

    delta: float = 0.001
    weight: float = 0.05
    two_sided: bool = False

    def __post_init__(self) -> None:
        probability("delta", self.delta)
        probability("weight", self.weight)


class _Average(NamedTuple):
    """An average that forgets, and Σ of its squared weights, on which McDiarmid's bound rests."""

    mean: float = 0.0
    squares: float = 1.0
    begun: bool = False

    def with_value(self, x: float, weight: float) -> _Average:
        mean = weight * x + (1.0 - weight) * self.mean if self.begun else x
        return _Average(mean, weight**2 + (1.0 - weight) ** 2 * self.squares, begun=True)


_NONE = _Average()


class HddmW:
    """Hoeffding's drift detection with weighted averages: good for gradual changes of an error
    rate.

    m ← λ·x + (1 − λ)·m, S ← λ² + (1 − λ)²·S, λ `weight`. The cut is where m + √(S·ln(1/δ)/2) was
    lowest; values since then have an average of their own. The rate has risen where

    m_since − m_cut > √( (S_since + S_cut) · ln(1/δ) / 2 ),

    and fallen likewise from the highest cut.

    StatisticsError for values outside [0, 1], and for settings out of range.

    Source: Frías-Blanco and others, Online and Non-Parametric Drift Detection Methods Based on
    Hoeffding's Bounds (2015), the W-test; McDiarmid (1989) for the bound.

    >>> detector = HddmW()
    >>> [place for place in range(400) if detector.update(float(place >= 200))]
    [213]
    """

    def __init__(self, settings: HddmWSettings | None = None) -> None:
        self.settings = settings or HddmWSettings()
        self._half_doubt = 0.5 * math.log(1.0 / self.settings.delta)
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._all = _NONE
        self._low, self._since_low, self._low_bound = _NONE, _NONE, math.inf
        self._high, self._since_high, self._high_bound = _NONE, _NONE, -math.inf

    def update(self, value: float) -> bool:
        """Take one value; whether the mean has risen, or fallen where that counts."""
        x, weight = bounded(value), self.settings.weight
        self._all = self._all.with_value(x, weight)
        margin = math.sqrt(self._all.squares * self._half_doubt)
        if self._all.mean + margin < self._low_bound:
            self._low_bound = self._all.mean + margin
            self._low, self._since_low = self._all, _NONE
        else:
            self._since_low = self._since_low.with_value(x, weight)
        if self._all.mean - margin > self._high_bound:
            self._high_bound = self._all.mean - margin
            self._high, self._since_high = self._all, _NONE
        else:
            self._since_high = self._since_high.with_value(x, weight)
        risen = self._apart(self._low, self._since_low)
        fallen = self.settings.two_sided and self._apart(self._since_high, self._high)
        if not risen and not fallen:
            return False
        self.reset()
        return True

    def _apart(self, lower: _Average, upper: _Average) -> bool:
        if not (lower.begun and upper.begun):
            return False
        return upper.mean - lower.mean > math.sqrt(
            (lower.squares + upper.squares) * self._half_doubt
        )
