"""Shows, writes and publishes what a run found; computes nothing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.suite import Results
from benchmarks.summary import CPU, P50, P99, RATE, WHOLE_CPU, Figure, Summary

_ROOT = Path(__file__).resolve().parent.parent
RESULTS = _ROOT / "benchmarks" / "results"
PAGE = _ROOT / "docs" / "benchmarks.md"
BEGIN = "<!-- figures: written by `python benchmarks/relay.py --publish` -->"
END = "<!-- end of figures -->"

BASELINE = "nginx"

_COLUMNS = ("", "requests/s", "p50 µs", "p99 µs", "CPU µs/request", "core", "RSS MB", "errors")
_RATIOS = (
    (CPU, "nginx"),
    (RATE, "nginx"),
    (P50, "nginx"),
    (P99, "nginx"),
    (CPU, "envoy"),
    (WHOLE_CPU, "envoy"),
    (RATE, "envoy"),
)
_VERDICTS = {True: "holds", False: "does not hold", None: "not measured"}
_console = Console(width=None if sys.stdout.isatty() else 120)

Rows = list[tuple[str, ...]]


def say(line: str) -> None:
    """Progress, on standard error, so that the figures can be piped."""
    print(line, file=sys.stderr, flush=True)


def show(results: Results, summary: Summary) -> None:
    """The tables, on the terminal."""
    for title, header, rows in _tables(results, summary):
        table = Table(*header, title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        for column in table.columns[1:]:
            column.justify = "right"
        _console.print(table)
    for line in _notes(results, summary):
        _console.print(line, markup=False)


def write(results: Results, summary: Summary) -> None:
    """Everything as JSON, the tables as markdown."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    document = {
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "command": command(),
        "machine": results.machine,
        "versions": results.versions,
        "absent": results.absent,
        "seconds": results.seconds,
        "figures": [asdict(figure) for figure in summary.figures],
        "bars": [{**asdict(bar), "holds": bar.holds} for bar in summary.bars],
        "ratios": {
            mode: {
                subject: {f"{measure} / {to}": value for (measure, to), value in found.items()}
                for subject, found in by_subject.items()
            }
            for mode, by_subject in summary.ratios.items()
        },
        "samples": [asdict(sample) for sample in results.samples],
    }
    (RESULTS / "relay.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    (RESULTS / "relay.md").write_text(markdown(results, summary))
    say(f"written: {RESULTS.relative_to(_ROOT)}/relay.json and relay.md")


def publish(results: Results, summary: Summary) -> None:
    """The tables, between the markers of the page."""
    before, begin, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE.relative_to(_ROOT)} has lost its markers: {BEGIN} and {END}")
    PAGE.write_text(f"{before}{BEGIN}\n\n{markdown(results, summary)}\n{END}{after}", "utf-8")
    say(f"published: {PAGE.relative_to(_ROOT)}")


def command() -> str:
    """How this run was started."""
    return " ".join(["python benchmarks/relay.py", *sys.argv[1:]])


def markdown(results: Results, summary: Summary) -> str:
    """The page's part that is measured."""
    parts = [f"{line}  " for line in _notes(results, summary)]
    for title, header, rows in _tables(results, summary):
        rule = ["---", *["---:"] * (len(header) - 1)]
        lines = ["| " + " | ".join(cells) + " |" for cells in (header, rule, *rows)]
        parts += ["", f"### {title}", "", *lines]
    return "\n".join(parts) + "\n"


def _tables(results: Results, summary: Summary) -> list[tuple[str, Sequence[str], Rows]]:
    tables: list[tuple[str, Sequence[str], Rows]] = []
    for mode in dict.fromkeys(figure.mode for figure in summary.figures):
        rows = [_row(figure) for figure in summary.figures if figure.mode == mode]
        tables.append((_title(mode), _COLUMNS, rows))
        tables.append(_ratio_table(summary, mode))
    observed = _observed(summary.figures)
    if observed:
        header = ("load", "outcome", "exchanges", "share")
        tables.append(("What became of the exchanges", header, observed))
    if "sidelight" in results.versions:
        tables.append(("Bars", ("Sidelight's", "bar", "measured", ""), _bars(summary)))
    return tables


def _bars(summary: Summary) -> Rows:
    return [
        (
            bar.promise,
            f"{'≥' if bar.at_least else '≤'} {bar.limit:g}",
            "–" if bar.measured is None else f"{bar.measured:.2f}",
            _VERDICTS[bar.holds],
        )
        for bar in summary.bars
    ]


def _title(mode: str) -> str:
    if mode.endswith("/s"):
        return f"At {int(mode[:-2]):,} requests a second (open loop, 16 connections)"
    return f"As fast as it goes, {mode}"


def _row(figure: Figure) -> tuple[str, ...]:
    total = figure.total_cpu_microseconds
    parts = [f"{name} {value:.1f}" for name, value in figure.cpu_microseconds.items()]
    memory = [f"{name} {rss / 1e6:.0f}" for name, rss in figure.rss_bytes.items()]
    several = len(parts) > 1
    rss = sum(figure.rss_bytes.values())
    return (
        figure.subject,
        f"{figure.requests_per_second:,.0f}",
        f"{figure.p50_seconds * 1e6:,.0f}",
        f"{figure.p99_seconds * 1e6:,.0f}",
        "–" if total is None else f"{total:.1f}" + (f" ({', '.join(parts)})" if several else ""),
        "–" if figure.core_ratio is None else f"{figure.core_ratio:.0%}",
        "–" if not rss else f"{rss / 1e6:.0f}" + (f" ({', '.join(memory)})" if several else ""),
        str(figure.errors),
    )


def _ratio_table(summary: Summary, mode: str) -> tuple[str, Sequence[str], Rows]:
    header = ("", *(f"{measure} / {baseline}" for measure, baseline in _RATIOS))
    rows: Rows = [
        (subject, *(f"{found[key]:.2f}" if key in found else "–" for key in _RATIOS))
        for subject, found in summary.ratios[mode].items()
        if subject != BASELINE
    ]
    return f"Ratios, {mode}", header, rows


def _observed(figures: Iterable[Figure]) -> Rows:
    rows: Rows = []
    for figure in figures:
        total = sum(figure.outcomes.values())
        rows += [
            (figure.mode, outcome, f"{count:,.0f}", f"{count / total:.2%}")
            for outcome, count in sorted(figure.outcomes.items())
            if count
        ]
    return rows


def _notes(results: Results, summary: Summary) -> list[str]:
    machine = results.machine
    versions = ", ".join(f"{name} {found}" for name, found in results.versions.items())
    quiet = f"Others used {summary.foreign_ratio:.1%} of the machine meanwhile (median)."
    run = f"Measured {time.strftime('%Y-%m-%d')} with `{command()}` in {results.seconds:.0f} s"
    rounds = f"{results.plan.rounds} interleaved rounds; every figure is the median over them."
    size = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory']}"
    system = f"Linux {machine['kernel']}, Python {machine['python']}"
    notes = [
        f"{run}, {rounds}",
        f"Machine: {size}, {system}; load average before: {machine['load_before']}.",
        f"Versions: {versions}.",
        quiet,
    ]
    if summary.noisy:
        notes.append("The machine was not quiet: read the ratios, not the absolute figures.")
    notes += [
        f"Not counted: {one.subject}, {one.mode}, round {one.round + 1} ({one.broken})."
        for one in results.samples
        if one.broken
    ]
    notes += [f"Not measured: {name} ({reason})." for name, reason in results.absent.items()]
    return notes
