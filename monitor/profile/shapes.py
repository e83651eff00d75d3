"""The same vector in two shapes: whole under one name, or laid out as `name[0]`, `name[1]`, ….

A codec cannot know which of them the reference has; here each is turned into the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from monitor.profile.column import ColumnProfile
from monitor.profile.derived.vectors import VectorParts
from monitor.profile.values import Values

Key = tuple[str, str]  # a column's name and role

_VECTORS = (list, tuple, np.ndarray)


def reshape(
    given: dict[Key, Values], columns: Sequence[ColumnProfile], index: Mapping[Key, int]
) -> None:
    """Turns those vectors of `given` that the reference has in the other shape."""
    for profile in columns:
        name, role = profile.column.key
        if isinstance(profile.derivation, VectorParts) and (name, role) not in given:
            parts = [(f"{name}[{i}]", role) for i in range(len(profile.derivation.centre))]
            if all(part in given for part in parts):
                given[name, role] = list(zip(*(given.pop(part) for part in parts), strict=True))
    for name, role in [key for key in given if key not in index]:
        if (f"{name}[0]", role) in index:
            given |= _laid_out(name, role, given[name, role])
            del given[name, role]


def _laid_out(name: str, role: str, values: Values) -> dict[Key, Values]:
    vectors = [value if isinstance(value, _VECTORS) else () for value in values]
    width = max(map(len, vectors), default=0)
    return {
        (f"{name}[{i}]", role): [vector[i] if i < len(vector) else None for vector in vectors]
        for i in range(width)
    }
