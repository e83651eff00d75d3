"""The tests of the data itself: what counts as a fault, and where its threshold lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from monitor.profile.build import Rows, build_from_columns
from monitor.profile.details import MAX_NAMES, Details
from monitor.profile.quality import FROZEN, INVALID, MISSING, OUTSIDE, Quality, QualityAssessor
from monitor.profile.reference import Reference
from monitor.statistics.divergence import share_effect
from monitor.statistics.significance import share_rise

ROWS = 5000
PLAIN, HOLES, NAME, TRUTH, EMPTY, CONSTANT, MOMENT = range(7)
LEVEL = 1e-6


def draw(seed: int, rows: int) -> dict[str, list[Any]]:
    random = np.random.default_rng(seed)
    holes = [None if random.random() < 0.1 else x for x in random.normal(size=rows).tolist()]
    return {
        "plain": random.normal(size=rows).tolist(),
        "holes": holes,
        "name": random.choice(["AA", "B6", "WN"], rows, p=[0.6, 0.3, 0.1]).tolist(),
        "truth": (random.random(rows) < 0.3).tolist(),
        "empty": [None] * rows,
        "constant": [7.0] * rows,
        "moment": (1.7e9 + random.random(rows) * 1e7).tolist(),
    }


@pytest.fixture(scope="module")
def reference() -> Reference:
    return build_from_columns(Rows(draw(0, ROWS), {}), created_at=0.0)


def assess(reference: Reference, **changed: list[Any]) -> Quality:
    columns = draw(1, len(next(iter(changed.values()))) if changed else 500) | changed
    counts = reference.layout.count(columns, {}).counts
    return QualityAssessor(reference.layout, reference.counts).assess(counts)


def test_faulty_rows_are_counted_by_fault(reference: Reference) -> None:
    found = assess(
        reference,
        plain=[None] * 20 + ["x"] * 30 + [1e6] * 25 + [-1e300] * 25 + [0.0] * 400,
        name=["new"] * 40 + [""] * 10 + ["AA"] * 450,
    )
    assert found.hits[:, PLAIN].tolist() == [20, 30, 50, 0]
    assert found.rows[:, PLAIN].tolist() == [500, 500, 450, 450]
    assert found.hits[:, NAME].tolist() == [10, 0, 40, 0]
    assert found.share[OUTSIDE, NAME] == pytest.approx(40 / 490)
    assert (found.p_value[MISSING : OUTSIDE + 1, PLAIN] < LEVEL).all()


def test_what_cannot_be_is_not_tested(reference: Reference) -> None:
    found = assess(reference)
    tested = ~np.isnan(found.p_value)
    assert not tested[INVALID].any()
    assert tested[MISSING].nonzero()[0].tolist() == [HOLES, EMPTY]
    assert tested[OUTSIDE].nonzero()[0].tolist() == [PLAIN, HOLES, NAME, CONSTANT, MOMENT]
    assert found.tested == 7
    assert np.nanmin(found.p_value[:FROZEN]) > 1e-3


def test_a_share_that_fell_is_no_fault(reference: Reference) -> None:
    found = assess(reference, holes=[0.5] * 250 + [-0.5] * 250, empty=[1.5] * 500)
    assert found.p_value[MISSING, HOLES] == 1.0
    assert found.effect[MISSING, HOLES] < 0
    assert found.effect[MISSING, EMPTY] < 0


@pytest.mark.parametrize(("column", "value"), [("plain", 0.25), ("plain", 40.0), ("name", "WN")])
def test_a_frozen_column_is_seen(reference: Reference, column: str, value: object) -> None:
    index = {"plain": PLAIN, "name": NAME}[column]
    found = assess(reference, **{column: [None] * 400 + [value] * 100})
    assert found.p_value[FROZEN, index] < LEVEL
    cells = reference.layout.count(draw(1, 1) | {column: [value]}, {}).counts.cells
    part = cells[reference.layout.cell_slice(index)]
    assert part[found.frozen_cell[index]] == 1


def test_what_was_constant_is_not_frozen_and_what_varies_within_a_cell_neither(
    reference: Reference,
) -> None:
    close = (0.001 + np.random.default_rng(3).random(500) * 0.0001).tolist()
    found = assess(
        reference, constant=[7.0] * 500, plain=close, moment=[1.9e9 + i for i in range(500)]
    )
    assert found.frozen_cell[[CONSTANT, PLAIN, MOMENT]].tolist() == [-1, -1, -1]
    assert np.isnan(found.p_value[FROZEN]).all()


def test_many_unseen_categories_are_not_one_value(reference: Reference) -> None:
    found = assess(reference, name=[f"new{i}" for i in range(500)])
    assert found.frozen_cell[NAME] == -1
    assert found.p_value[OUTSIDE, NAME] < LEVEL


@pytest.mark.parametrize("value", [0.1, 1e-300, 1 / 3, 123456.789, 1.9e9, 1e300])
def test_rounding_does_not_hide_a_frozen_column(reference: Reference, value: float) -> None:
    total = reference.layout.identity
    for _ in range(300):
        total = total + reference.layout.count(draw(1, 7) | {"plain": [value] * 7}, {}).counts
    found = QualityAssessor(reference.layout, reference.counts).assess(total)
    assert found.frozen_cell[PLAIN] >= 0
    assert found.p_value[FROZEN, PLAIN] < LEVEL


def test_a_column_of_one_likely_category_is_not_frozen_by_chance() -> None:
    random = np.random.default_rng(5)
    values = ["a" if one else "b" for one in (random.random(ROWS) < 0.98).tolist()]
    reference = build_from_columns(Rows({"x": values}, {}), created_at=0.0)
    assessor = QualityAssessor(reference.layout, reference.counts)
    p = [
        assessor.assess(reference.layout.count({"x": ["a"] * rows}, {}).counts).p_value[FROZEN, 0]
        for rows in (100, 2000)
    ]
    assert p[0] > 0.05  # .98¹⁰⁰ = .13
    assert p[1] < 1e-9


def test_categories_that_came_once_prepare_for_new_ones() -> None:
    """By Good and Turing as many rows of new categories are to come as there were single ones."""
    once = [f"rare{i}" for i in range(10)]
    reference = build_from_columns(Rows({"x": ["a"] * 990 + once}, {}), created_at=0.0)
    assessor = QualityAssessor(reference.layout, reference.counts)
    counts = reference.layout.count({"x": ["a"] * 990 + [f"new{i}" for i in range(10)]}, {}).counts
    found = assessor.assess(counts)
    assert found.p_value[OUTSIDE, 0] == pytest.approx(float(share_rise(10, 1000, 10, 1000)))
    assert found.p_value[OUTSIDE, 0] > 0.3


def test_the_threshold_is_the_first_share_that_is_enough(reference: Reference) -> None:
    rows, least = 500, 0.1
    found = assess(reference, holes=[None] * rows)
    limit = found.thresholds(np.array([MISSING]), np.array([HOLES]), LEVEL, np.array([least]))
    k = float(found.reference_hits[MISSING, HOLES])
    by_hand = next(
        hits
        for hits in range(rows + 1)
        if share_rise(k, ROWS, hits, rows) <= LEVEL and share_effect(k / ROWS, hits / rows) >= least
    )
    assert limit.tolist() == [by_hand / rows]


def test_no_rows_and_no_columns_are_no_answer(reference: Reference) -> None:
    assessor = QualityAssessor(reference.layout, reference.counts)
    found = assessor.assess(reference.layout.identity)
    assert np.isnan(found.p_value).all()
    assert np.isnan(found.share).all()


def test_unseen_categories_are_named_up_to_a_bound(reference: Reference) -> None:
    key = ("name", "feature")
    rows = draw(1, 60) | {"name": ["AA", "XX", "XX", None, "YY", ""] * 10}
    assert reference.layout.count(rows, {}).details.unseen == {key: ("XX", "YY")}
    many = draw(1, 60) | {"name": [f"n{i}" for i in range(60)]}
    first = reference.layout.count(many, {}).details
    assert first.unseen[key] == tuple(f"n{i}" for i in range(MAX_NAMES))
    assert (first + Details({key: ("late",)})).unseen == first.unseen
    assert (Details() + first).unseen == first.unseen == (first + Details()).unseen
    assert reference.layout.count(draw(1, 60), {}).details.unseen == {}
