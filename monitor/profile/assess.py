"""The current counts against the reference's: every score, p-value and ratio of every column.

Pure; decides nothing: thresholds, corrections and alerts are for those above. NaN says not enough
data.

Two hypotheses a column. On its *values* (rows that hold one): numeric columns by normed Wasserstein
distance and the Anderson–Darling p-value on the fine cells (homogeneity of the published bins where
one value holds most of the reference), the others by Jensen–Shannon distance
and the test of homogeneity. On their *presence*: the shares of valid, missing and invalid rows, by
Jensen–Shannon distance and homogeneity. So a column that went missing is said to be missing,
whatever its values were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from monitor.profile.counts import Counts
from monitor.profile.grid import BooleanGrid, CategoryGrid, NumericGrid, PresenceGrid
from monitor.profile.layout import Layout
from monitor.profile.numeric import NumericColumns, gather, padded, take
from monitor.profile.screen import Screen
from monitor.statistics import divergence, significance

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

WASSERSTEIN = "wasserstein"
JS = "js"
PRESENCE = "presence"
PCA = "pca_reconstruction"  # the distance of the reconstruction errors
CORRELATION = "pair_correlation"  # the largest change of a correlation of two features


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """One side's plain figures, each `[columns]`; the moments are NaN unless numeric."""

    rows: Codes
    valid_rows: Codes
    missing_ratio: Floats
    invalid_ratio: Floats
    outside_ratio: Floats  # beyond the reference's range, or a category it never held
    mean: Floats
    stddev: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """All columns, in the layout's order."""

    methods: tuple[str, ...]
    effect: Floats
    p_value: Floats
    presence_effect: Floats
    presence_p_value: Floats
    scores: Mapping[str, Floats]
    current: Summary
    reference: Summary


class Assessor:
    """Compares any number of current counts with one reference; holds the tables that this
    needs."""

    def __init__(self, layout: Layout, reference: Counts) -> None:
        self._layout = layout
        self._numeric = NumericColumns(layout, reference)
        columns = len(layout.columns)
        grids = [profile.grid for profile in layout.columns]
        self.methods = tuple(_METHODS[type(grid)] for grid in grids)
        if layout.together is not None:
            self.methods = _replaced(self.methods, layout.together, PCA)
        named = [i for i, grid in enumerate(grids) if isinstance(grid, (CategoryGrid, BooleanGrid))]
        self._named = np.array(named, dtype=np.int64)
        self._valued = np.array([not isinstance(g, PresenceGrid) for g in grids], dtype=np.bool_)
        starts, sizes = layout.offsets[:-1], np.diff(layout.offsets)
        self._values = gather(starts, sizes - 2)
        self._names = gather(starts[self._named], sizes[self._named] - 2)
        self._weights = np.array([profile.weight for profile in layout.columns])
        evidence = self._weights[self._named, None]
        self._names_reference = take(reference.cells, self._names) * evidence
        slices = [layout.bin_slice(i) for i in range(columns)]
        bin_starts = np.array([part.start for part in slices], dtype=np.int64)
        bin_sizes = np.array([part.stop - part.start for part in slices], dtype=np.int64)
        self._bins = gather(bin_starts, bin_sizes)
        self._value_bins = gather(bin_starts, bin_sizes - 2)
        self._states = layout.offsets[1:, None] - np.array([[2, 1]])
        outside = [profile.grid.outside for profile in layout.columns]
        self._outside = padded(outside, self._values.shape[1])
        self._reference = reference
        self._reference_summary = self._summary(reference)

    @cached_property
    def _screen(self) -> Screen:
        """Made when it is asked for: a live window never asks."""
        return Screen(self._layout, self._reference)

    def assess(self, current: Counts) -> Assessment:
        """Every figure of every column."""
        scores = self._scores(current)
        p_value = scores.pop("p_value")
        effect = np.where(np.isnan(self._numeric.centres), scores[JS], scores[WASSERSTEIN])
        before, now = self._presence(self._reference), self._presence(current)
        return Assessment(
            self.methods,
            effect,
            p_value,
            np.where(self._layout.derived, np.nan, divergence.js_distance(before, now)),
            self._presence_p_values(before, now),
            scores,
            self._summary(current),
            self._reference_summary,
        )

    def p_values(self, cells: Codes, rows: Codes, least: float = 0.0) -> tuple[Floats, Floats]:
        """Only the p-values of `assess`, of values and of presence, each `[looks, columns]`, for
        many looks at once: `cells[looks, total]` and `rows[looks]`. They may be NaN where a column
        has moved by less than `least`."""
        states = cells[:, self._states]
        valid = rows[:, None] - states.sum(axis=-1)
        present = np.concatenate([valid[..., None], states], axis=-1).astype(np.float64)
        usual = self._presence(self._reference)
        values, presence = np.full((2, *valid.shape), np.nan)
        far = np.ones(values.shape, dtype=np.bool_)
        away = far
        if least > 0:
            far = self._screen.values(cells, least)
            away = self._screen.presence(usual, present, least)
        looks = np.flatnonzero(far.any(axis=1))
        if len(looks):
            values[looks] = self._value_p_values(cells[looks], np.asarray(far.any(axis=0)))
        looks = np.flatnonzero(away.any(axis=1))
        if len(looks):
            presence[looks] = self._presence_p_values(usual, present[looks])
        return values, presence

    def _value_p_values(self, cells: Codes, far: NDArray[np.bool_]) -> Floats:
        """Of the columns that are `far`; NaN of others."""
        values = np.full((len(cells), len(self.methods)), np.nan)
        chosen = np.flatnonzero(far[self._numeric.which])
        if len(chosen):
            values[:, self._numeric.which[chosen]] = self._numeric.p_values(cells, chosen)
        for index in self._numeric.coarse[far[self._numeric.coarse]].tolist():
            part = self._layout.cell_slice(index)
            binned = cells[:, part] @ self._layout.merging(index)
            before = self._reference.cells[part] @ self._layout.merging(index)
            values[:, index] = _homogeneity_p(
                before[:-2] * self._weights[index], binned[:, :-2].astype(np.float64)
            )
        named = np.flatnonzero(far[self._named])
        if len(named):
            now = take(cells, self._names[named])
            values[:, self._named[named]] = _homogeneity_p(self._names_reference[named], now)
        return values

    def least_tests(self, cells: Codes, rows: Codes, min_rows: int) -> int:
        """So many tests of values at least are made in each of many looks."""
        sure = np.setdiff1d(self._numeric.which, self._numeric.coarse)
        valid = rows[:, None] - cells[:, self._states].sum(axis=-1)
        usual = self._presence(self._reference)[:, 0]
        enough = (valid >= max(min_rows, 1)).all(axis=0) & (usual > 0)
        return int(np.count_nonzero(enough[sure]))

    def _scores(self, current: Counts) -> dict[str, Floats]:
        sides = self._reference, current
        before, now = (self._layout.bin_counts(side) for side in sides)
        bins = take(before, self._bins), take(now, self._bins)
        values = take(before, self._value_bins), take(now, self._value_bins)
        of_values = {
            JS: divergence.js_distance(*values),
            "hellinger": divergence.hellinger(*values),
            "chi2": significance.chi_square(*values).statistic,
        }
        scores = {name: np.where(self._valued, one, np.nan) for name, one in of_values.items()}
        scores["psi"] = divergence.psi(*bins)
        for name in (WASSERSTEIN, "ks", "p_value"):
            scores[name] = np.full(len(self.methods), np.nan)
        for name, values_of_numeric in self._numeric.score(current).items():
            scores[name][self._numeric.which] = values_of_numeric
        coarse = self._numeric.coarse
        if len(coarse):
            scores["p_value"][coarse] = significance.homogeneity(
                values[0][coarse] * self._weights[coarse, None], values[1][coarse]
            ).p_value
        if self._layout.together is not None:
            scores[PCA] = np.full(len(self.methods), np.nan)
            scores[PCA][self._layout.together] = scores[WASSERSTEIN][self._layout.together]
        if len(self._named):
            names = take(current.cells, self._names)
            found = significance.homogeneity(self._names_reference, names)
            scores["p_value"][self._named] = found.p_value
        return scores

    def _presence_p_values(self, before: Floats, now: Floats) -> Floats:
        """NaN, and so no test at all, where both sides have rows of one state only, and where a
        column is derived: its source is asked."""
        p = _homogeneity_p(before, now)
        several = ((before + now) > 0).sum(axis=-1) > 1
        return np.where(several & ~self._layout.derived, p, np.nan)

    def _presence(self, counts: Counts) -> Floats:
        """Rows that are valid, missing, invalid: `[columns, 3]`."""
        valid = take(counts.cells, self._values).sum(axis=1)
        states = counts.cells[self._states]
        return np.column_stack([valid, states]).astype(np.float64)

    def _summary(self, counts: Counts) -> Summary:
        values = take(counts.cells, self._values)
        presence = self._presence(counts)
        rows = presence.sum(axis=1)
        some = np.where(rows > 0, rows, np.nan)
        n, first, second = counts.moments.T
        weight = np.where(n > 0, n, np.nan)
        shift = first / weight
        variance = np.maximum(second / weight - shift**2, 0.0)
        return Summary(
            rows.astype(np.int64),
            presence[:, 0].astype(np.int64),
            presence[:, 1] / some,
            presence[:, 2] / some,
            (values * self._outside).sum(axis=1) / some,
            self._numeric.centres + shift,
            np.where(np.isnan(self._numeric.centres), np.nan, np.sqrt(variance)),
        )


_METHODS = {NumericGrid: WASSERSTEIN, CategoryGrid: JS, BooleanGrid: JS, PresenceGrid: PRESENCE}


def _replaced(methods: tuple[str, ...], place: int, method: str) -> tuple[str, ...]:
    return (*methods[:place], method, *methods[place + 1 :])


def _homogeneity_p(before: Floats, now: Floats) -> Floats:
    return significance.homogeneity(np.broadcast_to(before, now.shape), now).p_value
