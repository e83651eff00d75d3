"""The JSON form of a column's profile: what stands in a reference file, and the checks that it must
pass.

Knows nothing of files or of the reference as a whole. Derived figures (ratios, mean, stddev) are
written for people and ignored when read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from monitor.profile.grid import INVALID, MISSING, BooleanGrid, CategoryGrid, Grid, NumericGrid
from monitor.profile.layout import ColumnProfile
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

    def profile(self) -> ColumnProfile:
        """The column as the rest of the house knows it."""
        cells = np.array(self.cells, dtype=np.int64)
        return ColumnProfile(
            self.column(), self.grid(), cells, self.moments, self.quantiles, self.weight
        )

    def column(self) -> Column:
        raise NotImplementedError

    def grid(self) -> Grid:
        raise NotImplementedError


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


ColumnDocument = Annotated[
    NumericDocument | CategoricalDocument | BooleanDocument, Field(discriminator="kind")
]


def inside_cells(
    edges: np.ndarray[Any, np.dtype[np.float64]], minimum: float | None, maximum: float | None
) -> tuple[int, int]:
    """Cells start:stop that lie within the reference's range; none where it has no range."""
    if minimum is None or maximum is None:
        return 0, 0
    start = int(edges.searchsorted(minimum, side="right"))
    return start, int(edges.searchsorted(maximum, side="right")) + 1


def render_column(profile: ColumnProfile) -> dict[str, Any]:
    """The column as JSON-able values: first what people read, then what the machine counts with."""
    column, cells = profile.column, profile.cells
    rows = max(int(cells.sum()), 1)
    n, first, second = profile.moments
    shares = (
        np.bincount(profile.grid.bin_of_cell, weights=cells, minlength=len(profile.bins)) / rows
    )
    document: dict[str, Any] = {
        "name": column.name,
        "role": column.role.value,
        "kind": column.kind.value,
    }
    document["missing_ratio"] = int(cells[-2]) / rows
    if n > 0 and isinstance(profile.grid, NumericGrid):
        document["mean"] = profile.grid.centre + first / n
        document["stddev"] = math.sqrt(max(second / n - (first / n) ** 2, 0.0))
    if profile.quantiles is not None:
        document["quantiles"] = {name: float(value) for name, value in profile.quantiles.items()}
    document["bins"] = [
        {"name": name, "ratio": float(share)}
        for name, share in zip(profile.bins, shares, strict=True)
    ]
    if profile.weight != 1:
        document["weight"] = float(profile.weight)
    document |= _RENDER_GRID[type(profile.grid)](profile)
    document["cells"] = [int(count) for count in cells]
    if column.kind is Kind.NUMERIC:
        document["moments"] = [float(value) for value in profile.moments]
    return document


def _render_numeric(profile: ColumnProfile) -> dict[str, Any]:
    column, grid = profile.column, profile.grid
    assert isinstance(grid, NumericGrid)  # noqa: S101 - the table below keys on the type
    return {
        "integer": column.integer,
        "minimum": column.minimum,
        "maximum": column.maximum,
        "scale": float(grid.scale),
        "centre": float(grid.centre),
        "fences": [float(fence) for fence in grid.fences],
        "edges": [float(edge) for edge in grid.edges],
        "bin_of_cell": [int(index) for index in grid.bin_of_cell],
    }


def _render_categorical(profile: ColumnProfile) -> dict[str, Any]:
    grid = profile.grid
    assert isinstance(grid, CategoryGrid)  # noqa: S101 - the table below keys on the type
    return {"categories": list(grid.categories), "known": list(grid.known)}


_RENDER_GRID: Mapping[type, Callable[[ColumnProfile], dict[str, Any]]] = {
    NumericGrid: _render_numeric,
    CategoryGrid: _render_categorical,
    BooleanGrid: lambda _: {},
}
