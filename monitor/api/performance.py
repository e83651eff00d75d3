"""Performance as the JSON that the control API answers with."""

from __future__ import annotations

from typing import Any

from monitor.api.views import column_reading, moment
from monitor.snapshot import (
    ErrorShift,
    LabelsOverdue,
    PerformanceReading,
    SegmentReading,
    Snapshot,
)

Json = dict[str, Any]


def performance(snapshot: Snapshot) -> Json:
    """Realised performance, beside the reference's own and what was estimated."""
    found = snapshot.performance
    return {
        "task": found.task,
        "restoring": found.restoring,
        "evaluated_at": moment(snapshot.evaluated_at),
        "realised": _scores(found.realised),
        "by_prediction_time": _scores(found.by_prediction_time),
        "reference": _scores(found.reference) if found.reference else None,
        "estimated": _scores(found.estimated) if found.estimated else None,
        "thresholds": dict(found.thresholds),
        "error_shift": _shift(found.shift) if found.shift else None,
        "labels_overdue": _overdue(found.overdue) if found.overdue else None,
        "segments": [_segment(segment) for segment in found.segments],
    }


def _scores(reading: PerformanceReading) -> Json:
    return {
        **reading.metrics,
        "rows": reading.rows,
        "status": str(reading.status),
        "labelled_ratio": reading.labelled_ratio,
        "intervals": {name: list(pair) for name, pair in reading.intervals.items()},
        "by_class": {name: dict(values) for name, values in reading.by_class.items()},
        "confusion": [
            {"label": one.label, "prediction": one.prediction, "rows": one.rows}
            for one in reading.confusion
        ],
    }


def _segment(segment: SegmentReading) -> Json:
    return {
        "segment": segment.name,
        "column": segment.column,
        "value": segment.value,
        "rows": segment.rows,
        "realised": _scores(segment.realised),
        "by_prediction_time": _scores(segment.by_prediction_time),
        "reference": _scores(segment.reference) if segment.reference else None,
        "drift": str(segment.drift) if segment.drift else None,
        "drifted": [column_reading(reading) for reading in segment.drifted],
    }


def _shift(shift: ErrorShift) -> Json:
    return {
        "at": moment(shift.at),
        "before": shift.before,
        "since": shift.since,
        "rows": shift.rows,
    }


def _overdue(overdue: LabelsOverdue) -> Json:
    return {
        "rows": overdue.rows,
        "wait_seconds": overdue.wait_seconds,
        "last_label_at": moment(overdue.last_at),
    }
