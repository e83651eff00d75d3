"""Named changes: is each found, and does the reading call it by its name?

Four columns, three of which stay as they were; a thousand rows a window. Found: `warning` or
`drift`, or a fault of the data, in the column that changed. Named: its words say what was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.policy import DriftPolicy, Judge
from monitor.profile.build import Rows, build_from_columns
from monitor.snapshot import Reading, Status

REFERENCE_ROWS = 10_000
WINDOW_ROWS = 1000
POLICY = DriftPolicy()
NAMES = ("AA", "B6", "DL", "EV", "UA", "WN")
CHANCES = (0.35, 0.25, 0.15, 0.1, 0.1, 0.05)
NEW_SHARE, MISSING_SHARE = 0.01, 0.05

UNCHANGED = "nothing"

Column = NDArray[np.object_]
Random = np.random.Generator
Change = Callable[[Random, Column], Column | None]  # None: the column does not come


@dataclass(frozen=True, slots=True)
class Named:
    """One change over many windows."""

    change: str
    column: str
    trials: int
    found: float
    named: float
    example: str


def measure(seed: int, trials: int) -> list[Named]:
    """Every change, and none."""
    random = np.random.default_rng(seed)
    reference = build_from_columns(Rows(_lists(_calm(random, REFERENCE_ROWS)), {}), created_at=0.0)
    judge, layout = Judge(reference), reference.layout
    results = []
    for name, (column, change, expected) in CHANGES.items():
        found = named = 0
        example = ""
        for _ in range(trials):
            table = _calm(random, WINDOW_ROWS)
            changed = change(random, table.pop(column))
            if changed is not None:
                table[column] = changed
            counted = layout.count(_lists(table), {})
            readings = judge.readings(counted.counts, POLICY, counted.details)
            reading = next(one for one in readings if one.column == column)
            words = _words(reading)
            found += bool(words)
            named += expected in words
            example = next((one for one in words.split("; ") if expected in one), example)
        results.append(Named(name, column, trials, found / trials, named / trials, example))
    return results


def _words(reading: Reading) -> str:
    """What a person reads of a column that is not as it was; nothing where all is well."""
    moved = reading.status in {Status.WARNING, Status.DRIFT}
    return "; ".join([*reading.quality, *([reading.explanation] if moved else [])])


def _lists(table: Mapping[str, Column]) -> dict[str, list[object]]:
    """Columns as a codec hands them on."""
    return {name: column.tolist() for name, column in table.items()}


def _calm(random: Random, rows: int) -> dict[str, Column]:
    holes = random.normal(size=rows).astype(object)
    holes[random.random(rows) < MISSING_SHARE] = None
    return {
        "amount": random.normal(50.0, 10.0, rows).astype(object),
        "duration": random.lognormal(3.0, 0.6, rows).astype(object),
        "carrier": np.array(NAMES, dtype=object)[random.choice(len(NAMES), rows, p=CHANCES)],
        "holes": holes,
    }


def _some(share: float, value: object) -> Change:
    def change(random: Random, column: Column) -> Column:
        column[random.random(len(column)) < share] = value
        return column

    return change


def _swap(_: Random, column: Column) -> Column:
    places = {"AA": "WN", "WN": "AA"}
    return np.array([places.get(name, name) for name in column.tolist()], dtype=object)


def _of(make: Callable[[Random, int], NDArray[np.float64]]) -> Change:
    return lambda random, column: make(random, len(column)).astype(object)


CHANGES: Mapping[str, tuple[str, Change, str]] = {
    UNCHANGED: ("amount", lambda _, column: column, "nothing may be said"),
    "mean +.5σ": ("amount", lambda _, column: column + 5.0, "mean rose by 0."),
    "variance × 2": ("amount", _of(lambda r, n: r.normal(50, 14.14, n)), "spread rose to 1."),
    "variance ÷ 2": ("amount", _of(lambda r, n: r.normal(50, 7.07, n)), "spread fell to 0."),
    "shape: skewed": ("amount", _of(lambda r, n: 40 + r.exponential(10, n)), "shape changed"),
    "shape: uniform": ("amount", _of(lambda r, n: r.uniform(32.68, 67.32, n)), "shape changed"),
    "shape: two peaks": (
        "amount",
        _of(lambda r, n: 50 + r.choice([-9.0, 9.0], n) + r.normal(0, 4.36, n)),
        "shape changed",
    ),
    "two categories swapped": ("carrier", _swap, "have changed places"),
    "new category, 1 %": ("carrier", _some(NEW_SHARE, "XX"), "unseen in the reference: 'XX'"),
    "missing doubled, 5 → 10 %": ("holes", _some(MISSING_SHARE / 0.95, None), "are missing"),
    "missing, 0 → 1 %": ("amount", _some(0.01, None), "are missing"),
    "all missing": ("amount", _some(1.0, None), "absent or empty: 100 % of values are missing"),
    "column absent": ("amount", lambda _, __: None, "absent or empty: 100 % of values are missing"),
    "text among numbers, 1 %": ("amount", _some(0.01, "n/a"), "of the wrong type"),
    "code −999 for missing, 1 %": ("amount", _some(0.01, -999.0), "far beyond the reference's"),
    "frozen, number": ("amount", _some(1.0, 47.11), "frozen: every value is 47.11"),
    "frozen, category": ("carrier", _some(1.0, "DL"), "frozen: every value is DL"),
    "unit × 100": ("amount", lambda _, column: column * 100.0, "100 times the reference's"),
    "unit × 100, skewed": (
        "duration",
        lambda _, column: column * 100.0,
        "100 times the reference's",
    ),
    "unit ÷ 60": ("duration", lambda _, column: column / 60.0, "1/60 of the reference's"),
}
