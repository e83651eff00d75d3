"""The current window as a ring of panes, each holding whatever can be added up.

Knows nothing of what a pane holds, and has no clock: time is an argument, and may jump. A pane is
keyed by floor(seconds / pane); a window is the panes of the last `size_seconds`, the one in
progress included.
"""

from __future__ import annotations

from typing import Generic, Protocol, Self, TypeVar

from monitor.errors import StatisticsError

Seconds = float


class Mergeable(Protocol):
    """Whatever `+` joins; the operation is commutative and associative, and makes a new value."""

    def __add__(self, other: Self, /) -> Self:
        """The two together."""
        ...


T = TypeVar("T", bound=Mergeable)


class Window(Generic[T]):
    """Sums over the last `size_seconds`, in steps of `pane_seconds`.

    The window's end is the latest `now` that `total` was asked for, so a clock that jumps, forwards
    or back, moves the window and nothing else: rows count in the pane of their own time while that
    is inside, what is older is refused and counted, and what lies a whole window ahead of the clock
    is forgotten when it comes back.

    >>> window = Window(0, size_seconds=120, pane_seconds=60)
    >>> window.add(0.0, 1), window.add(61.0, 2), window.total(61.0), window.total(120.0)
    (True, True, 3, 2)
    >>> window.add(30.0, 5), window.refused  # the window begins at 60 s by now
    (False, 1)
    """

    def __init__(self, identity: T, size_seconds: float, pane_seconds: float) -> None:
        panes = size_seconds / pane_seconds if pane_seconds > 0 else 0.0
        if panes < 1 or abs(panes - round(panes)) > 1e-9:
            raise StatisticsError("a window is a whole number of panes")
        self.pane_seconds = pane_seconds
        self.pane_count = round(panes)
        self.refused = 0  # values that came too late for the window
        self.identity = identity
        self._panes: dict[int, T] = {}
        self._head: int | None = None  # the pane of the last `now`
        self._closed: tuple[int, T] | None = None  # sum of the panes before this head

    def pane(self, at: Seconds) -> int:
        """The key of the pane that a moment belongs to: rows with equal keys can be counted
        together."""
        return int(at // self.pane_seconds)

    def span(self, now: Seconds) -> tuple[Seconds, Seconds]:
        """The window's start and end; it ends with the pane that `now` is in."""
        end = (self.pane(now) + 1) * self.pane_seconds
        return end - self.pane_count * self.pane_seconds, end

    def add(self, at: Seconds, value: T) -> bool:
        """Counts `value` in the pane of `at`; False where that is older than the window."""
        key = self.pane(at)
        if self._head is not None and key <= self._head - self.pane_count:
            self.refused += 1
            return False
        held = self._panes.get(key)
        self._panes[key] = value if held is None else held + value
        if key != self._head:
            self._closed = None
        if len(self._panes) > 2 * self.pane_count + 1:
            # Nobody asked for a total in all that time: the oldest pane is beyond any window by
            # now.
            del self._panes[min(self._panes)]
        return True

    def total(self, now: Seconds) -> T:
        """The sum over the window that ends with the pane of `now`."""
        head = self.pane(now)
        if head != self._head:
            self._move(head)
        if self._closed is None:
            closed = self.identity
            for key in range(head - self.pane_count + 1, head):
                if key in self._panes:
                    closed = closed + self._panes[key]
            self._closed = head, closed
        current = self._panes.get(head)
        return self._closed[1] if current is None else self._closed[1] + current

    def panes(self) -> dict[int, T]:
        """Each pane held, by its key."""
        return dict(self._panes)

    def restore(self, key: int, value: T) -> bool:
        """Counts `value` in the pane of a key that `panes` gave, also to an earlier process."""
        return self.add((key + 0.5) * self.pane_seconds, value)

    def _move(self, head: int) -> None:
        first, last = head - self.pane_count + 1, head + self.pane_count
        for key in [key for key in self._panes if not first <= key < last]:
            del self._panes[key]
        self._head = head
        self._closed = None

    def __len__(self) -> int:
        """Panes held, those that the clock has not reached included."""
        return len(self._panes)
