"""The join's contract, event by event, on every kind of store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.errors import StoreError
from monitor.records.batch import Batch
from monitor.records.label import Joined, Label, Outcome, Prediction
from monitor.store.protocol import Store
from monitor.store.settings import StoreSettings
from tests.store.conftest import Backend

NOON = 1_780_000_000.0
DAY = 86_400.0


def predicted(prediction_id: str, *values: object, at: float = NOON) -> Batch:
    count = len(values)
    return Batch([prediction_id] * count, range(count), [at] * count, {}, {"prediction": values})


def label(
    prediction_id: str, value: float | str, *, row: int = 0, after: float = 60.0, source: str = ""
) -> Label:
    return Label(prediction_id, row, value, NOON + after, NOON + after, source)


def test_a_label_joins_its_prediction(store: Store) -> None:
    store.remember([predicted("a", 10.0, 20.0)])
    report = store.join([label("a", 21.5, row=1, source="billing")])
    assert report.outcomes == (Outcome.JOINED,)
    assert report.joined == (
        Joined(Prediction("a", 1, NOON, 20.0), label("a", 21.5, row=1, source="billing")),
    )
    first, second = store.prediction("a")
    assert (first.label, second.label) == (None, label("a", 21.5, row=1, source="billing"))
    assert store.rows() == 2


def test_the_same_label_twice_changes_nothing(store: Store) -> None:
    store.remember([predicted("a", 10.0)])
    one = label("a", 9.0)
    report = store.join([one, one, replace(one, received_at=NOON + 90)])
    assert report.outcomes == (Outcome.JOINED, Outcome.DUPLICATE, Outcome.DUPLICATE)
    assert len(report.joined) == 1
    assert store.prediction("a")[0].label == one


def test_a_correction_replaces_and_tells_what_it_replaced(store: Store) -> None:
    store.remember([predicted("a", 10.0)])
    old, new = label("a", 9.0), label("a", 11.0, after=120)
    store.join([old])
    report = store.join([new])
    assert report.outcomes == (Outcome.CORRECTED,)
    assert report.joined == (Joined(Prediction("a", 0, NOON, 10.0), new, old),)
    (stored,) = store.prediction("a")
    assert (stored.label, stored.history) == (new, (old,))


def test_a_correction_older_than_what_counts_goes_into_the_history_only(store: Store) -> None:
    store.remember([predicted("a", 10.0)])
    new, old = label("a", 11.0, after=120), label("a", 9.0)
    store.join([new])
    report = store.join([old])
    assert (report.outcomes, report.joined) == ((Outcome.DUPLICATE,), ())
    (stored,) = store.prediction("a")
    assert (stored.label, stored.history) == (new, (old,))


def test_on_a_tie_the_last_to_arrive_counts_but_a_retry_of_the_first_does_not(
    store: Store,
) -> None:
    store.remember([predicted("a", 10.0)])
    first, second = label("a", 9.0), label("a", 11.0)
    report = store.join([first, second, first])
    assert report.outcomes == (Outcome.JOINED, Outcome.CORRECTED, Outcome.DUPLICATE)
    assert store.prediction("a")[0].label == second


def test_a_value_confirmed_later_outlives_a_correction_from_before(store: Store) -> None:
    store.remember([predicted("a", 10.0)])
    report = store.join([label("a", 9.0), label("a", 9.0, after=180), label("a", 11.0, after=120)])
    assert report.outcomes == (Outcome.JOINED, Outcome.DUPLICATE, Outcome.DUPLICATE)
    assert [one.label and one.label.value for one in report.joined] == [9.0]
    kept = store.prediction("a")[0].label
    assert kept is not None
    assert (kept.value, kept.observed_at, kept.received_at) == (9.0, NOON + 180, NOON + 60)


def test_an_early_label_waits_and_joins_when_its_prediction_lands(store: Store) -> None:
    early = label("a", 9.0, after=-5)
    assert store.join([early]).outcomes == (Outcome.PENDING,)
    assert store.join([early]).outcomes == (Outcome.DUPLICATE,)
    corrected = label("a", 9.5, after=-4)
    assert store.join([corrected]).outcomes == (Outcome.CORRECTED,)
    assert store.parked() == 1
    remembered = store.remember([predicted("b", 1.0), predicted("a", 10.0)])
    assert remembered.joined == (Joined(Prediction("a", 0, NOON, 10.0), corrected),)
    assert store.parked() == 0
    assert store.prediction("a")[0].history == (early,)
    assert store.join([corrected]).outcomes == (Outcome.DUPLICATE,)


def test_a_second_prediction_with_a_known_id_is_a_conflict_and_the_first_is_kept(
    store: Store,
) -> None:
    store.remember([predicted("a", 10.0)])
    remembered = store.remember([predicted("a", 99.0, 20.0), predicted("b", 1.0)])
    assert remembered.conflicts == 1
    assert store.rows() == 3
    kept = [stored.prediction for stored in store.prediction("a")]
    assert [one.value for one in kept if one] == [10.0, 20.0]


def test_any_number_of_rows_is_kept_in_order_and_conflicts_are_counted(store: Store) -> None:
    ids = [f"id-{number % 700}" for number in range(1000)]  # the last 300 are taken by then
    batch = Batch(ids, [0] * 1000, [NOON] * 1000, {}, {"prediction": list(range(1000))})
    assert store.remember([batch]).conflicts == 300
    assert store.rows() == 700
    for number in (0, 255, 256, 511, 512, 699):
        (stored,) = store.prediction(f"id-{number}")
        assert stored.prediction is not None
        assert stored.prediction.value == number


def test_parked_labels_are_bounded_and_the_one_too_many_is_refused(store: Store) -> None:
    report = store.join([label(name, 1.0) for name in "abcd"])
    assert report.outcomes == (Outcome.PENDING,) * 3 + (Outcome.REJECTED,)
    assert report.rejected == {3: "too many labels wait for their predictions"}
    assert store.join([label("a", 2.0, after=90)]).outcomes == (Outcome.CORRECTED,)


def test_a_parked_label_is_orphaned_when_its_time_is_up(store: Store) -> None:
    store.join([label("a", 1.0), label("a", 2.0, after=61)])
    assert store.expire(NOON + DAY).orphaned == 0
    assert store.expire(NOON + DAY + 62).orphaned == 1
    assert (store.parked(), store.prediction("a")) == (0, [])


def test_a_label_after_its_predictions_time_is_expired_and_later_unknown(
    store: Store,
) -> None:
    store.remember([predicted("a", 10.0), predicted("b", 10.0, at=NOON + 100)])
    store.join([label("a", 1.0)])
    assert store.expire(NOON + DAY).predictions == 0
    assert store.expire(NOON + DAY + 1).predictions == 1
    assert store.rows() == 1
    assert store.join([label("a", 2.0), label("b", 2.0)]).outcomes == (
        Outcome.EXPIRED,
        Outcome.JOINED,
    )
    store.expire(NOON + 2 * DAY + 2)
    assert store.join([label("a", 2.0)]).outcomes == (Outcome.PENDING,)


def test_forgetting_goes_in_small_steps(store: Store) -> None:
    store.remember([predicted("a", *range(12_000))])
    steps = [store.expire(NOON + 2 * DAY)]
    while steps[-1].more:
        steps.append(store.expire(NOON + 2 * DAY))
    assert len(steps) > 1
    assert sum(step.predictions for step in steps) == 12_000
    assert store.rows() == 0


def test_one_bad_label_does_not_cost_the_others(store: Store) -> None:
    store.remember([predicted("a", 10.0)])
    good = label("a", 1.0)
    report = store.join(
        [
            replace(good, row=-1),
            good,
            replace(good, row=2**70),
            replace(good, value=float("nan")),
            replace(good, observed_at=float("inf")),
        ]
    )
    assert report.count(Outcome.JOINED) == 1
    assert sorted(report.rejected) == [0, 2, 3, 4]


def test_another_versions_prediction_joins_in_the_table_but_is_not_told(backend: Backend) -> None:
    old = backend.open(StoreSettings(version="1"))
    old.remember([predicted("a", 10.0)])
    old.close()
    new = backend.open(StoreSettings(version="2"))
    report = new.join([label("a", 9.0)])
    assert (report.outcomes, report.joined) == ((Outcome.JOINED,), ())
    assert list(new.joined_since(0.0)) == []
    assert new.prediction("a")[0].label == label("a", 9.0)


def test_joins_are_read_back_from_when_both_were_there(store: Store) -> None:
    store.remember([predicted(name, 1.0, at=NOON + 10 * i) for i, name in enumerate("abcd")])
    store.join([label("a", 1.0, after=500), label("b", 2.0, after=-900), label("c", 3.0)])
    assert [one.label and one.label.value for one in store.joined_since(0.0)] == [2.0, 3.0, 1.0]
    assert [one.label and one.label.value for one in store.joined_since(NOON + 10)] == [
        2.0,
        3.0,
        1.0,
    ]
    assert [one.label and one.label.value for one in store.joined_since(NOON + 60)] == [3.0, 1.0]
    assert [one.label and one.label.value for one in store.joined_since(NOON + 60.5)] == [1.0]
    assert [one.label and one.label.value for one in store.joined_since(0.0, limit=2)] == [3.0, 1.0]
    assert list(store.joined_since(NOON + 501)) == []


def test_all_is_there_after_reopening(store: Store, backend: Backend) -> None:
    store.remember([predicted("a", 10.0)])
    store.join([label("a", 9.0), label("b", 1.0)])
    store.put_document("alerts", {"firing": ["x"]})
    store.put_document("pane 1", {"rows": 1})
    store.put_document("pane 2", [2])
    store.put_document("pane 2", None)
    store.put_document("pane%", "é")
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.join([label("a", 9.0)])
    again = backend.open()
    assert (again.rows(), again.parked()) == (1, 1)
    assert again.get_document("alerts") == {"firing": ["x"]}
    assert again.documents("pane ") == {"pane 1": {"rows": 1}}
    assert again.documents("pane%") == {"pane%": "é"}
    assert again.prediction("a")[0].label == label("a", 9.0)
