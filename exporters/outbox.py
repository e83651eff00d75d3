"""What a receiver has still to be told, and when to try again: decided without I/O or clock.

One message a model. While a receiver is away, an alert that fires, resolves and fires again stays
one notice: its latest state. The message id stays as long as the content does, so that a receiver
can drop repeats.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exporters.webhook import GROUP_LABEL, Notice

FORMAT = 1
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 300.0
LONGEST_ASKED_SECONDS = (
    3600.0  # a Retry-After beyond it is not obeyed: an alert must not wait for a day
)
MAX_ATTEMPTS = 500  # about 40 hours at the longest wait
MAX_NOTICES = 1_000  # a model; the ledger's own alerts are fewer


@dataclass(frozen=True, slots=True)
class Message:
    """One message to be sent now."""

    id: str
    model: str
    notices: tuple[Notice, ...]


@dataclass(slots=True)
class _Group:
    """The unsent notices of one model; `sending` are those of the attempt that is under way."""

    waiting: dict[str, Notice] = field(default_factory=dict)
    sending: dict[str, Notice] = field(default_factory=dict)
    id: str = ""
    attempts: int = 0
    not_before: float = 0.0  # on the caller's monotonic clock


class Outbox:
    """The queue of one receiver. Times are on a monotonic clock; waits do not outlive a restart."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._groups: dict[str, _Group] = {}

    @property
    def waiting(self) -> int:
        """Notices that no 2xx answer covers yet."""
        return sum(len({**g.sending, **g.waiting}) for g in self._groups.values())

    def offer(self, notices: Sequence[Notice]) -> int:
        """Queue notices; gives how many replaced an older state of their alert, or had no room."""
        lost = 0
        for each in notices:
            model = str(each["labels"].get(GROUP_LABEL, ""))
            group = self._groups.setdefault(model, _Group())
            lost += each["fingerprint"] in group.waiting
            lost += self._put(group, each)
        return lost

    def _put(self, group: _Group, each: Notice) -> int:
        group.waiting.pop(each["fingerprint"], None)
        full = len(group.waiting) >= MAX_NOTICES
        if full:
            del group.waiting[next(iter(group.waiting))]
        group.waiting[each["fingerprint"]] = each
        if not group.sending:
            group.id = ""  # other content is another message
        return int(full)

    def due_at(self) -> float | None:
        """The moment of the next attempt; None when nothing waits."""
        moments = [g.not_before for g in self._groups.values() if g.waiting and not g.sending]
        return min(moments, default=None)

    def take(self, now: float) -> Message | None:
        """The next message that is due, now under way; `done` or `failed` must follow."""
        for model, group in self._groups.items():
            if group.waiting and not group.sending and group.not_before <= now:
                group.sending, group.waiting = group.waiting, {}
                group.id = group.id or f"msg_{self._chance.getrandbits(128):032x}"
                group.attempts += 1
                return Message(group.id, model, tuple(group.sending.values()))
        return None

    def done(self, message: Message) -> None:
        """The receiver has it."""
        group = self._groups[message.model]
        group.sending, group.id, group.attempts, group.not_before = {}, "", 0, 0.0
        if not group.waiting:
            del self._groups[message.model]

    def failed(self, message: Message, now: float, retry_after: float | None = None) -> int:
        """The receiver has it not: later again, or given up; gives how many notices were."""
        group = self._groups[message.model]
        changed = bool(group.waiting)
        group.waiting = {**group.sending, **group.waiting}
        group.sending = {}
        if group.attempts >= MAX_ATTEMPTS:
            given_up = len(group.waiting)
            del self._groups[message.model]
            return given_up
        if changed:
            group.id = ""
        group.not_before = now + self._wait(group.attempts, retry_after)
        return 0

    def _wait(self, attempts: int, retry_after: float | None) -> float:
        """Exponential, with the lower half certain and the upper half by chance."""
        longest = min(FIRST_RETRY_SECONDS * 2.0 ** min(attempts - 1, 30), LONGEST_RETRY_SECONDS)
        wait = longest * (0.5 + 0.5 * self._chance.random())
        if retry_after is None:
            return wait
        return max(wait, min(retry_after, LONGEST_ASKED_SECONDS))

    def to_document(self) -> dict[str, Any]:
        """The queue as JSON can hold it; what is under way counts as unsent."""
        return {
            "format": FORMAT,
            "groups": [
                {
                    "model": model,
                    "id": "" if group.sending and group.waiting else group.id,
                    "attempts": group.attempts,
                    "notices": list({**group.sending, **group.waiting}.values()),
                }
                for model, group in self._groups.items()
            ],
        }

    def restore(self, document: Mapping[str, Any] | None) -> None:
        """Queue what `to_document` wrote; ValueError on anything else."""
        if document is None:
            return
        try:
            if document["format"] != FORMAT:
                raise ValueError(f"webhook outbox of format {document['format']!r}")
            groups = {str(item["model"]): _group(item) for item in document["groups"]}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a webhook outbox: {error!r}") from None
        self._groups.update(groups)


def _group(item: Mapping[str, Any]) -> _Group:
    waiting = {str(each["fingerprint"]): dict(each) for each in item["notices"]}
    if any(not isinstance(each["labels"], dict) for each in waiting.values()):
        raise TypeError("labels of a notice")
    return _Group(waiting=waiting, id=str(item["id"]), attempts=int(item["attempts"]))
