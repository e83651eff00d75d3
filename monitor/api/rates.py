"""How much each client may post: token buckets that go into debt, and a bound on held bytes.

Pure: time is an argument. A request is let in while its client owes nothing, and pays for what it
turned out to hold; so one large body is taken whole, and the next one waits for it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MAX_CLIENTS = 4096


class RateLimit:
    """One bucket a client: `rate` units a second, `burst` at once.

    >>> limit = RateLimit(rate=10, burst=20)
    >>> limit.wait_seconds("a", now=0.0)
    0.0
    >>> limit.charge("a", 30, now=0.0)
    >>> limit.wait_seconds("a", now=0.5)
    0.5
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # level, at

    def wait_seconds(self, client: str, now: float) -> float:
        """How long this client has to wait before it may post again."""
        return max(-self._level(client, now) / self._rate, 0.0)

    def charge(self, client: str, units: float, now: float) -> None:
        """Take `units` from the client's bucket."""
        level = self._level(client, now) - units
        self._buckets[client] = (level, now)
        self._buckets.move_to_end(client)
        if len(self._buckets) > MAX_CLIENTS:
            self._buckets.popitem(last=False)

    def _level(self, client: str, now: float) -> float:
        level, at = self._buckets.get(client, (self._burst, now))
        return min(level + max(now - at, 0.0) * self._rate, self._burst)


class Room:
    """A bound on the bytes of bodies that are being read and parsed at the same time."""

    def __init__(self, room_bytes: int) -> None:
        self._free = room_bytes

    @contextmanager
    def hold(self) -> Iterator[Callable[[int], bool]]:
        """A function that takes so many bytes of the room, if it has them, until the block ends."""
        held = 0

        def take(wanted_bytes: int) -> bool:
            nonlocal held
            if wanted_bytes > self._free:
                return False
            self._free -= wanted_bytes
            held += wanted_bytes
            return True

        try:
            yield take
        finally:
            self._free += held
