"""`sidelight reference build` and `show`, from a file to what people read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from monitor.alerting.policy import DriftPolicy
from monitor.cli.commands import app
from monitor.engine import Engine, EngineSettings
from monitor.profile.reference import load
from monitor.records.batch import Batch
from monitor.snapshot import Health


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    random = np.random.default_rng(0)
    lines = [f"2026-03-{1 + i % 28:02},{random.normal():.4f},{i}" for i in range(2000)]
    path.write_text("\n".join(["asked,a,serial", *lines]))
    return path


def test_what_was_left_out_is_shown_and_is_no_news_live(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "r.json"
    words = ["reference", "build", str(data), "--output", str(output), "--features", "a"]
    built = CliRunner().invoke(app, [*words, "--time", "asked"])
    assert built.exit_code == 0, built.output
    shown = CliRunner().invoke(app, ["reference", "show", str(output)]).output
    assert "data from 2026-03-01 00:00 UTC to 2026-03-28 00:00 UTC" in shown
    assert "known, not watched: asked, serial" in shown

    engine = Engine(EngineSettings(drift=DriftPolicy()), load(output))
    held = np.random.default_rng(1).normal(size=500).tolist()
    rows = [str(i) for i in range(500)]
    at = [1_000_000.0] * 500
    engine.observe(Batch(rows, [0] * 500, at, {"a": held, "serial": rows, "asked": rows}, {}))
    snapshot = engine.evaluate(1_000_001.0, Health(observing=True)).snapshot
    assert [one.column for one in snapshot.readings] == ["a"]
    assert snapshot.alerts == ()
    assert snapshot.reference.span == (1_772_323_200, 1_774_656_000)
