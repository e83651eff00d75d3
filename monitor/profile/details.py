"""What a window holds beside its counts: names for people to read, and sketches that add up.

Bounded, whatever comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from monitor.profile import values as read
from monitor.profile.column import ColumnProfile
from monitor.profile.distinct import Distinct
from monitor.profile.grid import CategoryGrid
from monitor.profile.projection import Products
from monitor.profile.values import Values
from monitor.schema import PROBABILITY_PREFIX, Role

Codes = NDArray[np.int64]
Key = tuple[str, str]  # column, role

MAX_NAMES = 20  # of unseen categories of a column, and of unexpected columns
MOST_ROWS_NAMED = 1000  # rows of unseen categories that are read for names
MAX_SKETCHES = 200  # a kilobyte each


@dataclass(frozen=True, slots=True)
class Details:
    """By column and role: the first unseen categories, each once; rows of columns that the
    reference does not know; sketches of infrequent categories; and products of all features.

    >>> both = Details({("carrier", "feature"): ("XX",)}) + Details(
    ...     {("carrier", "feature"): ("YY", "XX"), ("dest", "feature"): ("ABC",)}
    ... )
    >>> both.unseen
    {('carrier', 'feature'): ('XX', 'YY'), ('dest', 'feature'): ('ABC',)}
    """

    unseen: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)
    unexpected: Mapping[Key, int] = field(default_factory=dict)
    infrequent: Mapping[Key, Distinct] = field(default_factory=dict)
    products: Products | None = None

    def __add__(self, other: Details) -> Details:
        return Details(
            _named(self.unseen, other.unseen),
            _added(self.unexpected, other.unexpected),
            _merged(self.infrequent, other.infrequent),
            self.products + other.products
            if self.products and other.products
            else self.products or other.products,
        )

    def with_products(self, products: Products | None) -> Details:
        """The same, with products of all features."""
        return replace(self, products=products) if products else self


def details_of(
    columns: Sequence[ColumnProfile],
    index: Mapping[Key, int],
    given: Mapping[Key, Values],
    codes: Mapping[int, Codes],
    left_out: frozenset[str] = frozenset(),
) -> Details:
    """What some rows hold besides what can be counted; features `left_out` are no news."""
    unseen: dict[Key, tuple[str, ...]] = {}
    infrequent: dict[Key, Distinct] = {}
    for i, found in codes.items():
        grid = columns[i].grid
        if not isinstance(grid, CategoryGrid):
            continue
        size = len(grid.categories)
        rows = np.flatnonzero((found == size) | (found == size + 1))
        if not len(rows) or (values := given.get(columns[i].column.key)) is None:
            continue
        names = [read.category(values[row]) for row in rows.tolist()]
        infrequent[columns[i].column.key] = Distinct.of(names)
        strange = (found[rows] == size + 1).tolist()
        first = [name for name, new in zip(names, strange, strict=True) if new]
        if first:
            unseen[columns[i].column.key] = tuple(dict.fromkeys(first[:MOST_ROWS_NAMED]))[
                :MAX_NAMES
            ]
    return Details(unseen, _unexpected(given, index, left_out), infrequent)


def _unexpected(
    given: Mapping[Key, Values], index: Mapping[Key, int], left_out: frozenset[str]
) -> dict[Key, int]:
    """Rows that hold something in columns that the reference does not know.

    A side of the model that the reference says nothing of (outputs, probabilities) is no news.
    """
    strange = [key for key in given if key not in index and not _known(key, left_out)]
    if not strange:
        return {}
    sides = set(map(_side, index))
    found: dict[Key, int] = {}
    for key in strange:
        if _side(key) in sides and len(found) < MAX_NAMES:
            values = given[key]
            held = len(values) - sum(1 for value in values if value is None)
            found |= {key: held} if held else {}
    return found


def _known(key: Key, left_out: frozenset[str]) -> bool:
    """Whether it is a feature left out; a vector may come laid out as `name[0]`, `name[1]`, …."""
    name, role = key
    return role == Role.FEATURE.value and (name in left_out or name.partition("[")[0] in left_out)


def _side(key: Key) -> tuple[str, bool]:
    name, role = key
    return role, role == Role.PREDICTION.value and name.startswith(PROBABILITY_PREFIX)


def _named(
    one: Mapping[Key, tuple[str, ...]], other: Mapping[Key, tuple[str, ...]]
) -> Mapping[Key, tuple[str, ...]]:
    if not one or not other:
        return one or other
    merged = dict(one)
    for key, names in other.items():
        merged[key] = tuple(dict.fromkeys((*merged.get(key, ()), *names)))[:MAX_NAMES]
    return merged


def _added(one: Mapping[Key, int], other: Mapping[Key, int]) -> Mapping[Key, int]:
    if not one or not other:
        return one or other
    merged = dict(one)
    for key, rows in other.items():
        merged[key] = merged.get(key, 0) + rows
    if len(merged) <= MAX_NAMES:
        return merged
    most = sorted(merged, key=lambda key: (-merged[key], key))[:MAX_NAMES]
    return {key: merged[key] for key in most}


def _merged(one: Mapping[Key, Distinct], other: Mapping[Key, Distinct]) -> Mapping[Key, Distinct]:
    if not one or not other:
        return one or other
    merged = dict(one)
    for key, sketch in other.items():
        if key in merged:
            merged[key] = merged[key] + sketch
        elif len(merged) < MAX_SKETCHES:
            merged[key] = sketch
    return merged
