"""The test of a share that rose, against Fisher's exact one; its effect, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from monitor.errors import StatisticsError
from monitor.statistics.divergence import share_effect
from monitor.statistics.significance import share_rise

ROWS = st.integers(1, 20_000)
SHARE = st.floats(0, 1)


@given(ROWS, SHARE, ROWS, SHARE)
def test_it_is_not_below_the_exact_tail_and_close_to_it_far_out(
    before: int, usual: float, now: int, share: float
) -> None:
    k, j = round(usual * before), round(share * now)
    exact = float(stats.hypergeom.sf(j - 1, before + now, k + j, now))
    found = float(share_rise(k, before, j, now))
    if exact < 1e-280:
        return  # beyond what a float holds of either
    if exact < 0.1:
        assert found >= exact * 0.95
    if exact < 1e-3:
        assert found <= exact * 1.15


@pytest.mark.parametrize(("hits", "rows"), [(1, 100), (6, 1000), (20, 1000)])
def test_hits_that_were_never_seen(hits: int, rows: int) -> None:
    exact = math.exp(
        math.lgamma(rows + 1)
        - math.lgamma(rows - hits + 1)
        - math.lgamma(10_000 + rows + 1)
        + math.lgamma(10_000 + rows - hits + 1)
    )
    assert float(share_rise(0, 10_000, hits, rows)) == pytest.approx(exact, rel=1e-6)


def test_a_range_is_left_as_often_as_the_test_says() -> None:
    """One more hit makes rows beyond the reference's two extremes as surprising as they are."""
    random = np.random.default_rng(0)
    before, now, trials = 300, 100, 20_000
    reference = random.random((trials, before))
    low, high = reference.min(axis=1, keepdims=True), reference.max(axis=1, keepdims=True)
    current = random.random((trials, now))
    beyond = ((current < low) | (current > high)).sum(axis=1)
    p = share_rise(1.0, float(before), beyond.astype(float), float(now))
    for level in (0.1, 0.01, 0.001):
        rate, chance = float(np.mean(p <= level)), math.sqrt(level / trials)
        assert rate <= level + 3 * chance
    assert float(np.mean(beyond >= 3)) == pytest.approx(float(p[beyond == 3][0]), rel=0.1)


@given(ROWS, SHARE, ROWS)
def test_more_hits_are_never_less_surprising(before: int, usual: float, now: int) -> None:
    k = round(usual * before)
    hits = np.unique(np.linspace(0, now, 50).round())
    p = share_rise(k, before, hits, now)
    surprising = p[:-1] < 0.01
    assert np.all(p[1:][surprising] <= p[:-1][surprising])
    assert p[0] == 1.0


def test_no_rows_are_no_answer_and_too_many_hits_a_mistake() -> None:
    p = share_rise([0, 5, 0], [0, 10, 0], [1, 0, 0], [5, 0, 0])
    assert np.isnan(p).all()
    with pytest.raises(StatisticsError):
        share_rise(0, 10, 6, 5)


@given(SHARE, SHARE)
def test_effect_is_antisymmetric_and_bounded(p: float, q: float) -> None:
    h = float(share_effect(p, q))
    assert h == pytest.approx(-float(share_effect(q, p)), abs=1e-12)
    assert abs(h) <= math.pi + 1e-12
    assert float(share_effect(0.0, 1.0)) == pytest.approx(math.pi)
    assert float(share_effect(0.5, 1.0)) == pytest.approx(math.pi / 2)
