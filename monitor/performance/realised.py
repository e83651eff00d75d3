"""Performance of predictions whose truth is known, over two clocks; no I/O.

By label arrival: what was learnt in the window, which exists however late labels are. By prediction
time: how good the window's own predictions were, which is complete only once their labels are in;
how complete it is, is told beside both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from monitor.records.label import Joined, Label, Prediction
from monitor.snapshot import ConfusionCell, PerformanceReading, PerformanceTotals, Status
from monitor.statistics.classes import Task
from monitor.statistics.performance import PerformanceCounter, PerformanceSums
from monitor.windows import Window

MOST_CONFUSED = 20  # classes of which the confusion is told, cell by cell


class Readings(NamedTuple):
    """The two clocks' readings of one moment."""

    by_arrival: PerformanceReading
    by_prediction: PerformanceReading


class Realised:
    """Counts joined labels into panes of both clocks; a correction takes out what it replaces."""

    def __init__(self, task: Task, size_seconds: float, pane_seconds: float) -> None:
        self.task: Task = task
        self.by_arrival = Window(PerformanceSums(task), size_seconds, pane_seconds)
        self.by_prediction = Window(PerformanceSums(task), size_seconds, pane_seconds)
        self._counter = PerformanceCounter(task)
        self._changes = 0
        self._last: tuple[tuple[int, int, int, int], Readings] | None = None

    def add(self, joined: Sequence[Joined], *, restored: bool = False) -> None:
        """Count labels that met their predictions; `restored` ones not into the totals again."""
        self._changes += 1
        for one in joined:
            if one.previous is None and one.label is not None and not restored:
                self._counter.add(one.label.value, one.prediction.value)
        self._put(joined)

    def readings(self, now: float, min_rows: int, predicted: int) -> Readings:
        """Metrics of both clocks; `predicted` rows were predicted in the window.

        Nothing is computed again while no label came and no pane has passed.
        """
        key = self._changes, self.by_arrival.pane(now), min_rows, predicted
        if self._last is None or self._last[0] != key:
            by_prediction = self.by_prediction.total(now)
            share = _labelled(by_prediction.rows, predicted)
            self._last = (
                key,
                Readings(
                    _reading(self.by_arrival.total(now), min_rows, share),
                    _reading(by_prediction, min_rows, share),
                ),
            )
        return self._last[1]

    def totals(self) -> PerformanceTotals:
        """Sums since the start; corrections do not change them, because counters never fall."""
        counter = self._counter
        return PerformanceTotals(
            counter.labels, counter.correct, counter.absolute_error, counter.squared_error
        )

    def _put(self, joined: Sequence[Joined]) -> None:
        """Sums are made once for both clocks, and merged once a pane, however many labels it
        gets."""
        changes: dict[tuple[int, int], tuple[float, float, PerformanceSums]] = {}

        def change(prediction: Prediction, label: Label) -> PerformanceSums:
            arrived, made = _arrival(prediction, label), prediction.at
            panes = self.by_arrival.pane(arrived), self.by_prediction.pane(made)
            if panes not in changes:
                changes[panes] = arrived, made, PerformanceSums(self.task)
            return changes[panes][2]

        for one in joined:
            prediction = one.prediction
            if one.previous is not None:
                change(prediction, one.previous).remove(
                    one.previous.value, prediction.value, prediction.probabilities
                )
            if one.label is not None:
                change(prediction, one.label).add(
                    one.label.value, prediction.value, prediction.probabilities
                )
        for arrived, made, sums in changes.values():
            self.by_arrival.add(arrived, sums)
            self.by_prediction.add(made, sums)


def _arrival(prediction: Prediction, label: Label) -> float:
    return max(prediction.at, label.received_at)  # a label that came first counts once it is joined


def _labelled(labelled: int, predicted: int) -> float | None:
    """The labelled share; unknown where predictions of an earlier process got labels too."""
    return labelled / predicted if 0 <= labelled <= predicted and predicted else None


def _reading(sums: PerformanceSums, min_rows: int, share: float | None) -> PerformanceReading:
    status = Status.OK if sums.rows >= min_rows else Status.INSUFFICIENT
    if not sums.rows:
        return PerformanceReading(0, status, labelled_ratio=share)
    return PerformanceReading(
        sums.rows, status, sums.metrics(), sums.by_class(), sums.intervals(), share, _cells(sums)
    )


def _cells(sums: PerformanceSums) -> tuple[ConfusionCell, ...]:
    table = sums.confusion
    if len({label for label, _ in table} | {guess for _, guess in table}) > MOST_CONFUSED:
        return ()
    return tuple(ConfusionCell(*pair, rows) for pair, rows in sorted(table.items()))
