"""The performance desk: rows and labels in, one `Performance` out. No I/O, no clock of its own.

Rows are held until the next look and then counted together, so that many segments cost little more
than one. What is not configured costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from monitor.alerting.policy import DriftPolicy
from monitor.performance.estimates import Estimates
from monitor.performance.labels import LabelWatch
from monitor.performance.realised import Realised
from monitor.performance.segment_drift import Judged, SegmentDrift
from monitor.performance.segments import Segment, Segments
from monitor.performance.shift import ErrorStream
from monitor.performance.thresholds import Threshold, resolved
from monitor.profile.reference import Reference, ReferencePerformance
from monitor.records.batch import Batch, concatenate, grouped, taken
from monitor.records.label import Joined
from monitor.snapshot import Performance, PerformanceReading, SegmentReading, Status
from monitor.statistics.classes import TASKS, Task
from monitor.statistics.performance import infer_task
from monitor.windows import Window

FORMAT = 1
MAX_HELD_LABELS = 100_000  # joined labels kept until the task is known
HELD_ROWS = 5000  # predicted rows that wait for the next look
FIRST_LABEL_SECONDS = 86_400.0  # where thresholds are set and no label ever came


@dataclass(frozen=True, slots=True)
class PerformanceRules:
    """What the desk is told."""

    metrics: tuple[str, ...] = ()
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    segments: tuple[str, ...] = ()
    segment_values: int = 10
    label_delay_seconds: float | None = None


class PerformanceDesk:
    """One model's labels, segment by segment."""

    def __init__(
        self,
        rules: PerformanceRules,
        task: Task | None,
        window_seconds: float,
        pane_seconds: float,
        min_rows: int,
    ) -> None:
        self.rules = rules
        self.min_rows = min_rows
        self.task: Task | None = None
        self._sizes = window_seconds, pane_seconds
        self._segments = Segments(rules.segments, rules.segment_values)
        self._predicted = Window(0, *self._sizes)
        self._predicted_of: dict[Segment, Window[int]] = {}
        self._realised: Realised | None = None
        self._realised_of: dict[Segment, Realised] = {}
        self._drift: SegmentDrift | None = None
        self._estimates: Estimates | None = None
        self._reference: ReferencePerformance | None = None
        self._stream: ErrorStream | None = None
        first = FIRST_LABEL_SECONDS if rules.thresholds else None
        self.watch = LabelWatch(rules.label_delay_seconds, first)
        self._waiting: list[Batch] = []
        self._waiting_rows = 0
        self._early: list[Joined] = []
        if task is not None:
            self._know(task)

    @property
    def families(self) -> int:
        """How many segments are tested for drift, each in every column."""
        return len(self._drift) if self._drift is not None else 0

    def adopt(self, reference: Reference) -> None:
        """Read against this reference from now on."""
        self._count()
        self._reference = reference.performance
        self._drift = None
        self._estimates = None
        if reference.estimator is not None:
            self._estimates = Estimates(reference.estimator, *self._sizes)
        if self._segments:
            self._segments.adopt(reference)
            if reference.segments:
                self._drift = SegmentDrift(reference, *self._sizes)
                self._drift.keep(self._segments.known)
        if self.task is None and (task := TASKS.get(reference.task or "")):
            self._know(task)

    def reconfigure(self, rules: PerformanceRules, min_rows: int) -> None:
        """Take other metrics and thresholds; segments keep until a restart."""
        self.rules = replace(
            rules, segments=self.rules.segments, segment_values=self.rules.segment_values
        )
        self.min_rows = min_rows

    def observe(self, batch: Batch) -> None:
        """Count predicted rows."""
        for part in grouped(batch, self._predicted.pane):
            self._predicted.add(part.at[0], len(part))
            self.watch.predicted(part.at[0], len(part))
        if self._estimates is not None:
            self._estimates.observe(batch)
        if self._segments:
            self._waiting.append(batch)
            self._waiting_rows += len(batch)
            if self._waiting_rows >= HELD_ROWS:
                self._count()

    def label(self, joined: Sequence[Joined], *, restored: bool = False) -> None:
        """Count labels that met their predictions; `restored` ones had been before a restart."""
        self.watch.joined(joined, restored=restored)
        if self._realised is None:
            self._early.extend(joined[: MAX_HELD_LABELS - len(self._early)])
            known = [one.label.value for one in self._early if one.label is not None]
            if len(known) >= self.min_rows:
                self._know(infer_task(known))
            return
        self._realised.add(joined, restored=restored)
        if self._stream is not None:
            self._stream.add(joined)
        self._label_segments(joined, restored=restored)

    def read(self, now: float, policy: DriftPolicy) -> Performance:
        """Everything that is known at a moment."""
        self._count()
        reference, metrics = self._reference, self.rules.metrics
        before = None
        if reference is not None:
            known = PerformanceReading(
                reference.rows, Status.OK, reference.metrics, reference.by_class
            )
            before = known.only(metrics)
        estimated = self._estimates.reading(now, self.min_rows) if self._estimates else None
        told = Performance(
            reference=before,
            estimated=estimated.only(metrics) if estimated else None,
            overdue=self.watch.overdue(now),
        )
        if self._realised is None:
            return told
        predicted = self._predicted.total(now)
        by_arrival, by_prediction = self._realised.readings(now, self.min_rows, predicted)
        return replace(
            told,
            task=self.task,
            realised=by_arrival.only(metrics),
            by_prediction_time=by_prediction.only(metrics),
            thresholds=resolved(self.rules.thresholds, reference, by_arrival.rows),
            totals=self._realised.totals(),
            segments=self._read_segments(now, policy),
            shift=self._stream.found(now) if self._stream else None,
        )

    def to_document(self) -> dict[str, Any]:
        """What outlives the process, as JSON can hold it: rows predicted, an error shift, and what
        is known of labels' delays. Labels themselves come back from the store."""
        windows: list[tuple[tuple[str, ...], Window[int]]] = [
            ((), self._predicted),
            *self._predicted_of.items(),
        ]
        return {
            "format": FORMAT,
            "pane_seconds": self._predicted.pane_seconds,
            "predicted": [
                [list(of), [list(pane) for pane in window.panes().items()]]
                for of, window in windows
            ],
            "shift": self._stream.to_document() if self._stream is not None else None,
            "watch": self.watch.to_document(),
        }

    def restore(self, document: Mapping[str, Any] | None) -> None:
        """Go on from an earlier process's document; ValueError on anything else."""
        if document is None:
            return
        try:
            if document["format"] != FORMAT:
                raise ValueError(f"performance of format {document['format']!r}")
            self.watch.restore(document["watch"])
            if self._stream is not None:
                self._stream.restore(document["shift"])
            if document["pane_seconds"] == self._predicted.pane_seconds:
                for of, panes in document["predicted"]:
                    window = self._window_of(Segment(*of)) if of else self._predicted
                    for pane, rows in panes:
                        window.restore(int(pane), int(rows))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not what a performance desk kept: {error!r}") from None

    def _window_of(self, segment: Segment) -> Window[int]:
        if segment not in self._predicted_of:
            self._predicted_of[segment] = Window(0, *self._sizes)
        return self._predicted_of[segment]

    def _know(self, task: Task) -> None:
        self.task = task
        self._realised = Realised(task, *self._sizes)
        usual = self._reference.metrics.get("mae") if self._reference else None
        self._stream = ErrorStream(task, usual, self._sizes[0])
        early, self._early = self._early, []
        self._realised.add(early)
        self._stream.add(early)
        self._label_segments(early)

    def _label_segments(self, joined: Sequence[Joined], *, restored: bool = False) -> None:
        parts: dict[Segment, list[Joined]] = {}
        for one in joined if self._segments else ():
            for segment in self._segments.of(one.prediction.segments):
                parts.setdefault(segment, []).append(one)
        for segment, part in parts.items():
            assert self.task is not None  # noqa: S101 - comes with the first counts
            if segment not in self._realised_of:
                self._realised_of[segment] = Realised(self.task, *self._sizes)
            self._realised_of[segment].add(part, restored=restored)

    def _count(self) -> None:
        """Count the rows that wait, by segment."""
        waiting, self._waiting, self._waiting_rows = self._waiting, [], 0
        for whole in concatenate(waiting):
            for batch in grouped(whole, self._predicted.pane):
                for column in self._segments.columns:
                    if column in batch.features:
                        self._count_column(batch, column)

    def _count_column(self, batch: Batch, column: str) -> None:
        rows: dict[str, list[int]] = {}
        for row, value in enumerate(self._segments.codes(column, batch.features[column])):
            if value is not None:
                rows.setdefault(value, []).append(row)
        for value, indices in rows.items():
            segment = Segment(column, value)
            self._window_of(segment).add(batch.at[0], len(indices))
            if self._drift is not None and segment in self._drift:
                self._drift.observe(segment, taken(batch, indices))

    def _read_segments(self, now: float, policy: DriftPolicy) -> tuple[SegmentReading, ...]:
        judged = self._drift.judge(now, policy) if self._drift is not None else {}
        seen = {**self._predicted_of, **dict.fromkeys(self._realised_of)}
        return tuple(self._read_segment(segment, now, judged) for segment in sorted(seen))

    def _read_segment(
        self, segment: Segment, now: float, judged: Mapping[Segment, Judged]
    ) -> SegmentReading:
        predicted = self._predicted_of.get(segment)
        rows = predicted.total(now) if predicted is not None else 0
        found = judged.get(segment)
        reading = SegmentReading(
            *segment,
            rows,
            drift=found.status if found else None,
            drifted=found.drifted if found else (),
        )
        realised = self._realised_of.get(segment)
        if realised is None:
            return reading
        by_arrival, by_prediction = realised.readings(now, self.min_rows, rows)
        return replace(
            reading,
            realised=by_arrival.only(self.rules.metrics),
            by_prediction_time=by_prediction.only(self.rules.metrics),
            totals=realised.totals(),
        )
