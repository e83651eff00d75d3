"""The JSON form of a column's profile: what stands in a reference file, and the checks that it must
pass.

Knows nothing of files or of the reference as a whole. Derived figures (ratios, mean, stddev) are
written for people and ignored when read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from monitor.profile.column import ColumnProfile
from monitor.profile.derived.derivation import Derivation
from monitor.profile.derived.moments import MomentParts
from monitor.profile.derived.texts import MAX_ALPHABET, TextParts
from monitor.profile.derived.vectors import MAX_AXES, MAX_WIDTH, VectorParts
from monitor.profile.grid import (
    INVALID,
    MISSING,
    BooleanGrid,
    CategoryGrid,
    Grid,
    NumericGrid,
    PresenceGrid,
)
from monitor.profile.projection import MAX_COLUMNS, Projection
from monitor.schema import Column, Kind, Role

MAX_EDGES = 4096
MAX_CATEGORIES = 1000
MAX_KNOWN = 100_000

Number = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=1 << 53)]
Name = Annotated[str, Field(min_length=1, max_length=1024)]


class Part(BaseModel):
    """Unknown keys are ignored, so that a later release may add some without a new version."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _ColumnDocument(Part):
    name: Name
    role: Role
    cells: list[Count]
    weight: Annotated[float, Field(gt=0, le=1)] = 1.0
    moments: tuple[Number, Number, Number] = (0.0, 0.0, 0.0)
    quantiles: dict[str, Number] | None = None
    source: Annotated[str, Field(max_length=1024)] = ""
    part: Annotated[str, Field(max_length=64)] = ""
    distinct: Count | None = None
    importance: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None

    def profile(self) -> ColumnProfile:
        """The column as the rest of the house knows it."""
        return ColumnProfile(
            replace(self.column(), source=self.source, part=self.part),
            self.grid(),
            np.array(self.cells, dtype=np.int64),
            self.moments,
            self.quantiles,
            self.weight,
            self.derivation(),
            self.held_projection(),
            self.distinct,
            self.importance,
        )

    def column(self) -> Column:
        raise NotImplementedError

    def grid(self) -> Grid:
        raise NotImplementedError

    def derivation(self) -> Derivation | None:
        """How its rows are taken apart, if they are."""
        return None

    def held_projection(self) -> Projection | None:
        """What it is derived by, if it is derived of all features."""
        return None


class ProjectionDocument(Part):
    """All features together: the score of each of their cells, and their correlation."""

    columns: Annotated[list[Name], Field(min_length=2, max_length=MAX_COLUMNS)]
    scores: list[Annotated[list[Number], Field(min_length=1, max_length=MAX_EDGES + 3)]]
    correlation: list[list[Annotated[float, Field(ge=-1, le=1)]]]
    spread: list[list[Annotated[float, Field(ge=0, allow_inf_nan=False)]]] | None = None

    @model_validator(mode="after")
    def _shapes_agree(self) -> ProjectionDocument:
        size = len(self.columns)
        if len(set(self.columns)) < size or len(self.scores) != size:
            raise ValueError("each column needs a name of its own and its scores")
        if not _symmetric(self.correlation, size):
            raise ValueError("correlation must be a symmetric table of all columns")
        if self.spread is not None and not _symmetric(self.spread, size):
            raise ValueError("spread must be a symmetric table of all columns")
        return self

    def held(self) -> Projection:
        """The projection."""
        tables = tuple(np.array(scores) for scores in self.scores)
        spread = None if self.spread is None else np.array(self.spread)
        return Projection(tuple(self.columns), tables, np.array(self.correlation), spread)


def _symmetric(rows: list[list[float]], size: int) -> bool:
    table = np.array(rows) if len(set(map(len, rows))) == 1 else None
    return table is not None and table.shape == (size, size) and not (table != table.T).any()


class NumericDocument(_ColumnDocument):
    """A numeric column: cells between edges, their merge into bins, and where far values are
    held."""

    kind: Literal["numeric"]
    integer: bool = False
    minimum: Number | None = None
    maximum: Number | None = None
    edges: Annotated[list[Number], Field(min_length=1, max_length=MAX_EDGES)]
    bins: Annotated[list[dict[str, Any]], Field(min_length=3, max_length=MAX_EDGES)]
    bin_of_cell: list[Annotated[int, Field(ge=0)]]
    fences: tuple[Number, Number]
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    centre: Number
    projection: ProjectionDocument | None = None

    @model_validator(mode="after")
    def _shapes_agree(self) -> NumericDocument:
        if any(a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("edges must increase")
        if len(self.cells) != len(self.edges) + 3:
            raise ValueError(f"{len(self.edges)} edges need {len(self.edges) + 3} cells")
        if len(self.bin_of_cell) != len(self.cells) or max(self.bin_of_cell) >= len(self.bins):
            raise ValueError("bin_of_cell must name one of the bins for each cell")
        names = [part.get("name") for part in self.bins]
        if not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(
            names
        ):
            raise ValueError("each bin needs a name of its own")
        if names[-2:] != [MISSING, INVALID]:
            raise ValueError("the last two bins must be missing and invalid")
        if self.fences[0] > self.fences[1]:
            raise ValueError("fences must be in order")
        return self

    def column(self) -> Column:
        """Its schema."""
        return Column(self.name, self.role, Kind.NUMERIC, self.integer, self.minimum, self.maximum)

    def grid(self) -> NumericGrid:
        """Its cells."""
        edges = np.array(self.edges)
        inside = inside_cells(edges, self.minimum, self.maximum)
        names = tuple(str(part["name"]) for part in self.bins)
        bin_of_cell = np.array(self.bin_of_cell, dtype=np.int64)
        return NumericGrid(edges, bin_of_cell, names, inside, self.fences, self.scale, self.centre)

    def held_projection(self) -> Projection | None:
        """How rows of all features become the column's numbers."""
        return None if self.projection is None else self.projection.held()


class CategoricalDocument(_ColumnDocument):
    """A categorical column: the frequent categories in order, and the others that the reference
    held."""

    kind: Literal["categorical"]
    categories: Annotated[list[str], Field(max_length=MAX_CATEGORIES)]
    known: Annotated[list[str], Field(max_length=MAX_KNOWN)] = []

    @model_validator(mode="after")
    def _shapes_agree(self) -> CategoricalDocument:
        if len(self.cells) != len(self.categories) + 4:
            raise ValueError(
                "cells must be one for each category, and other, unseen, missing, invalid"
            )
        return self

    def column(self) -> Column:
        """Its schema."""
        return Column(self.name, self.role, Kind.CATEGORICAL, categories=tuple(self.categories))

    def grid(self) -> CategoryGrid:
        """Its cells."""
        return CategoryGrid(tuple(self.categories), tuple(self.known))


class BooleanDocument(_ColumnDocument):
    """A boolean column: false, true, missing, invalid."""

    kind: Literal["boolean"]

    @model_validator(mode="after")
    def _shapes_agree(self) -> BooleanDocument:
        if len(self.cells) != 4:
            raise ValueError("cells must be four: false, true, missing, invalid")
        return self

    def column(self) -> Column:
        """Its schema."""
        return Column(self.name, self.role, Kind.BOOLEAN)

    def grid(self) -> BooleanGrid:
        """Its cells."""
        return BooleanGrid()


class _PresenceDocument(_ColumnDocument):
    """A column of which only the presence is counted: present, missing, invalid."""

    cells: Annotated[list[Count], Field(min_length=3, max_length=3)]
    kind: Literal["text", "datetime", "vector"]

    def column(self) -> Column:
        """Its schema."""
        return Column(self.name, self.role, Kind(self.kind))

    def grid(self) -> PresenceGrid:
        """Its cells."""
        return PresenceGrid()


class TextDocument(_PresenceDocument):
    """Free text, and the characters that it is made of."""

    kind: Literal["text"]
    alphabet: Annotated[str, Field(max_length=MAX_ALPHABET)]

    def derivation(self) -> TextParts:
        """How texts are taken apart."""
        return TextParts(frozenset(self.alphabet))


class DatetimeDocument(_PresenceDocument):
    """Moments in time, and what is counted of them."""

    kind: Literal["datetime"]
    parts: list[Literal["hour", "weekday", "age"]]

    def derivation(self) -> MomentParts:
        """How moments are taken apart."""
        return MomentParts(tuple(self.parts))


class VectorDocument(_PresenceDocument):
    """Vectors of one width, and the axes along which they vary."""

    kind: Literal["vector"]
    centre: Annotated[list[Number], Field(min_length=1, max_length=MAX_WIDTH)]
    axes: Annotated[list[list[Number]], Field(max_length=MAX_AXES)]

    @model_validator(mode="after")
    def _shapes_agree(self) -> VectorDocument:
        if any(len(axis) != len(self.centre) for axis in self.axes):
            raise ValueError("axes must be as wide as the centre")
        return self

    def derivation(self) -> VectorParts:
        """How vectors are taken apart."""
        axes = np.array(self.axes, dtype=np.float64).reshape(-1, len(self.centre))
        return VectorParts(np.array(self.centre), axes)


ColumnDocument = Annotated[
    NumericDocument
    | CategoricalDocument
    | BooleanDocument
    | TextDocument
    | DatetimeDocument
    | VectorDocument,
    Field(discriminator="kind"),
]


def inside_cells(
    edges: np.ndarray[Any, np.dtype[np.float64]], minimum: float | None, maximum: float | None
) -> tuple[int, int]:
    """Cells start:stop that lie within the reference's range; none where it has no range."""
    if minimum is None or maximum is None:
        return 0, 0
    start = int(edges.searchsorted(minimum, side="right"))
    return start, int(edges.searchsorted(maximum, side="right")) + 1
