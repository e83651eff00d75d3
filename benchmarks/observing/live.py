"""Sidelight's own rate: frames come over a real unix socket, rows are decoded and counted.

Run as a process of its own, so that its CPU time is the observer's alone: `python live.py MODE
REQUESTS`, MODE single or batch. Prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

import orjson  # noqa: E402 - after the path is known
import uvloop  # noqa: E402

from benchmarks.observing.rows import BATCH_ROWS, rows  # noqa: E402
from monitor.accounts import Accounts  # noqa: E402
from monitor.codec import Decoder  # noqa: E402
from monitor.engine import Engine, EngineSettings  # noqa: E402
from monitor.observer import Observer  # noqa: E402
from monitor.records.batch import Batch  # noqa: E402
from monitor.records.exchange import Exchange  # noqa: E402
from monitor.records.framing import encode_exchange  # noqa: E402
from monitor.service.start import GARBAGE_THRESHOLD  # noqa: E402

KINDS = 1000  # different rows, in turn
WARM_ROWS = 6000  # the first 5,000 make the reference
FIELDS = b"host: model\r\ncontent-type: application/json\r\n"
SEND = """
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
import threading
def drain():
    while connection.recv(1 << 16):
        pass
threading.Thread(target=drain, daemon=True).start()
with open(sys.argv[2], "rb") as frames:
    while piece := frames.read(1 << 16):
        connection.sendall(piece)
sys.stdin.read()
"""


def frames(mode: str, requests: int) -> Iterator[bytes]:
    """What a relay would send: one row a request, or MLflow's split frame of a hundred."""
    known = rows(KINDS)
    if mode == "single":
        bodies = [
            (orjson.dumps(row), b'{"prediction": %.3f}' % (n % 97)) for n, row in enumerate(known)
        ]
    else:
        names = list(known[0])
        cut = [known[at : at + BATCH_ROWS] for at in range(0, KINDS, BATCH_ROWS)]
        bodies = [
            (
                orjson.dumps({"dataframe_split": {
                    "columns": names, "data": [list(row.values()) for row in part]}}),
                orjson.dumps({"predictions": [float(n % 97) for n in range(len(part))]}),
            )
            for part in cut
        ]  # fmt: skip
    began = time.time()
    for number in range(requests):
        request, answer = bodies[number % len(bodies)]
        yield encode_exchange(
            Exchange(f"0123456789abcdef-{number:x}", "POST", "/invocations", 200, began,
                     0.002, FIELDS, request, FIELDS, answer)
        )  # fmt: skip


async def _observe(folder: Path, mode: str, requests: int) -> tuple[float, float, int]:
    """CPU and wall seconds from the first measured row to the last, and the rows counted."""
    engine = Engine(EngineSettings(task="regression"))
    each = 1 if mode == "single" else BATCH_ROWS
    warm = WARM_ROWS // each * each
    total = warm + requests * each
    counted, before, cpu, wall = 0, 0, 0.0, 0.0
    done = asyncio.Event()

    def take(batch: Batch) -> None:
        nonlocal counted, before, cpu, wall
        engine.observe(batch)
        counted += len(batch)
        if not cpu and counted >= warm:
            engine.learn(time.time())
            before = counted
            cpu, wall = time.process_time(), time.perf_counter()
        if counted >= total:
            done.set()

    observer = Observer(Decoder(), take, Accounts())
    path, sent = folder / "tap.sock", folder / "frames"
    with sent.open("wb") as file:
        file.writelines(frames(mode, total // each))
    server = await asyncio.get_running_loop().create_unix_server(observer.connection, str(path))
    work = asyncio.create_task(observer.run())
    sender = subprocess.Popen(  # noqa: ASYNC220 - once, before anything is measured
        [sys.executable, "-c", SEND, str(path), str(sent)], stdin=subprocess.PIPE
    )
    try:
        await asyncio.wait_for(done.wait(), 120)
        took = time.process_time() - cpu, time.perf_counter() - wall
    finally:
        sender.kill()
        sender.wait()
        work.cancel()
        server.close()
        with contextlib.suppress(asyncio.CancelledError):
            await work
    return *took, counted - before


def main() -> None:
    """One line: rows a second of one core."""
    mode, requests = sys.argv[1], int(sys.argv[2])
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    with tempfile.TemporaryDirectory(prefix="observing-") as folder:
        cpu, wall, counted = uvloop.run(_observe(Path(folder), mode, requests))
    print(json.dumps({"rate": counted / cpu, "core": cpu / wall, "rows": counted}))


if __name__ == "__main__":
    main()
