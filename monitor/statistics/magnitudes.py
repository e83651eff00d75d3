"""Quantiles of absolute errors from counts that add up: bins of equal ratio, so a bound that is a
share of the value.

Knows nothing of what was predicted.
"""

from __future__ import annotations

import math

from monitor.statistics.intervals import Interval, quantile_ranks

RELATIVE_BOUND = 0.01
_LOG_RATIO = math.log((1.0 + RELATIVE_BOUND) / (1.0 - RELATIVE_BOUND))
_NOUGHT = -(1 << 30)  # the bin of errors that are exactly 0, below all others


class Magnitudes:
    """How many errors of each size there are; a quantile is within 1 % of the sample's own.

    A bin holds (γⁱ⁻¹, γⁱ], γ = 1.01/0.99, and is read as 2γⁱ/(γ + 1). The quantile q of n rows is
    the value of rank ⌈q·n⌉, as `numpy.quantile(method="inverted_cdf")` has it.

    Source: Masson, Rim & Lee (2019), "DDSketch: a fast and fully-mergeable quantile sketch".

    >>> sizes = Magnitudes()
    >>> for size in (1.0, 2.0, 3.0, 0.0):
    ...     sizes.count(size, 1)
    >>> sizes.quantile(0.25), round(sizes.quantile(0.75), 1)
    (0.0, 2.0)
    """

    __slots__ = ("bins",)

    def __init__(self) -> None:
        self.bins: dict[int, int] = {}

    def count(self, size: float, step: int) -> None:
        """Count an error's size, or with step -1 take it back."""
        place = math.ceil(math.log(size) / _LOG_RATIO) if size > 0.0 else _NOUGHT
        held = self.bins.get(place, 0) + step
        if held:
            self.bins[place] = held
        else:
            self.bins.pop(place, None)

    def __add__(self, other: Magnitudes) -> Magnitudes:
        total = Magnitudes()
        bins = dict(self.bins)
        for place, held in other.bins.items():
            bins[place] = bins.get(place, 0) + held
        total.bins = {place: held for place, held in bins.items() if held}
        return total

    @property
    def rows(self) -> int:
        """Errors counted."""
        return sum(self.bins.values())

    def quantile(self, share: float) -> float:
        """The size that a share of errors does not exceed; NaN without any."""
        return self._at(max(1, math.ceil(share * self.rows)))

    def interval(self, share: float) -> Interval:
        """The 95 % interval of that quantile, between two ranks of the sample."""
        low, high = quantile_ranks(self.rows, share)
        return self._at(low), self._at(high)

    def _at(self, rank: int) -> float:
        seen = 0
        for place in sorted(self.bins):
            seen += self.bins[place]
            if seen >= rank:
                return _value(place)
        return math.nan


def _value(place: int) -> float:
    if place == _NOUGHT:
        return 0.0
    # 2γⁱ/(γ + 1) = γⁱ(1 − α): the exponent may reach just beyond the largest float.
    return math.exp(min(place * _LOG_RATIO, 709.78)) * (1.0 - RELATIVE_BOUND)
