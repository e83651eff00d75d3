"""Taking things out again: an id for good, or all that a source said, on every kind of store."""

from __future__ import annotations

import pytest

from monitor.records.batch import Batch
from monitor.records.label import Joined, Label, Outcome, Prediction
from monitor.store.protocol import Store
from monitor.store.settings import StoreSettings
from tests.store.conftest import Backend

NOON = 1_780_000_000.0
DAY = 86_400.0


def predicted(prediction_id: str, *values: object) -> Batch:
    count = len(values)
    return Batch([prediction_id] * count, range(count), [NOON] * count, {}, {"prediction": values})


def label(
    prediction_id: str, value: float, *, row: int = 0, after: float = 60.0, source: str = ""
) -> Label:
    return Label(prediction_id, row, value, NOON + after, NOON + after, source)


def revoke(store: Store, source: str, until: float = NOON + DAY) -> tuple[int, list[Joined]]:
    labels, joined = 0, list[Joined]()
    at: int | None = 0
    while at is not None:
        step = store.revoke(source, until, at)
        labels, at = labels + step.labels, step.at
        joined += step.joined
    return labels, joined


def test_a_deleted_id_is_gone_with_its_labels_and_is_taken_out_of_the_metrics(store: Store) -> None:
    store.remember([predicted("a", 10.0, 20.0), predicted("b", 1.0)])
    said, corrected = label("a", 9.0), label("a", 11.0, after=90)
    store.join([said, corrected, label("b", 1.0)])
    erased = store.erase("a", NOON + 100)
    assert (erased.rows, erased.labels) == (2, 1)
    assert erased.joined == (Joined(Prediction("a", 0, NOON, 10.0), None, corrected),)
    assert (store.prediction("a"), store.rows()) == ([], 1)
    assert [one.prediction.prediction_id for one in store.joined_since(0.0)] == ["b"]


def test_what_comes_later_for_a_deleted_id_is_dropped(store: Store) -> None:
    assert store.erase("a", NOON).rows == 0
    remembered = store.remember([predicted("a", 10.0), predicted("b", 1.0)])
    assert (remembered.erased, remembered.conflicts) == (1, 0)
    assert store.join([label("a", 1.0)]).outcomes == (Outcome.EXPIRED,)
    assert (store.prediction("a"), store.rows(), store.parked()) == ([], 1, 0)
    assert store.erase("a", NOON).rows == 0  # again: nothing more


def test_a_parked_label_of_a_deleted_id_is_gone(store: Store) -> None:
    store.join([label("a", 1.0), label("a", 2.0, after=90), label("b", 1.0)])
    assert store.erase("a", NOON + 100).labels == 1
    assert (store.parked(), store.prediction("a")) == (1, [])


def test_a_deleted_id_is_free_again_after_its_time(store: Store) -> None:
    store.erase("a", NOON)
    assert store.remember([predicted("a", 1.0)]).erased == 1
    store.expire(NOON + DAY + 1)
    assert store.remember([predicted("a", 1.0)]).erased == 0
    assert store.rows() == 1


def test_a_revoked_sources_labels_count_no_more(store: Store) -> None:
    store.remember([predicted("a", 10.0), predicted("b", 10.0)])
    bad, good = label("a", 99.0, source="bad"), label("b", 9.0, source="good")
    store.join([bad, good])
    assert revoke(store, "bad") == (1, [Joined(Prediction("a", 0, NOON, 10.0), None, bad)])
    assert store.prediction("a")[0].label is None
    assert store.prediction("b")[0].label == good
    assert revoke(store, "bad") == (0, [])
    assert store.join([label("a", 9.0, source="good")]).outcomes == (Outcome.JOINED,)


def test_what_another_source_said_before_counts_again(store: Store) -> None:
    store.remember([predicted("a", 10.0)])
    first, second = label("a", 9.0, source="good"), label("a", 99.0, after=90, source="bad")
    store.join([first, second])
    labels, joined = revoke(store, "bad")
    assert (labels, joined) == (1, [Joined(Prediction("a", 0, NOON, 10.0), first, second)])
    (stored,) = store.prediction("a")
    assert (stored.label, stored.history) == (first, ())


@pytest.mark.parametrize("order", [("good", "bad"), ("bad", "good")])
def test_the_same_value_said_by_two_sources_stays_when_one_is_revoked(
    store: Store, order: tuple[str, str]
) -> None:
    store.remember([predicted("a", 10.0)])
    for after, source in zip((60, 90), order, strict=True):
        store.join([label("a", 9.0, after=after, source=source)])
    store.join([label("a", 9.0, after=30, source=order[0])])  # an old one says nothing new
    revoke(store, "bad")
    kept = store.prediction("a")[0].label
    assert kept is not None
    assert (kept.value, kept.source) == (9.0, "good")
    revoke(store, "good")
    assert store.prediction("a")[0].label is None


def test_revoked_history_cannot_come_back(store: Store) -> None:
    store.remember([predicted("a", 10.0)])
    store.join([label("a", 1.0, source="bad"), label("a", 2.0, after=90, source="good")])
    assert revoke(store, "bad") == (1, [])
    assert store.prediction("a")[0].history == ()
    revoke(store, "good")
    assert store.prediction("a")[0].label is None


def test_parked_labels_are_revoked_too(store: Store) -> None:
    store.join([label("a", 1.0, source="bad"), label("b", 1.0, source="good")])
    store.join([label("b", 2.0, after=90, source="bad")])
    assert revoke(store, "bad")[0] == 2
    assert store.parked() == 1
    assert store.remember([predicted("a", 1.0)]).joined == ()
    (joined,) = store.remember([predicted("b", 1.0)]).joined
    assert joined.label == label("b", 1.0, source="good")


def test_labels_received_after_the_call_are_not_revoked(store: Store) -> None:
    store.remember([predicted("a", 10.0)])
    store.join([label("a", 9.0, after=500, source="bad")])
    assert revoke(store, "bad", until=NOON + 499) == (0, [])
    assert revoke(store, "bad", until=NOON + 500)[0] == 1


def test_a_large_source_is_revoked_in_steps(backend: Backend) -> None:
    store = backend.open(StoreSettings())
    rows = 45_000
    store.remember([predicted("a", *range(rows))])
    store.join([label("a", 1.0, row=row, source="bad") for row in range(0, rows, 4)])
    labels, joined = revoke(store, "bad")
    assert (labels, len(joined)) == (rows // 4, rows // 4)
    assert list(store.joined_since(0.0)) == []
