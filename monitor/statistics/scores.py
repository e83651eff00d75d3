"""How well a score ranks rows of a class before others: counts over fine bins that add up.

Knows nothing of the classes' names or of decisions made from the score.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from monitor.statistics.intervals import Interval, of_area, of_precision_area

BINS_PER_LOGIT = 128  # areas within .002 unless all scores lie within some .1 of log-odds
LAST_BIN = 40 * BINS_PER_LOGIT  # beyond float's own resolution of 1 - p


class ScoreHistogram:
    """Scores of rows that were, and were not, of one class, in fine bins of equal width in log-
    odds.

    The area under the ROC curve is the share of (row of the class, row of another) pairs that the
    score orders right. Pairs in one bin count half, so it is off by at most half the share of such
    pairs: `bound`. The average precision is scikit-learn's of the scores as binned: within .002,
    unless all scores lie within half a log-odd.

    >>> scores = ScoreHistogram()
    >>> for score, of_class in ((0.1, False), (0.4, False), (0.35, True), (0.8, True)):
    ...     scores.count(score, of_class, 1)
    >>> scores.auc(), round(scores.average_precision(), 4)
    (0.75, 0.8333)
    """

    __slots__ = ("of_class", "others")

    def __init__(self) -> None:
        self.of_class: dict[int, int] = {}
        self.others: dict[int, int] = {}

    def count(self, score: float, of_class: bool, step: int) -> None:  # noqa: FBT001 - the fact itself
        """Count a row's score in [0, 1], or with step -1 take it back."""
        bins = self.of_class if of_class else self.others
        place = _bin(score)
        count = bins.get(place, 0) + step
        if count:
            bins[place] = count
        else:
            bins.pop(place, None)

    def __add__(self, other: ScoreHistogram) -> ScoreHistogram:
        total = ScoreHistogram()
        for name in ("of_class", "others"):
            bins = dict(getattr(self, name))
            for place, count in getattr(other, name).items():
                bins[place] = bins.get(place, 0) + count
            setattr(total, name, {place: count for place, count in bins.items() if count})
        return total

    @property
    def positives(self) -> int:
        """Rows of the class."""
        return sum(self.of_class.values())

    @property
    def negatives(self) -> int:
        """Rows of other classes."""
        return sum(self.others.values())

    def auc(self) -> float | None:
        """The area under the ROC curve, or None where one of the two kinds of row is missing."""
        pairs = self.positives * self.negatives
        if pairs <= 0:
            return None
        doubled = below = 0
        for of_class, others in self._upwards():
            doubled += of_class * (2 * below + others)
            below += others
        return doubled / (2 * pairs)

    def auc_error(self) -> float | None:
        """The standard error of `auc`; None where either kind has fewer than two rows.

        Each row's placement is the share of rows of the other kind that it is ordered right with;
        the variance is that of the placements of either kind, over its rows, added up.

        Source: DeLong, DeLong & Clarke-Pearson (1988), "Comparing the areas under two or more
        correlated receiver operating characteristic curves".
        """
        area, positives, negatives = self.auc(), self.positives, self.negatives
        if area is None or positives < 2 or negatives < 2:
            return None
        of_class_spread = others_spread = 0.0
        below, above = 0, positives
        for of_class, others in self._upwards():
            above -= of_class
            of_class_spread += of_class * ((below + others / 2) / negatives - area) ** 2
            others_spread += others * ((above + of_class / 2) / positives - area) ** 2
            below += others
        return math.sqrt(
            of_class_spread / (positives * (positives - 1))
            + others_spread / (negatives * (negatives - 1))
        )

    def auc_interval(self) -> Interval | None:
        """The 95 % interval of `auc`."""
        area, error = self.auc(), self.auc_error()
        if area is None or error is None:
            return None
        return of_area(area, error, min(self.positives, self.negatives))

    def average_precision(self) -> float | None:
        """Σ (recall gained at a threshold) · (precision there); None without rows of the class."""
        positives = self.positives
        if positives <= 0:
            return None
        total, hits, rows = 0.0, 0, 0
        for of_class, others in reversed(list(self._upwards())):
            hits += of_class
            rows += of_class + others
            if of_class:
                total += of_class * hits / rows
        return total / positives

    def average_precision_interval(self) -> Interval | None:
        """The 95 % interval of `average_precision`; None without rows of both kinds."""
        area = self.average_precision()
        if area is None or self.negatives <= 0:
            return None
        return of_precision_area(area, self.positives)

    def bound(self) -> float:
        """How far `auc` can be from that of the unbinned scores."""
        pairs = self.positives * self.negatives
        tied = sum(count * self.others.get(place, 0) for place, count in self.of_class.items())
        return tied / (2 * pairs) if pairs > 0 else 0.0

    def _upwards(self) -> Iterator[tuple[int, int]]:
        """Rows of the class and others, bin by bin."""
        for place in sorted(self.of_class.keys() | self.others.keys()):
            yield self.of_class.get(place, 0), self.others.get(place, 0)


def _bin(score: float) -> int:
    if score <= 0.0:
        return -LAST_BIN
    if score >= 1.0:
        return LAST_BIN
    place = math.floor((math.log(score) - math.log1p(-score)) * BINS_PER_LOGIT)
    return max(-LAST_BIN, min(LAST_BIN, place))
