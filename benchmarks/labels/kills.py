"""Labels posted while the monitor is killed, again and again: what was acknowledged must be there.

A real sidecar, a real model, real sockets. Each round predicts, posts labels for what it predicted
from several clients at once, kills the monitor at a random moment, goes on posting, and then reads
every acknowledged label back from the file itself.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from monitor.store.values import key_of
from tests.end_to_end.sidecar import JSON, Sidecar, model

MONITOR = "monitor.service.start"
LABELS_AT_ONCE = 100
ROWS_AT_ONCE = 500
CLIENTS = 4
PATIENCE_SECONDS = 60.0
CONFIG = "model: {task: regression}\nwindow: {min_rows: 2}\nlimits: {labels_per_second: 1000000}\n"


@dataclass(frozen=True, slots=True)
class Round:
    """What one round saw."""

    acknowledged: int
    lost: int
    counted: int  # labels in the realised window afterwards
    back_seconds: float  # from the kill until a label is acknowledged again
    ready_seconds: float  # from the kill until /readyz says so again
    window_seconds: float  # from the kill until the window has every label that it had before
    window_labels: int  # that it had
    start_cpu_seconds: float  # of the process that came after, until then
    labels_per_second: float


def rounds(folder: Path, count: int, labels: int, seed: int) -> list[Round]:
    """So many rounds of so many labels, on one sidecar and one file."""
    chance = random.Random(seed)
    with model() as upstream:
        sidecar = Sidecar(folder, "--upstream", upstream.url, config=CONFIG)
        try:
            seen: list[Round] = []
            for number in range(count):
                seen.append(_round(sidecar, folder, number, labels, chance))
                print(seen[-1], file=sys.stderr, flush=True)
            return seen
        finally:
            sidecar.close()


def _round(
    sidecar: Sidecar, folder: Path, number: int, labels: int, chance: random.Random
) -> Round:
    ids = [f"round-{number}-{part}" for part in range(labels // ROWS_AT_ONCE)]
    for one in ids:
        assert sidecar.predict(list(range(ROWS_AT_ONCE)), **{"x-request-id": one})[0] == 200
    sidecar.wait(lambda: sidecar.get(f"/api/v1/predictions/{ids[-1]}")[0] == 200, 60.0)
    work = [(one, start) for one in ids for start in range(0, ROWS_AT_ONCE, LABELS_AT_ONCE)]
    posting = _Posting(sidecar, work)
    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as clients:
        done = [clients.submit(posting.run) for _ in range(CLIENTS)]
        threshold = chance.randrange(1, max(2, len(work) // 2))
        sidecar.wait(lambda: len(posting.acknowledged) >= threshold, 60.0)
        held = _counted(sidecar)
        monitor = sidecar.children()[MONITOR]
        killed_at = time.monotonic()
        os.kill(monitor, signal.SIGKILL)
        ready = _until(lambda: sidecar.get("/readyz")[0] == 200) - killed_at
        whole = _until(lambda: _counted(sidecar) >= held) - killed_at
        spent = _cpu_seconds(sidecar.children()[MONITOR])
        for client in done:
            client.result()
    seconds = time.monotonic() - began
    back = min(at for at in posting.answered_at if at > killed_at + posting.slack) - killed_at
    acknowledged = list(posting.acknowledged)
    expected = (number + 1) * labels
    sidecar.wait(lambda: _counted(sidecar) == expected, 60.0)
    return Round(
        acknowledged=len(acknowledged) * LABELS_AT_ONCE,
        lost=_lost(folder / "data" / "sidelight.db", acknowledged),
        counted=_counted(sidecar),
        back_seconds=back,
        ready_seconds=ready,
        window_seconds=whole,
        window_labels=held,
        start_cpu_seconds=spent,
        labels_per_second=len(acknowledged) * LABELS_AT_ONCE / seconds,
    )


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")  # utime and stime


def _until(seen: Callable[[], bool]) -> float:
    """When it was seen first; a sidecar that does not answer yet has not shown it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if seen():
                return time.monotonic()
        time.sleep(0.01)
    raise TimeoutError(f"not within {PATIENCE_SECONDS:g} s")


def _counted(sidecar: Sidecar) -> int:
    return int(sidecar.json("/api/v1/performance")["realised"]["rows"])


class _Posting:
    """Clients that share a list of work; a request without an answer is sent again."""

    slack = 0.05  # an answer under way when the monitor was killed is none of the next one's

    def __init__(self, sidecar: Sidecar, work: list[tuple[str, int]]) -> None:
        self._sidecar = sidecar
        self._work = list(reversed(work))
        self._lock = threading.Lock()
        self.acknowledged: list[tuple[str, int]] = []
        self.answered_at: list[float] = []

    def run(self) -> None:
        """Post until nothing is left."""
        connection = http.client.HTTPConnection("127.0.0.1", self._sidecar.control, timeout=10)
        with closing(connection):
            while (item := self._next()) is not None:
                self._post(connection, item)

    def _next(self) -> tuple[str, int] | None:
        with self._lock:
            return self._work.pop() if self._work else None

    def _post(self, connection: http.client.HTTPConnection, item: tuple[str, int]) -> None:
        name, start = item
        rows = range(start, start + LABELS_AT_ONCE)
        body = json.dumps([{"prediction_id": name, "row": r, "label": 2 * r + 1} for r in rows])
        deadline = time.monotonic() + PATIENCE_SECONDS
        seen = ""
        while time.monotonic() < deadline:
            try:
                connection.request("POST", "/feedback", body, JSON)
                answer = connection.getresponse()
                seen = f"{answer.status} {answer.read()!r}"
                if answer.status == 202:
                    with self._lock:
                        self.acknowledged.append(item)
                        self.answered_at.append(time.monotonic())
                    return
            except (OSError, http.client.HTTPException) as error:
                seen = repr(error)
                connection.close()
            time.sleep(0.02)
        raise TimeoutError(f"no label taken for {PATIENCE_SECONDS:g} s: {seen}")


def _lost(path: Path, acknowledged: list[tuple[str, int]]) -> int:
    """How many labels are not in the file as they were posted."""
    lost = 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        for name, start in acknowledged:
            found = dict(
                connection.execute(
                    "SELECT row, label FROM predictions WHERE key = ? AND row BETWEEN ? AND ?",
                    (key_of(name), start, start + LABELS_AT_ONCE - 1),
                )
            )
            rows = range(start, start + LABELS_AT_ONCE)
            lost += sum(found.get(row) != 2 * row + 1 for row in rows)
    return lost
