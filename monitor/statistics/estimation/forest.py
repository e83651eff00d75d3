"""A sum of regression trees as plain arrays, evaluated for all rows and trees at once.

Knows nothing of how the trees grew, or of what they predict.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.errors import StatisticsError

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

ROWS_AT_ONCE = 512  # trees × rows are held at once
MOST_DEPTH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """baseline + Σ over trees of the value of the leaf that a row ends in.

    All nodes of all trees stand in one list: at node i a row goes to `left[i]` where its
    `feature[i]` is at most `threshold[i]`, or is missing and `missing_left[i]`; else to `right[i]`.
    A leaf leads to itself. `roots[trees]` are where trees begin.

    StatisticsError for nodes that lead outside, or do not end in a leaf.
    """

    baseline: float
    roots: Codes
    feature: Codes
    threshold: Floats
    left: Codes
    right: Codes
    missing_left: NDArray[np.bool_]
    value: Floats

    def __post_init__(self) -> None:
        nodes = len(self.value)
        for part in (self.feature, self.threshold, self.left, self.right, self.missing_left):
            if part.shape != (nodes,):
                raise StatisticsError("a forest's nodes are not all there")
        for part in (self.roots, self.left, self.right):
            if part.size and not 0 <= int(part.min()) <= int(part.max()) < nodes:
                raise StatisticsError("a forest's nodes lead outside of it")
        if nodes and int(self.feature.min()) < 0:
            raise StatisticsError("a forest's features are counted from 0")
        self._depth()

    @property
    def features(self) -> int:
        """The least number of features that rows must have."""
        return int(self.feature.max()) + 1 if self.feature.size else 0

    def predict(self, rows: Floats) -> Floats:
        """The sum for each of `rows[n, features]`; NaN is missing.

        >>> forest = Forest(
        ...     10.0, np.array([0]), np.array([0, 0, 0]), np.array([0.5, 0.0, 0.0]),
        ...     np.array([1, 1, 2]), np.array([2, 1, 2]), np.array([False] * 3),
        ...     np.array([0.0, -1.0, 1.0]))
        >>> forest.predict(np.array([[0.0], [0.9], [np.nan]])).tolist()
        [9.0, 11.0, 11.0]
        """
        if rows.shape[1] < self.features:
            raise StatisticsError(f"a forest of {self.features} features needs as many columns")
        depth = self._depth()
        parts = [
            self._leaves(rows[start : start + ROWS_AT_ONCE], depth)
            for start in range(0, len(rows), ROWS_AT_ONCE)
        ]
        return np.concatenate([*parts, np.zeros(0)]) + self.baseline

    def _leaves(self, rows: Floats, depth: int) -> Floats:
        node = np.repeat(self.roots[:, None], len(rows), axis=1)
        places = np.arange(len(rows))[None, :]
        for _ in range(depth):
            value = rows[places, self.feature[node]]
            left = (value <= self.threshold[node]) | (np.isnan(value) & self.missing_left[node])
            node = np.where(left, self.left[node], self.right[node])
        return np.asarray(self.value[node].sum(axis=0))

    def _depth(self) -> int:
        """Steps until every row has come to a leaf."""
        here = np.unique(self.roots)
        itself = np.arange(len(self.value))
        leaf = (self.left == itself) & (self.right == itself)
        for depth in range(MOST_DEPTH):
            inner = here[~leaf[here]]
            if not inner.size:
                return depth
            here = np.unique(np.concatenate([self.left[inner], self.right[inner]]))
        raise StatisticsError(f"a forest's trees do not end within {MOST_DEPTH} steps")
