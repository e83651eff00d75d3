"""The monitor's place in the queue for a core: behind whatever serves a request, and often offered.

Knows the kernel's priorities and slices, and nothing of the house.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

NICER_BY = 10  # about a tenth of a core that others want in full: see docs/decisions
LOWEST = 19
SLICE_SECONDS = 0.02  # longer than any default, so that a woken thread need not wait: see there too
TURN_SECONDS = 0.0001  # of work: what an answer that is on its way may wait for

# sched_setattr(2) is not in Python, nor in most C libraries: its number, by machine.
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274, "riscv64": 274}
_ATTRIBUTES = struct.Struct("IIQiIQQQ")  # struct sched_attr in its first form, 48 bytes


class Turns:
    """Offers the core to whoever waits for it, about every 100 µs: called within a loop at work.

    One for each thread. An offer lets go of Python's lock as well, and costs a microsecond where
    nobody waits. Where others want the whole core it costs what was left of the slice: after one
    that took longer than a slice, none is made until as long was worked.
    """

    def __init__(
        self,
        offer: Callable[[], None] = os.sched_yield,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._offer = offer
        self._clock = clock
        self._due = 0.0

    def __call__(self) -> None:
        """Offer the core, if it is time."""
        began = self._clock()
        if began < self._due:
            return
        self._offer()
        ended = self._clock()
        away = ended - began
        self._due = ended + (away if away > SLICE_SECONDS else TURN_SECONDS)


def give_way(threads: Path = Path("/proc/self/task")) -> None:
    """Lower the priority of every thread of this process, and so of those that they will start.

    Linux has a priority for each thread; elsewhere it is the process's.
    """
    on_linux = sys.platform == "linux" and threads.exists()
    wanted = min(LOWEST, os.getpriority(os.PRIO_PROCESS, 0) + NICER_BY)
    for thread in [int(one.name) for one in threads.iterdir()] if on_linux else [0]:
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            os.setpriority(os.PRIO_PROCESS, thread, wanted)
            if on_linux:
                _lengthen_slice(thread, wanted)


def _lengthen_slice(thread: int, nice: int) -> None:
    """Ask for a long slice: whoever is woken and has a shorter one need not wait for its end.

    Before Linux 6.12, and where a sandbox forbids the call, nothing changes.
    """
    number = _SCHED_SETATTR.get(platform.machine())
    if number is None:
        return
    policy, slice_nanoseconds = os.sched_getscheduler(thread), int(SLICE_SECONDS * 1e9)
    wanted = _ATTRIBUTES.pack(_ATTRIBUTES.size, policy, 0, nice, 0, slice_nanoseconds, 0, 0)
    ctypes.CDLL(None).syscall(number, thread, wanted, 0)
