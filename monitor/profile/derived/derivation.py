"""What every derivation is: fixed by the reference, applied to a column's rows before counting.

Values that are not one number or one name cannot be counted over cells. What can be counted of
them (a length, an hour, a projection) becomes columns of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.profile.values import Coded, Values
from monitor.schema import Kind

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

PRESENT, MISSING, INVALID = range(3)  # the cells of a `PresenceGrid`


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """One column's rows: each one's state, and what was derived, NaN where there is no value."""

    states: Codes
    parts: Mapping[str, Values]


class Derivation(Protocol):
    """How a column of one kind is taken apart."""

    @property
    def kind(self) -> Kind:
        """The kind of the column itself."""
        ...

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of what is derived."""
        ...

    def derive(self, values: Values, at: Floats | None) -> Derived:
        """The parts of some rows, which came at the times `at` (Unix seconds), if that is known."""
        ...

    def document(self) -> Mapping[str, Any]:
        """What the reference's file keeps of it."""
        ...


def is_missing(value: object) -> bool:
    """None and NaN."""
    return value is None or (isinstance(value, float) and isnan(value))


def each(
    values: Values, read: Callable[[object], tuple[float, ...]], width: int
) -> NDArray[np.float64]:
    """`read` of every value as a table `[width, rows]`; of repeated values once."""
    if isinstance(values, Coded):
        distinct = each(list(values.values), read, width)
        none = np.full((width, 1), np.nan)
        none[0] = MISSING
        taken: Floats = np.concatenate([distinct, none], axis=1)[:, values.codes]
        return taken
    plain: Sequence[object] = values.tolist() if isinstance(values, np.ndarray) else values
    table = np.array([read(value) for value in plain], dtype=np.float64)
    return table.reshape(len(plain), width).T
