"""The first look at a column of the reference: what kind it is, its range, a sample, its
categories.

Bounded: a uniform sample of 100,000 numbers (all of them where there are fewer) and both extremes,
and at most 100,000 categories. Only the choice of cells rests on the sample; what is in the cells
is counted over all rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from monitor.profile import values as read
from monitor.profile.derived.moments import moment
from monitor.profile.distinct import Distinct
from monitor.profile.expectation import HALF
from monitor.profile.values import Values
from monitor.schema import Kind

Floats = NDArray[np.float64]

SAMPLE_ROWS = 100_000
MAX_TRACKED_CATEGORIES = 100_000

MAX_TEXTS_LOOKED_AT = 5000
LEAST_TEXTS = 100  # rows; fewer are names
MOMENTS_SHARE = 0.95
FREE_TEXT_DISTINCT = 0.5  # of rows
FREE_TEXT_CHARACTERS = 16.0  # a text, on average

_VECTORS = frozenset({list, tuple, np.ndarray})
_NUMBERS = frozenset({int, float, type(None)})
_TRUTHS = frozenset({"true", "false"})
_NO_CATEGORY = frozenset({read.MISSING, read.INVALID})


class Survey:
    """What has been seen of one column so far; `track_numbers` counts numbers as categories too."""

    def __init__(self, *, track_numbers: bool = False) -> None:
        self.numbers = 0  # finite ones
        self.booleans = 0
        self.texts = 0  # and whatever else stands for a name
        self.integer = True
        self.minimum = np.inf
        self.maximum = -np.inf
        self.categories: Counter[str] = Counter()
        self.half: Counter[str] = Counter()  # of a random half of the rows
        self._forgotten = Distinct()  # every category there was when some were forgotten
        self.widths: Counter[int] = Counter()  # of lists
        self._distinct_texts = _Texts()
        self._track_numbers = track_numbers
        self._truths_only = True
        self._keys = np.zeros(0)
        self._sample = np.zeros(0)

    def look(self, column: Values, keys: Floats) -> None:
        """Takes in some rows; `keys[rows]` are uniform random, and the rows of the smallest are
        sampled."""
        if not isinstance(column, (np.ndarray, read.Coded)) and _VECTORS & set(map(type, column)):
            self.widths.update(len(v) for v in column if isinstance(v, (list, tuple, np.ndarray)))
        numbers, _ = read.numbers(column)
        finite = np.isfinite(numbers)
        self._look_at_numbers(numbers[finite], keys[finite])
        booleans = 0
        chosen = keys < HALF
        for value, counts in _distinct(column, chosen, with_numbers=self._track_numbers):
            name, count = read.category(value), sum(counts)
            if name in _NO_CATEGORY:
                continue
            self.categories[name] += count
            self.half[name] += counts[1]
            if isinstance(value, (bool, np.bool_)):
                booleans += count
            elif read.number(value) is None:
                self.texts += count
                self._distinct_texts.look(value)
                self._truths_only = self._truths_only and name.lower() in _TRUTHS
        self.booleans += booleans
        self.numbers += int(finite.sum()) - booleans
        if len(self.categories) > 2 * MAX_TRACKED_CATEGORIES:
            self._forgotten += Distinct.of(self.categories)
            self.categories = Counter(dict(self.categories.most_common(MAX_TRACKED_CATEGORIES)))
            self.half = Counter({name: self.half[name] for name in self.categories})

    def _look_at_numbers(self, numbers: Floats, keys: Floats) -> None:
        if not len(numbers):
            return
        self.minimum = min(self.minimum, float(numbers.min()))
        self.maximum = max(self.maximum, float(numbers.max()))
        self.integer = self.integer and bool((numbers == np.floor(numbers)).all())
        self._keys = np.concatenate([self._keys, keys])
        self._sample = np.concatenate([self._sample, numbers])
        if len(self._keys) > SAMPLE_ROWS:
            kept = np.argpartition(self._keys, SAMPLE_ROWS)[:SAMPLE_ROWS]
            self._keys, self._sample = self._keys[kept], self._sample[kept]

    @property
    def kind(self) -> Kind:
        """What most values are; a column that holds none is categorical without categories."""
        if self.widths.total() > self.texts + self.numbers + self.booleans and self.width > 1:
            return Kind.VECTOR
        if self.texts and self._truths_only and not self.numbers:
            return Kind.BOOLEAN
        if self.texts >= self.numbers + self.booleans:
            return self._distinct_texts.kind(self.categories.total(), len(self.categories))
        return Kind.NUMERIC if self.numbers else Kind.BOOLEAN

    @property
    def distinct(self) -> int:
        """How many categories there were; about, beyond 100,000."""
        if not self._forgotten.registers.any():
            return len(self.categories)
        return round((self._forgotten + Distinct.of(self.categories)).estimate)

    @property
    def width(self) -> int:
        """The width that most lists have."""
        return self.widths.most_common(1)[0][0] if self.widths else 0

    @property
    def sample(self) -> Floats:
        """The sampled numbers, and both extremes where they were not sampled."""
        if self.minimum > self.maximum:
            return self._sample
        ends = np.array([self.minimum, self.maximum])
        return np.concatenate([self._sample, ends[~np.isin(ends, self._sample)]])


class _Texts:
    """What the texts of a column look like, each counted once a batch."""

    def __init__(self) -> None:
        self._looked_at = 0
        self._moments = 0
        self._characters = 0

    def look(self, value: object) -> None:
        """Takes in one text."""
        if self._looked_at < MAX_TEXTS_LOOKED_AT:
            text = value if isinstance(value, str) else str(value)
            self._looked_at += 1
            self._characters += len(text)
            self._moments += moment(text) == moment(text)  # NaN is unequal

    def kind(self, rows: int, distinct: int) -> Kind:
        """Moments, free text, or names that come again."""
        looked_at = self._looked_at
        if rows >= LEAST_TEXTS and self._moments >= MOMENTS_SHARE * looked_at:
            return Kind.DATETIME
        long = self._characters >= FREE_TEXT_CHARACTERS * looked_at
        if rows >= LEAST_TEXTS and long and distinct >= FREE_TEXT_DISTINCT * rows:
            return Kind.TEXT
        return Kind.CATEGORICAL


def _distinct(
    column: Values, chosen: NDArray[np.bool_], *, with_numbers: bool
) -> Iterator[tuple[object, tuple[int, int]]]:
    """Values that may be categories, with how often they come in rows not chosen and in chosen
    ones.

    Plain numbers only where asked for.
    """
    if isinstance(column, np.ndarray):
        if not with_numbers:
            return
        values, index = np.unique(column, return_inverse=True)
        column = read.Coded(index, values.tolist())
    if isinstance(column, read.Coded):
        held = column.codes >= 0
        places = 2 * column.codes[held] + chosen[held]
        pairs = np.bincount(places, minlength=2 * len(column.values)).reshape(-1, 2).tolist()
        for value, (one, other) in zip(column.values, pairs, strict=True):
            if one or other:  # a file's dictionary may name categories that no row holds
                yield value, (one, other)
    elif with_numbers or not set(map(type, column)) <= _NUMBERS:
        found: dict[tuple[type, object], list[int]] = {}
        for value, half in zip(column, chosen.tolist(), strict=True):
            try:
                # By type as well: true and 1 are equal, and one key.
                found.setdefault((type(value), value), [0, 0])[half] += 1
            except TypeError:
                continue  # a list or a mapping has no hash, and is no category
        yield from ((value, (a, b)) for (_, value), (a, b) in found.items())
