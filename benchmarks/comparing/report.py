"""Shows and publishes what a run found, and holds it against the bars; measures nothing."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.comparing.suite import REPLAY, SIDELIGHT, Figure, Results

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BEGIN = "<!-- figures: written by `python benchmarks/compare.py --publish` -->"
END = "<!-- end of comparison figures -->"

SLOWEST = {"evidently": 0.1, "nannyml": 0.2}  # of the peer's time
LARGEST = 0.25  # of a peer's memory
REPLAY_SECONDS = 30.0
MISSED = "does not hold"

Rows = list[tuple[str, ...]]
_console = Console(width=None if sys.stdout.isatty() else 120)


def sheets(results: Results) -> Iterator[tuple[str, tuple[str, ...], Rows]]:
    """Every table: title, header, rows."""
    header = ("", "seconds", "CPU seconds", "memory MB")
    for form in results.plan.formats:
        rows = [_row(one, one.subject) for one in results.figures if one.form == form]
        yield f"{results.plan.rows:,} rows × 20 columns against as many, {form}", header, rows
    rows = [_row(one, one.form) for one in results.figures if one.form.startswith(REPLAY)]
    if rows:
        yield f"`sidelight backtest`, {results.flights:,} rows", header, rows
    yield "Bars", ("Sidelight's", "bar", "measured", ""), bars(results)


def bars(results: Results) -> Rows:
    """Each promise beside what was measured."""
    rows: Rows = []
    ours = {one.form: one for one in results.figures if one.subject == SIDELIGHT}
    for peer in (one for one in results.figures if one.subject != SIDELIGHT):
        own, limit, whose = ours[peer.form], SLOWEST[peer.subject], f"{peer.subject}'s, {peer.form}"
        rows.append(_bar(f"time / {whose}", limit, own.seconds / peer.seconds))
        cpu = own.cpu_seconds / peer.cpu_seconds
        rows.append((f"CPU time / {whose}", "told", f"{cpu:.3g}", ""))
        rows.append(_bar(f"memory / {whose}", LARGEST, own.bytes / peer.bytes))
    rows += [
        _bar(f"seconds, {form}", REPLAY_SECONDS, one.seconds)
        for form, one in ours.items()
        if form.startswith(REPLAY)
    ]
    return rows


def holds(results: Results) -> bool:
    """Whether no bar is missed."""
    return all(row[-1] != MISSED for row in bars(results))


def show(results: Results) -> None:
    """The tables, on the terminal."""
    for title, header, rows in sheets(results):
        table = Table(*header, title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        _console.print(table)
    for line in notes(results):
        _console.print(line, markup=False)


def publish(results: Results) -> None:
    """The tables, between the markers of the page."""
    before, begin, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE.name} has lost its markers: {BEGIN} and {END}")
    parts = [f"{line}  " for line in notes(results)]
    for title, header, rows in sheets(results):
        rule = ("---", *("---:" for _ in header[1:]))
        parts += ["", f"### {title}", ""]
        parts += ["| " + " | ".join(cells) + " |" for cells in (header, rule, *rows)]
    text = "\n".join(parts)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")


def notes(results: Results) -> list[str]:
    """What was run, and on what."""
    plan = results.plan
    found = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    load = f"{os.getloadavg()[2]:.1f}"
    run = f"Measured {time.strftime('%Y-%m-%d')} in {results.seconds:.0f} s"
    system = f"Linux {platform.release()}, Python {platform.python_version()}"
    lines = [
        f"{run}; Sidelight: median of {plan.rounds}; peers once: {found or 'none'}.",
        f"Machine: {os.cpu_count()} cores, {system}; load average over 15 minutes: {load}.",
    ]
    if float(load) > (os.cpu_count() or 1):
        lines.append("The machine was not quiet: read the ratios, not the seconds.")
    lines += [f"Not measured: {name} ({why})." for name, why in results.absent.items()]
    return lines


def _row(one: Figure, name: str) -> tuple[str, ...]:
    return name, f"{one.seconds:.1f}", f"{one.cpu_seconds:.1f}", f"{one.bytes / 1e6:,.0f}"


def _bar(name: str, limit: float, measured: float) -> tuple[str, ...]:
    verdict = "holds" if measured <= limit else MISSED
    return name, f"≤ {limit:g}", f"{measured:.3g}", verdict
