"""A segment's own reference: the counts of its rows, in the cells of the whole reference.

Knows nothing of files but the JSON form of a segment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import numpy as np
from pydantic import Field

from monitor.profile.counts import Counts
from monitor.profile.document import Count, Name, Number, Part
from monitor.profile.layout import Layout
from monitor.profile.values import INVALID, MISSING, Coded, Values, category

MOST_VALUES = 50  # segments that are kept of one column, the most frequent ones

Named = Mapping[str, Values]


class LiveRows(Protocol):
    """Some rows in column form, by side of the model."""

    @property
    def features(self) -> Named:
        """What went in."""
        ...

    @property
    def outputs(self) -> Named:
        """What came out."""
        ...

    @property
    def probabilities(self) -> Named:
        """Class → probability."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SegmentCounts:
    """The rows of one value of one column."""

    column: str
    value: str
    counts: Counts


class SegmentDocument(Part):
    """The same in a file."""

    column: Name
    value: Name
    rows: Annotated[int, Field(ge=0, le=1 << 53)]
    cells: list[Count]
    moments: list[tuple[Number, Number, Number]]

    def counts(self) -> SegmentCounts:
        """As the rest of the house knows it."""
        moments = np.array(self.moments, dtype=np.float64).reshape(len(self.moments), 3)
        cells = np.array(self.cells, dtype=np.int64)
        return SegmentCounts(self.column, self.value, Counts(self.rows, cells, moments))


def render_segments(segments: Sequence[SegmentCounts]) -> dict[str, Any]:
    """The key `segments`, where there are any."""
    if not segments:
        return {}
    return {
        "segments": [
            {
                "column": one.column,
                "value": one.value,
                "rows": one.counts.rows,
                "cells": one.counts.cells.tolist(),
                "moments": one.counts.moments.tolist(),
            }
            for one in segments
        ]
    }


def render_spread(chunk_rows: int, spread: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """The keys that tell how a metric varies over the reference's chunks, where there are any."""
    if not chunk_rows:
        return {}
    pairs = {name: [float(value) for value in pair] for name, pair in spread.items()}
    return {"chunk_rows": chunk_rows, "spread": pairs}


def segment_fault(layout: Layout, segments: Sequence[SegmentCounts]) -> str | None:
    """What is wrong with the segments of a file, or None."""
    for one in segments:
        where = f"segment {one.column}={one.value}"
        if one.counts.cells.shape != layout.identity.cells.shape:
            return f"{where}: its cells are not those of the columns"
        if one.counts.moments.shape != layout.identity.moments.shape:
            return f"{where}: its moments are not those of the columns"
    return None


class SegmentCounting:
    """Counts rows by the values of some columns, once those that are most frequent are known."""

    def __init__(self, layout: Layout, columns: Sequence[str]) -> None:
        self._layout = layout
        self._columns = tuple(columns)
        self._seen: dict[str, Counter[str]] = {column: Counter() for column in columns}
        self._counts: dict[tuple[str, str], Counts] = {}

    def of(self, rows: Sequence[LiveRows]) -> tuple[SegmentCounts, ...]:
        """The segments of rows that are all at hand."""
        for part in rows:
            self.look(part.features)
        for part in rows:
            self.count(part)
        return self.segments()

    def look(self, features: Named) -> None:
        """The first pass: which values there are."""
        for column in self._columns:
            if column in features:
                self._seen[column].update(_texts(features[column]))

    def count(self, part: LiveRows) -> None:
        """The second pass."""
        for column in self._columns:
            if column not in part.features:
                continue
            texts = np.array(_texts(part.features[column]), dtype=object)
            for value in self._kept(column):
                rows = np.flatnonzero(texts == value)
                if len(rows):
                    counted = self._layout.count(
                        _taken(part.features, rows),
                        _taken(part.outputs, rows),
                        _taken(part.probabilities, rows),
                    ).counts
                    key = column, value
                    held = self._counts.get(key)
                    self._counts[key] = counted if held is None else held + counted

    def segments(self) -> tuple[SegmentCounts, ...]:
        """What was counted, the most frequent value of each column first."""
        return tuple(
            SegmentCounts(column, value, self._counts[column, value])
            for column in self._columns
            for value in self._kept(column)
            if (column, value) in self._counts
        )

    def _kept(self, column: str) -> list[str]:
        ranked = sorted(self._seen[column].items(), key=lambda item: (-item[1], item[0]))
        names = [name for name, _ in ranked if name not in {MISSING, INVALID}]
        return names[:MOST_VALUES]


def _texts(values: Values) -> list[str]:
    return [category(value) for value in _plain(values)]


def _plain(values: Values) -> Iterable[object]:
    return values.tolist() if isinstance(values, np.ndarray) else values


def _taken(columns: Named, rows: np.ndarray[Any, np.dtype[np.intp]]) -> dict[str, Values]:
    return {name: _take(values, rows) for name, values in columns.items()}


def _take(values: Values, rows: np.ndarray[Any, np.dtype[np.intp]]) -> Values:
    if isinstance(values, np.ndarray):
        taken: np.ndarray[Any, Any] = values[rows]
        return taken
    if isinstance(values, Coded):
        return Coded(values.codes[rows], values.values)
    return [values[row] for row in rows.tolist()]
