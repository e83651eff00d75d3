"""A backtest for people and for scripts: a table within 80 columns, and JSON-able values; pure but
for the console."""

from __future__ import annotations

import datetime as dt
import textwrap
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.comparison.backtest import Backtest
from monitor.comparison.record import Raised

VERSION = 1
MOST_SHOWN = 60
WHY_CHARACTERS = 200  # on a terminal; the page and the JSON have all of it


def document(found: Backtest) -> dict[str, Any]:
    """Everything that a backtest says (docs/compare.md)."""
    return {
        "sidelight_backtest": VERSION,
        "log": {
            "file": str(found.log),
            "rows": found.span.rows,
            "rows_without_time": found.span.rows - found.span.timed,
            "start": _iso(found.span.start),
            "end": _iso(found.span.end),
        },
        "reference": {"digest": found.digest},
        "window_seconds": found.settings.window_seconds,
        "pane_seconds": found.settings.pane_seconds,
        "looks": found.looks,
        "insufficient_looks": found.insufficient,
        "alerts": [_alert(one) for one in found.raised],
        "absent": list(found.absent),
        "left_out": list(found.left_out),
    }


def _alert(one: Raised) -> dict[str, Any]:
    return {
        "labels": dict(one.labels),
        "annotations": dict(one.annotations),
        "active_since": _iso(one.active_since),
        "fired_at": _iso(one.fired_at),
        "resolved_at": None if one.resolved_at is None else _iso(one.resolved_at),
    }


def headline(found: Backtest) -> str:
    """The answer in one line."""
    if found.insufficient == found.looks:
        return (
            f"No answer: at none of {found.looks:,} looks were there "
            f"{found.settings.min_rows} rows in the window; make it longer."
        )
    alerts = len(found.raised)
    return f"{alerts or 'No'} alert{'' if alerts == 1 else 's'} at {found.looks:,} looks."


def notes(found: Backtest) -> list[str]:
    """What is good to know besides."""
    lines = []
    if 0 < found.insufficient < found.looks:
        lines.append(
            f"At {found.insufficient:,} looks there were fewer than "
            f"{found.settings.min_rows} rows in the window: no answer then."
        )
    if found.span.timed < found.span.rows:
        lines.append(
            f"{found.span.rows - found.span.timed:,} rows have no time, and were left out."
        )
    if found.absent:
        lines.append(f"{', '.join(found.absent)}: not in the log.")
    if found.left_out:
        lines.append(
            f"{', '.join(found.left_out)}: not replayed: name the column with "
            "--prediction, --probability, --target."
        )
    return lines


def show(found: Backtest, console: Console) -> None:
    """Prints it."""
    span = found.span
    console.print(
        f"{found.log.name} · {span.rows:,} rows · {_when(span.start)} to {_when(span.end)}",
        markup=False,
        soft_wrap=True,
    )
    console.print(Text(headline(found), "bold"), soft_wrap=True)
    if found.raised:
        console.print(_table(found))
    for line in notes(found):
        console.print(Text(line))


def _table(found: Backtest) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("fired, resolved", no_wrap=True)
    table.add_column("what", overflow="fold", min_width=10, max_width=20)
    table.add_column("why", overflow="fold")
    for one in found.raised[:MOST_SHOWN]:
        ended = "still firing" if one.resolved_at is None else _when(one.resolved_at)
        what = Text(f"{short(one)}\n") + Text(one.what, "bold")
        why = textwrap.shorten(
            one.annotations.get("description", ""), WHY_CHARACTERS, placeholder=" …"
        )
        table.add_row(Text(f"{_when(one.fired_at)}\n{ended}"), what, Text(why))
    if len(found.raised) > MOST_SHOWN:
        table.add_row(Text(f"… {len(found.raised) - MOST_SHOWN} more", "dim"), "", "")
    return table


def short(one: Raised) -> str:
    """An alert's name without whose it is.

    >>> short(Raised({"alertname": "SidelightFeatureDrift"}, {}, 0.0, 0.0))
    'FeatureDrift'
    """
    return one.labels.get("alertname", "").removeprefix("Sidelight")


def _when(seconds: float) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d %H:%M}"


def _iso(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat().replace("+00:00", "Z")
