"""What waits for the store's one thread: bounded, never waited for by those who put things in.

Knows no store and no event loop; it hands out work in rounds.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitor.records.batch import Batch
from monitor.records.label import Label
from monitor.store.protocol import JoinReport, Store


@dataclass(frozen=True, slots=True)
class WriterLimits:
    """How much may wait, how much goes into one transaction, and how long a few rows wait for
    company.
    """

    queued_rows: int = 200_000
    queued_labels: int = 200_000
    rows_per_commit: int = 20_000
    labels_per_commit: int = 20_000
    linger_seconds: float = 0.2


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """Labels that are acknowledged together; one of the two is called, once, in the store's
    thread.
    """

    labels: Sequence[Label]
    done: Callable[[JoinReport], None]
    failed: Callable[[Exception], None]


@dataclass(frozen=True, slots=True)
class Call:
    """Anything else that is asked of the store."""

    ask: Callable[[Store], Any]
    done: Callable[[Any], None]
    failed: Callable[[Exception], None]


@dataclass(frozen=True, slots=True)
class Round:
    """What is done together: predictions first, so that their labels find them."""

    batches: list[Batch] = field(default_factory=list)
    requests: list[LabelRequest] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    last: bool = False


class WriterQueue:
    """Work in, rounds out; labels and calls are taken at once, lone predictions after a moment."""

    def __init__(self, limits: WriterLimits) -> None:
        self._limits = limits
        self._changed = threading.Condition()
        self._batches: deque[Batch] = deque()
        self._requests: deque[LabelRequest] = deque()
        self._calls: deque[Call] = deque()
        self._rows = 0
        self._labels = 0
        self._oldest_at = 0.0  # when the first of the waiting batches came
        self._closed = False

    @property
    def rows(self) -> int:
        """Predicted rows that wait."""
        return self._rows

    def put_batch(self, batch: Batch, now: float) -> bool:
        """False where it does not fit; an empty queue takes a batch of any size."""
        rows = len(batch)
        with self._changed:
            if self._closed or (self._rows and self._rows + rows > self._limits.queued_rows):
                return False
            if not self._batches:
                self._oldest_at = now
            self._batches.append(batch)
            self._rows += rows
            self._changed.notify()
        return True

    def put_request(self, request: LabelRequest) -> bool:
        """False where it does not fit; an empty queue takes a request of any size."""
        count = len(request.labels)
        with self._changed:
            full = self._labels and self._labels + count > self._limits.queued_labels
            if self._closed or full:
                return False
            self._requests.append(request)
            self._labels += count
            self._changed.notify()
        return True

    def put_call(self, call: Call) -> bool:
        """False where too many wait."""
        with self._changed:
            if self._closed or len(self._calls) >= self._limits.queued_labels:
                return False
            self._calls.append(call)
            self._changed.notify()
        return True

    def close(self) -> None:
        """Take no more; the last round comes when what waits has been handed out."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def take(self, clock: Callable[[], float], until: float) -> Round:
        """The next round; an empty one at the monotonic time `until`."""
        with self._changed:
            while not self._is_due(now := clock()) and now < until:
                wake_at = self._oldest_at + self._limits.linger_seconds if self._batches else until
                self._changed.wait(max(0.0, min(wake_at, until) - now))
            taken = Round(self._take_batches(), self._take_requests(), list(self._calls))
            self._calls.clear()
            if self._closed and not (self._batches or self._requests):
                return Round(taken.batches, taken.requests, taken.calls, last=True)
            return taken

    def _is_due(self, now: float) -> bool:
        if self._requests or self._calls or self._closed:
            return True
        if self._rows >= self._limits.rows_per_commit:
            return True
        return bool(self._batches) and now >= self._oldest_at + self._limits.linger_seconds

    def _take_batches(self) -> list[Batch]:
        taken: list[Batch] = []
        rows = 0
        while self._batches and (
            not taken or rows + len(self._batches[0]) <= self._limits.rows_per_commit
        ):
            taken.append(self._batches.popleft())
            rows += len(taken[-1])
        self._rows -= rows
        return taken

    def _take_requests(self) -> list[LabelRequest]:
        taken: list[LabelRequest] = []
        labels = 0
        while self._requests and (
            not taken or labels + len(self._requests[0].labels) <= self._limits.labels_per_commit
        ):
            taken.append(self._requests.popleft())
            labels += len(taken[-1].labels)
        self._labels -= labels
        return taken
