"""Classification performance as counts that add up over panes, replicas and corrections.

Knows nothing of windows or labels' ways; a row is a label, a predicted class, and perhaps
probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from monitor.statistics.averaged import averaged_errors
from monitor.statistics.classes import Value, class_name, positive_class
from monitor.statistics.confusion import (
    FOLDED,
    Confusion,
    accuracy,
    binary_metrics,
    class_counts,
    macro_metrics,
    metrics_by_class,
    weighted_metrics,
)
from monitor.statistics.intervals import Interval, normal, of_f1, present, wilson
from monitor.statistics.probabilities import ProbabilitySums

_OTHER = f"{FOLDED}other"
_ANOTHER = f"{FOLDED}another"  # another class than the label's, both beyond the bound
MAX_CLASSES = 200


class ClassificationSums:
    """Rows counted by (label, predicted class), and the sums of their probabilities.

    Classes are told apart by `class_name`; `binary=None` means that their number decides. With two
    classes precision, recall and F1 are those of the positive one (`positive_class` unless given);
    with more they are plain means over classes.

    Beyond `MAX_CLASSES` classes, further ones share one entry: accuracy stays exact, and what is
    read by class, or averaged over classes, is over the first ones seen.

    >>> sums = ClassificationSums(binary=True)
    >>> for label, prediction in ((1, True), (0, True), (1, "1"), (0, 0)):
    ...     _ = sums.add(label, prediction)
    >>> sums.metrics()["accuracy"], sums.metrics()["recall"]
    (0.75, 1.0)
    """

    __slots__ = ("_binary", "_confusion", "_known", "_positive", "_probabilities", "rows")

    def __init__(self, *, binary: bool | None = None, positive: Value | None = None) -> None:
        self.rows = 0
        self._binary = binary
        self._positive = None if positive is None else class_name(positive)
        self._known: set[str] = set()
        self._confusion: dict[tuple[str, str], int] = {}
        self._probabilities = ProbabilitySums()

    def add(
        self,
        label: object,
        prediction: object,
        probabilities: Mapping[str, float] | None = None,
    ) -> bool:
        """Count a row; False, and nothing counted, where label or prediction names no class."""
        return self._count(label, prediction, probabilities, 1)

    def remove(
        self,
        label: object,
        prediction: object,
        probabilities: Mapping[str, float] | None = None,
    ) -> bool:
        """Take back a row that was added, here or in what this will be added to."""
        return self._count(label, prediction, probabilities, -1)

    def _count(
        self,
        label: object,
        prediction: object,
        probabilities: Mapping[str, float] | None,
        step: int,
    ) -> bool:
        truth, guess = class_of(label), class_of(prediction)
        if truth is None or guess is None:
            return False
        self.rows += step
        self._put((truth, guess), step)
        if probabilities:
            self._probabilities.count(truth, probabilities, step)
        return True

    def _put(self, pair: tuple[str, str], step: int) -> None:
        pair = self._bounded(pair)
        count = self._confusion.get(pair, 0) + step
        if count:
            self._confusion[pair] = count
        else:
            self._confusion.pop(pair, None)

    def _bounded(self, pair: tuple[str, str]) -> tuple[str, str]:
        truth, guess = (self._within(name) for name in pair)
        if truth == guess == _OTHER and pair[0] != pair[1]:
            return truth, _ANOTHER
        return truth, guess

    def _within(self, name: str) -> str:
        if name not in self._known:
            if name.startswith(FOLDED):
                return name if name == _ANOTHER else _OTHER
            if len(self._known) >= MAX_CLASSES:
                return _OTHER
            self._known.add(name)
        return name

    def __add__(self, other: ClassificationSums) -> ClassificationSums:
        total = ClassificationSums(binary=self._binary, positive=self._positive or other._positive)
        total.rows = self.rows + other.rows
        for part in (self, other):
            for pair, count in part._confusion.items():
                total._put(pair, count)
        total._probabilities = self._probabilities + other._probabilities
        return total

    def restore(self, rows: int, confusion: Confusion, probabilities: ProbabilitySums) -> None:
        """Be what an earlier process had counted."""
        self.rows, self._probabilities = rows, probabilities
        for pair, count in confusion.items():
            self._put(pair, count)

    @property
    def confusion(self) -> Confusion:
        """Rows by (label, prediction)."""
        return self._confusion

    @property
    def probabilities(self) -> ProbabilitySums:
        """The sums of rows that came with probabilities."""
        return self._probabilities

    @property
    def correct(self) -> int:
        """Rows predicted right."""
        return sum(count for (label, guess), count in self._confusion.items() if label == guess)

    @property
    def positive(self) -> str | None:
        """The class that precision, recall and F1 speak of, where there are two."""
        return positive_class(self.classes) if self._positive is None else self._positive

    @property
    def classes(self) -> frozenset[str]:
        """Every class that is a label, a prediction, or was given a probability."""
        named = {name for pair in self._confusion for name in pair}
        return frozenset(named | self._probabilities.offered.keys())

    @property
    def binary(self) -> bool:
        """Whether the metrics are those of one positive class."""
        return len(self.classes) <= 2 if self._binary is None else self._binary

    def metrics(self) -> dict[str, float]:
        """accuracy, precision, recall, f1 and what `ProbabilitySums` has, and with more than two
        classes those three weighted by labels: each only where defined on these rows.
        """
        read = (
            binary_metrics(self._confusion, self.positive)
            if self.binary
            else macro_metrics(self._confusion) | weighted_metrics(self._confusion)
        )
        return accuracy(self._confusion) | read | self._probabilities.metrics()

    def by_class(self) -> dict[str, dict[str, float]]:
        """precision, recall, f1, and of ranked classes areas and calibration: metric → class →
        value, where defined.
        """
        found = metrics_by_class(self._confusion)
        ranked = self._probabilities.by_class()
        return found | {name: by_class for name, by_class in ranked.items() if by_class}

    def intervals(self) -> dict[str, Interval]:
        """95 % intervals: of shares Wilson's, of averages over classes by the delta method."""
        if self.rows <= 0:
            return {}
        found: dict[str, Interval | None] = {
            "accuracy": wilson(self.correct / self.rows, self.rows)
        }
        found |= self._binary_intervals() if self.binary else self._averaged_intervals()
        return present(found) | self._probabilities.intervals()

    def _binary_intervals(self) -> dict[str, Interval | None]:
        counts = class_counts(self._confusion).get(self.positive or "")
        if counts is None:
            return {}
        hits, predicted, labelled = counts.hits, counts.predicted, counts.labelled
        return {
            "precision": wilson(hits / predicted, predicted) if predicted else None,
            "recall": wilson(hits / labelled, labelled) if labelled else None,
            "f1": of_f1(hits, predicted + labelled - 2 * hits),
        }

    def _averaged_intervals(self) -> dict[str, Interval | None]:
        metrics = self.metrics()
        found: dict[str, Interval | None] = {}
        for name, error in averaged_errors(self._confusion).items():
            low, high = normal(metrics[name], error)
            found[name] = max(low, 0.0), min(high, 1.0)
        return found


def class_of(value: object) -> str | None:
    """The canonical class that a label or a prediction names, or None."""
    if not isinstance(value, (str, int, float)):
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else class_name(value)
