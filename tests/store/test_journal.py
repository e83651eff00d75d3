"""The journal: what was joined since the last checkpoint is told once more, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.records.batch import Batch
from monitor.records.label import Joined, Label, Prediction
from monitor.store import journal
from monitor.store.journal import Journal, from_body, to_body
from monitor.store.protocol import Store
from tests.store.conftest import Backend

NOON = 1_780_000_000.0


def predicted(prediction_id: str, rows: int = 1) -> Batch:
    values = [10.0 + row for row in range(rows)]
    return Batch([prediction_id] * rows, range(rows), [NOON] * rows, {}, {"prediction": values})


def label(prediction_id: str, value: float = 2.0, *, row: int = 0, after: float = 60.0) -> Label:
    return Label(prediction_id, row, value, NOON + after, NOON + after)


def since(store: Store) -> list[object] | None:
    """The labels that count by the journal of a process that ended."""
    joined = store.resume("counted ").joined
    return None if joined is None else [one.label and one.label.value for one in joined]


def test_a_start_is_told_what_the_last_checkpoint_lacks(backend: Backend) -> None:
    store = backend.open()
    store.remember([predicted("a", 4)])
    store.join([label("a", 1.0), label("a", 2.0, row=1)])
    first = store.told()
    assert (len(first), store.told()) == (1, ())
    store.join([label("a", 3.0, row=2)])
    store.checkpoint({"counted all": {"labels": 2}, "other": 1}, first)
    store.join([label("a", 4.0, after=90.0), label("a", 4.0, after=90.0)])
    store.close()
    again = backend.open()
    resumed = again.resume("counted ")
    assert resumed.documents == {"counted all": {"labels": 2}}
    assert resumed.joined == (
        Joined(Prediction("a", 2, NOON, 12.0), label("a", 3.0, row=2)),
        Joined(Prediction("a", 0, NOON, 10.0), label("a", 4.0, after=90.0), label("a", 1.0)),
    )
    assert since(again) == []  # each once
    again.checkpoint({"counted all": None}, again.told())
    again.close()
    last = backend.open().resume("counted ")
    assert (last.documents, last.joined) == ({}, ())


def test_a_label_that_waited_is_in_the_journal_once_its_prediction_came(backend: Backend) -> None:
    store = backend.open()
    store.join([label("a", 5.0)])
    assert store.told() == ()
    store.remember([predicted("a")])
    store.close()
    assert since(backend.open()) == [5.0]


def test_a_deletion_is_a_gap_until_a_checkpoint_that_knows_of_it(
    backend: Backend, tmp_path: Path
) -> None:
    store = backend.open()
    store.remember([predicted("secret-id", 2), predicted("b")])
    store.join([label("secret-id"), label("b")])
    before = store.told()
    store.erase("secret-id", NOON)
    store.checkpoint({"counted all": "taken before"}, before)
    store.close()
    again = backend.open()
    assert since(again) is None
    if backend.kind == "sqlite":
        assert not any(b"secret-id" in one.read_bytes() for one in tmp_path.glob("store.db*"))
    again.checkpoint({"counted all": "taken since"}, again.told())
    again.join([label("b", 7.0, after=99.0)])
    again.close()
    assert since(backend.open()) == [7.0]


def test_a_journal_too_long_to_be_told_becomes_a_gap(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "MOST_JOINS", 3)
    store = backend.open()
    store.remember([predicted("a", 9)])
    for row in range(5):
        store.join([label("a", row=row)])
    entries = store.told()
    store.close()
    again = backend.open()
    assert since(again) is None
    again.checkpoint({}, (*entries, *again.told()))
    again.join([label("a", 8.0, row=8)])
    again.close()
    assert since(backend.open()) == [8.0]


def test_rows_are_read_as_they_were_while_others_write(backend: Backend) -> None:
    store = backend.open()
    store.remember([predicted("a", 5)])
    store.join([label("a", 1.0, row=row) for row in range(3)])
    rows = store.joined_since(0.0)
    store.join([label("a", 9.0, row=0, after=90.0), label("a", 9.0, row=3, after=90.0)])
    assert [one.label and one.label.value for one in rows] == [1.0, 1.0, 1.0]
    assert len(store.told()) == 3
    store.close()
    assert since(backend.open()) is None  # no checkpoint yet holds what was read


@pytest.mark.parametrize("value", [1, 1.0, True, "1", "é", 2**62, 0.1])
def test_a_body_keeps_every_value_as_it_is(value: object) -> None:
    prediction = Prediction("a", 2**62, 1e9 + 0.25, value, {"x": 0.1}, {"c": "é"})  # type: ignore[arg-type]
    joined = [
        Joined(prediction, Label("a", 2**62, value, 1.5, 2.5, "s")),  # type: ignore[arg-type]
        Joined(prediction, None, Label("a", 2**62, "old", 1.0, 2.0)),
    ]
    read = from_body(to_body(joined))
    assert read == joined
    assert read is not None
    assert type(read[0].prediction.value) is type(value)
    assert from_body(journal.GAP) is None


def test_entries_are_open_until_they_are_covered() -> None:
    held = Journal()
    held.note(1, 2)
    held.note(2, 3)
    assert held.told() == (1, 2)
    held.covered([1, 7])
    assert held.open == [2]
    held.note(3, 0, gap=True)
    assert (held.open, held.told()) == ([3], (3,))
