"""All features together: how far a row is from the ways in which the reference's columns depend on
each other.

A change of correlation leaves every column as it was, and is seen here only. Each value becomes a
score by its cell: numbers the normal score of their rank (so that no single value can decide),
categories their frequency, both with mean 0 and variance 1 over the reference, nought where nothing
is known. Principal axes that hold 65 % of the variance are left out; the error of a row is what the
rest of it measures, each axis in its own standard deviations.

Source: principal component analysis with the reconstruction error weighed as in Jackson and
Mudholkar (1979); the scores are van der Waerden's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.profile.grid import CategoryGrid, Grid, NumericGrid
from monitor.statistics import special
from monitor.statistics.dependence import correlation_spread

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

VARIANCE_KEPT = 0.65
LEAST_VARIANCE = 0.05  # of an axis: rounding must not decide where columns are tied exactly
MAX_COLUMNS = 64  # that take part: those that depend most on another
MAX_CANDIDATES = 2000
ROWS_A_COLUMN = 20
LEAST_ROWS = 500
LEAST_VALID_SHARE = 0.5
LEAST_FREQUENT_SHARE = 0.8  # names that hardly come again say nothing of what comes with them
DIGITS = 4  # of what is kept in the reference's file, and so of what is computed with


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Features by name, the score of each of their cells, their correlation `[p, p]`, and its
    spread `[p, p]`: σ of a correlation whose standard deviation over n rows is σ/√n."""

    columns: tuple[str, ...]
    scores: tuple[Floats, ...]
    correlation: Floats
    spread: Floats | None = None  # references of earlier releases lack it
    weights: Floats = field(init=False)  # [m, p]: the axes left, over their standard deviations

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", _weights(self.correlation))

    def errors(self, scores: Floats) -> Floats:
        """Each row's error, from `scores[p, rows]`."""
        left = self.weights @ scores
        errors: Floats = np.sqrt(np.einsum("ij,ij->j", left, left))
        return errors


def fit(grids: Mapping[str, Grid], codes: Mapping[str, Codes]) -> Projection | None:
    """The projection of features whose rows' cells are `codes`; None where nothing can be said."""
    tables: dict[str, Floats] = {}
    rows = len(next(iter(codes.values()), ()))
    if rows < LEAST_ROWS:
        return None
    for name in list(grids)[:MAX_CANDIDATES]:
        table = _scores(
            grids[name], np.bincount(codes[name], minlength=grids[name].value_cells + 2)
        )
        if table is not None:
            tables[name] = table
    if len(tables) < 2:
        return None
    names = np.array(list(tables), dtype=object)
    scores = np.stack([tables[name][codes[name]] for name in tables])
    correlation = correlations(scores @ scores.T)
    most = min(MAX_COLUMNS, rows // ROWS_A_COLUMN)
    if len(names) > most:
        strongest = np.abs(correlation - np.eye(len(names))).max(axis=1)
        chosen = np.sort(np.argsort(-strongest, kind="stable")[:most])
        names, correlation = names[chosen], correlation[np.ix_(chosen, chosen)]
        scores = scores[chosen]
    taken = tuple(names.tolist())
    kept = tuple(tables[name] for name in taken)
    spread = correlation_spread(scores).round(DIGITS)
    return Projection(taken, kept, correlation.round(DIGITS), spread)


def correlations(products: Floats) -> Floats:
    """Of sums of products `[p, p]` of values about nought.

    >>> correlations(np.array([[4.0, 1.0], [1.0, 1.0]])).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    spread = np.sqrt(np.maximum(np.diagonal(products), 1e-12))
    found: Floats = np.clip(products / np.outer(spread, spread), -1.0, 1.0)
    return found


def _scores(grid: Grid, counts: Codes) -> Floats | None:
    """The score of each cell, missing and invalid nought; None where they say nothing."""
    held = counts[: grid.value_cells].astype(np.float64)
    total = held.sum()
    if total < LEAST_VALID_SHARE * counts.sum():
        return None
    if isinstance(grid, NumericGrid):
        raw = special.ndtri((np.cumsum(held) - 0.5 * held + 0.5) / (total + 1.0))
    elif isinstance(grid, CategoryGrid):
        raw = held / total
        raw[-2:] = 0.0  # other and unseen are many categories, each of them rare
        if held[:-2].sum() < LEAST_FREQUENT_SHARE * total:
            return None
    else:
        raw = np.arange(grid.value_cells, dtype=np.float64)
    mean = float(held @ raw) / total
    spread = float(np.sqrt(held @ (raw - mean) ** 2 / total))
    if spread < 1e-9:
        return None
    scores = np.zeros(len(counts))
    scores[: grid.value_cells] = (raw - mean) / spread
    return scores.round(DIGITS)


def _weights(correlation: Floats) -> Floats:
    """The axes beyond those that hold most of the variance; at least one."""
    variances, axes = np.linalg.eigh(correlation)
    shares = np.cumsum(variances[::-1]) / max(float(variances.sum()), 1e-12)
    kept = min(int(np.searchsorted(shares, VARIANCE_KEPT)) + 1, len(variances) - 1)
    left = len(variances) - kept
    spread = np.sqrt(np.maximum(variances[:left], LEAST_VARIANCE))
    weights: Floats = axes[:, :left].T / spread[:, None]
    return weights


@dataclass(frozen=True, slots=True, eq=False)
class Products:
    """Sums of products of scores over rows, `[p + 1, p + 1]`, a one behind them: what correlations
    are made of. Two add up."""

    sums: Floats

    @classmethod
    def of(cls, scores: Floats) -> Products:
        """Of `scores[p, rows]`."""
        with_one = np.concatenate([scores, np.ones((1, scores.shape[1]))])
        return cls(with_one @ with_one.T)

    def __add__(self, other: Products) -> Products:
        return Products(self.sums + other.sums)

    @property
    def rows(self) -> int:
        """How many rows were added up."""
        return int(self.sums[-1, -1])

    @property
    def correlation(self) -> Floats:
        """Of the columns, about their own means; `[p, p]`."""
        means = self.sums[:-1, -1] / max(self.rows, 1)
        return correlations(self.sums[:-1, :-1] - self.rows * np.outer(means, means))
