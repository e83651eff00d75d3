"""Counts over a restart: the same figures as before, however the process ended, each label once."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.alerting.policy import DriftPolicy
from monitor.api.performance import performance
from monitor.engine import Engine, EngineSettings
from monitor.errors import StoreError
from monitor.performance.desk import PerformanceRules
from monitor.profile.build import Rows, build_from_columns
from monitor.profile.reference import Reference
from monitor.profile.segments import SegmentCounting
from monitor.records.batch import Batch
from monitor.records.label import Joined, Label
from monitor.service import continuity
from monitor.service.continuity import Continuity
from monitor.snapshot import Health, Snapshot
from monitor.statistics.classes import Task
from monitor.store.postgresql import PostgresStore
from monitor.store.protocol import Store
from monitor.store.settings import StoreSettings
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import StoreWriter

START = 1_000_000.0
NOW = START + 400.0
ROWS = 400
EVER = 1e12
CARRIERS = ("AA", "UA", "WN")
WELL = Health(observing=True)


def settings(task: Task | None) -> EngineSettings:
    return EngineSettings(
        task=task,
        window_seconds=600.0,
        pane_seconds=60.0,
        drift=DriftPolicy(window_seconds=600.0, look_seconds=60.0, min_rows=20),
        performance=PerformanceRules(segments=("carrier",), segment_values=2),
    )


def rows_of(seed: int, count: int, task: Task) -> Rows:
    draw = np.random.default_rng(seed)
    carrier = draw.choice(CARRIERS, count)
    x = draw.normal(size=count)
    features = {"x": x, "carrier": carrier.tolist()}
    if task == "regression":
        return Rows(features, {"prediction": x}, labels=x + draw.normal(size=count))
    classes = ["no", "yes"] if task == "binary" else ["a", "b", "c"]
    shares = draw.dirichlet(np.ones(len(classes)), count)
    guesses = [classes[place] for place in shares.argmax(axis=1)]
    truth = draw.choice(classes, count).tolist()
    given = {name: shares[:, place] for place, name in enumerate(classes)}
    return Rows(features, {"prediction": guesses}, given, labels=truth)


def reference_of(task: Task) -> Reference:
    rows = rows_of(0, 1500, task)
    whole = build_from_columns(rows, created_at=0.0, task=task)
    return replace(whole, segments=SegmentCounting(whole.layout, ["carrier"]).of([rows]))


class House:
    """Engine, store and what keeps them together, as the runtime connects them."""

    def __init__(
        self,
        place: Path | str,
        task: Task | None,
        reference: Reference | None,
        model: tuple[str, str] = ("m", "1"),
    ) -> None:
        self.engine = Engine(settings(task), reference)
        kept = StoreSettings(segments=("carrier",))
        self.writer = StoreWriter(
            lambda: (
                SqliteStore(place, kept)
                if isinstance(place, Path)
                else PostgresStore(place, "a", kept)
            ),
            self._joined,
            on_entries=self._told,
            hears=False,
            clock=lambda: NOW,
        )
        self.continuity = Continuity(self.writer, self.engine, model, EVER)

    def _joined(self, joined: Sequence[Joined]) -> None:
        self.engine.label(joined)
        self.continuity.joined(len(joined))

    def _told(self, entries: Sequence[int]) -> None:
        self.continuity.told(entries)

    def predict(self, rows: Rows) -> None:
        for at in range(0, ROWS, 50):
            part = slice(at, at + 50)
            ids = [f"p{number}" for number in range(at, at + 50)]
            batch = Batch(
                ids,
                [0] * 50,
                [START + at] * 50,
                {name: listed(column)[part] for name, column in rows.features.items()},
                {"prediction": listed(rows.outputs["prediction"])[part]},
                {name: listed(column)[part] for name, column in rows.probabilities.items()},
            )
            self.engine.observe(batch)
            self.writer.remember(batch.with_features(("carrier",)))

    async def post(self, values: Sequence[Any], first: int, source: str = "") -> None:
        labels = [
            Label(f"p{first + i}", 0, plain(value), START + first + i, START + first + i, source)
            for i, value in enumerate(values)
        ]
        await self.writer.join(labels)

    def look(self) -> Snapshot:
        return self.engine.evaluate(NOW, WELL).snapshot


def listed(column: Any) -> list[Any]:
    return [plain(value) for value in column]


def plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


@contextlib.asynccontextmanager
async def opened(
    place: Path | str,
    task: Task | None,
    reference: Reference | None,
    model: tuple[str, str] = ("m", "1"),
) -> AsyncIterator[House]:
    """A process; it ends as a killed one does, with no checkpoint of its own."""
    house = House(place, task, reference, model)
    house.writer.start()
    await house.continuity.resume()
    await restored(house)
    yield house
    await house.writer.stop()


async def restored(house: House) -> None:
    for _ in range(500):
        if not house.engine.desk.restoring:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("labels are still read back")


def told(snapshot: Snapshot) -> tuple[dict[str, Any], object]:
    """Everything that is said of labels."""
    said = performance(snapshot)
    labels = [
        (one.status, one.rows, *(round(value or 0.0, 9) for value in (one.score, one.p_value)))
        for one in snapshot.readings
        if one.role == "label"
    ]
    return said, labels


Deed = Callable[[House, Rows], Awaitable[None]]


async def nothing(house: House, rows: Rows) -> None:
    pass


async def a_checkpoint(house: House, rows: Rows) -> None:
    await house.continuity.save()


async def more_labels(house: House, rows: Rows) -> None:
    await house.post(list(rows.labels)[200:300], 200)  # type: ignore[arg-type]


async def corrections_and_duplicates(house: House, rows: Rows) -> None:
    corrected = list(rows.labels)[50:120]  # type: ignore[arg-type]
    labels = [
        Label(f"p{number}", 0, plain(value), START + 350.0, START + 350.0, "later")
        for number, value in enumerate(corrected, 20)
    ]
    await house.writer.join(labels + labels)
    await house.writer.join(labels)


async def a_revocation(house: House, rows: Rows) -> None:
    await house.post(list(rows.labels)[300:350], 300, "wrong")  # type: ignore[arg-type]
    assert await house.writer.revoke("wrong") == 50
    assert await house.writer.revoke("later") >= 0


async def a_deletion(house: House, rows: Rows) -> None:
    for number in (0, 1, 30, 399):
        await house.writer.erase(f"p{number}")


ENDS: dict[str, tuple[Deed, ...]] = {
    "killed after a checkpoint": (a_checkpoint,),
    "killed before any checkpoint": (nothing,),
    "killed with labels since": (a_checkpoint, more_labels, corrections_and_duplicates),
    "killed after a revocation": (
        corrections_and_duplicates,
        a_checkpoint,
        a_revocation,
    ),
    "killed after a deletion": (a_checkpoint, more_labels, a_deletion),
    "killed between two checkpoints": (
        a_checkpoint,
        more_labels,
        a_deletion,
        a_checkpoint,
        corrections_and_duplicates,
        a_revocation,
        a_checkpoint,
        more_labels,
    ),
}


CASES: list[tuple[Task, str]] = [
    *(("regression", end) for end in ENDS),
    *((task, end) for task in ("binary", "multiclass") for end in list(ENDS)[-2:]),
]


@pytest.mark.parametrize(("task", "end"), CASES)
def test_a_restart_tells_the_same_of_labels(tmp_path: Path, task: Task, end: str) -> None:
    asyncio.run(restarted(tmp_path / "store.db", task, ENDS[end]))


async def restarted(place: Path | str, task: Task, deeds: tuple[Deed, ...]) -> None:
    """A process that does all this, one that takes it up, and one that takes that up."""
    reference = reference_of(task)
    rows = rows_of(1, ROWS, task)

    async with opened(place, task, reference) as house:
        house.predict(rows)
        await house.post(list(rows.labels)[:200], 0)  # type: ignore[arg-type]
        for deed in deeds:
            await deed(house, rows)
        before = told(house.look())
        assert before[0]["realised"]["rows"] >= 197
    async with opened(place, task, reference) as house:
        after = told(house.look())
        if deeds == (nothing,):  # what was predicted is in no row count: no share is told
            before, after = _without_shares(before), _without_shares(after)
        assert after == before
        await house.continuity.save()
    async with opened(place, task, reference) as house:
        again = told(house.look())
        assert (_without_shares(again) if deeds == (nothing,) else again) == before


def _without_shares(said: tuple[dict[str, Any], object]) -> tuple[Any, object]:
    document, labels = said
    named = {"realised", "by_prediction_time"}
    return (
        [{**document[name], "labelled_ratio": None} for name in sorted(named)],
        labels,
    )


def test_segments_estimates_and_shares_come_back(tmp_path: Path) -> None:
    reference = reference_of("regression")
    rows = rows_of(1, ROWS, "regression")

    async def play() -> None:
        async with opened(tmp_path / "store.db", "regression", reference) as house:
            house.predict(rows)
            await house.post(list(rows.labels)[:200], 0)  # type: ignore[arg-type]
            before = house.look().performance
            await house.continuity.save()
        async with opened(tmp_path / "store.db", "regression", reference) as house:
            after = house.look().performance
        assert after.by_prediction_time.labelled_ratio == 0.5
        assert [one.name for one in after.segments] == [one.name for one in before.segments]
        assert [one.drift for one in after.segments] == [one.drift for one in before.segments]
        assert all(one.drift in {"ok", "drift"} for one in after.segments if one.value != "other")
        assert after.segments == before.segments or [
            replace(one, totals=other.totals)
            for one, other in zip(after.segments, before.segments, strict=True)
        ] == list(before.segments)

    asyncio.run(play())


def test_a_task_that_labels_told_is_known_after_a_restart(tmp_path: Path) -> None:
    rows = rows_of(1, ROWS, "binary")

    async def play() -> None:
        async with opened(tmp_path / "store.db", None, None) as house:
            house.predict(rows)
            await house.post(list(rows.labels)[:200], 0)  # type: ignore[arg-type]
            before = told(house.look())
            await house.continuity.save()
        async with opened(tmp_path / "store.db", None, None) as house:
            assert house.engine.desk.task == "binary"
            assert told(house.look()) == before

    asyncio.run(play())


@pytest.mark.parametrize("changed", ["reference", "task", "model", "document"])
def test_what_rests_on_other_ground_is_counted_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    monkeypatch.setattr(continuity, "RETRY_SECONDS", 0.0)
    rows = rows_of(1, ROWS, "regression")
    reference = reference_of("regression")
    path = tmp_path / "store.db"

    async def play() -> None:
        async with opened(path, "regression", reference) as house:
            house.predict(rows)
            await house.post(list(rows.labels)[:200], 0)  # type: ignore[arg-type]
            await house.continuity.save()
            expected = told(house.look())[0]["realised"]
            if changed == "document":
                await house.writer.ask(_damage)
        task: Task = "multiclass" if changed == "task" else "regression"
        other = {"reference": replace(reference, created_at=1.0), "task": None}
        found = other.get(changed, reference)
        model = ("m", "2" if changed == "model" else "1")
        async with opened(path, task, found, model) as house:
            said = told(house.look())[0]["realised"]
            if changed == "task":
                assert (said["rows"], said["accuracy"]) == (200, 0.0)
            else:
                assert {**said, "labelled_ratio": 0.5} == expected

    asyncio.run(play())


def _damage(store: Store) -> None:
    documents = store.documents("counted ")
    key = next(key for key in documents if key != "counted all")
    wrong = {**documents[key], "parts": [["by_arrival", [], {"rows": "many"}]]}
    store.put_document(key, wrong)


def test_rows_that_cannot_be_read_to_their_end_are_not_told_as_if_they_were_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_of(1, ROWS, "regression")
    reads = iter([True, False])
    failed = threading.Event()

    def broken(joins: Iterator[Joined]) -> list[Joined]:
        if next(reads):
            return list(islice(joins, 100))
        failed.set()
        raise StoreError("the disk is gone")

    async def play() -> None:
        async with opened(tmp_path / "store.db", "regression", None) as house:
            house.predict(rows)
            await house.post(list(rows.labels)[:200], 0)  # type: ignore[arg-type]
        monkeypatch.setattr(continuity, "_piece", broken)
        house = House(tmp_path / "store.db", "regression", None)
        house.writer.start()
        await house.continuity.resume()
        assert await asyncio.to_thread(failed.wait, 10)
        for _ in range(100):  # turns of the loop, in which it hears of that
            await asyncio.sleep(0)
        document = told(house.look())[0]
        assert (document["restoring"], document["realised"]["rows"]) == (True, 0)
        await house.continuity.stop()
        resumed = await house.writer.ask(lambda store: store.resume("counted "))
        assert resumed.documents == {}  # a part was not kept as if it were all
        await house.writer.stop()

    asyncio.run(play())


def test_a_store_that_is_away_at_the_start_is_asked_again_and_nothing_is_told_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(continuity, "RETRY_SECONDS", 0.0)
    rows = rows_of(1, ROWS, "regression")
    path = tmp_path / "store" / "store.db"

    async def play() -> None:
        async with opened(path, "regression", None) as house:
            house.predict(rows)
            await house.post(list(rows.labels)[:200], 0)  # type: ignore[arg-type]
            await house.continuity.save()
            before = told(house.look())
        path.parent.rename(tmp_path / "away")
        path.parent.write_text("a file where the directory should be")
        house = House(path, "regression", None)
        house.writer.start()
        await house.continuity.resume()
        document = told(house.look())[0]
        assert (document["restoring"], document["realised"]["rows"]) == (True, 0)
        await house.continuity.save()  # of nothing: it must not replace what is there
        path.parent.unlink()
        (tmp_path / "away").rename(path.parent)
        await restored(house)
        assert told(house.look()) == before
        await house.writer.stop()

    asyncio.run(play())
