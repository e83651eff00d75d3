"""Delivers alerts to one webhook: the I/O around `outbox` (what, when) and `webhook` (bytes).

Goes only where the configuration says: no redirects, no proxies from the environment. Neither the
URL nor the secret ever reaches a log, a repr or a metric, because many receivers' URLs are secrets
themselves.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson
import structlog

from exporters.outbox import Message, Outbox
from exporters.webhook import Signer, body, notice
from monitor.errors import StoreError
from monitor.snapshot import Alert, AlertState

ATTEMPT_SECONDS = 5.0
MAX_ANSWER_BYTES = (
    64 << 10
)  # enough to keep a connection in use; the answer itself says nothing we need
USER_AGENT = "sidelight"

_log = structlog.get_logger(__name__)
_NETWORK_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError)


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """One receiver; `name` stands for it in metrics and logs."""

    name: str
    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    external_url: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What an attempt came to; `status` 0 where no answer came."""

    status: int
    reason: str = ""
    retry_after: float | None = None

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300


class WebhookSink:
    """One receiver's deliveries: at least once, in the newest state, whatever the receiver does.

    `load` and `save` keep the outbox as one JSON document; a failing `save` costs the durability
    of the moment, never the delivery.
    """

    def __init__(
        self,
        target: WebhookTarget,
        *,
        load: Callable[[], dict[str, Any] | None],
        save: Callable[[dict[str, Any]], None],
        client: httpx.AsyncClient | None = None,
        chance: random.Random | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._target = target
        self._signer = Signer(target.secret) if target.secret is not None else None
        self._save_document = save
        self._client = client or httpx.AsyncClient(trust_env=False, timeout=ATTEMPT_SECONDS)
        self._clock = clock
        self._outbox = Outbox(chance or random.SystemRandom())
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
            notice(alert, self._target.external_url)
            for alert in transitions
            if alert.state is not AlertState.PENDING
        ]
        if notices:
            self._counts["coalesced"] += self._outbox.offer(notices)
            self._save()
            self._offered.set()

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
        await self._client.aclose()

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
        answer = _Answer(0, "cancelled")
        try:
            answer = await self._attempt(message)
        finally:
            self._settle(message, answer)

    def _settle(self, message: Message, answer: _Answer) -> None:
        if answer.taken:
            self._outbox.done(message)
            self._counts["sent"] += 1
        else:
            given_up = self._outbox.failed(message, _monotonic(), answer.retry_after)
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

    async def _attempt(self, message: Message) -> _Answer:
        payload = orjson.dumps(body(message.notices, self._target.external_url))
        headers = {"content-type": "application/json", "user-agent": USER_AGENT}
        if self._signer:
            headers |= self._signer.headers(message.id, self._clock(), payload)
        else:
            headers["webhook-id"] = message.id
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                return await self._post(payload, headers)
        except TimeoutError:
            return _Answer(0, "timeout")
        except _NETWORK_ERRORS as error:
            return _Answer(0, type(error).__name__)  # its text may hold the URL

    async def _post(self, payload: bytes, headers: Mapping[str, str]) -> _Answer:
        request = self._client.stream(
            "POST", self._target.url, content=payload, headers=headers, follow_redirects=False
        )
        async with request as response:
            read = 0
            async for piece in response.aiter_raw():
                read += len(piece)
                if read > MAX_ANSWER_BYTES:
                    break
            asked = retry_after_seconds(response.headers.get("retry-after", ""), self._clock())
            return _Answer(response.status_code, f"status {response.status_code}", asked)


def _monotonic() -> float:
    return asyncio.get_running_loop().time()


def retry_after_seconds(value: str, now: float) -> float | None:
    """The wait that a Retry-After field asks for (RFC 9110, 10.2.3); None if unreadable.

    >>> retry_after_seconds("120", 0.0)
    120.0
    >>> retry_after_seconds("Thu, 01 Jan 1970 00:01:00 GMT", 0.0)
    60.0
    """
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - now, 0.0)
    except (ValueError, OverflowError, TypeError):
        return None
