"""The observer over a real socket: each exchange has one fate, also when its worker dies."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from monitor.accounts import Accounts
from monitor.codec.decoder import Decoder
from monitor.observer import Observer
from monitor.records.batch import Batch
from monitor.records.framing import (
    ACK,
    COUNTERS,
    FrameReader,
    decode_json,
    encode_json,
    pack_exchange,
)

EMPTY: dict[str, Any] = {"bounds": [], "counts": [0], "sum": 0.0}


def _exchange(body: bytes = b'{"x": 1}', status: int = 200) -> bytes:
    fields = b"content-type: application/json\r\n"
    outcome = (status, 1000.0, 0.1, 0.0)
    return pack_exchange(b"id", b"POST", b"/p", outcome, (fields, body), (fields, b"[2]"))


def _report(requests: int, observed: int = 0, incarnation: str = "a") -> bytes:
    message = {
        "worker": 0, "incarnation": incarnation, "requests": {"200": requests},
        "outcomes": {"observed": {"": observed}}, "duration": EMPTY, "overhead": EMPTY,
        "queue_bytes": 0, "connections": 0, "accepting": True,
    }  # fmt: skip
    return encode_json(COUNTERS, message)


class House:
    """An observer with what it needs, and a relay's end of its tap."""

    def __init__(self, relay: socket.socket) -> None:
        self.relay = relay
        self.accounts = Accounts()
        self.rows = 0
        self.observer = Observer(Decoder(), self._take, self.accounts)

    def _take(self, batch: Batch) -> None:
        self.rows += len(batch)

    async def send(self, *frames: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.relay, b"".join(frames))

    async def acknowledged(self, exchanges: int) -> dict[str, Any]:
        """All acknowledgements of so many exchanges, together."""
        reader, observed = FrameReader(), 0
        failed: dict[str, int] = {}
        while observed + sum(failed.values()) < exchanges:
            data = await asyncio.get_running_loop().sock_recv(self.relay, 4096)
            for kind, payload in reader.feed(data):
                assert kind == ACK
                message = decode_json(payload)
                observed += message["observed"]
                failed |= message["failed"]
        return {"observed": observed, "failed": failed}


@asynccontextmanager
async def _house() -> AsyncIterator[House]:
    ours, relay = socket.socketpair()
    relay.setblocking(False)
    house = House(relay)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(house.observer.connection, sock=ours)
    work = asyncio.create_task(house.observer.run())
    async with asyncio.timeout(10):
        yield house
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    transport.abort()
    relay.close()


async def _until_settled(house: House, exchanges: int) -> None:
    while sum(house.accounts.traffic(0.0).outcomes.values()) != exchanges:  # noqa: ASYNC110 - a sum has no event
        await asyncio.sleep(0)


def test_the_relay_is_told_what_became_of_each_exchange() -> None:
    async def conversation() -> None:
        async with _house() as house:
            await house.send(_report(0), _exchange(), _exchange(b"<"), _exchange())
            assert await house.acknowledged(3) == {"observed": 2, "failed": {"not_json": 1}}
            assert house.rows == 2

    asyncio.run(conversation())


def test_a_worker_that_dies_leaves_no_exchange_without_an_outcome() -> None:
    async def conversation() -> None:
        async with _house() as house:
            # Three were in its last report, one came after it, one that it had counted never came.
            await house.send(_report(0), *[_exchange()] * 3, _report(4), _exchange(status=201))
            house.relay.shutdown(socket.SHUT_RDWR)
            await _until_settled(house, 5)
            traffic = house.accounts.traffic(0.0)
            assert traffic.requests == {"200": 4, "201": 1}
            assert traffic.outcomes == {("observed", ""): 4, ("dropped", "relay_lost"): 1}

    asyncio.run(conversation())
