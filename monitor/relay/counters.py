"""The worker's accounts: what it answered, what became of every exchange, and how long things took.

Every relayed request ends in exactly one outcome. Knows nothing of sockets.
"""

from __future__ import annotations

import os
import secrets
from bisect import bisect_left
from collections import defaultdict
from typing import Any

DURATION_BOUNDS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
OVERHEAD_BOUNDS_SECONDS = (
    5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 5e-2,
)  # fmt: skip


class Histogram:
    """Counts of durations; a bound belongs to the bucket below it, as Prometheus has it.

    >>> histogram = Histogram((1.0, 2.0))
    >>> for seconds in (1.0, 1.5, 9.0): histogram.add(seconds)
    >>> histogram.as_dict()
    {'bounds': [1.0, 2.0], 'counts': [1, 1, 1], 'sum': 11.5}
    """

    __slots__ = ("_bounds", "_counts", "_sum_seconds")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum_seconds = 0.0

    def add(self, seconds: float) -> None:
        """Counts one duration."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum_seconds += seconds

    def as_dict(self) -> dict[str, Any]:
        """Bounds, counts (one more: the last is beyond every bound) and sum."""
        return {"bounds": [*self._bounds], "counts": [*self._counts], "sum": self._sum_seconds}


class Counters:
    """One worker's counts since it started; `incarnation` tells its restarts apart."""

    __slots__ = (
        "_incarnation", "_worker", "dropped", "duration", "failed", "observed", "overhead",
        "requests", "skipped",
    )  # fmt: skip

    def __init__(self, worker: int) -> None:
        self._worker = worker
        self._incarnation = secrets.token_hex(8)
        self.requests: defaultdict[int | str, int] = defaultdict(int)  # by status code, or "h2"
        self.observed = 0
        self.dropped: defaultdict[str, int] = defaultdict(int)
        self.skipped: defaultdict[str, int] = defaultdict(int)
        self.failed: defaultdict[str, int] = defaultdict(int)
        self.duration = Histogram(DURATION_BOUNDS_SECONDS)
        self.overhead = Histogram(OVERHEAD_BOUNDS_SECONDS)

    def settle(self, status: int, duration_seconds: float, overhead_seconds: float) -> None:
        """Counts one answer."""
        self.requests[status] += 1
        self.duration.add(duration_seconds)
        self.overhead.add(overhead_seconds)

    def refuse(self, status: int) -> None:
        """Counts what was answered, or let go, before it could become a request."""
        self.requests[status] += 1
        self.skipped["status"] += 1

    def acknowledge(self, message: dict[str, Any], at_most: int) -> int:
        """Books what the monitor says became of exchanges, and how many; never more than `at_most`.

        ValueError when the message is no acknowledgement or speaks of more exchanges than it was
        given.
        """
        observed = _count(message.get("observed", 0))
        accounts = [
            (book, reason, _count(count))
            for name, book in (
                ("skipped", self.skipped),
                ("failed", self.failed),
                ("dropped", self.dropped),
            )
            for reason, count in _reasons(message.get(name, {})).items()
        ]
        total = observed + sum(count for _, _, count in accounts)
        if total > at_most:
            raise ValueError(f"{total} exchanges acknowledged of {at_most}")
        self.observed += observed
        for book, reason, count in accounts:
            book[reason] += count
        return total

    def as_dict(self, *, queue_bytes: int, connections: int, accepting: bool) -> dict[str, Any]:
        """The payload of a COUNTERS frame."""
        return {
            "worker": self._worker,
            "incarnation": self._incarnation,
            "pid": os.getpid(),
            "requests": {str(status): count for status, count in self.requests.items()},
            "outcomes": {
                "observed": {"": self.observed} if self.observed else {},
                "dropped": dict(self.dropped),
                "skipped": dict(self.skipped),
                "failed": dict(self.failed),
            },
            "duration": self.duration.as_dict(),
            "overhead": self.overhead.as_dict(),
            "queue_bytes": queue_bytes,
            "connections": connections,
            "accepting": accepting,
        }


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError("a count is not a whole number")
    return value


def _reasons(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("reasons are not an object")  # noqa: TRY004 - the peer's fault, as any other here
    return value
