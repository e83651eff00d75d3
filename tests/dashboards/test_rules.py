"""The rules: promtool's lint, sums over replicas against brute force, and when each alert fires."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.expressions import ACCURACY, JS_DISTANCE, MAE, MISSING, PSI, RMSE
from dashboards.rules import ALERTS, export_rules
from exporters.catalog import METRICS, Kind

needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not installed"
)
DOCS = Path(__file__).parents[2] / "docs" / "alerts.md"
COMMON = 'model="m", version="1"'


@pytest.fixture
def rules(tmp_path: Path) -> list[Path]:
    return export_rules(tmp_path / "made" / "here")


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_promtool_finds_nothing(rules: list[Path]) -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", *rules)


def test_writing_again_changes_nothing(rules: list[Path]) -> None:
    before = [path.read_bytes() for path in rules]
    assert [path.read_bytes() for path in export_rules(rules[0].parent)] == before


def test_every_name_is_promised(rules: list[Path]) -> None:
    scraped = {one.full_name for one in METRICS if one.kind is not Kind.HISTOGRAM}
    recorded = {PSI, JS_DISTANCE, MISSING, ACCURACY, MAE, RMSE}
    for path in rules:
        for rule in yaml.safe_load(path.read_text("utf-8"))["groups"][0]["rules"]:
            recorded.add(rule.get("record", ""))
            for name in re.findall(r"[\w:]*sidelight_[\w:]+", rule["expr"]):
                assert name in scraped or name in recorded, name


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule.name)
def test_every_alert_has_a_runbook(rule: Any) -> None:
    assert f"### {rule.name}\n" in DOCS.read_text("utf-8")


def steady(name: str, labels: str, per_minute: float, minutes: int = 120) -> dict[str, str]:
    return {"series": f"{name}{{{COMMON}, {labels}}}", "values": f"0+{per_minute}x{minutes}"}


def level(name: str, labels: str, value: float, minutes: int = 120) -> dict[str, str]:
    return {"series": f"{name}{{{COMMON}, {labels}}}", "values": f"{value}+0x{minutes}"}


def run(tmp_path: Path, rules: list[Path], test: dict[str, Any]) -> None:
    path = tmp_path / "test.yml"
    document = {
        "rule_files": [str(rule) for rule in rules],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", **test}],
    }
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    promtool("test", "rules", path)


REFERENCE = {"a": 0.5, "b": 0.3, "c": 0.2, "missing": 0.0}
REPLICAS = ({"a": 30, "b": 20, "c": 10, "missing": 0}, {"a": 3, "b": 1, "c": 40, "missing": 2})


@needs_promtool
def test_scores_over_replicas_are_those_of_the_pooled_rows(
    tmp_path: Path, rules: list[Path]
) -> None:
    pooled = {name: sum(replica[name] for replica in REPLICAS) for name in REFERENCE}
    rows = sum(pooled.values())
    psi = js = 0.0
    for name, share in REFERENCE.items():
        p, q = max(pooled[name] / rows, 1e-4), max(share, 1e-4)
        psi += (p - q) * math.log(p / q)
        p, q = pooled[name] / rows, share
        for one in (p, q):
            js += one * math.log(one / ((p + q) / 2)) / 2 if one else 0.0
    given = []
    for number, replica in enumerate(REPLICAS):
        at = f'column="x", role="feature", instance="{number}"'
        for name, per_minute in replica.items():
            bin_at = f'{at}, bin="{name}"'
            given.append(steady("sidelight_column_observations_total", bin_at, per_minute))
            given.append(level("sidelight_column_reference_ratio", bin_at, REFERENCE[name]))
        of_model = f'segment="all", instance="{number}"'
        given += [
            steady("sidelight_labels_total", of_model, 10 + number),
            steady("sidelight_correct_predictions_total", of_model, 7),
            steady("sidelight_absolute_error_total", of_model, 20),
            steady("sidelight_squared_error_total", of_model, 50 + 40 * number),
        ]
    column = f'{{{COMMON}, column="x", role="feature"}}'
    expected = [
        (f"{PSI}{column}", psi),
        (f"{JS_DISTANCE}{column}", math.sqrt(js)),
        (f"{MISSING}{column}", pooled["missing"] / rows),
        (f"{ACCURACY}{{{COMMON}}}", 14 / 21),
        (f"{MAE}{{{COMMON}}}", 40 / 21),
        (f"{RMSE}{{{COMMON}}}", math.sqrt(140 / 21)),
    ]
    run(tmp_path, rules, {
        "input_series": given,
        "promql_expr_test": [
            {
                # promtool compares exactly; what is asked is whether the difference vanishes
                "expr": f"abs({series} - {value!r}) < bool 1e-12",
                "eval_time": "90m",
                "exp_samples": [{"labels": series.partition("{")[2].join("{}")[:-1], "value": 1}],
            }
            for series, value in expected
        ],
    })  # fmt: skip


def fires(tmp_path: Path, rules: list[Path], name: str, given: list[dict[str, str]]) -> None:
    """At 100 minutes the alert `name` fires on what was given, and on nothing without it."""
    found = next(rule for rule in ALERTS if rule.name == name)
    path = tmp_path / "probe.yml"
    document = {
        "rule_files": [str(rule) for rule in rules],
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": given,
            "promql_expr_test": [{
                "expr": f'count(ALERTS{{alertname="{name}", alertstate="firing"}})',
                "eval_time": "100m",
                "exp_samples": [{"labels": "{}", "value": 1}],
            }],
        }],
    }  # fmt: skip
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert found.severity in {"warning", "critical"}
    promtool("test", "rules", path)


COLUMN = 'column="x", role="feature", instance="0"'
ALL = 'segment="all", instance="0"'
REF = 'segment="all", source="reference", instance="0"'
ON = 'instance="0", job="sidelight"'
OBSERVED = "sidelight_observations_total"
LIVE, SHARE = "sidelight_column_observations_total", "sidelight_column_reference_ratio"
CASES = {
    "SidelightFeatureDrift": [level("sidelight_drift_detected", COLUMN, 1)],
    "SidelightPredictionDrift": [
        level("sidelight_drift_detected", 'column="y", role="prediction", instance="0"', 1)
    ],
    "SidelightFleetDrift": [
        steady(LIVE, f'{COLUMN}, bin="a"', 90), steady(LIVE, f'{COLUMN}, bin="b"', 10),
        level(SHARE, f'{COLUMN}, bin="a"', 0.1), level(SHARE, f'{COLUMN}, bin="b"', 0.9),
    ],
    "SidelightDataQuality": [
        steady(LIVE, f'{COLUMN}, bin="a"', 90), steady(LIVE, f'{COLUMN}, bin="missing"', 10),
        level(SHARE, f'{COLUMN}, bin="a"', 1), level(SHARE, f'{COLUMN}, bin="missing"', 0),
    ],
    "SidelightPerformanceDegraded": [
        steady("sidelight_labels_total", ALL, 10),
        steady("sidelight_squared_error_total", ALL, 160), level("sidelight_rmse", REF, 3),
    ],
    "SidelightNotObserving": [level("sidelight_observing", ON, 0)],
    "SidelightObservationsDropped": [
        steady(OBSERVED, f'{ON}, outcome="observed"', 98),
        steady(OBSERVED, f'{ON}, outcome="dropped"', 2),
    ],
    "SidelightDecodeFailures": [
        steady(OBSERVED, f'{ON}, outcome="observed"', 90),
        steady(OBSERVED, f'{ON}, outcome="failed"', 10),
    ],
    "SidelightNoTraffic": [
        {"series": f"sidelight_requests_total{{{COMMON}, {ON}}}", "values": "0+10x30 300+0x90"}
    ],
    "SidelightDeliveriesFailing": [
        steady("sidelight_alert_deliveries_total", f'{ON}, sink="s", outcome="failed"', 1),
        level("sidelight_alert_deliveries_total", f'{ON}, sink="s", outcome="sent"', 3),
    ],
    "SidelightDown": [{"series": 'up{job="sidelight", instance="0"}', "values": "0+0x120"}],
}  # fmt: skip


@needs_promtool
@pytest.mark.parametrize("name", CASES)
def test_an_alert_fires(tmp_path: Path, rules: list[Path], name: str) -> None:
    fires(tmp_path, rules, name, CASES[name])


@needs_promtool
def test_labels_that_stop_are_missed(tmp_path: Path, rules: list[Path]) -> None:
    given = [
        {"series": f"sidelight_labels_total{{{COMMON}, {ALL}}}", "values": "0+10x60 600+0x600"},
        steady("sidelight_predictions_total", 'instance="0"', 5, 660),
    ]
    run(tmp_path, rules, {
        "input_series": given,
        "promql_expr_test": [
            {
                "expr": 'count(ALERTS{alertname="SidelightNoLabels", alertstate="firing"})',
                "eval_time": moment,
                "exp_samples": samples,
            }
            for moment, samples in (("120m", []), ("600m", [{"labels": "{}", "value": 1}]))
        ],
    })  # fmt: skip


@needs_promtool
def test_a_healthy_fleet_fires_nothing(tmp_path: Path, rules: list[Path]) -> None:
    given = [
        level("sidelight_drift_detected", COLUMN, 0),
        steady(LIVE, f'{COLUMN}, bin="a"', 50), steady(LIVE, f'{COLUMN}, bin="b"', 50),
        level(SHARE, f'{COLUMN}, bin="a"', 0.52), level(SHARE, f'{COLUMN}, bin="b"', 0.48),
        steady("sidelight_labels_total", ALL, 10),
        steady("sidelight_squared_error_total", ALL, 90), level("sidelight_rmse", REF, 3),
        level("sidelight_observing", ON, 1), steady(OBSERVED, f'{ON}, outcome="observed"', 98),
        level(OBSERVED, f'{ON}, outcome="failed"', 0),
        level(OBSERVED, f'{ON}, outcome="dropped"', 0),
        steady("sidelight_requests_total", ON, 100), steady("sidelight_predictions_total", ON, 100),
        level("sidelight_alert_deliveries_total", f'{ON}, sink="s", outcome="failed"', 0),
        {"series": 'up{job="sidelight", instance="0"}', "values": "1+0x120"},
    ]  # fmt: skip
    run(tmp_path, rules, {
        "input_series": given,
        "promql_expr_test": [{"expr": "count(ALERTS)", "eval_time": "100m", "exp_samples": []}],
    })  # fmt: skip
