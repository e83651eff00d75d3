"""The cells of a column: which value falls where, and how cells merge into the published bins.

A grid is fixed by the reference and never changes; knows nothing of windows or of other columns.
Every grid ends with two cells that every kind has: `missing` and `invalid`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from monitor.profile import values as read

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

MISSING = "missing"
INVALID = "invalid"
OTHER = "other"
UNSEEN = "unseen"
PRESENT = "present"
RESERVED = frozenset({MISSING, INVALID, OTHER, UNSEEN})


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class NumericGrid:
    """Ordered cells between edges: (−∞, e₀), [e₀, e₁), …, [eₙ, ∞), then missing and invalid.

    `positions` are the edges drawn in to the fences, where the Wasserstein distance takes them to
    be, and `scale` is its unit: so a value of any size, in the reference or after it, moves the
    distance by a bounded step.
    """

    edges: Floats
    bin_of_cell: Codes
    bins: tuple[str, ...]
    inside: tuple[int, int]  # cells start:stop lie within the reference's range
    fences: tuple[float, float]
    scale: float
    centre: float

    @property
    def value_cells(self) -> int:
        """Cells that hold values: all but missing and invalid."""
        return len(self.edges) + 1

    @property
    def positions(self) -> Floats:
        """Where each edge stands for the Wasserstein distance."""
        return np.clip(self.edges, *self.fences)

    @property
    def outside(self) -> NDArray[np.bool_]:
        """Which value cells lie beyond the reference's range."""
        cells = np.arange(self.value_cells)
        return (cells < self.inside[0]) | (cells >= self.inside[1])


@dataclass(frozen=True, slots=True, eq=False)
class CategoryGrid:
    """A cell for each frequent category, then other, unseen, missing and invalid.

    `other`: in the reference, but not frequent. `unseen`: not in the reference. `known` remembers
    the infrequent ones, up to a bound; what is beyond the bound counts as unseen, in the reference
    as after it.
    """

    categories: tuple[str, ...]
    known: tuple[str, ...] = ()
    lookup: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        size = len(self.categories)
        cells = dict.fromkeys(self.known, size)
        cells |= {name: cell for cell, name in enumerate(self.categories)}
        cells |= {"": size + 2, read.MISSING: size + 2, read.INVALID: size + 3}
        object.__setattr__(self, "lookup", cells)

    @property
    def bins(self) -> tuple[str, ...]:
        """Published names: a category that is called like a reserved bin stands in quotes."""
        names = (f"'{c}'" if c.strip("'") in RESERVED else c for c in self.categories)
        return (*names, OTHER, UNSEEN, MISSING, INVALID)

    @property
    def bin_of_cell(self) -> Codes:
        """Each cell is a bin of its own."""
        return np.arange(len(self.categories) + 4)

    @property
    def value_cells(self) -> int:
        """Cells that hold values: all but missing and invalid."""
        return len(self.categories) + 2

    @property
    def outside(self) -> NDArray[np.bool_]:
        """Only `unseen` is beyond the reference."""
        beyond = np.zeros(self.value_cells, dtype=np.bool_)
        beyond[-1] = True
        return beyond

    def codes(self, values: read.Values) -> Codes:
        """The cell of each value."""
        if isinstance(values, np.ndarray):
            distinct_values, index = np.unique(values, return_inverse=True)
            values = read.Coded(index, distinct_values.tolist())
        if isinstance(values, read.Coded):
            distinct = self.codes(list(values.values))
            return np.append(distinct, len(self.categories) + 2)[values.codes]
        lookup, unseen = self.lookup, len(self.categories) + 1
        if set(map(type, values)) <= {str}:
            found = [lookup.get(value, -1) for value in cast("Sequence[str]", values)]
            codes = np.array(found, dtype=np.int64)
            for row in np.flatnonzero(codes < 0).tolist():
                codes[row] = lookup.get(read.category(values[row]), unseen)
            return codes
        named = map(read.category, values)
        return np.array([lookup.get(name, unseen) for name in named], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class BooleanGrid:
    """Four cells: false, true, missing, invalid."""

    bins: tuple[str, ...] = ("false", "true", MISSING, INVALID)
    value_cells: int = 2

    @property
    def bin_of_cell(self) -> Codes:
        """Each cell is a bin of its own."""
        return np.arange(4)

    @property
    def outside(self) -> NDArray[np.bool_]:
        """There is no third value."""
        return np.zeros(2, dtype=np.bool_)

    def codes(self, values: read.Values) -> Codes:
        """The cell of each value."""
        if isinstance(values, read.Coded):
            return np.append(self.codes(list(values.values)), 2)[values.codes]
        if set(map(type, values)) <= {bool}:
            return np.array(values, dtype=np.int64)
        cells: dict[object, int] = {False: 0, True: 1, None: 2, read.INVALID: 3}
        return np.array([cells[read.boolean(value)] for value in values], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class PresenceGrid:
    """Three cells: a value of whatever kind, missing, invalid."""

    bins: tuple[str, ...] = (PRESENT, MISSING, INVALID)
    value_cells: int = 1

    @property
    def bin_of_cell(self) -> Codes:
        """Each cell is a bin of its own."""
        return np.arange(3)

    @property
    def outside(self) -> NDArray[np.bool_]:
        """No value is beyond the reference."""
        return np.zeros(1, dtype=np.bool_)


Grid = NumericGrid | CategoryGrid | BooleanGrid | PresenceGrid
