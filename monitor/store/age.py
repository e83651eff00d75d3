"""The time by which stored things grow old: the wall clock's, without its leaps ahead.

Knows nothing of what grows old.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_CLOCK_SLEW = 2.0  # a wall clock that leaps a day ahead must not age the store by a day at once


class Age:
    """The time by which things grow old: the wall clock, but never ahead of it by leaps."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._reached = clock()
        self._reached_at = time.monotonic()

    def now(self, monotonic: float) -> float:
        """The age of the store, in Unix seconds, at a monotonic time."""
        passed = monotonic - self._reached_at
        self._reached = min(self._clock(), self._reached + _CLOCK_SLEW * passed)
        self._reached_at = monotonic
        return self._reached
