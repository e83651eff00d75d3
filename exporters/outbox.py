"""What a receiver has still to be told, and when to try again: decided without I/O or clock.

Notices wait in groups, and a message is one group's: a model's, or one alert's where the receiver
takes them one by one. While a receiver is away, an alert that fires, resolves and fires again stays
one notice: its latest state. The message id stays as long as the content does, so that a receiver
can drop repeats.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exporters.message import MODEL_LABEL, Message, Notice

FORMAT = 2
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 300.0
LONGEST_ASKED_SECONDS = (
    3600.0  # a Retry-After beyond it is not obeyed: an alert must not wait for a day
)
MAX_ATTEMPTS = 500  # about 40 hours at the longest wait
MAX_NOTICES = 1_000  # the ledger's own alerts are fewer


@dataclass(slots=True)
class _Group:
    """The unsent notices of one group; `sending` are those of the attempt that is under way."""

    waiting: dict[str, Notice] = field(default_factory=dict)
    sending: dict[str, Notice] = field(default_factory=dict)
    id: str = ""
    attempts: int = 0
    not_before: float = 0.0  # on the caller's monotonic clock


class Outbox:
    """The queue of one receiver. Times are on a monotonic clock; waits do not outlive a restart."""

    def __init__(self, chance: random.Random, *, single: bool = False) -> None:
        self._chance = chance
        self._single = single
        self._groups: dict[str, _Group] = {}
        self._failures = 0  # in a row, of any group: the receiver's own
        self._not_before = 0.0

    @property
    def waiting(self) -> int:
        """Notices that no 2xx answer covers yet."""
        return sum(len({**g.sending, **g.waiting}) for g in self._groups.values())

    def offer(self, notices: Sequence[Notice]) -> int:
        """Queue notices; gives how many replaced an older state of their alert, or had no room."""
        lost = 0
        for each in notices:
            group = self._group(each)
            lost += each["fingerprint"] in group.waiting
            lost += self._put(group, each)
        return lost

    def remind(self, notices: Sequence[Notice]) -> None:
        """Queue what the receiver was told before; where news of an alert waits, that is enough."""
        for each in notices:
            group = self._group(each)
            if each["fingerprint"] not in {**group.sending, **group.waiting}:
                self._put(group, each)

    def _group(self, each: Notice) -> _Group:
        model = str(each["labels"].get(MODEL_LABEL, ""))
        name = each["fingerprint"] if self._single else model
        return self._groups.setdefault(name, _Group())

    def _put(self, group: _Group, each: Notice) -> int:
        group.waiting.pop(each["fingerprint"], None)
        full = sum(len(g.waiting) for g in self._groups.values()) >= MAX_NOTICES
        if full:
            self._drop_oldest()
        group.waiting[each["fingerprint"]] = each
        if not group.sending:
            group.id = ""  # other content is another message
        return int(full)

    def _drop_oldest(self) -> None:
        name, group = next((n, g) for n, g in self._groups.items() if g.waiting)
        del group.waiting[next(iter(group.waiting))]
        if self._single and not group.sending:
            del self._groups[name]

    def due_at(self) -> float | None:
        """The moment of the next attempt; None when nothing waits."""
        moments = [g.not_before for g in self._groups.values() if g.waiting and not g.sending]
        return max(min(moments), self._not_before) if moments else None

    def take(self, now: float) -> Message | None:
        """The next message that is due, now under way; `done` or `failed` must follow."""
        if now < self._not_before:
            return None
        for name, group in self._groups.items():
            if group.waiting and not group.sending and group.not_before <= now:
                group.sending, group.waiting = group.waiting, {}
                group.id = group.id or f"msg_{self._chance.getrandbits(128):032x}"
                group.attempts += 1
                return Message(group.id, name, tuple(group.sending.values()))
        return None

    def done(self, message: Message) -> None:
        """The receiver has it."""
        self._failures, self._not_before = 0, 0.0
        group = self._groups[message.group]
        group.sending, group.id, group.attempts, group.not_before = {}, "", 0, 0.0
        if not group.waiting:
            del self._groups[message.group]

    def failed(
        self,
        message: Message,
        now: float,
        retry_after: float | None = None,
        *,
        refused: bool = False,
    ) -> int:
        """The receiver has it not: later again, or given up; gives how many notices were.

        A receiver that is away is left alone as a whole, not asked once for each group. One that is
        there and `refused` this content may take the other groups' at once.
        """
        group = self._groups.pop(message.group)
        changed = bool(group.waiting)
        group.waiting = {**group.sending, **group.waiting}
        group.sending = {}
        if not refused:
            self._failures += 1
            self._not_before = now + self._wait(self._failures, retry_after)
        if group.attempts >= MAX_ATTEMPTS:
            return len(group.waiting)
        if changed:
            group.id = ""
        group.not_before = now + self._wait(group.attempts, None)
        self._groups[message.group] = group  # behind the others
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
                    "group": name,
                    "id": "" if group.sending and group.waiting else group.id,
                    "attempts": group.attempts,
                    "notices": list({**group.sending, **group.waiting}.values()),
                }
                for name, group in self._groups.items()
            ],
        }

    def restore(self, document: Mapping[str, Any] | None) -> None:
        """Queue what `to_document` wrote; ValueError on anything else."""
        if document is None:
            return
        try:
            if document["format"] != FORMAT:
                raise ValueError(f"webhook outbox of format {document['format']!r}")
            groups = {str(item["group"]): _group(item) for item in document["groups"]}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a webhook outbox: {error!r}") from None
        self._groups.update(groups)


def _group(item: Mapping[str, Any]) -> _Group:
    waiting = {str(each["fingerprint"]): dict(each) for each in item["notices"]}
    for each in waiting.values():
        texts = {**each["labels"], **each["annotations"]}
        texts |= {name: each[name] for name in ("status", "startsAt", "endsAt", "generatorURL")}
        if any(not isinstance(text, str) for text in texts.values()):
            raise TypeError("a notice that holds more than text")
    return _Group(waiting=waiting, id=str(item["id"]), attempts=int(item["attempts"]))
