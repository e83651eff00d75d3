"""The decision's inputs: quiet without drift, loud with it, whatever one value or one column
does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from monitor.profile.assess import Assessment, Assessor
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.reference import Reference
from monitor.statistics import divergence
from monitor.statistics.correction import benjamini_hochberg

ROWS = 10_000
LEVEL, EFFECT = 0.01, 0.1


def draw(random: np.random.Generator, rows: int) -> dict[str, list[Any]]:
    names = random.choice(["AA", "B6", "DL", "WN"], rows, p=[0.4, 0.3, 0.2, 0.1]).tolist()
    holes = random.random(rows) < 0.1
    return {
        "plain": random.normal(size=rows).tolist(),
        "holes": [
            None if hole else x for hole, x in zip(holes, random.normal(size=rows), strict=True)
        ],
        "name": names,
        "truth": (random.random(rows) < 0.3).tolist(),
        "empty": [None] * rows,
        "constant": [7.0] * rows,
    }


@pytest.fixture(scope="module")
def reference() -> Reference:
    return build_from_columns(Rows(draw(np.random.default_rng(0), ROWS), {}), created_at=0.0)


def assess(reference: Reference, columns: dict[str, list[Any]]) -> Assessment:
    counts = reference.layout.count(columns, {}).counts
    return Assessor(reference.layout, reference.counts).assess(counts)


def warned(found: Assessment) -> tuple[set[int], set[int]]:
    """Columns whose values, and whose presence, moved; not what all features together say."""
    p = benjamini_hochberg(np.concatenate([found.p_value, found.presence_p_value]))
    effect = np.concatenate([found.effect, found.presence_effect])
    moved = np.flatnonzero((p <= LEVEL) & (effect >= EFFECT))
    columns = len(found.methods)
    values = {int(i) for i in moved if i < columns} - {TOGETHER}
    return values, {int(i) - columns for i in moved if i >= columns}


PLAIN, HOLES, NAME, TRUTH, EMPTY, CONSTANT, TOGETHER = range(7)


def change(columns: dict[str, list[Any]], name: str, values: list[Any]) -> dict[str, list[Any]]:
    return columns | {name: values}


@pytest.mark.parametrize("rows", [100, 1000])
def test_without_drift_nothing_is_said(reference: Reference, rows: int) -> None:
    false_alarms = 0
    for seed in range(60):
        values, presence = warned(assess(reference, draw(np.random.default_rng(100 + seed), rows)))
        false_alarms += bool(values | presence)
    assert false_alarms <= 4


def test_each_movement_is_found_where_it_is_and_nowhere_else(reference: Reference) -> None:
    random = np.random.default_rng(7)
    calm = draw(random, 1000)
    x = np.array(calm["plain"])
    holes = [None if random.random() < 0.25 else float(v) for v in random.normal(size=1000)]
    cases: list[tuple[dict[str, list[Any]], tuple[set[int], set[int]]]] = [
        (change(calm, "plain", (x + 0.3).tolist()), ({PLAIN}, set())),
        (change(calm, "plain", (1.5 * x).tolist()), ({PLAIN}, set())),
        (change(calm, "plain", (100 * x).tolist()), ({PLAIN}, set())),
        (change(calm, "plain", [0.3] * 1000), ({PLAIN}, set())),
        (change(calm, "plain", [None] * 1000), (set(), {PLAIN})),
        (change(calm, "plain", ["oops"] * 1000), (set(), {PLAIN})),
        (change(calm, "holes", holes), (set(), {HOLES})),
        (change(calm, "name", ["WN"] * 1000), ({NAME}, set())),
        (change(calm, "name", ["new"] * 100 + list(calm["name"])[100:]), ({NAME}, set())),
        (change(calm, "truth", [True] * 1000), ({TRUTH}, set())),
        (change(calm, "truth", ["?"] * 1000), (set(), {TRUTH})),
        (change(calm, "empty", [1.5] * 1000), (set(), {EMPTY})),
        (change(calm, "constant", [7.1] * 1000), ({CONSTANT}, set())),
        (calm, (set(), set())),
    ]
    for columns, expected in cases:
        assert warned(assess(reference, columns)) == expected


@pytest.mark.parametrize("outlier", [1e3, 1e6, 1e300, -1e308])
@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_no_single_value_hides_or_raises_an_alarm(
    reference: Reference, outlier: float, shift: float
) -> None:
    random = np.random.default_rng(3)
    columns = draw(random, 500)
    columns["plain"] = (random.normal(size=500) + shift).tolist()
    before = assess(reference, columns)
    columns["plain"] = [*columns["plain"][:-1], outlier]
    after = assess(reference, columns)
    assert warned(before) == warned(after)
    assert after.effect[PLAIN] == pytest.approx(before.effect[PLAIN], abs=5.0 / 500)


def test_the_figures_are_those_of_the_values(reference: Reference) -> None:
    random = np.random.default_rng(5)
    columns = draw(random, 800)
    found = assess(reference, columns)
    held = np.array([v for v in columns["holes"] if v is not None])
    assert found.current.rows.tolist() == [800] * 7
    assert found.current.valid_rows[HOLES] == len(held)
    assert found.current.missing_ratio[HOLES] == pytest.approx(1 - len(held) / 800)
    assert found.current.mean[HOLES] == pytest.approx(held.mean())
    assert found.current.stddev[HOLES] == pytest.approx(held.std())
    assert np.isnan(found.current.mean[[NAME, TRUTH, EMPTY]]).all()
    assert found.reference.missing_ratio[EMPTY] == 1.0
    assert found.reference.stddev[CONSTANT] == 0.0
    table = [[columns["name"].count(name) for name in ("AA", "B6", "DL", "WN")]]
    cells = reference.counts.cells[reference.layout.cell_slice(NAME)][:4]
    by_hand = stats.chi2_contingency([cells, table[0]], correction=False)
    assert found.scores["chi2"][NAME] == pytest.approx(by_hand.statistic)
    assert found.effect[NAME] == pytest.approx(float(divergence.js_distance(cells, table[0])))
    raw = stats.ks_2samp(reference_values("plain"), columns["plain"])
    assert found.scores["ks"][PLAIN] == pytest.approx(raw.statistic, abs=0.01)


def reference_values(name: str) -> list[Any]:
    return draw(np.random.default_rng(0), ROWS)[name]


def test_values_outside_the_reference_are_counted(reference: Reference) -> None:
    columns = draw(np.random.default_rng(1), 100)
    columns["plain"] = [99.0] * 25 + [0.0] * 75
    columns["name"] = ["new"] * 10 + ["AA"] * 90
    found = assess(reference, columns)
    assert found.current.outside_ratio[[PLAIN, NAME]].tolist() == [0.25, 0.1]
    assert found.reference.outside_ratio.tolist() == [0.0] * 7


def test_no_rows_are_no_answer(reference: Reference) -> None:
    found = Assessor(reference.layout, reference.counts).assess(reference.layout.identity)
    for figures in (found.effect, found.p_value, found.presence_p_value, *found.scores.values()):
        assert np.isnan(figures).all()
    assert np.isnan(found.current.missing_ratio).all()


def test_psi_is_that_of_the_published_bins(reference: Reference) -> None:
    columns = draw(np.random.default_rng(2), 600)
    counts = reference.layout.count(columns, {}).counts
    found = Assessor(reference.layout, reference.counts).assess(counts)
    for i in range(6):
        part = reference.layout.bin_slice(i)
        p = reference.layout.bin_counts(reference.counts)[part] / ROWS
        q = reference.layout.bin_counts(counts)[part] / 600
        p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
        assert found.scores["psi"][i] == pytest.approx(float(((q - p) * np.log(q / p)).sum()))


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
def test_a_layout_of_one_kind_only(kind: str) -> None:
    values: list[object] = [1.5, 2.5, 3.5] * 50 if kind == "numeric" else ["a", "b"] * 75
    reference = build_from_columns(Rows({"only": values}, {}), created_at=0.0)
    found = assess(reference, {"only": values})
    assert found.effect[0] == pytest.approx(0.0, abs=1e-7)
    assert found.p_value[0] == pytest.approx(1.0, abs=1e-6)


def test_power_and_false_alarms_of_one_column() -> None:
    random = np.random.default_rng(12)
    assessors = []
    for _ in range(8):
        built = build_from_columns(Rows({"x": random.normal(size=ROWS)}, {}), created_at=0.0)
        assessors.append((built.layout, Assessor(built.layout, built.counts)))

    def rate(rows: int, shift: float, trials: int) -> float:
        hits = 0
        for trial in range(trials):
            layout, assessor = assessors[trial % len(assessors)]
            counts = layout.count({"x": random.normal(shift, 1, rows)}, {}).counts
            hits += bool(warned(assessor.assess(counts))[0])
        return hits / trials

    for rows in (50, 200, 1000):
        assert rate(rows, 0.0, 300) <= 0.015 + 3 * math.sqrt(0.01 / 300)
    assert rate(200, 0.25, 200) >= 0.65
    assert rate(500, 0.25, 100) >= 0.95
    assert rate(1000, 0.25, 50) == 1.0


def test_a_column_that_hardly_ever_moves_does_not_cry_at_the_first_other_value() -> None:
    random = np.random.default_rng(4)

    def values(rows: int) -> list[float]:
        rare = random.random(rows) < 0.002
        return list(np.where(rare, random.exponential(50.0, rows), 0.0))

    built = build_from_columns(Rows({"x": values(ROWS)}, {}), created_at=0.0)
    assessor = Assessor(built.layout, built.counts)
    p = [
        assessor.assess(built.layout.count({"x": values(200)}, {}).counts).p_value[0]
        for _ in range(2000)
    ]
    assert sum(value <= 0.01 for value in p) <= 40
    assert sum(value <= 1e-4 for value in p) <= 2
    moved = [0.0] * 180 + [60.0] * 20
    assert assessor.assess(built.layout.count({"x": moved}, {}).counts).p_value[0] < 1e-9
