"""Performance of predictions whose truth is known, over two clocks; no I/O.

By label arrival: what was learnt in the window, which exists however late labels are. By prediction
time: how good the window's own predictions were, which is complete only once their labels are in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monitor.records.label import Joined, Label, Prediction
from monitor.snapshot import PerformanceReading, PerformanceTotals, Status
from monitor.statistics.classes import Task
from monitor.statistics.performance import PerformanceCounter, PerformanceSums
from monitor.windows import Window

_Clock = Callable[[Prediction, Label], float]


class Realised:
    """Counts joined labels into panes of both clocks; a correction takes out what it replaces."""

    def __init__(self, task: Task, size_seconds: float, pane_seconds: float) -> None:
        self._task: Task = task
        self._by_arrival = Window(PerformanceSums(task), size_seconds, pane_seconds)
        self._by_prediction = Window(PerformanceSums(task), size_seconds, pane_seconds)
        self._counter = PerformanceCounter(task)

    def add(self, joined: Sequence[Joined], *, restored: bool = False) -> None:
        """Count labels that met their predictions; `restored` ones not into the totals again."""
        for one in joined:
            if one.previous is None and one.label is not None and not restored:
                self._counter.add(one.label.value, one.prediction.value)
        self._put(self._by_arrival, joined, _arrival)
        self._put(self._by_prediction, joined, _prediction)

    def by_arrival(self, now: float, min_rows: int) -> PerformanceReading:
        """Metrics of the labels that arrived in the window."""
        return _reading(self._by_arrival.total(now), min_rows)

    def by_prediction(self, now: float, min_rows: int) -> PerformanceReading:
        """Metrics of the predictions made in the window, as far as their labels are in."""
        return _reading(self._by_prediction.total(now), min_rows)

    def totals(self) -> PerformanceTotals:
        """Sums since the start; corrections do not change them, because counters never fall."""
        counter = self._counter
        return PerformanceTotals(
            counter.labels, counter.correct, counter.absolute_error, counter.squared_error
        )

    def _put(
        self, window: Window[PerformanceSums], joined: Sequence[Joined], clock: _Clock
    ) -> None:
        """One merge a pane, however many labels it gets."""
        changes: dict[int, tuple[float, PerformanceSums]] = {}

        def change(at: float) -> PerformanceSums:
            return changes.setdefault(window.pane(at), (at, PerformanceSums(self._task)))[1]

        for one in joined:
            prediction = one.prediction
            if one.previous is not None:
                change(clock(prediction, one.previous)).remove(
                    one.previous.value, prediction.value, prediction.probabilities
                )
            if one.label is not None:
                change(clock(prediction, one.label)).add(
                    one.label.value, prediction.value, prediction.probabilities
                )
        for at, sums in changes.values():
            window.add(at, sums)


def _arrival(prediction: Prediction, label: Label) -> float:
    return max(prediction.at, label.received_at)  # a label that came first counts once it is joined


def _prediction(prediction: Prediction, label: Label) -> float:  # noqa: ARG001 - as _arrival
    return prediction.at


def _reading(sums: PerformanceSums, min_rows: int) -> PerformanceReading:
    status = Status.OK if sums.rows >= min_rows else Status.INSUFFICIENT
    if not sums.rows:
        return PerformanceReading(0, status)
    return PerformanceReading(sums.rows, status, sums.metrics(), sums.by_class())
