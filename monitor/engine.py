"""The engine: rows and labels in, one frozen `Snapshot` out. No I/O, no clock of its own.

`observe(batch)` counts rows into the current window, or gathers them while there is no reference;
`label(joined)` counts labels that met their predictions; `evaluate(now, health)` compares the
window with the reference and takes the alerts one step further.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from monitor.alerting.conditions import Subject, conditions
from monitor.alerting.ledger import LedgerState, Timing, alerts, step
from monitor.alerting.policy import DriftPolicy, Judge
from monitor.learning import Learning
from monitor.profile.counts import Counts
from monitor.profile.reference import Reference
from monitor.profile.unseen import UnseenNames
from monitor.realised import Realised
from monitor.records.batch import Batch, grouped
from monitor.records.label import Joined
from monitor.snapshot import (
    Alert,
    ColumnCounts,
    Health,
    Performance,
    PerformanceReading,
    Reading,
    ReferenceInfo,
    Snapshot,
    Status,
)
from monitor.statistics.classes import TASKS, Task
from monitor.statistics.performance import infer_task
from monitor.windows import Window

MAX_HELD_LABELS = 100_000  # joined labels kept until the task is known


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
    metrics: tuple[str, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)
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
        self._held: list[Joined] = []
        self._realised: Realised | None = None
        self._reference: Reference | None = None
        self._judge: Judge | None = None
        self._window: Window[Counts] | None = None
        self._unseen: Window[UnseenNames] | None = None
        self._total: Counts | None = None
        self.predictions = 0
        if reference is not None:
            self.adopt(reference)
        elif settings.task is not None:
            self._know_task(settings.task)

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
        self._unseen = Window(UnseenNames(), settings.window_seconds, settings.pane_seconds)
        self._total = layout.identity
        if self._realised is None and (task := settings.task or TASKS.get(reference.task or "")):
            self._know_task(task)

    def reconfigure(self, settings: EngineSettings) -> None:
        """Take new rules for what is counted already; sizes of windows keep until a restart."""
        self._settings = replace(
            settings,
            task=self._settings.task,
            window_seconds=self._settings.window_seconds,
            pane_seconds=self._settings.pane_seconds,
        )

    def observe(self, batch: Batch) -> None:
        """Count a batch's rows."""
        self.predictions += len(batch)
        if self._reference is not None:
            self._count(batch)
            return
        self._learning.observe(batch)

    def learn(self, now: float) -> Reference | None:
        """The reference that the first rows make, once they are enough; then it is in use."""
        if self._reference is not None or not self._learning.complete:
            return None
        reference = self._learning.reference(now)
        self._learning = Learning(self._settings.task, self._settings.categories)
        self.adopt(reference)
        return reference

    def label(self, joined: Sequence[Joined], *, restored: bool = False) -> None:
        """Count labels that met their predictions; `restored` ones had been before a restart."""
        if self._realised is not None:
            self._realised.add(joined, restored=restored)
            return
        self._held.extend(joined[: MAX_HELD_LABELS - len(self._held)])
        truths = [one.label.value for one in self._held if one.label is not None]
        if len(truths) >= self._settings.min_rows:
            self._know_task(infer_task(truths))

    def evaluate(self, now: float, health: Health) -> Evaluation:
        """One look at the window; call it about every pane, or more often."""
        window = self._window.total(now) if self._window is not None else None
        readings = self._read(window, now)
        performance = self._perform(now)
        settings = self._settings
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

    def _know_task(self, task: Task) -> None:
        settings = self._settings
        self._realised = Realised(task, settings.window_seconds, settings.pane_seconds)
        self._settings = replace(settings, task=task)
        held, self._held = self._held, []
        self._realised.add(held)

    def _count(self, batch: Batch) -> None:
        """Each pane gets its own rows; nearly always all of a batch fall into one."""
        assert self._reference is not None  # noqa: S101 - observe() asked
        assert self._window is not None  # noqa: S101 - comes with the reference
        assert self._total is not None  # noqa: S101 - comes with the reference
        layout, window = self._reference.layout, self._window
        for part in grouped(batch, window.pane):
            counted = layout.count(part.features, part.outputs, part.probabilities)
            window.add(part.at[0], counted.counts)
            if counted.unseen and self._unseen is not None:
                self._unseen.add(part.at[0], UnseenNames(counted.unseen))
            self._total = self._total + counted.counts

    def _read(self, window: Counts | None, now: float) -> tuple[Reading, ...]:
        if self._judge is None or window is None or self._unseen is None:
            return ()
        names = self._unseen.total(now).names
        return self._judge.readings(window, self._settings.drift, names)

    def _perform(self, now: float) -> Performance:
        settings, known = self._settings, self._realised
        before = self._reference.performance if self._reference else None
        performance = Performance(task=settings.task, thresholds=settings.thresholds)
        if before is not None:
            reading = PerformanceReading(before.rows, Status.OK, before.metrics, before.by_class)
            performance = replace(performance, reference=reading.only(settings.metrics))
        if known is None:
            return performance
        return replace(
            performance,
            realised=known.by_arrival(now, settings.min_rows).only(settings.metrics),
            by_prediction_time=known.by_prediction(now, settings.min_rows).only(settings.metrics),
            totals=known.totals(),
        )

    def _counts(self) -> tuple[ColumnCounts, ...]:
        if self._reference is None or self._total is None:
            return ()
        layout, reference = self._reference.layout, self._reference
        observed = layout.bin_counts(self._total).tolist()
        before = layout.bin_counts(reference.counts) / max(reference.counts.rows, 1)
        shares = before.tolist()
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

    def _span(self, now: float) -> tuple[float, float]:
        if self._window is not None:
            return self._window.span(now)
        return now - self._settings.window_seconds, now

    def _reference_info(self) -> ReferenceInfo:
        if self._reference is None:
            return ReferenceInfo("learning", "", self._learning.rows, self._learning.rows_needed)
        return ReferenceInfo("ready", self._reference.digest, self._reference.rows, 0)
