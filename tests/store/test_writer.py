"""The store's thread: nobody waits who must not, and only what is kept is acknowledged."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import StoreError
from monitor.records.batch import Batch
from monitor.records.label import Joined, Label, Outcome
from monitor.store.age import Age
from monitor.store.protocol import (
    Erased,
    Expired,
    JoinReport,
    Remembered,
    Resumed,
    Revoked,
    Stored,
)
from monitor.store.rounds import WriterLimits
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import StoreWriter

NOW = 1_780_000_000.0


def predicted(prediction_id: str, rows: int = 1) -> Batch:
    values = [1.0] * rows
    return Batch([prediction_id] * rows, range(rows), [NOW] * rows, {}, {"prediction": values})


def label(prediction_id: str, row: int = 0, value: float = 2.0) -> Label:
    return Label(prediction_id, row, value, NOW, NOW)


class Gate:
    """A real store behind a gate, and one that can be made to fail, as a full disk does."""

    shared = False

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()
        self.error: Exception | None = None
        self.commits: list[tuple[str, int]] = []

    def _pass(self, what: str, count: int) -> None:
        self.entered.set()
        assert self.open.wait(10)
        if self.error is not None:
            raise self.error
        self.commits.append((what, count))

    def remember(self, batches: Sequence[Batch]) -> Remembered:
        self._pass("remember", sum(map(len, batches)))
        return self.store.remember(batches)

    def join(self, labels: Sequence[Label]) -> JoinReport:
        self._pass("join", len(labels))
        return self.store.join(labels)

    def news(self) -> tuple[Joined, ...]:
        return self.store.news()

    def erase(self, prediction_id: str, now: float) -> Erased:
        return self.store.erase(prediction_id, now)

    def revoke(self, source: str, until: float, at: int = 0) -> Revoked:
        return self.store.revoke(source, until, at)

    def prediction(self, prediction_id: str) -> list[Stored]:
        return self.store.prediction(prediction_id)

    def joined_since(self, at: float, limit: int = 10) -> Iterator[Joined]:
        return self.store.joined_since(at, limit)

    def told(self) -> tuple[int, ...]:
        return self.store.told()

    def checkpoint(self, documents: Mapping[str, object], entries: Sequence[int]) -> None:
        self.store.checkpoint(documents, entries)

    def resume(self, prefix: str) -> Resumed:
        return self.store.resume(prefix)

    def expire(self, now: float) -> Expired:
        return self.store.expire(now)

    def put_document(self, key: str, document: object) -> None:
        self.store.put_document(key, document)

    def get_document(self, key: str) -> Any:
        return self.store.get_document(key)

    def documents(self, prefix: str) -> dict[str, Any]:
        return self.store.documents(prefix)

    def rows(self) -> int:
        return self.store.rows()

    def parked(self) -> int:
        return self.store.parked()

    def close(self) -> None:
        self.store.close()


Story = Callable[[StoreWriter, Gate, list[Joined]], Coroutine[Any, Any, None]]


def tell(tmp_path: Path, story: Story, limits: WriterLimits | None = None) -> None:
    async def run() -> None:
        joined: list[Joined] = []
        gate = Gate(SqliteStore(tmp_path / "store.db"))
        writer = StoreWriter(
            lambda: gate, joined.extend, limits=limits or WriterLimits(), clock=lambda: NOW
        )
        writer.start()
        try:
            await story(writer, gate, joined)
        finally:
            gate.open.set()
            await writer.stop()

    asyncio.run(run())


async def entered(gate: Gate) -> None:
    assert await asyncio.to_thread(gate.entered.wait, 10)


def test_labels_find_the_predictions_that_were_put_before_them(tmp_path: Path) -> None:
    async def story(writer: StoreWriter, gate: Gate, joined: list[Joined]) -> None:
        assert writer.remember(predicted("a", 3))
        report = await writer.join([label("a", row) for row in range(3)])
        assert report.outcomes == (Outcome.JOINED,) * 3
        assert [one.prediction.row for one in joined] == [0, 1, 2]  # told before the answer
        counts = writer.counts()
        assert (counts.rows, counts.outcomes[Outcome.JOINED], counts.error) == (3, 3, "")

    tell(tmp_path, story)


def test_an_early_label_is_told_when_its_prediction_comes(tmp_path: Path) -> None:
    async def story(writer: StoreWriter, gate: Gate, joined: list[Joined]) -> None:
        assert (await writer.join([label("a")])).outcomes == (Outcome.PENDING,)
        assert joined == []
        writer.remember(predicted("a"))
        (stored,) = await writer.prediction("a")
        assert stored.label == label("a")
        assert [one.label for one in joined] == [label("a")]

    tell(tmp_path, story)


def test_requests_that_come_together_are_committed_together_each_with_its_own_report(
    tmp_path: Path,
) -> None:
    async def story(writer: StoreWriter, gate: Gate, joined: list[Joined]) -> None:
        gate.open.clear()
        first = asyncio.create_task(writer.join([label("a")]))
        await entered(gate)
        others = [
            asyncio.create_task(writer.join([label("b", row), label("b", -1)])) for row in range(20)
        ]
        await asyncio.sleep(0)
        gate.open.set()
        await first
        reports = await asyncio.gather(*others)
        assert gate.commits == [("join", 1), ("join", 40)]
        assert {report.outcomes for report in reports} == {(Outcome.PENDING, Outcome.REJECTED)}
        assert {tuple(report.rejected) for report in reports} == {(1,)}

    tell(tmp_path, story)


def test_a_sender_that_left_loses_no_join(tmp_path: Path) -> None:
    async def story(writer: StoreWriter, gate: Gate, joined: list[Joined]) -> None:
        gate.open.clear()
        writer.remember(predicted("a"))
        task = asyncio.create_task(writer.join([label("a")]))
        await entered(gate)
        task.cancel()
        gate.open.set()
        await writer.ask(lambda store: store.get_document("anything"))
        assert [one.label for one in joined] == [label("a")]

    tell(tmp_path, story)


def test_a_full_queue_drops_and_counts_predictions_and_refuses_labels(tmp_path: Path) -> None:
    async def story(writer: StoreWriter, gate: Gate, joined: list[Joined]) -> None:
        gate.open.clear()
        first = asyncio.create_task(writer.join([label("a")]))
        await entered(gate)
        assert writer.remember(predicted("b", 10))
        assert not writer.remember(predicted("c", 1))
        waiting = asyncio.create_task(writer.join([label("a", row) for row in range(10)]))
        await asyncio.sleep(0)
        with pytest.raises(StoreError, match="wait"):
            await writer.join([label("a")])
        assert (writer.counts().dropped_rows, writer.counts().queued_rows) == (1, 10)
        gate.open.set()
        await asyncio.gather(first, waiting)
        assert writer.remember(predicted("c", 1))

    tell(tmp_path, story, WriterLimits(queued_rows=10, queued_labels=10))


def test_a_failing_store_costs_what_it_was_given_and_no_more(tmp_path: Path) -> None:
    async def story(writer: StoreWriter, gate: Gate, joined: list[Joined]) -> None:
        gate.error = StoreError("disk full")
        writer.remember(predicted("a", 5))
        with pytest.raises(StoreError, match="disk full"):
            await writer.join([label("a")])
        counts = writer.counts()
        assert (counts.dropped_rows, counts.errors, counts.error) == (5, 2, "disk full")
        assert counts.outcomes[Outcome.PENDING] == 0
        gate.error = None
        assert (await writer.join([label("a")])).outcomes == (Outcome.PENDING,)
        assert writer.counts().error == ""

    tell(tmp_path, story)


def test_one_malformed_batch_does_not_take_the_others_along(tmp_path: Path) -> None:
    async def story(writer: StoreWriter, gate: Gate, joined: list[Joined]) -> None:
        writer.remember(predicted("a", 2))
        writer.remember(Batch(["b", "b"], [0], [NOW], {}, {"prediction": [1.0]}))
        writer.remember(predicted("c", 2))
        assert len(await writer.prediction("c")) == 2
        assert len(await writer.prediction("a")) == 2
        assert (writer.counts().rows, writer.counts().dropped_rows) == (4, 2)

    tell(tmp_path, story)


def test_a_store_that_cannot_be_opened_is_tried_again(tmp_path: Path) -> None:
    async def run() -> None:
        blocked = tmp_path / "blocked"
        blocked.write_text("a file where the directory should be")
        writer = StoreWriter(lambda: SqliteStore(blocked / "store.db"), lambda _: None)
        writer.start()
        with pytest.raises(StoreError, match="blocked"):
            await writer.join([label("a")])
        blocked.unlink()
        assert (await writer.join([label("a")])).outcomes == (Outcome.PENDING,)
        await writer.stop()
        with pytest.raises(StoreError):
            await writer.join([label("a")])
        assert not writer.remember(predicted("a"))

    asyncio.run(run())


def test_stopping_keeps_what_waits_and_a_new_writer_finds_it(tmp_path: Path) -> None:
    async def run() -> None:
        def new() -> StoreWriter:
            path = tmp_path / "store.db"
            return StoreWriter(lambda: SqliteStore(path), lambda _: None, clock=lambda: NOW)

        first = new()
        first.start()
        for number in range(50):
            assert first.remember(predicted(str(number), 1000))
        await first.ask(lambda store: store.put_document("alerts", [1, 2]))
        await first.join([label("7", 3)])
        await first.stop()
        second = new()
        second.start()
        restored = await second.ask(lambda store: store.joined_since(0.0))
        assert [one.label for one in restored] == [label("7", 3)]
        assert await second.ask(lambda store: store.get_document("alerts")) == [1, 2]
        assert await second.ask(lambda store: store.get_document("none")) is None
        assert second.counts().rows == 50_000
        await second.stop()

    asyncio.run(run())


def test_a_clock_that_leaps_ahead_ages_nothing_at_once() -> None:
    wall = [NOW]
    age = Age(lambda: wall[0])
    start = age._reached_at
    wall[0] += 60
    assert age.now(start + 60) == NOW + 60
    wall[0] += 86_400
    assert age.now(start + 120) == NOW + 180  # twice as fast as time, until it has caught up
    wall[0] = NOW - 3600
    assert age.now(start + 180) == NOW - 3600
