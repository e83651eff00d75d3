"""A replayed log: the alerts of the live engine, at the log's own times."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitor.alerting.ledger import Timing
from monitor.alerting.policy import DriftPolicy
from monitor.cli import main
from monitor.comparison.backtest import Backtest, BacktestOptions, backtest
from monitor.comparison.choice import restricted
from monitor.comparison.parts import Parts
from monitor.comparison.replay_page import backtest_page
from monitor.comparison.replayed import document, headline
from monitor.engine import Engine, EngineSettings
from monitor.errors import DataFileError
from monitor.performance.desk import PerformanceRules
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.reference import Reference, save
from monitor.records.batch import Batch
from monitor.snapshot import AlertState, Health
from tests.comparison.conftest import write

HOUR = 3600.0
START = 1_700_000_000 // 86_400 * 86_400.0
HOURS, AN_HOUR = 72, 100
MOVED_AT = 48  # hours after the start
SETTINGS = EngineSettings(
    window_seconds=6 * HOUR,
    pane_seconds=HOUR,
    drift=DriftPolicy(window_seconds=6 * HOUR, look_seconds=1.0),
    timing=Timing(for_seconds=120.0, keep_firing_seconds=600.0),
)


def rows(hours: int = HOURS, seed: int = 0) -> dict[str, Any]:
    """`x` moves by one standard deviation; `c` does not; the truth leaves the answer then."""
    random = np.random.default_rng(seed)
    total = hours * AN_HOUR
    at = START + np.sort(random.random(total)) * hours * HOUR
    late = at >= START + MOVED_AT * HOUR
    x = random.normal(size=total) + late
    return {
        "x": x,
        "c": np.array(["a", "b", "c"])[random.integers(0, 3, total)].tolist(),
        "when": at,
        "guess": x * 2,
        "truth": x * 2 + random.normal(size=total) * np.where(late, 5.0, 1.0),
    }


@pytest.fixture(scope="module")
def reference() -> Reference:
    table = rows(40, seed=9)
    features = {"x": table["x"].tolist(), "c": table["c"]}
    return build_from_columns(
        Rows(features, {"prediction": table["guess"].tolist()}, {}, table["truth"].tolist()),
        created_at=0.0,
    )


def replayed(path: Path, reference: Reference, **parts: Any) -> Backtest:
    return backtest(path, reference, BacktestOptions("when", Parts(**parts), SETTINGS))


def told(found: Backtest) -> list[tuple[str, str, float]]:
    return [(one.labels["alertname"], one.what, one.fired_at) for one in found.raised]


def test_what_moved_is_told_when_it_moved(tmp_path: Path, reference: Reference) -> None:
    found = replayed(write(rows(), tmp_path / "log.parquet"), reference, prediction="guess")
    assert {(name, what) for name, what, _ in told(found)} == {
        ("SidelightFeatureDrift", "x"),
        ("SidelightPredictionDrift", "prediction"),
    }
    moved = START + MOVED_AT * HOUR
    assert all(moved < fired <= moved + 6 * HOUR for _, _, fired in told(found))
    assert all(one.resolved_at is None for one in found.raised)
    assert found.looks == HOURS
    assert found.insufficient <= 1  # the first hour may have some rows too few
    assert "mean rose by" in found.raised[0].annotations["description"]


def test_it_is_the_live_engine(tmp_path: Path, reference: Reference) -> None:
    table = rows(seed=4)
    found = replayed(write(table, tmp_path / "log.parquet"), reference, prediction="guess")
    timing = replace(SETTINGS.timing, gap_seconds=HOUR)
    engine = Engine(replace(SETTINGS, timing=timing), reference)
    expected = []
    for hour in range(HOURS):
        end = START + (hour + 1) * HOUR
        which = np.flatnonzero((table["when"] >= end - HOUR) & (table["when"] < end)).tolist()
        engine.observe(
            Batch(
                [""] * len(which),
                [0] * len(which),
                [table["when"][i] for i in which],
                {"x": [table["x"][i] for i in which], "c": [table["c"][i] for i in which]},
                {"prediction": [table["guess"][i] for i in which]},
            )
        )
        for alert in engine.evaluate(end - 1.0, Health(observing=True)).transitions:
            assert alert.state is AlertState.FIRING
            expected.append((alert.labels["alertname"], alert.labels["column"], end))
    assert told(found) == sorted(expected, key=lambda one: (one[2], one[1]))


def test_panes_between_two_looks_make_no_difference(tmp_path: Path, reference: Reference) -> None:
    path = write(rows(), tmp_path / "log.parquet")
    found = {}
    for minutes in (6, 12):  # 60 panes, of which every second ends with a look; and 30
        settings = replace(SETTINGS, pane_seconds=minutes * 60.0)
        found[minutes] = backtest(path, reference, BacktestOptions("when", Parts(), settings))
        assert document(found[minutes])["pane_seconds"] == minutes * 60.0
    assert told(found[6]) == told(found[12])
    assert found[6].looks == found[12].looks == HOURS * 5
    assert [one.what for one in found[6].raised] == ["x"]


def test_labels_that_the_log_has_are_scored(tmp_path: Path, reference: Reference) -> None:
    path = write(rows(), tmp_path / "log.parquet")
    settings = replace(SETTINGS, performance=PerformanceRules(thresholds={"rmse": 2.0}))
    parts = Parts(target="truth", prediction="guess")
    found = backtest(path, reference, BacktestOptions("when", parts, settings))
    (one,) = [r for r in found.raised if r.labels.get("metric") == "rmse"]
    moved = START + MOVED_AT * HOUR
    assert moved < one.fired_at <= moved + 6 * HOUR
    quiet = backtest(path, reference, BacktestOptions("when", Parts(prediction="guess"), settings))
    assert not [r for r in quiet.raised if "metric" in r.labels]


@pytest.mark.parametrize("form", ["timestamp", "zoned", "text", "offset", "csv", "shuffled"])
def test_times_of_any_form(tmp_path: Path, reference: Reference, form: str) -> None:
    table = rows()
    expected = told(replayed(write(table, tmp_path / "e.parquet"), reference))
    moments = [dt.datetime.fromtimestamp(one, dt.UTC) for one in table["when"].tolist()]
    naive = [one.replace(tzinfo=None) for one in moments]
    east = dt.timezone(dt.timedelta(hours=2))
    forms: dict[str, Any] = {
        "timestamp": pa.array(naive, pa.timestamp("us")),
        "zoned": pa.array(moments, pa.timestamp("us", "UTC")),
        "text": [one.isoformat() for one in naive],
        "offset": [one.astimezone(east).isoformat() for one in moments],
    }
    table["when"] = forms.get(form, table["when"])
    made = pa.table(table)
    if form == "shuffled":
        made = made.take(np.random.default_rng(0).permutation(made.num_rows))
    path = write(made, tmp_path / f"log.{'csv' if form in {'csv', 'text'} else 'parquet'}")
    assert told(replayed(path, reference)) == expected


def test_rows_without_a_time_are_left_out_and_counted(tmp_path: Path, reference: Reference) -> None:
    table = rows()
    table["when"] = [None if i % 10 == 0 else at for i, at in enumerate(table["when"].tolist())]
    found = replayed(write(table, tmp_path / "log.parquet"), reference)
    assert found.span.rows - found.span.timed == HOURS * AN_HOUR // 10
    assert document(found)["log"]["rows_without_time"] == HOURS * AN_HOUR // 10


def test_what_the_log_lacks_is_left_out_with_what_is_derived_of_it() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=400)
    texts = [
        " ".join(["word"] * int(n)) + f" number {i}" for i, n in enumerate(random.poisson(5, 400))
    ]
    features = {"x": x.tolist(), "y": (x + random.normal(size=400)).tolist(), "note": texts}
    whole = build_from_columns(Rows(features, {"prediction": x.tolist()}), created_at=0.0)
    assert any(one.column.part for one in whole.columns)
    keys = [one.column.key for one in whole.columns if not one.column.part]
    assert restricted(whole, keys) is whole
    kept = restricted(whole, [key for key in keys if key[1] == "feature"])
    gone = {one.column.key for one in whole.columns} - {one.column.key for one in kept.columns}
    assert gone == {("prediction", "prediction")}
    kept = restricted(whole, [key for key in keys if key[0] != "note"])
    assert {one.column.name for one in kept.columns} == {"x", "y", "prediction"}


def test_faults_are_one_clear_line(tmp_path: Path, reference: Reference) -> None:
    table = rows(5)
    path = tmp_path / "log.parquet"
    for times, says in (
        (["soon"] * 500, "no row has a time"),
        (np.full(500, 1.7e12), "no Unix seconds"),
    ):
        write(table | {"when": times}, path)
        with pytest.raises(DataFileError, match=says):
            replayed(path, reference)
    with pytest.raises(DataFileError, match="no column 'nope'"):
        backtest(path, reference, BacktestOptions("nope", Parts(), SETTINGS))


def test_too_short_a_window_is_said(tmp_path: Path, reference: Reference) -> None:
    path = write(rows(), tmp_path / "log.parquet")
    short = replace(SETTINGS, window_seconds=600.0, pane_seconds=600.0)
    found = backtest(path, reference, BacktestOptions("when", Parts(), short))
    assert found.raised == ()
    assert headline(found).startswith("No answer")


def test_a_gap_in_the_log_resolves_what_fired(tmp_path: Path, reference: Reference) -> None:
    table = rows()
    at = np.asarray(table["when"])
    table["when"] = np.where(at > START + 66 * HOUR, at + 24 * HOUR, at)
    found = replayed(write(table, tmp_path / "log.parquet"), reference)
    lives = [one.resolved_at is not None for one in found.raised if one.what == "x"]
    assert lives == [True, False]
    assert found.insufficient > 0


def test_the_command_and_its_page(
    tmp_path: Path,
    reference: Reference,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write(rows(), tmp_path / "log.csv")
    save(reference, tmp_path / "r.json")
    config = tmp_path / "c.yaml"
    config.write_text("window: {size: 6h, pane: 1h}\n")
    words = [str(path), "--reference", str(tmp_path / "r.json"), "--time", "when", "--json"]
    page = tmp_path / "page.html"
    words += ["--config", str(config), "--html", str(page), "--prediction", "guess"]
    monkeypatch.setattr("sys.argv", ["sidelight", "backtest", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    said = json.loads(capsys.readouterr().out)
    assert said["sidelight_backtest"] == 1
    assert said["window_seconds"] == 6 * HOUR
    assert {one["labels"]["column"] for one in said["alerts"]} == {"x", "prediction"}
    assert "FeatureDrift" in page.read_text()


def test_the_page_holds_what_the_data_hold_as_text(tmp_path: Path, reference: Reference) -> None:
    found = replayed(write(rows(), tmp_path / "<img onerror=1>.parquet"), reference)
    page = backtest_page(found)
    assert "<img" not in page.partition("<script>")[0]
    assert "&lt;img onerror=1&gt;" in page
