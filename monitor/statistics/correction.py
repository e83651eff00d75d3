"""What a p-value is worth when many columns are tested, again and again: corrections and the
false-alarm budget.

Knows nothing of how the p-values came about. NaN stands for a test that could not be made: it stays
NaN and does not count as a test.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.errors import StatisticsError

Floats = NDArray[np.float64]

MONTH_SECONDS = 30 * 86_400.0

_SIEGMUND_RHO = 0.5825971579390107  # −ζ(½)/√(2π): the mean overshoot of a Gaussian random walk


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Adjusted p-values `[n]`: calling those ≤ q drift keeps the expected share of false calls
    among all calls ≤ q.

    With p sorted upwards, adjusted p₍ᵢ₎ = min over j ≥ i of min(1, n·p₍ⱼ₎ / j).

    Source: Benjamini & Hochberg (1995); valid for independent or positively dependent tests.

    >>> benjamini_hochberg([0.01, 0.02, 0.5, float("nan")])
    array([0.03, 0.03, 0.5 ,  nan])
    """
    p, order, tested = _sorted(p_values)
    n = len(order)
    adjusted = np.minimum.accumulate((p[tested][order] * n / np.arange(1, n + 1))[::-1])[::-1]
    return _restored(p, order, tested, adjusted)


def holm(p_values: ArrayLike) -> Floats:
    """Adjusted p-values `[n]`: calling those ≤ α drift keeps the chance of even one false call ≤ α.

    With p sorted upwards, adjusted p₍ᵢ₎ = max over j ≤ i of min(1, (n − j + 1)·p₍ⱼ₎). Valid under
    any dependence.

    Source: Holm (1979).

    >>> holm([0.01, 0.02, 0.5])
    array([0.03, 0.04, 0.5 ])
    """
    p, order, tested = _sorted(p_values)
    n = len(order)
    adjusted = np.maximum.accumulate(p[tested][order] * np.arange(n, 0, -1))
    return _restored(p, order, tested, adjusted)


def strongest_of(p_value: float, tests: int) -> float:
    """The p-value of the smallest of so many p-values: many tests as one.

    1 − (1 − p)ⁿ. Exact for independent tests, too large for positively dependent ones. So a family
    of any size is one test among others, and costs them no more than one.

    StatisticsError for a p-value outside [0, 1], or no tests.

    Source: Šidák (1967).

    >>> round(strongest_of(0.01, 3), 6)
    0.029701
    """
    if not 0 <= p_value <= 1 or tests < 1:
        raise StatisticsError("a p-value lies between 0 and 1, and is that of one test or more")
    return 1.0 if p_value == 1 else -math.expm1(tests * math.log1p(-p_value))


def clusters_per_window(level: float, looks_per_window: float) -> float:
    """Expected false episodes of one test, per window length, when it is looked at on a sliding
    window.

    Successive looks share most of their rows, so exceedances come in clusters, and their number is
    neither that of independent windows (p per window) nor that of looks (p per look). For a
    Gaussian process whose correlation falls linearly over the window, as that of any sum over a
    sliding window does, clusters begin at a rate of p·b²·ν(b√(2/L)) per window: b is the two-sided
    normal quantile of p, L the looks per window, ν(x) ≈ exp(−ρx), ρ = .5826, the correction for
    looking only now and then. b² is taken as 2·ln(2/p), its value for the Kolmogorov–Smirnov
    statistic, which is the larger; ν never leaves less than one look's chance.

    Source: Aldous, Probability Approximations via the Poisson Clumping Heuristic (1989), section B;
    Siegmund, Sequential Analysis (1985), chapter X, for ν.

    >>> round(clusters_per_window(1e-6, 60) / 1e-6, 1)
    16.4
    """
    if not 0 < level < 1 or looks_per_window <= 0:
        raise StatisticsError("a level lies between 0 and 1, and a window has at least one look")
    square = 2.0 * math.log(2.0 / level)
    nu = math.exp(-_SIEGMUND_RHO * math.sqrt(2.0 * square / looks_per_window))
    # Between independent looks (one a window) and a continuum there can be no more clusters than
    # looks.
    return level * min(max(1.0, square * nu), max(1.0, looks_per_window))


@lru_cache(maxsize=256)  # asked at each look, with hardly ever another number of tests
def per_look_level(
    false_alerts_per_month: float,
    hypotheses: int,
    window_seconds: float,
    look_seconds: float,
) -> float:
    """The p-value at or under which one test at one look is `drift`, so that a month's false
    episodes meet the budget.

    Solves hypotheses · (month / window) · clusters_per_window(p) = false_alerts_per_month for p.
    `hypotheses` counts every test made at a look (a column may be tested twice); `look_seconds` is
    how often the window moves on: the pane's length. Tests that depend on one another
    leave the expected number as it is, and bunch it.

    StatisticsError for a budget, a window or a number of tests that is not positive.

    >>> level = per_look_level(1, hypotheses=50, window_seconds=3600, look_seconds=60)
    >>> f"{level:.1e}", round(50 * 720 * clusters_per_window(level, 60), 6)
    ('1.7e-06', 1.0)
    """
    if not (false_alerts_per_month > 0 and hypotheses > 0 and window_seconds > 0 < look_seconds):
        raise StatisticsError("a budget needs a positive number of alerts, tests and seconds")
    windows = MONTH_SECONDS / window_seconds
    wanted = false_alerts_per_month / (hypotheses * windows)
    looks = max(window_seconds / look_seconds, 1.0)
    low, high = math.log(1e-300), math.log(0.5)
    for _ in range(200):
        middle = 0.5 * (low + high)
        if clusters_per_window(math.exp(middle), looks) > wanted:
            high = middle
        else:
            low = middle
    return math.exp(low)


def _sorted(p_values: ArrayLike) -> tuple[Floats, NDArray[np.intp], NDArray[np.bool_]]:
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1:
        raise StatisticsError("p-values to correct come in one row")
    tested = ~np.isnan(p)
    if np.any((p[tested] < 0) | (p[tested] > 1)):
        raise StatisticsError("a p-value lies between 0 and 1")
    return p, np.argsort(p[tested], kind="stable"), tested


def _restored(
    p: Floats, order: NDArray[np.intp], tested: NDArray[np.bool_], adjusted: Floats
) -> Floats:
    back = np.empty_like(adjusted)
    back[order] = np.minimum(adjusted, 1.0)
    result = np.full_like(p, np.nan)
    result[tested] = back
    return result
