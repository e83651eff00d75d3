"""Buckets find the cells that a search finds, and search for few numbers."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.profile.buckets import Buckets, buckets
from monitor.profile.edges import numeric_grid
from monitor.profile.grid import NumericGrid
from monitor.profile.tally import MANY_ROWS, number_codes
from tests.profile.any_numbers import FINITE, around_edges

Floats = NDArray[np.float64]


def by_search(grid: NumericGrid, numbers: Floats) -> list[int]:
    found: list[int] = grid.edges.searchsorted(numbers, side="right").tolist()
    return found


@given(st.lists(FINITE, min_size=1, max_size=40), st.lists(FINITE, max_size=40))
@example([1e308, -1e308], [0.0])  # a range beyond the largest float
@example([5e-324, 0.0], [5e-324])  # more buckets per unit than a float holds
@settings(max_examples=60, deadline=None)
def test_any_numbers(reference: list[float], current: list[float]) -> None:
    grid, finite = around_edges(reference, current)
    numbers = np.concatenate([finite, [np.inf, -np.inf]])
    assert Buckets(grid).codes(numbers).tolist() == by_search(grid, numbers)


class _Counted(np.ndarray):
    """Edges that count what is searched for among them."""

    sought = 0

    def searchsorted(self, v: Floats, *args: object, **kwargs: object) -> object:  # type: ignore[override]
        _Counted.sought += len(v)
        return np.asarray(self).searchsorted(v, *args, **kwargs)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("kind", "most"), [("normal", 0.15), ("exponential", 0.35), ("offset", 0.15), ("heavy", 1.0)]
)
def test_few_are_searched_for(kind: str, most: float) -> None:
    random = np.random.default_rng(0)
    numbers = {
        "normal": random.normal(size=20_000),
        "exponential": random.exponential(size=20_000),
        "offset": 1e9 + random.normal(size=20_000),
        "heavy": random.lognormal(0.0, 3.0, 20_000),
    }[kind]
    grid = numeric_grid(numbers)
    found = Buckets(grid)
    found._edges = grid.edges.view(_Counted)
    _Counted.sought = 0
    assert found.codes(numbers).tolist() == by_search(grid, numbers)
    assert _Counted.sought <= most * len(numbers)


@pytest.mark.parametrize("rows", [MANY_ROWS - 1, MANY_ROWS])
def test_missing_numbers_have_their_own_cell_however_many_rows(rows: int) -> None:
    numbers = np.random.default_rng(1).normal(size=rows)
    grid = numeric_grid(numbers)
    numbers[::3] = np.nan
    numbers[1] = np.inf
    codes = number_codes([(0, grid, numbers)], rows, np.zeros((1, 3)))[0]
    lost = ~np.isfinite(numbers)
    assert (codes[lost] == grid.value_cells).all()
    assert codes[~lost].tolist() == by_search(grid, numbers[~lost])
    assert buckets(grid) is buckets(grid)


def test_buckets_are_gone_with_their_grid() -> None:
    grid = numeric_grid(np.arange(1000.0))
    gone = weakref.ref(buckets(grid))
    del grid
    gc.collect()
    assert gone() is None
