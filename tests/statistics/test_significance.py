"""p-values against scipy's exact and asymptotic ones, and against simulation in the tails."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from monitor.errors import StatisticsError
from monitor.statistics import divergence, significance

TABLES = hnp.arrays(
    np.int64, st.tuples(st.just(2), st.integers(2, 12)), elements=st.integers(0, 500)
)


@pytest.mark.parametrize("rows", [50, 100, 200, 500, 1000, 5000])
@pytest.mark.parametrize("p", [0.5, 0.1, 1e-2, 1e-3, 1e-5, 1e-7, 1e-9])
def test_ks_tail_is_the_exact_one(rows: int, p: float) -> None:
    distance = stats.kstwo.isf(p, rows)  # one sample of `rows`: the limit of a vast reference
    assert significance.ks_p_value(distance, 1e12, rows) == pytest.approx(p, rel=0.05)


def test_ks_of_few_rows_errs_on_the_safe_side_in_the_far_tail() -> None:
    for p in (1e-7, 1e-9):
        ours = significance.ks_p_value(stats.kstwo.isf(p, 20), 1e12, 20)
        assert p <= ours < 2 * p


def test_ks_of_two_samples_is_scipys() -> None:
    random = np.random.default_rng(2)
    reference, current = random.normal(size=800), random.normal(0.15, 1, size=300)
    theirs = stats.ks_2samp(reference, current, method="asymp")
    ours = significance.ks_p_value(theirs.statistic, 800, 300)
    assert ours == pytest.approx(theirs.pvalue, rel=0.03)


def test_ks_knows_its_ends() -> None:
    assert significance.ks_p_value(0.0, 10, 10) == 1.0
    assert significance.ks_p_value(1.0, 10_000, 10_000) == 0.0
    assert math.isnan(significance.ks_p_value(0.5, 0, 10))
    with pytest.raises(StatisticsError):
        significance.ks_p_value(1.5, 10, 10)
    several = significance.ks_p_value([0.1, 0.2], [100, 0], [100, 100])
    assert several.shape == (2,)
    assert np.isnan(several).tolist() == [False, True]


@given(TABLES)
def test_chi_square_and_g_without_pooling_are_scipys(table: np.ndarray) -> None:
    if not (table.sum(axis=0) > 0).all() or not (table.sum(axis=1) > 0).all():
        return
    for ours, power in ((significance.chi_square, 1.0), (significance.g_test, 0.0)):
        found = ours(table[0], table[1], pool_below=0.0)
        expected = stats.chi2_contingency(table, correction=False, lambda_=power)
        assert found.statistic == pytest.approx(expected.statistic, abs=1e-7, rel=1e-9)
        assert found.degrees == expected.dof
        assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


@given(TABLES)
def test_pooling_adds_sparse_cells_up_and_loses_no_row(table: np.ndarray) -> None:
    if not (table.sum(axis=1) > 0).all():
        return
    pooled = significance._pooled(table[0], table[1], 5.0)
    assert pooled.sum(axis=-1).tolist() == table.sum(axis=-1).tolist()
    held = pooled.sum(axis=0) > 0
    assert significance._expected(pooled)[:, :-1][:, held[:-1]].min(initial=5.0) >= 5.0
    found = significance.chi_square(*table)
    assert 0 <= found.p_value <= 1
    assert found.degrees == max(held.sum() - 1, 0)


def test_a_sparse_pool_is_tested_exactly() -> None:
    found = significance.homogeneity([10_000, 0, 0], [990, 6, 4])
    k, chance = 10, 1000 / 11_000
    assert found.p_value == pytest.approx(2 * 2 * stats.binom.sf(9, k, chance), rel=1e-9)
    vanished = significance.homogeneity([2_000, 18], [300, 0])
    exact = stats.binom.cdf(0, 18, 300 / 2318)
    assert vanished.p_value == pytest.approx(min(1.0, 4 * exact), rel=1e-9)


def test_no_rows_is_no_answer_and_one_cell_no_surprise() -> None:
    for test in (significance.chi_square, significance.g_test, significance.homogeneity):
        assert math.isnan(test([1, 2], [0, 0]).p_value)
        assert math.isnan(test([0, 0], [0, 0]).p_value)
        assert test([100, 0], [70, 0]).p_value == 1.0
    with pytest.raises(StatisticsError):
        significance.chi_square(1, 2)


def test_a_category_of_its_own_is_found_however_rare_it_was() -> None:
    found = significance.homogeneity([5000, 5000, 0], [500, 490, 10])  # unseen before, now 1 %
    assert found.p_value < 1e-6


def test_a_category_that_vanished_is_found() -> None:
    assert significance.homogeneity([9000, 1000], [1000, 0]).p_value < 1e-20


@pytest.mark.parametrize("rows", [100, 1000])
def test_homogeneity_keeps_its_word_far_out_with_many_rare_categories(rows: int) -> None:
    random = np.random.default_rng(5)
    shares = 1.0 / np.arange(1, 41) ** 1.5
    shares /= shares.sum()
    trials = 100_000
    current = random.multinomial(rows, shares, trials)
    reference = random.multinomial(10_000, shares, 200).repeat(trials // 200, axis=0)
    p = significance.homogeneity(reference, current).p_value
    for level in (1e-2, 1e-3):
        assert (p <= level).mean() <= 1.25 * level
    assert (p <= 1e-4).sum() <= 25  # 10 expected; more than 25 by chance in one run of 40,000
    assert (p <= 0.1).mean() > 0.05  # and it is not deaf


def test_ks_on_cells_never_overstates_the_surprise() -> None:
    random = np.random.default_rng(9)
    reference, current = random.normal(size=2000), random.normal(0.1, 1, size=500)
    edges = np.quantile(reference, np.linspace(0.02, 0.98, 49))
    counts = [
        np.bincount(edges.searchsorted(x, "right"), minlength=50) for x in (reference, current)
    ]
    raw = stats.ks_2samp(reference, current)
    on_cells = divergence.ks_distance(*counts)
    assert raw.statistic - 0.04 <= on_cells <= raw.statistic + 1e-12
    assert significance.ks_p_value(on_cells, 2000, 500) >= 0.97 * raw.pvalue
