"""Answers from the store's thread to those who wait on an event loop.

Knows no store: only how a result, or a fault, gets across.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from monitor.errors import StoreError
from monitor.store.protocol import JoinReport
from monitor.store.rounds import LabelRequest


class Answer:
    """A future that the store's thread resolves, unless its waiter has gone or its loop has
    closed.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self._loop.create_future()

    def give(self, result: object) -> None:
        """Resolve it, from any thread."""
        self._later(self.future.set_result, result)

    def fail(self, error: Exception) -> None:
        """Fail it with a StoreError, from any thread."""
        wrong = (
            error
            if isinstance(error, StoreError)
            else StoreError(f"{type(error).__name__}: {error}")
        )
        self._later(self.future.set_exception, wrong)

    def _later(self, resolve: Callable[[Any], None], value: object) -> None:
        def unless_done() -> None:
            if not self.future.done():
                resolve(value)

        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(unless_done)


def split(report: JoinReport, requests: Sequence[LabelRequest]) -> list[JoinReport]:
    """Each request's own part of a common report."""
    parts: list[JoinReport] = []
    start = 0
    for request in requests:
        end = start + len(request.labels)
        rejected = {i - start: why for i, why in report.rejected.items() if start <= i < end}
        parts.append(JoinReport(report.outcomes[start:end], (), rejected))
        start = end
    return parts
