"""Which of two labels of one row counts: the rule of the join, without any database.

The rule is a register that keeps the newest `observed_at`; so the label that counts in the end does
not depend on the order in which labels of different times arrive, nor on how often.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import Enum

from monitor.records.label import Joined, Label, Outcome

_LAST_ROW = 2**63 - 1


class Change(Enum):
    """What a label does to the one that counts so far, with the outcome that is told."""

    FIRST = "first"  # nothing counted so far
    REPLACES = "replaces"  # another value, newer
    RENEWS = "renews"  # the same value, seen again later: only its time moves on
    OLDER = "older"  # another value, but older: history
    REPEATS = "repeats"  # known already


def change(current: Label | None, new: Label, is_known: Callable[[Label], bool]) -> Change:
    """Compare a new label with the one that counts; `is_known` tells whether the history has it.

    >>> a = Label("id", 0, "cat", observed_at=10.0, received_at=11.0)
    >>> b = Label("id", 0, "dog", observed_at=9.0, received_at=12.0)
    >>> change(None, a, lambda _: False), change(a, b, lambda _: False)
    (<Change.FIRST: 'first'>, <Change.OLDER: 'older'>)
    """
    if current is None:
        return Change.FIRST
    same = current.value == new.value
    if new.observed_at > current.observed_at:
        return Change.RENEWS if same else Change.REPLACES
    if same:
        return Change.REPEATS
    if is_known(new):
        return Change.REPEATS  # a retry of what was replaced must not bring it back
    return Change.REPLACES if new.observed_at == current.observed_at else Change.OLDER


def displaced(made: Change, current: Label | None, new: Label) -> Label | None:
    """Which of the two labels goes into the history, if any: all that may ever count again.

    A label that only confirms another source's stays too, since the other may be revoked.
    """
    if current is None or made is Change.FIRST:
        return None
    confirms = current.value == new.value
    if confirms and current.source == new.source:
        return None
    return current if made in {Change.REPLACES, Change.RENEWS} else new


def newest(labels: Iterable[Label]) -> Label | None:
    """The label that counts among those that are left: the newest, on a tie the last to arrive."""
    return max(labels, key=lambda label: (label.observed_at, label.received_at), default=None)


def summed(joined: Iterable[Joined]) -> list[Joined]:
    """What several joins of the same rows, in their order, changed altogether."""
    last: dict[tuple[str, int], Joined] = {}
    for one in joined:
        place = one.prediction.prediction_id, one.prediction.row
        last[place] = replace(one, previous=last[place].previous) if place in last else one
    return list(last.values())


def outcome(made: Change, *, parked: bool) -> Outcome:
    """What the sender is told."""
    if made is Change.FIRST:
        return Outcome.PENDING if parked else Outcome.JOINED
    return Outcome.CORRECTED if made is Change.REPLACES else Outcome.DUPLICATE


def fault(label: Label) -> str | None:
    """Why a label cannot be kept at all, or None."""
    if not 0 <= label.row <= _LAST_ROW:
        return "row is out of range"
    if not (math.isfinite(label.observed_at) and math.isfinite(label.received_at)):
        return "observed_at is not a time"
    if not isinstance(label.value, (str, int, float)):
        return "label is not a number, a boolean or text"
    if isinstance(label.value, float) and not math.isfinite(label.value):
        return "label is not finite"
    return None
