"""Shows and publishes what a run found, beside its bars; measures nothing."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.labels.kills import Round
from benchmarks.labels.throughput import Figure

_ROOT = Path(__file__).resolve().parents[2]
PAGE = _ROOT / "docs" / "benchmarks.md"
BEGIN = "<!-- figures: written by `python benchmarks/feedback.py --publish` -->"
END = "<!-- end of label figures -->"
BARS = {"predictions": 50_000.0, "labels": 5_000.0}
BACK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Results:
    """One run."""

    command: str
    figures: Sequence[Figure] = ()
    absent: str = ""
    rounds: Sequence[Round] = field(default_factory=tuple)


def holds(results: Results) -> bool:
    """Whether every bar holds."""
    fast = all(figure.rows >= BARS[figure.work] for figure in results.figures)
    whole = all(one.lost == 0 and slowest(one) < BACK_SECONDS for one in results.rounds)
    return fast and whole


def slowest(one: Round) -> float:
    """Until all of it was there again: labels taken, ready, and the window whole."""
    return max(one.back_seconds, one.ready_seconds, one.window_seconds)


def markdown(results: Results) -> str:
    """The page's part that is measured."""
    load = os.getloadavg()[0]
    where = f"{os.cpu_count()} cores, Python {platform.python_version()}, load {load:.1f}"
    lines = [f"`{results.command}` on {where} at the end.", ""]
    if results.figures:
        lines += [
            _row(
                *("database", "work", "rows a second", "the database alone", "share", "bar"),
                *("rows a CPU second", "the database alone"),
            ),
            "|---|---|---:|---:|---:|---|---:|---:|",
            *(_figure(one) for one in results.figures),
            "",
        ]
    if results.absent:
        lines += [f"PostgreSQL was not measured: {results.absent}.", ""]
    if results.rounds:
        lines += [
            _row(
                *("round", "labels acknowledged", "lost", "counted in the window"),
                *("killed with", "labels taken again after", "ready after", "window whole after"),
                *(f"bar {BACK_SECONDS:g} s", "CPU time of that", "labels a second"),
            ),
            "|---:|---:|---:|---:|---:|---:|---:|---:|---|---:|---:|",
            *(_round(number, one) for number, one in enumerate(results.rounds, 1)),
            "",
        ]
    return "\n".join(lines)


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _figure(one: Figure) -> str:
    bar = BARS[one.work]
    verdict = "holds" if one.rows >= bar else "does not hold"
    return _row(
        *(one.database, one.work, f"{one.rows:,.0f}", f"{one.limit:,.0f}", f"{one.share:.0%}"),
        *(f"≥ {bar:,.0f}: {verdict}", f"{one.rows_cpu:,.0f}", f"{one.limit_cpu:,.0f}"),
    )


def _round(number: int, one: Round) -> str:
    seconds = (one.back_seconds, one.ready_seconds, one.window_seconds)
    verdict = "holds" if slowest(one) < BACK_SECONDS else "does not hold"
    return _row(
        *(number, f"{one.acknowledged:,}", one.lost, f"{one.counted:,}"),
        *(f"{one.window_labels:,} labels", *(f"{value:.2f} s" for value in seconds)),
        *(verdict, f"{one.start_cpu_seconds:.2f} s", f"{one.labels_per_second:,.0f}"),
    )


def publish(results: Results) -> None:
    """The tables, between the markers of the page."""
    before, begin, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE.relative_to(_ROOT)} has lost its markers: {BEGIN} and {END}")
    PAGE.write_text(f"{before}{BEGIN}\n\n{markdown(results)}\n{END}{after}", "utf-8")
