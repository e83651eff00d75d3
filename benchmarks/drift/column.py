"""One column, looked at once: how often a warning is false, and how often a shift is found.

Every trial's rows are coded and judged by the code that runs live, with the defaults of
`DriftPolicy` but for `min_rows`, which the smallest window here would not reach. Trials are coded
many at once and screened for candidates; those are counted and read one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.parts import count_parts, cut
from monitor.alerting.policy import DriftPolicy, Judge
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.layout import Layout
from monitor.profile.values import Coded, Values
from monitor.snapshot import Status

REFERENCE_ROWS = 10_000
REFERENCES = 40
WINDOWS = (50, 100, 200, 500, 1000)
SHIFTED_WINDOWS = (200, 500, 1000)
SHIFT = 0.25
OUTLIERS = (1e3, -1e3, 1e6, -1e6, 1e300, -1e300)
POLICY = DriftPolicy(min_rows=50)
HOLES = 0.05
MOVED = frozenset({Status.WARNING, Status.DRIFT})

Draw = Callable[[np.random.Generator, int, int], Values]  # rows of so many windows of so many rows


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
            rows = Rows({"x": draw(self._random, 1, REFERENCE_ROWS)}, {})
            reference = build_from_columns(rows, created_at=0.0)
            self._judges.append((reference.layout, Judge(reference)))

    def rate(self, case: str, draw: Draw, rows: int, trials: int) -> Rate:
        """Fresh rows in every trial, as many of each reference."""
        each = -(-trials // len(self._judges))
        found = [self._read(*held, draw, rows, each) for held in self._judges]
        moved, drift, faulty = np.sum(found, axis=0) / (each * len(found))
        return Rate(case, rows, each * len(found), float(moved), float(drift), float(faulty))

    def _read(
        self, layout: Layout, judge: Judge, draw: Draw, rows: int, trials: int
    ) -> tuple[int, int, int]:
        """How many of the trials moved, drifted, and had faults."""
        table = {"x": draw(self._random, trials, rows)}
        parts = count_parts(layout, table, [rows] * trials)
        worth = judge.candidates(parts.cells, parts.rows, POLICY, warnings=True)
        moved = drift = faulty = 0
        for trial in np.flatnonzero(worth).tolist():
            window = cut(table, trial * rows, (trial + 1) * rows)
            (reading,) = judge.readings(layout.count(window, {}).counts, POLICY)
            moved += reading.status in MOVED
            drift += reading.status is Status.DRIFT
            faulty += bool(reading.quality)
        return moved, drift, faulty


def normal(shift: float = 0.0) -> Draw:
    """N(shift, 1)."""
    return lambda random, windows, rows: random.normal(shift, 1.0, windows * rows)


def spoiled(shift: float) -> Draw:
    """The same, with one value of each window replaced by each of the outliers in turn."""
    outliers = cycle(OUTLIERS)

    def draw(random: np.random.Generator, windows: int, rows: int) -> Values:
        held = random.normal(shift, 1.0, (windows, rows))
        held[:, 0] = list(islice(outliers, windows))
        return held.ravel()

    return draw


def measure(seed: int, trials: int) -> list[Rate]:
    """The tables of one normal column: without drift, with it, and with one value spoiled."""
    column = Trials(normal(), seed)
    rates = [column.rate("no drift", normal(), rows, trials) for rows in WINDOWS]
    rates += [
        column.rate("+.25σ", normal(SHIFT), rows, max(trials // 4, 50)) for rows in SHIFTED_WINDOWS
    ]
    return rates + [
        column.rate(f"{name}, one outlier", spoiled(shift), rows, times)
        for name, shift, windows, times in (
            ("no drift", 0.0, WINDOWS, trials),
            ("+.25σ", SHIFT, SHIFTED_WINDOWS, max(trials // 4, 50)),
        )
        for rows in windows
    ]


def kinds(seed: int, trials: int) -> list[Rate]:
    """False warnings of columns of other kinds, each with a twentieth of its values missing."""
    zipf = 1.0 / np.arange(1, 41)
    zipf /= zipf.sum()
    names = [f"k{i}" for i in range(40)]
    numbers: dict[str, Callable[[np.random.Generator, int], NDArray[np.float64]]] = {
        "lognormal": lambda random, rows: random.lognormal(size=rows),
        "mostly nought": lambda random, rows: np.where(
            random.random(rows) < 0.95, 0.0, random.exponential(size=rows)
        ),
        "integers (Poisson 3)": lambda random, rows: random.poisson(3.0, rows).astype(np.float64),
    }
    draws: dict[str, Draw] = {case: _holed(plain) for case, plain in numbers.items()}
    draws["40 categories (Zipf)"] = lambda random, windows, rows: Coded(
        _holed_codes(random, random.choice(40, windows * rows, p=zipf)), names
    )
    draws["boolean, 10 % true"] = lambda random, windows, rows: Coded(
        _holed_codes(random, (random.random(windows * rows) < 0.1).astype(np.int64)), [False, True]
    )
    rates = []
    for case, draw in draws.items():
        column = Trials(draw, seed, references=10)
        rates += [column.rate(case, draw, rows, trials) for rows in (100, 1000)]
    return rates


def _holed(plain: Callable[[np.random.Generator, int], NDArray[np.float64]]) -> Draw:
    """Numbers, a twentieth of which is missing."""

    def draw(random: np.random.Generator, windows: int, rows: int) -> Values:
        holes = random.random(windows * rows) < HOLES
        return np.where(holes, np.nan, plain(random, windows * rows))

    return draw


def _holed_codes(random: np.random.Generator, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(random.random(len(codes)) < HOLES, -1, codes)
