"""Divergences against closed forms, scipy and brute force."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from scipy.spatial import distance

from monitor.errors import StatisticsError
from monitor.statistics import divergence

COUNTS = hnp.arrays(np.int64, st.integers(2, 30), elements=st.integers(0, 10_000)).filter(
    lambda counts: counts.sum() > 0
)
SYMMETRIC = [
    divergence.psi,
    divergence.js_distance,
    divergence.hellinger,
    divergence.total_variation,
    divergence.l_infinity,
    divergence.ks_distance,
]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    first = draw(COUNTS)
    cells = hnp.arrays(np.int64, len(first), elements=st.integers(0, 10_000))
    return first, draw(cells.filter(lambda counts: counts.sum() > 0))


@pytest.mark.parametrize(
    ("current", "psi", "js"),
    [  # Evidently 0.7.23 on the same counts, to the digits that it publishes
        ([10, 5, 5], 0.02027326, 0.05029607),
        ([60, 40, 0], 1.56642076, 0.27417925),
    ],
)
def test_published_values(current: list[int], psi: float, js: float) -> None:
    assert divergence.psi([50, 30, 20], current) == pytest.approx(psi, abs=5e-9)
    assert divergence.js_distance([50, 30, 20], current) == pytest.approx(js, abs=5e-9)


def test_a_category_new_at_a_tenth() -> None:
    reference, current = [50, 30, 20, 0], [50, 30, 10, 10]
    assert divergence.psi(reference, current) == pytest.approx(0.75939947, abs=5e-9)
    assert divergence.js_distance(reference, current, base=2) == pytest.approx(0.24951077, abs=5e-9)
    assert divergence.l_infinity(reference, current) == pytest.approx(0.1)


def normal_cells(mean: float, deviation: float, edges: np.ndarray) -> np.ndarray:
    return np.diff(stats.norm.cdf(edges, mean, deviation), prepend=0.0, append=1.0)


def test_two_normals_have_their_closed_forms() -> None:
    edges = np.linspace(-12, 12, 20_001)
    reference, current = normal_cells(0, 1, edges), normal_cells(1, 1, edges)
    assert divergence.psi(reference, current, floor=1e-300) == pytest.approx(1.0, rel=1e-4)
    assert divergence.kullback_leibler(reference, current, 1e-300) == pytest.approx(0.5, rel=1e-4)
    expected = math.sqrt(1 - math.exp(-1 / 8))
    assert divergence.hellinger(reference, current) == pytest.approx(expected, rel=1e-4)
    overlap = 2 * stats.norm.cdf(0.5) - 1
    assert divergence.total_variation(reference, current) == pytest.approx(overlap, rel=1e-4)
    assert divergence.ks_distance(reference, current) == pytest.approx(overlap, rel=1e-4)
    assert divergence.wasserstein(reference, current, edges) == pytest.approx(1.0, rel=1e-4)
    assert divergence.wasserstein(reference, current, edges, scale=4.0) == pytest.approx(
        0.25, rel=1e-4
    )


@given(pairs())
def test_js_and_kl_are_scipys(pair: tuple[np.ndarray, np.ndarray]) -> None:
    reference, current = pair
    p, q = reference / reference.sum(), current / current.sum()
    assert divergence.js_distance(*pair) == pytest.approx(distance.jensenshannon(p, q), abs=1e-7)
    if (q > 0).all():
        kl = divergence.kullback_leibler(*pair, floor=0.0) if (p > 0).all() else None
        assert kl is None or kl == pytest.approx(stats.entropy(p, q), abs=1e-12)


@given(pairs())
def test_distances_are_symmetric_and_zero_at_home(pair: tuple[np.ndarray, np.ndarray]) -> None:
    for measure in SYMMETRIC:
        assert measure(*pair) == pytest.approx(float(measure(*pair[::-1])), abs=1e-12)
        assert measure(pair[0], pair[0] * 3) == pytest.approx(0.0, abs=1e-7)
        assert float(measure(*pair)) >= 0


@given(pairs())
def test_wasserstein_and_ks_of_whole_numbers_are_scipys(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    reference, current = pair
    values = np.arange(len(reference))
    # A cell for each value and an empty one after it, as the grid of few values has it.
    edges = np.sort(np.concatenate([values, np.nextafter(values, np.inf)]))
    spread = [np.zeros(2 * len(values) + 1) for _ in pair]
    for cells, counts in zip(spread, pair, strict=True):
        cells[1::2] = counts
    expected = stats.wasserstein_distance(values, values, reference, current)
    assert divergence.wasserstein(spread[0], spread[1], edges) == pytest.approx(expected, abs=1e-9)
    gaps = np.cumsum(reference / reference.sum() - current / current.sum())
    assert divergence.ks_distance(*pair) == pytest.approx(np.abs(gaps).max(), abs=1e-12)


def test_wasserstein_is_the_integral_of_the_gap_between_linear_functions() -> None:
    random = np.random.default_rng(7)
    reference, current = random.integers(1, 50, (2, 12))
    edges = np.cumsum(random.random(11))
    heights = np.cumsum(reference / reference.sum() - current / current.sum())[:-1]
    x = np.linspace(edges[0], edges[-1], 2_000_001)
    brute = np.trapezoid(np.abs(np.interp(x, edges, heights)), x)
    assert divergence.wasserstein(reference, current, edges) == pytest.approx(brute, rel=1e-6)


def test_an_outlier_of_any_size_moves_wasserstein_by_the_span_of_its_edges_at_most() -> None:
    edges = np.array([-3.0, 0.0, 3.0])
    calm, hit = [0, 500, 500, 0], [0, 500, 500, 1]
    moved = divergence.wasserstein(calm, hit, edges)
    assert 0 < moved <= 6.0 / 1001


@pytest.mark.parametrize("measure", SYMMETRIC)
def test_an_empty_side_is_no_answer(measure: object) -> None:
    assert callable(measure)
    assert math.isnan(measure([1, 2, 3], [0, 0, 0]))
    assert math.isnan(measure([0, 0, 0], [1, 2, 3]))


def test_columns_are_independent_along_leading_axes() -> None:
    random = np.random.default_rng(3)
    reference, current = random.integers(0, 9, (2, 4, 5, 8)) + 1
    for measure in (*SYMMETRIC, divergence.kullback_leibler):
        together = measure(reference, current)
        assert together.shape == (4, 5)
        assert together[2, 3] == pytest.approx(float(measure(reference[2, 3], current[2, 3])))


def test_cells_must_match() -> None:
    for pair in (([1, 2], [1, 2, 3]), (1, 2)):
        with pytest.raises(StatisticsError, match="cells do not match"):
            divergence.psi(*pair)
    with pytest.raises(StatisticsError, match="edges"):
        divergence.wasserstein([1, 2, 3], [1, 2, 3], [0.0])


def test_the_floor_keeps_an_empty_cell_finite_and_small() -> None:
    # A bin that empties by one row in a thousand says little; without a floor it would say
    # infinity.
    assert float(divergence.psi([999, 1], [1000, 0])) < 0.01


def test_psi_without_drift_has_the_mean_that_its_docstring_states() -> None:
    random = np.random.default_rng(11)
    cells, reference_rows, rows = 10, 10_000, 500
    shares = np.full(cells, 1 / cells)
    reference = random.multinomial(reference_rows, shares, 4000)
    current = random.multinomial(rows, shares, 4000)
    expected = (cells - 1) * (1 / reference_rows + 1 / rows)
    assert divergence.psi(reference, current).mean() == pytest.approx(expected, rel=0.05)


def test_longer_shifts_are_farther() -> None:
    edges = np.linspace(-5, 5, 101)
    home = normal_cells(0, 1, edges)
    far = [float(divergence.wasserstein(home, normal_cells(m, 1, edges), edges)) for m in range(4)]
    assert all(a < b for a, b in pairwise(far))
