"""How far two distributions are apart, from their counts alone: pure, vectorised over leading axes.

Knows nothing of columns, bins' names or windows. Every function takes `reference[..., B]` and
`current[..., B]`: counts or shares over the same B cells, in the same order. Both are scaled to sum
to one. Where either side is empty the answer is NaN: not enough data is an answer, not zero drift.

Zeros: `psi` and `kullback_leibler` have a logarithm of a ratio, so an empty cell would make them
infinite; their shares are raised to `floor` (1e-4, as `clamp_min(…, 1e-4)` in PromQL) and not
rescaled afterwards. The others are finite by themselves and take no floor.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.errors import StatisticsError
from monitor.statistics import special

Floats = NDArray[np.float64]

SHARE_FLOOR = 1e-4


def shares(counts: ArrayLike) -> Floats:
    """Counts `[..., B]` as shares that sum to one along the last axis; NaN where there is nothing
    to share.

    >>> shares([[1, 3], [0, 0]])
    array([[0.25, 0.75],
           [ nan,  nan]])
    """
    values = np.asarray(counts, dtype=np.float64)
    total = values.sum(axis=-1, keepdims=True)
    scaled: Floats = np.divide(values, total, out=np.full_like(values, np.nan), where=total > 0)
    return scaled


def _pair(reference: ArrayLike, current: ArrayLike) -> tuple[Floats, Floats]:
    p, q = shares(reference), shares(current)
    if p.ndim == 0 or q.ndim == 0 or p.shape[-1] != q.shape[-1]:
        raise StatisticsError(f"cells do not match: {np.shape(reference)} and {np.shape(current)}")
    return p, q


def psi(reference: ArrayLike, current: ArrayLike, floor: float = SHARE_FLOOR) -> Floats:
    """Population stability index `[...]`: the symmetric relative entropy of two sets of shares, in
    nats.

    PSI = Σ (pᵢ − qᵢ)·ln(pᵢ / qᵢ), with pᵢ and qᵢ at least `floor`. Without drift its mean is about
    (B−1)(1/N + 1/M) for N and M rows, so a fixed threshold means nothing without the numbers of
    rows.

    Source: Kullback & Leibler (1951), their J; thresholds .1 and .2 are folklore of credit scoring.

    >>> round(float(psi([50, 30, 20], [60, 40, 0])), 8)
    1.56642076
    """
    p, q = _pair(reference, current)
    p, q = np.maximum(p, floor), np.maximum(q, floor)
    return np.asarray(((p - q) * np.log(p / q)).sum(axis=-1))


def kullback_leibler(
    reference: ArrayLike, current: ArrayLike, floor: float = SHARE_FLOOR
) -> Floats:
    """Relative entropy KL(reference ‖ current) `[...]`, in nats; not symmetric.

    KL = Σ pᵢ·ln(pᵢ / qᵢ), with pᵢ and qᵢ at least `floor`.

    Source: Kullback & Leibler, On Information and Sufficiency (1951).

    >>> round(float(kullback_leibler([1, 1], [1, 3])), 6)
    0.143841
    """
    p, q = _pair(reference, current)
    p, q = np.maximum(p, floor), np.maximum(q, floor)
    return np.asarray((p * np.log(p / q)).sum(axis=-1))


def js_distance(reference: ArrayLike, current: ArrayLike, base: float | None = None) -> Floats:
    """Jensen–Shannon distance `[...]`: a metric, 0 for equal shares, √(ln 2) = .8326 for disjoint
    ones.

    JS = √( ½ Σ pᵢ·ln(pᵢ / mᵢ) + ½ Σ qᵢ·ln(qᵢ / mᵢ) ), mᵢ = ½(pᵢ + qᵢ). `base` changes the
    logarithm: with 2, disjoint shares are at distance 1.

    Source: Lin (1991); Endres & Schindelin (2003) for the square root being a metric.

    >>> round(float(js_distance([1, 0], [0, 1])), 4), float(js_distance([1, 0], [0, 1], base=2))
    (0.8326, 1.0)
    """
    p, q = _pair(reference, current)
    middle = 0.5 * (p + q)
    divergence = 0.5 * (special.rel_entr(p, middle) + special.rel_entr(q, middle)).sum(axis=-1)
    scale = 1.0 if base is None else math.log(base)
    return np.asarray(np.sqrt(np.maximum(divergence / scale, 0.0)))


def hellinger(reference: ArrayLike, current: ArrayLike) -> Floats:
    """Hellinger distance `[...]`, from 0 for equal shares to 1 for disjoint ones.

    H = √( ½ Σ (√pᵢ − √qᵢ)² ).

    Source: Hellinger (1909).

    >>> float(hellinger([1, 0], [0, 1])), float(hellinger([2, 2], [1, 1]))
    (1.0, 0.0)
    """
    p, q = _pair(reference, current)
    return np.asarray(np.sqrt(0.5 * np.square(np.sqrt(p) - np.sqrt(q)).sum(axis=-1)))


def total_variation(reference: ArrayLike, current: ArrayLike) -> Floats:
    """Total variation `[...]`: the share of rows that would have to move, from 0 to 1.

    TV = ½ Σ |pᵢ − qᵢ|.

    Source: Levin, Peres & Wilmer, Markov Chains and Mixing Times (2009), chapter 4.

    >>> float(total_variation([50, 50], [75, 25]))
    0.25
    """
    p, q = _pair(reference, current)
    return np.asarray(0.5 * np.abs(p - q).sum(axis=-1))


def l_infinity(reference: ArrayLike, current: ArrayLike) -> Floats:
    """The largest change of any one cell's share `[...]`, from 0 to 1.

    L∞ = maxᵢ |pᵢ − qᵢ|.

    Source: the uniform metric; Deza & Deza, Encyclopedia of Distances (2009), chapter 14.

    >>> round(float(l_infinity([50, 30, 20], [60, 40, 0])), 12)
    0.2
    """
    p, q = _pair(reference, current)
    return np.asarray(np.abs(p - q).max(axis=-1))


def share_effect(reference: ArrayLike, current: ArrayLike) -> Floats:
    """How far one share has risen, Cohen's h `[...]`: negative where it fell, from −π to π.

    h = 2·arcsin √q − 2·arcsin √p: equal steps of it are about equally hard to see in equal numbers
    of rows, near nought as in the middle. 5 % to 7.5 % is about .1, and so is 0 to .25 %.

    Source: Cohen (1988), chapter 6.

    >>> [round(float(share_effect(*pair)), 3) for pair in ((0.05, 0.1), (0.0, 0.01), (0.4, 0.5))]
    [0.192, 0.2, 0.201]
    """
    p, q = (np.clip(np.asarray(a, dtype=np.float64), 0.0, 1.0) for a in (reference, current))
    return np.asarray(2.0 * np.arcsin(np.sqrt(q)) - 2.0 * np.arcsin(np.sqrt(p)))


def cumulative_difference(reference: ArrayLike, current: ArrayLike) -> Floats:
    """F_reference − F_current at the upper edge of each ordered cell but the last, `[..., B−1]`.

    >>> cumulative_difference([1, 1, 2], [2, 1, 1])
    array([-0.25, -0.25])
    """
    p, q = _pair(reference, current)
    return np.asarray(np.cumsum(p - q, axis=-1)[..., :-1])


def ks_distance(reference: ArrayLike, current: ArrayLike) -> Floats:
    """Kolmogorov–Smirnov distance `[...]` of ordered cells: the largest gap between the two
    distribution functions.

    D = maxₖ |F(eₖ) − G(eₖ)| over the edges eₖ between cells. It is at most the D of the raw values,
    and falls short of it by at most the largest share that either side has within one cell.

    Source: Kolmogorov (1933), Smirnov (1939).

    >>> round(float(ks_distance([25, 25, 25, 25], [10, 20, 30, 40])), 12)
    0.2
    """
    gaps = cumulative_difference(reference, current)
    if gaps.shape[-1] == 0:
        return np.where(np.isnan(gaps.sum(axis=-1)), np.nan, 0.0)
    return np.asarray(np.abs(gaps).max(axis=-1))


def wasserstein(
    reference: ArrayLike, current: ArrayLike, positions: ArrayLike, scale: ArrayLike = 1.0
) -> Floats:
    """Wasserstein-1 (earth mover's) distance `[...]` of ordered cells, in units of `scale`.

    W = 1/s · ∫ |F(x) − G(x)| dx. `positions[..., B−1]` are the edges between the B cells, not
    decreasing; the mass of the first and last cell is taken to sit at the first and last edge, so
    no value of any size counts for more than the span of the edges. Between two edges F − G is
    taken as linear, which is exact for cells whose mass is spread evenly. `scale[...]` is the
    reference's standard deviation for the normed form.

    Source: Vallender (1974) for the one-dimensional form.

    >>> float(wasserstein([0, 4, 0, 0], [0, 0, 4, 0], positions=[0.0, 1.0, 2.0]))
    1.0
    >>> float(wasserstein([0, 4, 0], [0, 3, 1], positions=[0.0, 1.0]))  # a quarter moved by half
    0.125
    """
    gaps, edges = _gaps_at(reference, current, positions)
    left, right = gaps[..., :-1], gaps[..., 1:]
    span = np.abs(left) + np.abs(right)
    crossing = left * right < 0
    crossed = np.divide(left**2 + right**2, span, out=np.zeros_like(span), where=crossing)
    area = 0.5 * np.where(crossing, crossed, span) * np.diff(edges, axis=-1)
    return np.asarray(area.sum(axis=-1) / np.asarray(scale, dtype=np.float64))


def energy(
    reference: ArrayLike, current: ArrayLike, positions: ArrayLike, scale: ArrayLike = 1.0
) -> Floats:
    """Energy distance `[...]` of ordered cells, with values measured in units of `scale`.

    E = √( 2/s · ∫ (F(x) − G(x))² dx ), which is √(2·E|X−Y| − E|X−X′| − E|Y−Y′|) of values over s.
    Edges, outer cells, `scale` and the linear F − G between edges are those of `wasserstein`, so no
    value of any size counts for more than the span of the edges. Large gaps weigh more than many
    small ones: of two moves with one Wasserstein distance, the one of more rows is farther.

    NaN where a side is empty. StatisticsError where the edges do not fit the cells.

    Source: Székely & Rizzo, Energy Statistics (2013); Cramér (1928) for the integral.

    >>> round(float(energy([0, 4, 0, 0], [0, 0, 4, 0], positions=[0.0, 1.0, 2.0])), 6)
    1.154701
    """
    gaps, edges = _gaps_at(reference, current, positions)
    left, right = gaps[..., :-1], gaps[..., 1:]
    area = (left**2 + left * right + right**2) / 3.0 * np.diff(edges, axis=-1)
    return np.asarray(np.sqrt(2.0 * area.sum(axis=-1) / np.asarray(scale, dtype=np.float64)))


def _gaps_at(
    reference: ArrayLike, current: ArrayLike, positions: ArrayLike
) -> tuple[Floats, Floats]:
    """F − G at each edge, and the edges."""
    gaps = cumulative_difference(reference, current)
    edges = np.asarray(positions, dtype=np.float64)
    if edges.ndim == 0 or edges.shape[-1] != gaps.shape[-1]:
        cells = gaps.shape[-1] + 1
        raise StatisticsError(f"{cells} cells have {cells - 1} edges between them")
    return gaps, edges
