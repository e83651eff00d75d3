"""How right predictions were, for any task: one pane's sums, running totals, and whole columns at
once.

Knows nothing of windows, stores or the wire. A metric that is not defined on the rows at hand is
absent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from monitor.errors import StatisticsError
from monitor.statistics.classes import Task, Value, class_name, number
from monitor.statistics.classification import ClassificationSums, class_of
from monitor.statistics.confusion import Confusion
from monitor.statistics.intervals import Interval
from monitor.statistics.regression import (
    RegressionSums,
    regression_metrics,
    require_equal_lengths,
    truth_and_error,
)
from monitor.statistics.summation import ExactSum

__all__ = [
    "PerformanceCounter",
    "PerformanceSums",
    "Task",
    "class_metrics",
    "class_sums",
    "classification_metrics",
    "infer_task",
    "label_fault",
    "regression_metrics",
]

Column = Sequence[object] | NDArray[np.generic]

_MOST_NUMERIC_CLASSES = 20  # more distinct whole numbers than this are a quantity, not classes


class PerformanceSums:
    """One pane's performance: rows are added, taken back to the bit, and panes add up, in any
    order.

    Sums may also hold a mere change, with more taken back than added, for a pane to take on by `+`.

    >>> pane = PerformanceSums("regression")
    >>> pane.add(10.0, 12.0), pane.add(1e9, 0.0), pane.remove(1e9, 0.0), pane.add("late", 12.0)
    (True, True, True, False)
    >>> (pane + PerformanceSums("regression")).metrics()  # doctest: +ELLIPSIS
    {'rmse': 2.0, 'mae': 2.0, 'mean_error': 2.0, 'mape': 0.2, ...}
    """

    __slots__ = ("_sums", "task")

    def __init__(self, task: Task, positive: Value | None = None) -> None:
        self.task = task
        self._sums: RegressionSums | ClassificationSums = (
            RegressionSums()
            if task == "regression"
            else ClassificationSums(binary=task == "binary", positive=positive)
        )

    def add(
        self,
        label: object,
        prediction: object,
        probabilities: Mapping[str, float] | None = None,
    ) -> bool:
        """Count a row; False, and nothing counted, where label and prediction cannot be
        compared.
        """
        return self._sums.add(label, prediction, probabilities)

    def remove(
        self,
        label: object,
        prediction: object,
        probabilities: Mapping[str, float] | None = None,
    ) -> bool:
        """Take back a row; False where it could not have been counted either."""
        return self._sums.remove(label, prediction, probabilities)

    def __add__(self, other: PerformanceSums) -> PerformanceSums:
        total = PerformanceSums(self.task)
        match self._sums, other._sums:
            case RegressionSums() as mine, RegressionSums() as theirs:
                total._sums = mine + theirs
            case ClassificationSums() as mine, ClassificationSums() as theirs:
                total._sums = mine + theirs
            case _:
                raise StatisticsError(f"{self.task} and {other.task} do not add up")
        return total

    @property
    def parts(self) -> RegressionSums | ClassificationSums:
        """The task's own sums."""
        return self._sums

    @property
    def rows(self) -> int:
        """Rows counted."""
        return self._sums.rows

    def metrics(self) -> dict[str, float]:
        """Every metric that is defined on these rows."""
        return self._sums.metrics()

    def by_class(self) -> dict[str, dict[str, float]]:
        """Metric → class → value; empty for a regression."""
        return self._sums.by_class()

    def intervals(self) -> dict[str, Interval]:
        """95 % confidence intervals of those metrics that have one."""
        return self._sums.intervals()

    @property
    def confusion(self) -> Confusion:
        """Rows by (label, prediction); empty for a regression."""
        return self._sums.confusion if isinstance(self._sums, ClassificationSums) else {}


class PerformanceCounter:
    """Totals since the start that never go down, as counters must not: add each prediction's first
    label only.

    >>> total = PerformanceCounter("binary")
    >>> total.add(True, 1), total.add("no", None)
    (True, False)
    >>> total.labels, total.correct
    (1, 1)
    """

    __slots__ = ("_absolute", "_squared", "_task", "correct", "labels")

    def __init__(self, task: Task) -> None:
        self._task = task
        self.labels = 0
        self.correct = 0
        self._absolute = ExactSum()
        self._squared = ExactSum()

    def add(self, label: object, prediction: object) -> bool:
        """Count a joined row; False, and nothing counted, where the two cannot be compared."""
        if self._task == "regression":
            pair = truth_and_error(label, prediction)
            if pair is None:
                return False
            self._absolute.add(abs(pair[1]))
            self._squared.add_square(pair[1])
        else:
            truth, guess = class_of(label), class_of(prediction)
            if truth is None or guess is None:
                return False
            self.correct += truth == guess
        self.labels += 1
        return True

    @property
    def absolute_error(self) -> float:
        """Σ|prediction − label|; 0 for classification."""
        return self._absolute.value()

    @property
    def squared_error(self) -> float:
        """Σ(prediction − label)²; 0 for classification."""
        return self._squared.value()


def label_fault(task: Task, value: object) -> str | None:
    """Why a posted value is no label for this task, or None.

    >>> label_fault("regression", "12.5"), label_fault("regression", "late")
    (None, 'is not a finite number')
    """
    if task == "regression":
        return None if number(value) is not None else "is not a finite number"
    if not isinstance(value, (str, int, float)):
        return "is not a number, a boolean or text"
    return "is not finite" if isinstance(value, float) and not math.isfinite(value) else None


def infer_task(labels: Column) -> Task:
    """What kind of target a column of labels is; StatisticsError where it holds none.

    Fractions, or more than 20 distinct whole numbers, are a quantity. Everything else is classes:
    two or fewer are binary.

    >>> infer_task([0.5, 1.25, 3.0]), infer_task([0, 1, 1]), infer_task(["a", "b", "c", None])
    ('regression', 'binary', 'multiclass')
    """
    numeric = fractions = False
    distinct: set[str] = set()
    for value in _listed(labels):
        if not isinstance(value, (str, int, float)) or label_fault("multiclass", value):
            continue
        numeric = numeric or not isinstance(value, (str, bool))
        fractions = fractions or (isinstance(value, float) and not value.is_integer())
        distinct.add(class_name(value))
        if fractions or (numeric and len(distinct) > _MOST_NUMERIC_CLASSES):
            return "regression"
    if not distinct:
        raise StatisticsError("a column without any label has no task")
    return "binary" if len(distinct) <= 2 else "multiclass"


def classification_metrics(
    labels: Column,
    predictions: Column,
    probabilities: Mapping[str, Column] | None = None,
    positive: Value | None = None,
) -> dict[str, float]:
    """The metrics of `ClassificationSums` over whole columns; two classes or fewer are read as
    binary.

    Parameters: columns of equal length; `probabilities` holds one column a class. StatisticsError
    where their lengths differ.

    >>> classification_metrics(["ham", "spam"], ["ham", "ham"])
    {'accuracy': 0.5, 'recall': 0.0, 'f1': 0.0}
    """
    return class_sums(labels, predictions, probabilities, positive).metrics()


def class_metrics(
    labels: Column,
    predictions: Column,
    probabilities: Mapping[str, Column] | None = None,
) -> dict[str, dict[str, float]]:
    """The same by class: metric → class → value."""
    return class_sums(labels, predictions, probabilities).by_class()


def class_sums(
    labels: Column,
    predictions: Column,
    probabilities: Mapping[str, Column] | None = None,
    positive: Value | None = None,
) -> ClassificationSums:
    """Whole columns as one pane."""
    truth, guesses = _listed(labels), _listed(predictions)
    given = {name: _listed(column) for name, column in (probabilities or {}).items()}
    require_equal_lengths(len(truth), len(guesses), *(len(column) for column in given.values()))
    names = tuple(given)
    shares = zip(*given.values(), strict=True) if given else iter([()] * len(truth))
    sums = ClassificationSums(positive=positive)
    for label, guess, row in zip(truth, guesses, shares, strict=True):
        sums.add(label, guess, dict(zip(names, row, strict=True)))
    return sums


def _listed(column: Column) -> Sequence[object]:
    return column.tolist() if isinstance(column, np.ndarray) else column
