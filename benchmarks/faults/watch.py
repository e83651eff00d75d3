"""What the kernel says of a process while something happens to it: memory, files, connections.

Reads /proc only.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from pathlib import Path
from typing import Self

from benchmarks.measure import usage

SAMPLE_SECONDS = 0.05
_STATES = {"01": "established", "08": "close_wait", "02": "syn_sent", "04": "fin_wait1"}


def rss_bytes(pid: int) -> int:
    """Resident memory; 0 once it is gone."""
    return usage([pid]).rss_bytes


def cpu_seconds(pid: int) -> float:
    """User and system time so far."""
    return usage([pid]).cpu_seconds


def descriptors(pid: int) -> int:
    """Open file descriptors."""
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - names are enough


def threads(pid: int) -> int:
    """Threads running."""
    return len(os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 - names are enough


def connections_to(port: int) -> Counter[str]:
    """Connections of this machine to a local port, by state; FIN_WAIT2 and TIME_WAIT are ended."""
    found: Counter[str] = Counter()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, _, remote, state = line.split()[:4]
        if int(remote.rpartition(":")[2], 16) == port and state in _STATES:
            found[_STATES[state]] += 1
    return found


class Peak:
    """The most resident memory of a process while the block runs.

    >>> with Peak(os.getpid()) as peak:
    ...     pass
    >>> peak.growth_bytes >= 0
    True
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.before_bytes = rss_bytes(pid)
        self.peak_bytes = self.before_bytes
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="peak", daemon=True)

    @property
    def growth_bytes(self) -> int:
        """Peak less the start."""
        return self.peak_bytes - self.before_bytes

    def _run(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self.peak_bytes = max(self.peak_bytes, rss_bytes(self._pid))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
