"""What the sidecar says of itself over its control port: drift, performance, counters.

Reads only what is promised to everyone; knows nothing of the sidecar's inside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class ColumnReading:
    """One column of /api/v1/drift."""

    column: str
    role: str
    status: str
    method: str
    score: float | None
    threshold: float | None


@dataclass(frozen=True, slots=True)
class Look:
    """/api/v1/drift and /api/v1/performance of one moment; times in Unix seconds."""

    evaluated_at: float
    window_start: float
    window_rows: int
    columns: tuple[ColumnReading, ...]
    realised: Mapping[str, float]
    realised_rows: int
    reference: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Counters:
    """The counters of /metrics that the demo tells of."""

    requests: int
    predictions: int
    observed: int
    not_observed: int  # dropped, skipped or failed
    labels: int
    absolute_error: float
    squared_error: float


class Sidecar:
    """A reader of the control port."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def look(self) -> Look | None:
        """What it says now; None where that could not be had whole, between two evaluations."""
        for _ in range(_ATTEMPTS):
            drift = await self._get("/api/v1/drift")
            performance = await self._get("/api/v1/performance")
            if not drift or not performance or drift["evaluated_at"] is None:
                return None
            if drift["evaluated_at"] == performance["evaluated_at"]:
                return read_look(drift, performance)
        return None

    async def counters(self) -> Counters | None:
        """What it has counted since its start; None where it does not answer."""
        try:
            answer = await self._client.get("/metrics")
        except httpx.TransportError:
            return None
        return read_counters(answer.text) if answer.is_success else None

    async def _get(self, path: str) -> dict[str, Any] | None:
        try:
            answer = await self._client.get(path)
        except httpx.TransportError:
            return None
        if not answer.is_success:
            return None
        content: dict[str, Any] = answer.json()
        return content


def read_look(drift: Mapping[str, Any], performance: Mapping[str, Any]) -> Look:
    """A Look from the two answers."""
    realised = performance.get("realised") or {}
    return Look(
        evaluated_at=unix_seconds(drift["evaluated_at"]),
        window_start=unix_seconds(drift["window"]["start"]),
        window_rows=drift["window"]["rows"],
        columns=tuple(
            ColumnReading(
                column=one["column"],
                role=one["role"],
                status=one["status"],
                method=one["method"],
                score=one.get("score"),
                threshold=one.get("threshold"),
            )
            for one in drift["columns"]
        ),
        realised=_numbers(realised),
        realised_rows=realised.get("rows", 0),
        reference=_numbers(performance.get("reference") or {}),
    )


def unix_seconds(moment: float | str) -> float:
    """A moment as Unix seconds, from a number or from RFC 3339.

    >>> unix_seconds("1970-01-01T00:01:00.5Z"), unix_seconds(60.5)
    (60.5, 60.5)
    """
    return datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else moment


def _numbers(content: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in content.items()
        if isinstance(value, int | float) and name != "rows"
    }


def read_counters(text: str) -> Counters:
    """The sums over all series of each counter in a Prometheus text."""
    sums: defaultdict[str, float] = defaultdict(float)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            # Segments other than `all` count the same labels again.
            if sample.labels.get("segment", "all") == "all":
                sums[_counted_as(sample.name, sample.labels)] += sample.value
    return Counters(
        requests=int(sums["sidelight_requests_total"]),
        predictions=int(sums["sidelight_predictions_total"]),
        observed=int(sums["observed"]),
        not_observed=int(sums["not observed"]),
        labels=int(sums["sidelight_labels_total"]),
        absolute_error=sums["sidelight_absolute_error_total"],
        squared_error=sums["sidelight_squared_error_total"],
    )


def _counted_as(name: str, labels: Mapping[str, str]) -> str:
    if name != "sidelight_observations_total":
        return name
    return "observed" if labels["outcome"] == "observed" else "not observed"
