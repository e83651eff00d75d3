"""An open-loop HTTP client: requests leave on schedule, however slow the answers are.

wrk waits for an answer before it sends again, so a slow server is asked less and its queue stays
hidden. Here about every millisecond all requests that have become due are offered at once, and a
latency counts from that instant, waiting for a free connection included. Prints one JSON line.
Stands alone: needs uvloop only.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import cast

import uvloop

CONNECTIONS = 16
TICK_SECONDS = 0.001
DRAIN_SECONDS = 5.0
DRAIN_TICK_SECONDS = 0.01
TARGET = "/invocations"


@dataclass(slots=True)
class Tally:
    """What has been seen so far."""

    latencies: list[float] = field(default_factory=list)
    errors: int = 0
    sent: int = 0


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request in flight."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport: asyncio.Transport | None = None
        self._due_at: float | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(
            "asyncio.Transport", transport
        )  # uvloop's own does not inherit from it

    def send(self, request: bytes, due_at: float) -> None:
        """Send one request; the connection is free again when its answer is whole."""
        assert self._transport is not None
        self._due_at = due_at
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, blank, body = self._buffer.partition(b"\r\n\r\n")
        if not blank or not _complete(head.lower(), body):
            return
        self._buffer = b""
        due_at, self._due_at = self._due_at, None
        if due_at is None or head[9:12] != b"200":
            self._client.tally.errors += 1
        else:
            self._client.tally.latencies.append(self._client.now() - due_at)
        self._client.free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._due_at is not None or exc is not None:
            self._client.tally.errors += 1
        self._client.lost(self)


class Client:
    """Sends `rate` requests a second over a few connections."""

    def __init__(self, port: int, bodies: list[bytes], rate: int) -> None:
        self.tally = Tally()
        self.now = time.perf_counter  # uvloop's own clock stands still between polls
        self._port = port
        self._rate = rate
        self._requests = cycle([_request(port, body) for body in bodies])
        self._due: deque[float] = deque()
        self._idle: list[Connection] = []
        self._open = 0

    async def run(self, seconds: float) -> None:
        """Send for `seconds`, then wait for what is still due or in flight, for a bounded time."""
        loop = asyncio.get_running_loop()
        for _ in range(CONNECTIONS):
            _, connection = await loop.create_connection(
                lambda: Connection(self), "127.0.0.1", self._port
            )
            self._idle.append(connection)
            self._open += 1
        total = round(self._rate * seconds)
        start = self.now()
        offered = 0
        while offered < total:
            await asyncio.sleep(TICK_SECONDS)
            due = min(total, int((self.now() - start) * self._rate))
            self._offer(due - offered)
            offered = due
        await self._drain()

    def free(self, connection: Connection) -> None:
        """A connection has its answer: the longest-due request takes it."""
        if self._due:
            self._send(connection, self._due.popleft())
        else:
            self._idle.append(connection)

    def lost(self, connection: Connection) -> None:
        """A connection is gone; it is not replaced: a keep-alive peer has no reason to close it."""
        self._open -= 1
        if connection in self._idle:
            self._idle.remove(connection)

    def _offer(self, count: int) -> None:
        due_at = self.now()
        for _ in range(count):
            if self._idle:
                self._send(self._idle.pop(), due_at)
            else:
                self._due.append(due_at)

    def _send(self, connection: Connection, due_at: float) -> None:
        self.tally.sent += 1
        connection.send(next(self._requests), due_at)

    async def _drain(self) -> None:
        for _ in range(round(DRAIN_SECONDS / DRAIN_TICK_SECONDS)):
            if self._open == len(self._idle):
                break
            await asyncio.sleep(DRAIN_TICK_SECONDS)
        in_flight = self.tally.sent - len(self.tally.latencies) - self.tally.errors
        self.tally.errors += len(self._due) + max(0, in_flight)


def _request(port: int, body: bytes) -> bytes:
    head = (
        f"POST {TARGET} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _complete(head: bytes, body: bytes) -> bool:
    """Whether an answer is whole; `head` in lower case."""
    if b"\r\ntransfer-encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    _, found, rest = head.partition(b"\r\ncontent-length:")
    return bool(found) and len(body) >= int(rest.partition(b"\r\n")[0])


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def measure(port: int, bodies: list[bytes], rate: int, seconds: float) -> dict[str, float]:
    """One run, as the fields of `load.Load`."""
    client = Client(port, bodies, rate)
    start = client.now()
    await client.run(seconds)
    ordered = sorted(client.tally.latencies)
    if not ordered:
        raise RuntimeError("not one answer of status 200")
    return {
        "requests": len(ordered),
        "seconds": client.now() - start,
        "p50_seconds": _percentile(ordered, 0.50),
        "p99_seconds": _percentile(ordered, 0.99),
        "errors": client.tally.errors,
    }


if __name__ == "__main__":
    port, bodies, rate, seconds = sys.argv[1:]
    lines = Path(bodies).read_bytes().splitlines()
    print(json.dumps(uvloop.run(measure(int(port), lines, int(rate), float(seconds)))))
