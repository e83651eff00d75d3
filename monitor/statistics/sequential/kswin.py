"""KSWIN: compares the latest values with as many drawn from the window before them.

Knows nothing of what the values are.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

from monitor.errors import StatisticsError
from monitor.statistics.sequential.detector import at_least, finite, probability


@dataclass(frozen=True, slots=True)
class KswinSettings:
    """The test's level `alpha` at one value; `window` values held, of which the `latest` are
    compared with as many of the others, drawn by `seed`; no gap of `least_distance` or less
    counts."""

    alpha: float = 0.005
    window: int = 100
    latest: int = 30
    seed: int = 0
    least_distance: float = 0.1

    def __post_init__(self) -> None:
        probability("alpha", self.alpha)
        at_least("latest", self.latest, 1)
        at_least("least_distance", self.least_distance, 0.0)
        if self.window < 2 * self.latest:
            raise StatisticsError("a window holds at least twice the latest values")


class Kswin:
    """Kolmogorov–Smirnov windowing: hears changes of spread and shape as well as of the mean.

    At each value the latest r of the n in the window are compared with r drawn without replacement
    from the n − r before them, by the exact two-sample Kolmogorov–Smirnov test with r values a
    side: changed where p ≤ `alpha` and D > `least_distance`. For r a side the least D of which
    p ≤ α follows once from

    P(D ≥ k/r) = 2 Σⱼ₌₁ (−1)ʲ⁻¹ C(2r, r − jk) / C(2r, r),

    so that a value costs two sorts of r numbers. Each value is a test of its own: expect about one
    false alarm in some 1/α values. With few values a side only large changes are seen, and of
    errors of 0 and 1 hardly any.

    StatisticsError for values that are not finite, and for settings out of range.

    Source: Raab, Heusinger & Schleif, Reactive Soft Prototype Computing for Concept Drift Streams
    (2020); Gnedenko & Korolyuk (1951) for the exact distribution.

    >>> detector = Kswin()
    >>> [place for place in range(400) if detector.update(place % 7 + 4.0 * (place >= 200))]
    [221]
    """

    def __init__(self, settings: KswinSettings | None = None) -> None:
        self.settings = settings or KswinSettings()
        self._limit = self._least_steps()
        self.reset()

    def reset(self) -> None:
        """Forget the stream, and draw anew from the seed."""
        self._window = deque[float](maxlen=self.settings.window)
        self._random = Random(self.settings.seed)  # noqa: S311 - a sample, not a secret

    def update(self, value: float) -> bool:
        """Take one value; whether the latest ones are distributed otherwise."""
        self._window.append(finite(value))
        held = self.settings
        if len(self._window) < held.window:
            return False
        before = held.window - held.latest
        drawn = [self._window[i] for i in self._random.sample(range(before), held.latest)]
        if steps_apart(drawn, list(islice(self._window, before, None))) < self._limit:
            return False
        self.reset()
        return True

    def _least_steps(self) -> int:
        """The least k for which D = k/r is a change; r + 1, which is never reached, if none is."""
        size, least = self.settings.latest, self.settings.least_distance
        wanted = (
            k
            for k in range(1, size + 1)
            if k / size > least and tail(k, size) <= self.settings.alpha
        )
        return next(wanted, size + 1)


def tail(steps: int, size: int) -> float:
    """P(D ≥ steps/size) of the two-sample Kolmogorov–Smirnov distance, `size` values a side.

    >>> round(tail(1, 1), 6), round(tail(3, 3), 6)  # 2 of the 20 ways to arrange three and three
    (1.0, 0.1)
    """
    total = 0
    for j in range(1, size // steps + 1):
        term = math.comb(2 * size, size - j * steps)
        total += term if j % 2 else -term
    return min(2 * total / math.comb(2 * size, size), 1.0)


def steps_apart(first: Sequence[float], second: Sequence[float]) -> int:
    """The Kolmogorov–Smirnov distance of two samples of one size, times that size.

    >>> steps_apart([1, 2, 3], [3, 4, 5])
    2
    """
    left, right = sorted(first), sorted(second)
    size, most, i, j = len(left), 0, 0, 0
    while i < size and j < size:
        here = min(left[i], right[j])
        while i < size and left[i] == here:
            i += 1
        while j < size and right[j] == here:
            j += 1
        most = max(most, abs(i - j))
    return most
