"""What the kernel says of processes and of the machine: CPU seconds, resident bytes, descent.

Reads /proc only; knows nothing of HTTP or of who is being measured.
"""

from __future__ import annotations

import contextlib
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """What some processes had used when it was read."""

    cpu_seconds: float
    rss_bytes: int


def tree(root: int) -> list[int]:
    """`root` and all its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def usage(pids: Sequence[int]) -> Usage:
    """CPU (user and system, all threads) and resident memory of `pids`; the dead count 0."""
    cpu_ticks = 0
    pages = 0
    for pid in pids:
        if fields := _stat(pid):
            cpu_ticks += int(fields[11]) + int(fields[12])
            pages += int(fields[21])
    return Usage(cpu_ticks / _TICKS_PER_SECOND, pages * _PAGE_BYTES)


def own_cpu_seconds() -> float:
    """CPU of this process, of all its living descendants, and of the ones it has reaped."""
    reaped = os.times()
    return usage(tree(os.getpid())).cpu_seconds + reaped.children_user + reaped.children_system


def machine_busy_seconds() -> float:
    """CPU seconds that all cores together have been busy or stolen since boot."""
    line = Path("/proc/stat").read_text().partition("\n")[0]
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, line.split()[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICKS_PER_SECOND


def command_line(pid: int) -> str:
    """The arguments of a process, joined by spaces; empty once it is gone."""
    with contextlib.suppress(OSError):
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    return ""


def pin(pid: int, cores: set[int]) -> None:
    """Keep every thread of a process, and what it starts from now on, on `cores`."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), cores)


def wait_until(condition: Callable[[], bool], timeout_seconds: float, poll_seconds: float) -> bool:
    """Whether `condition` came true before the timeout."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(poll_seconds)
    return True


def machine() -> dict[str, str]:
    """What a reader must know of the machine to judge a figure."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    total_kib = int(Path("/proc/meminfo").read_text().split()[1])
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{total_kib / 2**20:.0f} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command, from `state` on; empty once it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []
