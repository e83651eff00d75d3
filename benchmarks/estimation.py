"""`python benchmarks/estimation.py`: performance without labels, beside NannyML on its own data.

Only the command line and the tables; `benchmarks/estimates/` measures.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
if not __package__:  # run as a script: find `benchmarks` and `monitor` of this tree
    sys.path[0] = str(ROOT)

from benchmarks.estimates import peer  # noqa: E402 - after the path is known
from benchmarks.estimates.measure import Measured, Subject, distance, measure  # noqa: E402

PEERS = ROOT / ".venv-peers" / "bin" / "python"
PAGE = ROOT / "docs" / "performance.md"
BEGIN = "<!-- figures: written by `python benchmarks/estimation.py --publish` -->"
END = "<!-- end of figures -->"
FURTHEST = 0.003  # of NannyML's estimate of the area, in any chunk

SUBJECTS = (
    Subject(
        "loan", "binary", "repaid", peer.LOAN, peer.LOAN_ROWS, ("roc_auc", "accuracy", "f1"),
        "y_pred_proba",
    ),
    Subject("price", "regression", "y_true", peer.PRICE, peer.PRICE_ROWS, ("mae", "rmse")),
)  # fmt: skip
FORMATS = {"mae": "{:,.1f}", "rmse": "{:,.1f}"}

Row = tuple[str, ...]
Found = Mapping[str, Measured]


def main() -> int:
    """0: every bar holds; 1: one does not; 2: NannyML is not there."""
    arguments = _arguments()
    if not arguments.peers.exists():
        print(f"no NannyML: {arguments.peers} is absent (uv venv, uv pip install nannyml)")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        words = [str(arguments.peers), str(Path(peer.__file__)), folder]
        ran = subprocess.run(words, check=True, capture_output=True, text=True, timeout=900)
        theirs: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
        found = {subject.name: measure(subject, Path(folder)) for subject in SUBJECTS}
    costs = _costs(found)
    bars = _bars(found, theirs)
    sheets = [*(_chunks(one, found[one.name], theirs[one.name]) for one in SUBJECTS), costs, bars]
    for title, header, rows in sheets:
        table = Table(*header, title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        Console(width=None if sys.stdout.isatty() else 140).print(table)
    if arguments.publish:
        _publish(sheets, theirs["version"])
    return 0 if all(row[-1] == "holds" for row in bars[2]) else 1


def _chunks(
    subject: Subject, ours: Measured, theirs: Mapping[str, list[float]]
) -> tuple[str, Row, list[Row]]:
    chunks = len(ours.realised[subject.metrics[0]])
    header = ("", *(str(chunk + 1) for chunk in range(chunks)), "mean distance to realised")
    rows: list[Row] = []
    for name in subject.metrics:
        shown = FORMATS.get(name, "{:.4f}")
        for who, values in (
            ("realised", ours.realised[name]),
            ("Sidelight", ours.estimated[name]),
            ("NannyML", theirs[name]),
        ):
            away = "" if who == "realised" else shown.format(distance(values, ours.realised[name]))
            rows.append((f"{name}, {who}", *map(shown.format, values), away))
    return f"{subject.name}: chunks of {subject.rows:,} rows", header, rows


def _costs(found: Found) -> tuple[str, Row, list[Row]]:
    header = ("", "build, seconds", "file, kB", "live, µs of CPU a row", "realised within the band")
    return (
        "Cost, and how often the band holds",
        header,
        [
            (
                name,
                f"{one.fit_seconds:.1f}",
                f"{one.file_bytes / 1000:,.0f}",
                f"{one.microseconds_a_row:.1f}",
                f"{one.within_band} of {one.bands}",
            )
            for name, one in found.items()
        ],
    )


def _bars(found: Found, theirs: Mapping[str, Any]) -> tuple[str, Row, list[Row]]:
    rows: list[Row] = []

    def bar(what: str, limit: float, value: float, shown: str = "{:.5f}") -> None:
        verdict = "holds" if value <= limit else "does not hold"
        rows.append((what, "≤ " + shown.format(limit), shown.format(value), verdict))

    area = found["loan"].estimated["roc_auc"]
    gaps = [abs(a - b) for a, b in zip(area, theirs["loan"]["roc_auc"], strict=True)]
    bar("loan: roc_auc from NannyML's, furthest chunk", FURTHEST, max(gaps))
    for name, metric in (("loan", "roc_auc"), ("price", "mae"), ("price", "rmse")):
        realised = found[name].realised[metric]
        bar(
            f"{name}: {metric} from realised, no worse than NannyML's",
            round(distance(theirs[name][metric], realised), 6),
            round(distance(found[name].estimated[metric], realised), 6),
            FORMATS.get(metric, "{:.5f}").replace(".1f", ".2f"),
        )
    return "Bars", ("", "bar", "measured", ""), rows


def _publish(sheets: list[tuple[str, Row, list[Row]]], version: str) -> None:
    before, begin, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE.name} has lost its markers: {BEGIN} and {END}")
    made = f"Measured {time.strftime('%Y-%m-%d')} with `python benchmarks/estimation.py --publish`"
    parts = [f"{made}, NannyML {version} in the same run."]
    for title, header, rows in sheets:
        lines = ["| " + " | ".join(one) + " |" for one in (header, ("---",) * len(header), *rows)]
        parts += ["", f"### {title}", "", *lines]
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n".join(parts) + f"\n\n{END}{after}", "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--peers", type=Path, default=PEERS, help="Python of an environment with NannyML"
    )
    parser.add_argument("--publish", action="store_true", help="into docs/performance.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
