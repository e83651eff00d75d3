"""ADWIN: a window that grows while the stream stays as it is, and is cut where it has changed.

Knows nothing of what the values are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from monitor.statistics.sequential.detector import at_least, finite, probability


@dataclass(frozen=True, slots=True)
class AdwinSettings:
    """`delta`, the chance of a false cut at one check; a check every `clock` values;
    `buckets` of each size; windows shorter than `least_part` are not compared, and none of
    `least_values` or fewer is checked."""

    delta: float = 0.002
    clock: int = 32
    buckets: int = 5
    least_part: int = 5
    least_values: int = 10

    def __post_init__(self) -> None:
        probability("delta", self.delta)
        at_least("clock", self.clock, 1)
        at_least("buckets", self.buckets, 2)
        at_least("least_part", self.least_part, 1)
        at_least("least_values", self.least_values, 1)


class _Part(NamedTuple):
    """So many successive values: how many, their sum, and Σ(x − mean)²."""

    values: int
    total: float
    squares: float

    def joined(self, other: _Part) -> _Part:
        values = self.values + other.values
        gap = self.total / self.values - other.total / other.values
        between = self.values * other.values * gap * gap / values
        return _Part(values, self.total + other.total, self.squares + other.squares + between)


class Adwin:
    """Adaptive windowing: cuts the window where two parts of it have too different means.

    The window is held as buckets of 1, 2, 4, … values, at most `buckets` of each size, oldest
    largest: memory grows with the logarithm of the window. At each check every boundary between
    two buckets splits the window in an older part of n₀ values and the rest, n₁; the window has
    changed where

    |mean₀ − mean₁| > √(2·σ²·r·λ) + ⅔·r·λ, r = 1/(n₀ − w + 1) + 1/(n₁ − w + 1), λ = ln(2·ln(n)/δ)

    with w `least_part`, σ² the variance of the whole window and n its length. After a cut the
    detector begins anew.

    StatisticsError for values that are not finite, and for settings out of range.

    Source: Bifet & Gavaldà, Learning from Time-Changing Data with Adaptive Windowing (2007).

    >>> detector = Adwin()
    >>> [place for place in range(2000) if detector.update(float(place >= 1000))]
    [1023]
    """

    def __init__(self, settings: AdwinSettings | None = None) -> None:
        self.settings = settings or AdwinSettings()
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._rows: list[list[_Part]] = [[]]  # row i: parts of 2**i values, oldest first
        self._whole = _Part(0, 0.0, 0.0)
        self._seen = 0

    def to_document(self) -> list[object]:
        """The stream so far, as JSON can hold it."""
        return [self._seen, list(self._whole), [[list(part) for part in row] for row in self._rows]]

    def restore(self, document: Sequence[Any]) -> None:
        """Go on with a stream; ValueError or TypeError on what is none."""
        seen, whole, rows = document
        self._rows = [[_part(*part) for part in row] for row in rows]
        self._whole, self._seen = _part(*whole), int(seen)

    @property
    def width(self) -> int:
        """Values in the window."""
        return self._whole.values

    def update(self, value: float) -> bool:
        """Take one value; whether the window had to be cut."""
        one = _Part(1, finite(value), 0.0)
        self._whole = self._whole.joined(one) if self._whole.values else one
        self._rows[0].append(one)
        self._compress()
        self._seen += 1
        if self._seen % self.settings.clock or self.width <= self.settings.least_values:
            return False
        if not any(self._differ(older) for older in self._cuts()):
            return False
        self.reset()
        return True

    def _compress(self) -> None:
        """Two oldest of a size become one of the next, where there is one too many."""
        for size, row in enumerate(self._rows):
            if len(row) <= self.settings.buckets:
                return
            if size + 1 == len(self._rows):
                self._rows.append([])
            self._rows[size + 1].append(row[0].joined(row[1]))
            del row[:2]

    def _cuts(self) -> Iterator[tuple[int, float]]:
        """Length and sum of each older part."""
        values, total = 0, 0.0
        for row in reversed(self._rows):
            for part in row:
                values += part.values
                total += part.total
                yield values, total

    def _differ(self, older: tuple[int, float]) -> bool:
        whole, least = self._whole, self.settings.least_part
        (n0, total0), n1 = older, whole.values - older[0]
        if n0 < least or n1 < least:
            return False
        doubt = math.log(2.0 * math.log(whole.values) / self.settings.delta)
        spread = 1.0 / (n0 - least + 1) + 1.0 / (n1 - least + 1)
        limit = math.sqrt(2.0 * spread * whole.squares / whole.values * doubt)
        gap = total0 / n0 - (whole.total - total0) / n1
        return abs(gap) > limit + 2.0 / 3.0 * doubt * spread


def _part(values: int, total: float, squares: float) -> _Part:
    return _Part(int(values), float(total), float(squares))
