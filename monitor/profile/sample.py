"""Some rows of the reference, chosen at random and kept side by side: what is derived of columns is
fitted to them.

Bounded: 20,000 rows, and four million values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.profile.shapes import Key
from monitor.profile.values import Coded, Values

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

MAX_ROWS = 20_000
MAX_VALUES = 4_000_000

_VECTORS = (list, tuple, np.ndarray)


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """Rows in column form, in the order in which they came."""

    columns: Mapping[Key, Values]
    at: Floats | None
    keys: Floats  # uniform random; the smallest of all

    def __len__(self) -> int:
        return len(self.keys)

    def halves(self) -> tuple[Sampled, Sampled]:
        """Two parts of the rows, at random: what was fitted to one is judged by the other."""
        order = np.argsort(self.keys, kind="stable")
        return self.take(np.sort(order[::2])), self.take(np.sort(order[1::2]))

    def take(self, rows: Rows) -> Sampled:
        """Some of the rows."""
        columns = {key: _take(values, rows) for key, values in self.columns.items()}
        return Sampled(columns, None if self.at is None else self.at[rows], self.keys[rows])


class Sample:
    """Takes in rows, and keeps those whose random keys are smallest."""

    def __init__(self) -> None:
        self._held: Sampled | None = None
        self._parts: list[Sampled] = []
        self._rows = 0
        self._limit = np.inf
        self._most = MAX_ROWS

    def look(self, columns: Mapping[Key, Values], at: Floats | None, keys: Floats) -> None:
        """Takes in some rows, `keys[rows]` of which are uniform random."""
        if not self._parts and self._held is None:
            width = sum(map(_width, columns.values()))
            self._most = max(min(MAX_ROWS, MAX_VALUES // max(width, 1)), 1)
        rows = np.flatnonzero(keys < self._limit)
        if len(rows):
            self._parts.append(Sampled(columns, at, keys).take(rows))
            self._rows += len(rows)
        if self._rows > 2 * self._most:
            self._prune()

    @property
    def rows(self) -> Sampled:
        """The rows kept."""
        self._prune()
        return self._held or Sampled({}, None, np.zeros(0))

    def _prune(self) -> None:
        parts = [*([self._held] if self._held else []), *self._parts]
        if not parts:
            return
        held = parts[0] if len(parts) == 1 else _joined(parts)
        if len(held) > self._most:
            held = held.take(np.sort(np.argpartition(held.keys, self._most)[: self._most]))
            self._limit = float(held.keys.max())
        self._held, self._parts, self._rows = held, [], len(held)


def _take(values: Values, rows: Rows) -> Values:
    if isinstance(values, np.ndarray):
        taken: Values = values[rows]
        return taken
    if isinstance(values, Coded):
        return [values[row] for row in rows.tolist()]
    return values if len(rows) == len(values) else [values[row] for row in rows.tolist()]


def _width(values: Values) -> int:
    """How many numbers one of them holds."""
    first = next((value for value in values if value is not None), None)
    return len(first) if isinstance(first, _VECTORS) else 1


def _joined(parts: list[Sampled]) -> Sampled:
    names = dict.fromkeys(key for part in parts for key in part.columns)
    columns: dict[Key, Values] = {}
    for key in names:
        found = [part.columns.get(key, [None] * len(part)) for part in parts]
        arrays = [values for values in found if isinstance(values, np.ndarray)]
        if len(arrays) == len(found):
            columns[key] = np.concatenate(arrays)
        else:
            columns[key] = [value for values in found for value in values]
    times = [part.at for part in parts if part.at is not None]
    at = np.concatenate(times) if len(times) == len(parts) else None
    return Sampled(columns, at, np.concatenate([part.keys for part in parts]))
