"""The processes of the demo: started with a log file each, waited for, and always ended.

Knows processes and addresses; nothing of what they do.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx

from monitor.errors import SidelightError

POLL_SECONDS = 0.05
GRACE_SECONDS = 15.0  # from SIGTERM to SIGKILL
_LAST_LINES = 3
_LINE_CHARACTERS = 300


class DemoError(SidelightError):
    """A part of the demo did not start, or ended too early; the text names it and its log."""


@dataclass(frozen=True, slots=True)
class _Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path


class Children:
    """Child processes that end with the `with` block, in the reverse order of their start."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: list[_Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with _signals_deferred():
            while self._running:
                _end(self._running.pop())

    @property
    def pids(self) -> list[int]:
        """The process ids, in the order of their start."""
        return [child.process.pid for child in self._running]

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Start a process that runs until the block ends; its output goes into `name`.log."""
        log = self._directory / f"{name.replace(' ', '-')}.log"
        # An interrupt between the fork and the append would leave an orphan.
        with log.open("wb") as output, _signals_deferred():
            process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,  # Ctrl-C is for the demo, which then ends them in order
            )
            self._running.append(_Child(name, process, log))

    def run(self, name: str, command: Sequence[str], timeout_seconds: float) -> None:
        """Run a process to its end; DemoError unless that is 0."""
        self.start(name, command)
        child = self._running[-1]
        try:
            code = child.process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            raise DemoError(f"{name} took over {timeout_seconds:g} s; {_told(child)}") from None
        self._running.remove(child)
        if code != 0:
            raise DemoError(f"{name} failed with exit code {code}; {_told(child)}")

    def check(self) -> None:
        """DemoError if one of them has ended."""
        for child in self._running:
            code = child.process.poll()
            if code is not None:
                raise DemoError(f"{child.name} ended with exit code {code}; {_told(child)}")

    def wait_until_answers(self, url: str, timeout_seconds: float) -> None:
        """Return once `url` answers 200; DemoError after the timeout, or when a process ends."""
        ends = time.monotonic() + timeout_seconds
        with httpx.Client(timeout=1.0) as client:
            while time.monotonic() < ends:
                self.check()
                with suppress(httpx.TransportError):
                    if client.get(url).status_code == httpx.codes.OK:
                        return
                time.sleep(POLL_SECONDS)
        told = f"; {_told(self._running[-1])}" if self._running else ""
        raise DemoError(f"{url} did not answer 200 within {timeout_seconds:g} s{told}")


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def _signals_deferred() -> Iterator[None]:
    """SIGINT and SIGTERM take effect after the block; only in a program's main thread."""
    received: list[int] = []
    before = {
        number: signal.signal(number, lambda at, _: received.append(at))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for at in received:
            signal.raise_signal(at)


def _end(child: _Child) -> None:
    """SIGTERM, a grace, then SIGKILL to what is left of its session."""
    child.process.terminate()
    with suppress(subprocess.TimeoutExpired):
        child.process.wait(GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()


def _told(child: _Child) -> str:
    lines = child.log.read_text("utf-8", "replace").splitlines()[-_LAST_LINES:]
    ends = " | ".join(line[:_LINE_CHARACTERS] for line in lines)
    return f"its log {child.log} ends: {ends or '(nothing)'}"
