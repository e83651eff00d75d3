"""Shows and publishes what a run found, and holds it against the bars; measures nothing."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.drift import dependence, kinds
from benchmarks.drift.changes import UNCHANGED
from benchmarks.drift.column import SHIFTED_WINDOWS, WINDOWS, Rate
from benchmarks.drift.page import rewrite, table
from benchmarks.drift.suite import Results

PAGE = Path(__file__).resolve().parents[2] / "docs" / "statistics.md"
BEGIN = "<!-- figures: written by `python benchmarks/drift_quality.py --publish` -->"
END = "<!-- end of figures -->"

MOST_FALSE = 0.015
LEAST_POWER = {200: 0.65, 500: 0.98, 1000: 1.0}
MOST_ALERTS = 4
MONTH_MEAN = 2.0  # "about one"
WINDOW_MINUTES = 60.0
LEAST_FOUND = 0.9
PAIR_ROWS = 200  # from which a correlation of .5 that is new has to be found
SPOILED = ", one outlier"

MISSED = "does not hold"
DEVIATIONS = 2.0  # of chance: a miss by less decides nothing

Rows = list[tuple[str, ...]]
Sheet = tuple[str, tuple[str, ...], Rows]
_console = Console(width=None if sys.stdout.isatty() else 140)


def sheets(results: Results) -> list[Sheet]:
    """Every table: title, header, rows."""
    tables = [
        _by_window(results, "no drift", WINDOWS, "False alarms per column and window"),
        _by_window(results, "+.25σ", SHIFTED_WINDOWS, "Power at a shift of +.25σ"),
        _kinds(results),
        _pairs(results),
        _named(results),
        _months(results),
        _bars(results),
    ]
    return [table for table in tables if table[2]]


def show(results: Results) -> None:
    """The tables, on the terminal."""
    for title, header, rows in sheets(results):
        shown = Table(*header, title=title, title_justify="left")
        for row in rows:
            shown.add_row(*row)
        _console.print(shown)
    for line in notes(results):
        _console.print(line, markup=False)


def publish(results: Results) -> None:
    """The tables, between the markers of the page."""
    parts = [f"{line}  " for line in notes(results)]
    for title, header, rows in sheets(results):
        parts += ["", f"### {title}", "", *table(header, rows)]
    rewrite(PAGE, BEGIN, END, "\n".join(parts))


def notes(results: Results) -> list[str]:
    """What was run."""
    plan = results.plan
    command = " ".join(["python benchmarks/drift_quality.py", *_shown_arguments()])
    run = (
        f"Measured {time.strftime('%Y-%m-%d')} with `{command}` in {results.seconds:.0f} s "
        f"({results.processor_seconds / 60:.1f} minutes of processor time); "
        f"{plan.trials} trials a figure without drift and {max(plan.trials // 4, 50)} with it."
    )
    lines = [run]
    if results.versions:
        found = ", ".join(f"{name} {version}" for name, version in results.versions.items())
        lines.append(f"Peers in the same run, {plan.peers} trials: {found}.")
    if results.absent:
        lines.append(f"Not measured: {results.absent}.")
    return lines


def _shown_arguments() -> list[str]:
    """The command's arguments without the paths of environments, which are this machine's."""
    kept, skip = [], False
    for argument in sys.argv[1:]:
        skip = argument == "--peers" or (skip and not argument.startswith("--"))
        if not skip and not argument.startswith("--peers"):
            kept.append(argument)
    return kept


def holds(results: Results) -> bool:
    """Whether no bar is missed by more than chance explains."""
    return all(row[-1] != MISSED for row in _bars(results)[2])


def _by_window(results: Results, case: str, windows: Sequence[int], title: str) -> Sheet:
    header = ("", *(f"{rows:,} rows" for rows in windows))
    ours = [rate for rate in results.rates if rate.case.startswith(case)]
    lines: Rows = []
    for name, measure in (("warning", "moved"), ("drift", "drift")):
        for spoiled in (False, True):
            label = f"Sidelight, `{name}`{SPOILED if spoiled else ''}"
            lines.append((label, *(_rate(ours, measure, n, spoiled=spoiled) for n in windows)))
    for rule in dict.fromkeys(key.split("|")[0] for key in results.peers):
        for suffix in ("", SPOILED):
            found = [results.peers.get(f"{rule}|{case}{suffix}|{rows}") for rows in windows]
            lines.append((f"{rule}{suffix}", *("–" if r is None else f"{r:.3f}" for r in found)))
    return title, header, lines


def _rate(rates: Sequence[Rate], measure: str, rows: int, *, spoiled: bool) -> str:
    found = [one for one in rates if one.rows == rows and one.case.endswith(SPOILED) == spoiled]
    return f"{getattr(found[0], measure):.4f}" if found else "–"


def _kinds(results: Results) -> Sheet:
    header: tuple[str, ...] = (
        "column, 5 % of it missing",
        "rows",
        "`warning`",
        "`drift`",
        "faults",
    )
    rows: Rows = [
        (one.case, str(one.rows), f"{one.moved:.4f}", f"{one.drift:.4f}", f"{one.faulty:.4f}")
        for one in results.kinds
    ]
    return "False alarms of other columns", header, rows


def _pairs(results: Results) -> Sheet:
    header: tuple[str, ...] = (
        "correlation of two of twelve columns",
        "rows",
        "`warning`",
        "`drift`",
    )
    rows: Rows = [
        (one.case, f"{one.rows:,}", f"{one.moved:.4f}", f"{one.drift:.4f}") for one in results.pairs
    ]
    return "Features together, each as it was", header, rows


def _named(results: Results) -> Sheet:
    header: tuple[str, ...] = ("change", "found", "named", "what the reading says, for instance")
    rows: Rows = [
        (one.change, f"{one.found:.2f}", f"{one.named:.2f}", one.example or "–")
        for one in results.named
    ]
    return "Changes that have a name, in 1,000 rows", header, rows


def _months(results: Results) -> Sheet:
    header: tuple[str, ...] = (
        "kind of rows",
        "seed",
        "looks",
        "looks with a finding",
        "drift alerts",
        "quality alerts",
    )
    rows: Rows = [
        (
            one.kind,
            str(one.seed),
            f"{one.looks:,}",
            str(one.loud_looks),
            str(one.drift_alerts),
            str(one.quality_alerts),
        )
        for one in results.months
    ]
    days = results.plan.days
    return f"{days:g} days without drift, 50 columns, a look each minute", header, rows


def _bars(results: Results) -> Sheet:
    header = ("Sidelight's", "bar", "measured", "")
    rows: Rows = []
    for one in results.rates:
        name = f"`warning`, {one.case}, {one.rows:,} rows"
        if one.case.startswith("no drift"):
            rows.append(_bar(name, one.moved, MOST_FALSE, one.trials))
        else:
            rows.append(_bar(name, one.moved, LEAST_POWER[one.rows], one.trials, least=True))
    rows += [
        _bar_of_pairs(one)
        for one in results.pairs
        if one.case == dependence.CALM or one.rows >= PAIR_ROWS
    ]
    rows.append(_bar("minutes to `drift` at +.5σ, slowest", max(results.delays), WINDOW_MINUTES))
    for kind in dict.fromkeys(month.kind for month in results.months):
        alerts = [month.alerts for month in results.months if month.kind == kind]
        rows.append(_bar(f"alerts a month, {kind}, worst", max(alerts), MOST_ALERTS))
        rows.append(_bar(f"alerts a month, {kind}, mean", sum(alerts) / len(alerts), MONTH_MEAN))
    for change in results.named:
        if change.change in {UNCHANGED, kinds.UNCHANGED}:
            name = change.change.replace("nothing", "nothing changed")
            rows.append(_bar(f"{name}: found", change.found, MOST_FALSE, change.trials))
            continue
        both = min(change.found, change.named)
        name = f"{change.change}: found and named"
        rows.append(_bar(name, both, LEAST_FOUND, change.trials, least=True))
    return "Bars", header, rows


def _bar_of_pairs(one: Rate) -> tuple[str, ...]:
    name = f"`multivariate`, {one.case}, {one.rows:,} rows"
    if one.case == dependence.CALM:
        return _bar(name, one.moved, MOST_FALSE, one.trials)
    return _bar(name, one.moved, LEAST_FOUND, one.trials, least=True)


def _bar(
    name: str, measured: float, limit: float, trials: int = 0, *, least: bool = False
) -> tuple[str, ...]:
    """One line: the share of so many trials, or a figure without chance, beside its limit."""
    chance = math.sqrt(limit * (1.0 - limit) / trials) if trials else 0.0
    missed_by = limit - measured if least else measured - limit
    verdict = "holds" if missed_by <= 0 else MISSED
    if 0 < missed_by <= DEVIATIONS * chance:
        verdict = "within chance"
    shown = "never" if math.isinf(measured) else f"{measured:.4g}"
    return name, f"{'≥' if least else '≤'} {limit:g}", shown, verdict
