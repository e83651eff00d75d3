"""Standard errors of precision, recall and F1 averaged over classes: the delta method on the
confusion table.

Knows nothing of how the counts came about.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from monitor.statistics.confusion import FOLDED, ClassCounts, Confusion, class_counts

_NONE = ClassCounts(0, 0, 0)


def averaged_errors(confusion: Confusion) -> dict[str, float]:
    """The standard errors of `precision`, `recall` and `f1` as plain means over classes.

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
    first = dict.fromkeys(("precision", "recall", "f1"), 0.0)
    second = dict(first)
    for (label, guess), count in sorted(confusion.items()):
        of_label = counts.get(label, _NONE) if not label.startswith(FOLDED) else _NONE
        of_guess = counts.get(guess, _NONE) if not guess.startswith(FOLDED) else _NONE
        for name, by_count in _slopes(of_label, of_guess, label == guess):
            slope = by_count * rows / len(counts)
            first[name] += count / rows * slope
            second[name] += count / rows * slope * slope
    return {
        name: math.sqrt(max(second[name] - first[name] ** 2, 0.0) / rows)
        for name in first
        if len(counts) > 1
    }


def _slopes(
    of_label: ClassCounts,
    of_guess: ClassCounts,
    right: bool,  # noqa: FBT001 - the fact itself
) -> Iterator[tuple[str, float]]:
    """The derivative of each metric's sum over classes by one cell, in counts."""
    if of_guess.predicted:
        yield "precision", right / of_guess.predicted - of_guess.hits / of_guess.predicted**2
    if of_label.labelled:
        yield "recall", right / of_label.labelled - of_label.hits / of_label.labelled**2
    slope = 0.0
    for one in (of_label, of_guess):
        size = one.predicted + one.labelled
        if size:
            slope += right / size - 2.0 * one.hits / size**2
    yield "f1", slope
