"""Two relay workers on one port: what each counted is told as one, and one may die."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.load import Load
from tests.end_to_end.sidecar import Sidecar

pytestmark = pytest.mark.end_to_end


def _relays(sidecar: Sidecar) -> set[int]:
    pid = sidecar.process.pid
    found = set()
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with contextlib.suppress(OSError):
            if b"monitor.relay\0" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(int(child))
    return found


def _processor_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _counted(sidecar: Sidecar) -> tuple[float, float, float]:
    """Requests by three accounts, which must agree."""
    return (
        sidecar.metric("requests_total"),
        sidecar.metric("observations_total"),
        sidecar.metric("request_duration_seconds_count"),
    )


def test_metrics_of_two_workers_are_whole_and_survive_one_of_them(
    start: Callable[..., Sidecar],
) -> None:
    sidecar = start("--workers", "2")
    first = _relays(sidecar)
    assert len(first) == 2
    before = {pid: _processor_ticks(pid) for pid in first}
    load = Load(sidecar.port, clients=8, each=5)
    sidecar.wait(lambda: load.sent > 2000)
    load.stop()
    assert load.failures == []
    assert all(_processor_ticks(pid) > before[pid] for pid in first)  # both have worked
    sidecar.wait(lambda: _counted(sidecar) == (load.sent,) * 3)
    assert sidecar.metric("predictions_total") == load.sent

    lost = first.pop()
    os.kill(lost, signal.SIGKILL)
    sidecar.wait(lambda: len(_relays(sidecar) - {lost}) == 2, seconds=3)
    again = Load(sidecar.port, clients=8, each=5)  # who meets the new one early waits, no more
    sidecar.wait(lambda: again.sent > 1000)
    again.stop()
    assert again.failures == []
    total = load.sent + again.sent
    sidecar.wait(lambda: _counted(sidecar) == (total,) * 3)
    assert sidecar.metric("predictions_total") == total
