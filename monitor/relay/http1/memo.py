"""Plans of heads that were seen before: a client that keeps its connection repeats its head byte
by byte.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

PlanT = TypeVar("PlanT")

MAX_PLANS = 256
MAX_KEPT_HEAD_BYTES = 4 << 10


class Memo(dict[bytes, PlanT]):
    """`memo[head]` is the plan of a head: looked up at a dict's speed, else read and kept within
    bounds.

    Full means emptied: heads that repeat are read again once, those that never repeat cost no
    bookkeeping.
    """

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[bytes], PlanT]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, head: bytes) -> PlanT:
        plan = self._read(head)
        if len(head) <= MAX_KEPT_HEAD_BYTES:
            if len(self) >= MAX_PLANS:
                self.clear()
            self[head] = plan
        return plan
