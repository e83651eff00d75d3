"""The grid: exact for ties, unmoved by outliers, named so that people can read it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from monitor.profile.edges import labels, numeric_grid
from monitor.profile.grid import CategoryGrid, NumericGrid
from monitor.statistics import divergence

FLOATS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=0, max_size=300)


def cells(grid: NumericGrid, values: np.ndarray) -> np.ndarray:
    return np.bincount(grid.edges.searchsorted(values, "right"), minlength=grid.value_cells)


def bins(grid: NumericGrid, values: list[float]) -> list[str]:
    at = grid.edges.searchsorted(np.array(values, dtype=float), "right")
    return [grid.bins[grid.bin_of_cell[cell]] for cell in at]


@settings(max_examples=500)
@given(FLOATS)
def test_any_finite_values_make_a_grid_that_holds_them(sample: list[float]) -> None:
    values = np.array(sample, dtype=float)
    grid = numeric_grid(values)
    assert (grid.edges[1:] > grid.edges[:-1]).all()
    assert np.isfinite(grid.edges).all()
    assert np.isfinite(grid.positions).all()
    assert 0 < grid.scale < math.inf
    assert grid.fences[0] < grid.fences[1]
    assert len(grid.bin_of_cell) == grid.value_cells + 2
    assert set(grid.bin_of_cell.tolist()) <= set(
        range(len(grid.bins))
    )  # nothing is above the largest float
    assert len(set(grid.bins)) == len(grid.bins)
    assert grid.bins[-2:] == ("missing", "invalid")
    counted = cells(grid, values)
    assert counted.sum() == len(values)
    largest = np.finfo(float).max
    if len(values) and values.max() < largest:
        assert counted[~grid.outside].sum() == len(
            values
        )  # the reference lies within its own range


def test_a_normal_column_has_fine_cells_and_ten_bins() -> None:
    values = np.random.default_rng(0).normal(size=10_000)
    grid = numeric_grid(values)
    shares = cells(grid, values) / len(values)
    assert shares.max() < 0.01
    assert 100 < len(grid.edges) < 200
    assert len(grid.bins) == 14
    assert bins(grid, [-1e9, 1e9]) == [grid.bins[0], grid.bins[11]]
    in_bins = np.bincount(grid.bin_of_cell[:-2], weights=shares, minlength=14)
    assert in_bins[1:11] == pytest.approx(np.full(10, 0.1), abs=0.009)
    assert in_bins[[0, 11]].tolist() == [0, 0]


def test_few_values_have_a_bin_each_and_nothing_between_is_counted_as_one_of_them() -> None:
    grid = numeric_grid(np.repeat([1.0, 2.0, 5.0], 20))
    assert grid.bins == ("< 1", "1", "2", "5", "> 5", "other", "missing", "invalid")
    assert bins(grid, [0.5, 1, 1.5, 2, 4, 5, 5.5]) == [
        "< 1",
        "1",
        "other",
        "2",
        "other",
        "5",
        "> 5",
    ]


def test_few_rows_of_a_continuous_column_are_not_taken_for_all_its_values() -> None:
    grid = numeric_grid(np.array([0.1, 0.7, 1.3, 2.2]))
    assert "other" not in grid.bins
    assert bins(grid, [0.5])[0].startswith("[")


def test_a_value_that_many_share_has_a_cell_and_a_bin_of_its_own() -> None:
    random = np.random.default_rng(1)
    values = np.where(random.random(5000) < 0.6, 0.0, random.exponential(size=5000))
    grid = numeric_grid(values)
    assert bins(grid, [0.0, 1e-300, -1e-300]) == ["0", grid.bins[2], "< 0"]
    assert grid.bins[2].startswith("(0, ")
    assert cells(grid, values).max() == (values == 0).sum()


@pytest.mark.parametrize("outlier", [1e3, 1e9, 1e200, 1e308, -1e308])
def test_one_outlier_in_the_reference_stretches_nothing(outlier: float) -> None:
    values = np.random.default_rng(2).normal(size=2000)
    plain, hit = numeric_grid(values), numeric_grid(np.append(values, outlier))
    assert hit.scale == pytest.approx(plain.scale, rel=0.02)
    assert hit.fences == pytest.approx(plain.fences, rel=0.1)
    assert hit.centre == pytest.approx(plain.centre, abs=0.01)
    assert np.ptp(hit.positions) < 1.2 * np.ptp(plain.positions)


def test_a_constant_has_a_scale_and_a_move_away_from_it_is_seen() -> None:
    for constant in (0.0, 3.0, -1e6):
        grid = numeric_grid(np.full(500, constant))
        home, away = cells(grid, np.full(50, constant)), cells(grid, np.full(50, constant + 0.5))
        assert divergence.wasserstein(home, away, grid.positions, grid.scale) > 0.1
        assert divergence.wasserstein(home, home, grid.positions, grid.scale) == 0


@pytest.mark.parametrize(
    ("name", "move"),
    [
        ("shift", lambda x: x + 0.25),
        ("large shift", lambda x: x + 2.0),
        ("spread", lambda x: 1.5 * x),
        ("shape", lambda x: np.where(x > 0, 2 * x, x)),
        ("nothing", lambda x: x),
    ],
)
def test_cells_agree_with_raw_samples(name: str, move: object) -> None:
    assert callable(move)
    random = np.random.default_rng(3)
    reference, current = random.normal(size=10_000), move(random.normal(size=5_000))
    grid = numeric_grid(reference)
    counts = cells(grid, reference), cells(grid, current)
    ks = float(divergence.ks_distance(*counts))
    assert ks == pytest.approx(stats.ks_2samp(reference, current).statistic, abs=0.01)
    ours = float(divergence.wasserstein(counts[0], counts[1], grid.positions, grid.scale))
    raw = stats.wasserstein_distance(reference, current) / reference.std()
    assert ours == pytest.approx(raw, rel=0.02, abs=0.002)


@pytest.mark.parametrize("family", ["expon", "lognorm", "gamma", "t"])
def test_cells_agree_with_raw_samples_within_the_fences(family: str) -> None:
    shape = {"lognorm": (1.0,), "gamma": (2.0,), "t": (3.0,)}.get(family, ())
    draw = getattr(stats, family)(*shape)
    random = np.random.default_rng(4)
    reference = draw.rvs(size=10_000, random_state=random)
    current = draw.rvs(size=3_000, random_state=random) * 1.3 + 0.1
    grid = numeric_grid(reference)
    counts = cells(grid, reference), cells(grid, current)
    raw = stats.ks_2samp(reference, current).statistic
    assert float(divergence.ks_distance(*counts)) == pytest.approx(raw, abs=0.01)
    held = [np.clip(x, *grid.fences) for x in (reference, current)]
    expected = stats.wasserstein_distance(*held) / held[0].std()
    ours = float(divergence.wasserstein(counts[0], counts[1], grid.positions, grid.scale))
    assert ours == pytest.approx(expected, rel=0.02)


def test_labels_are_short_and_distinct() -> None:
    assert labels([1.0, -0.5, 1e12, 123456789.0]) == ["1", "-0.5", "1e+12", "123456789"]
    close = [0.1234567890123, 0.1234567890124]
    assert len(set(labels(close))) == 2


def test_a_category_named_like_a_reserved_bin_keeps_a_name_of_its_own() -> None:
    grid = CategoryGrid(("missing", "other", "'other'", "a"))
    assert len(set(grid.bins)) == len(grid.bins)
    assert grid.codes(["missing", "zzz", None]).tolist() == [0, 5, 6]
