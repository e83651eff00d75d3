"""The monitor's threads stand behind whoever serves a request, those to come included."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest

from monitor.service.priority import LOWEST, NICER_BY, SLICE_SECONDS, TURN_SECONDS, Turns

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


class Core:
    """A core that others want for some seconds whenever it is offered."""

    def __init__(self, wanted_seconds: float) -> None:
        self.now = 0.0
        self.offered: list[float] = []
        self._wanted_seconds = wanted_seconds

    def offer(self) -> None:
        self.offered.append(self.now)
        self.now += self._wanted_seconds

    def clock(self) -> float:
        return self.now


def _worked(core: Core, pieces: int, piece_seconds: float) -> list[float]:
    """When the core was offered by a loop of so many pieces of work."""
    turns = Turns(core.offer, core.clock)
    for _ in range(pieces):
        core.now += piece_seconds
        turns()
    return core.offered


def test_the_core_is_offered_once_in_a_while() -> None:
    offered = _worked(Core(0.0), 1000, TURN_SECONDS / 4)
    assert len(offered) == pytest.approx(250, abs=60)  # a quarter of its time is no exact float
    steps = [b - a for a, b in pairwise(offered)]
    assert min(steps) > 0.99 * TURN_SECONDS


def test_no_piece_is_too_long_to_be_followed_by_an_offer() -> None:
    assert len(_worked(Core(0.0), 20, 50 * TURN_SECONDS)) == 20


def test_a_core_that_is_wanted_now_and_then_is_offered_as_often() -> None:
    assert len(_worked(Core(SLICE_SECONDS / 2), 1000, TURN_SECONDS)) > 900


def test_of_a_core_that_is_wanted_whole_no_more_is_given_away_than_is_worked() -> None:
    core = Core(0.5)
    offered = _worked(core, 10_000, TURN_SECONDS)
    worked = 10_000 * TURN_SECONDS
    assert len(offered) > 1
    assert core.now - worked <= worked + 0.5


@pytest.fixture
def held_lock() -> Iterator[None]:
    """Python's lock changes hands only where it is let go of."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(30.0)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("held_lock")
def test_an_offer_lets_other_threads_go_on() -> None:
    begin, went_on = threading.Event(), threading.Event()

    def wait() -> None:
        begin.wait()
        went_on.set()

    turns = Turns(clock=iter(range(10_000)).__next__)
    other = threading.Thread(target=wait)
    other.start()
    begin.set()
    calls = 0
    while not went_on.is_set() and calls < 1000:
        turns()
        calls += 1
    assert went_on.is_set()
    other.join()
