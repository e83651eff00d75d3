"""The benchmark of the decision: its verdicts, its page, and that its month counts what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.drift import column, month, report, suite
from benchmarks.drift.changes import UNCHANGED, Named
from benchmarks.drift.column import SHIFTED_WINDOWS, WINDOWS, Rate
from benchmarks.drift.month import Month
from benchmarks.drift.parts import Table, count_parts, cut
from benchmarks.drift.suite import Plan, Results, run
from monitor.alerting.policy import Judge
from monitor.profile.build import Rows, build_from_columns


def results(false: float = 0.01, alerts: int = 1, delay: float = 20.0) -> Results:
    rates = [Rate("no drift", rows, 10_000, false, 0.0, 0.0) for rows in WINDOWS]
    rates += [Rate("+.25σ", rows, 5000, 1.0, 0.5, 0.0) for rows in SHIFTED_WINDOWS]
    named = [
        Named(UNCHANGED, "amount", 100, 0.0, 0.0, ""),
        Named("frozen", "amount", 100, 1.0, 1.0, "frozen: every value is 7"),
    ]
    one = Month("independent", 0, 30.0, 43_200, 50, alerts, 0, alerts, (), 1.0)
    return Results(Plan(), rates, [], named, [delay], [one], absent="Evidently and NannyML")


@pytest.mark.parametrize(
    ("found", "held"),
    [
        (results(), True),
        (results(false=0.016), True),  # within chance at 10,000 trials
        (results(false=0.02), False),
        (results(alerts=5), False),
        (results(delay=float("inf")), False),
    ],
)
def test_a_bar_is_missed_only_by_more_than_chance(found: Results, held: bool) -> None:
    assert report.holds(found) is held


def test_the_page_keeps_what_people_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "statistics.md"
    monkeypatch.setattr(report, "PAGE", page)
    monkeypatch.setattr(
        "sys.argv", ["drift_quality.py", "--peers", "/some/where", "/some/else", "--publish"]
    )
    page.write_text(f"# Title\n\n{report.BEGIN}\nyesterday\n{report.END}\n\nThe end.\n", "utf-8")
    report.publish(results())
    text = page.read_text("utf-8")
    assert text.startswith(f"# Title\n\n{report.BEGIN}\n")
    assert text.endswith(f"{report.END}\n\nThe end.\n")
    assert "yesterday" not in text
    assert "/some" not in text
    assert "drift_quality.py --publish`" in text
    assert "| Sidelight, `warning` | 0.0100 |" in text
    assert "Not measured: Evidently and NannyML." in text
    report.publish(results())
    assert page.read_text("utf-8") == text


def test_a_page_without_its_markers_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "statistics.md"
    monkeypatch.setattr(report, "PAGE", page)
    page.write_text("# Title\n", "utf-8")
    with pytest.raises(SystemExit):
        report.publish(results())
    assert page.read_text("utf-8") == "# Title\n"


def test_a_month_looks_each_minute_and_hears_what_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calm = month.simulate("independent", 3, 0.1)
    assert (calm.looks, calm.columns, calm.alerts, calm.loud_looks) == (
        120,
        51,
        0,
        0,
    )  # all features together are one more
    moved = iter(range(1000))

    def drifting(seed: int) -> month.Source:
        source = month.independent(seed)

        def draw(rows: int) -> Table:
            table = dict(source(rows))
            if next(moved) >= 2:  # the reference, an hour, and then the change
                table["c00"] = [0.5] * rows
            return table

        return draw

    monkeypatch.setattr(month, "SOURCES", {"drifting": drifting})
    loud = month.simulate("drifting", 3, 0.1)
    assert loud.drift_alerts == 1
    assert loud.quality_alerts == 1  # frozen, once the window holds nothing else
    assert any("frozen: every value is 0.5" in words for words in loud.what)


def test_rates_are_of_the_readings() -> None:
    trials = column.Trials(column.normal(), seed=0, references=2)
    assert trials.rate("calm", column.normal(), 200, 50).drift == 0.0
    assert trials.rate("moved", column.normal(2.0), 200, 20).drift == 1.0
    assert trials.rate("spoiled", column.spoiled(2.0), 200, 20).drift == 1.0


def test_peers_of_several_environments_are_put_together(tmp_path: Path) -> None:
    pythons = []
    for name in ("evidently", "alibi-detect"):
        said = {
            "versions": {name: "1"},
            "rates": [{"rule": name, "case": "x", "rows": 5, "rate": 0}],
        }
        python = tmp_path / name
        python.write_text(f"#!/bin/sh\necho noise\necho '{json.dumps(said)}'\n", "utf-8")
        python.chmod(0o755)
        pythons.append(python)
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho out of memory >&2\nexit 1\n", "utf-8")
    broken.chmod(0o755)
    document, absent = suite._peers([*pythons, broken, tmp_path / "none"], 3)
    assert document["versions"] == {"evidently": "1", "alibi-detect": "1"}
    assert [rate["rule"] for rate in document["rates"]] == ["evidently", "alibi-detect"]
    assert absent == "nannyml, a run of theirs failed: out of memory"


def test_a_run_without_peers_says_so() -> None:
    plan = Plan(trials=20, pairs=20, changes=2, delays=1, seeds=1, days=0.05, peers=1)
    found = run(plan, [Path("/nowhere/python")], lambda _: None)
    assert found.peers == {}
    assert found.absent == "evidently, nannyml, alibi-detect"
    assert {one.kind for one in found.months} == set(month.SOURCES)
    assert report.sheets(found)


def test_counts_of_many_parts_are_those_of_each() -> None:
    source = month.independent(4)
    layout = build_from_columns(Rows(source(3000), {}), created_at=0.0).layout
    table, sizes = source(90), [20, 0, 39, 31]
    parts = count_parts(layout, table, sizes)
    assert parts.products is not None
    for number, (size, start) in enumerate(zip(sizes, (0, 20, 20, 59), strict=True)):
        alone = layout.count(cut(table, start, start + size), {})
        np.testing.assert_array_equal(parts.cells[number], alone.counts.cells)
        assert parts.rows[number] == size
        if alone.details.products is not None:
            np.testing.assert_allclose(parts.products[number], alone.details.products.sums)


def test_an_hours_looks_are_screened_without_loss() -> None:
    """With a wide-awake policy many looks hold a finding; none of them is left out."""
    policy = replace(month.POLICY, false_alerts_per_month=3e4, min_effect=0.02)
    source, random = month.independent(5), np.random.default_rng(0)
    reference = build_from_columns(Rows(source(5000), {}), created_at=0.0)
    layout, judge = reference.layout, Judge(reference)
    before, now = (month._Hour.of(source, layout, random) for _ in range(2))
    cells, rows, _, products = month._Sums(before.parts).move(before.parts, now.parts)
    worth = judge.candidates(cells, rows, policy, products)
    loud = 0
    for minute in range(0, 60, 4):
        held = layout.count(now.window(before, minute), {})
        assert held.details.products is not None
        assert products is not None
        np.testing.assert_array_equal(cells[minute], held.counts.cells)
        np.testing.assert_allclose(products[minute], held.details.products.sums, atol=1e-6)
        found = judge.findings(held.counts, policy, held.details.products)
        loud += not found.quiet
        assert worth[minute] or found.quiet
    assert loud
