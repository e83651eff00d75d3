"""The names of changes: given where they are true, by brute force on raw values, and to nothing
else."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.alerting.changes import name_change
from monitor.alerting.explain import explain
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.grid import CategoryGrid
from monitor.snapshot import BinShare

Floats = NDArray[np.float64]
RANDOM = np.random.default_rng(0)
REFERENCE = RANDOM.lognormal(1.0, 0.5, 20_000)
LAYOUT = build_from_columns(Rows({"x": REFERENCE.tolist()}, {}), created_at=0.0).layout
GRID = LAYOUT.columns[0].grid


def cells(values: Floats) -> Floats:
    counted = LAYOUT.count({"x": values.tolist()}, {}).counts.cells[: GRID.value_cells]
    return counted.astype(np.float64)


BEFORE = cells(REFERENCE)


def named(values: Floats) -> str:
    ratio = float(np.clip(values, -1e100, 1e100).std() / REFERENCE.std())
    return name_change(GRID, BEFORE, cells(values), ratio)


def fresh(seed: int, rows: int = 2000) -> Floats:
    return np.random.default_rng(seed).lognormal(1.0, 0.5, rows)


@pytest.mark.parametrize("factor", [100.0, 1000.0, 2.54, 60.0, 0.01, 1 / 3600.0])
def test_a_unit_is_named_whatever_one_value_says(factor: float) -> None:
    expected = f"{factor:.3g} times" if factor > 1 else f"1/{1 / factor:.3g} of"
    assert named(fresh(1) * factor) == (
        f"values are about {expected} the reference's: another unit?"
    )


@pytest.mark.parametrize("outlier", [1e6, -1e6, 1e300])
def test_one_value_never_makes_a_unit(outlier: float) -> None:
    values = fresh(2) + 1.0
    values[0] = outlier
    assert named(values).startswith("mean rose by ")


@pytest.mark.parametrize("shift", [0.5, -0.4])
def test_a_shift_is_measured_in_the_references_deviations(shift: float) -> None:
    words = named(fresh(3, 5000) + shift * REFERENCE.std())
    assert words.startswith(f"mean {'rose' if shift > 0 else 'fell'} by ")
    assert float(words.split(" ")[3]) == pytest.approx(abs(shift), abs=0.08)


def test_what_lies_beyond_the_edges_is_only_a_bound() -> None:
    words = named(fresh(4) * 0.3 + 1000.0)
    assert words.startswith("mean rose by ")
    assert "standard deviations or more" in words
    assert "spread fell" not in words


def test_a_spread_is_a_ratio() -> None:
    middle = float(np.median(REFERENCE))
    words = named(middle + 0.5 * (fresh(5, 5000) - middle))
    ratio = words.partition("spread fell to ")[2].removesuffix(" of the reference's")
    assert float(ratio) == pytest.approx(0.5, abs=0.03)


def test_huge_and_degenerate_references_name_nothing_wrong() -> None:
    for values in ([7.0] * 1000, [1e308, -1e308] * 500, [0.0] * 999 + [1e300]):
        layout = build_from_columns(Rows({"x": values}, {}), created_at=0.0).layout
        grid = layout.columns[0].grid
        for current in ([1.0] * 100, values[:100], [-1e308, 1e308] * 50):
            before, now = (
                layout.count({"x": side}, {}).counts.cells[: grid.value_cells].astype(np.float64)
                for side in (values, current)
            )
            for ratio in (float("nan"), float("inf"), 0.0, 1.0, 1e-9, 100.0):
                assert "times" not in name_change(grid, before, now, ratio)


def test_categories_that_changed_places() -> None:
    grid = CategoryGrid(("a", "b", "c"))
    before = np.array([6000.0, 3000.0, 1000.0, 0.0, 0.0])
    swapped = np.array([105.0, 290.0, 605.0, 0.0, 0.0])
    assert name_change(grid, before, swapped, float("nan")) in {
        "a and c have changed places",
        "c and a have changed places",
    }
    grown = np.array([100.0, 800.0, 100.0, 0.0, 0.0])
    replaced = np.array([0.0, 300.0, 100.0, 0.0, 600.0])
    for other in (grown, replaced, before / 10):
        assert name_change(grid, before, other, float("nan")) == ""
    assert name_change(CategoryGrid(()), np.array([5.0, 0.0]), np.array([0.0, 5.0]), 1.0) == ""


def test_the_kind_of_change_comes_before_its_bins() -> None:
    bins = [BinShare("[0, 1)", 0.5, 0.1), BinShare("missing", 0.0, 0.004), BinShare("> 9", 0, 0.4)]
    assert explain("x", bins, "mean rose by 2 standard deviations") == (
        "mean rose by 2 standard deviations; share of x in [0, 1) fell from 50 % to 10 %; "
        "share of x > 9 rose from 0 % to 40 %"
    )
    assert explain("x", [BinShare("a", 0.5, 0.5)]) == ""
