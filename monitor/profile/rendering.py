"""A column's profile as JSON-able values: first what people read, then what is counted with.

`document` holds the checks that the same values must pass when they are read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from monitor.profile.column import ColumnProfile
from monitor.profile.grid import BooleanGrid, CategoryGrid, NumericGrid, PresenceGrid
from monitor.schema import Kind


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
    document |= _derived(profile)
    document |= _RENDER_GRID[type(profile.grid)](profile)
    document["cells"] = [int(count) for count in cells]
    if column.kind is Kind.NUMERIC:
        document["moments"] = [float(value) for value in profile.moments]
    return document


def _derived(profile: ColumnProfile) -> dict[str, Any]:
    """What only some columns have."""
    column, projection = profile.column, profile.projection
    found: dict[str, Any] = {
        "source": column.source or None,
        "part": column.part or None,
        "distinct": profile.distinct,
        "importance": profile.importance,
    }
    if profile.derivation is not None:
        found |= profile.derivation.document()
    if projection is not None:
        found["projection"] = {
            "columns": list(projection.columns),
            "scores": [scores.tolist() for scores in projection.scores],
            "correlation": projection.correlation.tolist(),
        }
        if projection.spread is not None:
            found["projection"]["spread"] = projection.spread.tolist()
    return {key: value for key, value in found.items() if value is not None}


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
    PresenceGrid: lambda _: {},
}
