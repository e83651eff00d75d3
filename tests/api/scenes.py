"""What the page may have to show: a model that drifts, one that is well, one that is learned."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import uvicorn

from monitor.history import ScoreHistory
from monitor.snapshot import (
    Alert,
    AlertState,
    BinShare,
    ConfusionCell,
    ErrorShift,
    Health,
    LabelsOverdue,
    Performance,
    PerformanceReading,
    Reading,
    ReferenceInfo,
    SegmentReading,
    Snapshot,
    Status,
    Traffic,
)
from tests.api.conftest import MemoryHouse

EVIL = "<img src=x onerror=document.title='owned'>"
SCORES = {"distance": 0.62, EVIL: 0.31, "delay": 0.14, "hour": 0.02, "temp": 0.01}
LABELS = {"alertname": "SidelightFeatureDrift", "severity": "warning", "model": "flights"}


def _status(score: float) -> Status:
    return Status.DRIFT if score > 0.2 else Status.WARNING if score > 0.1 else Status.OK


def reading(name: str, score: float, kind: str = "numeric") -> Reading:
    """A column whose shares have moved to the right by its score."""
    bins = 9
    before = [math.exp(-(((i - 4) / 2) ** 2)) for i in range(bins)]
    now = [math.exp(-(((i - 4 - 4 * score) / 2) ** 2)) for i in range(bins)]
    shares = tuple(
        BinShare(f"[{10 * i}, {10 * i + 10})", p / sum(before), q / sum(now))
        for i, (p, q) in enumerate(zip(before, now, strict=True))
    )
    return Reading(
        name, "feature", kind, _status(score), "psi", 4210, score, 0.2, math.exp(-90 * score),
        {"psi": score, "js": score / 8}, 0.01, 50.0 + score, 20.0, 50.0, 20.0, 0.0, bins=shares,
    )  # fmt: skip


def alerts(now: float) -> tuple[Alert, ...]:
    """One that fires, one that is pending, one that is over."""

    def one(column: str, state: AlertState, *times: float) -> Alert:
        labels = {**LABELS, "column": column, "role": "feature"}
        notes = {"summary": f"{column} has drifted", "description": "psi 0.62 (threshold 0.2)"}
        return Alert(labels, notes, state, *(now - seconds for seconds in times))

    return (
        one("distance", AlertState.FIRING, 900, 780),
        one(EVIL, AlertState.PENDING, 50),
        one("hour", AlertState.RESOLVED, 7000, 6900, 2000),
    )


def regression(now: float) -> Performance:
    """A model that got worse, in one segment most of all."""
    bands = {"rmse": (19.9, 23.1), "mae": (10.4, 12.0)}
    realised = PerformanceReading(
        1310, Status.OK, {"rmse": 21.4, "mae": 11.2, "r2": 0.81}, intervals=bands
    )
    reference = PerformanceReading(5000, Status.OK, {"rmse": 16.2, "mae": 9.8, "r2": 0.88})
    segment = SegmentReading(
        "carrier", "<b>EV</b>", 900,
        PerformanceReading(310, Status.OK, {"rmse": 33.3, "mae": 19.0, "r2": 0.5}),
        reference=reference, drift=Status.DRIFT, drifted=(reading("distance", 0.9),),
    )  # fmt: skip
    return Performance(
        "regression",
        realised,
        by_prediction_time=PerformanceReading(1000, labelled_ratio=0.42),
        reference=reference,
        estimated=PerformanceReading(4210, Status.OK, {"rmse": 20.2}, intervals={"rmse": (18, 22)}),
        thresholds={"rmse": 20.0},
        segments=(segment, SegmentReading("carrier", "AA", 12)),
        shift=ErrorShift(now - 1800, 9.9, 14.5, 800),
        overdue=LabelsOverdue(77, 7200.0, now - 9000),
    )


def classification() -> Performance:
    """A classifier, with what it says of each class."""
    classes = {"recall": {"no": 0.97, "<i>yes</i>": 0.4}}
    cells = (("no", "no", 90), ("no", "<i>yes</i>", 3), ("<i>yes</i>", "no", 12))
    realised = PerformanceReading(
        105, Status.OK, {"accuracy": 0.857}, classes,
        confusion=tuple(ConfusionCell(*cell) for cell in cells),
    )  # fmt: skip
    return Performance("binary", realised)


def drifting(columns: int = len(SCORES)) -> Snapshot:
    """Everything that the page can show at once; more columns than five are quiet ones."""
    now = time.time()
    more = {f"feature_{i:03d}": 0.0001 * i for i in range(columns - len(SCORES))}
    readings = [reading(name, score) for name, score in {**SCORES, **more}.items()]
    readings[2] = replace(readings[2], quality=("missing 9 % (reference 0.1 %)",))
    few = Reading("prediction", "prediction", "numeric", Status.INSUFFICIENT, "psi", 12)
    traffic = Traffic({"200": 9, "502": 1}, {("skipped", "size"): 2}, workers=1, connections=3)
    return Snapshot(
        "flights", "3", now, now - 3600, now, 4210,
        ReferenceInfo("ready", "9f31c0aa12bd", 50_000), (*readings, few), (),
        regression(now), alerts(now),
        Health(now - 86_400, True, 0.01, True, 918_273, {"joined": 18},
               deliveries={("slack-0", "sent"): 3, ("slack-0", "failed"): 1}, traffic=traffic),
    )  # fmt: skip


def quiet() -> Snapshot:
    """Nothing is wrong."""
    full = drifting()
    readings = tuple(reading(name, score / 100) for name, score in SCORES.items())
    return replace(full, readings=readings, performance=Performance(), alerts=())


def learning() -> Snapshot:
    """The first rows have come."""
    info = ReferenceInfo("learning", "", 1240, 5000)
    full = drifting()
    return replace(full, reference=info, readings=(), alerts=(), performance=Performance())


def house_of(snapshot: Snapshot) -> MemoryHouse:
    """A house that has looked for two hours, and whose scores rose to what they are."""
    history = ScoreHistory(60.0)
    for minute in range(120):
        share = 1 / (1 + math.exp((60 - minute) / 8))
        past = tuple(
            replace(each, score=None if each.score is None else each.score * share)
            for each in snapshot.readings
        )
        at = snapshot.evaluated_at - 60.0 * (119 - minute)
        history.note(replace(snapshot, readings=past, evaluated_at=at))
    return MemoryHouse(current=snapshot, history=history)


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address of an application on a loopback socket."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join(10)
