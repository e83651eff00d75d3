"""All columns together: can a small model tell current rows from the reference's?

What no column shows by itself, a change of how columns depend on each other, is seen here. Trees on
a bounded sample of rows, three folds; the area under the ROC curve on rows that the trees did not
see, with the Mann-Whitney p-value. Needs rows of both sides, and scikit-learn; where one is
lacking, says so.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

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
Score = Callable[[Floats], Floats]

FOLDS = 3
TREES = 30
LEAVES = 15
STEP = 0.15
MOST_NAMED = 5
MOST_SHUFFLED = 2000  # rows
MOST_VALUES = 2_000_000  # scored at once
LEAST_LOST = 0.005  # of the AUC, by a column that gave it away
MISSING = "scikit-learn is missing: pip install 'sidelight[compare]'"


@dataclass(frozen=True, slots=True)
class Pool:
    """A file, where it has the columns of the layout, and numbers of some of its rows."""

    database: Database
    file: DataFile
    columns: Mapping[Key, str]
    numbers: Mapping[str, Floats]


def tell_apart(layout: Layout, reference: Pool, current: Pool, rule: Rule) -> Together:
    """Whether the two can be told apart."""
    keys = [
        p.column.key for p in layout.columns if is_plain(p.column.key, p.grid, reference, current)
    ]
    keys = keys[:MOST_SAMPLED]
    if not keys:
        return Together(Status.INSUFFICIENT, reason="no plain column on both sides")
    grids = [layout.columns[layout.index[key]].grid for key in keys]
    before, now = (_rows(pool, keys, grids) for pool in (reference, current))
    rows = min(len(before), len(now))
    if rows < rule.min_rows:
        return Together(Status.INSUFFICIENT, rows, reason=f"fewer than {rule.min_rows} rows")
    current.database.forget()  # all rows are at hand, and scikit-learn takes 100 MB
    try:
        learner = _learner([not isinstance(grid, NumericGrid) for grid in grids])
    except ImportError:
        return Together(Status.INSUFFICIENT, rows, reason=MISSING)
    return _judged([name for name, _ in keys], before, now, learner, rule)


def _judged(
    names: list[str],
    before: Floats,
    now: Floats,
    learner: Callable[[Floats, Floats], Score],
    rule: Rule,
) -> Together:
    random = np.random.default_rng(0)
    table = np.concatenate([before, now])
    side = np.concatenate([np.zeros(len(before)), np.ones(len(now))])
    fold = np.concatenate([random.permutation(len(part)) % FOLDS for part in (before, now)])
    folds: list[tuple[Score, Floats, NDArray[np.bool_]]] = []
    for held in range(FOLDS):
        test = fold == held
        folds.append((learner(table[~test], side[~test]), table[test], side[test] > 0))
    area = float(np.mean([auc(score(rows), positive) for score, rows, positive in folds]))
    variance = sum(_variance(positive) for _, _, positive in folds) / FOLDS**2
    p_value = 0.5 * math.erfc((area - 0.5) / math.sqrt(2.0 * variance))
    threshold = min(0.5 * (1.0 + rule.min_effect), 1.0)
    smaller = min(len(before), len(now))
    if p_value > rule.fdr / (len(names) + 1) or area < threshold:
        return Together(Status.OK, smaller, area, p_value, threshold)
    lost = np.mean([_lost(*one, random) for one in folds], axis=0)
    ranked = sorted(zip(names, lost.tolist(), strict=True), key=lambda pair: -pair[1])
    named = tuple(pair for pair in ranked[:MOST_NAMED] if pair[1] >= LEAST_LOST)
    return Together(Status.DRIFT, smaller, area, p_value, threshold, named)


def auc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """The area under the ROC curve: the chance that a positive scores higher, ties half.

    >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    _, place, repeats = np.unique(scores, return_inverse=True, return_counts=True)
    rank = np.cumsum(repeats) - 0.5 * (repeats - 1)
    ones = int(positive.sum())
    others = len(scores) - ones
    return float((rank[place][positive].sum() - 0.5 * ones * (ones + 1)) / (ones * others))


def _variance(positive: NDArray[np.bool_]) -> float:
    """Of the area without any difference (Mann and Whitney 1947)."""
    ones = int(positive.sum())
    others = len(positive) - ones
    return (ones + others + 1) / (12.0 * ones * others)


def _lost(
    score: Score, table: Floats, positive: NDArray[np.bool_], random: np.random.Generator
) -> Floats:
    """How much of the area each column carries: what is lost when its values are shuffled."""
    rows = random.permutation(len(table))[:MOST_SHUFFLED]
    some, of = table[rows], positive[rows]
    whole = auc(score(some), of)
    each = max(MOST_VALUES // max(some.size, 1), 1)  # columns: a score of few rows is mostly calls
    lost: list[float] = []
    for start in range(0, table.shape[1], each):
        columns = range(start, min(start + each, table.shape[1]))
        copies = np.repeat(some[None], len(columns), axis=0)
        for copy, column in zip(copies, columns, strict=True):
            copy[:, column] = random.permutation(copy[:, column])
        scores = score(copies.reshape(-1, table.shape[1])).reshape(len(columns), -1)
        lost += [whole - auc(one, of) for one in scores]
    return np.array(lost)


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


@contextmanager
def _without_pandas() -> Iterator[None]:
    """As if pandas were not installed: scikit-learn loads it where it is, for frames that it is
    never given here, and that takes a third of a second and 40 MB.
    """
    if "pandas" in sys.modules:
        yield
        return
    sys.modules["pandas"] = cast("ModuleType", None)  # so importing it is an ImportError
    try:
        yield
    finally:
        del sys.modules["pandas"]


def _learner(named: list[bool]) -> Callable[[Floats, Floats], Score]:
    """Fits trees; ImportError without scikit-learn."""
    with _without_pandas():
        from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - an extra
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415 - comes with scikit-learn

    threads = ThreadpoolController()  # it looks through every loaded library: once

    def learn(table: Floats, side: Floats) -> Score:
        model: Any = HistGradientBoostingClassifier(
            max_iter=TREES,
            max_leaf_nodes=LEAVES,
            learning_rate=STEP,
            early_stopping=False,
            categorical_features=np.array(named),
            random_state=0,
        )
        with threads.limit(limits=1, user_api="openmp"):  # so small a table: threads only wait
            model.fit(table, side)

        def score(rows: Floats) -> Floats:
            with threads.limit(limits=1, user_api="openmp"):
                found: Floats = model.decision_function(rows)
            return found

        return score

    return learn
