"""The most memory that a process and all it started held at one time: looked up in /proc meanwhile.

The sum of resident sets: pages that two of them share are counted twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

PAUSE_SECONDS = 0.01
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class Held:
    """What was seen."""

    most_bytes: int = 0


@contextmanager
def watched(pid: int) -> Iterator[Held]:
    """Looks at the process and its descendants a hundred times a second."""
    held, done = Held(), Event()

    def look() -> None:
        while not done.wait(PAUSE_SECONDS):
            held.most_bytes = max(held.most_bytes, sum(map(_resident, _tree(pid))))

    watcher = Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield held
    finally:
        done.set()
        watcher.join()


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):  # it, or a thread of it, has ended
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _tree(int(child))


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (OSError, IndexError):
        return 0
