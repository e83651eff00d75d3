"""What the parts of one worker share: settings, accounts, the tap, the pool, and the coarse
clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from monitor.relay.counters import Counters
from monitor.relay.http1.answers import AnswerPlan
from monitor.relay.http1.memo import Memo
from monitor.relay.http1.requests import RequestPlan
from monitor.relay.settings import RelaySettings
from monitor.relay.tap import Tap
from monitor.relay.upstream import Pool


class Guest(Protocol):
    """A client's connection, as the worker's sweep and its end see it."""

    def check(self, now_seconds: float) -> None:
        """Ends what has waited for too long."""

    def retire(self, now_seconds: float, /) -> None:
        """Closes as soon as nothing is under way."""

    def abort(self) -> None:
        """Closes at once."""


@dataclass(slots=True)
class State:
    """Mutable on purpose: `now_seconds` and `closing` change under way."""

    settings: RelaySettings
    counters: Counters
    tap: Tap
    pool: Pool
    requests: Memo[RequestPlan]
    answers: Memo[AnswerPlan]
    make_id: Callable[[], bytes]
    max_connections: int
    now_seconds: float  # monotonic, as of the last sweep: enough for every timeout
    wall_offset_seconds: float  # from the monotonic clock to Unix time
    closing: bool = False  # answers say goodbye from now on
    guests: set[Guest] = field(default_factory=set)

    @property
    def most_guests(self) -> int:
        """Up to here a connection too many is told so; beyond, it is let go without a word."""
        return self.max_connections * 5 // 4
