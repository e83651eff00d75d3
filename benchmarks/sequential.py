"""`python benchmarks/sequential.py`: delay, misses and false alarms of the sequential detectors,
beside river's on the same streams.

Only the command line and the tables; `benchmarks/drift/streams.py` measures. Ends with 1 where a
detection of ours is not river's.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if not __package__:  # run as a script: find `benchmarks` and `monitor` of this tree
    sys.path[0] = str(ROOT)

from rich.console import Console  # noqa: E402 - after the path is known
from rich.table import Table  # noqa: E402 - likewise

from benchmarks.drift import page, streams  # noqa: E402 - likewise
from benchmarks.drift.streams import RATES, Record  # noqa: E402 - likewise

PAGE = ROOT / "docs" / "statistics.md"
BEGIN = "<!-- sequential: written by `python benchmarks/sequential.py --publish` -->"
END = "<!-- end of sequential -->"


def main() -> int:
    """0: every detection is river's too; 1: one is not."""
    arguments = _arguments()
    ours = streams.measure(arguments.seeds)
    version, theirs = streams.measure_river(arguments.seeds)
    header, rows = table(ours, theirs)
    shown = Table(*header)
    for row in rows:
        shown.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 140).print(shown)
    apart = differences(ours, theirs)
    if arguments.publish:
        told = (
            f"Measured {time.strftime('%Y-%m-%d')} with `python benchmarks/sequential.py "
            f"--publish`: {arguments.seeds} streams of each change of rate, river {version} in the "
            "same run; mean delay / missed / false alarms in 5,000 values, and processor time a "
            f"value. Detections that differ: {len(apart)}."
        )
        text = "\n".join([told, "", *page.table(header, rows)])
        page.rewrite(PAGE, BEGIN, END, text)
    for line in apart:
        print(line)
    return 1 if apart else 0


def table(ours: Sequence[Record], theirs: Sequence[Record]) -> tuple[page.Row, list[page.Row]]:
    """A row a detector; ours first."""
    header = ("detector", *(f"{a:g} → {b:g}" for a, b in RATES), "µs a value")
    rows = []
    for whose, records in (("Sidelight", ours), ("river", theirs)):
        for name in dict.fromkeys(record.detector for record in records):
            of = [record for record in records if record.detector == name]
            few = f", {of[0].streams} streams" if of[0].streams < ours[0].streams else ""
            spent = sum(one.microseconds for one in of) / len(of)
            rows.append((f"{whose} {name}{few}", *map(_cell, of), f"{spent:.1f}"))
    return header, rows


def _cell(record: Record) -> str:
    delay = "–" if math.isnan(record.delay) else f"{record.delay:.0f}"
    return f"{delay} / {record.missed} / {record.false_alarms:.3g}"


def differences(ours: Sequence[Record], theirs: Sequence[Record]) -> list[str]:
    """Streams on which a detector of ours and river's of the same name see different things."""
    held = {(one.detector, one.rates): one for one in theirs}
    return [
        f"{one.detector} {one.rates}, stream {seed}: {first} and river {second}"
        for one in ours
        for seed, (first, second) in enumerate(
            zip(one.found, held[one.detector, one.rates].found, strict=False)
        )
        if first != second
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=30, help="streams of each change of rate")
    parser.add_argument("--publish", action="store_true", help="into docs/statistics.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
