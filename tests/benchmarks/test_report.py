"""Figures go between the page's markers, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import report, summary
from benchmarks.load import Load
from benchmarks.suite import QUICK, SIDELIGHT, Results, Sample

PAGE = f"# Before\n\n{report.BEGIN}\n\nold figures\n\n{report.END}\n\nAfter.\n"


@pytest.fixture
def results() -> Results:
    def sample(subject: str, cpu: dict[str, float], outcomes: dict[str, float]) -> Sample:
        load = Load(1000, 1.0, 1e-4, 2e-4, 0)
        rss = dict.fromkeys(cpu, 12_000_000)
        return Sample(subject, "16 connections", 0, load, cpu, rss, 0.2, "", outcomes)

    machine = {"cpu": "C", "cores": "2", "memory": "4 GiB", "kernel": "6", "python": "3"}
    found = Results(QUICK, {**machine, "load_before": "0.10"}, {"nginx": "1", SIDELIGHT: "2"})
    found.samples = [
        sample("nginx", {"proxy": 0.01}, {}),
        sample(SIDELIGHT, {"relay": 0.02, "monitor": 0.03}, {"observed": 900, "dropped/full": 100}),
    ]
    found.absent = {"envoy": "it is not installed"}
    return found


def test_publishes_between_the_markers_as_often_as_asked(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(PAGE)
    monkeypatch.setattr(report, "PAGE", page)
    monkeypatch.setattr(report, "_ROOT", tmp_path)
    found = summary.summarise(results.samples)
    report.publish(results, found)
    once = page.read_text()
    report.publish(results, found)
    assert page.read_text() == once
    assert once.startswith("# Before\n\n" + report.BEGIN)
    assert once.endswith(report.END + "\n\nAfter.\n")
    assert "old figures" not in once
    assert "| sidelight | 1,000 | 100 | 200 | 50.0 (relay 20.0, monitor 30.0) | 2% |" in once
    assert "| 16 connections | dropped/full | 100 | 10.00% |" in once
    assert "| relay CPU / nginx, 16 connections | ≤ 1.8 | 2.00 | does not hold |" in once
    assert "| relay CPU / Envoy, 16 connections | ≤ 0.75 | – | not measured |" in once
    assert "Not measured: envoy (it is not installed)." in once
    assert "The machine was not quiet" in once


def test_a_page_without_markers_is_left_alone(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("# Only text\n")
    monkeypatch.setattr(report, "PAGE", page)
    monkeypatch.setattr(report, "_ROOT", tmp_path)
    with pytest.raises(SystemExit, match="has lost its markers"):
        report.publish(results, summary.summarise(results.samples))
    assert page.read_text() == "# Only text\n"


def test_writes_every_sample_as_json(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(report, "_ROOT", tmp_path)
    report.write(results, summary.summarise(results.samples))
    document = json.loads((tmp_path / "results" / "relay.json").read_text())
    assert [one["subject"] for one in document["samples"]] == ["nginx", SIDELIGHT]
    assert document["ratios"]["16 connections"][SIDELIGHT]["CPU / nginx"] == pytest.approx(2.0)


def test_the_page_has_its_markers() -> None:
    text = report.PAGE.read_text("utf-8")
    assert text.count(report.BEGIN) == text.count(report.END) == 1
    assert text.index(report.BEGIN) < text.index(report.END)
