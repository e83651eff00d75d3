"""Scenarios: clients that are slow, too many, too large, or idle; and no files left to open."""

from __future__ import annotations

import contextlib
import hashlib
import random
import resource
import socket
import threading
import time

from benchmarks.faults.stage import MONITOR, RELAY, Stage, wait
from benchmarks.faults.watch import Peak, cpu_seconds, descriptors, rss_bytes
from tests.end_to_end.sidecar import Sidecar, request

MB = 1e6
SLOW_CLIENTS = 200
IDLE_CLIENTS = 500
RELAY_MB = 35.0
TOGETHER_MB = 170.0
IDLE_KB = 30.0
PIECE_BYTES = 256 << 10


def slow_heads(stage: Stage) -> None:
    """200 clients that never finish a request's head, beside traffic that is well."""
    header = 3.0 if stage.quick else 10.0
    config = "" if header == 10.0 else f"timeouts: {{header: {header:g}s, drain: 0s}}\n"
    sidecar = stage.sidecar(config=config)
    load = stage.load(sidecar.port, clients=4)
    wait(lambda: load.answers > 2000, 10.0)
    before = load.p99_seconds()
    load.latencies.clear()
    slow = [_connect(sidecar) for _ in range(SLOW_CLIENTS)]
    began = time.monotonic()
    for one in slow:
        one.sendall(b"POST /predict HTTP/1.1\r\nhost: model\r\n")
    ended = [0.0] * len(slow)
    while not all(ended) and time.monotonic() - began < header + 5.0:
        _drip(slow, ended, began)
        time.sleep(0.1)
    load.stop()
    stage.harmless(load)
    stage.check("slow clients let go", sum(map(bool, ended)), SLOW_CLIENTS, held=all(ended))
    stage.check("first of them let go", min(filter(None, ended), default=0.0), f">= {header:g} s",
                held=min(ended) >= header - 0.3)  # fmt: skip
    stage.at_most("last of them let go", max(ended), header + 1.5, "s")
    stage.at_most("p99 of the others", load.p99_seconds() * 1e3, max(20.0, 3e3 * before), "ms")
    _close(slow)


def _drip(slow: list[socket.socket], ended: list[float], began: float) -> None:
    """One more byte from each that is still there, and a look whether it has been let go."""
    for number, one in enumerate(slow):
        if ended[number]:
            continue
        try:
            one.send(b"x")
            one.setblocking(False)
            gone = one.recv(65536) is not None
        except BlockingIOError:
            gone = False
        except OSError:
            gone = True
        if gone:
            ended[number] = time.monotonic() - began


def connection_cap(stage: Stage) -> None:
    """Connections over the limit get 503 with Retry-After, and room is found again."""
    limit = 64
    sidecar = stage.sidecar(config=f"limits: {{connections: {limit}}}\n")
    idle = [_connect(sidecar) for _ in range(limit)]
    status, fields, _ = _answered(sidecar)
    stage.check("one connection too many", status, 503, held=status == 503)
    stage.check("Retry-After", fields.get("retry-after"), "given", held="retry-after" in fields)
    _close(idle)
    stage.within("served again after they left", 1.0, lambda: _answered(sidecar)[0] == 200)
    stage.accounted(sidecar, at_least=2)


def files_exhausted(stage: Stage) -> None:
    """No file descriptor left in the relay: no spin, and accepting goes on when there are."""
    sidecar = stage.sidecar()
    relay = sidecar.children()[RELAY]
    request(sidecar.port, "GET", "/item/1")
    room = descriptors(relay) + 20
    resource.prlimit(relay, resource.RLIMIT_NOFILE, (room, room))
    crowd = [_connect(sidecar) for _ in range(60)]
    time.sleep(0.5)
    before, began = cpu_seconds(relay), time.monotonic()
    time.sleep(3.0)
    share = (cpu_seconds(relay) - before) / (time.monotonic() - began)
    stage.check("descriptors in use", descriptors(relay), f">= {room - 2}",
                held=descriptors(relay) >= room - 2)  # fmt: skip
    stage.at_most("CPU while none is left", 100 * share, 20.0, "% of a core")
    _close(crowd)
    stage.within("served again", 2.0, lambda: _answered(sidecar)[0] == 200)
    stage.check("same worker", sidecar.children()[RELAY], relay,
                held=sidecar.children()[RELAY] == relay)  # fmt: skip


def large_bodies(stage: Stage) -> None:
    """A body far over what is observed streams through both ways in little memory."""
    size = (30 if stage.quick else 100) * 1_000_000
    sidecar = stage.sidecar()
    relay = sidecar.children()[RELAY]
    request(sidecar.port, "GET", "/item/1")
    with Peak(relay) as peak:
        same = all(_echoed(sidecar, size, seed) for seed in (stage.seed, stage.seed + 1))
    stage.check("body both ways", f"{size / MB:.0f} MB", "identical", held=same)
    stage.at_most("relay's memory grew by", peak.growth_bytes / MB, 8.0, "MB")
    outcomes = stage.accounted(sidecar)
    skipped = sidecar.json("/api/v1/health")["observations"]
    by_size = sum(one["exchanges"] for one in skipped if one["reason"] == "size")
    stage.check("skipped for their size", by_size, 2, held=by_size == 2 <= outcomes["skipped"])


def _echoed(sidecar: Sidecar, size: int, seed: int) -> bool:
    """Whether a body comes back as it was sent, while it is still being sent."""
    piece = random.Random(seed).randbytes(PIECE_BYTES)
    connection = _connect(sidecar)
    sent = hashlib.sha256()

    def send() -> None:
        left = size
        while left:
            part = piece[:left]
            sent.update(part)
            connection.sendall(part)
            left -= len(part)

    connection.sendall(f"POST /echo HTTP/1.1\r\nhost: m\r\ncontent-length: {size}\r\n\r\n".encode())
    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    received, seen = hashlib.sha256(), 0
    with connection.makefile("rb") as stream:
        while stream.readline() not in {b"\r\n", b""}:
            pass
        while seen < size and (part := stream.read(min(PIECE_BYTES, size - seen))):
            received.update(part)
            seen += len(part)
    sender.join(10.0)
    connection.close()
    return seen == size and received.digest() == sent.digest()


def footprint(stage: Stage) -> None:
    """What 500 idle connections take, and all memory after load."""
    sidecar = stage.sidecar()
    request(sidecar.port, "GET", "/item/1")
    children = sidecar.children()
    relay, monitor = children[RELAY], children[MONITOR]
    _idle(stage, sidecar, relay)
    load = stage.load(sidecar.port)
    time.sleep(3.0 if stage.quick else 20.0)
    load.stop()
    stage.harmless(load)
    shown = [rss_bytes(pid) / MB for pid in (relay, monitor, sidecar.process.pid)]
    stage.at_most("relay", shown[0], RELAY_MB, "MB")
    stage.at_most("relay, monitor and supervisor", sum(shown), TOGETHER_MB, "MB")
    stage.check("monitor, supervisor", f"{shown[1]:.1f}, {shown[2]:.1f} MB", "told", held=True)


def _idle(stage: Stage, sidecar: Sidecar, relay: int) -> None:
    files, before = descriptors(relay), rss_bytes(relay)
    idle = [_connect(sidecar) for _ in range(IDLE_CLIENTS)]
    for one in idle:
        one.sendall(b"GET /item/1 HTTP/1.1\r\nhost: model\r\n\r\n")
        one.recv(4096)
    each = (rss_bytes(relay) - before) / IDLE_CLIENTS / 1e3
    stage.at_most("an idle connection", each, IDLE_KB, "kB")
    _close(idle)
    wait(lambda: descriptors(relay) <= files + 2, 5.0)
    stage.at_most("descriptors of the relay after they left", descriptors(relay), files + 2)


def _connect(sidecar: Sidecar) -> socket.socket:
    return socket.create_connection(("127.0.0.1", sidecar.port), timeout=10)


def _close(connections: list[socket.socket]) -> None:
    for one in connections:
        with contextlib.suppress(OSError):
            one.close()


def _answered(sidecar: Sidecar) -> tuple[int, dict[str, str], bytes]:
    return request(sidecar.port, "GET", "/item/1")
