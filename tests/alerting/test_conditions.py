"""From readings to conditions: what identifies an alert, and what it says."""

from __future__ import annotations

import pytest

from monitor.alerting.conditions import Subject, conditions
from monitor.alerting.ledger import Condition
from monitor.snapshot import Health, Performance, PerformanceReading, Reading, Status

SUBJECT = Subject("flights", "3", "http://127.0.0.1:8001/")
WELL = Health(observing=True)
NOW = 1_000.0


def _conditions(
    *readings: Reading, performance: Performance | None = None, health: Health = WELL
) -> list[Condition]:
    return conditions(SUBJECT, readings, performance or Performance(), health, NOW)


def _moved(role: str, status: Status = Status.DRIFT, column: str = "a b") -> Reading:
    return Reading(
        column, role, "numeric", status, "wasserstein", 1234, 0.5, 0.1, 1e-9,
        explanation="share of a b in [1, 2) rose from 3 % to 11 %",
    )  # fmt: skip


def _performance(metric: str, value: float, threshold: float, rows: int = 500) -> Performance:
    status = Status.OK if rows >= 100 else Status.INSUFFICIENT
    reading = PerformanceReading(rows, status, {metric: value})
    return Performance("binary", reading, thresholds={metric: threshold})


def test_a_drifted_feature_says_what_moved_and_where_to_look() -> None:
    (one,) = _conditions(_moved("feature"))
    assert one.labels == {
        "alertname": "SidelightFeatureDrift",
        "severity": "warning",
        "model": "flights",
        "version": "3",
        "column": "a b",
        "role": "feature",
    }
    assert one.annotations == {
        "summary": "a b has drifted in flights 3",
        "description": "wasserstein 0.5 (threshold 0.1, p 1e-09) over 1,234 rows. "
        "share of a b in [1, 2) rose from 3 % to 11 %",
        "dashboard_url": "http://127.0.0.1:8001/#column=a%20b",
        "runbook_url": "http://127.0.0.1:8001/runbook#sidelightfeaturedrift",
    }


@pytest.mark.parametrize("status", [Status.OK, Status.WARNING, Status.INSUFFICIENT])
def test_only_drift_is_a_condition(status: Status) -> None:
    assert _conditions(_moved("feature", status), _moved("prediction", status)) == []


def test_a_drifted_prediction_has_a_name_of_its_own() -> None:
    (one,) = _conditions(_moved("prediction"))
    assert one.labels["alertname"] == "SidelightPredictionDrift"


@pytest.mark.parametrize(
    ("metric", "value", "threshold", "wrong"),
    [
        ("rmse", 46.0, 45.0, True),
        ("rmse", 44.0, 45.0, False),
        ("accuracy", 0.79, 0.8, True),
        ("accuracy", 0.81, 0.8, False),
        ("roc_auc", 0.5, 0.8, True),
        ("mean_error", -3.0, 2.0, True),
        ("mean_error", -1.0, 2.0, False),
        ("log_loss", 0.7, 0.6, True),
    ],
)
def test_a_metric_knows_which_side_is_worse(
    metric: str, value: float, threshold: float, *, wrong: bool
) -> None:
    found = _conditions(performance=_performance(metric, value, threshold))
    assert [one.labels["alertname"] for one in found] == ["SidelightPerformanceDegraded"] * wrong
    assert all(one.labels["severity"] == "critical" for one in found)


def test_too_few_labels_are_no_verdict() -> None:
    assert _conditions(performance=_performance("rmse", 99.0, 1.0, rows=99)) == []


def test_a_metric_that_is_not_defined_is_no_verdict() -> None:
    performance = Performance("binary", PerformanceReading(500, Status.OK), thresholds={"f1": 0.5})
    assert _conditions(performance=performance) == []


def test_blindness_counts_after_the_start() -> None:
    young = Health(started_at=NOW - 5, observing=False)
    old = Health(started_at=NOW - 60, observing=False)
    assert _conditions(health=young) == []
    (one,) = _conditions(health=old)
    assert (one.labels["alertname"], one.labels["severity"]) == (
        "SidelightNotObserving",
        "critical",
    )
