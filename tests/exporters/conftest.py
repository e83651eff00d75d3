"""A Snapshot with something of everything in it."""

from __future__ import annotations

import pytest

from monitor.snapshot import (
    Alert,
    AlertState,
    ColumnCounts,
    ConfusionCell,
    Health,
    HistogramCounts,
    Performance,
    PerformanceReading,
    PerformanceTotals,
    Reading,
    ReferenceInfo,
    SegmentReading,
    Snapshot,
    Status,
    Traffic,
)


@pytest.fixture
def full_snapshot() -> Snapshot:
    readings = (
        Reading(
            "delay", "feature", "numeric", Status.DRIFT, "psi", 400, 0.5, 0.2, 1e-9,
            {"psi": 0.5, "js": 0.06}, 0.01, 12.5, 30.0,
        ),
        Reading("carrier", "feature", "categorical", Status.WARNING, "psi", 400, 0.15, 0.2, 0.001),
        Reading("prediction", "prediction", "numeric", Status.INSUFFICIENT, "psi", 12, mean=3.0),
    )  # fmt: skip
    counts = (
        ColumnCounts("delay", "feature", ("< 0", ">= 0", "missing"), (3, 0, 1), (0.5, 0.4, 0.1)),
    )
    firing = {"alertname": "SidelightFeatureDrift", "severity": "warning"}
    seconds = HistogramCounts((0.1, 1.0), (4, 3, 2), 7.5)
    return Snapshot(
        'fl"ig\\hts\n', "3", 1000.0, 0.0, 1000.0, 400,
        ReferenceInfo("ready", "abc123", 5000, span=(1_600_000_000, 1_700_000_000)),
        readings,
        counts,
        Performance(
            "binary",
            PerformanceReading(
                300,
                Status.OK,
                {"accuracy": 0.75, "f1": 0.5},
                {"recall": {"yes": 0.4, "no": 0.9}},
                {"accuracy": (0.7, 0.8)},
                0.6,
                (ConfusionCell("yes", "no", 30), ConfusionCell("yes", "yes", 20)),
            ),
            PerformanceReading(280, Status.OK, {"accuracy": 0.7}, labelled_ratio=0.6),
            PerformanceReading(5000, metrics={"accuracy": 0.8, "log_loss": float("nan")}),
            PerformanceReading(400, Status.OK, {"accuracy": 0.7}, intervals={"accuracy": (0.6, 1)}),
            {"accuracy": 0.72},
            PerformanceTotals(300, 225),
            (
                SegmentReading(
                    "carrier",
                    "AA",
                    100,
                    PerformanceReading(90, Status.OK, {"accuracy": 0.9}),
                    PerformanceReading(80, labelled_ratio=0.8),
                    totals=PerformanceTotals(90, 81),
                    drift=Status.DRIFT,
                    drifted=(Reading("x", "feature", "numeric", Status.DRIFT, "js", 100),),
                ),
            ),
        ),
        (
            Alert({**firing, "column": "delay"}, {}, AlertState.FIRING, 1.0, 2.0),
            Alert({**firing, "column": "carrier"}, {}, AlertState.PENDING, 1.0),
        ),
        Health(
            1.0, True, 0.25, True, 1234, {"joined": 300}, seconds, {("hook", "sent"): 2},
            1, 9, 3, 4,
            Traffic({"200": 9, "502": 1}, {("observed", ""): 8, ("failed", "json"): 1}, seconds,
                    seconds, 77),
            events={("taken", ""): 5},
        ),
    )  # fmt: skip
