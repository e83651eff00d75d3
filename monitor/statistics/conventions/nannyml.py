"""Statistics of two raw samples as NannyML 0.13.1 defines them.

Missing values are left out first. Numeric cells: Doane's rule over the reference, and one more for
whatever lies beyond. Categories: those of the reference, and one more for all others together. From
10,000 reference rows on, Kolmogorov–Smirnov and Wasserstein are taken from a histogram of 10,000
bins over the reference's range.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from monitor.statistics import divergence
from monitor.statistics.conventions.samples import (
    Names,
    Numbers,
    bin_edges,
    histogram,
    kolmogorov_smirnov,
    tallied,
    wasserstein_of_samples,
)

Floats = NDArray[np.float64]

ESTIMATED_FROM = 10_000  # reference rows
ESTIMATE_BINS = 10_000

Shares = Callable[[Floats, Floats], float]


def js(reference: Floats, current: Floats) -> float:
    """The Jensen–Shannon distance of shares, base 2: at most 1.

    >>> round(js(np.array([0.5, 0.3, 0.2]), np.array([0.6, 0.4, 0.0])), 8)
    0.32932284
    """
    return float(divergence.js_distance(reference, current, base=2))


def hellinger(reference: Floats, current: Floats) -> float:
    """√(Σ (√p − √q)²) / √2 of shares."""
    return float(np.sqrt(np.square(np.sqrt(reference) - np.sqrt(current)).sum()) / np.sqrt(2.0))


def l_infinity(reference: Floats, current: Floats) -> float:
    """The largest change of any value's share, each unseen value by itself.

    >>> round(l_infinity(np.array([500.0, 300, 200]), np.array([600.0, 400, 0])), 12)
    0.2
    """
    return float(divergence.l_infinity(reference, current))


def chi_square(reference: Floats, current: Floats) -> float:
    """Pearson's statistic of the table of both samples, with Yates' correction for two values.

    >>> round(chi_square(np.array([500.0, 300, 200]), np.array([60.0, 40, 0])), 7)
    24.7268908
    """
    table = np.stack([reference, current])
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    apart = np.abs(table - expected)
    if table.shape[1] == 2:
        apart = apart - np.minimum(0.5, apart)
    return float((apart**2 / expected).sum())


def ks(reference: Numbers, current: Numbers) -> float:
    """The Kolmogorov–Smirnov distance; from 10,000 reference rows on, over 10,000 bins."""
    if len(reference) < ESTIMATED_FROM:
        return kolmogorov_smirnov(reference, current)[0]
    edges = np.linspace(reference.min(), reference.max(), ESTIMATE_BINS + 1)
    below = np.count_nonzero(current < edges[0]) / len(current)
    before = np.cumsum(histogram(reference, edges) / len(reference))
    now = below + np.cumsum(histogram(current, edges) / len(current))
    return float(np.abs(before - now).max())


def wasserstein(reference: Numbers, current: Numbers) -> float:
    """The Wasserstein-1 distance in the values' units; from 10,000 reference rows on, over 10,000
    bins.

    There the gap is taken at each bin's upper edge; what lies beyond the reference's range counts
    by its distance to it. Where values lie below, the current distribution function is one row too
    high throughout, as it is there.
    """
    if len(reference) < ESTIMATED_FROM:
        return wasserstein_of_samples(reference, current)
    counts, edges = np.histogram(reference, bins=ESTIMATE_BINS)
    low, high, rows = edges[0], edges[-1], len(current)
    under, over = current[current < low], current[current > high]
    start = (len(under) + 1) / rows if len(under) else 0.0
    before = np.cumsum(counts / len(reference))
    now = np.cumsum(histogram(current, edges) / rows) + start
    within = np.abs(before - now).sum() * (edges[1] - edges[0])
    return float(within + (low - under).sum() / rows + (over - high).sum() / rows)


OF_SHARES: Mapping[str, Shares] = {"js": js, "hellinger": hellinger}
OF_COUNTS: Mapping[str, Shares] = {"l_infinity": l_infinity, "chi_square": chi_square}
OF_NUMBERS: Mapping[str, Callable[[Numbers, Numbers], float]] = {
    "ks": ks,
    "wasserstein": wasserstein,
}


def numeric(statistic: str, before: Numbers, now: Numbers) -> float:
    """One statistic of two samples that hold something; KeyError for a strange name."""
    if statistic in OF_NUMBERS:
        return OF_NUMBERS[statistic](before, now)
    edges = bin_edges(before.astype(np.float64), "doane")
    held = histogram(before, edges), histogram(now, edges)
    return OF_SHARES[statistic](*_with_rest(*held, len(before), len(now)))


def categorical(statistic: str, before: Names, now: Names) -> float:
    """One statistic of two samples that hold something; KeyError for a strange name."""
    both = tallied(before, now)
    if statistic in OF_COUNTS:
        return OF_COUNTS[statistic](*both)
    known = both[0] > 0
    shares = _with_rest(both[0][known], both[1][known], len(before), len(now))
    return OF_SHARES[statistic](*shares)


def _with_rest(reference: Floats, current: Floats, rows: int, others: int) -> tuple[Floats, Floats]:
    """Shares of rows, with one more cell for current rows in none of them.

    What rounding leaves of 1 makes a cell too, as it does there: its root shows in the distances.
    """
    p, q = reference / rows, current / others
    rest = 1.0 - float(q.sum())
    if rest > 0:
        p, q = np.append(p, 0.0), np.append(q, rest)
    return p, q
