"""Prometheus recording and alert rules, generated from the catalog and written as YAML.

The sidecar alerts by itself; these rules are for those who have Prometheus, and see what one
sidecar cannot: all replicas together, and a sidecar that is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dashboards.addresses import COLUMNS, HEALTH, OVERVIEW, PERFORMANCE, dashboard_path
from dashboards.expressions import (
    ACCURACY,
    LIVE,
    MODEL,
    PSI,
    REFERENCE,
    RMSE,
    ROWS,
    increase,
    recorded,
    series,
)

WINDOW = "1h"  # as the sidecar's own default; the record names say so
GRAFANA = "http://localhost:3000"  # Grafana's own default
RUNBOOK = "https://github.com/sidelight-monitor/sidelight/blob/main/docs/alerts.md#"
_HEAD = "# Written by `sidelight rules export`; write it again rather than edit it.\n"
_BAD_VALUES = 'bin=~"missing|invalid|unseen"'
_OF_REFERENCE = 'source="reference", segment="all", class=""'
_INSTANCE = f"{MODEL}, job, instance"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One alert: `expression` yields a series for each thing that is wrong."""

    name: str
    expression: str
    hold: str  # Prometheus' `for`
    severity: str
    summary: str
    description: str
    dashboard: str = OVERVIEW
    keep: str = "10m"


def _drift(role: str) -> str:
    matchers = f'role="{role}"'
    return f"max by ({MODEL}, column, role) ({series('drift_detected', matchers)}) == 1"


def _share(outcome: str, over: str) -> str:
    part = increase("observations_total", over, _INSTANCE, f'outcome="{outcome}"')
    return f"{part} / ({increase('observations_total', over, _INSTANCE)} > 0)"


def _deliveries(outcome: str) -> str:
    by, matchers = f"{_INSTANCE}, sink", f'outcome="{outcome}"'
    return increase("alert_deliveries_total", "15m", by, matchers)


def _reference(name: str) -> str:
    return f"max by ({MODEL}) ({series(name, _OF_REFERENCE)})"


ALERTS: tuple[AlertRule, ...] = (
    AlertRule(
        "SidelightFeatureDrift",
        _drift("feature"),
        "2m",
        "warning",
        "{{ $labels.column }} of {{ $labels.model }} has drifted",
        "What comes in for {{ $labels.column }} no longer looks like the reference.",
        COLUMNS,
    ),
    AlertRule(
        "SidelightPredictionDrift",
        _drift("prediction"),
        "2m",
        "warning",
        "{{ $labels.column }} of {{ $labels.model }} has drifted",
        "What the model answers no longer looks like the reference.",
        COLUMNS,
    ),
    AlertRule(
        "SidelightLabelDrift",
        _drift("label"),
        "2m",
        "warning",
        "the labels of {{ $labels.model }} have drifted",
        "What really happened no longer looks like the reference's labels.",
        COLUMNS,
    ),
    AlertRule(
        "SidelightFleetDrift",
        f"{PSI} > 0.2 and {ROWS} > 1000",
        "10m",
        "warning",
        "{{ $labels.column }} of {{ $labels.model }} has drifted over all replicas",
        'PSI of all replicas together is {{ $value | printf "%.3f" }}, over 0.2.',
        COLUMNS,
    ),
    AlertRule(
        "SidelightDataQuality",
        f"sum by ({MODEL}, column, role) ({LIVE}{{{_BAD_VALUES}}}) "
        f"- sum by ({MODEL}, column, role) ({REFERENCE}{{{_BAD_VALUES}}}) > 0.05 "
        f"and {ROWS} > 100",
        "5m",
        "warning",
        "{{ $labels.column }} of {{ $labels.model }} holds bad values",
        "{{ $value | humanizePercentage }} more of its rows than in the reference are missing, "
        "invalid or unseen.",
        COLUMNS,
    ),
    AlertRule(
        "SidelightPerformanceDegraded",
        f"{RMSE} > 1.2 * {_reference('rmse')} or {ACCURACY} < {_reference('accuracy')} - 0.05",
        "10m",
        "critical",
        "{{ $labels.model }} has become worse",
        'RMSE is 20% over, or accuracy 0.05 under the reference: now {{ $value | printf "%.4g" }}.',
        PERFORMANCE,
    ),
    AlertRule(
        "SidelightNoLabels",
        f"{increase('labels_total', '6h')} == 0 and {increase('labels_total', '7d')} > 0 "
        f"and {increase('predictions_total', '6h')} > 0",
        "30m",
        "warning",
        "no labels for {{ $labels.model }} any more",
        "Predictions go on, but no label has been joined for six hours.",
        PERFORMANCE,
    ),
    AlertRule(
        "SidelightNotObserving",
        f"min by ({_INSTANCE}) ({series('observing')}) == 0",
        "2m",
        "critical",
        "{{ $labels.instance }} observes nothing",
        "Traffic still flows, but nothing of it is being looked at.",
        HEALTH,
    ),
    AlertRule(
        "SidelightObservationsDropped",
        f"{_share('dropped', '15m')} > 0.01",
        "10m",
        "warning",
        "{{ $labels.instance }} drops observations",
        "{{ $value | humanizePercentage }} of the exchanges did not fit into the queue.",
        HEALTH,
    ),
    AlertRule(
        "SidelightDecodeFailures",
        f"{_share('failed', '15m')} > 0.05",
        "10m",
        "warning",
        "{{ $labels.instance }} cannot read what it sees",
        "{{ $value | humanizePercentage }} of the exchanges could not be decoded.",
        HEALTH,
    ),
    AlertRule(
        "SidelightNoTraffic",
        f"{increase('requests_total', '15m')} == 0 and {increase('requests_total', '1d')} > 0",
        "15m",
        "warning",
        "no traffic for {{ $labels.model }}",
        "No request has come through for a quarter of an hour.",
    ),
    AlertRule(
        "SidelightDeliveriesFailing",
        f"{_deliveries('failed')} > 0 unless {_deliveries('sent')} > 0",
        "15m",
        "critical",
        "{{ $labels.sink }} does not take alerts",
        "Every alert message of the last quarter of an hour failed.",
        HEALTH,
    ),
    AlertRule(
        "SidelightDown",
        'up{job=~".*sidelight.*"} == 0',
        "5m",
        "critical",
        "{{ $labels.instance }} does not answer scrapes",
        "The control port is not reachable; the relay may still serve.",
        HEALTH,
    ),
)  # fmt: skip


def export_rules(directory: Path, grafana_url: str = GRAFANA) -> list[Path]:
    """Write the rule files into `directory`, made where it is missing; gives their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, group in rule_groups(grafana_url).items():
        path = directory / f"{name}.yml"
        path.write_text(_HEAD + _yaml({"groups": [group]}), encoding="utf-8")
        written.append(path)
    return written


def rule_groups(grafana_url: str = GRAFANA) -> dict[str, dict[str, Any]]:
    """File name → its one group; the alerts point to dashboards at `grafana_url`."""
    records = [
        {"record": name, "expr": expression} for name, expression in recorded(WINDOW).items()
    ]
    return {
        "sidelight-recording": {"name": "sidelight-recording", "rules": records},
        "sidelight-alerts": {"name": "sidelight-alerts", "rules": list(_alerts(grafana_url))},
    }


def _alerts(grafana_url: str) -> Iterator[dict[str, Any]]:
    for rule in ALERTS:
        yield {
            "alert": rule.name,
            "expr": rule.expression,
            "for": rule.hold,
            "keep_firing_for": rule.keep,
            "labels": {"severity": rule.severity},
            "annotations": {
                "summary": rule.summary,
                "description": rule.description,
                "runbook_url": RUNBOOK + rule.name.lower(),
                "dashboard_url": grafana_url.rstrip("/") + _dashboard(rule.dashboard),
            },
        }


def _dashboard(uid: str) -> str:
    """With the alert's own labels as variables, as far as such an alert has them."""
    names = {COLUMNS: ("model", "version", "column", "role"), HEALTH: ("job", "instance")}
    labels = names.get(uid, ("model", "version"))
    return dashboard_path(uid, **{name: f"{{{{ $labels.{name} | urlquery }}}}" for name in labels})


def _yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
