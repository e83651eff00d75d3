"""The two loads: wrk as fast as the answers come, and an open loop at a fixed rate.

Knows an address and which cores it may use; nothing of what answers there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.payload import PATH

_HERE = Path(__file__).resolve().parent
_GRACE_SECONDS = 15.0


class LoadError(Exception):
    """The load could not be given; the message is what its program said."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the client saw."""

    requests: int
    seconds: float
    p50_seconds: float
    p99_seconds: float
    errors: int

    @property
    def requests_per_second(self) -> float:
        return self.requests / self.seconds


@contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """Processes started inside inherit these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def closed_loop(
    wrk: str, port: int, bodies: Path, cores: set[int], shape: tuple[int, float]
) -> Load:
    """wrk with one thread; `shape` is (connections, seconds)."""
    connections, seconds = shape
    command = [
        wrk, "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s",
        "-s", str(_HERE / "post.lua"), f"http://127.0.0.1:{port}/", "--", PATH, str(bodies),
    ]  # fmt: skip
    seen = json.loads(_last_line(command, cores, seconds))
    return Load(
        requests=seen["requests"],
        seconds=seen["microseconds"] / 1e6,
        p50_seconds=seen["p50"] / 1e6,
        p99_seconds=seen["p99"] / 1e6,
        errors=seen["errors"],
    )


def open_loop(port: int, bodies: Path, cores: set[int], rate: int, seconds: float) -> Load:
    """`rate` requests a second whatever the answers do, from a process of its own."""
    command = [
        sys.executable,
        str(_HERE / "openloop.py"),
        str(port),
        str(bodies),
        str(rate),
        f"{seconds:g}",
    ]
    return Load(**json.loads(_last_line(command, cores, seconds)))


def _last_line(command: list[str], cores: set[int], seconds: float) -> str:
    with on_cores(cores):
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=seconds + _GRACE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise LoadError(
                f"{Path(command[0]).name} did not end in {late.timeout:.0f} s"
            ) from None
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines or not lines[-1].startswith("{"):
        said = (done.stderr or done.stdout).strip()[-500:]
        raise LoadError(f"{Path(command[0]).name} ended with {done.returncode}: {said}")
    return lines[-1]
