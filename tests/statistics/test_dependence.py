"""Changes of correlation: the chance that the formulas promise is the chance that rows have."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from monitor.errors import StatisticsError
from monitor.statistics.dependence import (
    MOST_UNEVEN,
    correlation_change,
    correlation_spread,
    gamma_tail,
    unevenness,
)

Floats = NDArray[np.float64]
Random = np.random.Generator
TRIALS = 10_000

Draw = Callable[[Random, int], Floats]  # two columns of so many rows


def _normal(rho: float) -> Draw:
    def draw(random: Random, rows: int) -> Floats:
        x, y = random.normal(size=(2, rows))
        return np.stack([x, rho * x + np.sqrt(1 - rho**2) * y])

    return draw


def _common_scale(random: Random, rows: int) -> Floats:
    """Uncorrelated, and yet large at the same time."""
    scale = np.clip(1.0 / np.sqrt(random.chisquare(5, rows)), 0.0, 3.0)
    found: Floats = random.normal(size=(2, rows)) * scale
    return found


def _flags(random: Random, rows: int) -> Floats:
    return (random.random((2, rows)) < 0.1).astype(np.float64) - 0.1


def _corrcoef(table: Floats) -> Floats:
    return np.asarray(np.corrcoef(table))


def _correlations(draw: Draw, rows: int, times: int) -> Floats:
    random = np.random.default_rng(7)
    tables = draw(random, rows * times).reshape(2, times, rows)
    x, y = tables - tables.mean(axis=2, keepdims=True)
    found: Floats = (x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    return found


@pytest.mark.parametrize(
    "draw", [_normal(0.0), _normal(0.6), _common_scale, _flags], ids=["0", ".6", "scale", "flags"]
)
def test_the_spread_is_that_of_correlations_of_fresh_rows(draw: Draw) -> None:
    spread = correlation_spread(draw(np.random.default_rng(0), 200_000))
    measured = _correlations(draw, 1000, 4000).std() * np.sqrt(1000)
    assert spread[0, 1] == pytest.approx(measured, rel=0.05)
    assert spread[0, 1] == spread[1, 0]


def test_the_tail_is_pearsons_third_type() -> None:
    deviations, skewness = np.meshgrid([0.5, 3.0, 6.0], [0.01, 0.1, 0.3])
    expected = stats.pearson3.sf(deviations, skewness)
    np.testing.assert_allclose(gamma_tail(deviations, skewness), expected, rtol=1e-6)
    np.testing.assert_allclose(gamma_tail(7.0, 0.0), stats.norm.sf(7.0), rtol=1e-9)
    np.testing.assert_allclose(gamma_tail(3.0, 2e-3), stats.norm.sf(3.0), rtol=0.02)


def test_unevenness_is_the_skewness_of_correlations_by_chance() -> None:
    random = np.random.default_rng(1)
    x, y = (np.repeat([1.0, 0.0], [some, 300 - some]) for some in (30, 20))
    by_chance = [np.corrcoef(x, random.permutation(y))[0, 1] for _ in range(20_000)]
    skewness = [float(stats.skew(one)) for one in (x, y)]
    kurtosis = [float(stats.kurtosis(one)) + 3.0 for one in (x, y)]
    found = unevenness(skewness, kurtosis, 300)[0, 1]
    assert found == pytest.approx(float(stats.skew(by_chance)), abs=0.05)


@pytest.mark.parametrize("rows", [50, 100, 400])
@pytest.mark.parametrize(
    "draw", [_normal(0.0), _normal(0.8), _common_scale, _flags], ids=["0", ".8", "scale", "flags"]
)
def test_p_values_without_a_change_are_no_smaller_than_they_say(draw: Draw, rows: int) -> None:
    before = draw(np.random.default_rng(0), 400_000)
    rho, spread = _corrcoef(before)[0, 1], correlation_spread(before)[0, 1]
    moments = [(float(stats.skew(one)), float(stats.kurtosis(one)) + 3.0) for one in before]
    skewness, kurtosis = np.array(moments).T
    uneven = unevenness(skewness, kurtosis, rows)[0, 1]
    p = correlation_change(rho, _correlations(draw, rows, TRIALS), spread, uneven, 400_000, rows)
    for level in (0.05, 1e-2, 1e-3):
        chance = np.sqrt(level / TRIALS)
        assert np.mean(p <= level) <= level + 3.0 * chance
    if uneven <= MOST_UNEVEN:
        assert np.mean(p <= 0.05) > 0.005  # and not idle


def test_a_reference_of_few_rows_is_less_sure() -> None:
    one, other = (float(correlation_change(0.0, 0.4, 1.0, 0.0, n, 200)) for n in (200, 20_000))
    assert one == pytest.approx(2 * stats.norm.sf(0.4 / np.sqrt(2 / 200)), rel=1e-9)
    assert other < one


def test_rises_and_falls_are_alike_and_farther_is_rarer() -> None:
    now = np.array([-0.9, -0.5, -0.2, 0.0, 0.2, 0.5, 0.9])
    p = correlation_change(0.0, now, 1.0, 0.2, 5000, 100)
    np.testing.assert_allclose(p, p[::-1])
    assert (np.diff(p[:4]) > 0).all()
    assert p[3] == pytest.approx(1.0, abs=0.05)  # a skewed law's median is not its mean


def test_what_cannot_be_judged_is_no_number() -> None:
    assert np.isnan(correlation_change(0.0, 1.0, 1.0, 1.5, 5000, 100))
    perfect = correlation_change(1.0, [1.0, 0.5], 0.0, 0.0, 5000, 100)
    assert perfect[0] == 1.0
    assert perfect[1] < 1e-9
    with pytest.raises(StatisticsError):
        correlation_change(0.0, 0.5, 1.0, 0.0, 0, 100)
    with pytest.raises(StatisticsError):
        unevenness([0.0], [3.0], 0)
    with pytest.raises(StatisticsError):
        correlation_spread(np.zeros((2, 0)))
