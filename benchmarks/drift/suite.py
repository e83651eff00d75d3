"""Runs everything that was asked for, at most two processes at a time, and holds what came out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.drift import changes, column, dependence, month
from benchmarks.drift import kinds as derived
from benchmarks.drift.changes import Named
from benchmarks.drift.column import Rate
from benchmarks.drift.month import Month

PROCESSES = 2
PEERS_SECONDS = 1200
PEERS = ("evidently", "nannyml", "alibi-detect")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    trials: int = 10_000
    pairs: int = 3_000
    changes: int = 200
    delays: int = 20
    seeds: int = 2
    days: float = 30.0
    peers: int = 200


QUICK = Plan(trials=300, pairs=100, changes=30, delays=4, seeds=1, days=1.5, peers=60)


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
    pairs: list[Rate] = field(default_factory=list)
    seconds: float = 0.0
    processor_seconds: float = 0.0  # of all processes, the peers' too


def run(plan: Plan, pythons: Sequence[Path], say: Say) -> Results:
    """All of it; `pythons` are those of environments which hold the peers."""
    began, spent = perf_counter(), _processor()
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
        pairs = pool.submit(dependence.measure, 0, plan.pairs)
        named = pool.submit(changes.measure, 0, plan.changes)
        named_of_kinds = pool.submit(derived.measure, 0, max(plan.changes // 10, 1))
        delays = pool.submit(month.minutes_to_find, 0, plan.delays)
        peers = pool.submit(_peers, pythons, plan.peers)
        for number, one in enumerate(months):
            _told(one, say, f"month {number + 1} of {len(months)}")
        document, absent = peers.result()
        results = Results(
            plan,
            rates.result(),
            others.result(),
            [*named.result(), *named_of_kinds.result()],
            delays.result(),
            [one.result() for one in months],
            {f"{r['rule']}|{r['case']}|{r['rows']}": r["rate"] for r in document.get("rates", [])},
            document.get("versions", {}),
            absent,
            pairs.result(),
        )
    return replace(results, seconds=perf_counter() - began, processor_seconds=_processor() - spent)


def _processor() -> float:
    """Seconds of this process and of those that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _mortal() -> None:
    """A worker ends when it is told to, whatever its parent does then."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _told(future: Future[Month], say: Say, what: str) -> None:
    found = future.result()
    say(f"{what}: {found.kind}, seed {found.seed}: {found.alerts} alerts in {found.days:g} days")


def _peers(pythons: Sequence[Path], trials: int) -> tuple[dict[str, Any], str]:
    """What the peers' own Pythons printed, together, and what is absent."""
    rates: list[dict[str, Any]] = []
    versions: dict[str, str] = {}
    failed: list[str] = []
    for python in pythons:
        if not python.exists():
            continue
        document, error = _peer(python, trials)
        rates += document.get("rates", [])
        versions |= document.get("versions", {})
        failed += [error] if error else []
    absent = [name for name in PEERS if name not in versions]
    return {"rates": rates, "versions": versions}, ", ".join([*absent, *failed])


def _peer(python: Path, trials: int) -> tuple[dict[str, Any], str]:
    """What one of them printed, or why it printed nothing."""
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
        return {}, f"a run of theirs failed: {last}"
    document: dict[str, Any] = json.loads(done.stdout.strip().rpartition("\n")[2])
    return document, ""
