"""Runs each subject as a process, and holds its time and the most memory that it held, with all the
processes that it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TypeVar

from benchmarks.comparing import data, memory

ROOT = Path(__file__).resolve().parents[2]
PEER_SCRIPT = Path(__file__).with_name("peers.py")
WARM_ROWS = 2_000  # of the files by which each subject's bytecode is written
PEER_FORMATS = {"evidently": ("parquet",)}  # it takes minutes, whatever the format

SIDELIGHT = "sidelight"
REPLAY = "a year of flights"
Say = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    rows: int = 2_000_000
    rounds: int = 3  # of Sidelight; a peer runs once, it takes minutes
    formats: tuple[str, ...] = ("parquet", "csv")
    replay: bool = True


QUICK = Plan(rows=200_000, rounds=1)


@dataclass(frozen=True, slots=True)
class Figure:
    """What one subject took: wall and CPU seconds, and the most memory, of all its processes."""

    subject: str
    form: str
    seconds: float
    cpu_seconds: float
    bytes: float


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that one run measured."""

    plan: Plan
    figures: list[Figure]
    versions: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    flights: int = 0
    seconds: float = 0.0


class _BrokenError(Exception):
    """A subject that cannot be measured."""


def run(plan: Plan, peers: Mapping[str, Path], say: Say) -> Results:
    """All of it."""
    began = perf_counter()
    figures: list[Figure] = []
    versions: dict[str, str] = {}
    absent: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        say("each subject once on a few rows: its bytecode is there then, as installers leave it")
        _warm(folder, plan.formats[0], peers)
        say(f"writing two files of {plan.rows:,} rows")
        _apart(data.tables, folder, plan.rows, plan.formats)
        for form in plan.formats:
            say(f"sidelight, {form}")
            figures.append(_sidelight(_compare(folder, form), form, plan.rounds, 1))
            say(_told(figures[-1]))
            for peer, python in peers.items():
                if form not in PEER_FORMATS.get(peer, plan.formats):
                    continue
                say(f"{peer}, {form}")
                try:
                    figure, version = _peer(peer, python, folder, form)
                except _BrokenError as error:
                    absent[peer] = str(error)
                    continue
                figures.append(figure)
                versions[peer] = version
                say(_told(figure))
        flights = _replays(folder, plan.rounds, figures, absent, say) if plan.replay else 0
    return Results(plan, figures, versions, absent, flights, perf_counter() - began)


def _warm(folder: Path, form: str, peers: Mapping[str, Path]) -> None:
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    _apart(data.tables, folder, WARM_ROWS, (form,))
    _sidelight(_compare(folder, form), form, 1, 1)
    for peer, python in peers.items():
        with suppress(_BrokenError):  # which is said when it is measured
            _peer(peer, python, folder, form)


def _apart(make: Callable[..., T], *given: object) -> T:
    """Called in a process of its own: what a child took is never less than its parent held."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(make, *given).result()


def _compare(folder: Path, form: str) -> list[str]:
    files = [str(folder / f"{side}.{form}") for side in ("reference", "current")]
    return ["compare", *files, "--json"]


def _replays(
    folder: Path, rounds: int, figures: list[Figure], absent: dict[str, str], say: Say
) -> int:
    try:
        rows = _apart(data.flights, folder)
    except ModuleNotFoundError as error:
        absent[REPLAY] = str(error)
        return 0
    say(REPLAY)
    reference, log = folder / "reference.json", str(folder / "log.parquet")
    parts = ["--target", "arr_delay", "--prediction", "dep_delay"]
    build = ["reference", "build", str(folder / "accepted.parquet"), "--output", str(reference)]
    _sidelight([*build, *parts, "--features", ",".join(data.FLIGHT_FEATURES)], "", 1, 0)
    replay = ["backtest", log, "--reference", str(reference), "--time", "time_hour", "--json"]
    for label, words in (
        (f"{REPLAY}, window 7 d, pane 1 d, labels", [*parts, "--window", "7d", "--pane", "1d"]),
        (f"{REPLAY}, window 7 d, pane 1 h", [*parts[2:], "--window", "7d", "--pane", "1h"]),
    ):
        figures.append(_sidelight([*replay, *words], label, rounds, 0))
        say(_told(figures[-1]))
    return rows


def _told(one: Figure) -> str:
    return (
        f"  {one.seconds:.1f} s, {one.cpu_seconds:.1f} s of CPU, {one.bytes / 1e6:,.0f} MB: "
        f"{one.subject} {one.form}"
    )


def _sidelight(words: Sequence[str], form: str, rounds: int, expected: int) -> Figure:
    command = [sys.executable, "-c", "from monitor.cli import main; main()", *words]
    runs = [_measured(command, expected)[:3] for _ in range(rounds)]
    seconds, cpu, size = (median(one) for one in zip(*runs, strict=True))
    return Figure(SIDELIGHT, form, seconds, cpu, size)


def _peer(peer: str, python: Path, folder: Path, form: str) -> tuple[Figure, str]:
    if not python.exists():
        raise _BrokenError("not installed")
    seconds, cpu, size, said = _measured([python, PEER_SCRIPT, peer, folder, form], 0)
    return Figure(peer, form, seconds, cpu, size), said.strip().splitlines()[-1]


def _measured(command: Sequence[str | Path], expected: int) -> tuple[float, float, float, str]:
    """Wall seconds, CPU seconds and most memory of a process and those it starts; its output."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        began = perf_counter()
        child = subprocess.Popen(
            [str(word) for word in command], stdout=out, stderr=errors, env=environment
        )
        with memory.watched(child.pid) as held:
            _, status, used = os.wait4(child.pid, 0)
        seconds = perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        if child.returncode != expected:
            last = errors.read().decode(errors="replace").strip().splitlines()[-1:]
            raise _BrokenError(f"ended with {child.returncode}: {' '.join(last)[:200]}")
        said = out.read().decode(errors="replace")
    # What the kernel remembers of one process misses no peak, and the others'.
    most = max(used.ru_maxrss * 1024.0, held.most_bytes)
    return seconds, used.ru_utime + used.ru_stime, most, said
