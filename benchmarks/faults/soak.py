"""A scenario of time: clients that leave in the middle, for as long as asked; nothing may grow."""

from __future__ import annotations

import time

from benchmarks.faults.stage import MONITOR, RELAY, Stage, wait
from benchmarks.faults.watch import connections_to, cpu_seconds, descriptors, rss_bytes, threads

ABORT_SHARE = 0.2
HALF_LOAD_PAUSE_SECONDS = 0.012  # 16 clients: about a thousand requests a second
WARM_SECONDS = 10.0
SETTLE_SECONDS = 8.0
SLACK_DESCRIPTORS = 4
SLACK_THREADS = 2  # of the pool that answers on the control port
SLOPE_MB_PER_MINUTE = 1.0
SLACK_MB = 6.0  # of the allocator, however short the soak
MB = 1e6


def soak(stage: Stage, seconds: float) -> None:
    """A steady load of which a fifth of the clients leave at any byte of their request."""
    sidecar = stage.sidecar()
    warm = stage.load(sidecar.port, pause_seconds=HALF_LOAD_PAUSE_SECONDS, abort_share=ABORT_SHARE)
    time.sleep(min(WARM_SECONDS, seconds))
    warm.stop()
    stage.harmless(warm)
    children = sidecar.children()
    pids = {"relay": children[RELAY], "monitor": children[MONITOR]}
    time.sleep(SETTLE_SECONDS / 2)
    files = {name: descriptors(pid) for name, pid in pids.items()}
    running = {name: threads(pid) for name, pid in pids.items()}
    memory = {name: rss_bytes(pid) for name, pid in pids.items()}
    load = stage.load(sidecar.port, pause_seconds=HALF_LOAD_PAUSE_SECONDS, abort_share=ABORT_SHARE)
    began, cpu = time.monotonic(), cpu_seconds(pids["relay"])
    time.sleep(seconds)
    took = time.monotonic() - began
    share = (cpu_seconds(pids["relay"]) - cpu) / took
    load.stop()
    stage.harmless(load)
    stage.check("answers, aborts", f"{load.answers}, {load.aborted}", "told", held=load.aborted > 0)
    stage.check("relay's CPU", f"{100 * share:.0f} % of a core", "told", held=True)
    wait(lambda: not connections_to(stage.origin.port), SETTLE_SECONDS)
    left = connections_to(stage.origin.port)
    stage.check("connections to the model left", dict(left), {}, held=not left)
    guests = sidecar.json("/api/v1/health")["processes"]["connections"]
    stage.check("connections of clients left", guests, 0, held=guests == 0)
    for name, pid in pids.items():
        stage.at_most(f"threads of the {name}", threads(pid), running[name] + SLACK_THREADS)
        stage.at_most(
            f"descriptors of the {name}", descriptors(pid), files[name] + SLACK_DESCRIPTORS
        )
        grown = (rss_bytes(pid) - memory[name]) / MB
        slack = SLACK_MB + SLOPE_MB_PER_MINUTE * seconds / 60
        stage.at_most(f"memory of the {name} grew by", grown, slack, "MB")
    same = sidecar.children() == children
    stage.check("processes", "the same" if same else "replaced", "the same", held=same)
    stage.accounted(sidecar)
