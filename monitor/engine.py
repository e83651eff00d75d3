"""The engine: rows and labels in, one frozen `Snapshot` out. No I/O, no clock of its own.

`observe(batch)` counts rows into the current window, or gathers them while there is no reference;
`label(joined)` counts labels that met their predictions; `evaluate(now, health)` compares the
window with the reference and takes the alerts one step further.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from monitor.alerting.conditions import Subject, conditions
from monitor.alerting.ledger import LedgerState, Timing, alerts, step
from monitor.alerting.policy import DriftPolicy, Judge
from monitor.alerting.ranking import ranked
from monitor.learning import Held, Learning
from monitor.panes import PaneDocuments
from monitor.performance.desk import PerformanceDesk, PerformanceRules
from monitor.performance.label_drift import LabelDrift
from monitor.profile.counts import Counts
from monitor.profile.details import Details
from monitor.profile.layout import Layout
from monitor.profile.reference import Reference
from monitor.profile.segments import SegmentCounting
from monitor.records.batch import Batch, grouped
from monitor.records.label import Joined
from monitor.snapshot import (
    Alert,
    ColumnCounts,
    Health,
    Reading,
    ReferenceInfo,
    Snapshot,
)
from monitor.statistics.classes import Task
from monitor.windows import Window


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the engine is told once."""

    model: str = "model"
    version: str = "1"
    task: Task | None = None
    window_seconds: float = 3600.0
    pane_seconds: float = 60.0
    categories: int = 50
    drift: DriftPolicy = field(default_factory=DriftPolicy)
    timing: Timing = field(default_factory=Timing)
    performance: PerformanceRules = field(default_factory=PerformanceRules)
    page_url: str = ""

    @property
    def min_rows(self) -> int:
        """Fewer rows than this are no answer."""
        return self.drift.min_rows


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One look: what is known now, and the alerts that changed state by it."""

    snapshot: Snapshot
    transitions: tuple[Alert, ...]


class Engine:
    """One model's window, labels and alerts."""

    def __init__(
        self,
        settings: EngineSettings,
        reference: Reference | None = None,
    ) -> None:
        self._settings = settings
        self._ledger = LedgerState()
        self._learning = Learning(settings.task, settings.categories)
        self._held: Held | None = None  # while the rows before are made a reference
        self.desk = PerformanceDesk(
            settings.performance,
            settings.task,
            settings.window_seconds,
            settings.pane_seconds,
            settings.min_rows,
        )
        self.labels: LabelDrift | None = None
        self._reference: Reference | None = None
        self._judge: Judge | None = None
        self._window: Window[Counts] | None = None
        self._details: Window[Details] | None = None
        self._total: Counts | None = None
        self.panes: PaneDocuments | None = None  # to be saved now and then; none while learning
        self.predictions = 0
        if reference is not None:
            self.adopt(reference)

    @property
    def reference(self) -> Reference | None:
        """The reference in use, or None while one is being gathered."""
        return self._reference

    def restore_alerts(self, ledger: LedgerState) -> None:
        """Go on with the alerts of an earlier process."""
        self._ledger = ledger

    @property
    def ledger(self) -> LedgerState:
        """The alerts' state, to be kept over a restart."""
        return self._ledger

    def adopt(self, reference: Reference) -> None:
        """Use a reference from now on; the window starts anew, because its bins are others."""
        layout = reference.layout
        settings = self._settings
        self._reference = reference
        self._judge = Judge(reference)
        self._window = Window(layout.identity, settings.window_seconds, settings.pane_seconds)
        self._details = Window(Details(), settings.window_seconds, settings.pane_seconds)
        self.panes = PaneDocuments(reference.digest, self._window, self._details)
        self._total = layout.identity
        self.labels = None
        if reference.label_layout.columns:
            self.labels = LabelDrift(reference, settings.window_seconds, settings.pane_seconds)
            self.labels.restoring = self.desk.restoring
        self.desk.adopt(reference)

    def reconfigure(self, settings: EngineSettings) -> None:
        """Take new rules for what is counted already; sizes of windows keep until a restart."""
        self._settings = replace(
            settings,
            task=self._settings.task,
            window_seconds=self._settings.window_seconds,
            pane_seconds=self._settings.pane_seconds,
        )
        self.desk.reconfigure(settings.performance, settings.min_rows)

    def observe(self, batch: Batch) -> None:
        """Count a batch's rows."""
        self.predictions += len(batch)
        self.desk.observe(batch)
        if self._reference is not None:
            self._count(batch)
            return
        (self._learning if self._held is None else self._held).observe(batch)

    def learn(self, now: float) -> Reference | None:
        """The reference that the first rows make, once they are enough; then it is in use."""
        lesson = self.lesson(now)
        if lesson is None:
            return None
        reference = lesson()
        self.learned(reference)
        return reference

    def lesson(self, now: float) -> Callable[[], Reference] | None:
        """What makes the first rows a reference, once they are enough: given once, to be called in
        any thread. Rows that come meanwhile are held until `learned` is told of its result.
        """
        if self._reference is not None or self._held is not None or not self._learning.complete:
            return None
        self._held = Held()
        segments = self._settings.performance.segments
        return partial(_taught, self._learning, segments, now)

    def learned(self, reference: Reference | None) -> bool:
        """Use what a lesson gave, unless another was given since; None: begin to learn anew."""
        held, self._held = self._held, None
        self._learning = Learning(self._settings.task, self._settings.categories)
        if reference is None or self._reference is not None:
            return False
        self.adopt(reference)
        for batch in held.batches if held is not None else ():
            self._count(batch)
        return True

    def label(self, joined: Sequence[Joined], *, restored: bool = False) -> None:
        """Count labels that met their predictions; `restored` ones had been before a restart."""
        self.desk.label(joined, restored=restored)
        if self.labels is not None:
            self.labels.add(joined, restored=restored)

    def evaluate(self, now: float, health: Health) -> Evaluation:
        """One look at the window; call it about every pane, or more often."""
        window = self._window.total(now) if self._window is not None else None
        settings = self._settings
        readings = self._read(window, now)
        performance = self.desk.read(now, self._policy(whole=True))
        subject = Subject(settings.model, settings.version, settings.page_url)
        self._ledger, transitions = step(
            self._ledger,
            conditions(subject, readings, performance, health, now),
            now,
            settings.timing,
        )
        start, end = self._span(now)
        snapshot = Snapshot(
            model=settings.model,
            version=settings.version,
            evaluated_at=now,
            window_start=start,
            window_end=end,
            window_rows=window.rows if window is not None else 0,
            reference=self._reference_info(),
            readings=readings,
            counts=self._counts(),
            performance=performance,
            alerts=alerts(self._ledger),
            health=replace(health, predictions=self.predictions),
        )
        return Evaluation(snapshot, transitions)

    def _count(self, batch: Batch) -> None:
        """Each pane gets its own rows; nearly always all of a batch fall into one."""
        assert self._reference is not None  # noqa: S101 - observe() asked
        assert self._window is not None  # noqa: S101 - comes with the reference
        assert self._total is not None  # noqa: S101 - comes with the reference
        assert self._details is not None  # noqa: S101 - comes with the reference
        layout, window = self._reference.layout, self._window
        for part in grouped(batch, window.pane):
            counted = layout.count(part.features, part.outputs, part.probabilities, at=part.at)
            window.add(part.at[0], counted.counts)
            self._details.add(part.at[0], counted.details)
            self._total = self._total + counted.counts

    def _read(self, window: Counts | None, now: float) -> tuple[Reading, ...]:
        if self._judge is None or window is None or self._details is None:
            return ()
        details = self._details.total(now)
        readings = self._judge.readings(window, self._policy(whole=True), details)
        if self.labels is not None:
            readings += self.labels.readings(now, self._policy(whole=False))
        return ranked(readings)

    def _policy(self, *, whole: bool) -> DriftPolicy:
        """The part of the budget of false alerts that the live columns have, of the whole window or
        of one segment, or that the labels have: all tests count alike."""
        policy = self._settings.drift
        if self._reference is None:
            return policy
        live, late = (
            len(layout.columns) for layout in (self._reference.layout, self._reference.label_layout)
        )
        tested = live * (1 + self.desk.families) + late
        share = (live if whole else late) / tested
        return replace(policy, false_alerts_per_month=policy.false_alerts_per_month * share)

    def _counts(self) -> tuple[ColumnCounts, ...]:
        if self._reference is None or self._total is None:
            return ()
        reference = self._reference
        counts = column_counts(reference.layout, reference.counts, self._total)
        if self.labels is not None:
            labels = self.labels
            counts += column_counts(labels.labels.layout, labels.labels.counts, labels.total)
        return counts

    def _span(self, now: float) -> tuple[float, float]:
        if self._window is not None:
            return self._window.span(now)
        return now - self._settings.window_seconds, now

    def _reference_info(self) -> ReferenceInfo:
        if self._reference is None:
            return ReferenceInfo("learning", "", self._learning.rows, self._learning.rows_needed)
        held = self._reference
        return ReferenceInfo("ready", held.digest, held.rows, 0, held.span)


def _taught(learning: Learning, segments: tuple[str, ...], now: float) -> Reference:
    reference = learning.reference(now)
    if not segments:
        return reference
    counting = SegmentCounting(reference.layout, segments)
    return replace(reference, segments=counting.of([learning.held()]))


def column_counts(layout: Layout, before: Counts, total: Counts) -> tuple[ColumnCounts, ...]:
    """Rows since the start, bin by bin, beside the reference's shares."""
    observed = layout.bin_counts(total).tolist()
    shares = (layout.bin_counts(before) / max(before.rows, 1)).tolist()
    return tuple(
        ColumnCounts(
            profile.column.name,
            profile.column.role.value,
            tuple(profile.bins),
            tuple(observed[layout.bin_slice(index)]),
            tuple(shares[layout.bin_slice(index)]),
        )
        for index, profile in enumerate(layout.columns)
    )
