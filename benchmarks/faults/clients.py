"""Keep-alive clients that know the right answer to each request, and keep what became of it.

They run on a thread of their own; knows an address, and nothing of what answers there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass

import uvloop

ANSWER_SECONDS = 15.0
RETRY_PAUSE_SECONDS = 0.01
GET_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Failure:
    """A request without its right answer: status 0 where no whole answer came."""

    at: float
    method: str
    identity: str
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Habits:
    """How the clients behave."""

    clients: int = 16
    seed: int = 1
    pause_seconds: float = 0.0
    abort_share: float = 0.0


class AnswerError(Exception):
    """An answer that is not the right one."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Load:
    """Clients at work until `stop`."""

    def __init__(self, port: int, habits: Habits) -> None:
        self.answered: Counter[int] = Counter()  # whole answers by status
        self.wrong = 0  # of status 200, with another body than the right one
        self.aborted = 0
        self.failures: list[Failure] = []
        self.latencies: list[float] = []
        self.last_success_at = 0.0
        self.successes_at: list[float] = []
        self._port = port
        self._habits = habits
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="clients", daemon=True)
        self._thread.start()

    @property
    def answers(self) -> int:
        """Whole answers, of whatever status."""
        return sum(self.answered.values())

    def stop(self) -> None:
        """Let each client end its request, and wait for all."""
        self._stopping = True
        self._thread.join(ANSWER_SECONDS + 5.0)

    def p99_seconds(self) -> float:
        """Of the right answers so far."""
        ordered = sorted(self.latencies)
        return ordered[int(0.99 * (len(ordered) - 1))] if ordered else 0.0

    def _run(self) -> None:
        uvloop.run(self._all())

    async def _all(self) -> None:
        await asyncio.gather(*(self._client(n) for n in range(self._habits.clients)))

    async def _client(self, number: int) -> None:
        source = random.Random(f"{self._habits.seed}/{number}")
        stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        count = 0
        while not self._stopping:
            count += 1
            identity = f"{self._habits.seed}-{number}-{count}"
            method = "GET" if source.random() < GET_SHARE else "POST"
            began = time.monotonic()
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    if stream is None:
                        stream = await asyncio.open_connection("127.0.0.1", self._port)
                    stream = await self._exchange(stream, method, identity, source)
            except AnswerError as error:
                self._failed(method, identity, error.status, error.reason)
                stream = None  # an error may be the last answer of its connection
            except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
                self._failed(method, identity, 0, repr(error))
                _closed(stream)
                stream = None
                await asyncio.sleep(RETRY_PAUSE_SECONDS)
            else:
                self._succeeded(began, aborted=stream is None)
            if self._habits.pause_seconds:
                await asyncio.sleep(self._habits.pause_seconds * 2 * source.random())
        _closed(stream)

    def _succeeded(self, began: float, *, aborted: bool) -> None:
        now = time.monotonic()
        if not aborted:
            self.last_success_at = now
            self.successes_at.append(now)
            self.latencies.append(now - began)

    def _failed(self, method: str, identity: str, status: int, reason: str) -> None:
        self.failures.append(Failure(time.monotonic(), method, identity, status, reason))

    async def _exchange(
        self,
        stream: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        method: str,
        identity: str,
        source: random.Random,
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """One request; the connection while it can be used again."""
        reader, writer = stream
        x = source.randrange(1 << 40)
        expected: dict[str, object] = {"predictions": [2 * x]} if method == "POST" else {"item": x}
        data = _request(method, identity, x)
        if source.random() < self._habits.abort_share:
            writer.write(data[: source.randrange(1, len(data) + 1)])
            await asyncio.sleep(0.002 * source.random())
            writer.transport.abort()
            self.aborted += 1
            return None
        writer.write(data)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        body = await reader.readexactly(_length(head))
        status = int(head[9:12])
        self.answered[status] += 1
        kept = None if b"\r\nconnection: close" in head else stream
        if kept is None:
            _closed(stream)
        if status != 200:
            _closed(stream)
            raise AnswerError(status, _field(head, b"x-sidelight-error"))
        if json.loads(body) != expected:
            self.wrong += 1
            raise AnswerError(status, f"wrong body {body[:100]!r}")
        return kept


def _request(method: str, identity: str, x: int) -> bytes:
    body = b"" if method == "GET" else json.dumps({"instances": [{"x": x}]}).encode()
    target = f"/item/{x}" if method == "GET" else "/predict"
    head = (
        f"{method} {target} HTTP/1.1\r\nhost: model\r\ncontent-type: application/json\r\n"
        f"x-chaos-id: {identity}\r\n"
    )
    if body:
        head += f"content-length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def _field(head: bytes, name: bytes) -> str:
    _, found, rest = head.partition(b"\r\n" + name + b":")
    return rest.partition(b"\r\n")[0].strip().decode("latin-1") if found else ""


def _length(head: bytes) -> int:
    return int(_field(head, b"content-length") or 0)


def _closed(stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None) -> None:
    if stream is not None:
        with contextlib.suppress(OSError):
            stream[1].close()
