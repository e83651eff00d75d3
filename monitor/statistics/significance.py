"""How surprising a difference between two sets of counts is: p-values, vectorised over leading
axes.

Knows nothing of columns or thresholds. Where a test has no rows to speak of, its p-value is NaN.
The far tails matter here more than anywhere: a budget of one false alarm a month over many columns
is spent at p ≈ 1e-6, so each formula says how well it holds there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.errors import StatisticsError
from monitor.statistics import special

Floats = NDArray[np.float64]

SPARSE_BELOW = (
    5.0  # Cochran (1954): below an expected count of five, chi-square's distribution does not hold
)


class Homogeneity(NamedTuple):
    """A test of equal shares: the statistic, its degrees of freedom, and its p-value, each
    `[...]`."""

    statistic: Floats
    degrees: Floats
    p_value: Floats


def ks_p_value(distance: ArrayLike, reference_rows: ArrayLike, current_rows: ArrayLike) -> Floats:
    """Two-sided p-value `[...]` of a Kolmogorov–Smirnov distance between samples of N and M rows.

    With n = NM/(N+M): p = K(√(z² + 2nD⁴/9)), z = √n·D + 1/(6√n), K the Kolmogorov distribution's
    tail. The 1/(6√n) is the first term of the finite-n expansion, the D⁴ term the next one of the
    large-deviation exponent. Within 5 % of the exact one-sample tail from p = .5 down to 1e-9 for n
    ≥ 50, and too large rather than too small for fewer. With ties or cells the true p is smaller:
    the test stays on the safe side.

    NaN where either sample is empty. StatisticsError for a distance outside [0, 1].

    Source: Pelz & Good (1976) for the expansion; Smirnov (1939).

    >>> round(float(ks_p_value(0.0, 100, 100)), 6), f"{ks_p_value(0.2, 10_000, 500):.2e}"
    (1.0, '3.56e-17')
    """
    d = np.asarray(distance, dtype=np.float64)
    if np.any((d < 0) | (d > 1 + 1e-9)):
        raise StatisticsError("a Kolmogorov–Smirnov distance lies between 0 and 1")
    big = np.asarray(reference_rows, dtype=np.float64)
    small = np.asarray(current_rows, dtype=np.float64)
    enough = (big > 0) & (small > 0)
    n = np.divide(big * small, big + small, out=np.ones_like(big * small), where=enough)
    z = np.sqrt(n) * d + 1.0 / (6.0 * np.sqrt(n))
    p = special.kolmogorov(np.sqrt(z**2 + 2.0 / 9.0 * n * d**4))
    return np.where(enough & (d > 0), p, np.where(enough & (d == 0), 1.0, np.nan))


def chi_square(
    reference: ArrayLike, current: ArrayLike, pool_below: float = SPARSE_BELOW
) -> Homogeneity:
    """Pearson's test that two sets of counts `[..., B]` have equal shares.

    X² = Σ (O − E)² / E over both rows of the 2 × B table, E = column total · row total / grand
    total. Cells whose smaller expected count is under `pool_below` are first added up into one.
    Degrees of freedom: cells that remain − 1. Without pooling this is
    `scipy.stats.chi2_contingency(…, correction=False)`. p is NaN where a side is empty, 1 where one
    cell remains. Its far tail is too light for small expected counts: decide by `homogeneity`.

    Source: Pearson (1900); Cochran (1954) for pooling.

    >>> found = chi_square([50, 30, 20], [40, 40, 20])
    >>> round(float(found.statistic), 6), float(found.degrees), round(float(found.p_value), 6)
    (2.539683, 2.0, 0.280876)
    """
    table = _pooled(reference, current, pool_below)
    return _tested(table, _pearson(table))


def g_test(
    reference: ArrayLike, current: ArrayLike, pool_below: float = SPARSE_BELOW
) -> Homogeneity:
    """The likelihood-ratio test that two sets of counts `[..., B]` have equal shares.

    G = 2 Σ O·ln(O / E), cells pooled and degrees counted as in `chi_square`. Its exponent is exact
    for large deviations, so its far tail holds where Pearson's does not; near the middle it is a
    little too eager.

    Source: Wilks (1938); Hoeffding (1965) for the large deviations.

    >>> round(float(g_test([50, 30, 20], [40, 40, 20]).statistic), 6)
    2.546879
    """
    table = _pooled(reference, current, pool_below)
    return _tested(table, _ratio(table))


def homogeneity(
    reference: ArrayLike, current: ArrayLike, pool_below: float = SPARSE_BELOW
) -> Homogeneity:
    """Whether two sets of counts `[..., B]` have equal shares, with a p-value to raise alarms by.

    The statistic is Pearson's. The p-value is the larger of Pearson's and the likelihood ratio's:
    the one holds in the middle of its distribution, the other far out, so a rare category cannot
    use up a month's budget of false alarms by chance. Where even the pooled cell is sparse it is
    left out of both and tested exactly: of its k rows, those of the current side are binomial with
    n_cur / (n_ref + n_cur). The smaller of the two p-values is then doubled, once for each test.

    Source: Pearson (1900), Wilks (1938); the binomial is Fisher's exact test in the limit.

    >>> table = [9_950, 50], [980, 20]
    >>> [f"{float(test(*table).p_value):.1e}" for test in (chi_square, g_test, homogeneity)]
    ['1.3e-08', '2.9e-06', '2.9e-06']
    >>> f"{float(homogeneity([10_000, 0], [990, 10]).p_value):.1e}"  # a new category, at 1 %
    '1.5e-10'
    """
    table = _pooled(reference, current, pool_below)
    smallest = _expected(table)[..., -1].min(axis=-1)
    thin = (smallest > 0) & (smallest < pool_below)
    rest = table.copy()
    rest[..., -1] = np.where(thin[..., None], 0.0, rest[..., -1])
    whole = _tested(table, _pearson(table))
    p = np.fmax(_tested(rest, _pearson(rest)).p_value, _tested(rest, _ratio(rest)).p_value)
    exact = _binomial(table)
    p = np.where(thin, np.minimum(2.0 * np.fmin(p, exact), 1.0), p)
    return Homogeneity(whole.statistic, whole.degrees, np.where(np.isnan(whole.p_value), np.nan, p))


def share_rise(
    reference_hits: ArrayLike,
    reference_rows: ArrayLike,
    current_hits: ArrayLike,
    current_rows: ArrayLike,
) -> Floats:
    """One-sided p-value `[...]` that a share of rows has risen: k of N rows before, j of n now.

    The tail of Fisher's exact test, from above. Of all k + j hits the current ones are
    hypergeometric, so p = P(X ≥ j) ≤ P(X = j) / (1 − ρ), ρ = k(n − j) / ((N − k + 1)(j + 1)), for
    the ratios of successive terms only fall; near the middle, where that says nothing, the binomial
    with c = n / (N + n) stands for it. Below .1 never too small by a twentieth of itself, below
    .001 never too large by an eighth; 1 where the share has not risen.

    A hit that the reference did not see may be added to k: with one more, values beyond the two
    extremes of the reference are as surprising as they should be.

    NaN where either side has no rows. StatisticsError for more hits than rows in the current side.

    Source: Fisher (1935); Wilks (1941) for rows beyond a sample's extremes.

    >>> [f"{float(share_rise(500, 10_000, j, 1_000)):.1e}" for j in (50, 75, 100)]
    ['1.0e+00', '8.2e-04', '9.5e-10']
    >>> f"{float(share_rise(0, 10_000, 6, 1_000)):.2e}"  # nearly (1/11)⁶
    '5.57e-07'
    """
    k, rows_before, j, rows_now = (
        np.asarray(a, dtype=np.float64)
        for a in (reference_hits, reference_rows, current_hits, current_rows)
    )
    if np.any(j > rows_now):
        raise StatisticsError("there are more hits than rows")
    k = np.minimum(k, rows_before)
    total = rows_before + rows_now
    chance = np.divide(rows_now, total, out=np.zeros_like(total), where=total > 0)
    middle = special.betainc(np.fmax(j, 1.0), k + 1.0, chance)
    ratio = k * (rows_now - j) / ((rows_before - k + 1.0) * (j + 1.0))
    log_term = _log_choose(rows_before, k) + _log_choose(rows_now, j) - _log_choose(total, k + j)
    far = np.exp(log_term) / np.where(ratio < 1.0, 1.0 - ratio, 1e-300)
    p = np.where(j * rows_before > k * rows_now, np.minimum(middle, far), 1.0)
    return np.where((rows_before > 0) & (rows_now > 0), p, np.nan)


def _log_choose(of: Floats, chosen: Floats) -> Floats:
    return np.asarray(
        special.gammaln(of + 1.0)
        - special.gammaln(chosen + 1.0)
        - special.gammaln(np.fmax(of - chosen, 0.0) + 1.0)
    )


def _pearson(table: Floats) -> Floats:
    expected = _expected(table)
    terms = np.divide(
        (table - expected) ** 2, expected, out=np.zeros_like(table), where=expected > 0
    )
    return np.asarray(terms.sum(axis=(-2, -1)))


def _ratio(table: Floats) -> Floats:
    terms = special.rel_entr(table, np.where(table > 0, _expected(table), 1.0))
    return np.asarray(np.maximum(2.0 * terms.sum(axis=(-2, -1)), 0.0))


def _binomial(table: Floats) -> Floats:
    """Two-sided exact p of the last cell's split between the two sides, given its total."""
    rows = table.sum(axis=-1)
    total = rows.sum(axis=-1)
    chance = np.divide(rows[..., 1], total, out=np.zeros_like(total), where=total > 0)
    before, now = table[..., 0, -1], table[..., 1, -1]
    upper = np.where(now > 0, special.betainc(np.fmax(now, 1.0), before + 1.0, chance), 1.0)
    lower = np.where(before > 0, special.betainc(np.fmax(before, 1.0), now + 1.0, 1 - chance), 1.0)
    return np.asarray(np.minimum(2.0 * np.fmin(upper, lower), 1.0))


def _table(reference: ArrayLike, current: ArrayLike) -> Floats:
    """The 2 × B table `[..., 2, B]`."""
    pair = np.broadcast_arrays(
        np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    )
    if pair[0].ndim == 0:
        raise StatisticsError("a test of shares needs at least one axis of cells")
    return np.stack(pair, axis=-2)


def _expected(table: Floats) -> Floats:
    rows = table.sum(axis=-1, keepdims=True)
    total = rows.sum(axis=-2, keepdims=True)
    expected: Floats = rows * table.sum(axis=-2, keepdims=True) / np.where(total > 0, total, 1.0)
    return expected


def _pooled(reference: ArrayLike, current: ArrayLike, below: float) -> Floats:
    """The table with sparse cells added up into one more cell at the end, `[..., 2, B + 1]`."""
    table = _table(reference, current)
    smallest = _expected(table).min(axis=-2, keepdims=True)
    sparse = smallest < below
    pool = np.where(sparse, table, 0.0).sum(axis=-1, keepdims=True)
    kept = np.where(sparse, 0.0, table)
    return np.concatenate([kept, pool], axis=-1)


def _tested(table: Floats, statistic: Floats) -> Homogeneity:
    enough = (table.sum(axis=-1) > 0).all(axis=-1)
    degrees = np.maximum((table.sum(axis=-2) > 0).sum(axis=-1) - 1.0, 0.0)
    tail = special.chdtrc(np.maximum(degrees, 1.0), np.where(enough, statistic, 0.0))
    p = np.where(degrees > 0, tail, 1.0)
    return Homogeneity(np.where(enough, statistic, np.nan), degrees, np.where(enough, p, np.nan))
