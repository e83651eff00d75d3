"""Hard times for a SQLite file: full disk, locked or broken file, SIGKILL."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from monitor.errors import StoreError
from monitor.records.batch import Batch
from monitor.records.label import Label, Outcome
from monitor.store.sqlite import SqliteStore


def label(prediction_id: str, value: float | str, row: int = 0, at: float = 50.0) -> Label:
    return Label(prediction_id, row, value, at, at)


def test_a_full_disk_refuses_all_of_a_request_and_recovers(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    store.remember([Batch(["a"] * 9, range(9), [1.0] * 9, {}, {"prediction": range(9)})])
    connection = store._file.opened()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages}")
    labels = [label("a", "x" * 5000, row) for row in range(9)]
    with pytest.raises(StoreError, match="full"):
        store.join(labels)
    assert all(stored.label is None for stored in store.prediction("a"))
    assert store.join(labels).count(Outcome.JOINED) == 9  # the file is opened anew: there is space
    store.close()


def test_writes_that_fail_midway_lose_nothing_acknowledged(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    acknowledged: list[Label] = []
    refused: list[list[Label]] = []
    try:
        for number in range(200):
            limit = 600_000 if 20 <= number < 120 else soft  # bytes a file may have
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
            labels = [label(str(number), "x" * 200 + str(row), row) for row in range(50)]
            try:
                store.remember([Batch([str(number)], [0], [1.0], {}, {"prediction": ["x"]})])
                assert store.join(labels).count(Outcome.REJECTED) == 0
                acknowledged += labels
            except StoreError:
                refused.append(labels)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(refused) > 20
    assert len(acknowledged) >= 100 * 50
    for labels in refused:
        outcomes = set(store.join(labels).outcomes)
        assert outcomes <= {Outcome.PENDING, Outcome.JOINED, Outcome.DUPLICATE}
    kept = {number: store.prediction(str(number)) for number in range(200)}
    store.close()
    again = SqliteStore(tmp_path / "store.db")
    assert {number: again.prediction(str(number)) for number in range(200)} == kept
    again.close()
    found = {stored.label for rows in kept.values() for stored in rows}
    assert found == {*acknowledged, *(one for labels in refused for one in labels)}


def test_a_locked_file_is_an_error_until_it_is_free(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        store.join([label("a", 1.0)])
    other.execute("ROLLBACK")
    other.close()
    assert store.join([label("a", 1.0)]).outcomes == (Outcome.PENDING,)
    assert store.parked() == 1
    store.close()


def test_a_file_that_is_no_database_or_of_a_later_release_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database at all, but long enough to be read as one")
    with pytest.raises(StoreError, match="not a database"):
        SqliteStore(tmp_path / "text.db")
    later = sqlite3.connect(tmp_path / "later.db")
    later.execute("PRAGMA user_version=99")
    later.close()
    with pytest.raises(StoreError, match="later release"):
        SqliteStore(tmp_path / "later.db")


def test_a_malformed_batch_leaves_nothing_behind(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    good = Batch(["a"], [0], [1.0], {}, {"prediction": [1.0]})
    with pytest.raises(ValueError, match="zip"):
        store.remember([good, Batch(["b", "b"], [0], [1.0], {}, {"prediction": [1.0]})])
    assert (store.prediction("a"), store.rows()) == ([], 0)
    assert store.remember([good]).conflicts == 0
    store.close()


def test_others_have_the_core_within_a_long_statement(tmp_path: Path) -> None:
    paused = 0

    def pause() -> None:
        nonlocal paused
        paused += 1

    rows = 5000
    store = SqliteStore(tmp_path / "store.db", pause=pause)
    store.rows()
    store.remember(
        [Batch(["a"] * rows, range(rows), [1.0] * rows, {}, {"prediction": range(rows)})]
    )
    assert paused > 20
    assert store.rows() == rows
    store.close()


CHILD = textwrap.dedent("""
    import sys
    from pathlib import Path
    from monitor.records.batch import Batch
    from monitor.records.label import Label
    from monitor.store.sqlite import SqliteStore
    store = SqliteStore(Path(sys.argv[1]))
    number = int(sys.argv[2])
    while True:
        if number % 3:
            ids = [str(number)] * 20
            store.remember([Batch(ids, range(20), [1.0] * 20, {}, {"prediction": range(20)})])
        store.join([Label(str(number), row, row + number, 1.0, 1.0) for row in range(20)])
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()
        number += 1
""")


def test_no_acknowledged_label_is_lost_to_sigkill(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    chance = random.Random(20_260)
    acknowledged = 0
    for _ in range(5):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path), str(acknowledged)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert child.stdout is not None
        with child:
            for _ in range(chance.randint(1, 40)):
                acknowledged = int(child.stdout.readline()) + 1
            child.send_signal(signal.SIGKILL)
            for line in child.stdout.read().split():
                acknowledged = int(line) + 1
        store = SqliteStore(path)
        for number in range(acknowledged):
            kept = [stored.label.value for stored in store.prediction(str(number)) if stored.label]
            assert kept == [row + number for row in range(20)]
        store.close()
        with contextlib.closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert acknowledged >= 5


def test_labels_and_documents_are_synced_to_the_disk_and_predictions_need_not_be(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path / "store.db")

    def synced() -> tuple[str, int]:
        connection = store._file.opened()
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        (level,) = connection.execute("PRAGMA synchronous").fetchone()
        return mode, level

    store.remember([Batch(["a"], [0], [1.0], {}, {"prediction": [1.0]})])
    assert synced() == ("wal", 1)  # NORMAL
    store.join([label("a", 1.0)])
    assert synced() == ("wal", 2)  # FULL: the log is synced at every commit
    store.expire(0.0)
    assert synced() == ("wal", 1)
    store.put_document("alerts", [])
    assert synced() == ("wal", 2)
    store.close()
