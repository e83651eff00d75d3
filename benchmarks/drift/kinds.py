"""Named changes of texts, moments, vectors and correlations: is each found, and called by its name?

As `changes`, with columns that are not one number or one name. Found: `warning` or `drift`, or a
fault, in the column where the change shows. Nothing changed: found is any column at all that
warns, of nearly thirty.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.drift.changes import POLICY, REFERENCE_ROWS, WINDOW_ROWS, Named
from monitor.alerting.policy import Judge
from monitor.profile.build import Rows, build_from_columns
from monitor.snapshot import Reading, Status

Random = np.random.Generator
Table = dict[str, list[object]]
Change = Callable[[Random, Table], object]

UNCHANGED = "nothing, in columns of every kind"
WIDTH = 64
_START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_TURN = np.random.default_rng(5).normal(size=(WIDTH, WIDTH)) * (0.9 ** np.arange(WIDTH))[:, None]
_OTHER = np.random.default_rng(6).normal(size=(WIDTH, WIDTH)) * (0.9 ** np.arange(WIDTH))[:, None]


def measure(seed: int, trials: int) -> list[Named]:
    """Every change, and none."""
    random = np.random.default_rng(seed)
    rows = Rows(_calm(random, REFERENCE_ROWS), {})
    reference = build_from_columns(rows, created_at=0.0)
    judge, layout = Judge(reference), reference.layout
    results = []
    for name, (column, change, expected) in CHANGES.items():
        found = named = 0
        example = ""
        for _ in range(trials):
            table = _calm(random, WINDOW_ROWS)
            change(random, table)
            counted = layout.count(table, {})
            readings = judge.readings(counted.counts, POLICY, counted.details)
            said = [_words(one) for one in readings if column in ("", one.column)]
            found += any(said)
            named += any(expected in words for words in said)
            every = [one for words in said for one in words.split("; ")]
            example = next((one for one in every if expected in one), example)
        results.append(Named(name, column, trials, found / trials, named / trials, example))
    return results


def _words(reading: Reading) -> str:
    moved = reading.status in {Status.WARNING, Status.DRIFT}
    return "; ".join([*reading.quality, *([reading.explanation] if moved else [])])


def _calm(random: Random, rows: int) -> Table:
    a, b, *others = random.normal(size=(8, rows))
    lengths, hours = random.integers(3, 12, rows), random.integers(0, 60 * 24, rows)
    return {
        "a": a.tolist(),
        "b": (0.8 * a + 0.6 * b).tolist(),
        **{f"c{i}": values.tolist() for i, values in enumerate(others)},
        "review": [" ".join(f"word{w}" for w in random.integers(0, 999, n)) for n in lengths],
        "departure": [_at(hour) for hour in hours.tolist()],
        "embedding": (random.normal(size=(rows, WIDTH)) @ _TURN).tolist(),
    }


def _at(hour: int) -> str:
    return (_START + dt.timedelta(hours=hour)).isoformat()


def _correlated(correlation: float) -> Change:
    def change(random: Random, table: Table) -> None:
        a = np.array(table["a"], dtype=np.float64)
        noise = random.normal(size=len(a)) * np.sqrt(1.0 - correlation**2)
        table["b"] = (correlation * a + noise).tolist()

    return change


def _some(column: str, share: float, change: Callable[[Random, object], object]) -> Change:
    def changed(random: Random, table: Table) -> None:
        table[column] = [
            change(random, value) if chosen else value
            for value, chosen in zip(
                table[column], random.random(len(table[column])) < share, strict=True
            )
        ]

    return changed


def _scaled(factor: float) -> Callable[[Random, object], object]:
    return lambda _, value: (np.array(value, dtype=np.float64) * factor).tolist()


_TOGETHER = "multivariate"
CHANGES: Mapping[str, tuple[str, Change, str]] = {
    UNCHANGED: ("", lambda _, __: None, "nothing may be said"),
    "correlation .8 → −.8": (_TOGETHER, _correlated(-0.8), "correlation of a and b fell from 0."),
    "correlation .8 → 0": (_TOGETHER, _correlated(0.0), "correlation of a and b fell from 0."),
    "text: a fifth in another script": (
        "review.unfamiliar",
        _some("review", 0.2, lambda _, __: "слово и ещё слово"),
        "unfamiliar characters in review",
    ),
    "text: half as long": (
        "review.length",
        _some("review", 0.5, lambda _, value: str(value)[: len(str(value)) // 2]),
        "mean fell by",
    ),
    "datetime: a time zone of 8 hours": (
        "departure.hour",
        _some("departure", 0.5, lambda random, _: _at(24 * int(random.integers(0, 60)) + 20)),
        "share of hour of departure in",
    ),
    "datetime: a third on Mondays": (
        "departure.weekday",
        _some("departure", 0.3, lambda random, _: _at(168 * int(random.integers(0, 8)) + 100)),
        "share of weekday of departure=",
    ),
    "datetime: unreadable, 2 %": (
        "departure",
        _some("departure", 0.02, lambda _, __: "31.12.2026"),
        "of the wrong type",
    ),
    "vector: norm × 1.2": ("embedding.norm", _some("embedding", 1.0, _scaled(1.2)), "mean rose by"),
    "vector: another model": (
        "embedding.axis1",
        _some("embedding", 1.0, lambda r, _: (r.normal(size=WIDTH) @ _OTHER).tolist()),
        "axis 1 of embedding",
    ),
    "vector: another width, 2 %": (
        "embedding",
        _some("embedding", 0.02, lambda _, __: [0.5] * (WIDTH - 1)),
        "of the wrong type",
    ),
}
