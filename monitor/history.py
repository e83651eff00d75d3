"""How each column's score went lately: a ring in memory of what was published, never of rows.

Bounded in columns times points, and kept nowhere: after a restart, or against another reference, it
begins anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monitor.snapshot import Reading, Snapshot

POINTS = 120
WINDOW_POINTS = 60  # so the ring holds two windows

Key = tuple[str, str]  # role, column


def step_seconds(window_seconds: float, pane_seconds: float) -> float:
    """The time between two points: a pane, or more where a window has many.

    >>> step_seconds(3600.0, 60.0), step_seconds(86400.0, 60.0)
    (60.0, 1440.0)
    """
    return max(pane_seconds, window_seconds / WINDOW_POINTS)


class ScoreHistory:
    """The newest score of each column in each of the last steps; the last one is still moving.

    Costs four bytes a column and point, and one write a column and look.
    """

    def __init__(self, seconds: float, points: int = POINTS) -> None:
        self._seconds = seconds
        self._points = points
        self._digest = ""
        self._step: int | None = None
        self._times: list[float] = []
        self._keys: tuple[Key, ...] = ()
        self._rows: dict[Key, int] = {}
        self._scores: NDArray[np.float32] = np.full((0, points), np.nan, np.float32)

    def note(self, snapshot: Snapshot) -> None:
        """Take what is published; the same moment twice is one point."""
        step = math.floor(snapshot.evaluated_at / self._seconds)
        if snapshot.reference.digest != self._digest or step < (self._step or step):
            self._forget()  # scores against another reference, or a clock that was set back
        self._digest = snapshot.reference.digest
        self._take_columns(snapshot.readings)
        if step != self._step:
            self._step = step
            self._begin_point()
        self._times[-1] = snapshot.evaluated_at
        newest = len(self._times) - 1
        self._scores[:, newest] = [_score(reading) for reading in snapshot.readings]

    @property
    def times(self) -> Sequence[float]:
        """The moments of the points in Unix seconds, oldest first."""
        return tuple(self._times)

    def scores(self, role: str, column: str) -> NDArray[np.float32]:
        """A column's score at each of `times`; NaN where there was none."""
        row = self._rows.get((role, column))
        if row is None:
            return np.full(len(self._times), np.nan, np.float32)
        return self._scores[row, : len(self._times)].copy()

    def _forget(self) -> None:
        self._step, self._times = None, []
        self._scores[:] = np.nan

    def _take_columns(self, readings: Sequence[Reading]) -> None:
        keys = tuple((reading.role, reading.column) for reading in readings)
        if keys == self._keys:
            return
        moved = np.full((len(keys), self._points), np.nan, np.float32)
        for row, key in enumerate(keys):
            if key in self._rows:
                moved[row] = self._scores[self._rows[key]]
        self._keys, self._scores = keys, moved
        self._rows = {key: row for row, key in enumerate(keys)}

    def _begin_point(self) -> None:
        if len(self._times) == self._points:
            self._times.pop(0)
            self._scores[:, :-1] = self._scores[:, 1:].copy()
            self._scores[:, -1] = np.nan
        self._times.append(0.0)


def _score(reading: Reading) -> float:
    return math.nan if reading.score is None else reading.score
