"""A Snapshot as the JSON that the control API answers with: pure functions, one a question.

`schemas` describes the same shapes for readers; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson
from numpy.typing import ArrayLike, NDArray

from monitor.api.ports import PredictedRow
from monitor.history import ScoreHistory
from monitor.records.label import Label
from monitor.snapshot import (
    Alert,
    Reading,
    ReferenceInfo,
    Snapshot,
)

Json = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_300_799.0  # the end of the year 9999


def dump(document: object) -> bytes:
    """JSON bytes of any view: non-finite numbers become null, lone surrogates become `?`."""
    try:
        return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:
        return orjson.dumps(_clean(document), option=orjson.OPT_SERIALIZE_NUMPY)


def _clean(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {str(_clean(str(key))): _clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float(value)
    return value


def moment(seconds: float | None) -> str | None:
    """Unix seconds in RFC 3339, to the millisecond; None where nothing has happened yet.

    >>> moment(1_700_000_000.5), moment(0.0)
    ('2023-11-14T22:13:20.500Z', None)
    """
    if seconds is None or not 0 < seconds <= _LAST:
        return None
    return (_EPOCH + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")[:-6] + "Z"


def drift(snapshot: Snapshot) -> Json:
    """Every column against the reference."""
    return {
        "model": snapshot.model,
        "version": snapshot.version,
        "evaluated_at": moment(snapshot.evaluated_at),
        "window": _window(snapshot),
        "reference": _reference(snapshot.reference),
        "columns": [
            column_reading(one) for one in sorted(snapshot.readings, key=lambda one: one.rank)
        ],
    }


def _window(snapshot: Snapshot) -> Json:
    return {
        "start": moment(snapshot.window_start),
        "end": moment(snapshot.window_end),
        "rows": snapshot.window_rows,
    }


def _reference(reference: ReferenceInfo) -> Json:
    return {
        "state": reference.state,
        "digest": reference.digest,
        "rows": reference.rows,
        "rows_needed": reference.rows_needed,
        "data": None
        if reference.span is None
        else {"start": moment(reference.span[0]), "end": moment(reference.span[1])},
    }


def column_reading(reading: Reading) -> Json:
    """One column against the reference."""
    return {
        "column": reading.column,
        "role": reading.role,
        "kind": reading.kind,
        "status": str(reading.status),
        "method": reading.method,
        "score": reading.score,
        "threshold": reading.threshold,
        "p_value": reading.p_value,
        "scores": dict(reading.scores),
        "rows": reading.rows,
        "missing_ratio": reading.missing_ratio,
        "mean": reading.mean,
        "stddev": reading.stddev,
        "explanation": reading.explanation,
        "quality": list(reading.quality),
        "source": reading.source,
        "importance": reading.importance,
        "rank": reading.rank,
        "distinct": reading.distinct,
        "reference_distinct": reading.reference_distinct,
    }


def reference(snapshot: Snapshot) -> Json:
    """The reference in use."""
    return _reference(snapshot.reference)


def columns(snapshot: Snapshot, history: ScoreHistory, name: str, role: str | None) -> Json | None:
    """The column called `name`, bin by bin; None where there is none.

    A feature and an output may share a name: `role` chooses, and `roles` says what there is to
    choose from.
    """
    named = [reading for reading in snapshot.readings if reading.column == name]
    chosen = next((reading for reading in named if role in (None, reading.role)), None)
    if chosen is None:
        return None
    return {
        **column_reading(chosen),
        "roles": [reading.role for reading in named],
        "evaluated_at": moment(snapshot.evaluated_at),
        "window": _window(snapshot),
        "reference": {
            "mean": chosen.reference_mean,
            "stddev": chosen.reference_stddev,
            "missing_ratio": chosen.reference_missing_ratio,
        },
        "bins": _bins(snapshot, chosen),
        "history": {
            "at": [moment(at) for at in history.times],
            "score": history.scores(chosen.role, name),
        },
    }


def outlines(snapshot: Snapshot, history: ScoreHistory) -> Json:
    """Every column in outline: how its score went, and its shares without the bins' names."""
    return {
        "evaluated_at": moment(snapshot.evaluated_at),
        "at": [moment(at) for at in history.times],
        "columns": [
            {
                "column": reading.column,
                "role": reading.role,
                "score": _rough(history.scores(reading.role, reading.column)),
                "reference": _rough([one.reference for one in reading.bins]),
                "current": _rough([one.current for one in reading.bins]),
            }
            for reading in snapshot.readings
        ],
    }


def _rough(values: ArrayLike) -> NDArray[np.float32]:
    """To four digits, which is more than a small picture shows, and half the bytes."""
    exact = np.asarray(values, np.float64)
    finite = np.isfinite(exact) & (exact != 0)
    digits = np.zeros_like(exact)
    digits[finite] = 3 - np.floor(np.log10(np.abs(exact[finite])))
    scale = 10.0**digits
    return (np.round(exact * scale) / scale).astype(np.float32)


def _bins(snapshot: Snapshot, reading: Reading) -> list[Json]:
    """The reading's own bins; before there is a reading, the counts since the start."""
    if reading.bins:
        return [
            {"bin": one.bin, "reference": one.reference, "current": one.current}
            for one in reading.bins
        ]
    for counts in snapshot.counts:
        if (counts.column, counts.role) == (reading.column, reading.role):
            return [
                {"bin": name, "reference": share, "current": None}
                for name, share in zip(counts.bins, counts.reference, strict=False)
            ]
    return []


def alerts(snapshot: Snapshot) -> Json:
    """Every alert that is, or lately was."""
    return {"alerts": [_alert(alert) for alert in snapshot.alerts]}


def _alert(alert: Alert) -> Json:
    return {
        "state": str(alert.state),
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "active_since": moment(alert.active_since),
        "fired_at": moment(alert.fired_at),
        "resolved_at": moment(alert.resolved_at),
    }


def health(snapshot: Snapshot) -> Json:
    """How Sidelight itself is doing."""
    found = snapshot.health
    traffic = found.traffic
    return {
        "model": snapshot.model,
        "version": snapshot.version,
        "started_at": moment(found.started_at),
        "evaluated_at": moment(snapshot.evaluated_at),
        "observing": found.observing,
        "observer_lag_seconds": found.observer_lag_seconds,
        "upstream_reachable": found.upstream_reachable,
        "queue_bytes": traffic.queue_bytes,
        "processes": {"relay_workers": traffic.workers, "connections": traffic.connections},
        "requests": dict(traffic.requests),
        "observations": [
            {"outcome": outcome, "reason": reason, "exchanges": exchanges}
            for (outcome, reason), exchanges in sorted(traffic.outcomes.items())
        ],
        "events": [
            {"outcome": outcome, "reason": reason, "events": events}
            for (outcome, reason), events in sorted(found.events.items())
        ],
        "predictions": found.predictions,
        "feedback": dict(found.feedback),
        "deliveries": [
            {"sink": sink, "outcome": outcome, "count": count}
            for (sink, outcome), count in sorted(found.deliveries.items())
        ],
        "store": {
            "rows": found.store_rows,
            "errors": found.store_errors,
            "labels_waiting": found.labels_waiting,
            "conflicts": found.id_conflicts,
            "dropped_rows": found.store_dropped_rows,
        },
        "series_dropped": found.series_dropped,
        "reference": _reference(snapshot.reference),
    }


def prediction(prediction_id: str, rows: Sequence[PredictedRow]) -> Json:
    """What was predicted under one id, and what came true."""
    return {"prediction_id": prediction_id, "rows": [_predicted(row) for row in rows]}


def _predicted(row: PredictedRow) -> Json:
    label = row.label
    return {
        "row": row.prediction.row,
        "at": moment(row.prediction.at),
        "prediction": row.prediction.value,
        "probabilities": dict(row.prediction.probabilities),
        "label": label.value if label else None,
        "observed_at": moment(label.observed_at) if label else None,
        "received_at": moment(label.received_at) if label else None,
        "source": label.source if label else None,
        "segments": dict(row.prediction.segments),
        "history": [_said(one) for one in row.history],
    }


def _said(label: Label) -> Json:
    times = {"observed_at": moment(label.observed_at), "received_at": moment(label.received_at)}
    return {"label": label.value, **times, "source": label.source}


class Answers:
    """The bytes of views, made once a Snapshot however many pages ask."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot
        self._of: Snapshot | None = None
        self._bodies: dict[Callable[[Snapshot], Json], bytes] = {}

    def body(self, view: Callable[[Snapshot], Json]) -> bytes:
        """The JSON of `view` of the newest Snapshot."""
        snapshot = self._snapshot()
        if snapshot is not self._of:
            self._of, self._bodies = snapshot, {}
        body = self._bodies.get(view)
        if body is None:
            body = self._bodies[view] = dump(view(snapshot))
        return body
