"""Puts what a run of scenarios saw into the page; judges nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import measure
from benchmarks.faults.stage import Check

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BEGIN = "<!-- figures: written by `python benchmarks/chaos.py --publish` -->"
END = "<!-- end of chaos figures -->"


def publish(found: Mapping[str, Sequence[Check]], run: str) -> None:
    """Every check, between the markers of the page; `run` says how it was run."""
    before, begin, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE.name} has lost its markers: {BEGIN} and {END}")
    PAGE.write_text(f"{before}{BEGIN}\n\n{markdown(found, run)}\n{END}{after}", "utf-8")


def markdown(found: Mapping[str, Sequence[Check]], run: str) -> str:
    """A table with one line for each check."""
    machine = measure.machine()
    size = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory']}"
    command = " ".join(["python benchmarks/chaos.py", *sys.argv[1:]])
    lines = [
        f"Measured {time.strftime('%Y-%m-%d')} with `{command}`; {run}.  ",
        f"Machine: {size}, Linux {machine['kernel']}, Python {machine['python']}.  ",
        "",
        "| scenario | must hold | seen | bar | |",
        "| --- | --- | ---: | ---: | --- |",
    ]
    for name, checks in found.items():
        for number, check in enumerate(checks):
            cells = (
                name if number == 0 else "",
                check.name,
                check.seen,
                check.bar,
                "holds" if check.held else "does not hold",
            )
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
