"""Names of categories that the reference does not hold: a few of them, for people to read.

Two of these add up, so that a window can hold them as it holds counts. Bounded, whatever comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_NAMES = 20  # of each column

Key = tuple[str, str]  # column, role


@dataclass(frozen=True, slots=True)
class UnseenNames:
    """By column and role: the first names that came, each once.

    >>> both = UnseenNames({("carrier", "feature"): ("XX",)}) + UnseenNames(
    ...     {("carrier", "feature"): ("YY", "XX"), ("dest", "feature"): ("ABC",)}
    ... )
    >>> both.names
    {('carrier', 'feature'): ('XX', 'YY'), ('dest', 'feature'): ('ABC',)}
    """

    names: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)

    def __add__(self, other: UnseenNames) -> UnseenNames:
        if not other.names or not self.names:
            return self if self.names else other
        merged = dict(self.names)
        for key, names in other.names.items():
            merged[key] = tuple(dict.fromkeys((*merged.get(key, ()), *names)))[:MAX_NAMES]
        return UnseenNames(merged)
