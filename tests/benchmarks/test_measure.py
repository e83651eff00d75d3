"""CPU and descent as read from /proc, against what the kernel says by other ways."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks import measure

BURN = """
import time
while time.process_time() < 0.3: pass
print(time.process_time(), flush=True)
input()
"""
PARENT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])"


def test_cpu_of_a_tree_is_that_of_its_descendants() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        own_seconds = float(process.stdout.readline())
        pids = measure.tree(process.pid)
        found = measure.usage(pids)
        process.communicate(b"\n")
    assert len(pids) == 2
    assert found.cpu_seconds == pytest.approx(own_seconds, abs=0.15)  # and the parent's start
    assert found.cpu_seconds >= 0.28
    assert found.rss_bytes > 2_000_000


def test_the_dead_count_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert measure.usage([process.pid]) == measure.Usage(0.0, 0)
    assert measure.command_line(process.pid) == ""


def test_pins_a_process_to_a_core() -> None:
    core = min(os.sched_getaffinity(0))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        measure.pin(process.pid, {core})
        assert os.sched_getaffinity(process.pid) == {core}
        process.communicate(b"\n")


def test_machine_is_busy_at_least_as_long_as_we_are() -> None:
    before = measure.machine_busy_seconds(), measure.own_cpu_seconds()
    subprocess.run([sys.executable, "-c", BURN], input=b"\n", capture_output=True, check=True)
    machine = measure.machine_busy_seconds() - before[0]
    own = measure.own_cpu_seconds() - before[1]
    assert own >= 0.28
    assert machine >= own - 0.1
