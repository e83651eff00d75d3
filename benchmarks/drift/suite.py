"""Runs everything that was asked for, at most two processes at a time, and holds what came out."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.drift import changes, column, month
from benchmarks.drift.changes import Named
from benchmarks.drift.column import Rate
from benchmarks.drift.month import Month

PROCESSES = 2
PEERS_SECONDS = 1200

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    trials: int = 10_000
    changes: int = 200
    delays: int = 30
    seeds: int = 2
    days: float = 30.0
    peers: int = 400


QUICK = Plan(trials=300, changes=30, delays=4, seeds=1, days=1.5, peers=60)


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that one run measured."""

    plan: Plan
    rates: list[Rate]
    kinds: list[Rate]
    named: list[Named]
    delays: list[float]
    months: list[Month]
    peers: dict[str, float] = field(default_factory=dict)  # "rule|case|rows" → rate
    versions: dict[str, str] = field(default_factory=dict)
    absent: str = ""
    seconds: float = 0.0


def run(plan: Plan, python: Path | None, say: Say) -> Results:
    """All of it; `python` is that of an environment which holds the peers."""
    began = perf_counter()
    with ProcessPoolExecutor(PROCESSES, initializer=_mortal) as pool:
        # The longest first, so that both processes end at about the same time.
        kinds = sorted(month.SOURCES)
        months = [
            pool.submit(month.simulate, kind, seed, plan.days)
            for seed in range(plan.seeds)
            for kind in kinds
        ]
        rates = pool.submit(column.measure, 0, plan.trials)
        others = pool.submit(column.kinds, 0, plan.trials // 2)
        named = pool.submit(changes.measure, 0, plan.changes)
        delays = pool.submit(month.minutes_to_find, 0, plan.delays)
        peers = pool.submit(_peers, python, plan.peers)
        for number, one in enumerate(months):
            _told(one, say, f"month {number + 1} of {len(months)}")
        document, absent = peers.result()
        return Results(
            plan,
            rates.result(),
            others.result(),
            named.result(),
            delays.result(),
            [one.result() for one in months],
            {f"{r['rule']}|{r['case']}|{r['rows']}": r["rate"] for r in document.get("rates", [])},
            document.get("versions", {}),
            absent,
            perf_counter() - began,
        )


def _mortal() -> None:
    """A worker ends when it is told to, whatever its parent does then."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _told(future: Future[Month], say: Say, what: str) -> None:
    found = future.result()
    say(f"{what}: {found.kind}, seed {found.seed}: {found.alerts} alerts in {found.days:g} days")


def _peers(python: Path | None, trials: int) -> tuple[dict[str, Any], str]:
    """What the peers' own Python printed, and what is absent."""
    if python is None or not python.exists():
        return {}, "Evidently and NannyML (there is no environment .venv-peers that holds them)"
    script = Path(__file__).with_name("peers.py")
    done = subprocess.run(
        [python, script, "0", str(trials)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PEERS_SECONDS,
    )
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        return {}, f"Evidently and NannyML (their run failed: {last})"
    document: dict[str, Any] = json.loads(done.stdout.strip().rpartition("\n")[2])
    return document, ", ".join(sorted({"evidently", "nannyml"} - set(document["versions"])))
