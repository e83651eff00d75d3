"""Scenarios: the sidecar's own processes die, stop, or are told to end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time

from benchmarks.faults.stage import MONITOR, RELAY, Stage, wait
from benchmarks.faults.watch import Peak, rss_bytes
from tests.end_to_end.sidecar import Sidecar, request

EVERY_SECONDS = 5.0
BACK_SECONDS = 2.0
STEADY_PAUSE_SECONDS = 0.006  # 16 clients: about 2,000 requests a second; two cores have room
RELAY_BACK_SECONDS = 1.0
GROWTH_MB = 16.0  # of the relay while nobody takes what it observes
MB = 1e6


def monitor_killed(stage: Stage) -> None:
    """The monitor gets SIGKILL every 5 s under load."""
    _monitor_lost(stage, signal.SIGKILL)


def monitor_stopped(stage: Stage) -> None:
    """The monitor gets SIGSTOP every 5 s under load, and nobody continues it."""
    _monitor_lost(stage, signal.SIGSTOP)


def _monitor_lost(stage: Stage, number: signal.Signals) -> None:
    sidecar = stage.sidecar()
    load = stage.load(sidecar.port, pause_seconds=STEADY_PAUSE_SECONDS)
    relay = sidecar.children()[RELAY]
    wait(lambda: load.answers > 2000, 10.0)
    back: list[float] = []
    with Peak(relay) as peak:
        for _ in range(2 if stage.quick else 4):
            began = time.monotonic()
            back.append(_lose(sidecar, number))
            time.sleep(max(0.0, EVERY_SECONDS - (time.monotonic() - began)))
    load.stop()
    stage.harmless(load)
    stage.at_most("slowest return of the monitor", max(back), BACK_SECONDS, "s")
    stage.at_most("relay's memory grew by", peak.growth_bytes / MB, GROWTH_MB, "MB")
    outcomes = stage.accounted(sidecar, load.answers)
    dropped = outcomes.get("dropped", 0)
    stage.check("losses are counted as dropped", dropped, "> 0", held=dropped > 0)


def _lose(sidecar: Sidecar, number: signal.Signals) -> float:
    """Seconds from the signal until another monitor says that it observes."""
    first = sidecar.children()[MONITOR]
    os.kill(first, number)
    began = time.monotonic()
    sidecar.wait(lambda: sidecar.children().get(MONITOR, first) != first)
    sidecar.wait(lambda: bool(sidecar.json("/api/v1/health")["observing"]))
    return time.monotonic() - began


def relay_killed(stage: Stage) -> None:
    """The only relay worker gets SIGKILL: what was in flight is lost, everything else waits."""
    sidecar = stage.sidecar()
    clients = 8
    load = stage.load(sidecar.port, clients=clients)
    wait(lambda: load.answers > 1000, 10.0)
    kills = 2 if stage.quick else 4
    back: list[float] = []
    for _ in range(kills):
        os.kill(sidecar.children()[RELAY], signal.SIGKILL)
        began = time.monotonic()
        status = request(sidecar.port, "GET", "/item/1")[0]
        back.append(time.monotonic() - began if status == 200 else float("inf"))
        time.sleep(2.2)
    load.stop()
    # Each client has at most one request in flight, and one connection that is found dead.
    stage.at_most("requests lost with their worker", len(load.failures), kills * clients)
    refused = [one for one in load.failures if one.status or "refused" in one.reason.lower()]
    stage.at_most("refused, or answered with an error", len(refused), 0)
    stage.at_most("corrupted bodies", load.wrong, 0)
    stage.at_most("slowest return of the worker", max(back), RELAY_BACK_SECONDS, "s")
    stage.accounted(sidecar)


def term_under_load(stage: Stage) -> None:
    """SIGTERM: not ready at once, accepting through the drain, nothing in flight cut."""
    drain = 3.0
    sidecar = stage.sidecar(config=f"timeouts: {{drain: {drain:g}s}}\n")
    load = stage.load(sidecar.port)
    wait(lambda: load.answers > 1000, 10.0)
    waiting = _ask_slowly(sidecar.port)
    sidecar.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    stage.within("readiness fails", 0.5, lambda: sidecar.get("/readyz")[0] == 503)
    while time.monotonic() - began < drain - 0.5:
        fresh = request(sidecar.port, "GET", "/item/7")[0]
        if fresh != 200:
            stage.check("accepts until the drain ends", fresh, 200, held=False)
            break
        time.sleep(0.05)
    load.stop()
    stage.harmless(load)
    at_signal = _answered(waiting)
    stage.check("answer in flight at the signal", at_signal, 200, held=at_signal == 200)
    late = _ask_slowly(sidecar.port)  # begins within the drain, ends after it
    beyond = stage.load(sidecar.port)  # fresh connections too, as every answer says goodbye by now
    at_end = _answered(late)
    stage.check("answer in flight at the drain's end", at_end, 200, held=at_end == 200)
    beyond.stop()
    cut = [one for one in beyond.failures if "refused" not in one.reason.lower()]
    stage.at_most("cut by the drain's end, rather than refused", len(cut), 0)
    stage.check("served up to the drain's end", beyond.answers, "> 0", held=beyond.answers > 0)
    code = sidecar.process.wait(15)
    stage.check("exit status", code, 0, held=code == 0)
    stage.at_most("exits after", time.monotonic() - began, drain + 10.0, "s")


def second_term(stage: Stage) -> None:
    """A second SIGTERM ends everything at once, whatever is in flight."""
    sidecar = stage.sidecar(config="timeouts: {drain: 30s}\n")
    children = sidecar.children()
    waiting = _ask_slowly(sidecar.port)
    sidecar.process.send_signal(signal.SIGTERM)
    wait(lambda: sidecar.get("/readyz")[0] == 503, 2.0)
    sidecar.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    sidecar.process.wait(10)
    stage.at_most("exits after", time.monotonic() - began, 1.0, "s")
    left = [name for name, pid in children.items() if rss_bytes(pid)]
    stage.check("processes left", left, [], held=not left)
    waiting.close()


def _ask_slowly(port: int) -> socket.socket:
    """A connection on which a request waits two seconds for its answer."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(b"GET /slow HTTP/1.1\r\nhost: model\r\n\r\n")
    time.sleep(0.1)
    return connection


def _answered(connection: socket.socket) -> int:
    """The status of the answer that comes; 0 for none."""
    head = b""
    with contextlib.suppress(OSError):
        head = connection.recv(65536)
    connection.close()
    return int(head[9:12]) if head.startswith(b"HTTP/1.1 ") else 0
