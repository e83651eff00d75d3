"""The monitor's threads stand behind whoever serves a request, those to come included."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys

import pytest

from monitor.service.priority import LOWEST, NICER_BY, SLICE_SECONDS

GIVES_WAY = """
import json, os, threading
from monitor.service.priority import give_way
held = threading.Event()
threading.Thread(target=held.wait, daemon=True).start()
before = os.getpriority(os.PRIO_PROCESS, 0)
give_way()
threading.Thread(target=held.wait, daemon=True).start()
threads = [int(name) for name in os.listdir("/proc/self/task")]
def scheduled(thread):
    with open(f"/proc/self/task/{thread}/sched") as lines:
        return int(next(line.split()[-1] for line in lines if line.startswith("se.slice")))
slices = [scheduled(one) for one in threads] if os.path.exists("/proc/self/sched") else []
print(json.dumps([before, [os.getpriority(os.PRIO_PROCESS, one) for one in threads], slices]))
"""
TAKES_SLICES = (6, 12)  # the first Linux that lets a thread ask for one
KERNEL = tuple(int(part) for part in re.findall(r"\d+", platform.release())[:2])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no priority of theirs")
@pytest.mark.parametrize("own", [0, 15])
def test_every_thread_gives_way_and_none_below_the_lowest(own: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import os; os.nice({own})\n{GIVES_WAY}"],
        capture_output=True,
        check=True,
        timeout=30,
    )
    before, after, slices = json.loads(done.stdout)
    assert before == min(LOWEST, os.getpriority(os.PRIO_PROCESS, 0) + own)
    assert after == [min(LOWEST, before + NICER_BY)] * 3
    if KERNEL >= TAKES_SLICES and slices:  # a kernel may be built without showing them
        assert slices == [SLICE_SECONDS * 1e9] * 3
