"""The exporter: what prometheus_client would write, what promtool accepts, once a Snapshot."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest as client_text
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import exposition, parser
from prometheus_client.parser import text_string_to_metric_families as parse
from prometheus_client.registry import Collector

from exporters.catalog import METRICS, PERFORMANCE_METRICS
from exporters.exposition import MAX_LABEL_BYTES, label_value, negotiate
from exporters.prometheus import PrometheusExporter, SnapshotCollector
from monitor.snapshot import (
    ColumnCounts,
    HistogramCounts,
    Performance,
    PerformanceReading,
    Reading,
    Snapshot,
    Status,
)

client_open_metrics: Callable[[Collector], bytes] = exposition.generate_latest
parse_open: Callable[[str], Iterable[Metric]] = parser.text_string_to_metric_families

OPEN = "application/openmetrics-text; version=1.0.0"
EMPTY = Snapshot("m", "1", 0.0, 0.0, 0.0, 0)


def samples(snapshot: Snapshot, series_limit: int = 10_000) -> dict[str, float]:
    """name{labels but model and version} → value."""
    body, _ = PrometheusExporter(lambda: snapshot, series_limit=series_limit).render()
    found = {}
    for family in parse(body.decode()):
        for one in family.samples:
            own = {k: v for k, v in one.labels.items() if k not in {"model", "version"}}
            assert len(own) == len(one.labels) - 2, "model and version are on every series"
            key = one.name + "".join(f",{k}={v}" for k, v in sorted(own.items()))
            assert key not in found, "a series stands once"
            found[key] = one.value
    return found


def test_the_bytes_are_those_of_prometheus_client(full_snapshot: Snapshot) -> None:
    exporter = PrometheusExporter(lambda: full_snapshot)
    collector = SnapshotCollector(lambda: full_snapshot)
    assert exporter.render()[0] == client_text(collector)
    assert exporter.render(OPEN)[0] == client_open_metrics(collector)


def test_values_are_the_snapshots(full_snapshot: Snapshot) -> None:
    found = samples(full_snapshot)
    delay = ",column=delay"
    expected = {
        "sidelight_requests_total,code=502": 1,
        "sidelight_request_duration_seconds_bucket,le=0.1": 4,
        "sidelight_request_duration_seconds_bucket,le=1.0": 7,
        "sidelight_request_duration_seconds_bucket,le=+Inf": 9,
        "sidelight_request_duration_seconds_count": 9,
        "sidelight_request_duration_seconds_sum": 7.5,
        "sidelight_observations_total,outcome=failed,reason=json": 1,
        "sidelight_predictions_total": 1234,
        f"sidelight_column_observations_total,bin=< 0{delay},role=feature": 3,
        f"sidelight_column_observations_total,bin=>= 0{delay},role=feature": 0,
        f"sidelight_column_reference_ratio,bin=missing{delay},role=feature": 0.1,
        f"sidelight_drift_score{delay},method=psi,role=feature": 0.5,
        f"sidelight_drift_score{delay},method=js,role=feature": 0.06,
        f"sidelight_drift_threshold{delay},method=psi,role=feature": 0.2,
        f"sidelight_drift_p_value{delay},role=feature": 1e-9,
        f"sidelight_drift_detected{delay},role=feature": 1,
        "sidelight_drift_detected,column=carrier,role=feature": 0,
        "sidelight_drift_warning,column=carrier,role=feature": 1,
        "sidelight_column_mean,column=prediction,role=prediction": 3.0,
        "sidelight_window_rows,role=label": 300,
        "sidelight_accuracy,segment=all,source=realised": 0.75,
        "sidelight_accuracy,segment=all,source=reference": 0.8,
        "sidelight_recall,class=yes,segment=all,source=realised": 0.4,
        "sidelight_labels_total,segment=all": 300,
        "sidelight_correct_predictions_total,segment=all": 225,
        "sidelight_feedback_total,outcome=joined": 300,
        "sidelight_feedback_total,outcome=orphaned": 0,
        "sidelight_alerts_firing,alert=SidelightFeatureDrift,severity=warning": 1,
        "sidelight_alert_deliveries_total,outcome=sent,sink=hook": 2,
        "sidelight_observing": 1,
        "sidelight_queue_bytes": 77,
        "sidelight_series_dropped_total": 4,
        "sidelight_reference_info,digest=abc123,rows=5000": 1,
        "sidelight_reference_data_timestamp_seconds,bound=start": 1_600_000_000,
        "sidelight_reference_data_timestamp_seconds,bound=end": 1_700_000_000,
    }
    assert {key: found.get(key) for key in expected} == expected


def test_what_is_not_known_is_absent(full_snapshot: Snapshot) -> None:
    found = samples(full_snapshot)
    assert not [k for k in found if k.startswith("sidelight_drift") and "=prediction" in k]
    assert not [k for k in found if "log_loss" in k], "a value that is no number"
    assert not [k for k in found if "absolute_error" in k], "the task is not regression"
    empty = samples(EMPTY)
    forbidden = ("drift", "column", "accuracy", "rmse", "labels_total", "reference", "duration")
    assert not [key for key in empty if any(word in key for word in forbidden)]


def test_realised_scores_on_too_few_labels_are_absent() -> None:
    few = PerformanceReading(3, Status.INSUFFICIENT, {"rmse": 1.0})
    found = samples(replace(EMPTY, performance=Performance("regression", few)))
    assert not [key for key in found if key.startswith("sidelight_rmse")]
    assert found["sidelight_squared_error_total,segment=all"] == 0


def test_every_metric_of_the_catalog_can_appear(full_snapshot: Snapshot) -> None:
    scores = dict.fromkeys(PERFORMANCE_METRICS, 1.0)
    regression = Performance("regression", PerformanceReading(9, Status.OK, scores))
    bodies = [
        PrometheusExporter(lambda each=each: each).render()[0].decode()  # type: ignore[misc]
        for each in (full_snapshot, replace(full_snapshot, performance=regression))
    ]
    text = "".join(bodies)
    missing = [m.full_name for m in METRICS if f"# TYPE {m.full_name} " not in text]
    assert missing == []


def test_performance_by_segment_with_its_intervals_and_labelled_share(
    full_snapshot: Snapshot,
) -> None:
    text = PrometheusExporter(lambda: full_snapshot).render()[0].decode()
    for line in (
        'segment="all",source="realised"',
        'metric="accuracy",segment="all",source="realised"',
        'metric="accuracy",segment="all",source="estimated"',
        'segment="carrier=AA",source="realised"',
    ):
        parts = line.split(",")
        assert any(all(part in one for part in parts) for one in text.splitlines()), line
    series = {line.rsplit(" ", 1)[0]: line.rsplit(" ", 1)[1] for line in text.splitlines()}
    told = {
        name.split("{")[0].removeprefix("sidelight_"): float(value)
        for name, value in series.items()
        if 'segment="carrier=AA"' in name
    }
    assert told == {
        "accuracy": 0.9,
        "labels_total": 90,
        "correct_predictions_total": 81,
        "labelled_ratio": 0.8,
        "segment_columns_drifted": 1,
    }


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_finds_nothing(full_snapshot: Snapshot) -> None:
    body, _ = PrometheusExporter(lambda: full_snapshot).render()
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=body, capture_output=True, check=False, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_open_metrics_parses_strictly(full_snapshot: Snapshot) -> None:
    body, content_type = PrometheusExporter(lambda: full_snapshot).render(OPEN)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    families = list(parse_open(body.decode()))
    assert {family.name for family in families} >= {"sidelight_requests", "sidelight_build"}


@pytest.mark.parametrize(
    ("accept", "open_metrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        (OPEN, True),
        ("application/openmetrics-text;q=0.5, text/plain;version=0.0.4;q=0.6", False),
        ("APPLICATION/OpenMetrics-Text; q=0", False),
        ("application/openmetrics-text;q=nonsense", False),
        (
            "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            True,
        ),
    ],
)
def test_negotiation(accept: str, open_metrics: bool) -> None:
    assert negotiate(accept).open_metrics is open_metrics


def test_scrapers_at_once_cost_one_rendering(full_snapshot: Snapshot) -> None:
    exporter = PrometheusExporter(lambda: full_snapshot)
    bodies: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: bodies.append(exporter.render()[0])) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bodies) == 20
    assert all(body is bodies[0] for body in bodies)


def test_a_new_snapshot_is_rendered_anew() -> None:
    published = [replace(EMPTY, window_rows=1)]
    exporter = PrometheusExporter(lambda: published[0])
    first, _ = exporter.render()
    published[0] = replace(EMPTY, window_rows=2)
    assert b'sidelight_window_rows{model="m",role="feature",version="1"} 1.0' in first
    assert (
        b'sidelight_window_rows{model="m",role="feature",version="1"} 2.0' in exporter.render()[0]
    )


def test_registering_the_collector_needs_no_snapshot() -> None:
    def none() -> Snapshot:
        raise AssertionError("asked at registration")

    CollectorRegistry().register(SnapshotCollector(none))


def wide(columns: int, bins: int) -> Snapshot:
    names = tuple(f"[{i}, {i + 1})" for i in range(bins))
    return replace(
        EMPTY,
        readings=tuple(
            Reading(f"c{i}", "feature", "numeric", Status.OK, "psi", 9, 0.1, 0.2, 0.5)
            for i in range(columns)
        ),
        counts=tuple(
            ColumnCounts(f"c{i}", "feature", names, (1,) * bins, (1 / bins,) * bins)
            for i in range(columns)
        ),
    )


@pytest.mark.parametrize("limit", [50, 100, 700, 2_000])
def test_the_limit_on_series_holds_and_keeps_columns_whole(limit: int) -> None:
    found = samples(wide(100, 10), limit)
    assert len(found) <= limit
    everything = samples(wide(100, 10), 1_000_000)
    assert found["sidelight_series_dropped_total"] == len(everything) - len(found)
    for i in range(100):
        of_column = [key for key in found if f",column=c{i}," in key and ",bin=" in key]
        assert len(of_column) in {0, 20}, "some of a column's bins would give a wrong PSI"
    scores = [key for key in found if key.startswith("sidelight_drift_score")]
    if any(",bin=" in key for key in found):
        assert len(scores) == 100, "bins go before scores"


def test_dropped_series_never_fall() -> None:
    published = [wide(100, 10)]
    exporter = PrometheusExporter(lambda: published[0], series_limit=700)
    exporter.render()
    published[0] = EMPTY
    line = next(
        x for x in exporter.render()[0].decode().splitlines() if x.startswith("sidelight_series_d")
    )
    assert float(line.rpartition(" ")[2]) == len(samples(wide(100, 10), 1_000_000)) - len(
        samples(wide(100, 10), 700)
    )


@given(st.text(max_size=300))
def test_any_text_is_a_label(text: str) -> None:
    counts = (ColumnCounts(text, "feature", ("a", text + "!"), (1, 2), (0.5, 0.5)),)
    snapshot = replace(EMPTY, counts=counts)
    assert len(label_value(text).encode()) <= MAX_LABEL_BYTES
    assert PrometheusExporter(lambda: snapshot).render()[0] == client_text(
        SnapshotCollector(lambda: snapshot)
    )
    assert len([key for key in samples(snapshot) if ",column=" in key]) == 4


def test_a_lone_surrogate_does_not_break_a_scrape() -> None:
    counts = (ColumnCounts("\ud800", "feature", ("\udfff",), (1,), (1.0,)),)
    assert any("\\ud800" in key for key in samples(replace(EMPTY, counts=counts)))


def test_long_names_that_differ_at_their_end_stay_two_series() -> None:
    assert label_value("a" * 500 + "1") != label_value("a" * 500 + "2")


def test_a_histogram_that_does_not_add_up_is_absent() -> None:
    broken = replace(EMPTY.health, label_delay=HistogramCounts((1.0, 2.0), (1, 2), 3.0))
    assert not [key for key in samples(replace(EMPTY, health=broken)) if "label_delay" in key]
