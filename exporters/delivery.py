"""Delivers alerts to one receiver: the life around `outbox` (what, when), `formats` and `sending`.

Neither the URL nor the secret ever reaches a log, a repr or a metric, because many receivers' URLs
are secrets themselves.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from exporters.formats.format import Format, Receiver
from exporters.message import Message, notice
from exporters.outbox import Outbox
from exporters.sending import Answer, Sender
from monitor.errors import StoreError
from monitor.snapshot import Alert, AlertState

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """One receiver and its format; `name` stands for it in metrics and logs."""

    name: str
    receiver: Receiver
    format: Format


class Sink:
    """One receiver's deliveries: at least once, in the newest state, whatever the receiver does.

    `load` and `save` keep the outbox as one JSON document; a failing `save` costs the durability
    of the moment, never the delivery.
    """

    def __init__(
        self,
        target: Target,
        sender: Sender,
        *,
        load: Callable[[], dict[str, Any] | None],
        save: Callable[[dict[str, Any]], None],
        chance: random.Random | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._target = target
        self._sender = sender
        self._save_document = save
        self._clock = clock
        self._outbox = Outbox(chance or random.SystemRandom(), single=target.format.single)
        self._reminded_at: float | None = None  # monotonic
        self._offered = asyncio.Event()
        self._attempted = asyncio.Event()
        self._counts: dict[str, int] = dict.fromkeys(
            ("sent", "failed", "expired", "coalesced", "unsaved"), 0
        )
        self._restore(load)

    @property
    def deliveries(self) -> Mapping[tuple[str, str], int]:
        """(sink, outcome) → count, from zero on."""
        return {(self._target.name, outcome): n for outcome, n in self._counts.items()}

    @property
    def waiting(self) -> int:
        """Alerts whose newest state the receiver does not have yet."""
        return self._outbox.waiting

    def offer(self, transitions: Sequence[Alert]) -> None:
        """Queue what changed; pending alerts are nobody's business yet."""
        notices = [
            notice(alert, self._target.receiver.external_url)
            for alert in transitions
            if alert.state is not AlertState.PENDING
        ]
        if notices:
            self._counts["coalesced"] += self._outbox.offer(notices)
            self._save()
            self._offered.set()

    def remind(self, alerts: Sequence[Alert]) -> None:
        """Tell a receiver that forgets what fires still, if it is time again."""
        every = self._target.format.repeat_seconds
        firing = [alert for alert in alerts if alert.state is AlertState.FIRING]
        if every is None or not firing or not self._is_time(every):
            return
        self._outbox.remind([notice(one, self._target.receiver.external_url) for one in firing])
        self._offered.set()

    def _is_time(self, every_seconds: float) -> bool:
        now, before = _monotonic(), self._reminded_at
        if before is not None and now - before < every_seconds:
            return False
        self._reminded_at = now
        return True

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            message = self._outbox.take(_monotonic())
            if message is None:
                await self._rest()
            else:
                await self._deliver(message)

    async def flush(self, timeout_seconds: float) -> bool:
        """Whether nothing was left to tell before the timeout, while `run` works."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while self.waiting:
                    self._attempted.clear()
                    await self._attempted.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Give back the connections."""
        await self._sender.close()

    def _restore(self, load: Callable[[], dict[str, Any] | None]) -> None:
        try:
            self._outbox.restore(load())
        except (StoreError, ValueError) as error:
            _log.warning("alert_outbox_unreadable", sink=self._target.name, reason=str(error))

    def _save(self) -> None:
        try:
            self._save_document(self._outbox.to_document())
        except StoreError:
            self._counts["unsaved"] += 1

    async def _rest(self) -> None:
        due = self._outbox.due_at()
        wait = None if due is None else max(due - _monotonic(), 0.0)
        self._offered.clear()
        try:
            async with asyncio.timeout(wait):
                await self._offered.wait()
        except TimeoutError:
            return  # something is due again

    async def _deliver(self, message: Message) -> None:
        answer = Answer(0, "cancelled")
        try:
            now, target = self._clock(), self._target
            answer = await self._sender.send(target.format.post(target.receiver, message, now), now)
        finally:
            self._settle(message, answer)

    def _settle(self, message: Message, answer: Answer) -> None:
        if answer.taken:
            self._outbox.done(message)
            self._counts["sent"] += 1
        else:
            given_up = self._outbox.failed(
                message, _monotonic(), answer.retry_after, refused=answer.refused
            )
            self._counts["failed"] += 1
            self._counts["expired"] += given_up
            _log.warning(
                "alert_delivery_failed",
                sink=self._target.name,
                message_id=message.id,
                reason=answer.reason,
                given_up=given_up,
            )
        self._save()
        self._attempted.set()


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
