"""All columns together: can a small model tell current rows from the reference's?

What no column shows by itself, a change of how columns depend on each other, is seen here. The
model (`classifier`) is shown a bounded sample of rows. Needs rows of both sides, and scikit-learn;
where one is lacking, says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.comparison.aside import Aside
from monitor.comparison.classifier import Question
from monitor.comparison.count import MOST_SAMPLED, ROWS
from monitor.comparison.database import Database
from monitor.comparison.datafile import DataFile
from monitor.comparison.numbers import names_of_rows
from monitor.comparison.parts import Key
from monitor.comparison.verdict import Rule, Together
from monitor.profile.grid import Grid, NumericGrid, PresenceGrid
from monitor.profile.layout import Layout
from monitor.snapshot import Status

Floats = NDArray[np.float64]

MOST_NAMED = 5
LEAST_LOST = 0.005  # of the AUC, by a column that gave it away
MISSING = "scikit-learn is missing: pip install 'sidelight[compare]'"


@dataclass(frozen=True, slots=True)
class Pool:
    """A file, where it has the columns of the layout, and numbers of some of its rows."""

    database: Database
    file: DataFile
    columns: Mapping[Key, str]
    numbers: Mapping[str, Floats]


def tell_apart(
    layout: Layout, reference: Pool, current: Pool, rule: Rule, aside: Aside
) -> Callable[[], Together]:
    """Asks whether the two can be told apart; what it gives waits for the answer."""
    keys = [
        p.column.key for p in layout.columns if is_plain(p.column.key, p.grid, reference, current)
    ]
    keys = keys[:MOST_SAMPLED]
    if not keys:
        return lambda: Together(Status.INSUFFICIENT, reason="no plain column on both sides")
    grids = [layout.columns[layout.index[key]].grid for key in keys]
    before, now = (_rows(pool, keys, grids) for pool in (reference, current))
    rows = min(len(before), len(now))
    if rows < rule.min_rows:
        why = f"fewer than {rule.min_rows} rows"
        return lambda: Together(Status.INSUFFICIENT, rows, reason=why)
    question = Question(
        before,
        now,
        np.array([not isinstance(grid, NumericGrid) for grid in grids]),
        rule.fdr / (len(keys) + 1),
        min(0.5 * (1.0 + rule.min_effect), 1.0),
    )
    aside.ask(question)
    names = [name for name, _ in keys]
    return lambda: _answered(names, rows, question, aside)


def _answered(names: list[str], rows: int, question: Question, aside: Aside) -> Together:
    try:
        answer = aside.answer()
    except ImportError:
        return Together(Status.INSUFFICIENT, rows, reason=MISSING)
    found = rows, answer.area, answer.p_value, question.threshold
    if answer.lost is None:
        return Together(Status.OK, *found)
    ranked = sorted(zip(names, answer.lost, strict=True), key=lambda pair: -pair[1])
    named = tuple(pair for pair in ranked[:MOST_NAMED] if pair[1] >= LEAST_LOST)
    return Together(Status.DRIFT, *found, named)


def is_plain(key: Key, grid: Grid, *pools: Pool) -> bool:
    """Whether both files have the column as plain numbers or as names, as the reference had it."""
    if isinstance(grid, PresenceGrid):
        return False  # texts, moments, vectors: no numbers, and no names that come again
    for pool in pools:
        column = pool.columns.get(key)
        held = pool.numbers if isinstance(grid, NumericGrid) else pool.file.names
        if column not in held:
            return False
    return True


def names_of(pool: Pool, columns: list[str]) -> dict[str, list[object]]:
    """Columns of names, of the rows whose numbers the pool holds."""
    read = names_of_rows(pool.database, pool.file, columns, ROWS)
    return dict(zip(columns, read, strict=True))


def _rows(pool: Pool, keys: list[Key], grids: list[Grid]) -> Floats:
    """Sampled rows as numbers `[rows, columns]`: names by their cells, NaN where missing."""
    pairs = list(zip(keys, grids, strict=True))
    named = names_of(
        pool, [pool.columns[key] for key, grid in pairs if not isinstance(grid, NumericGrid)]
    )
    found: list[Floats] = []
    for key, grid in pairs:
        column = pool.columns[key]
        if isinstance(grid, NumericGrid):
            found.append(pool.numbers[column])
        elif not isinstance(grid, PresenceGrid):
            found.append(grid.codes(named[column]).astype(np.float64))
    return np.stack(found, axis=1)
