"""The relay as a process of its own: how it starts, what it weighs, and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.relay.harness import (
    PATIENCE_SECONDS,
    answer,
    eventually,
    read_all,
    read_answer,
    read_head,
    running_origin,
)

pytestmark = pytest.mark.end_to_end
ROOT = Path(__file__).parents[2]
GET = b"GET /p HTTP/1.1\r\nHost: h\r\n\r\n"


def _answers(connection: socket.socket, _number: int) -> None:
    while read_head(connection):
        connection.sendall(answer())


def _slowly(connection: socket.socket, _number: int) -> None:
    while read_head(connection):
        time.sleep(0.8)
        connection.sendall(answer())


class Process:
    """A relay process and the address it listens on."""

    def __init__(self, port: int, *, files: int = 0, **settings: Any) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
            self.address: tuple[str, int] = listener.getsockname()
            document = {
                "listen_fd": listener.fileno(), "upstream_host": "127.0.0.1",
                "upstream_port": port, "upstream_authority": "h", **settings,
            }  # fmt: skip
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "monitor.relay"], cwd=ROOT, pass_fds=[listener.fileno()],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                preexec_fn=(  # noqa: PLW1509 - before any thread of the child
                    lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)))
                if files else None,
            )  # fmt: skip
            assert self.popen.stdin
            assert self.popen.stdout
            self.popen.stdin.write(json.dumps(document).encode())
            self.popen.stdin.close()
            self.ready = json.loads(self.popen.stdout.readline())

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=PATIENCE_SECONDS)

    def status(self) -> bytes:
        """The status of one request on a connection of its own, b"" when there is no answer."""
        with contextlib.suppress(OSError), self.connect() as client:
            client.sendall(GET)
            return read_answer(client)[0][9:12]
        return b""

    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        pages = Path(f"/proc/{self.popen.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def _process(port: int, **settings: Any) -> Iterator[Process]:
    process = Process(port, **settings)
    try:
        yield process
    finally:
        process.popen.kill()
        process.popen.wait()
        assert process.popen.stdout
        process.popen.stdout.close()


def test_it_says_when_it_accepts_and_is_small() -> None:
    with running_origin(_answers) as origin, _process(origin.port) as process:
        assert process.ready == {"ready": True, "pid": process.popen.pid}
        assert process.status() == b"200"
        assert process.resident_bytes() <= 35 << 20


def test_idle_connections_cost_little() -> None:
    with running_origin(_answers) as origin, _process(origin.port) as process:
        assert process.status() == b"200"
        before = process.resident_bytes()
        clients = [process.connect() for _ in range(200)]
        for client in clients:
            client.sendall(GET)
            read_answer(client)
        assert (process.resident_bytes() - before) / 200 <= 30_000
        for client in clients:
            client.close()


def test_sigterm_drains_and_drops_nothing() -> None:
    with (
        running_origin(_slowly) as origin,
        _process(origin.port, timeouts={"drain": 1.2}) as process,
    ):
        with process.connect() as client, process.connect() as idle:
            idle.sendall(GET)
            read_answer(idle)
            process.popen.send_signal(signal.SIGTERM)
            signalled = time.monotonic()
            assert process.status() == b"200"  # it goes on accepting
            client.sendall(GET)
            head, _ = read_answer(client)  # under way when accepting ends
            assert b"connection: close" in head
            assert time.monotonic() - signalled > 1.2
            assert read_all(idle) == b""
        assert process.popen.wait(PATIENCE_SECONDS) == 0
        assert process.status() == b""


def test_a_second_sigterm_ends_it_at_once() -> None:
    with (
        running_origin(_answers) as origin,
        _process(origin.port, timeouts={"drain": 60}) as process,
    ):
        process.popen.send_signal(signal.SIGTERM)
        assert process.status() == b"200"
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(PATIENCE_SECONDS) == 0


def test_too_few_files_neither_spin_nor_end_it() -> None:
    with running_origin(_answers) as origin, _process(origin.port, files=64) as process:
        clients = [process.connect() for _ in range(100)]
        for client in clients:
            with contextlib.suppress(OSError):
                client.sendall(GET)
        before = process.processor_seconds()
        time.sleep(0.5)
        assert process.processor_seconds() - before < 0.25
        assert read_answer(clients[0])[0][9:12] == b"200"
        for client in clients:
            client.close()
        eventually(lambda: process.status() == b"200")


def test_wrong_settings_are_one_line_and_exit_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "monitor.relay"], cwd=ROOT, input=b'{"wrong": 1}',
        capture_output=True, timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"wrong: unknown key" in done.stderr
