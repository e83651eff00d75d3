"""What a run of the demo came to: its table, and whether everything that it promises was seen.

Pure, but for printing; knows only what the story measured.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from monitor.demo.history import DRIFT, History
from monitor.demo.receiver import Delivery
from monitor.demo.sidecar import Counters
from monitor.demo.truth import TOLERANCE, Comparison

WIDTH = 78  # a terminal has 80
RESOLVES_WITHIN_SECONDS = 60.0  # a replay as long as this, or longer, must see an alert resolved


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that was measured."""

    seconds: float
    every: int  # each how-many-th flight was sent
    sent_rows: int
    answered_rows: int
    failed_requests: int
    labelled_rows: int
    history: History
    counters: Counters | None
    totals: Comparison | None  # every label since the start
    window: Comparison | None  # the labels that arrived in the last window
    deliveries: tuple[Delivery, ...]  # while flights and labels were being sent
    refused_deliveries: int


def shortcomings(outcome: Outcome) -> list[str]:
    """What a run must show and this one did not, one line each."""
    counters, resolved = outcome.counters, _count(outcome, "resolved")
    must_resolve = outcome.seconds >= RESOLVES_WITHIN_SECONDS
    complete = counters is not None and counters.not_observed == 0
    performed = outcome.window is not None or outcome.totals is not None
    wanted = {
        "no column was found in drift": bool(outcome.history.drifted),
        "no performance was computed": performed,
        "no alert was delivered": bool(outcome.deliveries),
        "no alert was resolved": resolved > 0 or not must_resolve,
        f"{outcome.refused_deliveries} alerts were refused": outcome.refused_deliveries == 0,
        f"{outcome.failed_requests} requests failed": outcome.failed_requests == 0,
        # With exchanges lost (they are counted) the sidecar has fewer rows than were sent.
        "all labels: not what pandas computes": not complete or _agrees(outcome.totals),
        "last window: not what pandas computes": not complete or _agrees(outcome.window),
    }
    return [said for said, met in wanted.items() if not met]


def show(outcome: Outcome, console: Console) -> None:
    """Print the tables."""
    for table in (_traffic(outcome), _drift(outcome), _performance(outcome), _alerts(outcome)):
        console.print()
        console.print(table)


def _traffic(outcome: Outcome) -> Table:
    table = _table("Traffic", "", "rows", "requests")
    table.add_row("sent by the client, April to December", f"{outcome.sent_rows:,}", "")
    table.add_row("relayed to the model and answered", f"{outcome.answered_rows:,}", "")
    if outcome.counters is not None:
        counted = outcome.counters
        table.add_row("observed by Sidelight", f"{counted.predictions:,}", f"{counted.observed:,}")
        table.add_row("not observed (counted by reason)", "", f"{counted.not_observed:,}")
    table.add_row("labels posted", f"{outcome.labelled_rows:,}", "")
    if outcome.every > 1:
        table.caption = f"one flight in {outcome.every}, in the order of departure"
    return table


def _drift(outcome: Outcome) -> Table:
    table = _table(
        "Drift against January to March", "column", "since", "peak", "limit", "on", "end"
    )
    found = sorted(outcome.history.drifted.items(), key=lambda one: -one[1].peak_score)
    for (role, name), column in found:
        limit = "" if column.peak_threshold is None else f"{column.peak_threshold:.2f}"
        table.add_row(
            name if role == "feature" else f"[bold]{name}[/bold]",
            f"{column.first_drift_at:%d %b}",
            f"{column.peak_score:.2f} {column.method}",
            limit,
            f"{column.peak_at:%d %b}",
            f"[red]{column.status}[/red]" if column.status == DRIFT else column.status,
        )
    table.caption = f"{len(found)} of {outcome.history.columns} columns"
    return table


def _performance(outcome: Outcome) -> Table:
    table = _table("Performance", "", "rows", "RMSE", "MAE", "pandas, same rows")
    history, latest = outcome.history, outcome.history.latest
    if latest is not None and {"rmse", "mae"} <= latest.reference.keys():
        reference = latest.reference
        table.add_row("reference", "", f"{reference['rmse']:.3f}", f"{reference['mae']:.3f}", "")
    if history.worst_rmse is not None:
        worst = f"worst window, to {history.worst_rmse_at:%d %b}"
        table.add_row(worst, "", f"{history.worst_rmse:.3f}", "", "")
    _add_comparison(table, "last window", outcome.window)
    _add_comparison(table, "all labels", outcome.totals)
    return table


def _add_comparison(table: Table, name: str, comparison: Comparison | None) -> None:
    if comparison is None:
        table.add_row(name, "", "", "", "not computed")
        return
    mine, offline = comparison.sidecar, comparison.offline
    if not comparison.same_rows:
        verdict = f"{offline.rows:,} rows there"
    elif comparison.agrees:
        verdict = f"[green]agrees to {max(comparison.difference, 1e-16):.0e}[/green]"
    else:
        verdict = f"[red]differs by {comparison.difference:.0e}, over {TOLERANCE:.0e}[/red]"
    table.add_row(name, f"{mine.rows:,}", f"{mine.rmse:.3f}", f"{mine.mae:.3f}", verdict)


def _alerts(outcome: Outcome) -> Table:
    table = _table("Alerts delivered, signature verified", "alert", "column", "fired", "resolved")
    counted = Counter((one.name, one.column, one.status) for one in outcome.deliveries)
    for name, column in dict.fromkeys((one.name, one.column) for one in outcome.deliveries):
        fired, resolved = (counted[name, column, status] for status in ("firing", "resolved"))
        table.add_row(name, column, str(fired), str(resolved))
    total = f"{_count(outcome, 'firing')} fired, {_count(outcome, 'resolved')} resolved"
    table.caption = total
    return table


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, caption_justify="left", title_justify="left", title_style="bold")
    table.box, table.width = SIMPLE_HEAD, WIDTH
    table.add_column(first, ratio=1, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _count(outcome: Outcome, status: str) -> int:
    return sum(one.status == status for one in outcome.deliveries)


def _agrees(comparison: Comparison | None) -> bool:
    return comparison is not None and comparison.agrees
