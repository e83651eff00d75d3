"""How far chance alone may have moved a metric: 95 % confidence intervals, and what they rest on.

Knows nothing of how rows were counted. An interval is (low, high), about the metric as measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

Interval = tuple[float, float]

Z = 1.959963984540054  # the two-sided 95 % point of the normal distribution


def wilson(share: float, rows: float) -> Interval:
    """The interval of a share of independent rows; it stays within [0, 1], and has a width at 0.

    Formula: (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n). Source: Wilson (1927), "Probable
    inference, the law of succession, and statistical inference".

    >>> [round(bound, 4) for bound in wilson(0.9, 100)]
    [0.8256, 0.9448]
    """
    square = Z * Z / rows
    middle = share + square / 2.0
    width = Z * math.sqrt(max(share * (1.0 - share), 0.0) / rows + square / (4.0 * rows))
    low, high = (middle - width) / (1.0 + square), (middle + width) / (1.0 + square)
    return max(low, 0.0), min(high, 1.0)


def normal(value: float, error: float) -> Interval:
    """value ± z · standard error."""
    return value - Z * error, value + Z * error


def mean_error_of(mean: float, mean_square: float, rows: int) -> float | None:
    """The standard error of a mean from Σx/n and Σx²/n: √((Σx²/n − mean²) / (n − 1)); None below
    two rows, or where a sum left the range of floats.
    """
    if rows < 2:
        return None
    variance = max(mean_square - mean * mean, 0.0) / (rows - 1)
    return math.sqrt(variance) if math.isfinite(variance) else None


def of_mean(mean: float, mean_square: float, rows: int) -> Interval | None:
    """The interval of a mean, by the central limit theorem.

    >>> [round(bound, 4) for bound in of_mean(0.5, 0.5, 101)]
    [0.402, 0.598]
    """
    error = mean_error_of(mean, mean_square, rows)
    return None if error is None else normal(mean, error)


def mean_of(intervals: Sequence[Interval | None]) -> Interval | None:
    """The interval of a mean of figures that depend on each other in ways not known: the means of
    their bounds, as if they all moved together, since an error of a sum is at most the sum of
    errors. None where one has none.

    >>> mean_of([(0.7, 0.9), (0.5, 0.6)]), mean_of([(0.7, 0.9), None])
    ((0.6, 0.75), None)
    """
    known = [one for one in intervals if one is not None]
    if not known or len(known) < len(intervals):
        return None
    low, high = (math.fsum(bounds) / len(known) for bounds in zip(*known, strict=True))
    return low, high


def of_root(interval: Interval | None) -> Interval | None:
    """The interval of a root from that of what is under it: a monotone map keeps an interval.

    >>> of_root((-1.0, 4.0))
    (0.0, 2.0)
    """
    if interval is None:
        return None
    return math.sqrt(max(interval[0], 0.0)), math.sqrt(interval[1])


def of_f1(hits: int, misses: int) -> Interval:
    """The interval of F1 = 2·hits / (2·hits + misses), misses being false positives and negatives.

    J = hits / (hits + misses) is a share of rows, so Wilson's interval holds for it, and F1 =
    2J/(1+J) rises with it.

    >>> [round(bound, 3) for bound in of_f1(80, 40)]
    [0.733, 0.854]
    """
    low, high = wilson(hits / (hits + misses), hits + misses)
    return 2.0 * low / (1.0 + low), 2.0 * high / (1.0 + high)


def of_precision_area(area: float, positives: int) -> Interval | None:
    """The interval of an average precision, on the scale of log-odds: logit(a) ± z / √(P·a(1−a)).

    Source: Boyd, Eng & Page (2013), "Area under the precision-recall curve: point estimates and
    confidence intervals". Where the area is 0 or 1, Wilson's interval of P rows.

    >>> [round(bound, 3) for bound in of_precision_area(0.8, 100)]
    [0.71, 0.867]
    """
    if positives < 1:
        return None
    if not 0.0 < area < 1.0:
        return wilson(area, positives)
    middle = math.log(area / (1.0 - area))
    width = Z / math.sqrt(positives * area * (1.0 - area))
    return _logistic(middle - width), _logistic(middle + width)


def of_area(area: float, error: float, smaller: int) -> Interval:
    """The interval of a ROC AUC from its standard error; where all pairs are ordered alike, and the
    error is 0, Wilson's of the rarer kind of rows.
    """
    if error <= 0.0:
        return wilson(area, max(smaller, 1))
    low, high = normal(area, error)
    return max(low, 0.0), min(high, 1.0)


def quantile_ranks(rows: int, share: float) -> tuple[int, int]:
    """Ranks (from 1) whose values enclose the quantile: n·q ± z·√(n·q(1−q)), within the rows.

    Source: David & Nagaraja, Order Statistics (2003), section 7.1.

    >>> quantile_ranks(100, 0.5)
    (41, 60)
    """
    middle, width = rows * share, Z * math.sqrt(rows * share * (1.0 - share))
    return max(1, math.ceil(middle - width)), min(rows, math.floor(middle + width) + 1)


def present(found: Mapping[str, Interval | None]) -> dict[str, Interval]:
    """Those that are defined, and finite."""
    return {
        name: interval
        for name, interval in found.items()
        if interval is not None and all(map(math.isfinite, interval))
    }


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x > -700.0 else 0.0
