"""The Anderson–Darling test on ordered cells: the most telling of the tests of one distribution
against another.

Knows nothing of columns. Kolmogorov–Smirnov hears the largest gap only; this one hears all gaps,
each weighed by how far chance alone would open it, and so finds shifts and changes of spread with
fewer rows. Under no drift the statistic is a sum of squared normals with weights that follow from
the cells' shares; its tail is computed from them once (`ad_tail`), down to p-values of 1e-12 and,
as a straight line in log p, beyond.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.errors import StatisticsError
from monitor.statistics import special
from monitor.statistics.divergence import cumulative_difference, shares

Floats = NDArray[np.float64]

FINE_SHARE = 0.02  # with no cell above it, the weights are those of evenly filled fine cells
FINE_CELLS = 125
MAX_WEIGHTS = 40  # the rest of the sum varies so little that its mean stands for it
TABLE_POINTS = 96

_STEPS = np.arange(TABLE_POINTS + 1.0)


def anderson_darling(reference: ArrayLike, current: ArrayLike) -> Floats:
    """Anderson–Darling statistic `[...]` of two sets of counts `[..., B]` over ordered cells.

    A² = n Σₖ (Fₖ − Gₖ)² / (Hₖ(1 − Hₖ)) · ½(hₖ + hₖ₊₁) over the edges k between cells; n = NM/(N+M),
    H the distribution function of both together and h the shares of its cells. With fine cells this
    is the two-sample A² of the raw values.

    NaN where a side is empty.

    Source: Anderson & Darling (1952); Scholz & Stephens (1987) for samples with ties.

    >>> round(float(anderson_darling([25, 25, 25, 25], [35, 25, 25, 15])), 4)
    1.8629
    """
    p, q = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    gaps = cumulative_difference(p, q)
    together = shares(p + q)
    below = np.cumsum(together, axis=-1)[..., :-1]
    weight = 0.5 * (together[..., :-1] + together[..., 1:])
    spread = below * (1.0 - below)
    usable = spread > 1e-15
    terms = np.divide(weight * gaps**2, spread, out=np.zeros_like(gaps), where=usable)
    rows, others = p.sum(axis=-1), q.sum(axis=-1)
    enough = (rows > 0) & (others > 0)
    n = np.divide(rows * others, rows + others, out=np.zeros_like(rows), where=enough)
    return np.where(enough, n * terms.sum(axis=-1), np.nan)


def without_outliers(counts: ArrayLike, inside: ArrayLike) -> Floats:
    """Counts `[..., B]` less the outermost row at each end, where it lies beyond the reference.

    `inside[..., 2]`: the cells start:stop that hold the reference's range. One row beyond it may be
    an accident of any size, and must not make a test surprised; a second one counts. Without drift
    hardly any row lies there, so that nothing is lost.

    StatisticsError where `inside` does not hold pairs.

    >>> without_outliers([1, 0, 4, 5, 2], inside=[1, 4])
    array([0., 0., 4., 5., 1.])
    """
    held = np.array(counts, dtype=np.float64)
    ends = np.asarray(inside)
    if ends.shape[-1:] != (2,):
        raise StatisticsError("the reference's range is a pair of cells, start and stop")
    occupied = held > 0
    first = occupied.argmax(axis=-1)
    last = held.shape[-1] - 1 - occupied[..., ::-1].argmax(axis=-1)
    some = occupied.any(axis=-1)
    beyond = (some & (first < ends[..., 0]), some & (last >= ends[..., 1]))
    for place, is_beyond in zip((first, last), beyond, strict=True):
        taken = np.take_along_axis(held, place[..., None], axis=-1) - is_beyond[..., None]
        np.put_along_axis(held, place[..., None], taken, axis=-1)
    return held


def ad_tail(reference: ArrayLike) -> tuple[Floats, Floats]:
    """The statistic's tail under no drift, for cells with the reference's counts `[B]`: points x,
    and ln p at each.

    √n(F − G) is normal with covariance H_min(1 − H_max); the eigenvalues of it, weighed as the
    statistic weighs, are the weights λ of A² = Σ λⱼ Zⱼ². Over cells so fine that they are as good
    as a continuum, λⱼ = 1/(j(j+1)), and they are computed once for all columns.

    StatisticsError where the counts are not one row.

    Source: Anderson & Darling (1952).

    >>> x, log_p = ad_tail([80] * 125)
    >>> [round(float(np.exp(np.interp(a, x, log_p))), 3) for a in (1.933, 2.492, 3.857)]
    [0.099, 0.051, 0.011]
    """
    counts = np.asarray(reference, dtype=np.float64)
    if counts.ndim != 1:
        raise StatisticsError("the tail is computed for one set of cells at a time")
    held = counts[counts > 0]
    if not len(held):
        return _STEPS, np.full_like(_STEPS, np.nan)
    part = held / held.sum()
    if part.max() <= FINE_SHARE:
        return _fine_tail()
    return _tail(_weights(part))


def ad_p_value(statistic: ArrayLike, points: ArrayLike, log_p: ArrayLike) -> Floats:
    """p-values `[C]` of statistics `[C]` by the tails `points[C, K]`, `log_p[C, K]` of `ad_tail`.

    Two cells make half a chi-square of one degree, whose 5 % point is 3.841; the saddlepoint is
    within 12 % of it, on the safe side, and closer with more cells:

    >>> x, log_p = ad_tail([10, 10])
    >>> round(float(ad_p_value([3.841 / 2], [x], [log_p])[0]), 3)
    0.052
    """
    x, at, values = (np.asarray(a, dtype=np.float64) for a in (statistic, points, log_p))
    place = np.sum(at <= np.nan_to_num(x)[:, None], axis=1) - 1
    left = np.clip(place, 0, at.shape[1] - 2)
    row = np.arange(len(x))
    x0, x1 = at[row, left], at[row, left + 1]
    y0, y1 = values[row, left], values[row, left + 1]
    return np.asarray(np.exp(np.minimum(y0 + (y1 - y0) * (x - x0) / (x1 - x0), 0.0)))


@lru_cache(maxsize=1)
def _fine_tail() -> tuple[Floats, Floats]:
    return _tail(_weights(np.full(FINE_CELLS, 1.0 / FINE_CELLS)))


def _weights(part: Floats) -> Floats:
    """Eigenvalues, largest first, of the statistic's quadratic form; one cell alone has none but
    zero."""
    below = np.cumsum(part)[:-1]
    if not len(below):
        return np.zeros(1)
    spread = below * (1.0 - below)
    root = np.sqrt(0.5 * (part[:-1] + part[1:]) / spread)
    lower, upper = np.minimum.outer(below, below), np.maximum.outer(below, below)
    form = root[:, None] * (lower * (1.0 - upper)) * root
    return np.asarray(np.maximum(np.linalg.eigvalsh(form)[::-1], 0.0))


def _tail(weights: Floats) -> tuple[Floats, Floats]:
    """Points and ln p for a sum of weighted chi-squares with one degree each, by the
    saddlepoint."""
    largest = float(weights[0])
    if largest <= 0:
        return _STEPS, np.zeros_like(_STEPS)  # one cell: nothing is ever surprising
    main, rest = weights[:MAX_WEIGHTS], float(weights[MAX_WEIGHTS:].sum())
    # s runs to the pole at 1/(2·largest); the points crowd towards it as the tail goes out.
    reach = 1.0 - np.geomspace(0.98, 0.012, TABLE_POINTS)
    s = reach / (2.0 * largest)
    factors = 1.0 - 2.0 * s[:, None] * main
    x = (main / factors).sum(axis=1)
    cumulant = -0.5 * np.log(factors).sum(axis=1)
    curvature = 2.0 * np.square(main / factors).sum(axis=1)
    w = np.sqrt(2.0 * (s * x - cumulant))
    v = s * np.sqrt(curvature)
    # Barndorff-Nielsen's form of Lugannani and Rice's: never negative, however far out.
    log_p = special.log_ndtr(-(w + np.log(v / w) / w))
    return np.concatenate([[0.0], x + rest]), np.concatenate([[0.0], log_p])
