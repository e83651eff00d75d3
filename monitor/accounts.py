"""Adds up what the relay workers counted, over workers and over their restarts; no I/O."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from monitor.snapshot import HistogramCounts, Traffic

DELAY_SECONDS = (1.0, 10.0, 60.0, 600.0, 3600.0, 6 * 3600.0, 86400.0, 7 * 86400.0, 30 * 86400.0)

SILENT_SECONDS = 3.0  # workers report every second; one silent for longer is not counted as running


class Accounts:
    """The latest cumulative report of each worker incarnation.

    A restarted worker counts from zero under a new incarnation: the old one's last report stays in
    the sum, so that no counter ever falls.
    """

    def __init__(self) -> None:
        self._reports: dict[str, Mapping[str, Any]] = {}
        self._heard_at: dict[str, float] = {}
        self._retired = Traffic()

    def report(self, message: Mapping[str, Any], now: float) -> None:
        """Take a worker's COUNTERS message; `now` on a steady clock."""
        incarnation = str(message["incarnation"])
        for other, known in list(self._reports.items()):
            if known["worker"] == message["worker"] and other != incarnation:
                self._retired = _plus(self._retired, known, live=False)
                del self._reports[other], self._heard_at[other]
        self._reports[incarnation] = message
        self._heard_at[incarnation] = now

    def traffic(self, now: float) -> Traffic:
        """The sum over all workers, dead and alive."""
        total = self._retired
        for incarnation, message in self._reports.items():
            total = _plus(total, message, live=now - self._heard_at[incarnation] < SILENT_SECONDS)
        return total


class Histogram:
    """Counts values into buckets; `counts()` is its frozen form."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def counts(self) -> HistogramCounts:
        """What was counted so far."""
        return HistogramCounts(self._bounds, tuple(self._counts), self._sum)


def _plus(total: Traffic, message: Mapping[str, Any], *, live: bool) -> Traffic:
    outcomes = dict(total.outcomes)
    for outcome, reasons in message["outcomes"].items():
        for reason, count in reasons.items():
            outcomes[outcome, reason] = outcomes.get((outcome, reason), 0) + int(count)
    requests = dict(total.requests)
    for code, count in message["requests"].items():
        requests[code] = requests.get(code, 0) + int(count)
    return Traffic(
        requests=requests,
        outcomes=outcomes,
        duration=_histogram(total.duration, message["duration"]),
        overhead=_histogram(total.overhead, message["overhead"]),
        queue_bytes=total.queue_bytes + (int(message["queue_bytes"]) if live else 0),
        connections=total.connections + (int(message["connections"]) if live else 0),
        workers=total.workers + (1 if live and message["accepting"] else 0),
    )


def _histogram(total: HistogramCounts, part: Mapping[str, Any]) -> HistogramCounts:
    bounds = tuple(float(bound) for bound in part["bounds"])
    counts = tuple(int(count) for count in part["counts"])
    if total.bounds != bounds:  # the empty start
        return HistogramCounts(bounds, counts, float(part["sum"]))
    added = tuple(a + b for a, b in zip(total.counts, counts, strict=True))
    return HistogramCounts(bounds, added, total.sum + float(part["sum"]))
