"""One column, looked at once: how often a warning is false, and how often a shift is found.

Every trial goes through `Layout.count` and `Judge.readings` with the defaults of `DriftPolicy`, but
for `min_rows`, which the smallest window here would not reach.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from monitor.alerting.policy import DriftPolicy, Judge
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.layout import Layout
from monitor.snapshot import Status

REFERENCE_ROWS = 10_000
REFERENCES = 40
WINDOWS = (50, 100, 200, 500, 1000)
SHIFTED_WINDOWS = (200, 500, 1000)
SHIFT = 0.25
OUTLIERS = (1e3, -1e3, 1e6, -1e6, 1e300, -1e300)
POLICY = DriftPolicy(min_rows=50)
MOVED = frozenset({Status.WARNING, Status.DRIFT})

Draw = Callable[[np.random.Generator, int], Sequence[object]]


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a column was said to have moved."""

    case: str
    rows: int
    trials: int
    moved: float
    drift: float
    faulty: float  # … or its data to be at fault


class Trials:
    """Judges of several references of one distribution, so that no single one is the luck."""

    def __init__(self, draw: Draw, seed: int, references: int = REFERENCES) -> None:
        self._random = np.random.default_rng(seed)
        self._judges: list[tuple[Layout, Judge]] = []
        for _ in range(references):
            rows = Rows({"x": draw(self._random, REFERENCE_ROWS)}, {})
            reference = build_from_columns(rows, created_at=0.0)
            self._judges.append((reference.layout, Judge(reference)))

    def rate(self, case: str, draw: Draw, rows: int, trials: int) -> Rate:
        """Fresh rows in every trial, the references in turn."""
        moved = drift = faulty = 0
        for trial in range(trials):
            layout, judge = self._judges[trial % len(self._judges)]
            counts = layout.count({"x": draw(self._random, rows)}, {}).counts
            (reading,) = judge.readings(counts, POLICY)
            moved += reading.status in MOVED
            drift += reading.status is Status.DRIFT
            faulty += bool(reading.quality)
        return Rate(case, rows, trials, moved / trials, drift / trials, faulty / trials)


def normal(shift: float = 0.0) -> Draw:
    """N(shift, 1)."""

    def draw(random: np.random.Generator, rows: int) -> Sequence[object]:
        held: list[object] = random.normal(shift, 1.0, rows).tolist()
        return held

    return draw


def spoiled(shift: float) -> Draw:
    """The same, with one value replaced by each of the outliers in turn."""
    plain, outliers = normal(shift), cycle(OUTLIERS)

    def draw(random: np.random.Generator, rows: int) -> Sequence[object]:
        return [next(outliers), *plain(random, rows - 1)]

    return draw


def measure(seed: int, trials: int) -> list[Rate]:
    """The tables of one normal column: without drift, with it, and with one value spoiled."""
    column = Trials(normal(), seed)
    rates = [column.rate("no drift", normal(), rows, trials) for rows in WINDOWS]
    rates += [
        column.rate("+.25σ", normal(SHIFT), rows, max(trials // 2, 50)) for rows in SHIFTED_WINDOWS
    ]
    return rates + [
        column.rate(f"{name}, one outlier", spoiled(shift), rows, trials)
        for name, shift, windows in (("no drift", 0.0, WINDOWS), ("+.25σ", SHIFT, SHIFTED_WINDOWS))
        for rows in windows
    ]


def kinds(seed: int, trials: int) -> list[Rate]:
    """False warnings of columns of other kinds, each with a twentieth of its values missing."""
    zipf = 1.0 / np.arange(1, 41)
    zipf /= zipf.sum()
    names = np.array([f"k{i}" for i in range(40)])
    draws: dict[str, Callable[[np.random.Generator, int], np.ndarray[tuple[int], np.dtype]]] = {
        "lognormal": lambda random, rows: random.lognormal(size=rows),
        "mostly nought": lambda random, rows: np.where(
            random.random(rows) < 0.95, 0.0, random.exponential(size=rows)
        ),
        "integers (Poisson 3)": lambda random, rows: random.poisson(3.0, rows),
        "40 categories (Zipf)": lambda random, rows: names[random.choice(40, rows, p=zipf)],
        "boolean, 10 % true": lambda random, rows: random.random(rows) < 0.1,
    }
    rates = []
    for case, plain in draws.items():

        def draw(
            random: np.random.Generator, rows: int, plain: Callable[..., np.ndarray] = plain
        ) -> Sequence[object]:
            holes = random.random(rows) < 0.05
            values = plain(random, rows).tolist()
            return [None if hole else value for hole, value in zip(holes, values, strict=True)]

        column = Trials(draw, seed, references=10)
        rates += [column.rate(case, draw, rows, trials) for rows in (100, 1000)]
    return rates
