"""A relay in this process, an origin that plays a script, and a monitor: all on loopback, all real.

The relay runs in a thread with a loop of its own, so that tests are plain blocking sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import uvloop

from monitor.records.exchange import Exchange
from monitor.records.framing import (
    ACK,
    COUNTERS,
    EXCHANGE,
    FrameReader,
    decode_exchange,
    decode_json,
    encode_json,
)
from monitor.relay.settings import RelaySettings, Timeouts
from monitor.relay.worker import Worker

PATIENCE_SECONDS = 5.0

Script = Callable[[socket.socket, int], None]  # plays one connection; the number counts them from 1


def eventually(is_so: Callable[[], bool]) -> None:
    """Waits until it is so; AssertionError when it never is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


def read_head(connection: socket.socket) -> bytes:
    """Reads byte by byte up to the end of a head, and nothing after it."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            break
        head += byte
    return head


def read_exactly(connection: socket.socket, size: int) -> bytes:
    """That many bytes, or fewer at the connection's end."""
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            break
        data += piece
    return data


def read_all(connection: socket.socket) -> bytes:
    """Everything up to the end of the connection; a reset is told as b"RESET" at its end."""
    data = b""
    with contextlib.suppress(TimeoutError):
        try:
            while piece := connection.recv(1 << 16):
                data += piece
        except ConnectionResetError:
            data += b"RESET"
    return data


def read_answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """One answer with a Content-Length: its head and its body."""
    head = read_head(connection)
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head, read_exactly(connection, int(line.partition(b":")[2]))
    return head, b""


def answer(body: bytes = b"ok", status: bytes = b"200 OK") -> bytes:
    """A plain answer."""
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


class Origin:
    """Accepts connections, plays the script on each, and keeps what it read when the script
    tells it.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.heads: list[bytes] = []
        self.events: list[str] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(
                    target=self._play, args=(connection, self.connections), daemon=True
                ).start()

    def _play(self, connection: socket.socket, number: int) -> None:
        connection.settimeout(PATIENCE_SECONDS)
        with connection, contextlib.suppress(OSError):
            self._script(connection, number)

    def close(self) -> None:
        """Accepts no more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class Monitor:
    """The other end of the tap: keeps exchanges and the last accounts; acknowledges unless told
    not to.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.exchanges: list[Exchange] = []
        self.accounts: dict[str, Any] = {}
        self.acknowledges = True
        self._connections: list[socket.socket] = []
        self.start()

    def start(self) -> None:
        """Listens, again if it was killed."""
        Path(self.path).unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self._connections.append(connection)
                threading.Thread(target=self._drain, args=(connection,), daemon=True).start()

    def _drain(self, connection: socket.socket) -> None:
        reader = FrameReader()
        with contextlib.suppress(OSError):
            while data := connection.recv(1 << 16):
                frames = reader.feed(data)
                seen = [decode_exchange(payload) for kind, payload in frames if kind == EXCHANGE]
                self.exchanges += seen
                for kind, payload in frames:
                    if kind == COUNTERS:
                        self.accounts = decode_json(payload)
                if seen and self.acknowledges:
                    connection.sendall(encode_json(ACK, {"observed": len(seen)}))

    def kill(self) -> None:
        """Ends as a killed process does: every socket at once, nothing acknowledged."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._connections.clear()


class Relay:
    """A relay worker in a thread of this process."""

    def __init__(self, settings: RelaySettings, listener: socket.socket) -> None:
        self.address: tuple[str, int] = listener.getsockname()
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.worker: Worker = self._call(self._start(settings, listener))

    @staticmethod
    async def _start(settings: RelaySettings, listener: socket.socket) -> Worker:
        worker = Worker(settings, listener)
        await worker.start()
        return worker

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_SECONDS)

    async def _end(self) -> None:
        await self.worker.abandon()
        await asyncio.sleep(0.02)  # transports end in callbacks of their own

    def connect(self) -> socket.socket:
        """A client's connection."""
        return socket.create_connection(self.address, timeout=PATIENCE_SECONDS)

    def ask(self, request: bytes) -> bytes:
        """Everything that comes back to these bytes until the relay closes or nothing comes for
        long.
        """
        with self.connect() as client:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            return read_all(client)

    def renew(self) -> None:
        """What SIGHUP does to a process."""
        self._loop.call_soon_threadsafe(self.worker.renew)

    @property
    def outcomes(self) -> dict[str, dict[str, int]]:
        """The accounts by outcome and reason."""
        outcomes: dict[str, dict[str, int]] = self.worker.describe()["outcomes"]
        return outcomes

    @property
    def requests(self) -> dict[str, int]:
        """The accounts by status."""
        requests: dict[str, int] = self.worker.describe()["requests"]
        return requests

    def close(self) -> None:
        """Ends at once."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()


@contextlib.contextmanager
def tap_path() -> Iterator[str]:
    """Where a monitor can listen."""
    with tempfile.TemporaryDirectory() as directory:
        yield f"{directory}/tap.sock"


@contextlib.contextmanager
def running_relay(upstream_port: int, **settings: Any) -> Iterator[Relay]:
    """A relay on an ephemeral port; `timeouts` is a mapping, all else as in `RelaySettings`."""
    listener = socket.create_server(("127.0.0.1", 0))
    timeouts = Timeouts(**settings.pop("timeouts", {}))
    relay = Relay(
        RelaySettings(
            listen_fd=listener.fileno(), upstream_host="127.0.0.1", upstream_port=upstream_port,
            upstream_authority=f"127.0.0.1:{upstream_port}", timeouts=timeouts, **settings,
        ),
        listener,
    )  # fmt: skip
    try:
        yield relay
    finally:
        relay.close()


@contextlib.contextmanager
def running_origin(script: Script) -> Iterator[Origin]:
    """An origin on an ephemeral port."""
    origin = Origin(script)
    try:
        yield origin
    finally:
        origin.close()
