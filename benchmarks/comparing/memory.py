"""The most memory that a process and all it started held at one time: looked up in /proc meanwhile.

Resident sets, added up, count a page twice that two processes share. What is told is the sum of
proportional sets (proc(5), smaps_rollup), where it is counted once. The kernel takes milliseconds
to tell it, so it is asked only when the resident sets reach a new height.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from benchmarks.measure import usage

PAUSE_SECONDS = 0.01
STEP = 1.01  # a new height is so much higher than the last


@dataclass(slots=True)
class Held:
    """What was seen."""

    most_bytes: int = 0


@contextmanager
def watched(pid: int) -> Iterator[Held]:
    """Looks at the process and its descendants a hundred times a second."""
    held, done = Held(), Event()

    def look() -> None:
        highest = 0.0
        while not done.wait(PAUSE_SECONDS):
            tree = list(_tree(pid))
            resident = usage(tree).rss_bytes
            if resident > STEP * highest:
                highest = resident
                held.most_bytes = max(held.most_bytes, sum(map(_proportional, tree)))

    watcher = Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield held
    finally:
        done.set()
        watcher.join()


def _tree(pid: int) -> Iterator[int]:
    """As `measure.tree`, which looks at every process of the machine: too slow for this pace."""
    yield pid
    with suppress(OSError):  # it, or a thread of it, has ended
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _tree(int(child))


def _proportional(pid: int) -> int:
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in told.splitlines() if line.startswith("Pss:"))
