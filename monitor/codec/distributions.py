"""Class probabilities recognised by their shape: a number in [0, 1] a class, adding up to one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

from monitor.codec.columns import Columns

SUM_TOLERANCE = 0.01  # servers round: 100 classes at 4 decimals are off by up to 0.005
MAX_VALUES = (
    1_000_000  # classes x rows: objects with a class of their own each would ask for a square
)

_NUMBERS = frozenset({float, int})


def is_named_distribution(value: object) -> bool:
    """Whether an object maps two classes or more to their probabilities.

    >>> is_named_distribution({"cat": 0.75, "dog": 0.25})
    True
    >>> is_named_distribution({"age": 1, "score": 0})
    False
    """
    return (
        type(value) is dict
        and _adds_up(list(value.values()))
        and float in map(type, value.values())
    )


def by_class(values: Sequence[Any], names: Sequence[str] | None = None) -> Columns | None:
    """A column of probabilities a class from a vector or mapping a row; None where they are none.

    Unnamed classes are "0", "1", …. Rows whose numbers are missing or not finite have None in every
    class; at least one row must be whole, and one number a float: rows of whole numbers are labels
    (multi-label, one-hot).

    >>> by_class([[0.25, 0.75], [1.0, 0.0]])
    {'0': (0.25, 1.0), '1': (0.75, 0.0)}
    """
    if any(type(value) is dict for value in values):
        return _by_name(values)
    vectors = [value for value in values if value is not None]
    if not vectors or any(type(vector) is not list for vector in vectors):
        return None
    width = len(vectors[0])
    if width < 2 or any(len(vector) != width for vector in vectors):
        return None
    labels = names if names is not None and len(names) == width else list(map(str, range(width)))
    floats = {float}.issuperset(map(type, chain.from_iterable(vectors)))
    if floats and len(vectors) == len(values) and _all_add_up(vectors):
        return dict(zip(labels, zip(*vectors, strict=True), strict=True))
    return _by_index(values, labels)


def _by_index(values: Sequence[Any], labels: Sequence[str]) -> Columns | None:
    whole = [not _is_broken(value) for value in values]
    used = [value for value, is_whole in zip(values, whole, strict=True) if is_whole]
    if not used or not all(map(_adds_up, used)) or not any(float in map(type, one) for one in used):
        return None
    return {
        label: [
            value[index] if is_whole else None
            for value, is_whole in zip(values, whole, strict=True)
        ]
        for index, label in enumerate(labels)
    }


def _by_name(values: Sequence[Any]) -> Columns | None:
    mappings = [value for value in values if value is not None]
    if not all(map(is_named_distribution, mappings)):
        return None
    names = dict.fromkeys(name for mapping in mappings for name in mapping)
    if len(names) * len(values) > MAX_VALUES:
        return None
    # A class that a row leaves out (top-k answers) is unknown there, not impossible.
    return {name: [(value or {}).get(name) for value in values] for name in names}


def most_likely(probabilities: Columns) -> list[str | None]:
    """The likeliest class of each row, the first of equals; None where none is known.

    >>> most_likely({"0": [0.25, None], "1": [0.75, None]})
    ['1', None]
    """
    if not probabilities:
        return []
    classes = list(probabilities)
    chosen: list[str | None] = []
    for row in zip(*probabilities.values(), strict=True):
        if None not in row:
            chosen.append(classes[row.index(max(row))])
            continue
        known = [value for value in row if value is not None]
        chosen.append(classes[row.index(max(known))] if known else None)
    return chosen


def _is_broken(value: list[Any] | None) -> bool:
    return value is None or any(
        one is None or (type(one) is float and not math.isfinite(one)) for one in value
    )


def _all_add_up(vectors: Sequence[list[float]]) -> bool:
    """`_adds_up` for vectors of floats only, in passes that Python does not interpret."""
    sums = list(map(sum, vectors))
    if not all(map(math.isfinite, sums)):  # min and max say nothing where there are NaNs
        return False
    if min(sums) < 1 - SUM_TOLERANCE or max(sums) > 1 + SUM_TOLERANCE:
        return False
    return min(map(min, vectors)) >= 0 and max(map(max, vectors)) <= 1


def _adds_up(numbers: Sequence[float]) -> bool:
    if len(numbers) < 2 or not _NUMBERS.issuperset(map(type, numbers)):
        return False
    inside = min(numbers) >= 0 and max(numbers) <= 1
    return inside and 1 - SUM_TOLERANCE <= sum(numbers) <= 1 + SUM_TOLERANCE
