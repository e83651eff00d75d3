"""Performance without labels, estimated live: rows in, expected metrics with their band out.

Rows wait for the next look and are evaluated together. Where a row is dear, an even sample of a
look's rows stands for all of them, so a burst costs no more than a trickle. No I/O, no clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from monitor.profile.estimator import ClassEstimator, ErrorEstimator, Estimator
from monitor.records.batch import Batch, concatenate, grouped, taken
from monitor.snapshot import PerformanceReading, Status
from monitor.statistics.estimation.class_sums import ClassSums
from monitor.statistics.estimation.error_sums import ErrorSums
from monitor.windows import Window

BAND = 3.0  # deviations on either side
HELD_ROWS = 5000
SAMPLED_ROWS = 256  # evaluated of each look at least, and twice as many at most


class Estimates:
    """One estimator's window."""

    def __init__(self, estimator: Estimator, window_seconds: float, pane_seconds: float) -> None:
        self._counts: _Classes | _Errors = (
            _Classes(estimator, Window(estimator.identity, window_seconds, pane_seconds))
            if isinstance(estimator, ClassEstimator)
            else _Errors(estimator, Window(estimator.identity, window_seconds, pane_seconds))
        )
        self._deviations = estimator.deviations

    @property
    def window(self) -> Window[ClassSums] | Window[ErrorSums]:
        """What was counted by the last look."""
        return self._counts.window

    def observe(self, batch: Batch) -> None:
        """Take rows; they count with the next look at the latest."""
        self._counts.observe(batch)

    def reading(self, now: float, min_rows: int) -> PerformanceReading:
        """What is expected of the window's rows."""
        self._counts.settle()
        metrics, rows, evaluated = self._counts.total(now)
        status = Status.OK if rows >= min_rows else Status.INSUFFICIENT
        bands = {
            name: _band(name, value, self._deviations[name] / math.sqrt(max(evaluated, 1)))
            for name, value in metrics.items()
            if name in self._deviations
        }
        return PerformanceReading(rows, status, metrics, intervals=bands)


class _Classes:
    """Every row counts: it costs little."""

    def __init__(self, estimator: ClassEstimator, window: Window[ClassSums]) -> None:
        self.estimator = estimator
        self.window = window
        self.waiting: list[Batch] = []
        self.rows = 0

    def observe(self, batch: Batch) -> None:
        self.waiting.append(batch)
        self.rows += len(batch)
        if self.rows >= HELD_ROWS:
            self.settle()

    def settle(self) -> None:
        waiting, self.waiting, self.rows = self.waiting, [], 0
        for whole in concatenate(waiting):
            for part in grouped(whole, self.window.pane):
                sums = self.estimator.sums(part.features, part.outputs, part.probabilities)
                self.window.add(part.at[0], sums)

    def total(self, now: float) -> tuple[Mapping[str, float], int, int]:
        sums = self.window.total(now)
        return sums.metrics(), sums.rows, sums.rows


class _Errors:
    """Each row is kept with one chance, halved whenever too many wait: an even sample."""

    def __init__(self, estimator: ErrorEstimator, window: Window[ErrorSums]) -> None:
        self.estimator = estimator
        self.window = window
        self.random = np.random.default_rng(0)
        self.chance = 1.0
        self.seen = 0
        self.waiting: list[tuple[Batch, NDArray[np.float64]]] = []

    def observe(self, batch: Batch) -> None:
        self.seen += len(batch)
        self._keep(batch, self.random.random(len(batch)))
        while sum(len(keys) for _, keys in self.waiting) > 2 * SAMPLED_ROWS:
            self.chance /= 2.0
            waiting, self.waiting = self.waiting, []
            for held, keys in waiting:
                self._keep(held, keys)

    def _keep(self, batch: Batch, keys: NDArray[np.float64]) -> None:
        kept = np.flatnonzero(keys < self.chance)
        if len(kept) == len(batch):
            self.waiting.append((batch, keys))
        elif len(kept):
            self.waiting.append((taken(batch, kept.tolist()), keys[kept]))

    def settle(self) -> None:
        waiting, self.waiting = self.waiting, []
        weight = self.seen / max(sum(len(keys) for _, keys in waiting), 1)
        self.seen, self.chance = 0, 1.0
        for whole in concatenate([batch for batch, _ in waiting]):
            for part in grouped(whole, self.window.pane):
                sums = self.estimator.sums(part.features, part.outputs, weight)
                self.window.add(part.at[0], sums)

    def total(self, now: float) -> tuple[Mapping[str, float], int, int]:
        sums = self.window.total(now)
        return sums.metrics(), round(sums.rows), sums.evaluated


def _band(name: str, value: float, error: float) -> tuple[float, float]:
    low, high = max(value - BAND * error, 0.0), value + BAND * error
    return low, high if name in {"rmse", "mae", "log_loss"} else min(high, 1.0)
