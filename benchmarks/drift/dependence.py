"""A dependence that is new between columns that were independent, or turns round, while each column
stays as it was: how often it is found, and how often one is imagined.

Twelve columns, four of each: normal, lognormal, and heavy on both sides. What is judged is the
reading `multivariate`, beside twelve others. Windows are coded many at once and screened for
candidates, as in `column`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.column import MOVED, POLICY, REFERENCE_ROWS, Rate
from benchmarks.drift.parts import Table, count_parts, cut
from monitor.alerting.policy import Judge
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.layout import Layout
from monitor.snapshot import Status

COLUMNS = 12
REFERENCES = 5
AT_ONCE = 100_000  # rows
CALM = "no change"
WINDOWS = (50, 100, 200, 500, 1000)
CHANGES = (("ρ 0 → .5", 0.0, 0.5), ("ρ .5 → −.5", 0.5, -0.5))
CHANGED_WINDOWS = (100, 200, 500)
NAME = "multivariate"

Judged = tuple[Layout, Judge]


def measure(seed: int, trials: int) -> list[Rate]:
    """Without a change at each window, and a tenth as many trials of each change."""
    random = np.random.default_rng(seed)
    held = {rho: [_judge(random, rho) for _ in range(REFERENCES)] for rho in (0.0, 0.5)}
    rates = [_rate(random, CALM, held[0.0], 0.0, rows, trials) for rows in WINDOWS]
    few = max(trials // 10, 20)
    return rates + [
        _rate(random, case, held[before], now, rows, few)
        for case, before, now in CHANGES
        for rows in CHANGED_WINDOWS
    ]


def _judge(random: np.random.Generator, correlation: float) -> Judged:
    rows = Rows(_draw(random, REFERENCE_ROWS, correlation), {})
    reference = build_from_columns(rows, created_at=0.0)
    return reference.layout, Judge(reference)


def _rate(
    random: np.random.Generator, case: str, held: list[Judged], now: float, rows: int, trials: int
) -> Rate:
    each = -(-trials // len(held))
    moved = drift = 0
    for layout, judge in held:
        for windows in _batches(each, rows):
            table = _draw(random, windows * rows, now)
            parts = count_parts(layout, table, [rows] * windows)
            worth = judge.candidates(parts.cells, parts.rows, POLICY, parts.products, warnings=True)
            for window in np.flatnonzero(worth).tolist():
                counted = layout.count(cut(table, window * rows, (window + 1) * rows), {})
                readings = judge.readings(counted.counts, POLICY, counted.details)
                reading = next(one for one in readings if one.column == NAME)
                moved += reading.status in MOVED
                drift += reading.status is Status.DRIFT
    done = each * len(held)
    return Rate(case, rows, done, moved / done, drift / done, 0.0)


def _batches(trials: int, rows: int) -> list[int]:
    most = max(AT_ONCE // rows, 1)
    return [min(most, trials - start) for start in range(0, trials, most)]


def _draw(random: np.random.Generator, rows: int, correlation: float) -> Table:
    """The first column and the last depend on each other."""
    table: NDArray[np.float64] = random.normal(size=(COLUMNS, rows))
    table[-1] = correlation * table[0] + np.sqrt(1.0 - correlation**2) * table[-1]
    table[4:8] = np.exp(table[4:8])
    # A heavy tail of the same ranks, so that the dependence stays what it is.
    table[8:] = np.sign(table[8:]) * np.expm1(np.abs(table[8:]) ** 1.5)
    return {f"c{i}": column for i, column in enumerate(table)}
