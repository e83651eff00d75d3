"""Counts on the default grid give what raw samples give, within the bounds that the docs state.

Both sides of the raw samples are drawn in to the fences for Wasserstein and energy: no value counts
for more, by design.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from monitor.profile.edges import numeric_grid
from monitor.profile.grid import NumericGrid
from monitor.statistics import divergence
from monitor.statistics.cramer_von_mises import cramer_von_mises

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Draw = Callable[[np.random.Generator, int], Floats]

DRAWS: dict[str, Draw] = {
    "normal": lambda random, rows: random.normal(size=rows),
    "uniform": lambda random, rows: random.random(rows),
    "exponential": lambda random, rows: random.exponential(size=rows),
    "lognormal": lambda random, rows: random.lognormal(size=rows),
    "gamma": lambda random, rows: random.gamma(2.0, size=rows),
    "heavy tails": lambda random, rows: random.standard_t(3.0, rows),
    "most at the ends": lambda random, rows: random.beta(0.5, 0.5, rows),
    "two peaks": lambda random, rows: random.normal(4.0 * (random.random(rows) < 0.4), 1.0),
}
MOVES: dict[str, Callable[[Floats], Floats]] = {
    "not at all": lambda x: x,
    "by .25": lambda x: x + 0.25,
    "wider": lambda x: 1.5 * x,
    "upper half stretched": lambda x: np.where(x > np.median(x), 2.0 * x, x),
}
REFERENCE_ROWS = 10_000
RELATIVE = 0.02
KS = 0.01
# Where 2 % of a small distance is less than one row can be misplaced within a wide outer cell:
WASSERSTEIN = {500: 0.02, 5000: 0.003}
ENERGY = {500: 0.005, 5000: 0.003}
CVM = {500: 0.01, 5000: 0.01}


def cells(grid: NumericGrid, values: Floats) -> np.ndarray:
    return np.bincount(grid.edges.searchsorted(values, "right"), minlength=grid.value_cells)


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("draw", DRAWS)
def test_counts_agree_with_raw_samples(draw: str, move: str) -> None:
    random = np.random.default_rng([5, *draw.encode()])
    reference = DRAWS[draw](random, REFERENCE_ROWS)
    grid = numeric_grid(reference)
    at = grid.positions, grid.scale
    for rows in (500, 5000):
        current = MOVES[move](DRAWS[draw](random, rows))
        both = cells(grid, reference), cells(grid, current)
        raw = float(stats.ks_2samp(reference, current).statistic)
        assert divergence.ks_distance(*both) == pytest.approx(raw, abs=KS)

        held = [np.clip(x, *grid.fences) for x in (reference, current)]
        scale = held[0].std()
        raw = float(stats.wasserstein_distance(*held) / scale)
        found = divergence.wasserstein(*both, *at)
        assert found == pytest.approx(raw, rel=RELATIVE, abs=WASSERSTEIN[rows])

        raw = float(stats.energy_distance(*held) / np.sqrt(scale))
        assert divergence.energy(*both, *at) == pytest.approx(raw, rel=RELATIVE, abs=ENERGY[rows])

        theirs = stats.cramervonmises_2samp(reference, current, method="asymptotic")
        assert cramer_von_mises(*both) == pytest.approx(
            theirs.statistic, rel=RELATIVE, abs=CVM[rows]
        )


def test_energy_is_the_integral_of_the_squared_gap_between_linear_functions() -> None:
    random = np.random.default_rng(7)
    reference, current = random.integers(1, 50, (2, 12))
    edges = np.cumsum(random.random(11))
    heights = np.cumsum(reference / reference.sum() - current / current.sum())[:-1]
    x = np.linspace(edges[0], edges[-1], 2_000_001)
    brute = np.sqrt(2.0 * np.trapezoid(np.interp(x, edges, heights) ** 2, x) / 3.0)
    found = divergence.energy(reference, current, edges, scale=3.0)
    assert found == pytest.approx(brute, rel=1e-6)


def test_energy_of_two_normals_has_its_closed_form() -> None:
    # E² = 2·E|X−Y| − E|X−X′| − E|Y−Y′|, and E|N(μ, 2)| = 2/√π·e^(−μ²/4) + μ·(2Φ(μ/√2) − 1).
    edges = np.linspace(-12, 12, 20_001)
    reference, current = (
        np.diff(stats.norm.cdf(edges, mean), prepend=0.0, append=1.0) for mean in (0.0, 1.0)
    )
    apart = 2 / np.sqrt(np.pi) * np.exp(-0.25) + 2 * stats.norm.cdf(np.sqrt(0.5)) - 1
    expected = np.sqrt(2 * apart - 4 / np.sqrt(np.pi))
    assert divergence.energy(reference, current, edges) == pytest.approx(expected, rel=1e-4)
