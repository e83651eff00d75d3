"""Anderson–Darling on cells, against scipy, published points, and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from monitor.errors import StatisticsError
from monitor.statistics import ordered

FINE = [80] * 125


def p_of(statistic: float, cells: object) -> float:
    points, log_p = ordered.ad_tail(np.asarray(cells))
    return float(ordered.ad_p_value([statistic], [points], [log_p])[0])


@pytest.mark.parametrize(
    ("statistic", "p"),  # Anderson & Darling (1954), Table 1 and later refinements
    [(1.933, 0.10), (2.492, 0.05), (3.070, 0.025), (3.857, 0.01), (5.97, 0.001)],
)
def test_published_points(statistic: float, p: float) -> None:
    assert p_of(statistic, FINE) == pytest.approx(p, rel=0.07)


def test_two_cells_are_half_a_chi_square() -> None:
    for p in (0.05, 1e-3, 1e-6, 1e-9):
        ours = p_of(stats.chi2.isf(p, 1) / 2, [30, 70])
        assert p <= ours <= 1.12 * p  # the saddlepoint's error, on the safe side


def test_the_far_tail_is_that_of_the_weighted_sum() -> None:
    random = np.random.default_rng(1)
    weights = ordered._weights(np.array([0.3, 0.3, 0.2, 0.1, 0.1]))
    drawn = (weights[:4] * random.chisquare(1, (2_000_000, 4))).sum(axis=1)
    for p in (0.05, 1e-3, 1e-4):
        quantile = float(np.quantile(drawn, 1 - p))
        assert p_of(quantile, [30, 30, 20, 10, 10]) == pytest.approx(p, rel=0.15)


def test_on_fine_cells_it_is_the_statistic_of_the_raw_values() -> None:
    random = np.random.default_rng(4)
    reference, current = random.normal(size=4000), random.normal(0.2, 1.1, size=400)
    edges = np.quantile(reference, np.arange(1, 200) / 200)
    counts = [
        np.bincount(edges.searchsorted(x, "right"), minlength=200) for x in (reference, current)
    ]
    with pytest.warns(UserWarning, match="p-value"):  # scipy's table ends at .001
        theirs = stats.anderson_ksamp([reference, current], variant="midrank").statistic
    # scipy standardises by the mean 1 and the deviation that Scholz & Stephens give for two
    # samples.
    raw = theirs * math.sqrt(2 * (math.pi**2 / 3 - 3)) / 1.0 + 1.0
    assert ordered.anderson_darling(*counts) == pytest.approx(raw, rel=0.05)


@pytest.mark.parametrize("cells", [FINE, [6000, 1000, 1000, 1000, 500, 300, 200], [9000, 1000]])
def test_false_alarms_come_as_often_as_stated(cells: list[int]) -> None:
    random = np.random.default_rng(8)
    shares = np.array(cells) / sum(cells)
    trials, rows = 40_000, 300
    reference = random.multinomial(10_000, shares, trials)
    current = random.multinomial(rows, shares, trials)
    statistic = ordered.anderson_darling(reference, current)
    points, log_p = ordered.ad_tail(np.array(cells))
    p = np.exp(np.interp(statistic, points, log_p))
    assert (p <= 0.01).mean() == pytest.approx(0.01, abs=0.0025)
    assert (p <= 1e-3).mean() <= 1.6e-3
    assert (p <= 1e-4).sum() <= 12  # 4 expected


def test_it_finds_a_quarter_of_a_deviation_more_often_than_kolmogorov_and_smirnov() -> None:
    random = np.random.default_rng(6)
    edges = stats.norm.ppf(np.arange(1, 125) / 125)
    shifted = np.diff(stats.norm.cdf(edges, 0.25), prepend=0.0, append=1.0)
    current = random.multinomial(200, shifted, 4000)
    reference = random.multinomial(10_000, np.full(125, 1 / 125), 4000)
    points, log_p = ordered.ad_tail(np.array(FINE))
    p = np.exp(np.interp(ordered.anderson_darling(reference, current), points, log_p))
    assert (p <= 0.01).mean() > 0.75


def test_degenerate_cells_are_answers_too() -> None:
    assert math.isnan(ordered.anderson_darling([1, 1], [0, 0]))
    assert ordered.anderson_darling([5, 0], [7, 0]) == 0.0
    assert p_of(3.0, [100, 0]) == 1.0
    assert math.isnan(p_of(3.0, [0, 0]))
    points, log_p = ordered.ad_tail(np.array(FINE))
    assert math.isnan(ordered.ad_p_value([math.nan], [points], [log_p])[0])
    assert ordered.ad_p_value([1e6], [points], [log_p])[0] == 0.0
    with pytest.raises(StatisticsError):
        ordered.ad_tail(np.ones((2, 2)))


def test_the_tail_only_falls() -> None:
    for cells in (FINE, [1, 2, 3, 4], [90, 10]):
        points, log_p = ordered.ad_tail(np.array(cells))
        assert (np.diff(points) > 0).all()
        assert (np.diff(log_p) <= 0).all()


def test_without_outliers_takes_at_most_one_row_at_each_end() -> None:
    inside = [[1, 3], [1, 3], [1, 3], [2, 2]]
    counts = [[2, 5, 5, 0, 1], [0, 5, 5, 0, 0], [0, 0, 0, 0, 0], [0, 1, 0, 0, 7]]
    expected = [[1, 5, 5, 0, 0], [0, 5, 5, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 6]]
    assert ordered.without_outliers(counts, inside).tolist() == expected
    stacked = ordered.without_outliers(np.array([counts, counts]), inside)
    assert stacked.tolist() == [expected, expected]
    with pytest.raises(StatisticsError, match="pair"):
        ordered.without_outliers(counts, [1, 2, 3])
