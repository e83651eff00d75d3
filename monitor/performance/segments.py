"""Which values of the configured columns are segments of their own, and which are "other".

Knows nothing of what is counted by segment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from monitor.profile.grid import CategoryGrid
from monitor.profile.reference import Reference
from monitor.profile.values import INVALID, MISSING, Values, category
from monitor.schema import Role

OTHER = "other"


class Segment(NamedTuple):
    """One column's value; `name` is how it is written everywhere."""

    column: str
    value: str

    @property
    def name(self) -> str:
        """The label's value.

        >>> Segment("carrier", "AA").name
        'carrier=AA'
        """
        return f"{self.column}={self.value}"


class Segments:
    """The first `limit` values of each column: those most frequent in the reference, then as they
    come; all further ones are together.

    >>> segments = Segments(("carrier",), limit=1)
    >>> [segments.of({"carrier": value}) for value in ("AA", "UA")]
    [(Segment(column='carrier', value='AA'),), (Segment(column='carrier', value='other'),)]
    """

    def __init__(self, columns: Sequence[str], limit: int) -> None:
        self.columns = tuple(columns)
        self._limit = limit
        self._known: dict[str, set[str]] = {column: set() for column in columns}

    def __bool__(self) -> bool:
        return bool(self.columns)

    def to_document(self) -> dict[str, list[str]]:
        """Which values have their own place, as JSON can hold it."""
        return {column: sorted(values) for column, values in self._known.items()}

    def restore(self, document: Mapping[str, Sequence[str]]) -> None:
        """Give the values their place that had it in an earlier process."""
        for column in self.columns:
            self._known[column].update(str(value) for value in document[column])

    @property
    def known(self) -> frozenset[Segment]:
        """Those that have their own place by now."""
        return frozenset(
            Segment(column, value) for column, values in self._known.items() for value in values
        )

    def adopt(self, reference: Reference) -> None:
        """Give the reference's most frequent values their place, as far as there is room."""
        for one in reference.segments:
            if one.column in self._known:
                self._place(one.column, one.value)
        for column in self.columns:
            index = reference.layout.index.get((column, Role.FEATURE.value))
            grid = reference.layout.columns[index].grid if index is not None else None
            if isinstance(grid, CategoryGrid):
                for value in grid.categories:
                    self._place(column, value)

    def of(self, values: Mapping[str, str]) -> tuple[Segment, ...]:
        """The segments of a row with these values; a column without a value has none."""
        return tuple(
            Segment(column, self._place(column, values[column]))
            for column in self.columns
            if column in values
        )

    def codes(self, column: str, values: Values) -> list[str | None]:
        """Each row's value as a segment's, None where it is missing or invalid."""
        texts = [category(value) for value in values]
        placed: dict[str, str | None] = {MISSING: None, INVALID: None}
        for text in Counter(texts):
            if text not in placed:
                placed[text] = self._place(column, text)
        return [placed[text] for text in texts]

    def _place(self, column: str, value: str) -> str:
        known = self._known[column]
        if value not in known:
            if len(known) >= self._limit:
                return OTHER
            known.add(value)
        return value
