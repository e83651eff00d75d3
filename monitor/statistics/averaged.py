"""Standard errors of precision, recall and F1 averaged over classes, plainly or by their labels:
the delta method on the confusion table.

Knows nothing of how the counts came about.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from monitor.statistics.confusion import (
    FOLDED,
    ClassCounts,
    Confusion,
    class_counts,
    weighted_metrics,
)

_NONE = ClassCounts(0, 0, 0)
_METRICS = tuple(
    f"{name}{way}" for name in ("precision", "recall", "f1") for way in ("", "_weighted")
)


def averaged_errors(confusion: Confusion) -> dict[str, float]:
    """The standard errors of `precision`, `recall` and `f1` as plain means over classes, and of
    `precision_weighted`, … as means by the classes' labels.

    The shares p of the cells (label, prediction) of n rows are multinomial. For a smooth function g
    of them the variance is (Σ p·g′² − (Σ p·g′)²) / n, g′ being its derivative by each cell.

    Source: Takahashi, Yamamoto, Kuchiba & Koyama (2022), "Confidence interval for micro-averaged F1
    and macro-averaged F1 scores".

    >>> errors = averaged_errors({("a", "a"): 40, ("a", "b"): 10, ("b", "a"): 5, ("b", "b"): 45})
    >>> round(errors["recall"], 4)  # ½√(.8·.2/50 + .9·.1/50), and a little for the classes' shares
    0.0354
    """
    rows = sum(confusion.values())
    if rows <= 0:
        return {}
    counts = class_counts(confusion)
    if len(counts) < 2:
        return {}
    weighted = weighted_metrics(confusion)
    labelled = sum(one.labelled for one in counts.values())
    first: dict[str, float] = {}
    second: dict[str, float] = {}
    for (label, guess), count in sorted(confusion.items()):
        of_label = counts.get(label, _NONE) if not label.startswith(FOLDED) else _NONE
        of_guess = counts.get(guess, _NONE) if not guess.startswith(FOLDED) else _NONE
        slopes = dict.fromkeys(_METRICS, 0.0)
        for name, one, slope in _slopes(of_label, of_guess, label == guess):
            slopes[name] += slope / len(counts)
            slopes[f"{name}_weighted"] += slope * one.labelled / max(labelled, 1)
        if of_label is not _NONE:  # a label more is more weight of its class
            for name, value in weighted.items():
                own = of_label.metrics().get(name.removesuffix("_weighted"), 0.0)
                slopes[name] += (own - value) / labelled
        for name, by_count in slopes.items():
            slope = by_count * rows
            first[name] = first.get(name, 0.0) + count / rows * slope
            second[name] = second.get(name, 0.0) + count / rows * slope * slope
    kept = first.keys() if labelled else first.keys() - weighted.keys()
    return {name: math.sqrt(max(second[name] - first[name] ** 2, 0.0) / rows) for name in kept}


def _slopes(
    of_label: ClassCounts,
    of_guess: ClassCounts,
    right: bool,  # noqa: FBT001 - the fact itself
) -> Iterator[tuple[str, ClassCounts, float]]:
    """The derivative of a class's metrics by one cell, in counts: the label's and the guess's."""
    if of_guess.predicted:
        slope = right / of_guess.predicted - of_guess.hits / of_guess.predicted**2
        yield "precision", of_guess, slope
    if of_label.labelled:
        slope = right / of_label.labelled - of_label.hits / of_label.labelled**2
        yield "recall", of_label, slope
    for one in (of_label, of_guess):
        size = one.predicted + one.labelled
        if size:
            yield "f1", one, right / size - 2.0 * one.hits / size**2
