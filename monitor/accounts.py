"""Adds up what the relay workers counted, over workers and over their restarts; no I/O."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from monitor.snapshot import HistogramCounts, Reloads, Traffic

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
        self._last_words: dict[str, Traffic] = {}
        self._retired = Traffic()

    def report(self, message: Mapping[str, Any], now: float) -> None:
        """Take a worker's COUNTERS message; `now` on a steady clock."""
        incarnation = str(message["incarnation"])
        for other, known in list(self._reports.items()):
            if known["worker"] == message["worker"] and other != incarnation:
                self._retired = _plus(self._retired, known, live=False)
                self._retired = _with(self._retired, self._last_words.pop(other, Traffic()))
                del self._reports[other], self._heard_at[other]
        self._reports[incarnation] = message
        self._heard_at[incarnation] = now
        self._last_words.pop(incarnation, None)  # it lives, and settles its account itself

    def bury(self, conversation: Conversation) -> None:
        """A worker's connection has ended, and all that it sent is decoded: settle what it cannot
        settle if it has died.
        """
        if conversation.last is None:
            return
        incarnation, words = str(conversation.last["incarnation"]), conversation.last_words()
        if incarnation in self._reports:
            self._last_words[incarnation] = words
        else:
            self._retired = _with(self._retired, words)

    def traffic(self, now: float) -> Traffic:
        """The sum over all workers, dead and alive."""
        total = self._retired
        for incarnation, message in self._reports.items():
            total = _plus(total, message, live=now - self._heard_at[incarnation] < SILENT_SECONDS)
        for words in self._last_words.values():
            total = _with(total, words)
        return total


class Conversation:
    """What one worker said on one connection, and what it was told: enough to close the account of
    one that dies, which has acknowledgements to read and a report to send.
    """

    def __init__(self) -> None:
        self.last: Mapping[str, Any] | None = None
        self.waiting = 0  # exchanges not yet decoded
        self._told: Counter[tuple[str, str]] = Counter()
        self._before: Counter[tuple[str, str]] = Counter()  # told on earlier connections
        self._unreported: Counter[str] = Counter()  # exchanges since the last report, by status

    def reported(self, message: Mapping[str, Any]) -> None:
        """The worker sent its counters, which hold all exchanges that came before them."""
        if self.last is None:
            self._before = _outcomes(message)
        self.last = message
        self._unreported.clear()

    def came(self, status: str) -> None:
        """An exchange came."""
        self.waiting += 1
        self._unreported[status] += 1

    def told(self, fates: Counter[tuple[str, str]]) -> None:
        """The worker is told what became of exchanges, or would be if it lived."""
        self.waiting -= fates.total()
        self._told += fates

    def last_words(self) -> Traffic:
        """What the worker's last report lacks: exchanges after it, and fates that it never read.

        What it had counted but not sent is lost with it.
        """
        if self.last is None:
            return Traffic()
        reported = _outcomes(self.last)
        read = reported - self._before
        requests = Counter(self.last["requests"]).total() + self._unreported.total()
        missing = requests - reported.total()
        outcomes = self._told - read
        if outcomes.total() > missing:  # it has settled the rest itself, as lost
            return Traffic()
        outcomes["dropped", "relay_lost"] += missing - outcomes.total()
        return Traffic(requests=dict(self._unreported), outcomes=dict(+outcomes))


def _with(total: Traffic, words: Traffic) -> Traffic:
    return replace(
        total,
        requests=Counter(total.requests) + Counter(words.requests),
        outcomes=Counter(total.outcomes) + Counter(words.outcomes),
    )


def _outcomes(message: Mapping[str, Any]) -> Counter[tuple[str, str]]:
    return Counter(
        {
            (outcome, reason): int(count)
            for outcome, reasons in message["outcomes"].items()
            for reason, count in reasons.items()
        }
    )


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
        certificates=_reloads(total.certificates, message, live=live),
    )


def _reloads(total: Reloads, message: Mapping[str, Any], *, live: bool) -> Reloads:
    faulty = live and bool(message.get("certificate_fault"))
    failures = int(message.get("certificate_failures", 0))
    return Reloads(total.valid and not faulty, total.failures + failures)


def _histogram(total: HistogramCounts, part: Mapping[str, Any]) -> HistogramCounts:
    bounds = tuple(float(bound) for bound in part["bounds"])
    counts = tuple(int(count) for count in part["counts"])
    if total.bounds != bounds:  # the empty start
        return HistogramCounts(bounds, counts, float(part["sum"]))
    added = tuple(a + b for a, b in zip(total.counts, counts, strict=True))
    return HistogramCounts(bounds, added, total.sum + float(part["sum"]))
