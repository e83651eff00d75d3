"""Statistics of two raw samples as Evidently 0.7.23 defines them.

Missing and infinite values are left out first. Cells: a numeric sample of more than 20 distinct
reference values is cut by Sturges' rule over both samples together, so that the bins stretch with
the current data; any other has a cell for each value of either side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from monitor.errors import StatisticsError
from monitor.statistics import divergence, special
from monitor.statistics.conventions.samples import (
    Names,
    Numbers,
    Values,
    bin_edges,
    categories,
    histogram,
    kolmogorov_smirnov,
    numbers,
    stats,
    tallied,
    wasserstein_of_samples,
)

Floats = NDArray[np.float64]

FEW_VALUES = 20
ZERO_SHARE = 1e-4
LEAST_DEVIATION = 0.001
MANY_ROWS = 1000  # of the reference: above it, distances are judged rather than p-values

Numeric = Callable[[Numbers, Numbers], float]
Counted = Callable[[Floats, Floats], float]


def psi(reference: Floats, current: Floats) -> float:
    """Σ (p − q)·ln(p/q) with zero shares raised by `filled`, not rescaled.

    >>> round(psi(np.array([50.0, 30, 20]), np.array([60.0, 40, 0])), 8)
    1.56642076
    """
    p, q = filled(reference / reference.sum()), filled(current / current.sum())
    return float(((p - q) * np.log(p / q)).sum())


def kl(reference: Floats, current: Floats) -> float:
    """Σ p·ln(p/q) with zero shares raised by `filled` and both sides rescaled after it.

    >>> round(kl(np.array([50.0, 30, 20]), np.array([60.0, 40, 0])), 8)
    1.34281509
    """
    p, q = filled(reference / reference.sum()), filled(current / current.sum())
    return float(divergence.kullback_leibler(p, q, floor=0.0))


def js(reference: Floats, current: Floats) -> float:
    """The Jensen–Shannon distance, natural logarithm: at most .8326.

    >>> round(js(np.array([50.0, 30, 20]), np.array([60.0, 40, 0])), 8)
    0.27417925
    """
    return float(divergence.js_distance(reference, current))


def filled(shares: Floats) -> Floats:
    """Zero shares raised to 1e-4, or to a millionth of the least other where that is as small.

    >>> filled(np.array([0.5, 0.5, 0.0])).tolist()
    [0.5, 0.5, 0.0001]
    """
    least = float(shares[shares > 0].min())
    stand_in = least / 1e6 if least <= ZERO_SHARE else ZERO_SHARE
    return np.where(shares == 0, stand_in, shares)


def overlap_distance(reference: Floats, current: Floats) -> float:
    """Hellinger's distance as √(1 − Σ√(p·q))."""
    p, q = reference / reference.sum(), current / current.sum()
    return float(np.sqrt(1.0 - np.clip(np.sqrt(p * q).sum(), 0.0, 1.0)))


def chi_square(reference: Floats, current: Floats) -> float:
    """The p-value of Σ (O − E)²/E, the reference taken for the truth: E its counts, scaled to the
    current rows. One value that the reference never held makes it 0; a single value in all, NaN.

    >>> chi_square(np.array([50.0, 30, 20, 0]), np.array([50.0, 30, 10, 10]))
    0.0
    """
    expected = reference * (current.sum() / reference.sum())
    if np.any((expected == 0) & (current > 0)):
        return 0.0
    statistic = ((current - expected) ** 2 / expected).sum()
    degrees = len(expected) - 1.0
    return float(special.chdtrc(degrees, statistic)) if degrees else float("nan")


def ks(reference: Numbers, current: Numbers) -> float:
    """The two-sided p-value of the Kolmogorov–Smirnov test, exact up to 10,000 rows a side."""
    return kolmogorov_smirnov(reference, current)[1]


def wasserstein(reference: Numbers, current: Numbers) -> float:
    """The Wasserstein-1 distance over the reference's standard deviation, taken for .001 at
    least."""
    scale = max(float(np.std(reference)), LEAST_DEVIATION)
    return wasserstein_of_samples(reference, current) / scale


def energy(reference: Numbers, current: Numbers) -> float:
    """The energy distance, in the root of the values' units."""
    return float(stats().energy_distance(reference, current))


def z(reference: Floats, current: Floats) -> float:
    """The two-sided p-value of a difference of two shares.

    StatisticsError for more than two values in all.
    """
    if len(reference) != 2:
        if len(reference) > 2:
            raise StatisticsError(f"z compares shares of two values, not of {len(reference)}")
        return 1.0
    rows, others = reference.sum(), current.sum()
    first, second = reference[0] / rows, current[0] / others
    both = (reference[0] + current[0]) / (rows + others)
    spread = np.sqrt(both * (1.0 - both) * (1.0 / rows + 1.0 / others))
    return float(2.0 * special.ndtr(-abs(first - second) / spread))


COUNTED: Mapping[str, Counted] = {"psi": psi, "kl": kl, "js": js}
CATEGORICAL: Mapping[str, Counted] = {
    **COUNTED,
    "hellinger": overlap_distance,
    "chi_square": chi_square,
    "z": z,
}
OF_NUMBERS: Mapping[str, Numeric] = {"ks": ks, "wasserstein": wasserstein, "energy": energy}
TALLIED: Mapping[str, Counted] = {"chi_square": chi_square, "z": z}


def numeric(statistic: str, before: Numbers, now: Numbers) -> float:
    """One statistic of two finite samples that hold something; KeyError for a strange name."""
    if statistic in OF_NUMBERS:
        return OF_NUMBERS[statistic](before, now)
    if statistic == "hellinger":
        distinct = np.unique(np.concatenate([np.unique(before), np.unique(now)]))
        edges = bin_edges(distinct, "sturges")
        return overlap_distance(histogram(before, edges), histogram(now, edges))
    if statistic in TALLIED:
        return TALLIED[statistic](*tallied(before.tolist(), now.tolist()))
    return COUNTED[statistic](*_cells(before, now))


def categorical(statistic: str, before: Names, now: Names) -> float:
    """One statistic of two samples that hold something; KeyError for a strange name."""
    return CATEGORICAL[statistic](*tallied(before, now))


def default_statistic(reference: Values, current: Values, *, is_categorical: bool) -> str:
    """The statistic that Evidently chooses by itself: distances are drift from .1 on, p-values
    below .05, and that of `ks` at it.

    Up to 1,000 reference rows: `ks` for numbers of more than five distinct values in all,
    `chi_square` from three, else `z`. More: `wasserstein` for such numbers, else `js`.

    >>> default_statistic(range(2000), range(50), is_categorical=False)
    'wasserstein'
    """
    if is_categorical:
        sides = categories(reference), categories(current)
        distinct = len(set(sides[0]) | set(sides[1]))
    else:
        held = [numbers(sample, finite_only=True) for sample in (reference, current)]
        sides = held[0].tolist(), held[1].tolist()
        distinct = len(np.unique(np.concatenate(held)))
    continuous = not is_categorical and distinct > 5
    if len(sides[0]) > MANY_ROWS:
        return "wasserstein" if continuous else "js"
    if continuous:
        return "ks"
    return "chi_square" if distinct > 2 else "z"


def _cells(reference: Numbers, current: Numbers) -> tuple[Floats, Floats]:
    if len(np.unique(reference)) <= FEW_VALUES:
        return tallied(reference.tolist(), current.tolist())
    edges = bin_edges(np.concatenate([reference, current]), "sturges")
    return histogram(reference, edges), histogram(current, edges)
