"""The monitor's place in the queue for a core: behind whatever serves a request.

Knows the kernel's priorities and nothing of the house.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

NICER_BY = 10  # about a tenth of a core that others want in full: see docs/decisions
LOWEST = 19


def give_way(threads: Path = Path("/proc/self/task")) -> None:
    """Lower the priority of every thread of this process, and so of those that they will start.

    Linux has a priority for each thread; elsewhere it is the process's.
    """
    on_linux = sys.platform == "linux" and threads.exists()
    wanted = min(LOWEST, os.getpriority(os.PRIO_PROCESS, 0) + NICER_BY)
    for thread in [int(one.name) for one in threads.iterdir()] if on_linux else [0]:
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            os.setpriority(os.PRIO_PROCESS, thread, wanted)
