"""A prediction keeps the values of the configured segment columns, through every way it is read."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from monitor.profile.values import INVALID, MISSING, category
from monitor.records.batch import Batch
from monitor.records.label import Label
from monitor.store.settings import StoreSettings
from monitor.store.sqlite import SqliteStore
from monitor.store.sqlite_schema import MIGRATIONS
from monitor.store.values import from_segment_text, segment_texts

SEGMENTS = ("carrier", "day", "absent")


def predicted(prediction_id: str) -> Batch:
    features: dict[str, list[object]] = {
        "carrier": ["UA", None, ""],
        "day": [1, 1.0, True],
        "other": ["x", "y", "z"],
    }
    outputs = {"prediction": [1.0, 2.0, 3.0]}
    return Batch([prediction_id] * 3, range(3), [100.0] * 3, features, outputs)


EXPECTED = [{"carrier": "UA", "day": "1"}, {"day": "1"}, {"day": "true"}]


def test_segments_come_with_joins_with_landed_labels_with_reads_and_after_a_restart(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path / "store.db", StoreSettings(segments=SEGMENTS))
    labels = [Label("a", row, 1.0, 101.0, 101.0) for row in range(3)]
    early = [Label("b", row, 1.0, 101.0, 101.0) for row in range(3)]
    store.join(early)
    landed = store.remember([predicted("a"), predicted("b")]).joined
    report = store.join(labels)
    read = [stored.prediction.segments for stored in store.prediction("a") if stored.prediction]
    store.close()
    again = SqliteStore(tmp_path / "store.db")
    restored = [one.prediction.segments for one in again.joined_since(0.0)]
    again.close()
    assert [one.prediction.segments for one in landed] == EXPECTED
    assert [one.prediction.segments for one in report.joined] == EXPECTED
    assert read == EXPECTED
    assert sorted(restored, key=str) == sorted(EXPECTED * 2, key=str)


def test_a_file_of_before_segments_is_brought_up(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with contextlib.closing(sqlite3.connect(path)) as old:
        for statement in MIGRATIONS[0]:
            old.execute(statement)
        old.execute("PRAGMA user_version=1")
        old.commit()
    store = SqliteStore(path, StoreSettings(segments=SEGMENTS))
    store.remember([predicted("a")])
    assert [one.prediction and one.prediction.segments for one in store.prediction("a")] == EXPECTED
    store.close()


@given(st.one_of(st.text(max_size=300), st.integers(), st.floats(), st.none(), st.binary()))
def test_any_value_is_kept_as_its_category_or_left_out(value: object) -> None:
    batch = Batch(["a"], [0], [1.0], {"s": [value]}, {})
    (text,) = segment_texts(batch, ("s",))
    expected = category(value)
    assert from_segment_text(text) == ({} if expected in {MISSING, INVALID} else {"s": expected})
    assert len(expected) <= 128
