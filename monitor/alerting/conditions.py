"""From readings to what alerts are made of: labels that identify, words that explain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from monitor.alerting.ledger import Condition
from monitor.snapshot import Health, Performance, Reading, Status

FEATURE_DRIFT = "SidelightFeatureDrift"
PREDICTION_DRIFT = "SidelightPredictionDrift"
DATA_QUALITY = "SidelightDataQuality"
PERFORMANCE_DEGRADED = "SidelightPerformanceDegraded"
NOT_OBSERVING = "SidelightNotObserving"

STARTING_SECONDS = 10.0  # relays report within the first ones

_CRITICAL = frozenset({PERFORMANCE_DEGRADED, NOT_OBSERVING})
_DRIFT_ALERT = {"feature": FEATURE_DRIFT, "prediction": PREDICTION_DRIFT}
_LOWER_IS_WORSE = frozenset({"accuracy", "precision", "recall", "f1", "roc_auc", "r2"})


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose alerts these are, and where a person can look."""

    model: str
    version: str
    page_url: str = ""


def conditions(
    subject: Subject,
    readings: tuple[Reading, ...],
    performance: Performance,
    health: Health,
    now: float,
) -> list[Condition]:
    """Everything that is wrong now."""
    return [
        *_drift(subject, readings),
        *_quality(subject, readings),
        *_performance(subject, performance),
        *_health(subject, health, now),
    ]


def _drift(subject: Subject, readings: tuple[Reading, ...]) -> Iterator[Condition]:
    for reading in readings:
        name = _DRIFT_ALERT.get(reading.role)
        if reading.status is Status.DRIFT and name is not None and reading.score is not None:
            surprise = "" if reading.p_value is None else f", p {reading.p_value:.2g}"
            yield _condition(
                subject,
                name,
                f"{reading.column} has drifted in {subject.model} {subject.version}",
                f"{reading.method} {reading.score:.3g} (threshold {reading.threshold:.3g}"
                f"{surprise}) over {reading.rows:,} rows. {reading.explanation}".strip(),
                {"column": reading.column, "role": reading.role},
            )


def _quality(subject: Subject, readings: tuple[Reading, ...]) -> Iterator[Condition]:
    for reading in readings:
        if reading.quality:
            yield _condition(
                subject,
                DATA_QUALITY,
                f"{reading.column} has faulty values in {subject.model} {subject.version}",
                f"{'; '.join(reading.quality)}, over {reading.rows:,} rows.",
                {"column": reading.column, "role": reading.role},
            )


def _performance(subject: Subject, performance: Performance) -> Iterator[Condition]:
    realised = performance.realised
    if realised.status is Status.INSUFFICIENT:
        return
    for metric, threshold in performance.thresholds.items():
        value = realised.metrics.get(metric)
        if value is None or not _beyond(metric, value, threshold):
            continue
        before = performance.reference.metrics.get(metric) if performance.reference else None
        beside = "" if before is None else f"; {before:.4g} on the reference"
        yield _condition(
            subject,
            PERFORMANCE_DEGRADED,
            f"{metric} of {subject.model} {subject.version} is {value:.4g}",
            f"{metric} {value:.4g}, threshold {threshold:.4g}{beside}, "
            f"over {realised.rows:,} labels.",
            {"metric": metric},
        )


def _health(subject: Subject, health: Health, now: float) -> Iterator[Condition]:
    if not health.observing and now - health.started_at > STARTING_SECONDS:
        yield _condition(
            subject,
            NOT_OBSERVING,
            f"the traffic of {subject.model} {subject.version} is not observed",
            "No relay worker has reported for some seconds. Traffic may still flow.",
            {},
        )


def _beyond(metric: str, value: float, threshold: float) -> bool:
    if metric in _LOWER_IS_WORSE:
        return value < threshold
    return (abs(value) if metric == "mean_error" else value) > threshold


def _condition(
    subject: Subject, name: str, summary: str, description: str, labels: Mapping[str, str]
) -> Condition:
    annotations = {"summary": summary, "description": description}
    if subject.page_url:
        column = labels.get("column")
        anchor = f"#column={quote(column, safe='')}" if column else ""
        annotations["dashboard_url"] = subject.page_url + anchor
        annotations["runbook_url"] = f"{subject.page_url}runbook#{name.lower()}"
    return Condition(
        {
            "alertname": name,
            "severity": "critical" if name in _CRITICAL else "warning",
            "model": subject.model,
            "version": subject.version,
            **labels,
        },
        annotations,
    )
