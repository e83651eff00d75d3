"""What the control API may ask of the rest of the house."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from exporters.prometheus import PrometheusExporter
from monitor.api.ports import ControlSettings, ErasedRows, LabelOutcome, PredictedRow
from monitor.engine import Engine
from monitor.events import Event, Events
from monitor.history import ScoreHistory
from monitor.profile.reference import Reference, parse, render
from monitor.records.label import Label
from monitor.service.publication import Publication
from monitor.service.upstream import UpstreamProbe
from monitor.snapshot import Snapshot
from monitor.store.writer import StoreWriter


class ControlledHouse:
    """The API's port on engine, store and exporters; it writes labels and a new reference only."""

    def __init__(
        self,
        control: ControlSettings,
        engine: Engine,
        writer: StoreWriter,
        probe: UpstreamProbe,
        published: Publication,
        adopt: Callable[[Reference], None],
        series_limit: int,
    ) -> None:
        self.control = control
        self.rejected = 0
        self.events: Events | None = None  # given once there is an observer
        self.draining = False
        self._engine = engine
        self._writer = writer
        self._probe = probe
        self._published = published
        self._adopt = adopt
        self._exporter = PrometheusExporter(published.newest, series_limit=series_limit)

    def snapshot(self) -> Snapshot:
        """The newest snapshot."""
        return self._published.newest()

    @property
    def history(self) -> ScoreHistory:
        """How each column's score went lately."""
        return self._published.history

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """The newest snapshot as Prometheus reads it, and its content type."""
        return self._exporter.render(accept)

    def observe_event(self, event: Event, now: float) -> str:
        """Take one half of a logged exchange; what became of it."""
        return self.events.offer(event, now) if self.events else "skipped"

    async def join(self, labels: Sequence[Label]) -> Sequence[LabelOutcome]:
        """Join labels with their predictions; they are durable when this returns."""
        report = await self._writer.join(labels)
        return [
            LabelOutcome(outcome, report.rejected.get(index, ""))
            for index, outcome in enumerate(report.outcomes)
        ]

    def count_rejected(self, labels: int) -> None:
        """Count items of feedback that were no labels."""
        self.rejected += labels

    async def prediction(self, prediction_id: str) -> Sequence[PredictedRow]:
        """What was predicted under an id, and its labels as far as known."""
        stored = await self._writer.prediction(prediction_id)
        return [
            PredictedRow(one.prediction, one.label, one.history)
            for one in stored
            if one.prediction is not None  # a parked label predicts nothing
        ]

    async def erase(self, prediction_id: str) -> ErasedRows:
        """Delete all of an id, for good."""
        erased = await self._writer.erase(prediction_id)
        return ErasedRows(erased.rows, erased.labels, erased.ambiguous)

    async def revoke(self, source: str) -> int:
        """Take out all labels of a source."""
        return await self._writer.revoke(source)

    async def ready(self) -> tuple[bool, str]:
        """Whether traffic sent now would be served: the relay accepts and the model is there."""
        if self.draining:
            return False, "draining"
        if not self._published.newest().health.traffic.workers:
            return False, "no relay worker accepts connections"
        if not await self._probe.ask():
            return False, "the upstream cannot be reached"
        return True, "ready"

    async def reference(self) -> bytes | None:
        """The reference in use, as its file."""
        reference = self._engine.reference
        return json.dumps(render(reference)).encode() if reference else None

    async def replace_reference(self, document: bytes) -> None:
        """Use another reference from now on."""
        self._adopt(parse(document))
