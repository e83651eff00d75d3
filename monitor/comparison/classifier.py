"""Can a small model tell the rows of one table from those of another?

Trees, three folds; the area under the ROC curve on rows that the trees did not see, with the
Mann-Whitney p-value. Knows arrays and scikit-learn, nothing of files: it runs as well in a process
of its own (`aside`), which loads nothing else.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Score = Callable[[Floats], Floats]

LIBRARY = "sklearn.ensemble"
FOLDS = 3
TREES = 30
LEAVES = 15
STEP = 0.15
MOST_SHUFFLED = 2000  # rows
MOST_VALUES = 250_000  # scored at once: 2 MB, of which scoring makes some copies


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Rows of both sides `[rows, columns]`, NaN where missing, and from where on they differ."""

    before: Floats
    now: Floats
    named: NDArray[np.bool_]  # columns whose numbers are codes of names
    level: float  # of the p-value
    threshold: float  # of the area


@dataclass(frozen=True, slots=True)
class Answer:
    """How well the model tells, and, where it can, what each column carries of it."""

    area: float
    p_value: float
    lost: tuple[float, ...] | None = None  # of the area, were the column's values shuffled


def tell(question: Question) -> Answer:
    """Fits and asks the model; ImportError without scikit-learn."""
    with _without_pandas():
        return _told(question)


def _told(question: Question) -> Answer:
    learner = _learner(question.named)
    random = np.random.default_rng(0)
    sides = question.before, question.now
    table = np.concatenate(sides)
    side = np.concatenate([np.zeros(len(question.before)), np.ones(len(question.now))])
    fold = np.concatenate([random.permutation(len(part)) % FOLDS for part in sides])
    folds: list[tuple[Score, Floats, NDArray[np.bool_]]] = []
    for held in range(FOLDS):
        test = fold == held
        folds.append((learner(table[~test], side[~test]), table[test], side[test] > 0))
    area = float(np.mean([auc(score(rows), positive) for score, rows, positive in folds]))
    variance = sum(_variance(positive) for _, _, positive in folds) / FOLDS**2
    p_value = 0.5 * math.erfc((area - 0.5) / math.sqrt(2.0 * variance))
    if p_value > question.level or area < question.threshold:
        return Answer(area, p_value)
    lost = np.mean([_lost(*one, random) for one in folds], axis=0)
    return Answer(area, p_value, tuple(lost.tolist()))


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


def load() -> Any:  # noqa: ANN401 - scikit-learn has no types
    """scikit-learn's trees: a second of imports the first time; ImportError without it."""
    with _without_pandas():
        from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - an extra
    return HistGradientBoostingClassifier


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


class _Without(MetaPathFinder):
    """Finds that one module is not installed."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, fullname: str, *_: object) -> None:
        """Nothing: the next one is asked."""
        if fullname == self._name:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


@contextmanager
def _without_pandas() -> Iterator[None]:
    """As if pandas were not installed: scikit-learn loads it where it is, for frames that it is
    never given here, and that takes a third of a second and 65 MB.
    """
    if "pandas" in sys.modules:
        yield
        return
    finder = _Without("pandas")
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def _learner(named: NDArray[np.bool_]) -> Callable[[Floats, Floats], Score]:
    """Fits trees; ImportError without scikit-learn."""
    trees = load()
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415 - comes with scikit-learn

    threads = ThreadpoolController()  # it looks through every loaded library: once

    def learn(table: Floats, side: Floats) -> Score:
        model: Any = trees(
            max_iter=TREES,
            max_leaf_nodes=LEAVES,
            learning_rate=STEP,
            early_stopping=False,
            categorical_features=named,
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
