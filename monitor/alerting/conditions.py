"""From readings to what alerts are made of: labels that identify, words that explain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from monitor.alerting.ledger import Condition
from monitor.snapshot import Health, Performance, Reading, Status
from monitor.statistics.direction import beyond

FEATURE_DRIFT = "SidelightFeatureDrift"
PREDICTION_DRIFT = "SidelightPredictionDrift"
LABEL_DRIFT = "SidelightLabelDrift"
DATA_QUALITY = "SidelightDataQuality"
PERFORMANCE_DEGRADED = "SidelightPerformanceDegraded"
NO_LABELS = "SidelightNoLabels"
NOT_OBSERVING = "SidelightNotObserving"

STARTING_SECONDS = 10.0  # relays report within the first ones

_CRITICAL = frozenset({PERFORMANCE_DEGRADED, NOT_OBSERVING})
_DRIFT_ALERT = {"feature": FEATURE_DRIFT, "prediction": PREDICTION_DRIFT, "label": LABEL_DRIFT}


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
        *_segments(subject, readings, performance),
        *_performance(subject, performance),
        *_shift(subject, performance),
        *_labels(subject, performance, now),
        *_health(subject, health, now),
    ]


def _drift(subject: Subject, readings: tuple[Reading, ...]) -> Iterator[Condition]:
    for reading in readings:
        if reading.status is Status.DRIFT:
            yield from _drifted(subject, reading)


def _drifted(subject: Subject, reading: Reading, segment: str = "") -> Iterator[Condition]:
    name = _DRIFT_ALERT.get(reading.role)
    if name is None or reading.score is None:
        return
    surprise = "" if reading.p_value is None else f", p {reading.p_value:.2g}"
    where = f" where {segment}" if segment else ""
    yield _condition(
        subject,
        name,
        f"{reading.column} has drifted{where} in {subject.model} {subject.version}",
        f"{reading.method} {reading.score:.3g} (threshold {reading.threshold:.3g}"
        f"{surprise}) over {reading.rows:,} rows. {reading.explanation}".strip(),
        {"column": reading.column, "role": reading.role}
        | ({"segment": segment} if segment else {}),
    )


def _segments(
    subject: Subject, readings: tuple[Reading, ...], performance: Performance
) -> Iterator[Condition]:
    """What drifts in a segment and not in the whole: that would be told many times over."""
    whole = {(one.column, one.role) for one in readings if one.status is Status.DRIFT}
    for segment in performance.segments:
        for reading in segment.drifted:
            if (reading.column, reading.role) not in whole:
                yield from _drifted(subject, reading, segment.name)


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
        if value is None or not beyond(metric, value, threshold):
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


def _shift(subject: Subject, performance: Performance) -> Iterator[Condition]:
    shift = performance.shift
    if shift is None:
        return
    what = "mean absolute error" if performance.task == "regression" else "share of wrong answers"
    yield _condition(
        subject,
        PERFORMANCE_DEGRADED,
        f"the errors of {subject.model} {subject.version} have risen",
        f"{what} {shift.since:.4g} in the newest labels, {shift.before:.4g} before, by a "
        f"sequential test over {shift.rows:,} labels in the order they came.",
        {"metric": "error_shift"},
    )


def _labels(subject: Subject, performance: Performance, now: float) -> Iterator[Condition]:
    overdue = performance.overdue
    if overdue is None:
        return
    last = (
        "no label ever came"
        if overdue.last_at is None
        else f"the last label came {_span(now - overdue.last_at)} ago"
    )
    yield _condition(
        subject,
        NO_LABELS,
        f"no labels come for {subject.model} {subject.version}",
        f"{overdue.rows:,} predictions are older than {_span(overdue.wait_seconds)} and should "
        f"have theirs; {last}.",
        {},
    )


def _span(seconds: float) -> str:
    """So long, in the unit that reads best.

    >>> _span(90), _span(7200), _span(260000)
    ('90 s', '2 h', '3 d')
    """
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _health(subject: Subject, health: Health, now: float) -> Iterator[Condition]:
    if not health.observing and now - health.started_at > STARTING_SECONDS:
        yield _condition(
            subject,
            NOT_OBSERVING,
            f"the traffic of {subject.model} {subject.version} is not observed",
            "No relay worker has reported for some seconds. Traffic may still flow.",
            {},
        )


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
