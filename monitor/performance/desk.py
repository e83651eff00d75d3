"""The performance desk: rows and labels in, one `Performance` out. No I/O, no clock of its own.

Rows are held until the next look and then counted together, so that many segments cost little more
than one. What is not configured costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

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
        self.segments = Segments(rules.segments, rules.segment_values)
        self.restoring = (
            False  # labels of the window are still read back: no figure of them is told
        )
        self.predicted = Window(0, *self._sizes)
        self.predicted_of: dict[Segment, Window[int]] = {}
        self.realised: Realised | None = None
        self.realised_of: dict[Segment, Realised] = {}
        self.drift: SegmentDrift | None = None
        self.estimates: Estimates | None = None
        self._reference: ReferencePerformance | None = None
        self.stream: ErrorStream | None = None
        first = FIRST_LABEL_SECONDS if rules.thresholds else None
        self.watch = LabelWatch(rules.label_delay_seconds, first)
        self._waiting: list[Batch] = []
        self._waiting_rows = 0
        self._early: list[Joined] = []
        if task is not None:
            self.know(task)

    @property
    def families(self) -> int:
        """How many segments are tested for drift, each in every column."""
        return len(self.drift) if self.drift is not None else 0

    def adopt(self, reference: Reference) -> None:
        """Read against this reference from now on."""
        self.settle()
        self._reference = reference.performance
        self.drift = None
        self.estimates = None
        if reference.estimator is not None:
            self.estimates = Estimates(reference.estimator, *self._sizes)
        if self.segments:
            self.segments.adopt(reference)
            if reference.segments:
                self.drift = SegmentDrift(reference, *self._sizes)
                self.drift.keep(self.segments.known)
        if self.task is None and (task := TASKS.get(reference.task or "")):
            self.know(task)

    def reconfigure(self, rules: PerformanceRules, min_rows: int) -> None:
        """Take other metrics and thresholds; segments keep until a restart."""
        self.rules = replace(
            rules, segments=self.rules.segments, segment_values=self.rules.segment_values
        )
        self.min_rows = min_rows

    def observe(self, batch: Batch) -> None:
        """Count predicted rows."""
        for part in grouped(batch, self.predicted.pane):
            self.predicted.add(part.at[0], len(part))
            self.watch.predicted(part.at[0], len(part))
        if self.estimates is not None:
            self.estimates.observe(batch)
        if self.segments:
            self._waiting.append(batch)
            self._waiting_rows += len(batch)
            if self._waiting_rows >= HELD_ROWS:
                self.settle()

    def label(self, joined: Sequence[Joined], *, restored: bool = False) -> None:
        """Count labels that met their predictions; `restored` ones had been before a restart."""
        self.watch.joined(joined, restored=restored)
        if self.realised is None:
            self._early.extend(joined[: MAX_HELD_LABELS - len(self._early)])
            known = [one.label.value for one in self._early if one.label is not None]
            if len(known) >= self.min_rows:
                self.know(infer_task(known))
            return
        self.realised.add(joined, restored=restored)
        if self.stream is not None:
            self.stream.add(joined)
        self._label_segments(joined, restored=restored)

    def read(self, now: float, policy: DriftPolicy) -> Performance:
        """Everything that is known at a moment."""
        self.settle()
        reference, metrics = self._reference, self.rules.metrics
        before = None
        if reference is not None:
            known = PerformanceReading(
                reference.rows, Status.OK, reference.metrics, reference.by_class
            )
            before = known.only(metrics)
        estimated = self.estimates.reading(now, self.min_rows) if self.estimates else None
        told = Performance(
            reference=before,
            estimated=estimated.only(metrics) if estimated else None,
            overdue=self.watch.overdue(now),
        )
        if self.realised is None or self.restoring:
            return replace(told, restoring=self.restoring)
        predicted = self.predicted.total(now)
        by_arrival, by_prediction = self.realised.readings(now, self.min_rows, predicted)
        return replace(
            told,
            task=self.task,
            realised=by_arrival.only(metrics),
            by_prediction_time=by_prediction.only(metrics),
            thresholds=resolved(self.rules.thresholds, reference, by_arrival.rows),
            totals=self.realised.totals(),
            segments=self._read_segments(now, policy),
            shift=self.stream.found(now) if self.stream else None,
        )

    def predicted_in(self, segment: Segment) -> Window[int]:
        """The rows predicted in a segment."""
        if segment not in self.predicted_of:
            self.predicted_of[segment] = Window(0, *self._sizes)
        return self.predicted_of[segment]

    def realised_in(self, segment: Segment) -> Realised:
        """What was realised in a segment."""
        if segment not in self.realised_of:
            assert self.task is not None  # noqa: S101 - comes with the first counts
            self.realised_of[segment] = Realised(self.task, *self._sizes)
        return self.realised_of[segment]

    def know(self, task: Task) -> None:
        """Count labels as this task's from now on, those that came before included."""
        self.task = task
        self.realised = Realised(task, *self._sizes)
        usual = self._reference.metrics.get("mae") if self._reference else None
        self.stream = ErrorStream(task, usual, self._sizes[0])
        early, self._early = self._early, []
        self.realised.add(early)
        self.stream.add(early)
        self._label_segments(early)

    def _label_segments(self, joined: Sequence[Joined], *, restored: bool = False) -> None:
        parts: dict[Segment, list[Joined]] = {}
        for one in joined if self.segments else ():
            for segment in self.segments.of(one.prediction.segments):
                parts.setdefault(segment, []).append(one)
        for segment, part in parts.items():
            self.realised_in(segment).add(part, restored=restored)

    def settle(self) -> None:
        """Count the rows that wait, by segment."""
        waiting, self._waiting, self._waiting_rows = self._waiting, [], 0
        for whole in concatenate(waiting):
            for batch in grouped(whole, self.predicted.pane):
                for column in self.segments.columns:
                    if column in batch.features:
                        self._count_column(batch, column)

    def _count_column(self, batch: Batch, column: str) -> None:
        rows: dict[str, list[int]] = {}
        for row, value in enumerate(self.segments.codes(column, batch.features[column])):
            if value is not None:
                rows.setdefault(value, []).append(row)
        for value, indices in rows.items():
            segment = Segment(column, value)
            self.predicted_in(segment).add(batch.at[0], len(indices))
            if self.drift is not None and segment in self.drift:
                self.drift.observe(segment, taken(batch, indices))

    def _read_segments(self, now: float, policy: DriftPolicy) -> tuple[SegmentReading, ...]:
        judged = self.drift.judge(now, policy) if self.drift is not None else {}
        seen = {**self.predicted_of, **dict.fromkeys(self.realised_of)}
        return tuple(self._read_segment(segment, now, judged) for segment in sorted(seen))

    def _read_segment(
        self, segment: Segment, now: float, judged: Mapping[Segment, Judged]
    ) -> SegmentReading:
        predicted = self.predicted_of.get(segment)
        rows = predicted.total(now) if predicted is not None else 0
        found = judged.get(segment)
        reading = SegmentReading(
            *segment,
            rows,
            drift=found.status if found else None,
            drifted=found.drifted if found else (),
        )
        realised = self.realised_of.get(segment)
        if realised is None:
            return reading
        by_arrival, by_prediction = realised.readings(now, self.min_rows, rows)
        return replace(
            reading,
            realised=by_arrival.only(self.rules.metrics),
            by_prediction_time=by_prediction.only(self.rules.metrics),
            totals=realised.totals(),
        )
