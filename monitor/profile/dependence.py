"""Which pairs of features depend on each other in another way than in the reference.

The error of a row hears a dependence that breaks; one that is new between columns that were
independent may lie along axes that are left out, and is heard here: each pair's correlation of
scores, now and in the reference. A score is bounded by the cells, so no single value can raise or
hide a change. Decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.profile.counts import Counts
from monitor.profile.layout import Layout
from monitor.profile.projection import Products
from monitor.statistics import special
from monitor.statistics.dependence import MOST_UNEVEN, correlation_change, unevenness

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PairChanges:
    """Pairs whose correlation moved far enough, the most surprising first, each `[pairs]`."""

    first: Codes  # places in the layout
    second: Codes
    before: Floats
    now: Floats
    p_value: Floats  # of each pair by itself
    pairs: int  # that could be tested, moved or not
    farthest: float  # the largest change of any pair


class DependenceAssessor:
    """Compares products of scores with a reference's correlation; holds the tables for it."""

    def __init__(self, layout: Layout, reference: Counts) -> None:
        assert layout.together is not None  # noqa: S101 - the caller asked
        profile = layout.columns[layout.together]
        projection = profile.projection
        assert projection is not None  # noqa: S101 - that is how it was found
        self.tested = projection.spread is not None  # references of earlier releases lack it
        self._columns = np.array([layout.index[name, "feature"] for name in projection.columns])
        # One half of the sampled rows made the correlation, the other half has this weight.
        self._rows = max(profile.weight * reference.rows, 1.0)
        self._upper = np.triu_indices(len(projection.columns), 1)
        correlation = projection.correlation
        spread = 1.0 - correlation**2 if projection.spread is None else projection.spread
        self._before, self._spread = correlation[self._upper], spread[self._upper]
        held = [reference.cells[layout.cell_slice(i)] for i in self._columns.tolist()]
        moments = [
            _skewness_and_kurtosis(scores, cells.astype(np.float64))
            for scores, cells in zip(projection.scores, held, strict=True)
        ]
        self._skewness, self._kurtosis = np.array(moments).T

    def candidates(self, sums: Floats, least: float, level: float) -> NDArray[np.bool_]:
        """Which of many looks, as sums of products `[looks, p + 1, p + 1]`, may hold a pair that
        moved by `least` and is as surprising as `level` among all pairs."""
        rows = np.maximum(sums[:, -1, -1], 1.0)
        means = sums[:, :-1, -1] / rows[:, None]
        products = sums[:, :-1, :-1] - rows[:, None, None] * means[:, :, None] * means[:, None, :]
        spread = np.sqrt(np.maximum(np.diagonal(products, axis1=1, axis2=2), 1e-12))
        i, j = self._upper
        now = products[:, i, j] / (spread[:, i] * spread[:, j])
        # The normal law's tail is no heavier than the one that decides, and pairs are no more.
        one = -np.expm1(np.log1p(-level) / len(i))
        deviations = -special.ndtri(0.5 * one)
        deviation = self._spread * np.sqrt(1.0 / rows + 1.0 / self._rows)[:, None]
        far = np.maximum(deviations * deviation, least)
        return np.asarray((np.abs(now - self._before) >= far).any(axis=1))

    def assess(self, products: Products, least: float) -> PairChanges:
        """The pairs whose correlation moved by `least` or more."""
        rows = float(products.rows)
        now = products.correlation[self._upper]
        uneven = unevenness(self._skewness, self._kurtosis, rows)[self._upper]
        able = uneven <= MOST_UNEVEN
        moved = np.where(able, np.abs(now - self._before), 0.0)
        far = np.flatnonzero(moved >= least)
        p = correlation_change(
            self._before[far], now[far], self._spread[far], uneven[far], self._rows, rows
        )
        order = far[np.lexsort((-moved[far], p))]
        return PairChanges(
            self._columns[self._upper[0][order]],
            self._columns[self._upper[1][order]],
            self._before[order],
            now[order],
            np.sort(p),
            int(np.count_nonzero(able)),
            float(moved.max(initial=0.0)),
        )


def _skewness_and_kurtosis(scores: Floats, cells: Floats) -> tuple[float, float]:
    """Of a column's scores over the reference's rows: 0 and 3 for a normal one."""
    share = cells / max(float(cells.sum()), 1.0)
    away = scores - float(share @ scores)
    variance = max(float(share @ away**2), 1e-12)
    return float(share @ away**3) / variance**1.5, float(share @ away**4) / variance**2
