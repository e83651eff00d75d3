"""Cramér–von Mises on cells, against scipy, published points, and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from monitor.errors import StatisticsError
from monitor.statistics.cramer_von_mises import cramer_von_mises, cvm_p_value

FINE = [80] * 125


@pytest.mark.parametrize(  # Anderson & Darling (1952), Table 1
    ("statistic", "p"), [(0.34730, 0.10), (0.46136, 0.05), (0.58061, 0.025), (0.74346, 0.01)]
)
def test_published_points(statistic: float, p: float) -> None:
    assert cvm_p_value(statistic, 1e7, 1e7) == pytest.approx(p, rel=1e-3)


@pytest.mark.parametrize("rows", [(30, 40), (200, 300), (2000, 100)])
@pytest.mark.parametrize("shift", [0.0, 0.1, 0.3, 0.6, 1.0])
def test_p_values_are_scipys(rows: tuple[int, int], shift: float) -> None:
    random = np.random.default_rng(1)
    first, second = random.normal(size=rows[0]), random.normal(shift, 1.0, rows[1])
    found = stats.cramervonmises_2samp(first, second, method="asymptotic")
    assert cvm_p_value(found.statistic, *rows) == pytest.approx(found.pvalue, abs=1e-6)


def test_far_out_the_tail_falls_as_its_leading_term() -> None:
    # From the pole at π²: P(ω² > x) ≈ 2/√π · (π²·x/2)^(−½) · e^(−π²x/2) · …, so the ratio over one
    # step of x settles.
    x = np.array([20.0, 20.5, 21.0])
    p = cvm_p_value(x, 1e9, 1e9)
    expected = np.exp(-0.25 * math.pi**2) * np.sqrt(x[:-1] / x[1:])
    assert p[1:] / p[:-1] == pytest.approx(expected, rel=1e-3)
    beyond = cvm_p_value([40.0, 41.0], 1e9, 1e9)
    assert beyond[1] / beyond[0] == pytest.approx(math.exp(-0.5 * math.pi**2), rel=0.03)


def test_on_fine_cells_it_is_the_statistic_of_the_raw_values() -> None:
    random = np.random.default_rng(4)
    reference, current = random.normal(size=4000), random.normal(0.2, 1.1, size=400)
    edges = np.quantile(reference, np.arange(1, 200) / 200)
    counts = [
        np.bincount(edges.searchsorted(x, "right"), minlength=200) for x in (reference, current)
    ]
    raw = stats.cramervonmises_2samp(reference, current).statistic
    assert cramer_von_mises(*counts) == pytest.approx(raw, rel=0.01)


@pytest.mark.parametrize("cells", [FINE, [6000, 1000, 1000, 1000, 500, 300, 200], [9000, 1000]])
def test_false_alarms_come_no_oftener_than_stated(cells: list[int]) -> None:
    random = np.random.default_rng(8)
    shares = np.array(cells) / sum(cells)
    trials, rows = 40_000, 300
    reference = random.multinomial(10_000, shares, trials)
    current = random.multinomial(rows, shares, trials)
    p = cvm_p_value(cramer_von_mises(reference, current), 10_000, rows)
    assert (p <= 0.01).mean() <= 0.0125
    assert (p <= 1e-3).mean() <= 1.6e-3
    if cells == FINE:
        assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.004)


def test_columns_are_independent_along_leading_axes() -> None:
    random = np.random.default_rng(3)
    reference, current = random.integers(0, 9, (2, 4, 5, 8)) + 1
    together = cramer_von_mises(reference, current)
    assert together.shape == (4, 5)
    assert together[2, 3] == pytest.approx(float(cramer_von_mises(reference[2, 3], current[2, 3])))
    assert cvm_p_value(together, 50, 60).shape == (4, 5)


def test_equal_shares_are_no_surprise_and_one_cell_says_nothing() -> None:
    assert float(cramer_von_mises([3, 4, 5], [6, 8, 10])) == 0.0
    assert float(cramer_von_mises([7], [9])) == 0.0
    assert float(cvm_p_value(0.0, 12, 24)) == 1.0


def test_an_empty_side_is_no_answer_and_cells_must_match() -> None:
    assert math.isnan(cramer_von_mises([0, 0], [1, 2]))
    assert math.isnan(cvm_p_value(0.3, 0, 5))
    assert math.isnan(cvm_p_value(math.nan, 5, 5))
    with pytest.raises(StatisticsError, match="cells do not match"):
        cramer_von_mises([1, 2], [1, 2, 3])
