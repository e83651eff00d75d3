"""The Cramér–von Mises test on ordered cells: all gaps between two distributions, equally weighed.

Knows nothing of columns. It hears a shift of the middle best; `ordered` weighs the tails as well.
The p-value is that of the limit for continuous values, computed once for all columns down to 1e-60
and, as a straight line in ln p, beyond.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.statistics.divergence import cumulative_difference, shares

Floats = NDArray[np.float64]

LEAST, LARGEST = 0.015, 28.0  # of the statistic, where it is tabulated: p = 1 − 1e-4 and 1e-60
POINTS = 2000
LOBES = 10  # of the alternating series; at the least statistic, the next is below 1e-12
NODES = 200  # in each


def cramer_von_mises(reference: ArrayLike, current: ArrayLike) -> Floats:
    """Cramér–von Mises statistic T `[...]` of two sets of counts `[..., B]` over ordered cells.

    T = n ∫ (F − G)² dH, n = NM/(N+M), H the distribution function of both together. Within a cell
    F, G and H are taken as linear: the cell adds hₖ·(l² + l·r + r²)/3, h its share and l, r the
    gaps at its sides. With fine cells this is the two-sample T of the raw values. Values that many
    rows share make T smaller, never larger, than chance would: the test stays on the safe side.

    NaN where a side is empty. StatisticsError where the cells do not match.

    Source: Cramér (1928), von Mises (1931); Anderson (1962) for two samples.

    >>> round(float(cramer_von_mises([25, 25, 25, 25], [35, 25, 25, 15])), 4)
    0.3333
    """
    gaps = cumulative_difference(reference, current)
    p, q = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    rows, others = p.sum(axis=-1), q.sum(axis=-1)
    ends = np.zeros((*gaps.shape[:-1], 1))
    left = np.concatenate([ends, gaps], axis=-1)
    right = np.concatenate([gaps, ends], axis=-1)
    together = shares(p + q)
    mean = (together * (left**2 + left * right + right**2) / 3.0).sum(axis=-1)
    enough = (rows > 0) & (others > 0)
    n = np.divide(rows * others, rows + others, out=np.zeros_like(mean), where=enough)
    return np.where(enough, n * mean, np.nan)


def cvm_p_value(statistic: ArrayLike, reference_rows: ArrayLike, current_rows: ArrayLike) -> Floats:
    """p-value `[...]` of a statistic T between samples of N and M rows.

    T is first brought to the mean and variance of its limit, as Anderson has it: with K = N + M,
    E T = (1 + 1/K)/6 and Var T = (K + 1)(4NMK − 3(N² + M²) − 2NM) / (180·K²·NM); then

    P(ω² > x) = 1/π Σⱼ (−1)ʲ⁺¹ ∫ from (2j−1)²π² to (2j)²π² of √(−√y / sin √y)·e^(−xy/2) / y dy.

    Against scipy's asymptotic p-value equal to 1e-6; that one ends in rounding near 1e-12, this one
    goes on.

    NaN where the statistic is NaN or a side is empty.

    Source: Smirnov (1936) for the tail; Anderson (1962) for the moments.

    >>> [round(float(cvm_p_value(t, 10_000, 10_000)), 4) for t in (0.34730, 0.46136, 0.74346)]
    [0.1, 0.05, 0.01]
    """
    t = np.asarray(statistic, dtype=np.float64)
    n, m = (np.asarray(a, dtype=np.float64) for a in (reference_rows, current_rows))
    enough = (n > 0) & (m > 0)
    k, both = np.where(enough, n + m, 1.0), np.where(enough, n * m, 1.0)
    mean = (1.0 + 1.0 / k) / 6.0
    spread = (k + 1.0) * (4.0 * both * k - 3.0 * (n**2 + m**2) - 2.0 * both) / (180 * k**2 * both)
    limit = 1.0 / 6.0 + (t - mean) / np.sqrt(45.0 * np.where(enough, spread, 1.0))
    x, log_p = _table()
    slope = (log_p[-1] - log_p[-2]) / (x[-1] - x[-2])
    found = np.interp(limit, x, log_p) + slope * np.maximum(limit - x[-1], 0.0)
    return np.where(enough, np.exp(found), np.nan)


@lru_cache(maxsize=1)
def _table() -> tuple[Floats, Floats]:
    """Points, and ln p at each."""
    x = np.concatenate([[0.0], np.geomspace(LEAST, LARGEST, POINTS)])
    angle = (np.arange(NODES) + 0.5) * np.pi / NODES
    total = np.zeros(len(x) - 1)
    for lobe in range(1, LOBES + 1):
        low, high = ((2 * lobe - 1) * np.pi) ** 2, (2 * lobe * np.pi) ** 2
        # √sin has a zero at both ends: over the cosine of an angle the integrand is smooth.
        y = 0.5 * (low + high) - 0.5 * (high - low) * np.cos(angle)
        root = np.sqrt(y)
        width = 0.5 * (high - low) * np.sin(angle) * np.pi / NODES
        factor = np.sqrt(root / np.abs(np.sin(root))) / y * width
        area = (factor * np.exp(-0.5 * x[1:, None] * y)).sum(axis=1)
        total += area if lobe % 2 else -area
    return x, np.concatenate([[0.0], np.log(total / np.pi)])
