"""A Snapshot as families of series, in the order of the catalog and within the limit on series.

Knows the Snapshot and the catalog; knows nothing of text formats. What the Snapshot lacks is
absent, never zero: a column without enough rows has no score.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from exporters.catalog import METRICS, Metric
from exporters.performance import class_blocks, performance_series, segment_blocks
from exporters.sample import Block, Labels, Series, counter, gauge
from monitor.snapshot import (
    AlertState,
    ColumnCounts,
    HistogramCounts,
    Reading,
    Snapshot,
    Status,
)

_FEEDBACK_OUTCOMES = (
    "joined", "pending", "duplicate", "corrected", "expired", "orphaned", "rejected",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Family:
    """All series of one metric."""

    metric: Metric
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is exported of a Snapshot, and how many of its series the limit cut off."""

    common: Labels  # on every series, besides its own
    families: tuple[Family, ...]
    dropped: int


def select(snapshot: Snapshot, series_limit: int, dropped_before: int = 0) -> Selection:
    """The families of `snapshot`, cut to `series_limit` series.

    `dropped_before` is the most that was dropped of an earlier Snapshot, since a counter never
    falls.

    Whole blocks are dropped, the least needed first: the bins of the last columns, since a column
    with some of its bins would give a wrong PSI; then the last columns' scores. The order is the
    Snapshot's own, so that the same columns stay from scrape to scrape.
    """
    common = (("model", snapshot.model), ("version", snapshot.version))
    kept: dict[str, list[Series]] = {metric.name: [] for metric in METRICS}
    room = series_limit - 1  # one for series_dropped_total itself
    dropped = 0
    for block in _blocks(snapshot):
        if len(block) > room:
            dropped += len(block)
            continue
        room -= len(block)
        for name, series in block:
            kept[name].append(series)
    total = snapshot.health.series_dropped + max(dropped, dropped_before)
    kept["series_dropped_total"].append(Series("_total", (), total))
    families = (Family(metric, tuple(kept[metric.name])) for metric in METRICS)
    return Selection(common, tuple(family for family in families if family.series), dropped)


def _blocks(snapshot: Snapshot) -> Iterator[Block]:
    yield [*_traffic(snapshot), *_health(snapshot), *_feedback(snapshot), *_info()]
    whole = performance_series(snapshot.performance)
    yield [*_reference(snapshot), *_window(snapshot), *whole, *_alerts(snapshot)]
    for reading in snapshot.readings:
        yield list(_reading(reading))
    yield from segment_blocks(snapshot.performance)
    yield from class_blocks(snapshot.performance)
    for counts in snapshot.counts:
        yield list(_bins(counts))


def _histogram(name: str, counts: HistogramCounts) -> Iterator[tuple[str, Series]]:
    if not counts.bounds or len(counts.counts) != len(counts.bounds) + 1:
        return
    total = 0
    for bound, count in zip((*counts.bounds, math.inf), counts.counts, strict=True):
        total += count
        yield name, Series("_bucket", (("le", _bound(bound)),), total)
    yield name, Series("_count", (), total)
    yield name, Series("_sum", (), counts.sum)


def _bound(bound: float) -> str:
    return "+Inf" if bound == math.inf else repr(float(bound))


def _traffic(snapshot: Snapshot) -> Iterator[tuple[str, Series]]:
    traffic = snapshot.health.traffic
    for code, requests in sorted(traffic.requests.items()):
        yield from counter("requests_total", requests, (("code", code),))
    yield from _histogram("request_duration_seconds", traffic.duration)
    yield from _histogram("relay_overhead_seconds", traffic.overhead)
    for (outcome, reason), exchanges in sorted(traffic.outcomes.items()):
        labels = (("outcome", outcome), ("reason", reason))
        yield from counter("observations_total", exchanges, labels)
    yield from gauge("queue_bytes", traffic.queue_bytes)


def _health(snapshot: Snapshot) -> Iterator[tuple[str, Series]]:
    health = snapshot.health
    yield from counter("predictions_total", health.predictions)
    yield from gauge("observing", int(health.observing))
    yield from gauge("observer_lag_seconds", health.observer_lag_seconds)
    yield from counter("store_errors_total", health.store_errors)
    yield from counter("store_dropped_rows_total", health.store_dropped_rows)
    yield from counter("id_conflicts_total", health.id_conflicts)
    parts = ("rules", health.reloads), ("certificates", health.traffic.certificates)
    for part, reloads in parts:
        yield from gauge("config_valid", int(reloads.valid), (("part", part),))
        yield from counter("config_reload_failures_total", reloads.failures, (("part", part),))
    for (outcome, reason), events in sorted(health.events.items()):
        yield from counter("events_total", events, (("outcome", outcome), ("reason", reason)))
    for (sink, outcome), messages in sorted(health.deliveries.items()):
        labels = (("sink", sink), ("outcome", outcome))
        yield from counter("alert_deliveries_total", messages, labels)


def _feedback(snapshot: Snapshot) -> Iterator[tuple[str, Series]]:
    feedback = snapshot.health.feedback
    for outcome in sorted({*_FEEDBACK_OUTCOMES, *feedback}):
        yield from counter("feedback_total", feedback.get(outcome, 0), (("outcome", outcome),))
    yield from _histogram("label_delay_seconds", snapshot.health.label_delay)


def _info() -> Iterator[tuple[str, Series]]:
    labels = (("release", _release()), ("python", platform.python_version()))
    yield "build_info", Series("_info", labels, 1)


@cache
def _release() -> str:
    try:
        return version("sidelight")
    except PackageNotFoundError:
        return "unknown"


def _reference(snapshot: Snapshot) -> Iterator[tuple[str, Series]]:
    reference = snapshot.reference
    if reference.state == "ready":
        labels = (("digest", reference.digest), ("rows", str(reference.rows)))
        yield "reference_info", Series("_info", labels, 1)
        for bound, at in zip(("start", "end"), reference.span or (), strict=False):
            yield from gauge("reference_data_timestamp_seconds", at, (("bound", bound),))


def _window(snapshot: Snapshot) -> Iterator[tuple[str, Series]]:
    for role in ("feature", "prediction"):
        yield from gauge("window_rows", snapshot.window_rows, (("role", role),))
    yield from gauge("window_rows", snapshot.performance.realised.rows, (("role", "label"),))


def _alerts(snapshot: Snapshot) -> Iterator[tuple[str, Series]]:
    firing: dict[Labels, int] = {}
    for alert in snapshot.alerts:
        labels: Labels = (
            ("alert", alert.labels.get("alertname", "")),
            ("severity", alert.labels.get("severity", "")),
        )
        firing[labels] = firing.get(labels, 0) + (alert.state is AlertState.FIRING)
    for labels, count in sorted(firing.items()):
        yield from gauge("alerts_firing", count, labels)


def _reading(reading: Reading) -> Iterator[tuple[str, Series]]:
    labels = (("column", reading.column), ("role", reading.role))
    yield from gauge("column_missing_ratio", reading.missing_ratio, labels)
    yield from gauge("column_mean", reading.mean, labels)
    yield from gauge("column_stddev", reading.stddev, labels)
    if reading.status is Status.INSUFFICIENT:
        return
    for method, score in _scores(reading).items():
        yield from gauge("drift_score", score, (*labels, ("method", method)))
    method_labels = (*labels, ("method", reading.method))
    yield from gauge("drift_threshold", reading.threshold, method_labels)
    yield from gauge("drift_p_value", reading.p_value, labels)
    moved = reading.status in (Status.WARNING, Status.DRIFT)
    yield from gauge("drift_warning", int(moved), labels)
    yield from gauge("drift_detected", int(reading.status is Status.DRIFT), labels)


def _scores(reading: Reading) -> Mapping[str, float]:
    if reading.score is None:
        return reading.scores
    return {**reading.scores, reading.method: reading.score}


def _bins(counts: ColumnCounts) -> Iterable[tuple[str, Series]]:
    column = (("column", counts.column), ("role", counts.role))
    for name, observed in zip(counts.bins, counts.observed, strict=False):
        labels = (*column, ("bin", name))
        yield "column_observations_total", Series("_total", labels, observed)
    for name, share in zip(counts.bins, counts.reference, strict=False):
        yield from gauge("column_reference_ratio", share, (*column, ("bin", name)))
