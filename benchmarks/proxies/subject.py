"""What a proxy under test is to the benchmark: a port, a version, and parts counted apart.

Knows how to start and end a process; nothing of any one proxy.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import measure
from benchmarks.load import on_cores

READY_SECONDS = 60.0
_END_SECONDS = 15.0


class UnavailableError(Exception):
    """A proxy cannot be measured here; the message says why, and what would help."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the peers' programs are; None where absent."""

    wrk: str | None
    nginx: str | None
    haproxy: str | None
    python: str | None
    envoy: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a proxy runs: its files, its core, the other cores, and the origin's port."""

    directory: Path
    proxy_cores: frozenset[int]
    other_cores: frozenset[int]
    origin_port: int
    tools: Tools


@dataclass(slots=True)
class Subject:
    """One running proxy."""

    name: str
    version: str
    port: int
    process: subprocess.Popen[bytes]
    control_port: int | None = None
    parts: Callable[[int], Mapping[str, Sequence[int]]] = lambda root: {"proxy": measure.tree(root)}

    def pids(self) -> Mapping[str, Sequence[int]]:
        """The processes of each part, read anew: a worker may have been replaced."""
        return self.parts(self.process.pid)

    def stop(self) -> None:
        """End it by pid: asked first, then without asking, its descendants too."""
        descendants = measure.tree(self.process.pid)[1:]
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_END_SECONDS)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(_END_SECONDS)
        for pid in descendants:
            if measure.command_line(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def start(
    name: str, command: Sequence[str], place: Place, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """A process on the proxy's cores, its output in a file; the kernel ends it when we end."""
    guard = [setpriv, "--pdeathsig", "TERM"] if (setpriv := shutil.which("setpriv")) else []
    with on_cores(set(place.proxy_cores)), (place.directory / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [*guard, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=place.directory,
            env={**os.environ, **(environment or {})},
        )


def wait_ready(subject: Subject, place: Place) -> Subject:
    """The subject, once its port accepts; where it never does, stopped and UnavailableError."""
    deadline = time.monotonic() + READY_SECONDS
    while subject.process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", subject.port), 1):
            return subject
        time.sleep(0.05)
    words = last_words(subject.name, place)
    subject.stop()
    raise UnavailableError(f"it did not listen on its port: {words}")


def last_words(name: str, place: Place) -> str:
    """The last line of its log."""
    lines = (place.directory / f"{name}.log").read_text(errors="replace").splitlines()
    return next((line.strip()[-300:] for line in reversed(lines) if line.strip()), "it is silent")


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def version(command: Sequence[str], pattern: str) -> str:
    """The first group of `pattern` in what a command says of itself."""
    said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    found = re.search(pattern, said.stdout + said.stderr)
    return found.group(1) if found else "unknown"
