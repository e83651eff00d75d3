"""The monitor's parts, connected: what flows where, and what happens at each tick."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import structlog

from exporters.delivery import Sink
from exporters.sending import Sender
from monitor.accounts import DELAY_SECONDS, Accounts, Histogram
from monitor.alerting.ledger import from_document, to_document
from monitor.codec.decoder import Decoder
from monitor.config import Config
from monitor.engine import Engine
from monitor.errors import ReferenceFileError
from monitor.events import Events
from monitor.history import ScoreHistory, step_seconds
from monitor.observer import Observer
from monitor.panes import PREFIX as PANES
from monitor.profile.reference import Reference, save
from monitor.records.batch import Batch
from monitor.records.label import Joined
from monitor.service.continuity import Continuity
from monitor.service.documents import Documents
from monitor.service.house import ControlledHouse
from monitor.service.priority import Turns
from monitor.service.publication import Publication
from monitor.service.receivers import outbox_key, policy, targets
from monitor.service.redaction import check_reference, redacted
from monitor.service.references import learned_path, newest_reference
from monitor.service.settings import (
    LOOK_SECONDS,
    control_settings,
    decoder_settings,
    engine_settings,
    overheard_settings,
)
from monitor.service.stores import open_store
from monitor.service.upstream import UpstreamProbe
from monitor.snapshot import Health, Reloads, Snapshot
from monitor.store.writer import StoreWriter

log = structlog.get_logger()

LEDGER = "ledger"
MANY_ROWS = 20_000  # that wait for the store: what is observed faster waits in the relay instead
FIRST_REPORT_SECONDS = 0.02
PANES_SECONDS = 5.0  # of counts that a process may take with it when it is killed
LOOK_SHARE = 0.05  # of the process's time that looks may take; wide models are looked at less often


class Runtime:
    """Observer → engine → snapshot → exporters; labels → store → engine."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._started_at = time.time()
        self._delays = Histogram(DELAY_SECONDS)
        self._sinks: list[Sink] = []
        self._engine = Engine(engine_settings(config), newest_reference(config))
        model = config.model
        opening = partial(open_store, config)
        self._writer = StoreWriter(opening, self._joined, on_entries=self._told, hears=False)
        named = model.name, model.version
        self._continuity = Continuity(self._writer, self._engine, named, config.window.size)
        self._documents = Documents(self._writer)
        self._accounts = Accounts()
        self.observer = self._observer()
        self._probe = UpstreamProbe(
            (config.upstream.host or "127.0.0.1").strip("[]"),
            config.upstream.port or 80,
            config.timeouts.connect,
        )
        self._lesson: asyncio.Task[None] | None = None
        self.reloads = Reloads()
        self._panes_saved_at = time.monotonic()
        now = self._started_at
        self._publication = Publication(
            Snapshot(model.name, model.version, now, now, now, 0),
            ScoreHistory(step_seconds(config.window.size, config.window.pane)),
        )
        self.house = ControlledHouse(
            control_settings(config),
            self._engine,
            self._writer,
            self._probe,
            self._publication,
            self._adopt,
            config.limits.series,
        )
        self._events = Events(self.observer.arrived, config.observe.max_body_bytes)
        self.house.events = self._events

    async def start(self) -> None:
        """Open the store, take up alerts and labels where the last process left them."""
        self._writer.start()
        await self._continuity.resume()
        self._restore_alerts(await self._documents.load(LEDGER))
        for target in targets(self._config):
            key = outbox_key(target)
            load = partial(_given, await self._documents.load(key))
            sender = Sender(policy(self._config))
            self._sinks.append(Sink(target, sender, load=load, save=self._documents.saver(key)))
        await self._restore_panes()

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """What runs until it is cancelled."""
        return [self.observer.run(), self._tick(), *(sink.run() for sink in self._sinks)]

    def described(self) -> dict[str, object]:
        """What a log should say of a start."""
        reference = self._engine.reference
        return {
            "upstream": str(self._config.upstream),
            "reference": reference.digest if reference else "learning",
            "webhooks": len(self._sinks),
        }

    def drain(self) -> None:
        """Fail readiness, so that no new traffic is sent here."""
        self.house.draining = True

    async def stop(self, delivery_seconds: float) -> None:
        """Count what has arrived, write it down, and give waiting alerts a last chance."""
        self.observer.drain()
        self._look()
        await self._continuity.stop()
        self._save_panes()
        await asyncio.gather(*(sink.flush(delivery_seconds) for sink in self._sinks))
        for sink in self._sinks:
            await sink.close()
        await self._documents.settled()
        await self._writer.stop()

    def reconfigure(self, config: Config) -> None:
        """Take new rules; addresses, sizes and receivers keep until a restart."""
        self._engine.reconfigure(engine_settings(config))

    def _restore_alerts(self, document: dict[str, Any] | None) -> None:
        try:
            self._engine.restore_alerts(from_document(document))
        except ValueError as error:
            log.warning("alert state cannot be read: starting without", error=str(error))

    async def _restore_panes(self) -> None:
        if self._engine.panes is not None:
            rows = self._engine.panes.restore(await self._documents.load_all(PANES))
            log.info("window restored", rows=rows)

    def _save_panes(self) -> None:
        self._panes_saved_at = time.monotonic()
        if self._engine.panes is not None:
            for key, pane in self._engine.panes.changed().items():
                self._documents.save(key, pane)

    def _take(self, batch: Batch) -> None:
        """Count and keep a batch's rows; the first rows may complete a reference."""
        batch = redacted(batch, self._config.observe.redact)
        self._engine.observe(batch)
        self._writer.remember(batch.with_features(self._config.performance.segments))
        lesson = self._engine.lesson(time.time())
        if lesson is not None:
            self._lesson = asyncio.get_running_loop().create_task(self._learn(lesson))

    async def _learn(self, lesson: Callable[[], Reference]) -> None:
        """Make the first rows a reference beside the loop: a wide one takes seconds."""
        try:
            reference = await asyncio.to_thread(lesson)
        except Exception as error:  # noqa: BLE001 - other rows may teach what these could not
            log.warning("reference not learned", error=repr(error))
            self._engine.learned(None)
            return
        if self._engine.learned(reference):
            log.info("reference learned", rows=reference.rows, digest=reference.digest)
            await asyncio.to_thread(self._keep, reference)

    def _behind(self) -> int:
        return max(0, self._writer.queued_rows - MANY_ROWS)

    def _joined(self, joined: Sequence[Joined]) -> None:
        for one in joined:
            if one.previous is None and one.label is not None:
                self._delays.add(max(0.0, one.label.received_at - one.prediction.at))
        self._engine.label(joined)
        self._continuity.joined(len(joined))

    def _told(self, entries: Sequence[int]) -> None:
        self._continuity.told(entries)

    def _adopt(self, reference: Reference) -> None:
        """Use a reference that was given through the API, also after a restart."""
        check_reference(reference, self._config.observe.redact)
        self._keep(reference)
        self._engine.adopt(reference)
        self.observer.decoder = self._decoder()

    def _keep(self, reference: Reference) -> None:
        try:
            save(reference, learned_path(self._config))
        except ReferenceFileError as error:
            log.warning("reference not kept", error=str(error))

    def _observer(self) -> Observer:
        return Observer(
            self._decoder(),
            self._take,
            self._accounts,
            overheard_settings(self._config),
            behind=self._behind,
            pause=Turns(),
        )

    def _decoder(self) -> Decoder:
        reference = self._engine.reference
        task = self._config.model.task or (reference.task if reference else None)
        names = reference.feature_names if reference else ()
        return Decoder(decoder_settings(self._config, task, names))

    async def _tick(self) -> None:
        """Look at the window about every second, but never spend much of the process on it."""
        self._look()  # whoever asks first finds every column, if with nothing in it
        await self._first_report()
        while True:
            began = time.perf_counter()
            self._look()
            took = time.perf_counter() - began
            await self._probe.ask()
            await asyncio.sleep(max(LOOK_SECONDS, took / LOOK_SHARE))

    async def _first_report(self) -> None:
        """A relay says at once that it is there: what is published should not lag behind that."""
        for _ in range(round(LOOK_SECONDS / FIRST_REPORT_SECONDS)):
            if self._accounts.traffic(time.monotonic()).workers:
                return
            await asyncio.sleep(FIRST_REPORT_SECONDS)

    def _look(self) -> None:
        self._events.expire(time.time())
        evaluation = self._engine.evaluate(time.time(), self._health())
        self._publication.publish(evaluation.snapshot)
        if evaluation.transitions:
            for sink in self._sinks:
                sink.offer(evaluation.transitions)
            self._documents.save(LEDGER, to_document(self._engine.ledger))
        for sink in self._sinks:
            sink.remind(evaluation.snapshot.alerts)
        if time.monotonic() - self._panes_saved_at > PANES_SECONDS:
            self._save_panes()
        self._continuity.save_if_due()

    def _health(self) -> Health:
        traffic = self._accounts.traffic(time.monotonic())
        stored = self._writer.counts()
        deliveries = {key: n for sink in self._sinks for key, n in sink.deliveries.items()}
        feedback = {outcome.value: count for outcome, count in stored.outcomes.items()}
        feedback["rejected"] = feedback.get("rejected", 0) + self.house.rejected
        return Health(
            started_at=self._started_at,
            observing=traffic.workers > 0,
            observer_lag_seconds=self.observer.lag_seconds,
            upstream_reachable=self._probe.reachable,
            feedback=feedback,
            label_delay=self._delays.counts(),
            deliveries=deliveries,
            store_errors=stored.errors,
            store_rows=stored.rows,
            id_conflicts=stored.conflicts,
            store_dropped_rows=stored.dropped_rows,
            labels_waiting=stored.parked,
            reloads=self.reloads,
            traffic=traffic,
            events=self._events.outcomes,
        )


def _given(document: dict[str, Any] | None) -> dict[str, Any] | None:
    return document
