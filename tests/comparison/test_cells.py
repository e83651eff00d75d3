"""A great many numbers into cells: the same cells as a search for each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.comparison.cells import CellCounter, Cells
from monitor.profile.edges import numeric_grid
from monitor.profile.grid import NumericGrid
from monitor.profile.tally import number_codes
from tests.profile.any_numbers import FINITE, around_edges

Floats = NDArray[np.float64]


def by_search(grid: NumericGrid, numbers: Floats) -> Cells:
    moments = np.zeros((1, 3))
    number_codes([(0, grid, numbers)], len(numbers), moments)
    known = numbers[np.isfinite(numbers)]
    codes = grid.edges.searchsorted(known, side="right")
    first, second, third = moments[0].tolist()
    held = np.bincount(codes, minlength=grid.value_cells)
    return Cells(held.astype(np.int64), (first, second, third))


def counted(grid: NumericGrid, *parts: Floats) -> Cells:
    counter = CellCounter(grid)
    for numbers in parts:
        counter.take(numbers)
    return counter.cells


def same(one: Cells, other: Cells) -> None:
    assert one.values.tolist() == other.values.tolist()
    assert one.moments == pytest.approx(other.moments, rel=1e-9, abs=1e-6)


@given(st.lists(FINITE, min_size=1, max_size=40), st.lists(FINITE, max_size=40))
@example([1e308, -1e308], [0.0])  # a range beyond the largest float
@example([5e-324, 0.0], [5e-324])  # more buckets per unit than a float holds
@settings(max_examples=60, deadline=None)
def test_any_numbers(reference: list[float], current: list[float]) -> None:
    grid, numbers = around_edges(reference, current)
    same(counted(grid, numbers), by_search(grid, numbers))


@pytest.mark.parametrize("kind", ["normal", "lognormal", "cauchy", "few", "offset"])
def test_many_numbers_in_parts_some_missing(kind: str) -> None:
    random = np.random.default_rng(0)
    numbers = {
        "normal": random.normal(size=50_000),
        "lognormal": random.lognormal(0.0, 2.0, 50_000),
        "cauchy": random.standard_cauchy(50_000),
        "few": random.poisson(3, 50_000).astype(np.float64),
        "offset": 1e9 + random.normal(size=50_000),
    }[kind]
    grid = numeric_grid(np.sort(numbers[:20_000]))
    numbers[random.random(50_000) < 0.1] = np.nan
    one, other, rest = np.split(numbers, [10, 30_000])
    same(counted(grid, one, other, rest, np.zeros(0)), by_search(grid, numbers))
