"""How an explained exchange looks: tables for people, a document for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from monitor.codec.explain import ADVICE, Explanation
from monitor.records.exchange import Exchange

MOST_COLUMNS = 60


def document(one: Exchange, explanation: Explanation) -> dict[str, Any]:
    """Everything that is known, for a program."""
    batch = explanation.batch
    found: dict[str, Any] = {
        "method": one.method,
        "target": one.target,
        "status": one.status,
        "readable": batch is not None,
        "format": explanation.format or None,
    }
    if batch is None:
        found |= {
            "reason": explanation.reason,
            "detail": explanation.detail,
            "meaning": explanation.meaning,
            "settings": list(explanation.settings),
        }
    else:
        found |= {
            "rows": len(batch),
            "ids": sorted(set(batch.ids)),
            "other_names": {one.name: one.given.name.lower() for one in batch.aliases},
            "features": _lists(batch.features),
            "outputs": _lists(batch.outputs),
            "probabilities": _lists(batch.probabilities),
        }
    found["formats"] = [
        {"format": a.format, "claims": a.claims, "reason": a.reason, "detail": a.detail}
        for a in explanation.attempts
    ]
    return found


def print_exchange(one: Exchange, explanation: Explanation, values: int) -> None:
    """For a person."""
    console = Console()
    console.print(f"[bold]{one.method}[/] ", end="")
    console.print(f"{one.target} → {one.status}", markup=False, highlight=False, soft_wrap=True)
    if explanation.batch is None:
        _print_failure(console, explanation)
        return
    batch = explanation.batch
    console.print(f"[green]read as {explanation.format}[/]: {len(batch)} row(s)")
    if batch.aliases:
        names = ", ".join(f"{one.name} ({one.given.name.lower()})" for one in batch.aliases)
        console.print(f"labels join under: {names}", markup=False, highlight=False, soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("column", "role", "kind", "first values"):
        table.add_column(name, overflow="fold")
    parts = (
        ("feature", batch.features),
        ("output", batch.outputs),
        ("probability", batch.probabilities),
    )
    rows = [
        (name, role, _kind(column), ", ".join(_short(value) for value in column[:values]))
        for role, columns in parts
        for name, column in columns.items()
    ]
    for row in rows[:MOST_COLUMNS]:
        table.add_row(*map(_plain, row))
    console.print(table)
    if len(rows) > MOST_COLUMNS:
        console.print(f"… and {len(rows) - MOST_COLUMNS} columns more")


def print_reasons(observations: Sequence[Mapping[str, Any]]) -> None:
    """What became of a running sidecar's exchanges, and what would help."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("outcome", "reason", "exchanges", "meaning", "settings that would help"):
        table.add_column(name, overflow="fold")
    for one in observations:
        meaning, settings = ADVICE.get(str(one["reason"]), ("", ()))
        cells = (one["outcome"], one["reason"], one["exchanges"], meaning, "; ".join(settings))
        table.add_row(*(_plain(str(cell)) for cell in cells))
    Console().print(table)


def _print_failure(console: Console, explanation: Explanation) -> None:
    console.print("[red]not observed[/]: ", end="")
    text = f"{explanation.reason}: {explanation.meaning}"
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    if explanation.detail:
        console.print(f"  {explanation.detail}", markup=False, highlight=False, soft_wrap=True)
    for setting in explanation.settings:
        console.print(f"  what would help → {setting}", markup=False, soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("format asked", "claims it", "says"):
        table.add_column(name, overflow="fold")
    for one in explanation.attempts:
        said = f"{one.reason}: {one.detail}" if one.detail else one.reason or "can read it"
        table.add_row(one.format, "yes" if one.claims else "no", _plain(said))
    if explanation.attempts:
        console.print(table)


def _lists(columns: Mapping[str, Sequence[object]]) -> dict[str, list[object]]:
    return {name: list(values) for name, values in columns.items()}


def _kind(values: Sequence[object]) -> str:
    kinds = {type(value).__name__ for value in values if value is not None}
    names = {"int": "number", "float": "number", "str": "text", "bool": "true/false"}
    return " or ".join(sorted({names.get(kind, kind) for kind in kinds})) or "missing"


def _short(value: object) -> str:
    text = "missing" if value is None else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _plain(text: str) -> str:
    """Text that rich takes for text."""
    return text.replace("[", r"\[")
