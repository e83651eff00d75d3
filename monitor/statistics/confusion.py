"""Classification metrics as functions of a confusion table: pairs of (label, prediction) and their
counts.

Knows nothing of how the counts came about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Confusion = Mapping[tuple[str, str], int]
FOLDED = "\x00"  # names that start so stand for many classes at once, and are no class of their own


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """One class against all others, in rows."""

    hits: int  # it was this class, and was predicted so
    predicted: int
    labelled: int

    def metrics(self) -> dict[str, float]:
        """precision = hits/predicted, recall = hits/labelled, f1 = 2·hits/(predicted + labelled);
        each where defined.
        """
        parts = {
            "precision": (self.hits, self.predicted),
            "recall": (self.hits, self.labelled),
            "f1": (2 * self.hits, self.predicted + self.labelled),
        }
        return {name: above / below for name, (above, below) in parts.items() if below > 0}


def class_counts(confusion: Confusion) -> dict[str, ClassCounts]:
    """Every class that is a label or a prediction of some row, in sorted order."""
    predicted: dict[str, int] = {}
    labelled: dict[str, int] = {}
    for (label, prediction), count in confusion.items():
        if count:
            labelled[label] = labelled.get(label, 0) + count
            predicted[prediction] = predicted.get(prediction, 0) + count
    return {
        name: ClassCounts(
            confusion.get((name, name), 0), predicted.get(name, 0), labelled.get(name, 0)
        )
        for name in sorted(labelled.keys() | predicted.keys())
        if not name.startswith(FOLDED)
    }


def accuracy(confusion: Confusion) -> dict[str, float]:
    """The share of rows predicted right; nothing without rows.

    >>> accuracy({("cat", "cat"): 3, ("cat", "dog"): 1})
    {'accuracy': 0.75}
    """
    rows = sum(confusion.values())
    if rows <= 0:
        return {}
    return {"accuracy": sum(n for (label, guess), n in confusion.items() if label == guess) / rows}


def binary_metrics(confusion: Confusion, positive: str | None) -> dict[str, float]:
    """precision, recall and f1 of the positive class; a metric without rows to speak of is absent.

    >>> binary_metrics({("1", "1"): 6, ("0", "1"): 2, ("1", "0"): 4, ("0", "0"): 8}, "1")
    {'precision': 0.75, 'recall': 0.6, 'f1': 0.6666666666666666}
    """
    counts = class_counts(confusion)
    return counts[positive].metrics() if positive in counts else {}


def macro_metrics(confusion: Confusion) -> dict[str, float]:
    """The plain mean over classes of precision, recall and f1.

    A class that was never predicted has precision 0 here, one that never was the label recall 0, as
    with scikit-learn's `zero_division=0`: leaving it out would reward a model for never naming it.
    """
    counts = class_counts(confusion).values()
    return {
        name: sum(one.metrics().get(name, 0.0) for one in counts) / len(counts)
        for name in ("precision", "recall", "f1")
        if counts
    }


def weighted_metrics(confusion: Confusion) -> dict[str, float]:
    """precision and f1 averaged over classes by their labels, each 0 where not defined; recall so
    averaged is accuracy.

    >>> weighted_metrics({("cat", "cat"): 3, ("cat", "dog"): 1})["precision_weighted"]
    1.0
    """
    counts = class_counts(confusion).values()
    rows = sum(one.labelled for one in counts)
    return {
        f"{name}_weighted": sum(one.labelled * one.metrics().get(name, 0.0) for one in counts)
        / rows
        for name in ("precision", "recall", "f1")
        if rows
    }


def metrics_by_class(confusion: Confusion) -> dict[str, dict[str, float]]:
    """Metric → class → value, where defined."""
    found: dict[str, dict[str, float]] = {}
    for name, counts in class_counts(confusion).items():
        for metric, value in counts.metrics().items():
            found.setdefault(metric, {})[name] = value
    return found
