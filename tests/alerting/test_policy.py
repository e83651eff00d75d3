"""The decision as readings: what is found, what it is called, and that all tests share one
budget."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from monitor.alerting.policy import ColumnRule, DriftPolicy, Judge
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.reference import Reference
from monitor.snapshot import Reading, Status

POLICY = DriftPolicy()
ROWS = 1000
MOVED = {Status.WARNING, Status.DRIFT}


def draw(seed: int, rows: int = ROWS, columns: int = 4) -> dict[str, list[Any]]:
    random = np.random.default_rng(seed)
    holes = [None if random.random() < 0.05 else x for x in random.normal(size=rows).tolist()]
    named = random.choice(["AA", "B6", "WN"], rows, p=[0.6, 0.3, 0.1]).tolist()
    table = {"holes": holes, "carrier": named, "amount": random.normal(50, 10, rows).tolist()}
    return table | {f"x{i}": random.normal(size=rows).tolist() for i in range(columns - 3)}


@pytest.fixture(scope="module")
def reference() -> Reference:
    return build_from_columns(Rows(draw(0, 10_000), {}), created_at=0.0)


@pytest.fixture(scope="module")
def judge(reference: Reference) -> Judge:
    return Judge(reference)


def read(
    reference: Reference, judge: Judge, table: dict[str, list[Any]], policy: DriftPolicy = POLICY
) -> dict[str, Reading]:
    counted = reference.layout.count(table, {})
    readings = judge.readings(counted.counts, policy, counted.details)
    found = judge.findings(counted.counts, policy, counted.details.products)
    assert found.quiet == all(
        reading.status is not Status.DRIFT and not reading.quality for reading in readings
    )
    return {reading.column: reading for reading in readings}


def test_calm_rows_say_nothing(reference: Reference, judge: Judge) -> None:
    for seed in range(1, 30):
        for reading in read(reference, judge, draw(seed)).values():
            assert (reading.status is Status.DRIFT, reading.quality) == (False, ())
            assert reading.explanation == "" or reading.status is Status.WARNING


def test_missing_that_doubles_is_a_fault_though_too_small_for_drift(
    reference: Reference, judge: Judge
) -> None:
    table = draw(1)
    table["holes"] = [None] * 100 + [0.1 * i for i in range(-10, 10)] * 45
    policy = replace(POLICY, columns={"holes": ColumnRule("wasserstein", 9.0)})  # values aside
    reading = read(reference, judge, table, policy)["holes"]
    (words,) = reading.quality
    assert words.startswith("10 % of values are missing (reference 5 %, limit ")
    assert reading.status is Status.OK


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("carrier", ["XX"] * 12 + ["AA"] * 588 + ["B6"] * 300 + ["WN"] * 100, "reference: 'XX'"),
        ("amount", [47.11] * ROWS, "frozen: every value is 47.11 "),
        ("carrier", ["WN"] * ROWS, "frozen: every value is WN "),
        ("amount", [None] * ROWS, "the column is absent or empty: 100 % of values are missing"),
        ("amount", ["n/a"] * 20 + [50.0] * 980, "2 % of values are of the wrong type"),
        ("amount", [-999] * 20 + [50.0] * 980, "2 % of values are far beyond the reference's"),
    ],
)
def test_a_fault_is_named(
    reference: Reference, judge: Judge, column: str, values: list[Any], words: str
) -> None:
    found = read(reference, judge, draw(2) | {column: values})
    assert any(words in one for one in found[column].quality)
    assert all(not other.quality for name, other in found.items() if name != column)


def test_a_value_that_was_usual_may_be_all_there_is_for_a_while(
    reference: Reference, judge: Judge
) -> None:
    """Most of the reference's carriers are AA: a window of nothing else is a drift, no fault."""
    reading = read(reference, judge, draw(3) | {"carrier": ["AA"] * ROWS})["carrier"]
    assert (reading.status, reading.quality) == (Status.DRIFT, ())


def test_names_of_unseen_categories_are_few_and_short(reference: Reference, judge: Judge) -> None:
    names = [f"{'long' * 30}{i}" for i in range(100)]
    (words,) = read(reference, judge, draw(3) | {"carrier": names * 10})["carrier"].quality
    assert words.count("'") == 6
    assert len(words) < 250
    counts = reference.layout.count(draw(3) | {"carrier": names * 10}, {}).counts
    unnamed = next(one for one in judge.readings(counts, POLICY) if one.column == "carrier")
    assert unnamed.quality[0].startswith("100 % of values are unseen in the reference (reference")


def test_a_change_is_named_where_it_has_a_name(reference: Reference, judge: Judge) -> None:
    values = np.random.default_rng(4).normal(50, 10, ROWS)
    named = {
        "mean rose by ": values + 8.0,
        "spread rose to ": 50 + 2.0 * (values - 50),
        "values are about 100 times the reference's": 100 * values,
        "values are about 1/60 of the reference's": values / 60,
        "shape changed, at about the same mean and spread": 40
        + np.random.default_rng(5).exponential(10, ROWS),
    }
    for words, changed in named.items():
        reading = read(reference, judge, draw(2) | {"amount": changed.tolist()})["amount"]
        assert reading.status is Status.DRIFT
        assert reading.explanation.startswith(words)


def test_few_rows_are_no_answer_and_no_fault(reference: Reference, judge: Judge) -> None:
    table = {name: [None] * 99 for name in draw(1, 1)}
    assert all(
        (reading.status, reading.quality) == (Status.INSUFFICIENT, ())
        for reading in read(reference, judge, table).values()
    )


def test_every_test_shares_one_budget() -> None:
    """The more columns are looked at, the more rows a fault takes."""

    def limit(columns: int, budget: float = 1.0) -> float:
        reference = build_from_columns(Rows(draw(0, 10_000, columns), {}), created_at=0.0)
        table = draw(1, ROWS, columns) | {"amount": [None] * ROWS}
        policy = replace(POLICY, false_alerts_per_month=budget)
        words = read(reference, Judge(reference), table, policy)["amount"].quality[0]
        return float(words.rpartition("limit ")[2].removesuffix(" %)"))

    few, many, generous = limit(4), limit(200), limit(4, budget=1000.0)
    assert generous < few < many
    assert many <= 0.9  # a share of a hundredth is still found among two hundred columns


def test_a_column_that_was_empty_disturbs_no_other() -> None:
    table = draw(0, 10_000) | {"empty": [None] * 10_000, "constant": [3] * 10_000}
    reference = build_from_columns(Rows(table, {}), created_at=0.0)
    calm = draw(1) | {"empty": [None] * ROWS, "constant": [3] * ROWS}
    found = read(reference, Judge(reference), calm)
    assert not any(reading.quality or reading.status in MOVED for reading in found.values())
    odd = calm | {"empty": [1.5] * ROWS, "constant": [4] * ROWS}
    found = read(reference, Judge(reference), odd)
    assert {name for name, one in found.items() if one.status in MOVED} == {"empty", "constant"}
    assert found["constant"].quality == ()


def test_many_looks_at_once_have_the_p_values_of_each_look() -> None:
    """Every kind of column, calm and moved: nothing that drifts or is at fault is overlooked."""
    table = draw(0, 10_000) | {
        "mostly": [0.0] * 9000 + [float(i) for i in range(1000)],
        "truth": [True, False] * 5000,
        "empty": [None] * 10_000,
        "many": [f"n{i % 400}" for i in range(10_000)],
    }
    reference = build_from_columns(Rows(table, {}), created_at=0.0)
    layout, judge = reference.layout, Judge(reference)
    random = np.random.default_rng(8)
    looks = []
    for seed in range(60):
        picks = random.integers(0, 10_000, 300).tolist()
        rows = {name: [column[pick] for pick in picks] for name, column in table.items()}
        changed = random.choice(list(rows)) if seed % 3 else "nothing"
        odd: list[Any] = [[None] * 300, [0.5] * 300, ["?"] * 300, [1e9] * 20 + [0.0] * 280]
        looks.append(layout.count(rows | {changed: odd[seed % 4]}, {}).counts)
    cells, rows_of = np.stack([one.cells for one in looks]), np.array([one.rows for one in looks])
    values, presence = judge._assessor.p_values(cells, rows_of)
    faults, _ = judge._quality.p_values(cells, rows_of)
    candidates = judge.candidates(cells, rows_of, POLICY)
    for index, counts in enumerate(looks):
        assessed, quality = judge._assessor.assess(counts), judge._quality.assess(counts)
        np.testing.assert_allclose(values[index], assessed.p_value, rtol=1e-9)
        np.testing.assert_allclose(presence[index], assessed.presence_p_value, rtol=1e-9)
        tested = ~np.isnan(quality.p_value[:3])
        np.testing.assert_allclose(faults[index][tested], quality.p_value[:3][tested], rtol=1e-9)
        assert candidates[index] or judge.findings(counts, POLICY).quiet
    assert 10 <= candidates.sum() <= 50
    ruled = replace(POLICY, columns={"amount": ColumnRule("psi", 0.2)})
    assert judge.candidates(cells, rows_of, ruled).all()
