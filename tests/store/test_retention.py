"""Forgetting in SQLite: by age and by size, in steps that grow where there is much to forget."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest

from monitor.records.batch import Batch
from monitor.records.label import Label, Outcome
from monitor.store import sqlite_expiry, writer
from monitor.store.protocol import Expired, Store
from monitor.store.rounds import WriterLimits
from monitor.store.settings import StoreSettings
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import StoreWriter

NOON = 1_780_000_000.0
LIMIT = 2 << 20
AT_ONCE = 2_500


def predicted(first: float, rows: int) -> Batch:
    ids = [uuid.UUID(int=int(first) * 1_000_003 + row).hex for row in range(rows)]
    at = [first + row / rows for row in range(rows)]
    return Batch(ids, [0] * rows, at, {}, {"prediction": [1.5] * rows})


def forgotten(store: SqliteStore, now: float) -> int:
    total = 0
    for _ in range(1000):
        expired = store.expire(now)
        total += expired.predictions
        if not expired.more:
            return total
    raise AssertionError("it never ends")


def test_a_file_does_not_outgrow_its_limit_and_the_newest_rows_stay(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path, StoreSettings(max_bytes=LIMIT))
    sizes = []
    batches = [predicted(NOON + second, AT_ONCE) for second in range(24)]
    for batch in batches:
        store.remember([batch])
        forgotten(store, NOON)
        connection = store._file.opened()
        assert sqlite_expiry.used_bytes(connection) <= LIMIT
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sizes.append(path.stat().st_size)
    assert max(sizes) < 1.5 * LIMIT  # what one batch takes before others have gone
    assert max(sizes[12:]) <= max(sizes[:12]) * 1.05  # freed room is written anew
    assert 2 * AT_ONCE <= store.rows() < 20 * AT_ONCE
    newest, oldest = batches[-1].ids[-1], batches[0].ids[0]
    outcomes = store.join([Label(one, 0, 1.0, NOON, NOON) for one in (newest, oldest)]).outcomes
    assert outcomes[0] is Outcome.JOINED
    assert outcomes[1] in {Outcome.EXPIRED, Outcome.PENDING}  # marks make room, too
    assert path.stat().st_size == sizes[-1]
    store.close()


def test_a_flood_does_not_outgrow_the_limit_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_UNLOOKED_ROWS", AT_ONCE)
    monkeypatch.setattr(sqlite_expiry, "MOST_STEP_ROWS", AT_ONCE)
    path = tmp_path / "store.db"
    sizes: list[int] = []

    def used(store: Store) -> None:
        assert isinstance(store, SqliteStore)
        sizes.append(sqlite_expiry.used_bytes(store._file.opened()))

    async def play() -> None:
        kept = StoreWriter(
            lambda: SqliteStore(path, StoreSettings(max_bytes=LIMIT)),
            lambda _: None,
            limits=WriterLimits(rows_per_commit=AT_ONCE),
            clock=lambda: NOON,
        )
        kept.start()
        for second in range(40):  # all at once: nobody waits for room
            assert kept.remember(predicted(NOON + second, AT_ONCE))
        for _ in range(40):
            await kept.ask(used)
            await asyncio.sleep(0)
        while kept.queued_rows:
            await kept.ask(used)
        await kept.ask(used)
        assert kept.counts().dropped_rows == 0
        await kept.stop()

    asyncio.run(play())
    batch_bytes = 160 * AT_ONCE
    assert 40 * batch_bytes / 2 > LIMIT
    assert max(sizes) <= LIMIT + 2 * batch_bytes


def test_what_is_past_its_time_goes_whole_and_leaves_its_marks(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db", StoreSettings(label_ttl_seconds=100.0))
    batches = [predicted(NOON + second, AT_ONCE) for second in range(4)]
    store.remember([batches[3], batches[0], batches[2], batches[1]])  # not in the order of time
    corrected = batches[1].ids[7]
    store.join([Label(corrected, 0, float(n), NOON + n, NOON + n) for n in range(3)])
    assert forgotten(store, NOON + 102.0) == 2 * AT_ONCE
    assert store.rows() == 2 * AT_ONCE
    assert store.prediction(corrected) == []
    history = store._file.opened().execute("SELECT count(*) FROM history").fetchone()
    assert history == (0,)
    late = [Label(batch.ids[7], 0, 1.0, NOON, NOON) for batch in batches]
    assert store.join(late).outcomes == (
        Outcome.EXPIRED,
        Outcome.EXPIRED,
        Outcome.JOINED,
        Outcome.JOINED,
    )
    store.close()


def test_steps_grow_with_the_backlog_and_shrink_where_they_take_long() -> None:
    step = sqlite_expiry.STEP_ROWS
    for _ in range(10):
        step = sqlite_expiry.next_step(step, Expired(step, more=True), 0.01)
    assert step == sqlite_expiry.MOST_STEP_ROWS
    for _ in range(10):
        step = sqlite_expiry.next_step(step, Expired(step, more=True), 0.5)
    assert step == sqlite_expiry.STEP_ROWS
    assert sqlite_expiry.next_step(20_000, Expired(5), 0.01) == sqlite_expiry.STEP_ROWS
