"""The open-loop client against real servers on loopback, and what it is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from benchmarks import openloop, payload

Answer = Callable[[int], Awaitable[bytes | None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"


async def measured(answer: Answer, rate: int, seconds: float) -> tuple[dict[str, float], int]:
    """What the client says, and how many requests the server really read."""
    seen = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(payload.BODY_BYTES)
                seen += 1
                said = await answer(seen)
                if said is None:
                    return
                writer.write(said)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await openloop.measure(port, payload.bodies(8, seed=1), rate, seconds)
    return found, seen


@pytest.mark.parametrize("said", [OK, CHUNKED])
def test_sends_the_rate_and_counts_each_answer_once(said: bytes) -> None:
    async def answer(_: int) -> bytes:
        return said

    found, seen = asyncio.run(measured(answer, rate=500, seconds=0.5))
    assert (found["requests"], found["errors"], seen) == (250, 0, 250)
    assert found["seconds"] >= 0.5


def test_latency_holds_the_wait_for_a_free_connection() -> None:
    # 16 connections and 50 ms an answer serve 320/s. At 640/s the queue grows: half of the last
    # requests have waited for most of the time, which a closed loop would never have shown.
    async def answer(_: int) -> bytes:
        await asyncio.sleep(0.05)
        return OK

    found, _ = asyncio.run(measured(answer, rate=640, seconds=0.5))
    assert found["requests"] == 320
    assert found["p99_seconds"] > 0.3
    assert found["p50_seconds"] > 0.1


def test_other_answers_and_broken_connections_are_errors() -> None:
    async def answer(number: int) -> bytes | None:
        if number == 3:
            return b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
        return None if number == 5 else OK

    found, _ = asyncio.run(measured(answer, rate=200, seconds=0.2))
    assert (found["requests"], found["errors"]) == (38, 2)


def test_bodies_are_what_is_promised() -> None:
    found = payload.bodies(50, seed=3)
    assert {len(body) for body in found} == {payload.BODY_BYTES}
    assert {len(json.loads(body)) for body in found} == {payload.FEATURES}
    assert found == payload.bodies(50, seed=3) != payload.bodies(50, seed=4)
