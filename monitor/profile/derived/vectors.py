"""Vectors of numbers (embeddings): how long, and where on the axes along which the reference varies
most.

A column a coordinate would be hundreds of tests that each say little. A few principal axes hold
most of what an embedding says, and the norm tells of another scale or another model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitor.profile.derived.derivation import (
    INVALID,
    MISSING,
    PRESENT,
    Codes,
    Derived,
    Floats,
    is_missing,
)
from monitor.profile.values import Coded, Values
from monitor.schema import Kind

MAX_AXES = 8
VARIANCE_KEPT = 0.8
MAX_WIDTH = 16_384
TRIM = 0.005  # share of a coordinate's values at each end that must not turn the axes
FARTHEST = 1e100  # its square is still finite
POWER_STEPS = 6
EXTRA_AXES = 8


@dataclass(frozen=True, slots=True, eq=False)
class VectorParts:
    """Vectors of one width, about `centre[width]`, along `axes[k, width]`."""

    centre: Floats
    axes: Floats

    kind = Kind.VECTOR

    @property
    def parts(self) -> tuple[str, ...]:
        """The norm, and an axis each."""
        return ("norm", *(f"axis{number}" for number in range(1, len(self.axes) + 1)))

    def derive(self, values: Values, at: Floats | None) -> Derived:  # noqa: ARG002 - the protocol's
        """Norm and projections of each vector."""
        table, states = matrix(values, len(self.centre))
        known = states == PRESENT
        found = np.full((len(self.axes) + 1, len(states)), np.nan)
        found[0, known] = np.sqrt(np.einsum("ij,ij->i", table, table))
        found[1:, known] = self.axes @ (table - self.centre).T
        return Derived(states, dict(zip(self.parts, found, strict=True)))

    def document(self) -> Mapping[str, Any]:
        """Centre and axes, to seven digits: what a float32 of the model holds."""
        return {
            "centre": [float(f"{value:.7g}") for value in self.centre.tolist()],
            "axes": [[float(f"{value:.7g}") for value in axis] for axis in self.axes.tolist()],
        }


def fit(values: Values, width: int) -> VectorParts:
    """The axes that hold most of the variance, and at most eight, of some rows of the reference."""
    table, _ = matrix(values, width)
    if len(table) < 2:
        return VectorParts(np.zeros(width), np.zeros((0, width)))
    low, high = np.quantile(table, [TRIM, 1.0 - TRIM], axis=0)
    near = np.clip(table, low, high)
    centre = near.mean(axis=0)
    near -= centre
    axes, variances = _principal(near)
    total = float(np.einsum("ij,ij->", near, near)) / len(near)
    large = variances > 1e-12 * max(total, 1e-300)
    shares = np.cumsum(variances) / max(total, 1e-300)
    wanted = min(int(np.searchsorted(shares, VARIANCE_KEPT)) + 1, MAX_AXES, int(large.sum()))
    parts = VectorParts(centre, axes[:wanted])
    document = parts.document()  # what is read again is what is used from the first row on
    return VectorParts(np.array(document["centre"]), np.array(document["axes"]).reshape(-1, width))


def matrix(values: Values, width: int) -> tuple[Floats, Codes]:
    """The vectors of the right width `[present rows, width]`, and every row's state."""
    if isinstance(values, (np.ndarray, Coded)) or not values:
        rows: Sequence[object] = list(values)
    else:
        rows = values
        whole = _whole(rows, width)
        if whole is not None:
            return whole, np.zeros(len(rows), dtype=np.int64)
    states = np.full(len(rows), INVALID, dtype=np.int64)
    found = []
    for row, value in enumerate(rows):
        if is_missing(value):
            states[row] = MISSING
        elif (one := _whole([value], width)) is not None:
            states[row] = PRESENT
            found.append(one)
    return np.concatenate(found) if found else np.zeros((0, width)), states


def _whole(rows: Sequence[object], width: int) -> Floats | None:
    """All rows as one table, where each is a vector of finite numbers of that width."""
    if not {list, tuple, np.ndarray}.issuperset(map(type, rows)):
        return None
    try:
        table = np.array(rows)
    except ValueError:  # rows of different widths
        return None
    if table.dtype.kind not in "iuf" or table.shape != (len(rows), width):
        return None
    floats: Floats = table.astype(np.float64, copy=False)
    return np.clip(floats, -FARTHEST, FARTHEST) if np.isfinite(floats).all() else None


def _principal(centred: Floats) -> tuple[Floats, Floats]:
    """The first axes `[k, width]` and their variances, by subspace iteration: the width may be
    thousands.

    Source: Halko, Martinsson, Tropp (2011), algorithm 4.4.
    """
    rows, width = centred.shape
    wanted = min(MAX_AXES + EXTRA_AXES, rows, width)
    random = np.random.default_rng(0)  # equal data make equal references
    basis = np.linalg.qr(centred.T @ (centred @ random.normal(size=(width, wanted))))[0]
    for _ in range(POWER_STEPS):
        basis = np.linalg.qr(centred.T @ (centred @ basis))[0]
    _, lengths, turned = np.linalg.svd(centred @ basis, full_matrices=False)
    axes = turned @ basis.T
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    signed: Floats = axes * np.where(signs == 0, 1.0, signs)[:, None]
    return signed[:MAX_AXES], (lengths**2 / rows)[:MAX_AXES]
