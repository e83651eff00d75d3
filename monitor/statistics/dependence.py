"""How surprising a change of correlation between two columns is: p-values over any number of pairs.

Knows nothing of columns or thresholds. As in `significance`, the far tails matter most: with two
thousand pairs, one false alarm a month leaves each pair a p-value of about 1e-9.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.errors import StatisticsError
from monitor.statistics import special

Floats = NDArray[np.float64]

PERFECT = 0.999  # Fisher's transform of a perfect correlation is infinite
MOST_UNEVEN = 0.33  # beyond, the chance of a few rare rows decides, and no law holds
_EVEN = 1e-3  # below, the gamma distribution is the normal one to nine digits


def correlation_spread(scores: ArrayLike) -> Floats:
    """The spread σ of a correlation over many rows, `[p, p]`, from `scores[p, rows]` about nought:
    r of n further rows has a standard deviation of about σ/√n.

    With x and y scaled to a variance of 1, σ² = E[(xy − ½ρ(x² + y²))²], the variance of the
    correlation's influence function; never less than (1 − ρ²)², its value for two normal columns.
    Independent columns have σ = 1, whatever their distributions.

    StatisticsError without rows.

    Source: Devlin, Gnanadesikan & Kettenring (1975) for the influence function.

    >>> calm = np.random.default_rng(0).normal(size=(2, 20_000))
    >>> correlation_spread(np.stack([calm[0], calm.sum(axis=0)])).round(2).tolist()
    [[0.0, 0.5], [0.5, 0.0]]
    """
    x = np.asarray(scores, dtype=np.float64)
    if x.ndim != 2 or not x.shape[1]:
        raise StatisticsError("a spread needs rows")
    x = x / np.sqrt(np.maximum((x**2).mean(axis=1, keepdims=True), 1e-12))
    n = x.shape[1]
    squares = x**2
    rho, crossed = (x @ x.T) / n, (squares @ squares.T) / n
    cubed = (x**3 @ x.T) / n
    fourth = np.diagonal(crossed)
    variance = crossed + 0.25 * rho**2 * (np.add.outer(fourth, fourth) + 2.0 * crossed)
    variance -= rho * (cubed + cubed.T)
    spread: Floats = np.maximum(np.sqrt(np.maximum(variance, 0.0)), 1.0 - rho**2)
    return spread


def unevenness(skewness: ArrayLike, kurtosis: ArrayLike, rows: float) -> Floats:
    """How far from normal `[p, p]` a correlation by chance is over so many rows, as the skewness of
    a gamma distribution, from the skewness and the kurtosis (3 for normal columns) of both columns,
    each `[p]`.

    A mean of n products of independent columns has skewness γ·γ′/√n and excess kurtosis about
    κ·κ′/n, of which r, divided by its own deviations, loses what two normal columns have: 9/n.
    A gamma distribution of skewness s has excess kurtosis 1.5·s²: given is the s that has at least
    both. Large where a few rows of a rare value decide, whatever the other column is: they may come
    from one corner of it.

    StatisticsError where there are no rows.

    Source: Pitman (1937) for the moments of r over permutations, which are smaller: there the rare
    rows would be a fair sample of the others.

    >>> rare = (1 - 2 * 0.1) / (0.1 * 0.9) ** 0.5, 3 + (1 - 6 * 0.09) / 0.09  # 10 % are true
    >>> unevenness([rare[0], 0.0], [rare[1], 3.0], rows=400).round(2).tolist()
    [[0.36, 0.16], [0.16, 0.0]]
    """
    if rows <= 0:
        raise StatisticsError("a correlation needs rows")
    skew, kurt = np.asarray(skewness, np.float64), np.asarray(kurtosis, np.float64)
    by_skewness = np.abs(np.multiply.outer(skew, skew)) / np.sqrt(rows)
    excess = np.maximum(np.multiply.outer(kurt, kurt) - 9.0, 0.0) / rows
    found: Floats = np.maximum(by_skewness, np.sqrt(excess / 1.5))
    return found


def correlation_change(
    before: ArrayLike,
    now: ArrayLike,
    spread: ArrayLike,
    uneven: ArrayLike,
    reference_rows: float,
    rows: float,
) -> Floats:
    """Two-sided p-value `[...]` of a correlation r that was ρ in the reference of N rows, over n.

    d = |r − ρ| / (σ·√(1/n + 1/N)), or |atanh r − atanh ρ| / (σ/(1 − ρ²)·√(1/n + 1/N)) where that
    is less; p = 2·P(X ≥ d), X of mean 0, variance 1 and the skewness `uneven`, gamma distributed
    (Pearson's type III). The lesser of both scales is on the safe side: the first where ρ is
    small, the second where it is large, and r falls more easily than it rises. For normal columns
    p is too large by a factor of 3 to 30 at 1e-7 and n = 200.

    NaN where `uneven` is above .33: two rare values that meet once in a window are no news.
    StatisticsError without rows on either side.

    Source: Fisher (1921) for the transform; Mielke & Berry (2001) for type III tails of
    permutations.

    >>> p = correlation_change([0.0, 0.8], [0.5, 0.8], [1.0, 0.36], [0.0, 0.0], 5000, 200)
    >>> f"{p[0]:.0e}", float(p[1])
    ('4e-12', 1.0)
    """
    if reference_rows <= 0 or rows <= 0:
        raise StatisticsError("a correlation needs rows")
    rho, r = (np.clip(np.asarray(one, np.float64), -PERFECT, PERFECT) for one in (before, now))
    deviation = np.asarray(spread) * np.sqrt(1.0 / rows + 1.0 / reference_rows)
    deviation = np.maximum(deviation, 1e-6)
    plain = np.abs(r - rho) / deviation
    transformed = np.abs(np.arctanh(r) - np.arctanh(rho)) * (1.0 - rho**2) / deviation
    return np.minimum(2.0 * gamma_tail(np.minimum(plain, transformed), uneven), 1.0)


def gamma_tail(deviations: ArrayLike, skewness: ArrayLike) -> Floats:
    """P(X ≥ d) `[...]` of a gamma distribution moved and scaled to mean 0 and variance 1, of
    skewness s from 0 (normal) to .33; NaN beyond.

    With a = 4/s²: Q(a, a + d√a), Q the regularised upper incomplete gamma function.

    >>> gamma_tail([2.0, 2.0, 2.0], [0.0, 0.3, 2.0]).round(4).tolist()
    [0.0228, 0.0302, nan]
    """
    d, s = np.broadcast_arrays(np.asarray(deviations, np.float64), np.asarray(skewness, np.float64))
    shape = 4.0 / np.clip(s, _EVEN, MOST_UNEVEN) ** 2
    skewed = special.gammaincc(shape, shape + d * np.sqrt(shape))
    tail: Floats = np.where(s < _EVEN, special.ndtr(-d), skewed)
    return np.where(s > MOST_UNEVEN, np.nan, tail)
