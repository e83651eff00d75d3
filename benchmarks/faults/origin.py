"""A model server with known answers and, by its path, known faults; a process of its own.

`python origin.py PORT JOURNAL`. Every request that comes in whole is written to the journal before
anything else happens, so that a test can count what really arrived, also after a SIGKILL. Stands
alone: needs uvloop only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
import struct
import sys
from collections.abc import Awaitable, Callable

import uvloop

CHUNK_BYTES = 64 << 10
HALF_BODY_BYTES = 50_000
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ID = re.compile(rb"\r\nx-chaos-id: *([^\r\n]+)", re.IGNORECASE)

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


class Origin:
    """Answers `POST /predict` with 2·x for each row, `GET /item/N` with N, and fails as asked."""

    def __init__(self, journal: str) -> None:
        self._journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._faults: dict[str, Callable[[Reader, Writer, bytes], Awaitable[None]]] = {
            "/cut": self._cut,
            "/reset": self._reset,
            "/drop": self._drop,
            "/hang": self._hang,
            "/slow": self._slow,
        }

    def note(self, event: str, identity: bytes) -> None:
        """One line, in the file when this returns."""
        os.write(self._journal, f"{event} {identity.decode('latin-1')}\n".encode())

    async def serve(self, reader: Reader, writer: Writer) -> None:
        """One connection, request after request."""
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while not writer.is_closing():
                await self._answer(reader, writer)
        writer.close()

    async def _answer(self, reader: Reader, writer: Writer) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target = head.split(b" ", 2)[:2]
        path = target.decode("latin-1")
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        if path == "/echo":
            await _echo(reader, writer, length)
            return
        body = await reader.readexactly(length)
        named = _ID.search(head)
        identity = named[1] if named else b"-"
        self.note(method.decode("latin-1"), identity)
        fault = self._faults.get(path)
        if fault is not None:
            await fault(reader, writer, identity)
        elif path.startswith("/item/"):
            _say(writer, {"item": int(path[6:])})
        else:
            _say(writer, {"predictions": [2 * row["x"] for row in json.loads(body)["instances"]]})
        await writer.drain()

    async def _cut(self, _reader: Reader, writer: Writer, _identity: bytes) -> None:
        _say_half(writer)
        writer.close()

    async def _reset(self, _reader: Reader, writer: Writer, _identity: bytes) -> None:
        _say_half(writer)
        await writer.drain()
        _abort(writer)

    async def _drop(self, _reader: Reader, writer: Writer, _identity: bytes) -> None:
        _abort(writer)

    async def _hang(self, reader: Reader, writer: Writer, identity: bytes) -> None:
        """Never answers, and notes when the other side has given up."""
        await reader.read(1)
        self.note("gone", identity)
        writer.close()

    async def _slow(self, _reader: Reader, writer: Writer, _identity: bytes) -> None:
        await asyncio.sleep(2.0)
        _say(writer, {"slow": True})


async def _echo(reader: Reader, writer: Writer, length: int) -> None:
    """The request's body as the answer's, piece by piece."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % length)
    left = length
    while left:
        piece = await reader.read(min(CHUNK_BYTES, left))
        if not piece:
            raise ConnectionResetError
        left -= len(piece)
        writer.write(piece)
        await writer.drain()


def _say(writer: Writer, tree: object) -> None:
    body = json.dumps(tree).encode()
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
        % (len(body), body)
    )


def _say_half(writer: Writer) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    writer.write(head % (2 * HALF_BODY_BYTES) + b" " * HALF_BODY_BYTES)


def _abort(writer: Writer) -> None:
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def main(port: int, journal: str) -> None:
    """Serve until killed."""
    origin = Origin(journal)
    server = await asyncio.start_server(origin.serve, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2]))
