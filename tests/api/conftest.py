"""A house in memory, honest at the port: it keeps what it acknowledges."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from monitor.api.app import create_app
from monitor.api.ports import ControlSettings, ErasedRows, LabelOutcome, PredictedRow
from monitor.errors import ReferenceFileError, StoreError
from monitor.events import Event
from monitor.history import ScoreHistory
from monitor.records.label import Label, Outcome, Prediction
from monitor.snapshot import (
    Alert,
    AlertState,
    BinShare,
    Health,
    Performance,
    PerformanceReading,
    Reading,
    ReferenceInfo,
    Snapshot,
    Status,
    Traffic,
)

NOW = 1_793_527_200.0  # 2026-11-01T10:00:00Z


def snapshot() -> Snapshot:
    bins = (BinShare("< 0", 0.5, 0.25), BinShare(">= 0", 0.5, float("nan")))
    readings = (
        Reading("a/b c", "feature", "numeric", Status.DRIFT, "psi", 400, 0.5, 0.2, 1e-9,
                {"psi": 0.5, "ks": float("inf")}, 0.1, 1.0, 2.0, bins=bins, explanation="moved"),
        Reading("same", "feature", "numeric", Status.OK, "psi", 400, 0.01, 0.2, 0.5, bins=bins),
        Reading("same", "prediction", "numeric", Status.INSUFFICIENT, "psi", 3),
    )  # fmt: skip
    realised = PerformanceReading(300, Status.OK, {"rmse": 4.0, "mae": 2.0})
    labels = {"alertname": "SidelightFeatureDrift", "severity": "warning", "model": "m"}
    return Snapshot(
        "m", "1", NOW, NOW - 3600, NOW, 400, ReferenceInfo("ready", "abc", 5000), readings, (),
        Performance("regression", realised, reference=PerformanceReading(9, metrics={"rmse": 3.0})),
        (Alert(labels, {"summary": "s"}, AlertState.FIRING, NOW - 300, NOW - 180),),
        Health(NOW - 9000, True, 0.1, True, 1234, {"joined": 300}, deliveries={("hook", "sent"): 2},
               traffic=Traffic({"200": 9}, {("observed", ""): 8}, queue_bytes=77, workers=1)),
    )  # fmt: skip


@dataclass
class MemoryHouse:
    """The port, kept in memory."""

    control: ControlSettings = field(default_factory=ControlSettings)
    current: Snapshot = field(default_factory=snapshot)
    known: dict[tuple[str, int], Label] = field(default_factory=dict)
    predicted: set[str] = field(default_factory=lambda: {"abc"})
    document: bytes | None = None
    rejected: int = 0
    broken: bool = False
    is_ready: bool = True
    events: list[Event] = field(default_factory=list)
    history: ScoreHistory = field(default_factory=lambda: ScoreHistory(60.0))

    def snapshot(self) -> Snapshot:
        return self.current

    def metrics(self, accept: str) -> tuple[bytes, str]:
        return f"# accept {accept}\n".encode(), "text/plain; version=0.0.4; charset=utf-8"

    def observe_event(self, event: Event, now: float) -> str:
        assert event.at <= now
        self.events.append(event)
        return "waiting"

    async def join(self, labels: Sequence[Label]) -> Sequence[LabelOutcome]:
        if self.broken:
            raise StoreError("disk full at /canary/path")
        return [self._join(label) for label in labels]

    def _join(self, label: Label) -> LabelOutcome:
        if isinstance(label.value, str):
            return LabelOutcome(Outcome.REJECTED, "not a number")
        key = (label.prediction_id, label.row)
        before = self.known.get(key)
        self.known[key] = label
        if before is not None:
            same = before.value == label.value
            return LabelOutcome(Outcome.DUPLICATE if same else Outcome.CORRECTED)
        seen = label.prediction_id in self.predicted
        return LabelOutcome(Outcome.JOINED if seen else Outcome.PENDING)

    def count_rejected(self, labels: int) -> None:
        self.rejected += labels

    async def prediction(self, prediction_id: str) -> Sequence[PredictedRow]:
        if self.broken:
            raise StoreError("down")
        prediction_id = {"order-7": "abc"}.get(prediction_id, prediction_id)
        if prediction_id not in self.predicted:
            return []
        label = self.known.get((prediction_id, 0))
        return [PredictedRow(Prediction(prediction_id, 0, NOW, 1.5, {"yes": 0.25}), label)]

    async def erase(self, prediction_id: str) -> ErasedRows:
        if self.broken:
            raise StoreError("down")
        if prediction_id == "trace":
            return ErasedRows(ambiguous=True)
        gone = [key for key in self.known if key[0] == prediction_id]
        for key in gone:
            del self.known[key]
        rows = prediction_id in self.predicted
        self.predicted.discard(prediction_id)
        return ErasedRows(int(rows), len(gone))

    async def revoke(self, source: str) -> int:
        if self.broken:
            raise StoreError("down")
        gone = [key for key, label in self.known.items() if label.source == source]
        for key in gone:
            del self.known[key]
        return len(gone)

    async def ready(self) -> tuple[bool, str]:
        return self.is_ready, "" if self.is_ready else "upstream refuses connections"

    async def reference(self) -> bytes | None:
        return self.document

    async def replace_reference(self, document: bytes) -> None:
        if self.broken:
            raise StoreError("down")
        if b'"sidelight_reference"' not in document:
            raise ReferenceFileError("not a reference file")
        self.document = document


class Client:
    """Asks an application without a socket; each call is a conversation of its own."""

    def __init__(self, app: FastAPI, host: str = "localhost:8001") -> None:
        self.app = app
        self.base = f"http://{host}"

    def ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self.base) as client:
                return await client.request(method, path, **sent)

        return asyncio.run(one())

    def get(self, path: str, **sent: Any) -> httpx.Response:
        return self.ask("GET", path, **sent)

    def post(self, document: object, headers: Mapping[str, str] | None = None) -> httpx.Response:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        fields = {"content-type": "application/json", **(headers or {})}
        return self.ask("POST", "/feedback", content=body, headers=fields)


@pytest.fixture
def house() -> MemoryHouse:
    return MemoryHouse()


@pytest.fixture
def client(house: MemoryHouse) -> Client:
    return Client(create_app(house, clock=lambda: NOW, monotonic=lambda: 0.0))


@pytest.fixture
def client_of() -> Callable[..., tuple[Client, MemoryHouse]]:
    """Makes a client of a house with other settings."""

    def make(
        monotonic: Callable[[], float] = lambda: 0.0, **settings: Any
    ) -> tuple[Client, MemoryHouse]:
        house = MemoryHouse(replace(ControlSettings(), **settings))
        return Client(create_app(house, clock=lambda: NOW, monotonic=monotonic)), house

    return make
