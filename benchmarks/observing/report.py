"""Shows and publishes what a run found, and holds it against the bars; measures nothing."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.observing.suite import MODES, OURS, Results

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BEGIN = "<!-- figures: written by `python benchmarks/observer.py --publish` -->"
END = "<!-- end of observer figures -->"
_VERDICTS = {True: "holds", False: "does not hold", None: "not measured"}
_FASTEST = "whylogs track"  # what its `log` does in the end, without what `log` adds
_console = Console(width=None if sys.stdout.isatty() else 120)

Rows = list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Bar:
    """A promise; `measured` is None where it could not be."""

    promise: str
    limit: float
    measured: float | None
    at_least: bool = False

    @property
    def holds(self) -> bool | None:
        """None where nothing was measured."""
        if self.measured is None:
            return None
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def bars(results: Results) -> list[Bar]:
    """All promises of the observer."""
    wide = results.wide
    columns = results.plan.columns
    return [
        Bar(f"rows/s, {MODES['single']}", 25_000, results.rate(OURS, "single"), at_least=True),
        Bar(f"rows/s, {MODES['batch']}", 400_000, results.rate(OURS, "batch"), at_least=True),
        *(
            Bar(f"rows/s / {_FASTEST}, {name}", 5, results.ratio(_FASTEST, mode), at_least=True)
            for mode, name in MODES.items()
        ),
        Bar(f"evaluation of {columns:,} columns, ms", 200, _thousand(wide, "look")),
        Bar(f"scrape of {columns:,} columns, ms", 300, _thousand(wide, "scrape")),
        Bar(f"memory that 20,000 more rows of {columns:,} columns take, MB", 20,
            wide["grown"] / 1e6 if wide else None),
    ]  # fmt: skip


def holds(results: Results) -> bool:
    """Whether no bar is missed."""
    return all(bar.holds is not False for bar in bars(results))


def show(results: Results) -> None:
    """The tables, on the terminal."""
    for title, header, rows in _tables(results):
        table = Table(*header, title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        _console.print(table)
    for line in _notes(results):
        _console.print(line, markup=False)


def publish(results: Results) -> None:
    """The tables, between the markers of the page."""
    before, begin, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE.name} has lost its markers: {BEGIN} and {END}")
    PAGE.write_text(f"{before}{BEGIN}\n\n{markdown(results)}\n{END}{after}", "utf-8")


def markdown(results: Results) -> str:
    """The page's part that is measured."""
    parts = [f"{line}  " for line in _notes(results)]
    for title, header, rows in _tables(results):
        rule = ["---", *["---:"] * (len(header) - 1)]
        lines = ["| " + " | ".join(cells) + " |" for cells in (header, rule, *rows)]
        parts += ["", f"### {title}", "", *lines]
    return "\n".join(parts) + "\n"


def _thousand(figures: dict[str, float], key: str) -> float | None:
    return figures[key] * 1e3 if figures else None


def _tables(results: Results) -> list[tuple[str, tuple[str, ...], Rows]]:
    names = dict.fromkeys(who for who, _ in results.rates)
    rates: Rows = [
        (who, *(_shown(results.rate(who, mode), ",.0f") for mode in MODES)) for who in names
    ]
    times: Rows = [
        (f"sidelight / {who}", *(_shown(results.ratio(who, mode), ".1f") for mode in MODES))
        for who in names
        if who != OURS
    ]
    held: Rows = [
        (bar.promise, f"{'≥' if bar.at_least else '≤'} {bar.limit:,g}",
         _shown(bar.measured, ",.1f" if bar.limit < 1000 else ",.0f"), _VERDICTS[bar.holds])
        for bar in bars(results)
    ]  # fmt: skip
    return [
        ("Rows decoded and counted a second, one core", ("", *MODES.values()), rates + times),
        ("The observer's bars", ("", "bar", "measured", ""), held),
    ]


def _shown(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _notes(results: Results) -> list[str]:
    machine, wide = results.machine, results.wide
    command = " ".join(["python benchmarks/observer.py", *_arguments()])
    run = f"Measured {time.strftime('%Y-%m-%d')} with `{command}` in {results.seconds:.0f} s"
    rounds = f"{results.plan.rounds} interleaved rounds; every figure is their median, by CPU time."
    size = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory']}"
    system = f"Linux {machine['kernel']}, Python {machine['python']}"
    notes = [
        f"{run}, {rounds}",
        f"Machine: {size}, {system}; load average before: {machine['load_before']}.",
    ]
    if results.version:
        notes.append(f"Versions: whylogs {results.version}.")
    if wide:
        notes.append(
            f"{results.plan.columns:,} columns: {wide['rss'] / 1e6:.0f} MB resident in all, "
            f"{wide['readings']:.0f} readings a look, {wide['scrape_bytes'] / 1e6:.1f} MB a scrape."
        )
    if results.absent:
        notes.append(f"Not measured: {results.absent}.")
    return notes


def _arguments() -> list[str]:
    """As given, but without the path of anybody's machine."""
    given = sys.argv[1:]
    return [Path(one).name if "/" in one else one for one in given]
