"""Scenarios: the model server answers in part, not at all, late, or dies and comes back."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from dataclasses import dataclass

from benchmarks.faults.clients import Load
from benchmarks.faults.stage import Stage, wait
from benchmarks.faults.watch import connections_to
from tests.end_to_end.sidecar import Sidecar, request

RECOVERY_SECONDS = 1.0
GAP_SECONDS = 0.4
RESTART_EVERY_SECONDS = 2.0
POOL_IDLE_SECONDS = 3.0
GIVE_UP_SECONDS = 0.5


def broken_answers(stage: Stage) -> None:
    """Answers cut, reset, never begun and late, beside traffic that is well."""
    sidecar = stage.sidecar()
    load = stage.load(sidecar.port, clients=4)
    rounds = 10 if stage.quick else 50
    for path in ("/cut", "/reset"):
        clean = sum(_ends_cleanly(sidecar.port, path) for _ in range(rounds))
        stage.at_most(f"truncated answers that look whole ({path})", clean, 0)
    dropped = [_asked(stage, sidecar, "POST", f"post-{n}") for n in range(rounds)]
    stage.check("POST without an answer", sorted(set(dropped)), "502", held=set(dropped) == {502})
    gets = [_asked(stage, sidecar, "GET", f"get-{n}") for n in range(rounds)]
    stage.check("GET without an answer", sorted(set(gets)), "502", held=set(gets) == {502})
    late = request(sidecar.port, "GET", "/slow")[0]
    stage.check("late answer", late, 200, held=late == 200)
    _hangs(stage, sidecar)
    load.stop()
    stage.harmless(load)
    _sent_at_most(stage)
    _nothing_leaks(stage)
    stage.accounted(sidecar)


def _asked(stage: Stage, sidecar: Sidecar, method: str, identity: str) -> int:
    fields = {"x-chaos-id": f"{stage.seed}-{identity}"}
    return request(sidecar.port, method, "/drop", b"{}" if method == "POST" else b"", fields)[0]


def _ends_cleanly(port: int, path: str) -> bool:
    try:
        request(port, "POST", path, b"{}")
    except (OSError, http.client.HTTPException):
        return False
    return True


def _hangs(stage: Stage, sidecar: Sidecar) -> None:
    """A client that gives up frees the model within a second."""
    identity = f"{stage.seed}-hang"
    with socket.create_connection(("127.0.0.1", sidecar.port)) as connection:
        head = f"GET /hang HTTP/1.1\r\nhost: model\r\nx-chaos-id: {identity}\r\n\r\n"
        connection.sendall(head.encode())
        connection.settimeout(GIVE_UP_SECONDS)
        with contextlib.suppress(TimeoutError):
            connection.recv(1)
    began = time.monotonic()
    freed = wait(lambda: stage.origin.arrived()["gone", identity] == 1, 5.0)
    took = time.monotonic() - began if freed else float("inf")
    stage.at_most("model freed after its client left", took, RECOVERY_SECONDS, "s")


def _sent_at_most(stage: Stage) -> None:
    """A POST reaches the model once at most; a GET twice, and only where the first was lost."""
    arrived = stage.origin.arrived()
    ours = {key: n for key, n in arrived.items() if key[1].startswith(f"{stage.seed}-")}
    posts = max((n for (method, _), n in ours.items() if method == "POST"), default=0)
    gets = max((n for (method, _), n in ours.items() if method == "GET"), default=0)
    stage.check("most arrivals of one POST", posts, 1, held=posts == 1)
    stage.check("most arrivals of one GET", gets, "1 or 2", held=gets in {1, 2})


def _nothing_leaks(stage: Stage) -> None:
    """Once no client is left, the pool's idle connections end, and there are no others."""
    port = stage.origin.port
    wait(lambda: not connections_to(port), POOL_IDLE_SECONDS + 2.0)
    left = connections_to(port)
    stage.check("connections to the model left", dict(left), {}, held=not left)


@dataclass(frozen=True, slots=True)
class _Gap:
    """The model was away: from, until, on the monotonic clock."""

    start: float
    end: float


def restarting(stage: Stage) -> None:
    """The model server is killed every two seconds, and comes back after a moment."""
    sidecar = stage.sidecar()
    load = stage.load(sidecar.port, clients=8, pause_seconds=0.002)
    wait(lambda: load.answers > 500, 10.0)
    gaps: list[_Gap] = []
    for _ in range(4 if stage.quick else 20):
        start = time.monotonic()
        stage.origin.kill()
        time.sleep(GAP_SECONDS)
        gaps.append(_Gap(start, stage.origin.start()))
        time.sleep(max(0.0, RESTART_EVERY_SECONDS - (time.monotonic() - start)))
    load.stop()
    _judge_gaps(stage, load, gaps)
    _sent_at_most(stage)
    _nothing_leaks(stage)
    stage.accounted(sidecar)


def _judge_gaps(stage: Stage, load: Load, gaps: list[_Gap]) -> None:
    stage.at_most("corrupted bodies", load.wrong, 0)
    outside = [
        one
        for one in load.failures
        if not any(gap.start <= one.at <= gap.end + RECOVERY_SECONDS for gap in gaps)
    ]
    shown = f"{len(outside)} of {len(load.failures)} {outside[:1] or ''}"
    stage.check("failures outside of the gaps", shown, 0, held=not outside)
    statuses = {one.status for one in load.failures}
    stage.check(
        "failures inside", sorted(statuses), "502, 504, or cut", held=statuses <= {0, 502, 504}
    )
    cut = sum(one.status == 0 for one in load.failures)
    stage.at_most("answers cut by the kills", cut, 8 * len(gaps))
    recovered = [_recovery(load, gap) for gap in gaps]
    stage.at_most("slowest recovery", max(recovered), RECOVERY_SECONDS, "s")


def _recovery(load: Load, gap: _Gap) -> float:
    return min((at - gap.end for at in load.successes_at if at >= gap.end), default=float("inf"))
