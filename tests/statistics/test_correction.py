"""Corrections against scipy and brute force; the false-alarm budget against simulated sliding
windows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from monitor.errors import StatisticsError
from monitor.statistics import correction

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(P_VALUES)
def test_benjamini_hochberg_is_scipys(p: list[float]) -> None:
    ours = correction.benjamini_hochberg(p)
    assert ours == pytest.approx(stats.false_discovery_control(p, method="bh"), abs=1e-12)


@given(P_VALUES, st.floats(0.001, 0.5))
def test_holm_rejects_what_stepping_down_by_hand_rejects(p: list[float], level: float) -> None:
    rejected = set()
    for step, index in enumerate(np.argsort(p, kind="stable").tolist()):
        if min(p[index] * (len(p) - step), 1.0) > level:
            break
        rejected.add(index)
    assert set(np.flatnonzero(correction.holm(p) <= level).tolist()) == rejected


@given(P_VALUES, st.integers(0, 5))
def test_a_test_that_could_not_be_made_does_not_count(p: list[float], untested: int) -> None:
    for correct in (correction.benjamini_hochberg, correction.holm):
        padded = correct([*p, *[math.nan] * untested])
        assert padded[: len(p)] == pytest.approx(correct(p))
        assert np.isnan(padded[len(p) :]).all()


def test_nothing_tested_is_nothing_found() -> None:
    assert correction.benjamini_hochberg([]).tolist() == []
    assert np.isnan(correction.holm([math.nan])).all()


@pytest.mark.parametrize("p", [[-0.1], [1.1], [[0.1]]])
def test_what_is_no_p_value_is_refused(p: object) -> None:
    for correct in (correction.benjamini_hochberg, correction.holm):
        with pytest.raises(StatisticsError):
            correct(np.array(p))


def test_the_level_spends_the_budget() -> None:
    for budget, tests, window, pane in ((1, 50, 3600, 60), (0.1, 2000, 300, 5), (30, 1, 86400, 60)):
        level = correction.per_look_level(budget, tests, window, pane)
        spent = correction.clusters_per_window(level, window / pane)
        assert tests * correction.MONTH_SECONDS / window * spent == pytest.approx(budget, rel=1e-6)


def test_a_smaller_budget_more_columns_or_more_looks_ask_for_more_surprise() -> None:
    level = correction.per_look_level(1, 50, 3600, 60)
    assert correction.per_look_level(0.1, 50, 3600, 60) < level
    assert correction.per_look_level(1, 500, 3600, 60) < level
    assert correction.per_look_level(1, 50, 3600, 1) < level
    assert correction.per_look_level(1, 50, 3600, 3600) > level
    assert correction.per_look_level(1, 50, 7200, 120) > level  # fewer windows in a month


def test_independent_looks_cost_their_own_number() -> None:
    level = correction.per_look_level(1, 10, 3600, 3600)
    assert level == pytest.approx(1 / (10 * 720), rel=1e-6)


@pytest.mark.parametrize(
    "arguments", [(0, 1, 60, 1), (1, 0, 60, 1), (1, 1, 0, 1), (1, 1, 60, 0), (-1, 1, 60, 1)]
)
def test_a_budget_needs_positive_numbers(arguments: tuple[float, int, float, float]) -> None:
    with pytest.raises(StatisticsError):
        correction.per_look_level(*arguments)


@pytest.mark.parametrize("looks", [1, 10, 60])
@pytest.mark.parametrize("level", [1e-2, 1e-3])
def test_clusters_come_as_often_as_in_simulated_sliding_windows(looks: int, level: float) -> None:
    random = np.random.default_rng(looks)
    windows, series = 400, 100
    panes = random.normal(size=(series, (windows + 1) * looks))
    sums = np.cumsum(panes, axis=1)
    window = (sums[:, looks:] - sums[:, :-looks]) / math.sqrt(looks)
    surprising = 2 * stats.norm.sf(np.abs(window)) <= level
    # A cluster: exceedances that are less than a window apart.
    last = np.full(series, -10 * looks)
    clusters = 0
    for now in range(window.shape[1]):
        hit = surprising[:, now]
        clusters += int((hit & (now - last >= looks)).sum())
        last[hit] = now
    expected = correction.clusters_per_window(level, looks) * windows * series
    # One normal a window is milder than the statistics that the formula is made for: never more
    # clusters than it says, and not many fewer.
    assert 0.4 * expected <= clusters <= 1.1 * expected + 3 * math.sqrt(expected)
