"""A real receiver of alerts on a loopback socket, in every mood that receivers have."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def answer(status: int, *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} X", "content-length: 0", *fields, "", ""]).encode()


@dataclass
class Receiver:
    """Answers each request with the next of `answers`, then with 200; keeps what it was sent."""

    answers: list[bytes | None] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    conversations: set[asyncio.Task[None]] = field(default_factory=set)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.conversations.add(task)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await self.converse(reader, writer)
        finally:
            writer.transport.abort()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            lines = (line.split(": ", 1) for line in head[1:] if line)
            fields = {name.lower(): value for name, value in lines}
            body = await reader.readexactly(int(fields["content-length"]))
            self.requests.append((fields, body))
            self.arrived.set()
            reply = self.answers.pop(0) if self.answers else OK
            if reply is None:
                return
            writer.write(reply)
            await writer.drain()

    @property
    def alerts(self) -> list[list[str]]:
        return [
            [each["status"] for each in json.loads(body)["alerts"]] for _, body in self.requests
        ]


@contextlib.asynccontextmanager
async def receiving(
    *answers: bytes | None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    receiver = Receiver(list(answers))
    server = await asyncio.start_server(receiver.accept, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
    for task in receiver.conversations:
        task.cancel()
    await asyncio.gather(*receiver.conversations, return_exceptions=True)


def story(play: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def timed() -> None:
        async with asyncio.timeout(20):
            await play()

    asyncio.run(timed())
