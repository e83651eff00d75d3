"""Where a scenario plays: a real origin and sidecar, its checks, and nothing left afterwards."""

from __future__ import annotations

import contextlib
import math
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.clients import Habits, Load
from tests.end_to_end.sidecar import Sidecar, free_port, request

MONITOR = "monitor.service.start"
RELAY = "monitor.relay"
SETTLED_SECONDS = 2.5  # workers report, and the monitor looks, about once a second


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold, and what was seen."""

    name: str
    seen: str
    bar: str
    held: bool
    timing: bool = False  # a figure in seconds, which a busy machine makes worse


class Origin:
    """The model server's process; it can be killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._journal = folder / "journal"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> float:
        """Start it; the moment at which it answered."""
        command = [sys.executable, str(Path(__file__).with_name("origin.py"))]
        self._process = subprocess.Popen([*command, str(self.port), str(self._journal)])
        if not wait(self._answers, 10.0):
            raise RuntimeError("the origin does not start")
        return time.monotonic()

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return request(self.port, "GET", "/item/1")[0] == 200
        return False

    def kill(self) -> None:
        """As a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def arrived(self) -> Counter[tuple[str, str]]:
        """How often each (method, id) has arrived."""
        lines = self._journal.read_text().splitlines()
        return Counter(
            (method, identity) for method, _, identity in (x.partition(" ") for x in lines)
        )


@dataclass(slots=True)
class Stage:
    """One scenario's surroundings."""

    folder: Path
    seed: int
    quick: bool
    checks: list[Check] = field(default_factory=list)
    _origin: Origin | None = None
    _sidecar: Sidecar | None = None
    _loads: list[Load] = field(default_factory=list)

    @property
    def random(self) -> random.Random:
        """The scenario's own source of chance."""
        return random.Random(self.seed)

    @property
    def origin(self) -> Origin:
        """The model server, started when first asked for."""
        if self._origin is None:
            self._origin = Origin(self.folder)
        return self._origin

    def sidecar(self, *arguments: str, config: str = "") -> Sidecar:
        """`sidelight run` before the origin."""
        one = Sidecar(self.folder, "--upstream", self.origin.url, *arguments, config=config)
        self._sidecar = one
        return one

    def load(self, port: int, **habits: float) -> Load:
        """Clients at work."""
        one = Load(port, Habits(seed=self.seed, **habits))  # type: ignore[arg-type] # ints are floats
        self._loads.append(one)
        return one

    def check(self, name: str, seen: object, bar: object, *, held: bool) -> None:
        """Note one thing that must hold."""
        shown = f"{seen:.2f}" if isinstance(seen, float) else str(seen)
        self.checks.append(Check(name, shown, str(bar), held))

    def at_most(self, name: str, seen: float, bar: float, unit: str = "") -> None:
        """Note a figure with its upper bar."""
        shown = f"{seen:.2f}".removesuffix(".00")
        timing = unit in {"s", "ms"} and math.isfinite(seen)
        self.checks.append(
            Check(name, f"{shown} {unit}".strip(), f"<= {bar:g}", seen <= bar, timing)
        )

    def within(self, name: str, bar_seconds: float, until: Callable[[], bool]) -> None:
        """Wait for a condition, and note how long it took."""
        began = time.monotonic()
        came = wait(until, 5 * bar_seconds)
        self.at_most(name, time.monotonic() - began if came else math.inf, bar_seconds, "s")

    def harmless(self, load: Load) -> None:
        """No request failed, and none was answered wrongly."""
        self.at_most("corrupted bodies", load.wrong, 0)
        first = "" if not load.failures else f" {load.failures[0]}"
        self.check(
            "failed requests", f"{len(load.failures)} of {load.answers}{first}", 0,
            held=not load.failures and load.answers > 0,
        )  # fmt: skip

    def accounted(
        self, sidecar: Sidecar, answers: int | None = None, at_least: int = 1
    ) -> dict[str, int]:
        """Every relayed request has exactly one outcome; `answers` is what the clients got."""

        def sums() -> tuple[int, int]:
            health = sidecar.json("/api/v1/health")
            told = sum(one["exchanges"] for one in health["observations"])
            return told, sum(health["requests"].values())

        def add_up() -> bool:
            told, relayed = sums()
            return told == relayed >= at_least and (answers is None or told == answers)

        time.sleep(SETTLED_SECONDS)
        held = wait(add_up, 8.0)
        told, relayed = sums()
        outcomes = sidecar.outcomes()
        shown = ", ".join(f"{name} {count}" for name, count in sorted(outcomes.items()))
        bar = relayed if answers is None else answers
        self.check("outcomes add up to what was relayed", f"{told} ({shown})", bar, held=held)
        return outcomes

    def close(self) -> None:
        """End everything that was started here."""
        for load in self._loads:
            load.stop()
        if self._sidecar is not None:
            is_alive = self._sidecar.process.poll() is None
            children = list(self._sidecar.children().values()) if is_alive else []
            self._sidecar.close()
            wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), 5.0)
        if self._origin is not None:
            self._origin.kill()


def wait(until: Callable[[], bool], seconds: float) -> bool:
    """Whether a condition came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if until():
                return True
        time.sleep(0.02)
    return False
