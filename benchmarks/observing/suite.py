"""Runs the rounds: Sidelight and whylogs in turn on one core, each in a process of its own.

Computes no statistic but a median; prints nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import measure
from benchmarks.load import on_cores

_HERE = Path(__file__).resolve().parent
_SECONDS = 300.0
OURS = "sidelight"
MODES = {"single": "single-row requests", "batch": "100-row batches"}


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured in a round."""

    rounds: int
    requests: dict[str, int]
    peer_rows: int
    columns: int = 1000


FULL = Plan(5, {"single": 80_000, "batch": 10_000}, 10_000)
QUICK = Plan(2, {"single": 20_000, "batch": 2_000}, 2_000)


@dataclass(slots=True)
class Results:
    """What was measured: rates by round, the wide model, and what a reader must know of both."""

    plan: Plan
    machine: dict[str, str]
    rates: dict[tuple[str, str], list[float]] = field(default_factory=dict)  # (who, mode)
    wide: dict[str, float] = field(default_factory=dict)
    version: str = ""
    absent: str = ""
    seconds: float = 0.0

    def rate(self, who: str, mode: str) -> float | None:
        """The median over the rounds of rows a second."""
        found = self.rates.get((who, mode))
        return median(found) if found else None

    def ratio(self, who: str, mode: str) -> float | None:
        """Sidelight's rate by a peer's, round by round; the median."""
        ours, theirs = self.rates.get((OURS, mode)), self.rates.get((who, mode))
        if not ours or not theirs:
            return None
        return median(a / b for a, b in zip(ours, theirs, strict=False))


def run(plan: Plan, python: Path) -> Results:
    """All of it; `python` is that of an environment which holds whylogs."""
    began = time.monotonic()
    results = Results(plan, measure.machine())
    results.machine["load_before"] = f"{os.getloadavg()[0]:.2f}"
    if not python.exists():
        results.absent = f"whylogs: there is no {python.name} of an environment that holds it"
    for _ in range(plan.rounds):
        for mode, requests in plan.requests.items():
            found = _ask(sys.executable, "live.py", mode, str(requests))
            results.rates.setdefault((OURS, mode), []).append(found["rate"])
        if not results.absent:
            _peer(results, python)
    results.wide = _ask(sys.executable, "wide.py", str(plan.columns))
    results.seconds = time.monotonic() - began
    return results


def _peer(results: Results, python: Path) -> None:
    try:
        found = _ask(str(python), "peer.py", str(results.plan.peer_rows))
    except RuntimeError as error:
        results.absent = f"whylogs: {error}"
        return
    results.version = found["version"]
    for key, rate in found["rates"].items():
        who, _, mode = key.partition("|")
        results.rates.setdefault((who, mode), []).append(rate)


def _ask(python: str, script: str, *arguments: str) -> dict[str, Any]:
    """The line of JSON that a script here prints, run on the last core."""
    core = max(os.sched_getaffinity(0))
    with on_cores({core}):
        done = subprocess.run(
            [python, str(_HERE / script), *arguments],
            capture_output=True, text=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().splitlines()[-1][:200] if done.stderr else script)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
